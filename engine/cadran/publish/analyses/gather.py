"""The analyses that one report shows, out of all that a run answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from cadran.analysis.analyse import of_report
from cadran.publish.analyses.cohorts import CohortBlock, cohort_block
from cadran.publish.analyses.funnels import FunnelBlock, funnel_block
from cadran.publish.analyses.scores import ScoreBlock, score_block
from cadran.publish.choose import Wanted
from cadran.publish.figures import Figures

if TYPE_CHECKING:
    from cadran.compute.results import Results
    from cadran.declare.model import Report


class Answered(TypedDict):
    """The fields of a report's context that analyses fill."""

    scores: tuple[ScoreBlock, ...]
    funnels: tuple[FunnelBlock, ...]
    cohorts: tuple[CohortBlock, ...]


def answered(results: Results, report: Report | None, figures: Figures, at: Wanted) -> Answered:
    """In the report's order; nothing where the run was not asked for analyses."""
    wanted, answers = of_report(report, figures.declaration), results.answers
    if answers is None:
        return Answered(scores=(), funnels=(), cohorts=())
    grain, period = str(at.grain or ""), at.label
    funnels = (
        funnel_block(answers.funnels[name], figures, grain, period)
        or funnel_block(answers.funnels[name], figures)
        for name in wanted.funnels
        if name in answers.funnels
    )
    cohorts = (
        cohort_block(answers.cohorts[name], figures) for name in wanted.cohorts if name in answers.cohorts
    )
    return Answered(
        scores=tuple(score_block(answers.scores[n], figures) for n in wanted.scores if n in answers.scores),
        funnels=tuple(filter(None, funnels)),
        cohorts=tuple(filter(None, cohorts)),
    )
