"""A project's copy of a fake source, without the project: syncs, and the rows that runs would see."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from cadran.declare.model import Syncing
from cadran.plugins.connector import Context
from cadran.sync import current
from cadran.sync.outcome import Synced
from cadran.sync.places import Places
from cadran.sync.source import Hands, Job, SourceSync
from sync.fake import World, connector

MINUTE = dt.timedelta(minutes=1)


@dataclass
class Copy:
    folder: Path
    of: World
    settings: Syncing = field(default_factory=Syncing)
    stopped: bool = False
    said: list[str] = field(default_factory=list)
    config: str = ""
    memory: str = "256 MB"

    def set(self, **settings: Any) -> None:
        self.settings = replace(self.settings, **settings)

    @property
    def places(self) -> Places:
        return Places.of(self.folder, "crm")

    def work(self, tables: list[str] | None = None, **options: Any) -> SourceSync:
        names = list(self.of.tables) if tables is None else tables
        job = Job("crm", names, self.settings, self.places, memory=self.memory, config=self.config, **options)
        made = connector(self.of)
        hands = Hands(self.of.clock, self.said.append, lambda: self.stopped)
        return SourceSync(job, lambda: made(Context("crm", {}, self.folder)), hands)

    def sync(self, tables: list[str] | None = None, **options: Any) -> dict[str, Synced]:
        """Each table's outcome; the clock goes on by a minute, so that no two syncs are at one time."""
        out = {one.table: one for one in self.work(tables, **options).run()}
        self.of.now += MINUTE
        return out

    def one(self, table: str = "deals", **options: Any) -> Synced:
        """The sync of one table, which goes well."""
        done = self.sync([table], **options)[table]
        assert done.error is None, done.error
        return done

    def rows(self, table: str = "deals") -> list[dict[str, Any]]:
        return list(pq.read_table(self.file(table)).to_pylist())

    def file(self, table: str = "deals") -> Path:
        return self.places.tables / current.read(self.places).tables[table].file

    def aside(self, table: str = "deals") -> list[tuple[str, str]]:
        shown = current.read(self.places).tables[table]
        found = current.read_aside(self.file(table)) if shown.aside else []
        assert len(found) == shown.aside
        return [(one.place, one.reason) for one in found]
