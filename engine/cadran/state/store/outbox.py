"""The outbox: messages with their sealed bytes, and who is busy sending which.

A delivery goes ``waiting → leased → sent``. A try that did not arrive leads to ``retry``, then to ``failed``; one of which
nobody can tell leads to ``unknown``. Every function is part of the caller's transaction, takes the time as ``now``, and
changes a row only where it still stands as expected: two senders may call them at once. Attempts are only ever added.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Insert, Row, and_, exists, insert, or_, select, update

from cadran.state.store.adding import unless_there
from cadran.state.store.tables import attempt, delivery

Kind = Literal["report", "alert", "failure"]
State = Literal["waiting", "leased", "retry", "sent", "failed", "unknown", "skipped", "suppressed", "dropped"]
Came = Literal["sent", "retry", "failed", "unknown"]
STATES: tuple[State, ...] = State.__args__  # type: ignore[attr-defined]

#: A message that waits for one of these waits in vain.
NEVER_SENT = ("failed", "skipped", "suppressed", "dropped")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one recipient: a row of the table, column by column."""

    key: str
    job: str
    kind: Kind
    channel: str
    notifier: str
    recipient: str
    subject: str
    logical_time: dt.datetime
    created: dt.datetime
    due: dt.datetime
    deadline: dt.datetime
    on_unknown: Literal["wait", "send"] = "wait"
    content: bytes | None = field(default=None, repr=False)
    digest: str = ""
    run: int | None = None
    label: str = ""
    owner: str = ""
    state: State = "waiting"
    reason: str = ""
    where: str = ""
    attempts: int = 0
    begun: bool = False
    holder: str = ""
    lease: dt.datetime | None = None
    after: str | None = None
    finished: dt.datetime | None = None
    told: bool = False


def enqueue(c: Connection, deliveries: Iterable[Delivery]) -> int:
    """Inserts those whose key is not there yet, and gives how many that were."""
    return sum(c.execute(unless_there(c, delivery), asdict(row)).rowcount for row in deliveries)


# --- leases --------------------------------------------------------------------------------------------------------


def channels(c: Connection, now: dt.datetime, keys: Iterable[str] | None = None) -> list[str]:
    """The channels to which something can go now."""
    found = select(delivery.c.channel).distinct().where(_sendable(now), _among(keys))
    return sorted(c.execute(found).scalars())


def lease(
    c: Connection, now: dt.datetime, holder: str, seconds: float, limit: int = 1, *,
    channel: str | None = None, keys: Iterable[str] | None = None,
) -> list[Delivery]:  # fmt: skip
    """Takes up to ``limit`` deliveries that are due, the longest waiting first; nobody else gets them for ``seconds``.

    ``holder`` (at most 80 characters) is to be another one for every call. PostgreSQL passes over rows that somebody else
    is just taking; SQLite lets one writer in at a time, provided that the transaction began as a writing one.
    """
    ready = select(delivery).where(_sendable(now), _among(keys))
    if channel is not None:
        ready = ready.where(delivery.c.channel == channel)
    ready = ready.order_by(delivery.c.due, delivery.c.created, delivery.c.key).limit(limit)
    rows = c.execute(
        ready.with_for_update(skip_locked=True, of=delivery)
    ).all()  # SQLite leaves this clause out
    until = now + dt.timedelta(seconds=seconds)
    return [_taken(c, _delivery(row), holder, until) for row in rows]


def _taken(c: Connection, row: Delivery, holder: str, until: dt.datetime) -> Delivery:
    taken: dict[str, Any] = {
        "state": "leased", "holder": holder, "lease": until, "begun": False, "attempts": row.attempts + 1,
    }  # fmt: skip
    c.execute(update(delivery).where(delivery.c.key == row.key).values(taken))
    return Delivery(**{**_fields(row), **taken})


def _sendable(now: dt.datetime) -> ColumnElement[bool]:
    first = delivery.alias("first")
    return and_(
        _goes_out(),
        delivery.c.due <= now,
        delivery.c.deadline > now,
        or_(
            delivery.c.after.is_(None),
            exists().where(first.c.key == delivery.c.after, first.c.state == "sent"),
        ),
    )  # fmt: skip


def _goes_out() -> ColumnElement[bool]:
    """What goes out by itself, now or later. The list of states lets the index find the few among all that are over."""
    again = and_(delivery.c.on_unknown == "send", delivery.c.finished.is_(None))
    return and_(
        delivery.c.state.in_(("waiting", "retry", "unknown")), or_(delivery.c.state != "unknown", again)
    )


def _among(keys: Iterable[str] | None) -> ColumnElement[bool]:
    return delivery.c.key.is_not(None) if keys is None else delivery.c.key.in_(list(keys))


def begin(c: Connection, row: Delivery, now: dt.datetime, seconds: float, *, doubtful: bool = True) -> bool:
    """Writes down that from now on the message may arrive, and holds the lease for ``seconds`` more.

    This has to be committed before the bytes go. False where the lease was lost: then nothing may be sent. Without
    ``doubtful`` the same bytes may go twice, so that it does not matter whether they have.
    """
    values = {"begun": doubtful, "lease": now + dt.timedelta(seconds=seconds)}
    held = c.execute(update(delivery).where(_held(row), delivery.c.state == "leased").values(values)).rowcount
    if held:
        note(c, row.key, now, "began", host=host_of(row.holder))
    return bool(held)


def _held(row: Delivery) -> ColumnElement[bool]:
    return and_(delivery.c.key == row.key, delivery.c.holder == row.holder)


# --- what came of a try --------------------------------------------------------------------------------------------


def gives_up(row: Delivery, came: Came, due: dt.datetime | None) -> bool:
    """Whether nothing more is tried after this; ``due`` is when the next try would be, None if there is none.

    A report of which nobody knows whether it arrived waits for a person, which is no end.
    """
    return came != "sent" and due is None and not (came == "unknown" and row.on_unknown == "wait")


def finish(
    c: Connection, row: Delivery, came: Came, now: dt.datetime, *, detail: str = "", where: str = "",
    due: dt.datetime | None = None, seconds: float | None = None, telling: Iterable[Delivery] = (),
) -> bool:  # fmt: skip
    """Writes down what came of a try, and where that is the end and it did not arrive, puts ``telling`` into the outbox.

    Where the lease has passed to somebody else, only the attempt is written down, and the answer is False. A sender that
    was merely slow, so that its delivery became ``unknown`` meanwhile and nobody has taken it since, still knows best.
    """
    end = gives_up(row, came, due)
    state: State = came
    if end:
        state = "unknown" if came == "unknown" or _may_have_arrived(c, row.key) else "failed"
    values: dict[str, Any] = {
        "state": state, "reason": detail, "begun": False, "lease": None, "holder": "",
        "finished": now if end or came == "sent" else None,
    }  # fmt: skip
    if where:
        values["where"] = where
    if due is not None:
        values["due"] = due
    held = _held(row), delivery.c.state.in_(("leased", "unknown"))
    ours = bool(c.execute(update(delivery).where(*held).values(values)).rowcount)
    late = "" if ours else "too late: "
    note(c, row.key, now, came, late + (detail or where), host=host_of(row.holder), seconds=seconds)
    if ours and end:
        tell(c, row.key, telling)
    return ours


def tell(c: Connection, key: str, telling: Iterable[Delivery]) -> None:
    """Puts messages about a delivery that was given up into the outbox, once and never again."""
    messages = list(telling)
    untold = delivery.c.key == key, delivery.c.told.is_(False)
    if messages and c.execute(update(delivery).where(*untold).values(told=True)).rowcount:
        enqueue(c, messages)


def _may_have_arrived(c: Connection, key: str) -> bool:
    doubted = select(attempt.c.id).where(attempt.c.delivery == key, attempt.c.outcome == "unknown").limit(1)
    return c.execute(doubted).first() is not None


# --- what time brings ----------------------------------------------------------------------------------------------


def expire(c: Connection, now: dt.datetime) -> int:
    """Takes deliveries from holders that did not come back: to be tried again where nothing had gone out, else unknown."""
    gone = select(delivery).where(delivery.c.state == "leased", delivery.c.lease <= now)
    rows = [_delivery(row) for row in c.execute(gone.with_for_update(skip_locked=True, of=delivery))]
    for row in rows:
        state: State = "unknown" if row.begun else "retry"
        reason = (
            "the sender did not come back; the message may have arrived"
            if row.begun
            else "the sender did not come back; nothing had gone out"
        )
        # The holder of an unknown one stays: should it merely have been slow, it may still say what came of it.
        values = {"state": state, "reason": reason, "lease": None, "due": now, "begun": False}
        c.execute(update(delivery).where(delivery.c.key == row.key).values(values))
        note(c, row.key, now, state, reason, host=host_of(row.holder))
    return len(rows)


def suppress(c: Connection, now: dt.datetime) -> int:
    """Ends what waits for a message that never will have been sent; gives how many those are."""
    first = delivery.alias("first")
    vain = (
        select(delivery, first.c.state)
        .outerjoin(first, first.c.key == delivery.c.after)
        .where(
            delivery.c.state.in_(("waiting", "retry")),
            delivery.c.after.is_not(None),
            or_(
                first.c.key.is_(None),
                first.c.state.in_(NEVER_SENT),
                and_(delivery.c.deadline <= now, first.c.state != "sent"),
            ),
        )
        .with_for_update(skip_locked=True, of=delivery)
    )
    rows = c.execute(vain).all()
    for row in rows:
        reason = f"the message that it follows is {row[-1] or 'not known any more'}"
        values = {"state": "suppressed", "reason": reason, "finished": now}
        c.execute(update(delivery).where(delivery.c.key == row.key).values(values))
        note(c, row.key, now, "suppressed", reason)
    return len(rows)


def overdue(c: Connection, now: dt.datetime) -> list[Delivery]:
    """What has not arrived by its deadline, and is not just being sent or waiting for a person."""
    late = select(delivery).where(_overdue(now)).order_by(delivery.c.created, delivery.c.key)
    return [_delivery(row) for row in c.execute(late)]


def _overdue(now: dt.datetime) -> ColumnElement[bool]:
    return and_(delivery.c.deadline <= now, _goes_out())


def give_up(
    c: Connection, row: Delivery, now: dt.datetime, reason: str, telling: Iterable[Delivery] = ()
) -> bool:
    """Ends a delivery at its deadline; False where somebody else has moved it meanwhile."""
    state: State = "unknown" if _may_have_arrived(c, row.key) else "failed"
    values = {"state": state, "reason": reason, "finished": now}
    still = delivery.c.key == row.key, _overdue(now)
    if not c.execute(update(delivery).where(*still).values(values)).rowcount:
        return False
    note(c, row.key, now, state, reason)
    tell(c, row.key, telling)
    return True


# --- rows ----------------------------------------------------------------------------------------------------------


def note(
    c: Connection, key: str, at: dt.datetime, outcome: str, detail: str = "", *, host: str = "", seconds: float | None = None
) -> None:  # fmt: skip
    """Adds to what is known of a delivery's fate."""
    whole = None if seconds is None else round(seconds)
    added: Insert = insert(attempt).values(
        delivery=key, at=at, outcome=outcome, detail=detail, host=host, seconds=whole
    )
    c.execute(added)


def host_of(holder: str) -> str:
    """A holder is called ``host:process:…``."""
    return holder.partition(":")[0]


def _fields(row: Delivery) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Delivery.__dataclass_fields__}


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(**row._mapping)
