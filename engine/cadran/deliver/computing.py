"""What jobs of one logical time need is computed once for all of them, and each alone only where that fails."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cadran.problems import Problem, ProblemsFound

if TYPE_CHECKING:
    from cadran.analysis.analyse import Wanted
    from cadran.compute.results import Results
    from cadran.declare.model import Declaration, Report
    from cadran.deliver.jobs import Job
    from cadran.project import Project


@dataclass(frozen=True, slots=True)
class Computed:
    """The results of a job at its logical time, or the problems that there were instead."""

    results: Results | None
    problems: tuple[Problem, ...] = ()


def computed(
    project: Project, declaration: Declaration, jobs: Sequence[Job], at: dt.datetime
) -> dict[str, Computed]:
    """By job. A report of a fixed period is computed by itself, up to that period."""
    from cadran.publish.choose import Wanted as Shown

    out: dict[str, Computed] = {}
    together: list[Job] = []
    for job in jobs:
        fixed = Shown.of(job.report, declaration.calendar).fixed if job.report is not None else None
        if fixed is None:
            together.append(job)
        else:
            out[job.name] = _run(project, declaration, [job], at, fixed.last_day)
    if together:
        shared = _run(project, declaration, together, at)
        if shared.results is None and len(together) > 1:
            out |= {job.name: _run(project, declaration, [job], at) for job in together}
        else:
            out |= dict.fromkeys((job.name for job in together), shared)
    return out


def kpis_of(declaration: Declaration, job: Job) -> list[str]:
    """The KPIs that a report shows, or of the judging those that have rules; all, where datasets have expectations as well."""
    from cadran.publish.gather import chosen_kpis

    if job.report is not None:
        return [kpi.name for kpi in chosen_kpis(declaration, job.report)]
    expected = any(one.expect.max_age or one.expect.min_rows for one in declaration.datasets.values())
    kpis = [kpi for kpi in declaration.kpis.values() if kpi.reported and kpi.periods]
    return [kpi.name for kpi in kpis if kpi.alerts or expected]


def _run(
    project: Project, declaration: Declaration, jobs: Sequence[Job], at: dt.datetime, until: dt.date | None = None
) -> Computed:  # fmt: skip
    from cadran.compute.results import Results

    names = list(dict.fromkeys(name for job in jobs for name in kpis_of(declaration, job)))
    if not names and all(job.report is None for job in jobs):  # there may be alerts to end
        return Computed(Results((), at.astimezone(declaration.calendar.zone), declaration))
    if not names:
        return Computed(
            None, (Problem("no-kpis", "there is nothing to compute", hint="give a KPI an 'alert'"),)
        )
    reports = [job.report for job in jobs if job.report is not None]
    try:
        judging = any(job.report is None for job in jobs)
        wanted = _analyses(declaration, reports, judging=judging)
        return Computed(project.run(names, as_of=at, until=until, analyses=wanted))
    except ProblemsFound as found:
        return Computed(None, tuple(found.problems))


def _analyses(declaration: Declaration, reports: Sequence[Report], *, judging: bool) -> Wanted | None:
    """What reports show beside their KPIs; where alerts are judged, what their messages say of the change as well."""
    from cadran.analysis.analyse import of_reports
    from cadran.publish.letters.alerts import to_explain

    wanted = of_reports(replace(declaration, reports={report.name: report for report in reports}))
    if judging:
        moves = dict.fromkeys([*wanted.moves, *to_explain(declaration).moves])
        wanted = replace(wanted, moves=tuple(moves))
    return wanted or None
