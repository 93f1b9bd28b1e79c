"""The first and last value of columns as Parquet files state them: nothing of the columns themselves is read.

Only dates, timestamps without a zone and whole numbers: of these the bounds are exact (`Parquet format, Statistics
<https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift>`_), and DuckDB leaves out rows by them
already. Where a file states nothing, its rows have to be asked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlglot import exp

from cadran.compute.loading.embedded import QueryError, Session
from cadran.compute.lower import column

WHOLE = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
)
_READ: Mapping[str, Callable[[str], Any]] = {
    "DATE": dt.date.fromisoformat,
    "TIMESTAMP": dt.datetime.fromisoformat,
    **dict.fromkeys(WHOLE, int),
}
_ASKED = (
    "file_name",
    "path_in_schema",
    "row_group_num_rows",
    "stats_null_count",
    "stats_min_value",
    "stats_max_value",
)


@dataclass(frozen=True, slots=True)
class Extent:
    """One column in one file: rows, those with a value, and the least and greatest value (None where there is none)."""

    rows: int
    filled: int
    first: Any
    last: Any


@dataclass(slots=True)
class _Groups:
    rows: int = 0
    empty: int = 0
    ends: list[str] = field(default_factory=list)


class Extents:
    """Of the tables of one session, each table's files asked once."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._stated: dict[tuple[str, str], Mapping[tuple[str, str], _Groups | None]] = {}
        self._found: dict[tuple[str, str, str], Mapping[Path, Extent] | None] = {}

    def of(self, source: str, table: str, name: str) -> Mapping[Path, Extent] | None:
        """A column's extent in each file of a table; None where that is not stated."""
        key = (source, table, name)
        if key not in self._found:
            self._found[key] = self._read(source, table, name)
        return self._found[key]

    def _read(self, source: str, table: str, name: str) -> Mapping[Path, Extent] | None:
        files = self.session.files(source, table)
        read = _READ.get(self.session.columns(source, table).get(name, "")) if files else None
        if read is None:
            return None
        key = (source, table)
        if key not in self._stated:
            self._stated[key] = self._ask(files)
        found: dict[Path, Extent] = {}
        for file in files:
            extent = _extent(self._stated[key].get((str(file), name)), read)
            if extent is None:
                return None
            found[file] = extent
        return found

    def _ask(self, files: tuple[Path, ...]) -> dict[tuple[str, str], _Groups | None]:
        paths = exp.array(*(exp.Literal.string(str(file)) for file in files))
        asked = exp.Table(this=exp.Anonymous(this="parquet_metadata", expressions=[paths]))
        select = exp.Select(expressions=[column(name) for name in _ASKED]).from_(asked, copy=False)
        try:
            rows = self.session.rows(select)
        except QueryError:
            return {}
        out: dict[tuple[str, str], _Groups | None] = {}
        for file, name, count, empty, low, high in rows:
            groups = out.setdefault((str(file), str(name)), _Groups())
            if groups is None:
                continue
            if empty is None or (empty < count and (low is None or high is None)):
                out[str(file), str(name)] = None
                continue
            groups.rows, groups.empty = groups.rows + int(count), groups.empty + int(empty)
            groups.ends += (str(low), str(high)) if empty < count else ()
        return out


def _extent(groups: _Groups | None, read: Callable[[str], Any]) -> Extent | None:
    if groups is None:
        return None
    try:
        ends = [read(value) for value in groups.ends]
    except ValueError:  # infinity, a year beyond Python's, another type in this file
        return None
    return Extent(groups.rows, groups.rows - groups.empty, min(ends, default=None), max(ends, default=None))
