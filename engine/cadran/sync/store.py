"""``store.duckdb``: the rows of a source's tables, how far each has been read, and the account of its syncs.

One process has it open at a time, under the source's lock. Runs never open it: they read the files that :mod:`~cadran.sync.publish`
makes of it.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb
from sqlglot import exp

from cadran.plugins.connector import ConnectorError
from cadran.sync import cursors
from cadran.sync.places import Places, safe
from cadran.sync.shape import Shape

MEMORY = "1 GB"  # where the project does not say
_MADE = """
CREATE SCHEMA IF NOT EXISTS cadran;
CREATE SCHEMA IF NOT EXISTS data;
CREATE TABLE IF NOT EXISTS cadran.tables (name VARCHAR, facts VARCHAR);
CREATE TABLE IF NOT EXISTS cadran.aside (name VARCHAR, place VARCHAR, reason VARCHAR);
CREATE TABLE IF NOT EXISTS cadran.syncs (
    number BIGINT, name VARCHAR, began VARCHAR, ended VARCHAR, whole BOOLEAN, resumed BOOLEAN,
    new BIGINT, changed BIGINT, deleted BIGINT, aside BIGINT, rows BIGINT
);
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of a table. ``version`` grows when its rows change, ``state`` is the greatest cursor seen, ``synced_at`` up to when
    all changes are in; ``whole_at`` is when all rows were asked for the last time, under which ``config`` (a digest)."""

    shape: Shape
    version: int
    state: Any
    source_state: Mapping[str, Any] | None
    synced_at: dt.datetime
    whole_at: dt.datetime
    config: str

    def to_json(self) -> str:
        return json.dumps(
            {
                "shape": self.shape.to_json(),
                "version": self.version,
                "state": cursors.packed(self.state),
                "source_state": self.source_state,
                "synced_at": self.synced_at.isoformat(),
                "whole_at": self.whole_at.isoformat(),
                "config": self.config,
            }
        )

    @classmethod
    def read(cls, text: str) -> Kept:
        raw = json.loads(text)
        moments = {name: dt.datetime.fromisoformat(raw[name]) for name in ("synced_at", "whole_at")}
        shape, state = Shape.read(raw["shape"]), cursors.unpacked(raw["state"])
        return cls(**{**raw, **moments, "shape": shape, "state": state})


class Store:
    """Closed by whoever opens it."""

    def __init__(self, places: Places, memory: str = "", threads: int | None = None) -> None:
        self.places = places
        places.room.mkdir(parents=True, exist_ok=True)
        settings: dict[str, Any] = {
            "memory_limit": memory or MEMORY,
            "temp_directory": str(places.room),
            "preserve_insertion_order": "false",
            "autoinstall_known_extensions": "false",
        }
        try:
            self.connection = duckdb.connect(str(places.store), config=settings)
            if threads:
                self.connection.execute(f"SET threads = {int(threads)}")
            self.connection.execute("SET enable_progress_bar = false")
            self.connection.execute("SET TimeZone = 'UTC'")
            self.connection.execute("SET python_enable_replacements = false")
            self.connection.execute(_MADE)
        except duckdb.Error as error:
            hint = f"if another program has {places.store.name} open, close it; else {places.anew}"
            raise ConnectorError(
                f"the copy of the source cannot be opened: {one_line(error)}", hint=hint
            ) from None

    def close(self) -> None:
        self.connection.close()

    def run(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, list(values)).fetchall()

    def number(self, sql: str, values: Sequence[Any] = ()) -> int:
        """The one number that a statement gives."""
        return int(self.run(sql, values)[0][0] or 0)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.connection.execute("BEGIN TRANSACTION")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    # --- what is known -----------------------------------------------------------------------------------------------------

    def kept(self) -> dict[str, Kept]:
        """By table. Raises ConnectorError."""
        try:
            return {name: Kept.read(facts) for name, facts in self.run("SELECT name, facts FROM cadran.tables")}  # fmt: skip
        except (KeyError, TypeError, ValueError):
            message = f"{self.places.store} is damaged, or of another version of cadran"
            raise ConnectorError(message, hint=self.places.anew) from None

    def keep(self, table: str, kept: Kept) -> None:
        self.run("DELETE FROM cadran.tables WHERE name = ?", [table])
        self.run("INSERT INTO cadran.tables VALUES (?, ?)", [table, kept.to_json()])

    def aside(self, table: str) -> list[tuple[str, str]]:
        """Place and reason of what was set aside, in an order that stays."""
        found = self.run("SELECT place, reason FROM cadran.aside WHERE name = ? ORDER BY ALL", [table])
        return [(str(place), str(reason)) for place, reason in found]

    def next_sync(self) -> int:
        return 1 + self.number("SELECT max(number) FROM cadran.syncs")


def data(table: str) -> str:
    """The SQL name of a table's rows."""
    return f"data.{quoted(safe(table))}"


def quoted(name: str) -> str:
    return exp.to_identifier(name, quoted=True).sql("duckdb")


def text(value: str) -> str:
    return exp.Literal.string(value).sql("duckdb")


def one_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
