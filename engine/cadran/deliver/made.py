"""A report's messages at one of its times, or why there are none: what ``ready`` and ``per`` say is done here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from cadran.deliver import per
from cadran.deliver.computing import kpis_of
from cadran.deliver.ready import unready
from cadran.publish.gather import chosen_kpis

if TYPE_CHECKING:
    from cadran.compute.results import Results
    from cadran.declare.model import Report
    from cadran.deliver.messages import Composer, Outgoing
    from cadran.deliver.turns import Turn
    from cadran.problems import Problem
    from cadran.project import Project

_MOST = 3  # problems that a reason lists
_TOGETHER = "'show: top' puts this value together with others, and nobody gets what is not theirs alone"


@dataclass(frozen=True, slots=True)
class Made:
    """``waiting`` stays due. Of what is skipped or failed, the messages say who would have got it."""

    state: Literal["done", "skipped", "failed", "waiting"]
    messages: Sequence[Outgoing] = ()
    reason: str = ""


def failing(problems: Iterable[Problem]) -> str:
    """Problems as one line."""
    texts = list(dict.fromkeys(f"{p.subject}: {p.message}" if p.subject else p.message for p in problems))
    more = f"; and {len(texts) - _MOST} more" if len(texts) > _MOST else ""
    return "; ".join(texts[:_MOST]) + more


def reported(
    composer: Composer,
    project: Project,
    turn: Turn,
    results: Results,
    now: dt.datetime,
    *,
    trial: bool = False,
) -> Made:
    """A ``trial`` writes no file. Raises ProblemsFound where it cannot be rendered."""
    job, at = turn.job, turn.due.at
    found = unready(job.ready, results, kpis_of(results.declaration, job))
    reason = "; ".join(found)
    if found and now < at + job.wait:
        return Made("waiting", reason=reason)
    banner = composer.not_ready(job.report, found) if found and job.report is not None else ""
    messages: Sequence[Outgoing] = ()
    if not trial or (job.report is not None and job.report.to):
        messages = _messages(composer, project, turn, results, now, banner)
    if not found or job.ready.otherwise == "banner":
        return Made("done", messages)
    left = [replace(m, sealed=b"", skipped=reason) for m in messages]
    return Made("skipped" if job.ready.otherwise == "skip" else "failed", left, reason)


def _messages(
    composer: Composer, project: Project, turn: Turn, results: Results, now: dt.datetime, banner: str
) -> list[Outgoing]:
    job, at, late = turn.job, turn.due.at, turn.due.late
    report = job.report
    assert report is not None
    if not report.to:
        _into_folder(project, turn, results)
        return []
    return messages(
        composer, report, results, job=job.name, logical_time=at, banner=banner, late=late, now=now
    )


def messages(
    composer: Composer, report: Report, results: Results, *, job: str, logical_time: dt.datetime, banner: str = "", late: bool = False,
    now: dt.datetime | None = None,
) -> list[Outgoing]:  # fmt: skip
    """To everybody who gets the report; one for each value where it is ``per`` a segment. Raises ProblemsFound."""
    render = partial(composer.report, job=job, logical_time=logical_time, now=now)
    if report.per is None:
        return render(report, results, banner=banner, late=late)
    kpis = [kpi.name for kpi in chosen_kpis(results.declaration, report)]
    segment, out = report.per.segment.value, []
    for value in per.values(results, segment, kpis):
        own, narrowed = per.narrowed(report, results, segment, value, kpis)
        address = report.per.addresses.get(value, "")
        out += render(own, narrowed, banner=banner, about=value, address=address, late=late)
    if per.put_together(results, segment, kpis):
        own, narrowed = per.narrowed(report, results, segment, per.OTHER, kpis)
        some = render(own, narrowed, about=per.OTHER)
        out += [replace(m, sealed=b"", skipped=m.skipped or _TOGETHER) for m in some]
    return out


def _into_folder(project: Project, turn: Turn, results: Results) -> None:
    """A report that names no channel is a file in the project's folder. It is written before it is claimed: twice is once."""
    from cadran.problems import ProblemsFound
    from cadran.publish.deliver import deliver
    from cadran.resources import template_folders

    report = turn.job.report
    assert report is not None
    declaration = replace(results.declaration, reports={report.name: report})
    folders = template_folders(declaration.folder)
    found = deliver(results, declaration, project.plugins.notifier, template_folders=folders)
    problems = [problem for one in found for problem in one.problems]
    if problems:
        raise ProblemsFound(problems)
