"""What the footers of Parquet files say, read by DuckDB: columns, types and numbers of rows, without any row.

Only files whose columns DuckDB reads just as Arrow does are *plain*. A file that was written by Arrow may mean more by
a whole number than DuckDB sees (a duration), so its own schema is asked as well.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

_PLAIN = frozenset(
    {"BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
     "FLOAT", "DOUBLE", "VARCHAR", "DATE"}
)  # fmt: skip
_DECIMAL = re.compile(r"DECIMAL\(\d+,\d+\)")
_TIMES = frozenset({"TIMESTAMP", "TIMESTAMP WITH TIME ZONE"})

Described = list[tuple[str, str]]  # (name, DuckDB's type) of each column, in order


@dataclass(frozen=True, slots=True)
class Footers:
    """The columns of each file, and the rows of all together."""

    columns: list[Described]
    rows: int


def plain(files: Sequence[Path]) -> Footers | None:
    """What the files hold, if DuckDB can scan all of them where they lie; None otherwise, whatever the reason."""
    import duckdb

    paths = [str(file) for file in files]
    if any(sign in path for path in paths for sign in "*?["):  # DuckDB would take it for a pattern
        return None
    con = _database()
    try:
        schema = con.execute(
            "SELECT file_name, name, duckdb_type, type, num_children, converted_type, logical_type FROM parquet_schema(?)",
            [paths],
        ).fetchall()
        rows = con.execute("SELECT sum(num_rows) FROM parquet_file_metadata(?)", [paths]).fetchall()
        by_arrow = con.execute(
            "SELECT count(*) FROM parquet_kv_metadata(?) WHERE key = 'ARROW:schema'::BLOB", [paths]
        ).fetchall()
    except duckdb.Error:
        return None
    columns = _columns(paths, schema)
    if columns is None or (by_arrow[0][0] and not _as_arrow_means(files)):
        return None
    return Footers(columns, int(rows[0][0]))


def _columns(paths: Sequence[str], schema: Sequence[tuple[Any, ...]]) -> list[Described] | None:
    """The columns by file; None where one is not plain, or two differ in capitals alone."""
    by_file: dict[str, Described] = {path: [] for path in paths}
    roots: set[str] = set()
    for file, name, kind, stored, children, converted, logical in schema:
        if file not in roots:
            roots.add(file)  # the first line stands for the whole record
        elif file not in by_file or children or not _is_plain(kind, stored, f"{converted} {logical}"):
            return None
        else:
            by_file[file].append((name, kind))
    columns = list(by_file.values())
    if not all(columns) or any(len({n.casefold() for n, _ in found}) < len(found) for found in columns):
        return None
    return columns


def _is_plain(kind: str, stored: str, meant: str) -> bool:
    if kind in _TIMES:
        return stored == "INT64" and ("TIMESTAMP_MICROS" in meant or "MICROS=MicroSeconds" in meant)
    if kind == "VARCHAR":
        return "UTF8" in meant or "String" in meant
    return kind in _PLAIN or _DECIMAL.fullmatch(kind) is not None


def _as_arrow_means(files: Sequence[Path]) -> bool:
    import pyarrow as pa
    import pyarrow.parquet as pq
    import pyarrow.types as pt

    same = (
        pt.is_boolean, pt.is_integer, pt.is_float32, pt.is_float64, pt.is_string, pt.is_large_string, pt.is_date32,
        pt.is_decimal, pt.is_timestamp,
    )  # fmt: skip
    try:
        kinds = {kind for file in files for kind in pq.read_schema(file).types}
    except (pa.ArrowException, OSError):
        return False
    return all(any(test(kind) for test in same) for kind in kinds)


@functools.cache
def _database() -> duckdb.DuckDBPyConnection:
    """One for the life of the process: it holds nothing, and opening it costs more than a question."""
    import duckdb

    offline = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    return duckdb.connect(":memory:", config={"threads": 1, **offline})
