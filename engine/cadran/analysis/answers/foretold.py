"""What is to come: paces of running periods, and forecasts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cadran.compute.results import Number

Value = tuple[str, ...]  # a segment's value, or those of a cross; empty for the total


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
