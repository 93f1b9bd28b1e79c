"""Whatever happens at the source and to the syncs, the copy is what a naive reading of the source gives."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from cadran.plugins.connector import QuotaExhausted
from sync.fake import DEALS, world
from sync.syncing import Copy

FULL = os.environ.get("CADRAN_FULL") == "1"
KEYS = st.integers(0, 9)
VALUES = st.sampled_from(["1", "2.50", "0.01", "7.001", "n/a", None])


def fits(text: str | None, kind: str) -> bool:
    """Whether a value can stand in the copy."""
    if kind == "VARCHAR" or text is None:
        return True
    try:
        return Decimal(text) == Decimal(text).quantize(Decimal("0.01"))
    except InvalidOperation:
        return False


def as_number(text: str | None) -> Decimal | None:
    """What a source of numbers has instead of a text."""
    return Decimal(text).quantize(Decimal("0.01")) if text is not None and text != "n/a" else None


class Source(RuleBasedStateMachine):
    """``rows`` are what the source has, in texts; ``kind`` is the type there, ``kept`` the one of the copy (empty before the first sync).

    Where rows that are gone are not reported, ``lingering`` are keys that may still stand in the copy.
    """

    @initialize(
        size=st.integers(1, 4), deletes=st.sampled_from(["reported", "unseen"]), resumes=st.booleans()
    )
    def begin(self, size: int, deletes: Any, resumes: bool) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="cadran-sync-"))
        self.copy = Copy(self.folder, world(replace(DEALS, deletes=deletes), size=size, resumes=resumes))
        self.held, self.reported = self.copy.of.tables["deals"], deletes == "reported"
        self.rows: dict[int, dict[str, Any]] = {}
        self.kind, self.kept = "DECIMAL(18,2)", ""
        self.lingering: set[int] = set()

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)

    # --- at the source ----------------------------------------------------------------------------------------------------

    @rule(key=KEYS, value=VALUES, seconds=st.integers(0, 2))
    def put(self, key: int, value: str | None, seconds: int) -> None:
        self.copy.of.later(seconds=seconds)
        self.rows[key] = {"id": key, "name": f"{key} {value}", "amount": value, "changed": self.copy.of.now}
        self.held.gone = [one for one in self.held.gone if one[0] != (key,)]
        self._told()

    @rule(key=KEYS)
    def take_away(self, key: int) -> None:
        self.copy.of.later(seconds=1)
        if self.rows.pop(key, None) is not None:
            if self.reported:
                self.held.gone.append(((key,), self.copy.of.now))
            self.lingering.add(key)
            self._told()

    @rule()
    def become_text(self) -> None:
        self.kind = "VARCHAR"
        self.copy.of.later(seconds=1)
        columns = [replace(c, type="VARCHAR") if c.name == "amount" else c for c in DEALS.columns]
        self.copy.of.columns("deals", *columns)
        self.rows = {key: {**row, "changed": self.copy.of.now} for key, row in self.rows.items()}
        self._told()

    def _told(self) -> None:
        def value(text: str | None) -> Any:
            return text if self.kind == "VARCHAR" else as_number(text)

        self.held.rows = [{**row, "amount": value(row["amount"])} for row in self.rows.values()]

    # --- syncs ------------------------------------------------------------------------------------------------------------

    @rule(full=st.booleans())
    def sync(self, full: bool) -> None:
        for _ in range(2):  # the first may go on with what an earlier one had begun
            self._took(self.copy.one(full=full).whole, full)
        if self.reported or full:
            self.lingering.clear()
        self._holds()

    @rule(page=st.integers(-1, 3), killed=st.booleans(), full=st.booleans())
    def stop(self, page: int, killed: bool, full: bool) -> None:
        def fault(_: str, number: int) -> None:
            if number == page:
                raise KeyboardInterrupt if killed else QuotaExhausted("used up")

        before, self.copy.of.fault = self._seen(), fault
        try:
            done = self.copy.sync(full=full)["deals"]
            stopped = done.error is not None
        except KeyboardInterrupt:
            self.copy.of.later(minutes=1)
            stopped = True
        self.copy.of.fault = lambda _table, _page: None
        if stopped:
            assert self._seen() == before, "half of a sync is nothing"
        else:
            self._took(done.whole, full)

    def _took(self, whole: bool, full: bool) -> None:
        if full or not self.kept:
            self.kept = self.kind

    # --- what is to be ----------------------------------------------------------------------------------------------------

    def _seen(self) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
        return (self.copy.rows(), self.copy.aside()) if self.kept else ([], [])

    def _holds(self) -> None:
        rows, aside = self._seen()
        found = {row["id"]: (row["name"], row["amount"]) for row in rows}
        assert len(found) == len(rows), "a key is there once"
        expected = {k: (r["name"], self._value(r["amount"])) for k, r in self.rows.items() if self._fits(r)}
        lingering = self.lingering - set(self.rows)
        assert {k: v for k, v in found.items() if k not in lingering} == expected
        places = {place for place, _ in aside}
        lacking = {f"deals, id {k}" for k, r in self.rows.items() if not self._fits(r)}
        assert places - {f"deals, id {k}" for k in lingering} == lacking

    def _fits(self, row: dict[str, Any]) -> bool:
        return self.kind != "VARCHAR" or fits(row["amount"], self.kept)

    def _value(self, text: str | None) -> Any:
        if self.kept == "VARCHAR":
            return text
        return as_number(text)


def test_the_copy_is_what_the_source_has() -> None:
    how = settings(
        max_examples=300 if FULL else 6, stateful_step_count=20 if FULL else 12, deadline=None, derandomize=not FULL,
        database=None, suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(Source, settings=how)
