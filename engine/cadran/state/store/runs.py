"""Jobs and their runs: whoever inserts a job's logical time first has it, and nobody else ever will."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, Select, func, or_, select, update

from cadran.state.store.adding import unless_there
from cadran.state.store.tables import job as jobs
from cadran.state.store.tables import run as runs

RunState = Literal["done", "skipped", "failed"]


@dataclass(frozen=True, slots=True)
class Run:
    """What became of a job at one logical time. ``number`` is what observations, transitions and deliveries point to."""

    number: int
    job: str
    logical_time: dt.datetime
    state: RunState
    reason: str
    started: dt.datetime
    finished: dt.datetime
    host: str


def first_seen(c: Connection, job: str, now: dt.datetime) -> dt.datetime:
    """When the job was first asked about, which is ``now`` if it never was. Logical times before that are nobody's."""
    c.execute(unless_there(c, jobs).values(name=job, since=now))
    since: dt.datetime = c.execute(select(jobs.c.since).where(jobs.c.name == job)).scalar_one()
    return since


def scheduled(c: Connection, job: str, schedule: str, now: dt.datetime) -> dt.datetime:
    """Up to when a job's times by one schedule are accounted for, or are nobody's: it was first seen then."""
    return first_seen(c, _scheduled(job, schedule), now)


def accounted(c: Connection, job: str, schedule: str) -> dt.datetime | None:
    """What :func:`scheduled` says, of a schedule that was seen before."""
    since: dt.datetime | None = c.execute(
        select(jobs.c.since).where(jobs.c.name == _scheduled(job, schedule))
    ).scalar()
    return since


def settle(c: Connection, job: str, schedule: str, until: dt.datetime) -> None:
    """Writes down that every time of a schedule up to ``until`` is accounted for."""
    name = _scheduled(job, schedule)
    c.execute(update(jobs).where(jobs.c.name == name, jobs.c.since < until).values(since=until))


def _scheduled(job: str, schedule: str) -> str:
    return f"{job} @ {schedule}"[:300]


def claim(
    c: Connection, *, job: str, logical_time: dt.datetime, state: RunState, reason: str = "", started: dt.datetime,
    finished: dt.datetime, host: str = "",
) -> int | None:  # fmt: skip
    """The number of the new run, or None where the job has one at this logical time: then nothing else may be written.

    Made in the same transaction as all that the run leaves behind, so that there is never one without the other.
    """
    values = {
        "job": job, "logical_time": logical_time, "state": state, "reason": reason, "started": started, "finished": finished,
        "host": host,
    }  # fmt: skip
    number: int | None = c.execute(unless_there(c, runs).values(values).returning(runs.c.id)).scalar()
    return number


def ran(c: Connection, job: str, since: dt.datetime | None = None) -> dict[dt.datetime, Run]:
    """The job's runs by logical time, the oldest first; those from ``since`` on."""
    query = select(runs).where(runs.c.job == job).order_by(runs.c.logical_time)
    if since is not None:
        query = query.where(runs.c.logical_time >= since)
    return {run.logical_time: run for run in _read(c, query)}


def newest(c: Connection, job: str) -> Run | None:
    """The job's run of the latest logical time."""
    query = select(runs).where(runs.c.job == job).order_by(runs.c.logical_time.desc()).limit(1)
    return next(iter(_read(c, query)), None)


def failing(c: Connection, job: str) -> tuple[Run, Run] | None:
    """The first and the newest of its runs that failed since one was done; None where none did."""
    done = (
        select(func.max(runs.c.logical_time))
        .where(runs.c.job == job, runs.c.state == "done")
        .scalar_subquery()
    )
    since = or_(done.is_(None), runs.c.logical_time > done)
    query = (
        select(runs).where(runs.c.job == job, runs.c.state == "failed", since).order_by(runs.c.logical_time)
    )
    found = _read(c, query)
    return (found[0], found[-1]) if found else None


def _read(c: Connection, query: Select[Any]) -> list[Run]:
    return [_run(row) for row in c.execute(query)]


def _run(row: Row[Any]) -> Run:
    return Run(row.id, row.job, row.logical_time, row.state, row.reason, row.started, row.finished, row.host)
