"""What changed: explanations, and comparisons around a milestone."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from cadran.compute.results import Number, State

Value = tuple[str, ...]  # a segment's value, or those of a cross; empty for the total


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
