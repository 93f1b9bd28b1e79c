"""A forecast from a pipeline: period by period what is won, what open deals will bring, and deals still to come.

Made again for earlier moments from what was known then, it shows how good such forecasts are. The interval adds up three
sources of chance: whether each open deal is won (independent of each other, with the chance ``q`` that its history gives:
``amount² · q(1 − q)``), how well that chance is known (``q(1 − q) / n``, the deals of a stage being off together), and what
new deals bring (the variance of a future observation, s²(1 + 1/m) over the m past ones). Degrees of freedom after
Satterthwaite, An Approximate Distribution of Estimates of Variance Components, Biometrics Bulletin 2 (1946).
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from cadran.analysis.pipeline import Chance, Open, Pipeline, Stage
from cadran.analysis.statistics import Prediction, predicted_mean

LOOKED_BACK = 12  # past moments that deals still to come are known from
LEAST = 6
TESTED = 12  # past moments at which it is made again
ALL = None  # the segment of all deals


@dataclass(frozen=True, slots=True)
class Window:
    """A period ``[start, stop)`` of local time."""

    start: dt.datetime
    stop: dt.datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """When a forecast is made, and the periods that it is for: the running one first."""

    at: dt.datetime
    windows: tuple[Window, ...]
    before: Window  # the period before


@dataclass(frozen=True, slots=True)
class Outlook:
    """One period: won already, expected of the open deals, and of those still to come (None: too little is known of them)."""

    won: float
    open: float
    new: float | None
    total: Prediction | None

    def interval(self, level: float) -> tuple[float, float] | None:
        """What is won already is not taken back."""
        if self.total is None:
            return None
        low, high = self.total.interval(level)
        return max(low, self.won), max(high, self.won)


@dataclass(frozen=True, slots=True)
class Tried:
    """A forecast made earlier beside what came; ``naive`` is what the period before it had brought."""

    step: int
    at: int  # which moment, counted back
    made: Outlook
    came: float
    naive: float


@dataclass(frozen=True, slots=True)
class Standing:
    """The histories of stages, and each open deal with its chance of being won in each window."""

    history: Mapping[str, Stage]
    open: Sequence[tuple[Open, Sequence[Chance]]]


class Forecaster:
    """``moments`` are the one that it is made at, and the same points of the periods before, going back."""

    def __init__(self, pipeline: Pipeline, moments: Sequence[Moment]) -> None:
        self.pipeline = pipeline
        first = pipeline.deals[0].opened if pipeline.deals else None
        self.moments = [m for n, m in enumerate(moments) if n == 0 or (first is not None and first <= m.at)]
        self._new: dict[tuple[int, int], Mapping[str | None, float]] = {}

    @cached_property
    def standing(self) -> Standing:
        """How the pipeline stands now."""
        return self._standing(self.moments[0])

    def now(self, segment: str | None = ALL) -> list[Outlook]:
        """Period by period, of all deals or of those of one segment value."""
        return self._outlooks(0, self.standing, segment)

    def tests(self) -> Iterator[Tried]:
        """What it would have said before, of periods that are over."""
        for back, moment in enumerate(self.moments[: TESTED + len(self.moments[0].windows)]):
            windows = [w for w in moment.windows if w.stop <= self.moments[0].at]
            if not windows:
                continue
            made = self._outlooks(back, self._standing(moment), ALL)
            naive = self._won(moment.before)
            for step, window in enumerate(windows):
                if back - step <= TESTED and made[step].total is not None:
                    yield Tried(step, back, made[step], self._won(window), naive)

    def _standing(self, moment: Moment) -> Standing:
        history = self.pipeline.history(moment.at)
        return Standing(history, _chances(self.pipeline.open(moment.at, history), history, moment))

    def _outlooks(self, back: int, standing: Standing, segment: str | None) -> list[Outlook]:
        own = [(one, chances) for one, chances in standing.open if segment in (ALL, one.deal.segment)]
        moment, out = self.moments[back], []
        for step, window in enumerate(moment.windows):
            won = self._won(Window(window.start, min(window.stop, _after(moment.at))), segment)
            expected = _expected((one, chances[step]) for one, chances in own)
            out.append(_together(won, expected, self._still_to_come(back, step, segment)))
        return out

    def _won(self, window: Window, segment: str | None = ALL) -> float:
        deals = self.pipeline.won(window.start, window.stop)
        return math.fsum(d.amount for d in deals if segment is ALL or d.segment == segment)

    def _still_to_come(self, back: int, step: int, segment: str | None) -> Prediction | None:
        """What deals opened after a moment bring in its n-th period, from earlier moments whose n-th period is over."""
        first = back + step + 1
        earlier = range(first, min(first + LOOKED_BACK, len(self.moments)))
        if len(earlier) < LEAST:
            return None
        return predicted_mean([self._brought_by_new(n, step).get(segment, 0.0) for n in earlier])

    def _brought_by_new(self, back: int, step: int) -> Mapping[str | None, float]:
        """By segment value, and in all."""
        if (back, step) not in self._new:
            moment, sums = self.moments[back], defaultdict[str | None, float](float)
            window = moment.windows[step]
            for deal in self.pipeline.won(window.start, window.stop):
                if deal.opened > moment.at:
                    sums[deal.segment] += deal.amount
                    sums[ALL] += deal.amount
            self._new[back, step] = sums
        return self._new[back, step]


def _chances(
    deals: Sequence[Open], history: Mapping[str, Stage], moment: Moment
) -> list[tuple[Open, list[Chance]]]:
    """Each open deal with its chance in each window."""
    windows = [
        (max((w.start - moment.at).total_seconds(), 0.0), (w.stop - moment.at).total_seconds())
        for w in moment.windows
    ]
    by_history: dict[str, list[Open]] = defaultdict(list)
    for one in deals:
        by_history[one.judged_by].append(one)
    out: list[tuple[Open, list[Chance]]] = []
    for name, own in by_history.items():
        out += zip(own, history[name].chances([one.age for one in own], windows), strict=True)
    return out


def _expected(deals: Iterable[tuple[Open, Chance]]) -> tuple[float, float]:
    """The expected amount of open deals in a window, and its variance."""
    mean = own = 0.0
    together: dict[str, float] = defaultdict(float)
    for one, chance in deals:
        spread = chance.share * (1 - chance.share)
        mean += one.deal.amount * chance.share
        own += one.deal.amount**2 * spread
        if chance.rests_on:
            together[one.judged_by] += one.deal.amount * math.sqrt(spread / chance.rests_on)
    return mean, own + math.fsum(off**2 for off in together.values())


def _together(won: float, expected: tuple[float, float], new: Prediction | None) -> Outlook:
    mean, variance = expected
    if new is None:
        return Outlook(won, mean, None, None)
    both = variance + new.spread**2
    df = math.inf if not new.spread else both**2 / (new.spread**4 / new.df)
    return Outlook(won, mean, new.value, Prediction(won + mean + new.value, math.sqrt(both), df))


def _after(at: dt.datetime) -> dt.datetime:
    """A deal closed at the very moment is known to be."""
    return at + dt.timedelta(microseconds=1)
