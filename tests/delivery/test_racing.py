"""Eight processes that find the same job due in the same minute: each message is enqueued once and sent once."""

from __future__ import annotations

import datetime as dt
import os
from collections import Counter
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

import cadran
from cadran.declare.model import Deliveries
from cadran.deliver.messages import Composer
from cadran.deliver.post import Claim, post
from cadran.deliver.sender import Sender, send_due, sender_of
from cadran.deliver.work import Work
from cadran.plugins.notifier import Message, Notifier
from cadran.resources import template_folders
from cadran.state.store.store import open_store
from cadran.state.store.tables import attempt, delivery, run
from cli.user import KPIS, project
from delivery.conftest import STORES
from delivery.killing import PEOPLE, forking
from delivery.mailserver import serving
from delivery.rows import NOON, Outgoing, key_of
from delivery.smtp import mail

FULL = os.environ.get("CADRAN_FULL") == "1"
MINUTES, WHOLE = (100, 101) if FULL else (5, 3)
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


def declared(folder: Path, port: int, where: tuple[Path, str, str]) -> Path:
    """A project whose alerts are judged and whose report is due in every minute."""
    report = (
        """monthly, schedule: "* * * * *", to: [{channel: mail, to: [ana@example.com, ben@example.com]}]}"""
    )
    text = KPIS.replace("period: last month}", f"period: last {report}").replace(
        "last monthly,", "last month,"
    )
    text += f"""channels: {{mail: {{notifier: email, smtp: "smtp+plain://127.0.0.1:{port}", from: kpi@example.com}}}}\n"""
    text += """routes: [{to: [{channel: mail, to: [eve@example.com]}]}]\nalerts: {schedule: "* * * * *"}\n"""
    if where[1]:
        text += f"""state: {{url: "{where[1]}", schema: {where[2]}}}\n"""
    return project(folder, text)


def machine(folder: Path, together: Barrier) -> None:
    """What ``cadran run --due`` does, in every minute: compute what is due, then send."""
    opened = cadran.open(folder).pinned()
    declaration = opened.declaration()[0]
    assert declaration is not None
    store, notifiers = opened.store(declaration), opened.plugins.notifier
    composer = Composer(declaration, notifiers, template_folders(declaration.folder))
    for minute in range(WHOLE):
        now = NOON + dt.timedelta(minutes=minute, seconds=1)
        together.wait(60)
        list(Work(opened, declaration, store, composer, lambda now=now: now).perform())  # type: ignore[misc]
        send_due(sender_of(store, declaration, notifiers, composer, lambda now=now: now))  # type: ignore[misc]
    store.close()


def race(target: Callable[..., None], *args: Any) -> None:
    together = forking().Barrier(PROCESSES)
    racers = [forking().Process(target=target, args=(*args, together)) for _ in range(PROCESSES)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(900)
    assert [racer.exitcode for racer in racers] == [0] * PROCESSES


@pytest.mark.parametrize("where", STORES if FULL else STORES[:1], indirect=True)
def test_whole_machines_send_each_report_once(where: tuple[Path, str, str]) -> None:
    with serving() as office:
        folder = declared(where[0], office.port, where)
        race(machine, folder)
        office.settled()
        received = [content for _, content in office.taken]
    store = cadran.open(folder).store(cadran.open(folder).model()[0])
    with store.read() as c:
        rows = c.execute(select(delivery)).all()
        done = c.execute(select(run.c.job, run.c.logical_time, run.c.state)).all()
    store.close()
    assert Counter(job for job, _, _ in done) == {"alerts": WHOLE - 1, "report:monthly": WHOLE - 1}
    assert {state for _, _, state in done} == {"done"}
    assert Counter(row.kind for row in rows)["report"] == (WHOLE - 1) * 2
    assert {row.state for row in rows} == {"sent"}
    assert sorted(received) == sorted(row.content for row in rows), "each arrived once"


def test_each_message_is_enqueued_and_sent_once(where: tuple[Path, str, str]) -> None:
    open_store(*where).close()
    with serving() as office:
        race(scheduler, where, office.port)
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
