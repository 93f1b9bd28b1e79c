"""Staged tables into the store: rows, states and the account of the sync in one transaction, or nothing at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from cadran.plugins.connector import DataError
from cadran.sync import cursors
from cadran.sync.outcome import Counts
from cadran.sync.shape import DELETED_AT, WRITTEN_BY, Field
from cadran.sync.stage import ASIDE, PLACE, SEQ, Staged, place
from cadran.sync.store import Kept, Store, data, one_line, quoted


@dataclass(frozen=True, slots=True)
class Ready:
    """A staged table with what the load has to know of its read. ``anew``: what the store has of it is no basis.

    ``unseen``: rows that were not seen are gone. Those before ``since`` (a cursor) are no part of the table.
    """

    staged: Staged
    before: Kept | None
    whole: bool
    resumed: bool
    anew: bool
    unseen: bool
    since: Any
    until: dt.datetime
    config: str


def load(store: Store, ready: Sequence[Ready], began: dt.datetime, ended: dt.datetime) -> dict[str, Counts]:
    """What has become of each table. Raises DataError; then nothing has changed."""
    number = store.next_sync()
    try:
        with store.transaction():
            return {one.staged.table: _table(store, one, number, began, ended) for one in ready}
    except duckdb.Error as error:
        message = f"the rows that came cannot be written: {one_line(error)}"
        hint = f"they are kept, and the next sync takes them; see whether there is room on the disk; if there is, {store.places.anew}"
        raise DataError(message, hint=hint) from None


def _table(store: Store, one: Ready, number: int, began: dt.datetime, ended: dt.datetime) -> Counts:
    loading = _Loading(store, one, number)
    loading.shape_up()
    loading.leave_out()
    new, changed, deleted = loading.merge() if one.staged.shape.key else loading.replace()
    aside, moved = loading.set_aside()
    rows = store.number(f"SELECT count(*) FROM {loading.into} WHERE {DELETED_AT} IS NULL")
    counts = Counts(new, changed, deleted, aside, rows)
    differs = bool(new or changed or deleted or moved or loading.reshaped)
    store.keep(one.staged.table, _kept(one, differs))
    store.run(
        "INSERT INTO cadran.syncs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [number, one.staged.table, began.isoformat(), ended.isoformat(), one.whole, one.resumed, new, changed, deleted, aside, rows],
    )  # fmt: skip
    return counts


def _kept(one: Ready, differs: bool) -> Kept:
    before, spool = one.before, one.staged.spool
    basis = None if before is None or one.anew or before.shape.cursor != one.staged.shape.cursor else before
    return Kept(
        one.staged.shape,
        (before.version if before is not None else 0) + differs,
        cursors.later(basis.state if basis is not None else None, one.staged.state),
        spool.state if spool.state is not None else basis.source_state if basis is not None else None,
        one.until,
        one.until if one.whole or before is None else before.whole_at,
        one.config,
    )


class _Loading:
    """One table's part of the transaction."""

    def __init__(self, store: Store, one: Ready, number: int) -> None:
        self.store, self.one, self.number = store, one, number
        self.shape, self.rows, self.gone = one.staged.shape, one.staged.rows, one.staged.gone
        self.into = data(one.staged.table)
        self.reshaped, self.taken = False, 0
        kind = next((f.type for f in self.shape.fields if f.name == self.shape.cursor), "")
        self.since = (
            one.since if cursors.is_temporal(kind) else None
        )  # the copy may keep another type than the source has now
        self.told = bool(told := one.staged.spool.aside)
        if told:
            store.run("CREATE OR REPLACE TEMP TABLE told (place VARCHAR, reason VARCHAR, seq BIGINT)")
            store.connection.executemany("INSERT INTO told VALUES (?, ?, ?)", told)

    # --- columns ----------------------------------------------------------------------------------------------------------

    def shape_up(self) -> None:
        """The table gets the columns that it is to have; rows keep what they hold, as far as it fits."""
        before = None if self.one.anew or self.one.before is None else self.one.before.shape
        if before is None:
            self.reshaped = True
            self.store.run(f"DROP TABLE IF EXISTS {self.into}")
            columns = [f"{quoted(f.name)} {_type(f)}" for f in self.shape.fields]
            more = [f"{DELETED_AT} TIMESTAMP WITH TIME ZONE", f"{WRITTEN_BY} BIGINT"]
            self.store.run(f"CREATE TABLE {self.into} ({', '.join([*columns, *more])})")
        elif before.fields != self.shape.fields:
            self.reshaped = True
            has: Mapping[str, Field] = {f.name: f for f in before.fields}
            columns = [f"{self._carried(f, has)} AS {quoted(f.name)}" for f in self.shape.fields]
            self.store.run(f"CREATE TEMP TABLE reshaped AS SELECT {', '.join([*columns, DELETED_AT, WRITTEN_BY])} FROM {self.into}")  # fmt: skip
            self.store.run(f"DROP TABLE {self.into}")
            self.store.run(f"CREATE TABLE {self.into} AS SELECT * FROM reshaped")
            self.store.run("DROP TABLE reshaped")

    def _carried(self, field: Field, has: Mapping[str, Field]) -> str:
        if field.gone or field.name not in has:
            return f"CAST(NULL AS {_type(field)})"
        return f"TRY_CAST({quoted(field.name)} AS {_type(field)})"

    def leave_out(self) -> None:
        """Rows before ``since``, which some sources send all the same."""
        if self.since is None:
            return
        store, early = self.store, f"{quoted(self.shape.cursor)} < ?"
        if self.shape.key:
            self.taken = self._out_of_table(f"EXISTS (SELECT 1 FROM {self.rows} r WHERE r.{early} AND {self._same('r', 't')})", [self.since])  # fmt: skip
        store.run(f"DELETE FROM {self.rows} WHERE {early}", [self.since])

    # --- rows -------------------------------------------------------------------------------------------------------------

    def merge(self) -> tuple[int, int, int]:
        """Rows by their key; gives how many are new, changed, deleted."""
        store, live = self.store, self.shape.live
        new = f"(t.{quoted(self.shape.key[0])} IS NULL OR t.{DELETED_AT} IS NOT NULL)"
        differs = f"{_row('t', live)} IS DISTINCT FROM {_row('r', live)}"
        store.run(
            f"CREATE OR REPLACE TEMP TABLE differing AS SELECT r.{SEQ}, {new} AS new FROM {self.rows} r LEFT JOIN {self.into} t "
            f"ON {self._same('r', 't')} WHERE r.{ASIDE} IS NULL AND ({new} OR {differs})"
        )
        made = store.number("SELECT count(*) FROM differing WHERE new")
        changed = store.number("SELECT count(*) FROM differing WHERE NOT new")
        store.run(f"DELETE FROM {self.into} t USING {self.rows} r, differing d WHERE r.{SEQ} = d.{SEQ} AND {self._same('r', 't')}")  # fmt: skip
        names = ", ".join(quoted(f.name) for f in live)
        store.run(
            f"INSERT INTO {self.into} ({names}, {WRITTEN_BY}) SELECT {', '.join(f'r.{quoted(f.name)}' for f in live)}, {self.number} "
            f"FROM {self.rows} r JOIN differing d ON r.{SEQ} = d.{SEQ}"
        )
        store.run("DROP TABLE differing")
        self._take_told()
        return made, changed, self._mark_deleted()

    def _take_told(self) -> None:
        """What the connector could not read leaves the table: what it was before would pass for what it is."""
        if self.told:
            named = f"SELECT {place(self.one.staged.table, self.shape.key)}"
            behind = f"IN ({named} FROM {self.rows} r WHERE r.{SEQ} >= told.seq UNION ALL {named} FROM {self.gone} g WHERE g.{SEQ} >= told.seq)"
            self.store.run(f"DELETE FROM told WHERE place {behind}")
            self.taken += self._out_of_table(
                f"{place(self.one.staged.table, self.shape.key)} IN (SELECT place FROM told)"
            )

    def _out_of_table(self, condition: str, values: Sequence[Any] = ()) -> int:
        rows = self.store.number(f"SELECT count(*) FROM {self.into} t WHERE {condition}", values)
        if rows:
            self.store.run(f"DELETE FROM {self.into} t WHERE {condition}", values)
        return rows

    def _mark_deleted(self) -> int:
        """Rows that the source has reported gone, or not shown where all were asked for. One that was set aside leaves the table."""
        deleted = self._end(f"EXISTS (SELECT 1 FROM {self.gone} g WHERE {self._same('g', 't')})")
        aside = f"EXISTS (SELECT 1 FROM {self.rows} r WHERE r.{ASIDE} IS NOT NULL AND {self._same('r', 't')})"
        unseen = f"NOT EXISTS (SELECT 1 FROM {self.rows} r WHERE {self._same('r', 't')})"
        if self.one.whole and self.since is not None:
            before = f"NOT coalesce(t.{quoted(self.shape.cursor)} >= ?, false)"  # they would not be in a copy made today
            self.taken += self._out_of_table(f"{unseen} AND {before}", [self.since])
        if self.one.unseen:
            deleted += self._end(unseen)
        self.taken += self._out_of_table(aside)
        return deleted

    def _end(self, condition: str) -> int:
        mark = f"UPDATE {self.into} t SET {DELETED_AT} = ?, {WRITTEN_BY} = ? WHERE t.{DELETED_AT} IS NULL AND {condition}"
        return self.store.number(mark, [self.one.until, self.number])

    def replace(self) -> tuple[int, int, int]:
        """All rows of a table without a key; what is the same stays the same version."""
        store, names = self.store, ", ".join(quoted(f.name) for f in self.shape.live)
        was, now = (
            f"SELECT {names} FROM {self.into}",
            f"SELECT {names} FROM {self.rows} WHERE {ASIDE} IS NULL",
        )
        new = store.number(f"SELECT count(*) FROM ({now} EXCEPT ALL {was})")
        deleted = store.number(f"SELECT count(*) FROM ({was} EXCEPT ALL {now})")
        if new or deleted:
            store.run(f"DELETE FROM {self.into}")
            store.run(f"INSERT INTO {self.into} ({names}, {WRITTEN_BY}) SELECT *, {self.number} FROM ({now})")
        return new, 0, deleted

    def _same(self, one: str, other: str) -> str:
        return " AND ".join(f"{one}.{quoted(name)} = {other}.{quoted(name)}" for name in self.shape.key)

    # --- set aside --------------------------------------------------------------------------------------------------------

    def set_aside(self) -> tuple[int, bool]:
        """How many records the table lacks now because they could not be taken, and whether these are others than before."""
        store, table = self.store, self.one.staged.table
        was = store.aside(table)
        if self.one.whole or not self.shape.key:
            store.run("DELETE FROM cadran.aside WHERE name = ?", [table])
        else:
            store.run(f"DELETE FROM cadran.aside WHERE name = ? AND place IN (SELECT {PLACE} FROM {self.rows} UNION ALL SELECT {place(table, self.shape.key)} FROM {self.gone})", [table])  # fmt: skip
        store.run(f"INSERT INTO cadran.aside SELECT ?, {PLACE}, {ASIDE} FROM {self.rows} WHERE {ASIDE} IS NOT NULL", [table])  # fmt: skip
        if self.told:
            store.run(
                "DELETE FROM cadran.aside WHERE name = ? AND place IN (SELECT place FROM told)", [table]
            )
            store.run("INSERT INTO cadran.aside SELECT DISTINCT ?, place, reason FROM told", [table])
            store.run("DROP TABLE told")
        now = store.aside(table)
        return len(now), bool(now != was or self.taken)


def _type(field: Field) -> str:
    return field.type or "VARCHAR"


def _row(alias: str, fields: Sequence[Field]) -> str:
    return f"row({', '.join(f'{alias}.{quoted(f.name)}' for f in fields)})"
