"""Sync after sync while people work: at the end the tables hold what the account holds, whatever happened between pages and syncs."""

from __future__ import annotations

import datetime as dt
import os
import random
from collections.abc import Mapping
from typing import Any

import pytest
from tests.plugins.reading_hubspot import NOON, connecting, read, rows_of
from tests.simulators.base import Fault
from tests.simulators.hubspot import HubSpot

from cadran.plugins import ConnectorError, Deletes, Page, Table, Window
from cadran_plugins.hubspot.connector import HubSpotConnector

SEEDS = range(60) if os.environ.get("CADRAN_FULL") else range(3)
MINUTE = dt.timedelta(minutes=1)
STAGES = ("appointmentscheduled", "contractsent", "closedwon", "closedlost")


class Copy:
    """A table as the engine keeps it: rows by key, and the greatest time of change seen, never beyond the window's end."""

    def __init__(self, name: str) -> None:
        self.name, self.rows, self.state = name, dict[Any, dict[str, Any]](), None
        self.resume: Mapping[str, Any] | None = None
        self.window: Window | None = None

    state: dt.datetime | None

    def sync(self, source: HubSpotConnector, now: dt.datetime) -> None:
        """One that fails goes on where it stood, the next time."""
        try:
            table = source.table(self.name)
            assert table is not None
            if self.window is None:
                self.window = Window(self.state - table.lookback if self.state else None, now)
            for item in source.changes(self.name, self.window, self.resume):
                self._take(item, table, self.window.until)
        except ConnectorError:
            return
        self.window = self.resume = None

    def _take(self, item: Any, table: Table, until: dt.datetime | None) -> None:
        if isinstance(item, Page):
            for row in rows_of(item.data):
                self.rows[tuple(row[name] for name in table.key)] = row
                self.state = max(filter(None, (self.state, min(row[table.cursor], until or NOON))))
        elif isinstance(item, Deletes):
            for row in rows_of(item.keys):
                self.rows.pop(tuple(row[name] for name in table.key), None)
        if isinstance(item, Page | Deletes) and item.resume is not None:
            self.resume = item.resume


class Team:
    """What people do in an account, at random."""

    def __init__(self, account: HubSpot, seed: int) -> None:
        self.account, self.random = account, random.Random(seed)
        self.binned: list[int] = []
        for _ in range(12):
            account.insert("contacts", {})

    def live(self, kind: str = "deals") -> list[int]:
        return [row.id for row in self.account.rows[kind].above(0) if row.archived is None]

    def deal(self) -> None:
        """One of a contact, as it is from the first moment."""
        with self.account.lock:
            made = self.account.insert("deals", {"dealname": "new", "dealstage": STAGES[0], "pipeline": "default"})  # fmt: skip
            self.account.associate("deals", made, "contacts", self.random.choice(self.live("contacts")))

    def work(self) -> None:
        chance, live = self.random.random(), self.live()
        if chance < 0.3 or len(live) < 5:
            self.deal()
        elif chance < 0.7:
            values = {"amount": str(self.random.randrange(1000)), "dealstage": self.random.choice(STAGES)}
            self.account.update("deals", self.random.choice(live), values)
        elif chance < 0.8:
            self.account.archive("deals", gone := self.random.choice(live))
            self.binned.append(gone)
        elif chance < 0.87 and self.binned:
            self.account.restore("deals", self.binned.pop(self.random.randrange(len(self.binned))))
        elif chance < 0.9:
            self.account.merge("deals", *self.random.sample(live, 2))
        elif chance < 0.93:
            contacts = self.live("contacts")
            if len(contacts) < 6:
                self.account.insert("contacts", {})
            self.account.merge("contacts", *self.random.sample(contacts, 2))
        else:
            self.account.tie("deals", self.random.sample(live, len(live) // 3), self.account.clock)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("hours", [0, -2, 2], ids=["same clock", "HubSpot is behind", "HubSpot is ahead"])
def test_the_copy_holds_what_the_account_holds(seed: int, hours: int) -> None:
    account, chance = HubSpot(), random.Random(seed)
    passed = [0.0]
    account.now = lambda: NOON + dt.timedelta(seconds=passed[0])
    account.skew, account.lag = dt.timedelta(hours=hours), 2 * MINUTE
    team, copies = Team(account, seed), [Copy("deals"), Copy("deal_stage_history")]
    for _ in range(chance.randrange(350)):
        team.work()
        passed[0] += 1
    with account.serving():
        for _ in range(6):
            account.meanwhile = [team.work for _ in range(12)]
            account.faults = [Fault("error", times=9, path="deals", skip=chance.randrange(1, 6))] if chance.random() < 0.4 else []  # fmt: skip
            with connecting(account) as source:
                for copy in copies:
                    passed[0] += chance.randrange(600)
                    copy.sync(source, account.now())
            for _ in range(chance.randrange(40)):
                team.work()
                passed[0] += chance.randrange(20)
        account.meanwhile, account.faults = [], []
        for _ in range(2):
            passed[0] += 3600
            with connecting(account) as source:
                for copy in copies:
                    copy.sync(source, account.now())
        with connecting(account) as source:
            fresh = {copy.name: read(source, copy.name).rows for copy in copies}
    deals, history = copies
    assert {key: row for (key,), row in deals.rows.items()} == fresh["deals"]
    # The stays of deals that were merged into others are told by nothing: whoever asks for the deal does not find it.
    kept = {key: row for key, row in history.rows.items() if key[0] in fresh["deals"]}
    assert kept == fresh["deal_stage_history"]
