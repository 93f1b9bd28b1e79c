"""The jobs of a project: each report that has a schedule, and the judging of alerts where it has one, or somebody hears of
them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from cadran.calendar import Duration
from cadran.declare.model import Declaration, Ready, Report, Schedule, Text

ALERTS = "alerts"
_DAILY = "0 6 * * *"


@dataclass(frozen=True, slots=True)
class Job:
    """``report`` is None of the judging of alerts. ``owner`` hears of what goes wrong."""

    name: str  # report:weekly_sales, alerts
    schedule: Schedule
    report: Report | None = None

    @property
    def ready(self) -> Ready:
        return (self.report.ready if self.report is not None else None) or Ready()

    @property
    def owner(self) -> str:
        return self.report.owner if self.report is not None else ""

    @property
    def wait(self) -> dt.timedelta:
        """How long after its time it may wait for its data."""
        return length(self.ready.wait)


def length(duration: Duration) -> dt.timedelta:
    """A duration as it passes, its days as 24 hours."""
    return dt.timedelta(days=duration.days, seconds=duration.seconds)


def jobs(declaration: Declaration) -> list[Job]:
    """In the order of the file, the alerts first: reports may tell what these have found."""
    wanted = declaration.routes or declaration.judging is not None
    judging = [Job(ALERTS, judged(declaration))] if wanted else []
    reports = declaration.reports.values()
    return judging + [
        Job(f"report:{one.name}", one.schedule, one) for one in reports if one.schedule is not None
    ]


def judged(declaration: Declaration) -> Schedule:
    """When alerts are judged: as declared, else every morning at six in the calendar's zone."""
    if declaration.judging is not None:
        return declaration.judging
    return Schedule(Text(_DAILY, declaration.place), declaration.calendar.zone)
