"""Which jobs a project has, and when those that say nothing are due."""

from __future__ import annotations

from collections.abc import Callable

from cadran.deliver.jobs import Job, jobs
from deliver.projects import Small

Make = Callable[..., Small]


def _jobs(made: Small) -> list[Job]:
    declaration, problems = made.project.declaration()
    assert declaration is not None, problems
    return jobs(declaration)


def _said(made: Small) -> list[tuple[str, str, str, str]]:
    return [
        (job.name, job.schedule.cron.value, str(job.schedule.zone), job.schedule.catch_up)
        for job in _jobs(made)
    ]


REPORTS = """
reports:
  never: {kpis: [revenue]}
  weekly: {kpis: [revenue], schedule: {cron: "0 7 * * MON", timezone: America/New_York, catch_up: all}, owner: ana@example.com, ready: {max_age: 1d, wait: 90 min}}
"""
ROUTES = """
  mail: {notifier: email, smtp: "smtp://127.0.0.1:1", from: kpi@example.com}
routes: [{to: [{channel: mail, to: [ops@example.com]}]}]
"""


def test_reports_with_a_schedule(small: Make) -> None:
    made = small(REPORTS)
    assert _said(made) == [("report:weekly", "0 7 * * MON", "America/New_York", "all")]
    [job] = _jobs(made)
    assert (job.owner, job.wait.total_seconds()) == ("ana@example.com", 5400)


def test_alerts_are_judged_where_somebody_hears_of_them(small: Make) -> None:
    assert _said(small(ROUTES + REPORTS))[0] == ("alerts", "0 6 * * *", "Europe/Paris", "latest")


def test_alerts_with_a_schedule_are_judged_though_nobody_hears_of_them(small: Make) -> None:
    assert _said(small('alerts: {schedule: "0 9 * * *"}\n')) == [
        ("alerts", "0 9 * * *", "Europe/Paris", "latest")
    ]


def test_alerts_may_have_a_schedule_of_their_own(small: Make) -> None:
    made = small(ROUTES + 'alerts: {schedule: "*/30 * * * *"}\n')
    assert _said(made) == [("alerts", "*/30 * * * *", "Europe/Paris", "latest")]
