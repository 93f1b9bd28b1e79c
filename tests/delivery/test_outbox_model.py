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
from sqlalchemy import event

from cadran.state.store import by_hand, outbox
from cadran.state.store.outbox import Delivery
from cadran.state.store.store import Store, open_store
from delivery.rows import NOON, a_delivery, an_alert, key_of

NAMES = ("report", "other", "firing", "over")
LEASE = 300
PHASES = ("leased", "begun", "arrived")


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
        event.listen(self.store.engine, "checkout", lambda c, *_: c.execute("PRAGMA synchronous = OFF"))
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

    @precondition(lambda self: self.pick(0, "leased", "begun"))
    @rule(at=st.integers(0, 20))
    def go_on(self, at: int) -> None:
        one = self.pick(at, "leased", "begun")
        assert one is not None
        if one.phase == "leased":
            self.begin(one)
        else:
            one.phase = "arrived"
            self.copies[one.row.subject] += 1

    def begin(self, one: Busy) -> None:
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

    @precondition(lambda self: self.busy)
    @rule(at=st.integers(0, 20), said=st.sampled_from(["plainly", "for now", "for good"]))
    def finish(self, at: int, said: str) -> None:
        one = self.pick(at, *PHASES)
        assert one is not None
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

    @rule(minutes=st.sampled_from([1, 6, 6]))
    def wait(self, minutes: int) -> None:
        self.now += dt.timedelta(minutes=minutes)
        self.tidy()

    @rule(
        what=st.sampled_from(["dies", "deadline", "enqueue", "drop", "retry", "retry"]), at=st.integers(0, 20)
    )
    def rarer(self, what: str, at: int) -> None:
        name = NAMES[at % len(NAMES)]
        if what == "dies" and (one := self.pick(at, *PHASES)):
            self.busy.remove(one)
        elif what == "deadline" and at % 4 == 0:
            self.now += dt.timedelta(days=1)
            self.tidy()
        elif what == "enqueue":
            self.enqueue()
        elif what == "drop":
            with self.store.write() as c:
                by_hand.drop(c, key_of(name), self.now, "for a reason")
        elif what == "retry":
            with self.store.write() as c:
                refused = by_hand.retry(c, key_of(name), self.now, self.now + dt.timedelta(days=1))
            self.by_hand[name] += not refused

    def tidy(self) -> None:
        with self.store.write() as c:
            outbox.expire(c, self.now)
            outbox.suppress(c, self.now)
            for row in outbox.overdue(c, self.now):
                assert outbox.give_up(c, row, self.now, "too late")

    @invariant()
    def what_the_outbox_says_is_true(self) -> None:
        states = self.states()
        for name in NAMES:
            copies, state = self.copies[name], states.get(name)
            assert not (state == "failed" and copies), "what failed has not arrived"
            assert not (state == "sent" and not copies), "what was sent has arrived"
            assert copies <= self.begun[name], "nothing arrives that was not begun"
            if name in ("report", "other"):
                assert copies <= 1 + self.by_hand[name], (
                    "a report arrives once, unless somebody asks for more"
                )

    # --- looking -------------------------------------------------------------------------------------------------

    def states(self) -> dict[str, str]:
        if not hasattr(self, "store"):
            return {}
        with self.store.read() as c:
            return {row.subject: row.state for row in by_hand.listed(c, outbox.STATES)}

    def pick(self, at: int, *phases: str) -> Busy | None:
        found = [one for one in getattr(self, "busy", ()) if one.phase in phases]
        return found[at % len(found)] if found else None


FULL = os.environ.get("CADRAN_FULL") == "1"
Outbox.TestCase.settings = settings(
    max_examples=300 if FULL else 30,
    stateful_step_count=60 if FULL else 40,
    deadline=None,
    derandomize=not FULL,
)
TestOutbox = Outbox.TestCase
