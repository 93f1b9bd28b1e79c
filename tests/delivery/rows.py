"""Deliveries as tests need them, and what they ask of an outbox."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from cadran.plugins.notifier import Message
from cadran.state.store.outbox import Delivery
from cadran.state.store.store import Store
from cadran.state.store.tables import attempt, delivery

NOON = dt.datetime(2026, 7, 1, 12, 0, tzinfo=dt.UTC)


def minutes(count: float) -> dt.datetime:
    """So many after noon."""
    return NOON + dt.timedelta(minutes=count)


def key_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def a_delivery(name: str = "one", **changed: Any) -> Delivery:
    """A report that is due at noon, for a day."""
    content = changed.pop("content", f"Subject: {name}\r\n\r\nthe text of {name}\r\n".encode())
    if "after" in changed:
        changed["after"] = key_of(changed["after"])
    given: dict[str, Any] = {
        "key": key_of(name), "job": "report:weekly", "kind": "report", "channel": "mail", "notifier": "email",
        "recipient": f"{name}@example.com", "subject": name, "logical_time": NOON, "created": NOON, "due": NOON,
        "deadline": minutes(24 * 60), "content": content, "digest": hashlib.sha256(content or b"").hexdigest(),
    }  # fmt: skip
    return Delivery(**(given | changed))


def an_alert(name: str = "one", **changed: Any) -> Delivery:
    return a_delivery(name, **({"kind": "alert", "job": "alerts", "on_unknown": "send"} | changed))


@dataclass(frozen=True)
class Outgoing:
    """A message as the composer gives it."""

    message: Message
    channel: str = "mail"
    notifier: str = "email"
    sealed: bytes = b"sealed"
    label: str = "2026-W26"
    owner: str = "ana@example.com"
    after: str = ""
    skipped: str = ""


def states(store: Store, names: Iterable[str] = ("one",)) -> list[str]:
    with store.read() as c:
        found = {row.key: row.state for row in c.execute(select(delivery.c.key, delivery.c.state))}
    return [found.get(key_of(name), "") for name in names]


def row_of(store: Store, name: str = "one") -> Any:
    with store.read() as c:
        return c.execute(select(delivery).where(delivery.c.key == key_of(name))).one()


def outcomes(store: Store, name: str = "one") -> list[str]:
    """What came of each try, in order."""
    with store.read() as c:
        found = select(attempt.c.outcome).where(attempt.c.delivery == key_of(name)).order_by(attempt.c.id)
        return list(c.execute(found).scalars())
