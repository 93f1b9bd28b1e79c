"""What tests of the HubSpot connector share: a simulated account, a connector on it, and what comes of its streams."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.simulators.hubspot import HubSpot

from cadran.plugins import WHOLE, Context, Deletes, End, Page, Rejected, Table, Window
from cadran.plugins.http import Wait
from cadran_plugins.hubspot.connector import HubSpotConnector

NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
HOUR, MINUTE = dt.timedelta(hours=1), dt.timedelta(minutes=1)


@pytest.fixture
def account() -> Iterator[HubSpot]:
    """A simulated account whose clock stands at noon."""
    simulator = HubSpot()
    simulator.now = lambda: NOON
    with simulator.serving():
        yield simulator


def deals(account: HubSpot, count: int, at: dt.datetime = NOON - 10 * HOUR) -> list[int]:
    return [account.insert("deals", {"dealname": f"D{n}", "amount": f"{n}.10", "dealstage": "contractsent"}, at=at + n * MINUTE) for n in range(count)]  # fmt: skip


def world(account: HubSpot) -> None:
    """Records with links, history and activities, some of them archived: more than a page of each."""
    account.links_at_once = 2
    ids = deals(account, 230)
    company = account.insert("companies", {"name": "C"}, at=NOON - 9 * HOUR)
    for n in ids[::3]:
        account.update("deals", n, {"dealstage": "closedwon"}, at=NOON - HOUR)
        account.associate("deals", n, "companies", company)
    for n in (3, 9, 120):
        account.archive("deals", ids[n])
    for kind in ("calls", "notes", "tasks"):
        for n in range(120):
            note = account.insert(
                kind, {"hs_timestamp": "2026-03-01T10:00:00Z"}, at=NOON - 2 * HOUR + n * MINUTE
            )
            account.associate(kind, note, "deals", ids[n])
        account.archive(kind, note)


class NoWait(Wait):
    """Passes no time, and remembers how much was asked for."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> float:
        return self.passed

    def sleep(self, seconds: float) -> None:
        self.passed += seconds


@contextmanager
def connecting(simulator: HubSpot, **config: Any) -> Iterator[HubSpotConnector]:
    """A connector whose clock is the simulator's, and that waits without passing time."""
    context = Context(
        "crm", {"token": simulator.token, "url": simulator.url, **config}, Path(), shared={Wait: NoWait()}, clock=lambda: simulator.now(),
    )  # fmt: skip
    source = HubSpotConnector(context)
    try:
        yield source
    finally:
        source.close()


class Read:
    """A stream, by its key: the last of a row holds, as the engine has it."""

    def __init__(self, table: Table, items: Iterable[Page | Deletes | Rejected | End]) -> None:
        self.key, self.rows, self.set_aside = table.key, dict[Any, dict[str, Any]](), list[Rejected]()
        self.gone, self.resumes, self.ended, self.sent = set[Any](), list[Mapping[str, Any]](), None, 0
        for item in items:
            self.take(item)

    ended: End | None

    def take(self, item: Page | Deletes | Rejected | End) -> None:
        assert self.ended is None, "nothing comes behind the end"
        if isinstance(item, Page):
            for row in rows_of(item.data):
                self.sent += 1
                self.rows[self._key(row)] = row
        elif isinstance(item, Deletes):
            for row in rows_of(item.keys):
                self.gone.add(self._key(row))
                self.rows.pop(self._key(row), None)
        elif isinstance(item, Rejected):
            self.set_aside.append(item)
        else:
            self.ended = item
        if isinstance(item, Page | Deletes) and item.resume is not None:
            self.resumes.append(item.resume)

    def _key(self, row: Mapping[str, Any]) -> Any:
        key = tuple(row[name] for name in self.key)
        return key[0] if len(key) == 1 else key


def rows_of(stream: Any) -> Sequence[dict[str, Any]]:
    found: list[dict[str, Any]] = pa.table(stream).to_pylist()
    return found


def read(
    source: HubSpotConnector, name: str, window: Window = WHOLE, resume: Mapping[str, Any] | None = None
) -> Read:
    table = source.table(name)
    assert table is not None
    found = Read(table, source.changes(name, window, resume))
    assert found.ended is not None and found.ended.rows == found.sent
    return found


def column(table: Table | None, name: str) -> str:
    assert table is not None
    return {each.name: each.type for each in table.columns}[name]
