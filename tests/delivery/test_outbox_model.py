"""Senders that are quick, slow or dead, in any order, beside a person who retries and drops: what the outbox says stays true.

The senders here are honest: they say ``sent`` only of what arrived, ``retry`` or ``failed`` only of what did not. All else,
who comes when, who never comes back, how long anything takes, is up to hypothesis.
"""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cadran.state.store import by_hand, outbox
from cadran.state.store.outbox import Delivery
from cadran.state.store.store import Store, open_store
from delivery.rows import NOON, a_delivery, an_alert, key_of

NAMES = ("report", "other", "firing", "over")
LEASE = 300


@dataclass
class Busy:
    """A sender with a delivery in hand: ``leased``, then ``begun``, then ``arrived``."""

    row: Delivery
    phase: str = "leased"


class Outbox(RuleBasedStateMachine):
    store: Store

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.store = open_store(Path(self.folder.name))
        self.now = NOON
        self.busy: list[Busy] = []
        self.copies: Counter[str] = Counter()
        self.begun: Counter[str] = Counter()
        self.by_hand: Counter[str] = Counter()
        self.number = 0
        self.enqueue()

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()

    @rule()
    def enqueue(self) -> None:
        """Whatever happened to them, they are not enqueued again."""
        before = self.states()
        rows = [
            a_delivery("report"),
            a_delivery("other"),
            an_alert("firing"),
            an_alert("over", after="firing"),
        ]
        with self.store.write() as c:
            assert outbox.enqueue(c, rows) == len(NAMES) - len(before)

    @rule()
    def take(self) -> None:
        self.number += 1
        with self.store.write() as c:
            rows = outbox.lease(c, self.now, f"host:1:{self.number}", LEASE)
        for row in rows:
            self.busy.append(Busy(row))

    @precondition(lambda self: self.in_phase("leased"))
    @rule(at=st.integers(0, 20))
    def begin(self, at: int) -> None:
        one = self.pick(at, "leased")
        before = self.states()
        with self.store.write() as c:
            held = outbox.begin(c, one.row, self.now, LEASE)
        if not held:
            self.busy.remove(one)
            return
        one.phase = "begun"
        self.begun[one.row.subject] += 1
        if one.row.subject == "over":
            assert before["firing"] == "sent", "nobody hears of an end before the beginning has arrived"

    @precondition(lambda self: self.in_phase("begun"))
    @rule(at=st.integers(0, 20))
    def arrive(self, at: int) -> None:
        one = self.pick(at, "begun")
        one.phase = "arrived"
        self.copies[one.row.subject] += 1

    @precondition(lambda self: self.busy)
    @rule(at=st.integers(0, 20), said=st.sampled_from(["plainly", "for now", "for good"]))
    def finish(self, at: int, said: str) -> None:
        one = self.pick(at, "leased", "begun", "arrived")
        came: outbox.Came
        if one.phase == "arrived":
            came = "sent" if said == "plainly" else "unknown"
        elif one.phase == "begun" and said == "plainly":
            came = "unknown"
        else:
            came = "failed" if said == "for good" else "retry"
        tried_again = came == "retry" or (came == "unknown" and one.row.on_unknown == "send")
        due = self.now + dt.timedelta(minutes=1) if tried_again else None
        before = self.states()
        with self.store.write() as c:
            ours = outbox.finish(c, one.row, came, self.now, due=due)
        if not ours:
            assert self.states() == before, "who lost the lease changes nothing"
        self.busy.remove(one)

    @precondition(lambda self: self.busy)
    @rule(at=st.integers(0, 20))
    def die(self, at: int) -> None:
        self.busy.remove(self.pick(at, "leased", "begun", "arrived"))

    @rule(minutes=st.sampled_from([1, 3, 6]))
    def wait(self, minutes: int) -> None:
        self.now += dt.timedelta(minutes=minutes)
        self.tidy()

    @rule()
    def wait_for_the_deadline(self) -> None:
        self.now += dt.timedelta(days=1)
        self.tidy()

    def tidy(self) -> None:
        with self.store.write() as c:
            outbox.expire(c, self.now)
            outbox.suppress(c, self.now)
            for row in outbox.overdue(c, self.now):
                assert outbox.give_up(c, row, self.now, "too late")

    @rule(name=st.sampled_from(NAMES))
    def retry(self, name: str) -> None:
        with self.store.write() as c:
            refused = by_hand.retry(c, key_of(name), self.now, self.now + dt.timedelta(days=1))
        self.by_hand[name] += not refused

    @rule(name=st.sampled_from(NAMES))
    def drop(self, name: str) -> None:
        with self.store.write() as c:
            by_hand.drop(c, key_of(name), self.now, "for a reason")

    # --- what always holds ---------------------------------------------------------------------------------------

    @invariant()
    def what_failed_did_not_arrive(self) -> None:
        assert not [name for name, state in self.states().items() if state == "failed" and self.copies[name]]

    @invariant()
    def what_was_sent_arrived(self) -> None:
        assert all(self.copies[name] for name, state in self.states().items() if state == "sent")

    @invariant()
    def a_report_arrives_once_unless_somebody_asked_for_more(self) -> None:
        for name in ("report", "other"):
            assert self.copies[name] <= 1 + self.by_hand[name]

    @invariant()
    def nothing_arrives_that_was_not_begun(self) -> None:
        assert all(self.copies[name] <= self.begun[name] for name in NAMES)

    # --- looking -------------------------------------------------------------------------------------------------

    def states(self) -> dict[str, str]:
        if not hasattr(self, "store"):
            return {}
        with self.store.read() as c:
            return {row.subject: row.state for row in by_hand.listed(c, outbox.STATES)}

    def in_phase(self, phase: str) -> bool:
        return any(one.phase == phase for one in self.busy)

    def pick(self, at: int, *phases: str) -> Busy:
        found = [one for one in self.busy if one.phase in phases]
        return found[at % len(found)]


FULL = os.environ.get("CADRAN_FULL") == "1"
Outbox.TestCase.settings = settings(
    max_examples=300 if FULL else 25,
    stateful_step_count=60 if FULL else 30,
    deadline=None,
    derandomize=not FULL,
)
TestOutbox = Outbox.TestCase
