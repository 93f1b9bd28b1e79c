"""A finished spool in temporary tables of the store: typed, one row of each key, what cannot be taken set aside.

Nothing that lasts is touched here, so a table that fails takes no other with it.
"""

from __future__ import annotations

import datetime as dt
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import duckdb

from cadran.plugins.connector import DataError
from cadran.sync import cursors, fitting
from cadran.sync.keys import doubt_key
from cadran.sync.shape import Shape
from cadran.sync.spool import Spool
from cadran.sync.store import Store, one_line, quoted, text

if TYPE_CHECKING:
    import pyarrow as pa

SEQ, ASIDE, PLACE = "_cadran_seq", "_cadran_aside", "_cadran_place"
_BATCH = 65_536  # rows handed to the database at once, where pages are smaller


@dataclass(frozen=True, slots=True)
class Staged:
    """``rows`` names the table of the last row of each key, also of those set aside (with a reason), ``gone`` that of keys that are gone.

    ``state`` is the greatest cursor that was seen, but none behind the time of the read.
    """

    table: str
    shape: Shape
    rows: str
    gone: str
    state: Any
    spool: Spool

    def drop(self, store: Store) -> None:
        for name in (self.rows, self.gone):
            store.run(f"DROP TABLE IF EXISTS {name}")


def staged(store: Store, number: int, table: str, shape: Shape, spool: Spool, until: dt.datetime, key_said: Sequence[str | int] = ()) -> Staged:  # fmt: skip
    """Raises DataError. ``key_said`` is the setting that names the key, where it may be wrong."""
    rows, gone = f"temp.rows_{number}", f"temp.gone_{number}"
    try:
        incoming = _Incoming(store, table, shape, rows, gone)
        incoming.take(spool)
        state = _state(store, rows, incoming.shape, until)
        if shape.key:
            if key_said:
                doubt_key(store, table, incoming.shape, rows, key_said)
            _last_of_each(store, incoming.shape, rows, gone)
    except duckdb.OutOfMemoryException as error:
        raise DataError(f"table '{table}' cannot be loaded: {one_line(error)}", hint="give it more: compute: {memory: 4 GB}") from None  # fmt: skip
    except (duckdb.Error, OSError) as error:
        hint = "if it stays so, tell the author of the connector"
        raise DataError(f"table '{table}' cannot be loaded: {one_line(error)}", hint=hint) from None
    return Staged(table, incoming.shape, rows, gone, state, spool)


class _Incoming:
    """Pages as they come, put into the two tables."""

    def __init__(self, store: Store, table: str, shape: Shape, rows: str, gone: str) -> None:
        self.store, self.table, self.shape, self.rows, self.gone = store, table, shape, rows, gone
        self.made = False
        store.run(f"DROP TABLE IF EXISTS {rows}")
        store.run(f"DROP TABLE IF EXISTS {gone}")

    def take(self, spool: Spool) -> None:
        pages = ((line.deletes, batch) for line, found in spool.batches() for batch in found)
        numbered = self._numbered(pages)
        for (deletes, schema), group in groupby(numbered, key=lambda p: (p[0], p[1].schema)):
            if not deletes and not self.made:
                self._make(schema)
            self._insert(deletes, schema, (batch for _, batch in group))
        if not self.made:
            self._make(None)

    def _numbered(self, pages: Iterator[tuple[bool, pa.RecordBatch]]) -> Iterator[tuple[bool, pa.RecordBatch]]:  # fmt: skip
        import pyarrow as pa

        at = 0
        for deletes, batch in pages:
            # By way of a buffer: what makes an array of a list looks for pandas first, and imports it.
            values = pa.py_buffer(array("q", range(at, at + batch.num_rows)))
            numbers = pa.Array.from_buffers(pa.int64(), batch.num_rows, [None, values])
            at += batch.num_rows
            yield deletes, batch.append_column(SEQ, numbers)

    def _make(self, schema: pa.Schema | None) -> None:
        """Types that nobody has told are those of the first page."""
        has = self._types(schema) if schema is not None else {}
        self.shape = self.shape.typed(has)
        columns = [f"{quoted(f.name)} {f.type or 'VARCHAR'}" for f in self.shape.live]
        more = [f"{SEQ} BIGINT", f"{ASIDE} VARCHAR", f"{PLACE} VARCHAR"]
        self.store.run(f"CREATE TEMP TABLE {self.rows} ({', '.join([*columns, *more])})")
        types = {f.name: f.type or "VARCHAR" for f in self.shape.fields}
        keys = [f"{quoted(name)} {types[name]}" for name in self.shape.key]
        self.store.run(f"CREATE TEMP TABLE {self.gone} ({', '.join([*keys, f'{SEQ} BIGINT'])})")
        self.made = True

    def _types(self, schema: pa.Schema) -> dict[str, str]:
        self.store.connection.register("incoming_types", schema.empty_table())
        try:
            found = self.store.run("DESCRIBE SELECT * FROM incoming_types")
        finally:
            self.store.connection.unregister("incoming_types")
        return {str(row[0]): str(row[1]) for row in found}

    def _insert(self, deletes: bool, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
        import pyarrow as pa

        if deletes and not self.made:
            self._make(None)
        has = self._types(schema)
        names = self.shape.key if deletes else [f.name for f in self.shape.live]
        if missing := [name for name in names if name not in has]:
            hint = "tell the author of the connector"
            raise DataError(f"table '{self.table}': a page came without column '{missing[0]}'", hint=hint)
        wants = {f.name: f.type or "VARCHAR" for f in self.shape.fields}
        columns = [fitting.fitted(name, has[name], wants[name]) for name in names]
        columns.append(SEQ)
        if not deletes:
            columns += [self._reason(has, wants), self._place()]
        into = self.gone if deletes else self.rows
        for part in _gathered(batches):
            self.store.connection.register("incoming", pa.Table.from_batches(part, schema))
            try:
                self.store.run(f"INSERT INTO {into} SELECT {', '.join(columns)} FROM incoming")
            finally:
                self.store.connection.unregister("incoming")

    def _reason(self, has: dict[str, str], wants: dict[str, str]) -> str:
        cases = [
            f"WHEN {quoted(name)} IS NULL THEN {text(f'{name}: the key is empty')}" for name in self.shape.key
        ]
        for name in (field.name for field in self.shape.live):
            wrong = fitting.misfit(name, has[name], wants[name])
            cases += [f"WHEN {wrong} THEN {fitting.reason(name, has[name], wants[name])}"] * bool(wrong)
        return f"CASE {' '.join(cases)} END" if cases else "NULL"

    def _place(self) -> str:
        """What a row that is set aside is called, by its key or by its number."""
        if not self.shape.key:
            return f"{text(f'{self.table}, row ')} || ({SEQ} + 1)"
        empty = " OR ".join(f"{quoted(name)} IS NULL" for name in self.shape.key)
        named = place(self.table, self.shape.key)
        return f"CASE WHEN {empty} THEN {text(f'{self.table}, row ')} || ({SEQ} + 1) ELSE {named} END"


def place(table: str, key: Sequence[str]) -> str:
    """What a row is called by its key, as SQL over the key's columns: just as ``Records`` calls one that it sets aside."""
    parts = [f"{text(f'{name} ')} || CAST({quoted(name)} AS VARCHAR)" for name in key]
    between = f" || {text(', ')} || "
    return f"{text(f'{table}, ')} || {between.join(parts)}"


def _gathered(batches: Iterator[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    """Small pages together: a statement for each hundred rows takes longer than the rows."""
    out: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        out.append(batch)
        rows += batch.num_rows
        if rows >= _BATCH:
            yield out
            out, rows = [], 0
    if out:
        yield out


def _state(store: Store, rows: str, shape: Shape, until: dt.datetime) -> Any:
    """The greatest cursor of all rows; what is dated later than the read would make changes invisible until then."""
    kind = next((f.type for f in shape.live if f.name == shape.cursor), "")
    if not shape.cursor or not kind:
        return None
    name = quoted(shape.cursor)
    if cursors.is_temporal(kind):
        moment = f"epoch_us(CAST({name} AS TIMESTAMP))"
        limit = cursors.micros(until.date() if kind == "DATE" else until)
        found = store.run(f"SELECT max({moment}) FROM {rows} WHERE isfinite({name}) AND {moment} <= ?", [limit])  # fmt: skip
        return None if found[0][0] is None else cursors.from_micros(found[0][0], kind)
    return store.run(f"SELECT max({name}) FROM {rows}")[0][0]


def _last_of_each(store: Store, shape: Shape, rows: str, gone: str) -> None:
    """Of each key the row with the greatest cursor, among equal ones that of the later page; rows without a key stay.

    A key stays among those that are gone unless a row of it has come behind.
    """
    keys = ", ".join(quoted(name) for name in shape.key)
    cursor = quoted(shape.cursor) if shape.cursor else "NULL"
    empty = " OR ".join(f"{quoted(name)} IS NULL" for name in shape.key)
    store.run(
        f"CREATE OR REPLACE TEMP TABLE winners AS SELECT {keys}, max(_last) AS _last, max(_of).seq AS {SEQ} FROM (SELECT {keys}, "
        f"{SEQ} AS _last, {{'there': {cursor} IS NOT NULL, 'cursor': {cursor}, 'seq': {SEQ}}} AS _of FROM {rows} WHERE NOT ({empty})) GROUP BY {keys}"
    )
    store.run(f"DELETE FROM {rows} WHERE NOT ({empty}) AND {SEQ} NOT IN (SELECT {SEQ} FROM winners)")
    store.run(
        f"CREATE OR REPLACE TEMP TABLE ends AS SELECT {keys}, max({SEQ}) AS {SEQ} FROM {gone} GROUP BY {keys}"
    )
    same = " AND ".join(f"w.{quoted(name)} = e.{quoted(name)}" for name in shape.key)
    store.run(f"DELETE FROM {gone}")
    store.run(
        f"INSERT INTO {gone} SELECT * FROM ends e WHERE NOT EXISTS (SELECT 1 FROM winners w WHERE {same} AND w._last > e.{SEQ})"
    )
    store.run(f"DELETE FROM {rows} WHERE {SEQ} IN (SELECT w.{SEQ} FROM winners w JOIN {gone} e ON {same})")
    store.run("DROP TABLE winners")
    store.run("DROP TABLE ends")
