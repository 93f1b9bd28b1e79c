"""Processes that are killed between any two steps: every report arrives once or is shown as unknown, every alert arrives.

A run of 20 reports for five people, and of alerts that fire and are over, is begun again and again, each time by a process
that dies somewhere else; half an hour passes in between. In the end every message that the mail server has is compared with
what the outbox says. The same steps are killed under the same seed; ``CADRAN_FULL=1`` kills 200 times and more on each store.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cadran.state.store import by_hand
from cadran.state.store.store import open_store
from cadran.state.store.tables import attempt, delivery
from delivery.killing import PEOPLE, REFUSED, Work, forking, process
from delivery.mailserver import MailServer, serving
from delivery.rows import NOON
from delivery.smtp import message_id

FULL = os.environ.get("CADRAN_FULL") == "1"
KILLS, REPORTS = (20, 20) if FULL else (10, 6)  # of one run
RUNS = range(12) if FULL else range(1)
# How many events apart: small enough that a run is killed so often before it is done.
APART = {"post": 40, "send": 10 * REPORTS}


@pytest.mark.parametrize("seed", RUNS)
def test_whoever_dies_everything_arrives(where: tuple[Path, str, str], seed: int) -> None:
    chance = random.Random(seed)
    with serving(_refusing) as office:
        work = Work(*where, office.port, NOON, reports=REPORTS, workers=1 + seed % 4)
        died = _killed_often(work, chance, where[0] / "died")
        _to_the_end(replace(work, now=NOON + dt.timedelta(hours=20), events=0))
        office.settled()
        box = _Box(work)
        box.agrees_with(office)
        _retry_what_is_missing(box, office)
        box.agrees_with(office)
        box.is_complete()
    print(*(f"{count:3} {at}" for at, count in sorted(died.items())), sep="\n")  # seen with pytest -s
    assert sum(died.values()) >= KILLS - 2


def _refusing(step: str, recipient: str) -> str:
    return "550 no such user" if step == "rcpt" and recipient.startswith(REFUSED) else ""


def _killed_often(work: Work, chance: random.Random, note: Path) -> Counter[str]:
    """Runs it until it has been killed that often, or is done; gives where that was."""
    died: Counter[str] = Counter()
    for number in range(KILLS):
        phase = "post" if number < 3 else "send"
        now = NOON + dt.timedelta(minutes=30 * number)
        left = _run(replace(work, now=now, phase=phase, events=chance.randint(1, APART[phase]), note=note))
        if left == -signal.SIGKILL:
            died[note.read_text()] += 1
        else:
            assert left == 0, "it was to die of nothing else"
    return died


def _to_the_end(work: Work) -> None:
    for again in range(2):  # once for what is due, once for what the last one to die still had
        assert _run(replace(work, now=work.now + dt.timedelta(minutes=30 * again))) == 0


def _run(work: Work) -> int | None:
    """In a new process; gives its exit code."""
    child = forking().Process(target=process, args=(work,))
    child.start()
    child.join(120)
    try:
        return child.exitcode
    finally:
        child.close()


class _Box:
    """What the outbox says."""

    def __init__(self, work: Work) -> None:
        self.work = work
        store = open_store(work.folder, work.url, work.schema)
        with store.read() as c:
            self.rows = list(c.execute(select(delivery)))
            tries = c.execute(select(attempt.c.delivery, attempt.c.outcome)).all()
        store.close()
        self.tries: dict[str, Counter[str]] = {row.key: Counter() for row in self.rows}
        for key, outcome in tries:
            self.tries[key][outcome] += 1
        self.states = {row.key: row.state for row in self.rows}

    def agrees_with(self, office: MailServer) -> None:
        """Message by message."""
        received = office.by_recipient()
        assert sum(map(len, received.values())) == sum(len(self.received(row, office)) for row in self.rows)
        for row in self.rows:
            copies = self.received(row, office)
            assert all(copy == row.content for copy in copies), "what arrived is what was sealed"
            assert len(copies) <= self.tries[row.key]["began"], "nothing arrived that was not begun"
            if row.state == "sent" and not self.tries[row.key]["unknown"]:
                assert len(copies) == 1, (row.subject, "sent means that it arrived, once")
            elif row.state == "sent" and row.kind != "report":
                assert copies, (row.subject, "an alert arrives at least once")
            elif row.state in ("failed", "suppressed"):
                assert not copies, row.subject
            else:
                assert len(copies) == 1 if row.state == "sent" else len(copies) <= 1, row.subject
            if row.after:
                self._after_its_beginning(row, office)

    def is_complete(self) -> None:
        """Each message has come to the end that it was to come to, and each failure was told once."""
        ends: dict[str, Counter[str]] = {name: Counter() for name in (*PEOPLE, REFUSED, "owner")}
        for row in self.rows:
            ends[row.recipient.partition("@")[0]][row.state if row.state != "unknown" else "sent"] += 1
        reports = self.work.reports
        assert {tuple(ends[person].items()) for person in PEOPLE} == {(("sent", reports + 2),)}
        assert ends[REFUSED] == {"failed": reports + 1, "suppressed": 1}, (
            "the alert's end follows its beginning"
        )
        assert ends["owner"] == {"sent": reports + 1}
        assert [row.told for row in self.rows if row.state == "failed"] == [True] * (reports + 1)

    def received(self, row: Any, office: MailServer) -> list[bytes]:
        return [copy for copy in office.to(row.recipient) if message_id(row.key) in copy]

    def _after_its_beginning(self, row: Any, office: MailServer) -> None:
        [first] = [other for other in self.rows if other.key == row.after]
        order = [copy for copy in office.to(row.recipient) if copy in (row.content, first.content)]
        assert not order or order[0] == first.content, "nobody hears of an end before the beginning"


def _retry_what_is_missing(box: _Box, office: MailServer) -> None:
    """As an operator does, who has asked the recipients: those that have it are let be, the others are sent again."""
    missing = [row.key for row in box.rows if row.state == "unknown" and not box.received(row, office)]
    assert all(box.tries[row.key]["unknown"] for row in box.rows if row.state == "unknown")
    now = NOON + dt.timedelta(hours=23)
    store = open_store(box.work.folder, box.work.url, box.work.schema)
    with store.write() as c:
        assert [by_hand.retry(c, key, now, now + dt.timedelta(days=1)) for key in missing] == [""] * len(
            missing
        )
    store.close()
    assert _run(replace(box.work, now=now, events=0)) == 0
    office.settled()
    after = _Box(box.work)
    box.rows, box.tries, box.states = after.rows, after.tries, after.states
    assert all(box.states[key] == "sent" for key in missing)
    assert all(len(box.received(row, office)) == 1 for row in box.rows if row.key in missing)
