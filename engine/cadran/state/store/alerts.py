"""Alerts in the store: where each stands, what changed about it, who was told of it, and groups that wait."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.engine import Connection, Row

from cadran.state.alerting import Group, Identity, Instance, Judged, Number, Told, Transition
from cadran.state.store.tables import alert, delivery, notice_group, told, transition

_UNSENT = ("failed", "skipped", "suppressed", "dropped")  # a delivery of these states told nobody anything


@dataclass(frozen=True, slots=True)
class Event:
    """A transition as it was written down."""

    identity: str  # the alert's key
    at: dt.datetime
    period: str
    before: str
    after: str
    reason: str
    value: Number | None
    target: Number | None
    correction: bool
    silent: bool


# --- where alerts stand ------------------------------------------------------------------------------------------------


def load(c: Connection) -> dict[str, Instance]:
    """All alerts by their keys."""
    return {row.identity: _instance(row) for row in c.execute(select(alert))}


def save(c: Connection, instances: Iterable[Instance]) -> None:
    """Writes alerts, new ones and such as were there."""
    rows = {i.identity.key: _row(i) for i in instances}
    if not rows:
        return
    known = set(c.scalars(select(alert.c.identity)))
    new = [row for key, row in rows.items() if key not in known]
    if new:
        c.execute(insert(alert), new)
    changed = [{**row, "key_": key} for key, row in rows.items() if key in known]
    if changed:
        columns: dict[str, Any] = {
            name: bindparam(name) for name in changed[0] if name not in ("key_", "identity")
        }
        c.execute(update(alert).where(alert.c.identity == bindparam("key_")).values(columns), changed)


def rename(c: Connection, key: str, new: Identity) -> None:
    """An alert, its history and who was told of it go on under another identity."""
    c.execute(delete(alert).where(alert.c.identity == key))  # it is saved as what it has become
    for table in (transition, told):
        c.execute(update(table).where(table.c.identity == key).values(identity=new.key))


def append(c: Connection, transitions: Iterable[Transition], run: int | None, at: dt.datetime) -> None:
    """What changed, at a logical time."""
    rows = [
        {
            "identity": t.instance.identity.key, "run": run, "at": at, "period": t.period, "before": t.before, "after": t.after,
            "reason": t.instance.reason, "value": t.instance.value, "target": t.instance.target, "correction": t.correction,
            "silent": t.silent,
        }
        for t in transitions
    ]  # fmt: skip
    if rows:
        c.execute(insert(transition), rows)


def events(c: Connection, key: str = "") -> list[Event]:
    """What changed about an alert, or about all, in the order in which it was written down."""
    found = select(transition).order_by(transition.c.id)
    if key:
        found = found.where(transition.c.identity == key)
    return [
        Event(
            r.identity, r.at, r.period, r.before, r.after, r.reason, r.value, r.target, r.correction, r.silent
        )
        for r in c.execute(found)
    ]


def _instance(row: Row[Any]) -> Instance:
    who = Identity(row.subject, row.name, row.rule, row.grain, row.segment, row.segment_value)
    return Instance(
        who, row.condition, row.state, row.since, row.held, row.cleared, row.reason, row.period, row.value, row.target,
        row.episode, row.fired, row.changed, row.seen, tuple(Judged(*judged) for judged in json.loads(row.trail)),
        row.previous, row.because,
    )  # fmt: skip


def _row(instance: Instance) -> dict[str, Any]:
    who = instance.identity
    own = (
        "condition", "state", "since", "held", "cleared", "reason", "period", "value", "target", "episode", "fired", "changed", "seen",
        "previous", "because",
    )  # fmt: skip
    trail = json.dumps(
        [_plain(judged) for judged in instance.trail], ensure_ascii=False, separators=(",", ":")
    )
    return {
        "identity": who.key, "subject": who.subject, "name": who.name, "rule": who.rule, "grain": who.grain,
        "segment": who.segment, "segment_value": who.segment_value, "trail": trail,
        **{name: getattr(instance, name) for name in own},
    }  # fmt: skip


def _plain(j: Judged) -> tuple[Any, ...]:
    return (j.period, j.breach, j.clear, j.state, j.since, j.held, j.cleared, j.reason)


# --- who was told ------------------------------------------------------------------------------------------------------


def all_told(c: Connection, *, ended: bool = False) -> list[Told]:
    """Who was told of alerts whose end they have not been told yet; with ``ended`` also of those."""
    found = select(told).order_by(told.c.id)
    if not ended:
        found = found.where(told.c.ended.is_(None))
    return [_told(row) for row in c.execute(found)]


def fates(c: Connection, some: Iterable[Told]) -> dict[str, str]:
    """By delivery, what has become of it, as far as it is remembered: its state in the outbox."""
    keys = sorted({one.delivery for one in some})
    out: dict[str, str] = {}
    for first in range(0, len(keys), 500):  # no more parameters than a statement may have
        wanted = delivery.c.key.in_(keys[first : first + 500])
        out |= {
            row.key: row.state for row in c.execute(select(delivery.c.key, delivery.c.state).where(wanted))
        }
    return out


def tell(c: Connection, some: Iterable[Told]) -> None:
    """Writes down who is told that alerts fire; to one who was told before, again.

    What they are told that an alert is over after stays the first message, unless that one reached nobody.
    """
    for one in some:
        before = c.execute(select(told).where(*_same(one))).one_or_none()
        if before is None:
            c.execute(insert(told).values(**{column: getattr(one, column) for column in _TOLD}))
            continue
        state = c.scalar(select(delivery.c.state).where(delivery.c.key == before.delivery))
        key = one.delivery if state in _UNSENT else before.delivery
        c.execute(update(told).where(told.c.id == before.id).values(at=one.at, delivery=key, ended=None))


def settle(c: Connection, some: Iterable[Told], at: dt.datetime) -> None:
    """Writes down that they know that it is over, or need not."""
    for one in some:
        c.execute(update(told).where(*_same(one), told.c.ended.is_(None)).values(ended=at))


def settle_after(c: Connection, one: Told, at: dt.datetime) -> None:
    """The same of all that one message told somebody of an alert, whichever time it was that it fired."""
    who = [
        told.c[name] == getattr(one, name)
        for name in ("identity", "route", "channel", "recipient", "delivery")
    ]
    c.execute(update(told).where(*who, told.c.ended.is_(None)).values(ended=at))


_TOLD = ("identity", "episode", "route", "channel", "recipient", "delivery", "at", "ended")


def _same(one: Told) -> list[Any]:
    return [
        told.c[name] == getattr(one, name)
        for name in ("identity", "episode", "route", "channel", "recipient")
    ]


def _told(row: Row[Any]) -> Told:
    return Told(
        row.identity, row.episode, row.route, row.channel, row.recipient, row.delivery, row.at, row.ended
    )


# --- groups ------------------------------------------------------------------------------------------------------------


def groups(c: Connection) -> list[Group]:
    return [Group(row.route, row.group, row.waiting, row.sent) for row in c.execute(select(notice_group))]


def keep_groups(c: Connection, now: Sequence[Group]) -> None:
    """These are all that there are."""
    c.execute(delete(notice_group))
    if now:
        rows: list[Mapping[str, Any]] = [
            {"route": g.route, "group": g.key, "waiting": g.waiting, "sent": g.sent} for g in now
        ]
        c.execute(insert(notice_group), rows)
