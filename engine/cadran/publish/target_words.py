"""A declared target as a definition says it: its formula, and what it is for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cadran.publish.context_kpi import TargetLine
from cadran.publish.figures import Figures
from cadran.publish.wording import GRAIN

if TYPE_CHECKING:
    from cadran.declare.model import TargetCase


def target_line(case: TargetCase, figures: Figures) -> TargetLine:
    ends = [case.value] if case.value else [case.low, case.high]
    formula = " – ".join(" ".join(end.value.split()) for end in ends if end)
    return TargetLine(figures.said(formula), figures.said(", ".join(_fits(case, figures))))


def _fits(case: TargetCase, figures: Figures) -> Iterator[str]:
    if case.segment == "total":
        yield figures.gettext("the total")
    elif case.segment:
        yield figures.placed(list(case.segment), list(case.segment.values()))
    if case.grain:
        yield figures.gettext(GRAIN[case.grain])
    if case.period:
        yield figures.form.period(case.period.value)
    if case.since:
        yield figures.gettext("since %(what)s", what=figures.form.date(case.since))
