"""What of a schedule is due, and what was missed: a pure function of its times, of what has been done, and of now.

Each time is accounted for once. It is due from its instant on; what becomes of times that nobody was there for is said by
``catch_up``: of ``latest`` the newest is made up for, of ``all`` each one, of ``none`` none that is more than an hour gone.
The others are missed, with the reason.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Container
from dataclasses import dataclass

from cadran import cron
from cadran.declare.model import Schedule

#: A run that begins so long after its time is not yet late: crons and machines wake up when they do.
GRACE = dt.timedelta(hours=1)
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Due:
    """A time to be done now. What fails, or whose data is not ready, is tried again before ``until``, and not after."""

    at: dt.datetime
    until: dt.datetime
    late: bool = False


@dataclass(frozen=True, slots=True)
class Missed:
    """A time that is not done any more, and why."""

    at: dt.datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """``due`` and ``missed``, the oldest first. Once the missed are written down, every time up to ``settled`` is
    accounted for, and need not be looked at again."""

    settled: dt.datetime
    due: tuple[Due, ...] = ()
    missed: tuple[Missed, ...] = ()


def plan(
    schedule: Schedule,
    since: dt.datetime,
    done: Container[dt.datetime],
    now: dt.datetime,
    wait: dt.timedelta = dt.timedelta(),
) -> Plan:
    """Times up to ``since`` are nobody's, for the schedule was first seen then, or they are accounted for, as are those that
    are ``done``. ``wait`` is how long after its time a run may wait for its data."""
    times = cron.times(schedule.cron.value, schedule.zone, since, now)
    open_ = [at for at in times if at not in done]
    settled = times[-1] if times else since
    if not open_:
        return Plan(settled)
    if schedule.catch_up == "all":
        return Plan(_before(open_[0]), tuple(_due(schedule, at, now, wait) for at in open_))
    newest = times[-1]
    missed = [
        Missed(at, f"the one of {_said(newest, schedule)} came before it was made")
        for at in open_
        if at != newest
    ]
    if open_[-1] != newest:
        return Plan(settled, (), tuple(missed))
    due = _due(schedule, newest, now, wait)
    if reason := _left(schedule, due, now):
        return Plan(settled, (), (*missed, Missed(newest, reason)))
    return Plan(_before(newest), (due,), tuple(missed))


def _before(at: dt.datetime) -> dt.datetime:
    return at - dt.timedelta(seconds=1)


def _due(schedule: Schedule, at: dt.datetime, now: dt.datetime, wait: dt.timedelta) -> Due:
    return Due(at, _until(schedule, at, wait), now - at > GRACE + wait)


def _until(schedule: Schedule, at: dt.datetime, wait: dt.timedelta) -> dt.datetime:
    """As long as it waits for its data, where that is said; else until the next time, but a day where each one counts."""
    if wait:
        return at + wait
    after = _next(schedule, at)
    return max(after, at + _DAY) if schedule.catch_up == "all" else after


def _left(schedule: Schedule, due: Due, now: dt.datetime) -> str:
    """Why the newest time isn't made up for; empty where it is."""
    if not due.late:
        return ""
    if schedule.catch_up == "none":
        return f"nobody was there within an hour of {_said(due.at, schedule)}, and 'catch_up' is none"
    after = _next(schedule, due.at)
    # Two reports in a row help nobody: one that comes right before the next is left to that.
    if after - now < min(GRACE, (after - due.at) / 4):
        return f"the next one is due at {_said(after, schedule)}"
    return ""


def _next(schedule: Schedule, at: dt.datetime) -> dt.datetime:
    return cron.following(schedule.cron.value, schedule.zone, at) or at + 36500 * _DAY


def _said(at: dt.datetime, schedule: Schedule) -> str:
    return f"{at.astimezone(schedule.zone):%Y-%m-%d %H:%M}"


def following(schedule: Schedule, now: dt.datetime) -> dt.datetime | None:
    """When it is due next."""
    return cron.following(schedule.cron.value, schedule.zone, now)
