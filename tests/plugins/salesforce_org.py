"""What the tests of Salesforce share: an org of Belvoir's, and reading a table of it as a sync would."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.simulators.salesforce import SalesforceSimulator

from cadran.plugins import WHOLE, Context, Deletes, End, Page, Rejected, Window
from cadran.plugins.http import Wait
from cadran_plugins.salesforce.connector import SalesforceConnector

from .asking import NoTime

NOW = dt.datetime(2026, 3, 9, 7, 0, tzinfo=dt.UTC)
MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)


class Org(SalesforceSimulator):
    """Its clock stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = NOW
        self.sources: list[SalesforceConnector] = []
        super().__init__()

    def _now(self) -> dt.datetime:
        return self.time

    @property
    def clock(self) -> dt.datetime:
        return self.time

    def later(self, by: dt.timedelta = MINUTE) -> dt.datetime:
        self.time += by
        return self.time

    def leads(self, count: int, **values: Any) -> list[str]:
        return [self.insert("Lead", LastName=f"Lead {n}", Company="Boutique", **values) for n in range(count)]

    def source(self, **settings: Any) -> SalesforceConnector:
        """One that the fixture closes."""
        self.sources.append(SalesforceConnector(self.context(**settings)))
        return self.sources[-1]

    def context(self, **settings: Any) -> Context:
        config = {
            "url": self.url,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            **settings,
        }
        config = {name: value for name, value in config.items() if value is not None}
        return Context("crm", config, Path(), clock=lambda: self.time, shared={Wait: NoTime()})

    def paths(self) -> list[str]:
        """What was asked for, without what each request has in common."""
        return [r.path.removeprefix("/services/data/v66.0") for r in self.asked]


@pytest.fixture
def org() -> Iterator[Org]:
    simulator = Org()
    with simulator.serving():
        yield simulator
        for source in simulator.sources:
            source.close()


@dataclass
class Kept:
    """A table as a sync keeps it."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    aside: list[Rejected] = field(default_factory=list)
    tokens: list[Mapping[str, Any] | None] = field(default_factory=list)
    pages: int = 0
    sent: int = 0
    end: End | None = None

    def take(
        self,
        source: SalesforceConnector,
        table: str,
        window: Window = WHOLE,
        resume: Any = None,
        *,
        pages: int = 10_000,
    ) -> Kept:
        """Reads on until the end, or so many pages: then whoever reads is killed."""
        self.end, sent = None, 0
        for item in source.changes(table, window, resume):
            if isinstance(item, Page):
                sent += self._page(item)
            elif isinstance(item, Deletes):
                self._gone(item)
            elif isinstance(item, Rejected):
                self.aside.append(item)
            else:
                assert isinstance(item, End)
                self.end = item
            if isinstance(item, Page | Deletes):
                self.tokens.append(item.resume)
                if len(self.tokens) >= pages:
                    return self
        assert self.end is not None
        assert self.end.rows == sent
        return self

    def _page(self, page: Page) -> int:
        rows = pa.RecordBatchReader.from_stream(page.data).read_all().to_pylist()
        for row in rows:
            self.rows[row["id"]] = row
            self.gone.discard(row["id"])
        self.pages, self.sent = self.pages + 1, self.sent + len(rows)
        return len(rows)

    def _gone(self, deletes: Deletes) -> None:
        for (id_,) in zip(
            *pa.RecordBatchReader.from_stream(deletes.keys).read_all().to_pydict().values(), strict=True
        ):
            self.rows.pop(id_, None)
            self.gone.add(id_)

    def changes(self, source: SalesforceConnector, table: str) -> Kept:
        """The next sync: what has changed since this one ended."""
        assert self.end is not None
        cursors = [row["system_modstamp"] for row in self.rows.values()]
        return Kept().take(source, table, Window(max(cursors, default=None), None, self.end.state))


def whole(source: SalesforceConnector, table: str = "leads") -> Kept:
    return Kept().take(source, table)
