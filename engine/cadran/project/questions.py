"""What is asked of one KPI beside a run: how it is computed, and what alert rules would have done over its history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence

from cadran.analysis.analyse import Needed
from cadran.compute.cells.computed import Request
from cadran.compute.planning.selection import choose
from cadran.compute.results import Results
from cadran.compute.spans import BEGINNING
from cadran.declare.model import AlertRule, Declaration
from cadran.judge.backtested import Backtest
from cadran.project.clock import AsOf, clock_of
from cadran.project.computing import compute
from cadran.project.declared import Declared
from cadran.project.judging import judged
from cadran.project.opened import Progress, dependencies, opened


def explained(project: Declared, kpi: str, as_of: AsOf, apart: Collection[str], *, analyze: bool) -> str:
    """Raises Needed where the KPI rests on what stands ``apart``, and ProblemsFound."""
    from cadran.publish.explain import explain

    with opened(project, apart=apart) as found:
        declaration = found.checked().declaration
        names, clock = choose(declaration, [kpi]), clock_of(declaration, as_of)
        if apart and not {*apart}.isdisjoint(dependencies(project, every=True)[names[0]]):
            raise Needed
        computed = compute(found, clock, Request(names), explained=True)
    results = judged(declaration, computed, clock, found.problems)
    return explain(declaration, found.model, names[0], results, analyze=analyze)


def replayed(
    project: Declared, kpi: str, rules: Callable[[Declaration], Sequence[AlertRule]], since: dt.date | None, until: dt.date | None,
    as_of: AsOf, given: Sequence[str], name: str, progress: Progress,
) -> tuple[Backtest, Results]:  # fmt: skip
    """Raises ProblemsFound."""
    from cadran.testing.backtest import backtested, with_rules

    with opened(project, amend=lambda declared: with_rules(declared, kpi, rules(declared))) as found:
        declaration, clock = found.checked().declaration, clock_of(found.declaration, as_of)
        request = Request((kpi,), since=clock.today, judged_since=since or BEGINNING)
        computed = compute(found, clock, request, progress)
        backtest = backtested(
            declaration, found.model, computed, clock, kpi, since=since, until=until, given=given, name=name
        )
    return backtest, judged(declaration, computed, clock, [*found.problems, *computed.warnings])
