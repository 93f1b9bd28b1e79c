"""What analyses give, as frozen values: numbers, days and names, never words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

from cadran.compute.results import Number, State

Value = tuple[str, ...]  # a segment's value, or those of a cross; empty for the total


@dataclass(frozen=True, slots=True)
class StepFigures:
    """One step of a funnel in one period.

    ``of_previous`` and ``of_first`` are shares from 0 to 1, None where nobody came so far; ``days`` the median from the
    step before; ``skipped`` counts those who reached the step but not all before it, or not in order: they are no part
    of ``count``.
    """

    name: str
    count: int
    of_previous: float | None = None
    of_first: float | None = None
    days: float | None = None
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class FunnelFigures:
    """The steps of those who entered in one period, in all or of one segment value."""

    grain: str
    period: str
    period_start: dt.date | None
    period_end: dt.date | None
    state: State
    segment: Value
    segment_value: Value
    steps: tuple[StepFigures, ...]


@dataclass(frozen=True, slots=True)
class FunnelAnswer:
    name: str
    figures: tuple[FunnelFigures, ...]  # in order of grain, period, segment


@dataclass(frozen=True, slots=True)
class CohortCell:
    """``value`` is the formula's at this age; ``rate`` what it is of the cohort's size, or per head."""

    age: int
    period: str
    value: Number | None
    rate: float | None
    state: State


@dataclass(frozen=True, slots=True)
class CohortRow:
    """Those who began in one period; ``cells`` from age 0 on, as far as the clock has come."""

    period: str
    period_start: dt.date
    size: Number | None
    cells: tuple[CohortCell, ...]


@dataclass(frozen=True, slots=True)
class CohortMatrix:
    """One matrix, of all or of one segment value. ``average`` weighs each cohort by its size, final cells alone."""

    segment: Value
    segment_value: Value
    rows: tuple[CohortRow, ...]
    average: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class CohortAnswer:
    name: str
    matrices: tuple[CohortMatrix, ...]  # that of all first


@dataclass(frozen=True, slots=True)
class RuleCount:
    """In how many of the rows a rule holds, and in how many its points count."""

    number: int
    holds: int
    counts: int


@dataclass(frozen=True, slots=True)
class Scored:
    """One row of a score's list: its key, points, band, what it shows, and which rules gave it points."""

    key: tuple[Any, ...]
    points: Decimal
    band: str
    shown: tuple[Any, ...] = ()
    rules: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleSeen:
    """A rule over one row: whether it holds, whether its points count, and the row's values that it looks at."""

    number: int
    holds: bool
    counts: bool
    seen: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class ScoredRow:
    """One row of a dataset and all rules of a score; ``found`` False where no row has that key."""

    key: tuple[Any, ...]
    found: bool = True
    points: Decimal = Decimal(0)
    band: str = ""
    rules: tuple[RuleSeen, ...] = ()


@dataclass(frozen=True, slots=True)
class ScoreAnswer:
    """``best`` are the highest of ``listed`` rows, ``bands`` how many of them are in each, ``rules`` of all rows."""

    name: str
    rows: int
    listed: int
    bands: Mapping[str, int]
    rules: tuple[RuleCount, ...]
    best: tuple[Scored, ...]


@dataclass(frozen=True, slots=True)
class WhyQuestion:
    """Why did ``kpi`` change? ``period`` is a label, a grain (its last final period), or empty: that of the finest grain.

    ``by`` names one segment of the KPI, or a cross; None asks for all of them.
    """

    kpi: str
    period: str = ""
    against: Literal["previous", "year_ago"] = "previous"
    by: Value | None = None


@dataclass(frozen=True, slots=True)
class WhyPart:
    """What one segment value brought to a change: ``effect`` is ``rate`` plus ``mix``, all three exact.

    Of a KPI that is a sum, ``rate`` and ``mix`` are None. ``then`` and ``now`` are the KPI's values for the segment value
    (None where it has none), ``weight_then`` and ``weight_now`` its shares of the denominator, of a sum those of the sum
    (None where that is 0).
    """

    segment_value: Value
    effect: Fraction
    rate: Fraction | None
    mix: Fraction | None
    then: Fraction | None
    now: Fraction | None
    weight_then: Fraction | None
    weight_now: Fraction | None


@dataclass(frozen=True, slots=True)
class WhySplit:
    """A change over the values of one segment, the largest part first; the effects and ``rest`` add up to it exactly.

    ``rest`` is what cannot be split: what is counted under several values, or under none.
    """

    segment: Value
    parts: tuple[WhyPart, ...]
    rest: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class WhyAnswer:
    """``splits`` stand in order of how much they explain. Where there is nothing to split, ``missing`` says why:
    no final period yet, no value in the period, or none in the one that it is compared with."""

    question: WhyQuestion
    grain: str
    period: str = ""
    against_period: str = ""
    state: State = "final"
    then: Fraction | None = None
    now: Fraction | None = None
    additive: bool = False
    splits: tuple[WhySplit, ...] = ()
    missing: Literal["", "final", "now", "then"] = ""

    @property
    def change(self) -> Fraction | None:
        return self.now - self.then if self.now is not None and self.then is not None else None


@dataclass(frozen=True, slots=True)
class MilestoneQuestion:
    """What was ``kpi`` in the ``months`` before a milestone, and in those after it?"""

    kpi: str
    milestone: str
    months: int = 6


@dataclass(frozen=True, slots=True)
class Side:
    """Some months as one span: its first and last day, how many of them are final and covered by data, and the KPI's
    value over it; ``hits`` and ``number`` where that is a share, ``number`` and ``deviation`` where it is a mean."""

    first: dt.date
    last: dt.date
    months: int = 0
    value: Number | None = None
    hits: int | None = None
    number: int | None = None
    deviation: float | None = None


@dataclass(frozen=True, slots=True)
class MilestoneAnswer:
    """``before`` and ``after`` a milestone, and the same months a year ``earlier``; no value where a side is not complete.

    ``missing``: a side has too few months (``enough_on`` is when the later one will have them), there is no value
    (``data``), or the KPI has no value over several months, for the reason in ``refused`` and its ``what``.
    ``sure``: the interval for the change at 95 %, or why there is none.
    """

    question: MilestoneQuestion
    day: dt.date
    before: Side
    after: Side
    earlier: tuple[Side, Side]
    missing: Literal["", "before", "after", "data", "refused"] = ""
    enough_on: dt.date | None = None
    refused: str = ""
    what: str = ""
    sure: Literal["interval", "few", "neither"] = "neither"
    interval: tuple[float, float] | None = None

    @property
    def clear(self) -> bool | None:
        """Whether the interval leaves no doubt that something changed; None without one."""
        return None if self.interval is None else not self.interval[0] <= 0 <= self.interval[1]


@dataclass(frozen=True, slots=True)
class Interval:
    """Between which values something lies with probability ``level``."""

    level: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Projection:
    """Where a running period will end.

    ``periods`` final ones are behind it. ``error`` is the mean absolute percentage error of the same projection made at
    the same elapsed part of ``tested`` past periods, ``naive_error`` that of saying each time what came the period before.
    ``chance`` is the probability that the period's target is met.
    """

    value: float
    intervals: tuple[Interval, ...]
    periods: int
    error: float | None
    naive_error: float | None
    tested: int
    chance: float | None = None


Reason = Literal["", "few", "later"]


@dataclass(frozen=True, slots=True)
class PaceFigures:
    """A KPI in a running period of which the part ``elapsed`` is over, in all or of one segment value.

    ``value`` is that to date, ``previous`` and ``year_ago`` are the others' at the same elapsed part, ``target`` is the
    whole period's (``target_high`` of a range). ``left`` is target minus value; ``per_day`` that for each of
    ``working_days``, today included, where a KPI adds up over days and something is left. ``projection`` is None for a
    ``reason``: ``few`` final periods; or ``later``, as what its past periods are known to hold by now was not known at
    the same elapsed part (then there is nothing to compare with, either).
    """

    grain: str
    period: str
    period_start: dt.date
    period_end: dt.date
    elapsed: float
    segment: Value
    segment_value: Value
    value: Number | None
    previous: Number | None
    year_ago: Number | None
    projection: Projection | None
    reason: Reason
    target: Number | None
    target_high: Number | None
    left: Number | None
    working_days: int
    per_day: Number | None
    spreads: bool  # whether the KPI adds up over days


@dataclass(frozen=True, slots=True)
class PaceAnswer:
    name: str  # the KPI's
    figures: tuple[PaceFigures, ...]  # by grain; of each, all first


@dataclass(frozen=True, slots=True)
class ForecastFigures:
    """One period: ``won`` in it so far, ``open`` what the open deals will bring, ``new`` those that are still to come.

    ``value`` is all three together; None, and without intervals, where too little is known of deals still to come.
    """

    period: str
    period_start: dt.date
    period_end: dt.date
    segment: Value
    segment_value: Value
    won: float
    open: float
    new: float | None
    value: float | None
    intervals: tuple[Interval, ...] = ()


@dataclass(frozen=True, slots=True)
class ForecastStage:
    """The ``deals`` that are open in a stage (empty: in none) and their ``amount``; of the ``decided`` deals that had entered
    it, ``rate`` is the share of amounts that was won, and ``days`` the median until then."""

    stage: str
    deals: int
    amount: float
    rate: float | None
    days: float | None
    decided: int


@dataclass(frozen=True, slots=True)
class ForecastTest:
    """How good forecasts ``step`` periods ahead were: ``bias`` is what all of them together were too high (as a share of
    what came), ``error`` the mean absolute percentage error, ``naive_error`` that of what the period before had brought,
    ``coverage`` how often the interval of each level held what came."""

    step: int
    forecasts: int
    bias: float | None
    error: float | None
    naive_error: float | None
    coverage: Mapping[float, float]


@dataclass(frozen=True, slots=True)
class PastForecast:
    """A forecast as it would have been made at the same point of an earlier period, and what came."""

    made_in: str
    period: str
    step: int
    value: float
    came: float
    intervals: tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class ForecastAnswer:
    """``unit`` is the currency of its amounts, empty where there is none or where deals are counted."""

    name: str
    grain: str
    unit: str
    figures: tuple[ForecastFigures, ...]  # all first
    stages: tuple[ForecastStage, ...]
    tests: tuple[ForecastTest, ...]
    past: tuple[PastForecast, ...]


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
