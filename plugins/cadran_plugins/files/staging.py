"""Rows as text in a table of a DuckDB: typed once all are there, then streamed out.

Every reader of a text-like file ends here, so that there is one way to infer types, one to convert values and
one to find the bad ones. Rows keep the order and the line numbers of their files.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from cadran.plugins import DataError, End, Page, Rejected
from cadran.plugins.typed import infer
from cadran.plugins.typed.shapes import Shapes, literal
from cadran_plugins.files.bad import BadRecords
from cadran_plugins.files.header import known_types
from cadran_plugins.files.locate import TableFiles

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_CHUNK = 1000  # rows turned into Arrow at once; more fall out of the processor's cache
_INSERT = 100  # chunks inserted at once
_PAGE = 100_000  # rows in a batch of the stream


class Place(Protocol):
    """Where a record stands, as messages call it; a cell where the kind of file knows cells."""

    def __call__(self, file: int, line: int, column: int | None = None) -> str: ...


@dataclass
class Staging:
    """The table ``raw(file, line, c0, c1, …)`` while it fills; fields that mean NULL are NULL in it."""

    con: duckdb.DuckDBPyConnection
    table: TableFiles
    names: Sequence[str]
    nulls: Sequence[str]
    place: Place
    kinds: list[set[str]] = field(default_factory=list)  # by column: what the file itself says of its values
    by_row: set[int] = field(default_factory=set)  # files whose lines are to be counted from the table's rows
    _rows: list[Sequence[str | None]] = field(default_factory=list)
    _lines: list[int] = field(default_factory=list)
    _chunks: list[pa.RecordBatch] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bad = BadRecords(keep_all=self.table.options.quarantine)
        self.kinds = self.kinds or [set() for _ in self.names]
        columns = ", ".join(f"c{i} VARCHAR" for i in range(len(self.names)))
        self.con.execute(f"CREATE TEMP TABLE raw (file INTEGER, line BIGINT, {columns})")

    def add(self, file: int, line: int, row: Sequence[str | None]) -> None:
        self._rows.append(row)
        self._lines.append(line)
        if len(self._rows) == _CHUNK:
            self._pack(file)

    def reject(self, file: int, line: int, reason: str, column: int | None = None) -> None:
        self.bad.add(file, line, self.place(file, line, column), reason)

    def flush(self, file: int) -> None:
        """To be called at the end of each file."""
        self._pack(file)
        self._insert()

    def insert(self, columns: Sequence[str], source: str) -> int:
        """Insert from a SQL relation with these columns; returns the number of rows."""
        texts = ", ".join(self.null(f"c{i}") for i in range(len(self.names)))
        self.con.execute(f"INSERT INTO raw SELECT {', '.join(columns)}, {texts} FROM {source}")
        [(count,)] = self.con.fetchall()
        return int(count)

    @property
    def line(self) -> str:
        """SQL of a row's line. Numbering the rows of a parallel reader would slow it down, so that is done late."""
        files = ", ".join(map(str, sorted(self.by_row)))
        return f"(line + CASE WHEN file IN ({files}) THEN rowid ELSE 0 END)" if files else "line"

    def null(self, x: str) -> str:
        if not self.nulls:
            return x
        return f"CASE WHEN {x} NOT IN ({', '.join(map(literal, self.nulls))}) THEN {x} END"

    def _pack(self, file: int) -> None:
        import pyarrow as pa

        if not self._rows:
            return
        arrays = [pa.array(values, pa.string()) for values in zip(*self._rows, strict=True)]
        count = len(self._lines)
        numbers = [pa.array([file] * count, pa.int32()), pa.array(self._lines, pa.int64())]
        names = ["file", "line", *(f"c{i}" for i in range(len(self.names)))]
        self._chunks.append(pa.record_batch([*numbers, *arrays], names=names))
        self._rows, self._lines = [], []
        if len(self._chunks) == _INSERT:
            self._insert()

    def _insert(self) -> None:
        import pyarrow as pa

        if self._chunks:
            self.con.register("arrived", pa.Table.from_batches(self._chunks))
            self.insert(("file", "line"), "arrived")
            self.con.unregister("arrived")
            self._chunks = []


def finish(staging: Staging) -> Iterator[Page | Rejected | End]:
    """Decide the types, set bad records aside or raise them all, and stream the rest."""
    columns = _columns(staging)
    _check_values(staging, columns)
    if staging.bad.count and not staging.table.options.quarantine:
        raise staging.bad.error()
    yield from staging.bad.rejected()
    wanted = ", ".join(f"{c.convert()} AS {quoted(n)}" for c, n in zip(columns, staging.names, strict=True))
    [(count,)] = staging.con.execute("SELECT count(*) FROM raw").fetchall()
    for number, source in enumerate(staging.table.files):
        rows = staging.con.sql(f"SELECT {wanted} FROM raw WHERE file = {number}")
        yield Page(rows.to_arrow_reader(_PAGE), source.part)
    yield End(count)


def _columns(staging: Staging) -> list[infer.Column]:
    table = staging.table
    types = known_types(staging.names, table.options)
    shapes = Shapes(table.options)
    try:
        return infer.columns(staging.con, shapes, types, staging.kinds)
    except infer.TooWide as e:
        x = f"c{e.index}"
        sql = f"SELECT file, {staging.line}, {x} FROM raw ORDER BY length({x}) DESC, rowid LIMIT 1"
        [(file, line, value)] = staging.con.execute(sql).fetchall()
        name = staging.names[e.index]
        hint = f"declare what it is: 'types: {{{name}: double}}', or text"
        message = f"{staging.place(file, line, e.index)}: {name}: the column's numbers need more than 38 digits: '{value}'"
        raise DataError(message, hint=hint) from None


def _check_values(staging: Staging, columns: Sequence[infer.Column]) -> None:
    """Move the records with a value that is not of its column's type from ``raw`` to the bad ones."""
    if not (doubtful := [c for c in columns if c.rules and not c.sure]):
        return
    any_bad = " OR ".join(c.bad() for c in doubtful)
    reasons = ", ".join(f"CASE WHEN {c.bad()} THEN {c.x} END" for c in doubtful)
    for file, line, *values in _rows(
        staging.con, f"SELECT file, {staging.line}, {reasons} FROM raw WHERE {any_bad}"
    ):
        at = next(n for n, value in enumerate(values) if value is not None)
        column = doubtful[at]
        said = "does not exist" if _unreal(column, staging) else f"is not {_article(column.type)}"
        staging.reject(file, line, f"{staging.names[column.index]}: '{values[at]}' {said}", column.index)
    if staging.table.options.quarantine:
        staging.con.execute(f"DELETE FROM raw WHERE {any_bad}")


def _unreal(column: infer.Column, staging: Staging) -> bool:
    """An inferred date that looks right and is none."""
    declared = {name.casefold() for name in staging.table.options.types}
    return staging.names[column.index].casefold() not in declared


def _article(type_: str) -> str:
    name = {
        "TIMESTAMP WITH TIME ZONE": "timestamptz (a timestamp with a zone)",
        "TIMESTAMP": "timestamp (without a zone)",
    }.get(type_, type_.lower())
    return f"an {name}" if name.startswith("i") else f"a {name}"


def _rows(con: duckdb.DuckDBPyConnection, sql: str) -> Iterator[tuple[Any, ...]]:
    cursor = con.execute(sql)
    while rows := cursor.fetchmany(1000):
        yield from rows


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Rows are many small lists and no circles: looking for those would take half of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
