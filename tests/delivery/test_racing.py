"""Eight processes that find the same job due in the same minute: each message is enqueued once and sent once."""

from __future__ import annotations

import datetime as dt
import os
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from cadran.declare.model import Deliveries
from cadran.deliver.post import Claim, post
from cadran.deliver.sender import Sender, send_due
from cadran.plugins.notifier import Message, Notifier
from cadran.state.store.store import open_store
from cadran.state.store.tables import attempt, delivery, run
from delivery.killing import PEOPLE, forking
from delivery.mailserver import serving
from delivery.rows import NOON, Outgoing, key_of
from delivery.smtp import mail

MINUTES = 100 if os.environ.get("CADRAN_FULL") == "1" else 5
PROCESSES = 8


def scheduler(where: tuple[Path, str, str], port: int, together: Barrier) -> None:
    """What each of them does in every minute."""
    store, smtp = open_store(*where), mail(port)
    for minute in range(MINUTES):
        now = NOON + dt.timedelta(minutes=minute)
        together.wait(60)
        post(store, Claim("report:weekly", now, now, now), messages(smtp, minute), settings=Deliveries())
        send_due(Sender(store, lambda _: mail(port), lambda now=now: now, workers=2))  # type: ignore[misc]
    store.close()


def messages(smtp: Notifier, minute: int) -> list[Any]:
    made = []
    for person in PEOPLE:
        name = f"{minute} {person}"
        message = Message(key_of(name), "report", NOON, name, f"{person}@example.com")
        made.append(Outgoing(message, sealed=smtp.seal(message)))
    return made


def test_each_message_is_enqueued_and_sent_once(where: tuple[Path, str, str]) -> None:
    open_store(*where).close()
    with serving() as office:
        together = forking().Barrier(PROCESSES)
        racers = [
            forking().Process(target=scheduler, args=(where, office.port, together)) for _ in range(PROCESSES)
        ]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join(600)
        assert [racer.exitcode for racer in racers] == [0] * PROCESSES
        office.settled()
        received = [content for _, content in office.taken]
    store = open_store(*where)
    with store.read() as c:
        rows = c.execute(select(delivery)).all()
        runs = c.execute(select(func.count()).select_from(run)).scalar()
        tries = c.execute(select(attempt.c.delivery, attempt.c.outcome).order_by(attempt.c.id)).all()
    store.close()
    assert (runs, len(rows)) == (MINUTES, MINUTES * len(PEOPLE))
    assert {row.state for row in rows} == {"sent"}
    assert sorted(received) == sorted(row.content for row in rows), "each arrived once"
    assert sorted(map(tuple, tries)) == sorted((row.key, word) for row in rows for word in ("began", "sent"))
