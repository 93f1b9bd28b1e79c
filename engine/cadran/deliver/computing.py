"""What jobs of one logical time need is computed once for all of them, and each alone only where that fails: then without
the KPIs that rest on what is broken."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cadran.deliver.broken import Broken, broken
from cadran.problems import Problem, ProblemsFound

if TYPE_CHECKING:
    from cadran.analysis.analyse import Wanted
    from cadran.compute.results import Results
    from cadran.declare.model import Declaration, Report
    from cadran.deliver.jobs import Job
    from cadran.project import Project


@dataclass(frozen=True, slots=True)
class Computed:
    """The results of a job at its logical time, or the problems that there were instead.

    Where a source or dataset is broken there may be both: the judging of alerts goes on without the KPIs that rest on it.
    """

    results: Results | None
    problems: tuple[Problem, ...] = ()
    broken: Broken = field(default_factory=Broken)
    asked: Collection[str] = ()  # KPIs


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
            out[job.name] = _alone(project, declaration, job, at, fixed.last_day)
    if together:
        shared = _run(project, declaration, together, at)
        if shared.results is not None:
            return out | dict.fromkeys((job.name for job in together), shared)
        out |= {job.name: _alone(project, declaration, job, at, known=shared) for job in together}
    return out


def kpis_of(declaration: Declaration, job: Job) -> list[str]:
    """The KPIs that a report shows, or of the judging those that have rules; all, where datasets have expectations as well."""
    from cadran.publish.gather import chosen_kpis

    if job.report is not None:
        return [kpi.name for kpi in chosen_kpis(declaration, job.report)]
    expected = any(one.expect.max_age or one.expect.min_rows for one in declaration.datasets.values())
    kpis = [kpi for kpi in declaration.kpis.values() if kpi.reported and kpi.periods]
    return [kpi.name for kpi in kpis if kpi.alerts or expected]


def _alone(
    project: Project, declaration: Declaration, job: Job, at: dt.datetime, until: dt.date | None = None, *, known: Computed | None = None
) -> Computed:  # fmt: skip
    """A job by itself, without what problems tell to be broken: alerts are judged of the KPIs that do not rest on it, a report
    needs all of its own."""
    found = known or _run(project, declaration, [job], at, until)
    if found.results is not None:
        return found
    try:
        rests = project.dependencies(every=True)
    except ProblemsFound:  # a formula that is wrong, whatever the data is like
        return found
    names, now, wrong = kpis_of(declaration, job), Broken(), Broken()
    own = {dataset for name in names for dataset in rests.get(name, ())} if job.report is not None else set()
    problems: list[Problem] = []
    while found.results is None:
        now = wrong.and_also(broken(found.problems, declaration, rests, found.asked))
        problems += found.problems
        left = names if job.report is not None else now.without(names, declaration, rests)
        if now == wrong or not left:
            break
        apart, wrong = now.apart(declaration) - own, now
        found = _run(project, declaration, [job], at, until, left, apart)
    if job.report is not None:
        return found
    return replace(found, problems=tuple(dict.fromkeys(problems)), broken=now)


def _run(
    project: Project, declaration: Declaration, jobs: Sequence[Job], at: dt.datetime, until: dt.date | None = None,
    kpis: Sequence[str] | None = None, apart: Collection[str] = (),
) -> Computed:  # fmt: skip
    from cadran.compute.results import Results

    names = list(dict.fromkeys(kpis or (name for job in jobs for name in kpis_of(declaration, job))))
    if not names and all(job.report is None for job in jobs):  # there may be alerts to end
        return Computed(Results((), at.astimezone(declaration.calendar.zone), declaration))
    if not names:
        return Computed(
            None, (Problem("no-kpis", "there is nothing to compute", hint="give a KPI an 'alert'"),)
        )
    reports = [job.report for job in jobs if job.report is not None]
    try:
        judging = names if any(job.report is None for job in jobs) else ()
        wanted = _analyses(declaration, reports, judging)
        return Computed(project.run(names, as_of=at, until=until, analyses=wanted, apart=apart))
    except ProblemsFound as found:
        return Computed(None, tuple(found.problems), asked=names)


def _analyses(declaration: Declaration, reports: Sequence[Report], judging: Collection[str]) -> Wanted | None:
    """What reports show beside their KPIs; what messages about the alerts of the ``judging`` KPIs say of the change as well."""
    from cadran.analysis.analyse import of_reports
    from cadran.publish.letters.alerts import to_explain

    wanted = of_reports(replace(declaration, reports={report.name: report for report in reports}))
    explained = [move for move in to_explain(declaration).moves if move.kpi in judging]
    return replace(wanted, moves=tuple(dict.fromkeys([*wanted.moves, *explained]))) or None
