"""A source in this process: rows in lists, cut into pages, with whatever goes wrong on demand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import pyarrow as pa

from cadran.plugins.connector import Column, Connector, End, Page, Rejected, Table
from cadran.plugins.manager import PluginManager
from cadran.plugins.synced import WHOLE, Deletes, SyncedConnector, Window
from cadran.problems import Problem

UTC = dt.UTC
START = dt.datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
TYPES = {
    "BIGINT": pa.int64(),
    "VARCHAR": pa.string(),
    "DECIMAL(18,2)": pa.decimal128(18, 2),
    "DECIMAL(18,4)": pa.decimal128(18, 4),
    "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", "UTC"),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us"),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
}
DEALS = Table(
    "deals",
    (
        Column("id", "BIGINT"),
        Column("name", "VARCHAR"),
        Column("amount", "DECIMAL(18,2)"),
        Column("changed", "TIMESTAMP WITH TIME ZONE"),
    ),
    key=("id",),
    cursor="changed",
)


@dataclass
class Held:
    """A table at the source. ``gone`` are keys that are reported, with the time."""

    table: Table
    rows: list[dict[str, Any]] = field(default_factory=list)
    gone: list[tuple[tuple[Any, ...], dt.datetime]] = field(default_factory=list)


@dataclass
class World:
    """All that the source has, what was asked of it, and ``faults``: called before each page with the table and the page's number."""

    tables: dict[str, Held] = field(default_factory=dict)
    size: int = 2
    resumes: bool = True
    asked: list[tuple[str, Window, Mapping[str, Any] | None]] = field(default_factory=list)
    connected: int = 0
    fault: Callable[[str, int], None] = lambda _table, _page: None
    strange: Callable[[Iterator[Any]], Iterator[Any]] | None = None
    now: dt.datetime = START
    failing: BaseException | None = None  # of discover
    refused: BaseException | None = None  # of ping

    def clock(self) -> dt.datetime:
        return self.now

    def later(self, **units: float) -> None:
        self.now += dt.timedelta(**units)

    def deal(self, number: int, name: str = "a", amount: Any = "1.00", **more: Any) -> None:
        """Makes or changes one, now."""
        from decimal import Decimal

        rows = self.tables["deals"].rows
        rows[:] = [row for row in rows if row["id"] != number]
        rows.append(
            {
                "id": number,
                "name": name,
                "amount": Decimal(amount) if isinstance(amount, str) else amount,
                "changed": self.now,
                **more,
            }
        )

    def columns(self, table: str, *columns: Column) -> None:
        held = self.tables[table]
        held.table = replace(held.table, columns=columns)


def world(*tables: Table, **settings: Any) -> World:
    return World({table.name: Held(table) for table in tables or (DEALS,)}, **settings)


def page(table: Table, rows: Sequence[Mapping[str, Any]]) -> pa.RecordBatch:
    schema = pa.schema([(c.name, TYPES[c.type]) for c in table.columns])
    return pa.RecordBatch.from_pylist(
        [{c.name: row.get(c.name) for c in table.columns} for row in rows], schema
    )


class Fake(SyncedConnector):
    """Whose world is set by :func:`connector`."""

    world: World
    config_schema: ClassVar[Any] = {"type": "object", "properties": {"token": {"type": "string", "writeOnly": True}}, "additionalProperties": False}  # fmt: skip

    @property
    def hosts(self) -> Sequence[str]:
        return ()

    def ping(self) -> str:
        if self.world.refused is not None:
            raise self.world.refused
        return "fake"

    def discover(self) -> Sequence[Table]:
        self.world.connected += 1
        if self.world.failing is not None:
            raise self.world.failing
        return [held.table for held in self.world.tables.values()]

    def changes(
        self, table: str, window: Window = WHOLE, resume: Mapping[str, Any] | None = None
    ) -> Iterator[Page | Deletes | Rejected | End]:
        self.world.asked.append((table, window, resume))
        stream = self._changes(self.world.tables[table], window, resume)
        return stream if self.world.strange is None else self.world.strange(stream)

    def _changes(self, held: Held, window: Window, resume: Mapping[str, Any] | None) -> Iterator[Any]:
        table, rows, since = held.table, held.rows, window.since
        if since is not None:
            rows = [row for row in rows if row[table.cursor] is not None and row[table.cursor] >= since]
        rows = sorted(rows, key=lambda row: row["id"] or 0)
        at = int(resume["at"]) if resume else 0  # the id that comes next: what moves in between is not lost
        pages = len([row for row in rows if row["id"] < at]) // self.world.size if resume else 0
        rows = [row for row in rows if row["id"] >= at] if resume else rows
        sent = 0
        for start in range(0, len(rows), self.world.size):
            self.world.fault(table.name, pages + start // self.world.size)
            part = rows[start : start + self.world.size]
            sent += len(part)
            yield Page(page(table, part), resume={"at": part[-1]["id"] + 1} if self.world.resumes else None)
        self.world.fault(table.name, -1)
        if not window.whole and held.gone:
            keys = [
                dict(zip(table.key, key, strict=True))
                for key, when in held.gone
                if since is None or when >= since
            ]
            if keys:
                types = {c.name: TYPES[c.type] for c in table.columns}
                yield Deletes(pa.RecordBatch.from_pylist(keys, pa.schema([(k, types[k]) for k in table.key])))
        yield End(sent)


def connector(of: World) -> type[Fake]:
    return type("OfThisWorld", (Fake,), {"world": of})


class Plugins(PluginManager):
    """The usual ones, and ``fake``."""

    def __init__(self, of: World, **more: World) -> None:
        super().__init__({})
        self.fakes = {name: connector(found) for name, found in {"fake": of, **more}.items()}

    def connector(self, name: str) -> type[Connector] | Problem:
        return self.fakes.get(name) or super().connector(name)

    def config_schema(self, name: str, kind: Any = "connector") -> Any:
        return self.fakes[name].config_schema if name in self.fakes else super().config_schema(name, kind)
