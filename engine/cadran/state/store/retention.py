"""What is no longer needed goes, once a day: the store does not grow for ever, and what somebody waits for stays."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, func, or_, select, update

from cadran.calendar import Duration
from cadran.state.store import engines, leases
from cadran.state.store.store import Store
from cadran.state.store.tables import (
    alert,
    attempt,
    delivery,
    lease,
    notice_group,
    observation,
    run,
    silence,
    told,
    transition,
)

FINISHED = ("sent", "failed", "skipped", "suppressed", "dropped")
_MARK = "retention"
_PAUSE = 20 * 3600  # seconds: once a day, also where the day's run comes a little earlier than yesterday's
#: How long the bytes of what needs no other try can be looked at; their digest stays as long as the delivery.
_CONTENT = dt.timedelta(days=14)
_LEASES = dt.timedelta(days=1)


class Keep(Protocol):
    """For how long what is kept (``Declaration.state.keep``)."""

    @property
    def runs(self) -> Duration: ...
    @property
    def observations(self) -> Duration: ...
    @property
    def deliveries(self) -> Duration: ...


@dataclass(frozen=True, slots=True)
class Tidied:
    """How many were taken away; ``contents`` are messages whose bytes went while the delivery stays."""

    runs: int = 0
    observations: int = 0
    deliveries: int = 0
    contents: int = 0


def observed_since(keep: Keep, now: dt.datetime) -> dt.date:
    """Periods that ended before this day are neither recorded nor kept."""
    return _before(keep.observations, now).date()


def tidy(store: Store, keep: Keep, now: dt.datetime) -> Tidied | None:
    """Takes away what is older than is kept, and gives room back to the disk; None where that was done today."""
    with store.read() as c:
        if leases.held(c, _MARK, now):
            return None
    with store.write() as c:
        # Each day's holder is another one, or it would find the lease its own and begin again each time.
        if not leases.take(c, _MARK, now.isoformat(), now, _PAUSE):
            return None
        done = prune(c, keep, now)
    if store.file is not None:
        engines.shrink(store.engine)
    return done


def prune(c: Connection, keep: Keep, now: dt.datetime) -> Tidied:
    """Never takes what is unfinished: deliveries still to be sent or unknown, alerts that fire and what was said of them,
    the newest revision of a period that is kept, a job's newest run."""
    contents = _contents(c, now, _before(keep.deliveries, now))
    deliveries = _deliveries(c, _before(keep.deliveries, now))
    observations = _observations(c, keep, now)
    before = _before(keep.runs, now)
    _alerts(c, before)
    c.execute(delete(lease).where(lease.c.until < now - _LEASES))
    return Tidied(_runs(c, before), observations, deliveries, contents)


def _before(length: Duration, now: dt.datetime) -> dt.datetime:
    return now - dt.timedelta(days=length.days, seconds=length.seconds)


# --- deliveries ------------------------------------------------------------------------------------------------------


def _finished(*states: str, before: dt.datetime) -> ColumnElement[bool]:
    return and_(delivery.c.state.in_(states), func.coalesce(delivery.c.finished, delivery.c.created) < before)


def _over(before: dt.datetime) -> ColumnElement[bool]:
    """What needs nobody any more: what is finished, and what was given up though nobody knows whether it arrived."""
    given_up = and_(delivery.c.state == "unknown", delivery.c.finished < before)
    return or_(_finished(*FINISHED, before=before), given_up)


def _contents(c: Connection, now: dt.datetime, before: dt.datetime) -> int:
    """What failed keeps its bytes as long as it is kept, for it may be tried again."""
    done = tuple(state for state in FINISHED if state != "failed")
    old = or_(_over(before), _finished(*done, before=now - _CONTENT))
    return c.execute(
        update(delivery).where(delivery.c.content.is_not(None), old).values(content=None)
    ).rowcount


def _deliveries(c: Connection, before: dt.datetime) -> int:
    """A message that another one waits for stays, and so does what people were told of an alert that goes on."""
    awaited = select(delivery.c.after).where(delivery.c.after.is_not(None), delivery.c.state.not_in(FINISHED))
    going_on = select(told.c.delivery).where(told.c.ended.is_(None), told.c.identity.in_(_going_on()))
    gone = select(delivery.c.key).where(
        _over(before), delivery.c.key.not_in(awaited), delivery.c.key.not_in(going_on)
    )
    keys = list(c.execute(gone).scalars())
    for part in _parts(keys):
        c.execute(delete(attempt).where(attempt.c.delivery.in_(part)))
        c.execute(delete(delivery).where(delivery.c.key.in_(part)))
    return len(keys)


def _parts(keys: list[str], size: int = 500) -> list[list[str]]:
    return [keys[at : at + size] for at in range(0, len(keys), size)]


# --- alerts ----------------------------------------------------------------------------------------------------------


def _going_on() -> Select[Any]:
    return select(alert.c.identity).where(alert.c.state != "ok")


def _alerts(c: Connection, before: dt.datetime) -> None:
    """What is long over: the story of alerts, who was told, silences, groups, and alerts that no rule asks for any more."""
    c.execute(delete(transition).where(transition.c.at < before, transition.c.identity.not_in(_going_on())))
    c.execute(delete(told).where(told.c.at < before, told.c.identity.not_in(_going_on())))
    kept = select(told.c.identity)
    c.execute(
        delete(alert).where(alert.c.state == "ok", alert.c.seen < before, alert.c.identity.not_in(kept))
    )
    c.execute(delete(silence).where(func.coalesce(silence.c.expired, silence.c.until) < before))
    c.execute(delete(notice_group).where(notice_group.c.waiting.is_(None), notice_group.c.sent < before))


# --- observations and runs -------------------------------------------------------------------------------------------


def _observations(c: Connection, keep: Keep, now: dt.datetime) -> int:
    """Of periods that are kept, only what was replaced long ago, as of ``all``, which never ends."""
    old = or_(
        observation.c.ends < observed_since(keep, now), observation.c.until < _before(keep.observations, now)
    )
    return c.execute(delete(observation).where(old)).rowcount


def _runs(c: Connection, before: dt.datetime) -> int:
    """What points to a run outlives it."""
    same = run.alias("same")
    newest = select(func.max(same.c.logical_time)).where(same.c.job == run.c.job).scalar_subquery()
    old = and_(run.c.finished < before, run.c.logical_time < newest)
    gone = select(run.c.id).where(old)
    for table in (observation, transition, delivery):
        c.execute(update(table).where(table.c.run.in_(gone)).values(run=None))
    return c.execute(delete(run).where(old)).rowcount
