"""One run of a project: its KPIs, and what is asked beside them, computed and judged as of one time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from cadran.analysis.analyse import Analyses, Needed, Wanted, of_report, of_reports, without
from cadran.compute.cells.computed import Computed, Request
from cadran.compute.planning.selection import choose, with_segments
from cadran.compute.results import Results
from cadran.compute.spans import Clock
from cadran.declare.model import Declaration
from cadran.deliver.telling import RunTold
from cadran.project.clock import AsOf, clock_of
from cadran.project.computing import compute
from cadran.project.declared import Declared
from cadran.project.judging import judged
from cadran.project.opened import Opened, Progress, opened

Asked = Wanted | Literal["reports", "all"] | None


@dataclass(frozen=True, slots=True)
class Run:
    """What a run is asked for, as :meth:`~cadran.project.Project.run` explains it."""

    kpis: Sequence[str]
    as_of: AsOf
    since: dt.date | None
    until: dt.date | None
    segment: Sequence[str]
    full: bool
    counting: bool
    analyses: Asked
    apart: Collection[str]
    sync: bool
    progress: Progress

    def clock_and_names(self, declaration: Declaration) -> tuple[Clock, list[str]]:
        """As of when, and which KPIs. Raises ProblemsFound."""
        names = with_segments(declaration, choose(declaration, self.kpis), self.segment)
        return clock_of(declaration, self.as_of), names


def ran(project: Declared, run: Run, told: RunTold) -> Results:
    """Raises ProblemsFound."""
    with opened(project, apart=run.apart, syncing=run.sync, progress=run.progress) as found:
        told.begin(found.declaration, lambda: run.clock_and_names(found.declaration))
        declaration = found.checked().declaration
        clock, names = run.clock_and_names(declaration)
        request = Request(names, run.since, run.until)
        beside = _beside(found, run.analyses, clock, run.apart)
        if beside is not None:
            request = replace(request, behind=beside.asking.behind, listings=beside.asking.listings)
        computed = compute(found, clock, request, run.progress, full=run.full, counting=run.counting)
        answers = beside.answers(computed) if beside is not None else None
    results = judged(declaration, computed, clock, [*found.problems, *computed.warnings], run.segment)
    return replace(results, answers=answers)


def nothing(declaration: Declaration, run: Run) -> Results:
    """What a run gives that no KPI is left of. Raises ProblemsFound."""
    clock, _ = run.clock_and_names(declaration)
    return judged(declaration, Computed(), clock, ())


def analysed(
    project: Declared, wanted: Wanted | Callable[[Declaration], Wanted], as_of: AsOf, apart: Collection[str], progress: Progress
) -> Results:  # fmt: skip
    """Analyses alone. Raises Needed where one rests on what stands ``apart``, and ProblemsFound."""
    with opened(project, apart=apart) as found:
        declaration, clock = found.checked().declaration, clock_of(found.declaration, as_of)
        asked = wanted(declaration) if callable(wanted) else wanted
        beside = _beside(found, asked, clock, apart, whole=True)
        if beside is None:
            return judged(declaration, Computed(), clock, found.problems)
        request = Request((), behind=beside.asking.behind, listings=beside.asking.listings)
        computed = compute(found, clock, request, progress)
        answers = beside.answers(computed)
    results = judged(declaration, computed, clock, [*found.problems, *computed.warnings])
    return replace(results, answers=answers)


def _beside(
    found: Opened, wanted: Asked, clock: Clock, apart: Collection[str], *, whole: bool = False
) -> Analyses | None:
    """What is asked beside KPIs, without what rests on datasets that stand ``apart`` (``whole``: raises Needed where something does);
    the model then holds what that rests on as well."""
    declaration = found.declaration
    if isinstance(wanted, str):
        wanted = of_reports(declaration) if wanted == "reports" else of_report(None, declaration)
    if wanted and apart:
        asked_for, wanted = wanted, without(wanted, declaration, found.model, clock, frozenset(apart))
        if whole and wanted.count != asked_for.count:
            raise Needed
    if not wanted:
        return None
    analyses = Analyses(wanted, declaration, found.model, clock)
    found.model = analyses.asking.model
    return analyses
