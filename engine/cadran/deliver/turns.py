"""Whose turn it is: what is due of all jobs at a moment, taken by this process so that others leave it alone meanwhile."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cadran.deliver.due import GRACE, Due, Missed, plan
from cadran.state.store import leases, runs

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from cadran.deliver.jobs import Job

#: For how long a job that is being done is left alone by others; a process that died is not waited for any longer.
BUSY = 900.0
#: A job that was not declared for so long, or by another schedule, while others were looked at, begins anew.
AWAY = dt.timedelta(hours=3)
_SEEN = "seen"
_MINUTES = dt.timedelta(minutes=15)
_LONG = dt.timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Turn:
    """A time of a job that is due. ``taken`` says that somebody else is busy with it."""

    job: Job
    due: Due
    taken: bool = False


@dataclass(frozen=True, slots=True)
class Lost:
    """A time of a job that is not done any more. ``tried`` says that it had been, in vain: then it has failed."""

    job: Job
    missed: Missed
    tried: bool = False


def turns(
    c: Connection, jobs: Iterable[Job], now: dt.datetime, holder: str = ""
) -> tuple[list[Turn], list[Lost]]:
    """What is due and what was missed. With a ``holder`` what is due is taken for it; without, nothing is but looked at,
    except that a schedule which is new is seen for the first time."""
    due: list[Turn] = []
    lost: list[Lost] = []
    jobs, alive = list(jobs), leases.until(c, _SEEN)
    _see(c, _SEEN, now)
    for job in jobs:
        since = _since(c, job, alive, now)
        done = runs.ran(c, job.name, max(since, now - _LONG))
        found = plan(job.schedule, since, done, now, job.wait)
        lost += [Lost(job, one, was_tried(c, job, one.at)) for one in found.missed]
        if found.due:
            taken = bool(holder) and not leases.take(c, _busy(job), holder, now, BUSY)
            due += [Turn(job, one, taken) for one in found.due]
        elif not found.missed:
            runs.settle(c, job.name, said(job), found.settled)
    return due, lost


def behind(c: Connection, now: dt.datetime) -> str:
    """What is wrong with a clock that lies far behind the one by which it was last looked; empty where nothing is.

    What that one did, or skipped, is accounted for: without a word, nothing would be due until it is that late again.
    """
    seen = leases.until(c, _SEEN)
    if seen is None or seen - now <= AWAY:
        return ""
    return f"it is {now:%Y-%m-%d %H:%M} UTC, but it was {seen:%Y-%m-%d %H:%M} when this state was last used: what was due by then counts as done"


def _since(c: Connection, job: Job, alive: dt.datetime | None, now: dt.datetime) -> dt.datetime:
    """Up to when its times are accounted for. ``alive`` is when somebody last looked at any job."""
    since, mark = runs.scheduled(c, job.name, said(job), now), f"{_SEEN} {job.name} @ {said(job)}"[:300]
    seen = leases.until(c, mark)
    _see(c, mark, now)
    if alive is None or (seen is not None and alive - seen < AWAY):
        return since
    runs.settle(c, job.name, said(job), now)
    return max(since, now)


def _see(c: Connection, mark: str, now: dt.datetime) -> None:
    """Remembers, to some minutes, when it was looked at something: as the end of a lease that nobody else wants."""
    seen = leases.until(c, mark)
    if seen is None or now - seen > _MINUTES:
        leases.take(c, mark, _SEEN, now, 0)


def said(job: Job) -> str:
    """A schedule as the store knows it."""
    return f"{' '.join(job.schedule.cron.value.split())} {job.schedule.zone.key}"


def free(c: Connection, jobs: Sequence[Job], holder: str) -> None:
    for job in jobs:
        leases.release(c, _busy(job), holder)


def was_tried(c: Connection, job: Job, at: dt.datetime) -> bool:
    """Whether a time was tried in vain."""
    return leases.until(c, _trying(job, at)) is not None


def tried(c: Connection, turn: Turn, now: dt.datetime) -> dt.datetime:
    """Remembers that a time was tried in vain, and says until when its owner is not told of it: an hour after the first try."""
    name = _trying(turn.job, turn.due.at)
    found = leases.until(c, name)
    if found is None:
        found = now + GRACE
        leases.take(c, name, "tried", now, GRACE.total_seconds())
    return found


def _busy(job: Job) -> str:
    return f"busy {job.name}"[:300]


def _trying(job: Job, at: dt.datetime) -> str:
    """The lease table is where short-lived things are remembered; this one is swept a day after it has run out."""
    return f"tried {at:%Y-%m-%dT%H:%M} {job.name}"[:300]
