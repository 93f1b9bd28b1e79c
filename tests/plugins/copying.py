"""What tests of the connectors of CRMs share: a copy that is synced from a simulator, by whose clock, and where waiting takes no time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from tests.simulators.base import Simulator

from cadran.declare.model import Syncing
from cadran.plugins import WHOLE, Context, Deletes, End, Page, Rejected, SyncedConnector, Window
from cadran.plugins.http import Wait
from cadran.sync import current
from cadran.sync.outcome import Synced
from cadran.sync.places import Places
from cadran.sync.source import Hands, Job, SourceSync

from .asking import NoTime

NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)


class Clock:
    """The time of the simulator and of whoever asks it."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> dt.datetime:
        return self.now

    def later(self, **length: float) -> None:
        self.now += dt.timedelta(**length)


@dataclass
class Copy:
    """The copy of one source. ``said`` is all that was logged."""

    connector: type[SyncedConnector]
    config: Mapping[str, Any]
    folder: Path
    clock: Clock
    settings: Syncing = field(default_factory=Syncing)
    said: list[str] = field(default_factory=list)

    def connect(self) -> SyncedConnector:
        wait = NoTime()
        return self.connector(Context("crm", self.config, self.folder, clock=self.clock, log=self.said.append, shared={Wait: wait}))  # fmt: skip

    def try_sync(self, table: str, *, full: bool = False) -> Synced:
        """What became of a table; an hour goes by."""
        job = Job("crm", [table], self.settings, Places.of(self.folder, "crm"), full=full)
        done = SourceSync(job, self.connect, Hands(self.clock, self.said.append)).run()[0]
        self.clock.later(hours=1)
        return done

    def sync(self, table: str, *, full: bool = False) -> dict[Any, dict[str, Any]]:
        """Syncs, and gives the table's rows by their key."""
        done = self.try_sync(table, full=full)
        assert done.error is None, done.error
        return self.rows(table)

    def rows(self, table: str) -> dict[Any, dict[str, Any]]:
        places = Places.of(self.folder, "crm")
        file = places.tables / current.read(places).tables[table].file
        return by_key(pq.read_table(file).to_pylist(), self._key(table))

    def _key(self, table: str) -> tuple[str, ...]:
        with closing_(self.connect()) as connector:
            found = connector.table(table)
        assert found is not None
        return found.key


@contextmanager
def closing_(connector: SyncedConnector) -> Iterator[SyncedConnector]:
    try:
        yield connector
    finally:
        connector.close()


def by_key(rows: Iterable[dict[str, Any]], key: tuple[str, ...]) -> dict[Any, dict[str, Any]]:
    return {row[key[0]] if len(key) == 1 else tuple(row[k] for k in key): row for row in rows}


@dataclass
class Read:
    """One stream, taken apart."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    gone: list[dict[str, Any]] = field(default_factory=list)
    aside: list[Rejected] = field(default_factory=list)
    resumes: list[Mapping[str, Any]] = field(default_factory=list)
    end: End | None = None


def read(connector: SyncedConnector, table: str, window: Window = WHOLE, resume: Mapping[str, Any] | None = None, most: int | None = None) -> Read:  # fmt: skip
    """A stream up to its end, or up to so many pages."""
    out = Read()
    for item in connector.changes(table, window, resume):
        if isinstance(item, Page):
            out.rows += item.data.to_pylist()  # type: ignore[attr-defined]
        elif isinstance(item, Deletes):
            out.gone += item.keys.to_pylist()  # type: ignore[attr-defined]
        elif isinstance(item, Rejected):
            out.aside.append(item)
        else:
            assert isinstance(item, End)
            out.end = item
        if isinstance(item, Page | Deletes) and item.resume is not None:
            out.resumes.append(item.resume)
            if most is not None and len(out.resumes) >= most:
                break
    return out


def asked(simulator: Simulator, path: str) -> int:
    return sum(path in request.path for request in simulator.asked)
