"""What comes next: each job with what became of its last time, with what is due of it, and its next time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cadran.deliver.due import following, plan
from cadran.deliver.jobs import Job, jobs
from cadran.deliver.turns import said, was_tried
from cadran.state.store import runs

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from cadran.declare.model import Declaration
    from cadran.state.store.runs import Run


@dataclass(frozen=True, slots=True)
class Coming:
    """``due`` is the time that is due and not done, ``tried`` that it was tried in vain; ``seen`` is False of a job that nobody
    has looked at yet."""

    job: Job
    last: Run | None
    next: dt.datetime | None
    due: dt.datetime | None = None
    tried: bool = False
    seen: bool = False

    @property
    def zone(self) -> ZoneInfo:
        return self.job.schedule.zone


def coming(c: Connection | None, declaration: Declaration, now: dt.datetime) -> list[Coming]:
    """Every job, in the order of the file; nothing is written. Without a store nothing was done yet."""
    return [_coming(c, job, now) for job in jobs(declaration)]


def _coming(c: Connection | None, job: Job, now: dt.datetime) -> Coming:
    after = following(job.schedule, now)
    if c is None:
        return Coming(job, None, after)
    last, since = runs.newest(c, job.name), runs.accounted(c, job.name, said(job))
    if since is None:
        return Coming(job, last, after)
    due = plan(job.schedule, since, runs.ran(c, job.name, since), now, job.wait).due
    first = due[0].at if due else None
    return Coming(job, last, after, first, first is not None and was_tried(c, job, first), seen=True)


def next_words(found: list[Coming], now: dt.datetime) -> str:
    """``report weekly on Monday 30 November at 07:30, alerts tomorrow at 06:00``: each in its own zone, the soonest first."""
    known = sorted(((one.next, one) for one in found if one.next is not None), key=lambda pair: pair[0])
    return ", ".join(f"{called(one.job.name)} {when(at, one.zone, now)}" for at, one in known)


def called(job: str) -> str:
    """``report:weekly`` as people read it."""
    return job.replace(":", " ", 1)


def when(at: dt.datetime, zone: ZoneInfo, now: dt.datetime) -> str:
    """``tomorrow at 06:00``, ``on Monday 30 November at 07:30``."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    days = (local.date() - today).days
    year = f" {local.year}" if local.year != today.year else ""
    day = {0: "today", 1: "tomorrow", -1: "yesterday"}.get(
        days, f"on {local:%A} {local.day} {local:%B}{year}"
    )
    return f"{day} at {local:%H:%M}"
