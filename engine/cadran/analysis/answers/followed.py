"""What became of rows: funnels, cohorts, scores."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

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
