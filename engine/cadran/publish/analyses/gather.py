"""The analyses that one report shows, out of all that a run answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

from cadran.analysis.analyse import of_report
from cadran.publish.analyses import milestones, why
from cadran.publish.analyses.cohorts import CohortBlock, cohort_block
from cadran.publish.analyses.forecasts import ForecastView, forecast_view
from cadran.publish.analyses.funnels import FunnelBlock, funnel_block
from cadran.publish.analyses.milestones import MilestoneView
from cadran.publish.analyses.pace import PaceView, pace_view
from cadran.publish.analyses.scores import ScoreBlock, score_block
from cadran.publish.analyses.why_view import Why
from cadran.publish.choose import Wanted
from cadran.publish.figures import Figures

if TYPE_CHECKING:
    from cadran.compute.results import Results
    from cadran.declare.model import Report


class Answered(TypedDict):
    """The fields of a report's context that analyses fill."""

    why: tuple[Why, ...]
    milestones: tuple[MilestoneView, ...]
    pace: PaceView | None
    forecasts: tuple[ForecastView, ...]
    scores: tuple[ScoreBlock, ...]
    funnels: tuple[FunnelBlock, ...]
    cohorts: tuple[CohortBlock, ...]


def answered(
    results: Results, report: Report | None, figures: Figures, at: Wanted, explained: Sequence[str]
) -> Answered:
    """In the report's order; nothing where the run was not asked for analyses. Of the KPIs in ``explained``, the first few
    have their change explained."""
    wanted, answers = of_report(report, figures.declaration), results.answers
    if answers is None:
        return Answered(why=(), milestones=(), pace=None, forecasts=(), scores=(), funnels=(), cohorts=())
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
    tags = {name[4:] for name in wanted.pace if name.startswith("tag:")}
    kpis = figures.declaration.kpis
    paced = [n for n in answers.pace if n in wanted.pace or tags & set(kpis[n].tags)]
    return Answered(
        why=why.for_report(answers, report, explained, figures),
        milestones=tuple(milestones.for_report(answers, report, figures)),
        pace=pace_view([answers.pace[n] for n in paced], figures) if paced else None,
        forecasts=tuple(
            forecast_view(answers.forecasts[n], figures) for n in wanted.forecasts if n in answers.forecasts
        ),
        scores=tuple(score_block(answers.scores[n], figures) for n in wanted.scores if n in answers.scores),
        funnels=tuple(filter(None, funnels)),
        cohorts=tuple(filter(None, cohorts)),
    )
