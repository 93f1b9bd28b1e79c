"""Pace: how the running period goes, where it will probably end, and what is left to its target.

The projection is the line through past periods' values at the same elapsed part and their final ones; how far off such
projections were at the same point of past periods stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cadran.analysis.answers import Interval, PaceAnswer, PaceFigures, Projection, Reason
from cadran.analysis.asking import Asking, Found
from cadran.analysis.knowing import growing, known_then
from cadran.analysis.projection import FITTED, TESTED, Past, chance, error, project, tried_before
from cadran.analysis.statistics import Prediction
from cadran.analysis.workdays import working_days
from cadran.calendar import Grain, Period
from cadran.compute.planning.settling import Settling
from cadran.compute.results import Number, Row
from cadran.formula.checks import additive
from cadran.formula.measures import (
    Leaf,
    ResolvedKpi,
    ResolvedTarget,
    SoFar,
    Whole,
)
from cadran.judge.compare import difference

LEVELS = (0.8, 0.95)


@dataclass(slots=True)
class PaceAnalysis:
    """Of one KPI, in all, and by its segments if ``segments``."""

    kpi: str
    segments: bool = False
    _asking: Asking = field(init=False)
    _least: list[str] | None = field(
        init=False
    )  # of each sum that must not hold negative rows; None: may shrink

    def ask(self, asking: Asking) -> None:
        self._asking = asking
        of, make = asking.model.kpis[self.kpi], asking.derivation
        grains = [grain for grain in of.kpi.periods if grain is not Grain.ALL]
        self._least = None
        if not grains:
            return
        by = of.kpi.segments if self.segments else ()
        periods = max(FITTED + TESTED + 1 + self._waiting(of, grain) for grain in grains)
        targets = [self._whole(target) for target in of.targets]
        so_far = make.under(of.value, SoFar())
        self._need(make.twin(self._named("value"), of, periods=grains, segments=by, targets=targets), periods)
        self._need(make.kpi(self._named("so_far"), of, so_far, periods=grains, segments=by), periods)
        summed = growing(of.value, asking.model)
        if summed is not None:
            self._least = [self._smallest(number, leaf, of, grains) for number, leaf in enumerate(summed)]
            for name in self._least:
                self._need(name, periods)

    def _named(self, what: str) -> str:
        return f"pace.{self.kpi}.{what}"

    def _need(self, name: str, periods: int) -> None:
        self._asking.need(name, periods)

    def _waiting(self, of: ResolvedKpi, grain: Grain) -> int:
        """How many periods that are over are not final yet."""
        clock, calendar = self._asking.clock, self._asking.calendar
        until = Settling(self._asking.declaration, self._asking.model, clock).final_until(of)
        return len(calendar.range(grain, until, clock.today)) - 1

    def _whole(self, target: ResolvedTarget) -> ResolvedTarget:
        """A target as it is judged once the period is over: what it compares with is not cut to the elapsed part."""
        trees = (target.value, target.low, target.high)
        whole = (None if t is None else self._asking.derivation.under(t, Whole()) for t in trees)
        value, low, high = whole
        return replace(target, value=value, low=low, high=high)

    def _smallest(self, number: int, leaf: Leaf, of: ResolvedKpi, grains: Sequence[Grain]) -> str:
        """The smallest amount behind a sum; which currency it is in does not change its sign."""
        make, measure = (
            self._asking.derivation,
            replace(leaf.measure, function="min", money=None, convert=False),
        )
        return make.kpi(
            self._named(f"least.{number}"), of, make.measure(measure), periods=grains, segments=()
        )

    # --- answering ----------------------------------------------------------------------------------------------------

    def answer(self, found: Found) -> PaceAnswer:
        grains = self._asking.model.kpis[self.kpi].kpi.periods
        return PaceAnswer(self.kpi, tuple(f for grain in grains for f in self._at(grain, found)))

    def _at(self, grain: Grain, found: Found) -> Iterator[PaceFigures]:
        if grain is Grain.ALL:
            return
        now = found.calendar.period(grain, self._asking.clock.today)
        label = found.calendar.label(now)
        rows = [row for row in found.rows(self._named("value")) if row.grain == grain]
        for running in (row for row in rows if row.period == label):
            alike = [
                r for r in rows if (r.segment, r.segment_value) == (running.segment, running.segment_value)
            ]
            yield self._figures(now, running, alike, found)

    def _figures(self, now: Period, running: Row, rows: Sequence[Row], found: Found) -> PaceFigures:
        past = [
            Past(_number(self._so_far(row, found)), float(row.value))
            for row in rows
            if row.state == "final" and row.value is not None
        ]
        value = self._so_far(running, found)
        model = self._asking.model
        known = known_then(model.kpis[self.kpi].value, model, running.segment)
        made = project(past[-FITTED:], _number(value)) if known else None
        reason: Reason = "" if made is not None else "few" if known else "later"
        others = (running.previous, running.year_ago) if known else (None, None)
        floor = float(value) if value is not None and self._only_grows(found) else None
        days = working_days(self._asking.clock.today, now.end, self._asking.declaration.holidays)
        left = self._left(value, running)
        return PaceFigures(
            str(now.grain), running.period, now.start, now.last_day, self._elapsed(now),
            running.segment, running.segment_value, value, *others,
            None if made is None else self._projection(made, past, running, floor), reason,
            running.target, running.target_high, left, days, self._per_day(left, days), self._spreads,
        )  # fmt: skip

    def _so_far(self, row: Row, found: Found) -> Number | None:
        cell = found.row(self._named("so_far"), row.grain, row.period, row.segment, row.segment_value)
        return None if cell is None else cell.value

    def _elapsed(self, now: Period) -> float:
        """Which part of the period is over, in days and parts of days."""
        calendar, instant = self._asking.calendar, self._asking.clock.instant
        start, end = calendar.midnight(now.start), calendar.midnight(now.end)
        return (instant - start).total_seconds() / (end - start).total_seconds()

    def _only_grows(self, found: Found) -> bool:
        """Whether the rest of the period cannot take away from what is there: counts, and sums without negative rows."""
        if self._least is None:
            return False
        return all(row.value is None or row.value >= 0 for name in self._least for row in found.rows(name))

    def _projection(
        self, made: Prediction, past: Sequence[Past], running: Row, floor: float | None
    ) -> Projection:
        tests = list(tried_before(past))
        kpi = self._asking.model.kpis[self.kpi].kpi
        return Projection(
            _at_least(made.value, floor),
            tuple(Interval(level, *(_at_least(end, floor) for end in made.interval(level))) for level in LEVELS),
            len(past[-FITTED:]),
            error([(projected, final) for projected, final, _ in tests]),
            error([(before, final) for _, final, before in tests]),
            len(tests),
            chance(made, running, up=kpi.good == "up", floor=floor),
        )  # fmt: skip

    def _left(self, value: Number | None, running: Row) -> Number | None:
        """What is missing to the target; negative where it is exceeded. Of a range, to the nearer end that counts."""
        up = self._asking.model.kpis[self.kpi].kpi.good == "up"
        goal = running.target if running.target_high is None or up else running.target_high
        return difference(goal, value)

    def _per_day(self, left: Number | None, days: int) -> Number | None:
        """Only what adds up over days can be spread over them."""
        if left is None or left <= 0 or not days or not self._spreads:
            return None
        return left / days

    @property
    def _spreads(self) -> bool:
        return additive(self._asking.model.kpis[self.kpi].value, self._asking.model.leaves)


def _at_least(value: float, floor: float | None) -> float:
    return value if floor is None else max(value, floor)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
