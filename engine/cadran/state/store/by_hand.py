"""What a person asks of the outbox: to see deliveries, to have one tried again, to drop one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update

from cadran.state.store.outbox import Delivery, State, note
from cadran.state.store.tables import attempt, delivery

#: What somebody may still have to do something about.
OPEN: tuple[State, ...] = ("waiting", "leased", "retry", "failed", "unknown")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One line of a delivery's history."""

    at: dt.datetime
    outcome: str
    detail: str
    host: str
    seconds: int | None


def listed(c: Connection, states: Collection[str], job: str = "") -> list[Delivery]:
    """Deliveries in these states, the newest first; without their content."""
    columns = [column for column in delivery.c if column.name != "content"]
    wanted = select(*columns).where(delivery.c.state.in_(states))
    if job:
        wanted = wanted.where(delivery.c.job == job)
    wanted = wanted.order_by(
        delivery.c.created.desc(), delivery.c.job, delivery.c.channel, delivery.c.recipient
    )
    return [Delivery(**row._mapping) for row in c.execute(wanted)]


def find(c: Connection, start: str) -> list[Delivery]:
    """Those whose key begins so; at most two, for one is meant."""
    wanted = select(delivery).where(delivery.c.key.startswith(start, autoescape=True)).limit(2)
    return [Delivery(**row._mapping) for row in c.execute(wanted)]


def attempts(c: Connection, key: str) -> list[Attempt]:
    """A delivery's history, the oldest first."""
    columns = (attempt.c.at, attempt.c.outcome, attempt.c.detail, attempt.c.host, attempt.c.seconds)
    wanted = select(*columns).where(attempt.c.delivery == key).order_by(attempt.c.id)
    return [Attempt(*row) for row in c.execute(wanted)]


def retry(c: Connection, key: str, now: dt.datetime, deadline: dt.datetime) -> str:
    """Has a delivery sent again, with the bytes that it has, and gives why that cannot be; "" where it will be.

    What was suppressed because this one had not arrived waits for it again.
    """
    row = _locked(c, key)
    if refused := _no_retry(c, row):
        return refused
    _freed(c, key, "retry", now, deadline)
    for follower in c.execute(select(delivery.c.key).where(delivery.c.after == key, delivery.c.state == "suppressed")).scalars():  # fmt: skip
        _freed(c, follower, "waiting", now, deadline)
    return ""


def _no_retry(c: Connection, row: Delivery) -> str:
    if row.state == "sent":
        return "it was sent"
    if row.state == "leased":
        return "it is just being sent"
    if row.state == "skipped":
        return f"it was never to be sent: {row.reason}"
    if row.content is None:
        return "its content is not kept any more"
    if row.after is not None:
        first = select(delivery.c.state).where(delivery.c.key == row.after)
        if c.execute(first).scalar() != "sent":
            return f"the message that it follows, {row.after[:12]}, has not arrived; retry that one"
    return ""


def _freed(c: Connection, key: str, state: State, now: dt.datetime, deadline: dt.datetime) -> None:
    values = {"state": state, "due": now, "deadline": deadline, "finished": None}
    c.execute(update(delivery).where(delivery.c.key == key).values(values))
    note(c, key, now, "released", "by hand")


def drop(c: Connection, key: str, now: dt.datetime, reason: str) -> str:
    """Has a delivery never sent, for a reason, and gives why that cannot be; "" where it is done."""
    row = _locked(c, key)
    if row.state not in ("waiting", "retry", "failed", "unknown"):
        return "it is just being sent" if row.state == "leased" else f"it is {row.state}"
    values: dict[str, Any] = {"state": "dropped", "reason": reason, "finished": now}
    c.execute(update(delivery).where(delivery.c.key == key).values(values))
    note(c, key, now, "dropped", reason)
    return ""


def _locked(c: Connection, key: str) -> Delivery:
    row = c.execute(select(delivery).where(delivery.c.key == key).with_for_update()).one()
    return Delivery(**row._mapping)
