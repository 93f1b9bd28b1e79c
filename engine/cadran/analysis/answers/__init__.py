"""What analyses give, as frozen values: numbers and days and names, never words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cadran.analysis.answers.changed import (
    MilestoneAnswer,
    MilestoneQuestion,
    Side,
    WhyAnswer,
    WhyPart,
    WhyQuestion,
    WhySplit,
)
from cadran.analysis.answers.followed import (
    CohortAnswer,
    CohortCell,
    CohortMatrix,
    CohortRow,
    FunnelAnswer,
    FunnelFigures,
    RuleCount,
    RuleSeen,
    ScoreAnswer,
    Scored,
    ScoredRow,
    StepFigures,
    Value,
)
from cadran.analysis.answers.foretold import (
    ForecastAnswer,
    ForecastFigures,
    ForecastStage,
    ForecastTest,
    Interval,
    PaceAnswer,
    PaceFigures,
    PastForecast,
    Projection,
    Reason,
)

__all__ = [
    "Answers",
    "CohortAnswer",
    "CohortCell",
    "CohortMatrix",
    "CohortRow",
    "ForecastAnswer",
    "ForecastFigures",
    "ForecastStage",
    "ForecastTest",
    "FunnelAnswer",
    "FunnelFigures",
    "Interval",
    "MilestoneAnswer",
    "MilestoneQuestion",
    "PaceAnswer",
    "PaceFigures",
    "PastForecast",
    "Projection",
    "Reason",
    "RuleCount",
    "RuleSeen",
    "ScoreAnswer",
    "Scored",
    "ScoredRow",
    "Side",
    "StepFigures",
    "Value",
    "WhyAnswer",
    "WhyPart",
    "WhyQuestion",
    "WhySplit",
]


@dataclass(frozen=True, slots=True)
class Answers:
    """Everything that was asked for beside KPIs, by name."""

    funnels: Mapping[str, FunnelAnswer] = field(default_factory=dict)
    cohorts: Mapping[str, CohortAnswer] = field(default_factory=dict)
    scores: Mapping[str, ScoreAnswer] = field(default_factory=dict)
    scored: Mapping[str, tuple[ScoredRow, ...]] = field(default_factory=dict)  # by score, the rows asked for
    whys: Mapping[WhyQuestion, WhyAnswer] = field(default_factory=dict)
    milestones: Mapping[MilestoneQuestion, MilestoneAnswer] = field(default_factory=dict)
    pace: Mapping[str, PaceAnswer] = field(default_factory=dict)
    forecasts: Mapping[str, ForecastAnswer] = field(default_factory=dict)
