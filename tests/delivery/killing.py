"""What the kill test's processes do: post a run of reports and alerts, send what is due, and be killed on the way.

The code that runs is the product's. A process counts what it is seen to do from outside, transactions that are committed
and words that go to the mail server, and ends itself at the chosen one with SIGKILL: no ``finally`` runs, nothing is flushed.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import os
import signal
import smtplib
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from cadran.declare.model import Deliveries
from cadran.deliver.post import Alerts, Claim, delivery_of, post
from cadran.deliver.sender import Sender, send_due
from cadran.judge.notices import Notice
from cadran.plugins.notifier import Message, Notifier
from cadran.state.store.outbox import Delivery
from cadran.state.store.store import Store, open_store
from delivery.rows import NOON, Outgoing, key_of
from delivery.smtp import mail

PEOPLE = ("ana", "ben", "cleo", "dan", "eve")
REFUSED = "zoe"  # whom the server knows nothing of: each message to her fails, and its owner is told


HEAVY = [
    "cadran.compute.engine", "cadran.compute.loading.embedded", "cadran.deliver.messages", "cadran.deliver.sender",
    "cadran.deliver.work", "cadran.state.store.store", "cadran_plugins.mail.notifier", "psycopg", "pytest",
]  # fmt: skip


def forking() -> ForkServerContext:
    """New processes are forked from a server that has imported everything already, and has no threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(HEAVY)
    return context


@dataclass(frozen=True)
class Work:
    """What one process is to do. It dies at its ``events``-th event of ``phase``, and at none if that is 0."""

    folder: Path
    url: str
    schema: str
    port: int
    now: dt.datetime
    phase: str = "send"  # post | send
    events: int = 0
    reports: int = 20
    workers: int = 4
    note: Path | None = None  # where it writes down what it was about when it died


def process(work: Work) -> None:
    store = open_store(work.folder, work.url, work.schema)
    if work.phase == "post":
        _watch(store, work)
    post_all(store, work)
    if work.phase == "send":
        _watch(store, work)
    smtp = mail(work.port)
    send_due(Sender(store, lambda _: smtp, lambda: work.now, _telling(smtp), workers=work.workers))
    store.close()


# --- what a run brings ---------------------------------------------------------------------------------------------


def post_all(store: Store, work: Work) -> None:
    """Reports for five people each, then an alert that fires and one that is over, at the next hour."""
    for number in range(work.reports):
        job = f"report:r{number}"
        post(store, _claim(job, NOON, work.now), _messages(work, job, "report"), settings=Deliveries())
    for hour, kind in enumerate(("firing", "resolved")):
        moment = NOON + dt.timedelta(hours=hour)
        post(store, _claim("alerts", moment, work.now), settings=Deliveries(), alerts=_alerts(work, kind))


def _claim(job: str, moment: dt.datetime, now: dt.datetime) -> Claim:
    return Claim(job, moment, now, now, host="test")


def _messages(work: Work, job: str, kind: Any, after: str = "") -> list[Any]:
    seal = mail(work.port).seal
    out: list[Any] = []
    for person in (*PEOPLE, REFUSED):
        name = f"{job} {person}"
        message = Message(
            key_of(name), kind, NOON, name, f"{person}@example.com", {"text": f"This is {name}.\n"}
        )
        follows = key_of(f"{after} {person}") if after else ""
        out.append(Outgoing(message, sealed=seal(message), after=follows))
    return out


def _telling(smtp: Notifier) -> Callable[[Delivery, dt.datetime], list[Delivery]]:
    """What is said of a message that failed: one message to an owner."""

    def failure(row: Delivery, now: dt.datetime) -> list[Delivery]:
        name = f"{row.subject} failed"
        message = Message(
            key_of(name), "failure", NOON, name, "owner@example.com", {"text": f"{row.reason}\n"}
        )
        told: Any = Outgoing(message, "told", sealed=smtp.seal(message))
        return [delivery_of(told, row.job, row.logical_time, now, Deliveries())]

    return failure


def _alerts(work: Work, kind: Any) -> Alerts:
    made = _messages(work, kind, "alert", "firing" if kind == "resolved" else "")
    notices = [Notice("all", "g", kind, "mail", each.message.recipient) for each in made]
    by_recipient = {each.message.recipient: each for each in made}

    def judge(_: Connection, __: int) -> Sequence[Notice]:
        return notices

    return Alerts(judge, lambda notice: by_recipient[notice.recipient], lambda *_: None)


# --- dying ---------------------------------------------------------------------------------------------------------


def _watch(store: Store, work: Work) -> None:
    """From here on, events count. They are met before and after each of these calls."""
    if not work.events:
        return
    left, lock = [work.events], threading.Lock()

    def event(name: str) -> None:
        with lock:
            left[0] -= 1
            if left[0] == 0:
                if work.note:
                    work.note.write_text(f"{name} in {_where()}")
                os.kill(os.getpid(), signal.SIGKILL)

    dialect: Any = store.engine.dialect
    dialect.do_commit = _around("commit", dialect.do_commit, event)
    for name in ("connect", "send", "getreply", "close"):
        setattr(smtplib.SMTP, name, _around(name, getattr(smtplib.SMTP, name), event))


def _around(name: str, call: Callable[..., Any], event: Callable[[str], None]) -> Callable[..., Any]:
    def met(*given: Any, **named: Any) -> Any:
        event(f"before {name}")
        answer = call(*given, **named)
        event(f"after {name}")
        return answer

    return met


def _where() -> str:
    """The step of the sender, of ``post`` or of the notifier that the process is in."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename.endswith(("/sender.py", "/post.py", "/transport.py")):
            return str(frame.f_code.co_name)
        frame = frame.f_back
    return "?"
