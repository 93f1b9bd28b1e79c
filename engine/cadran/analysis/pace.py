"""Pace: how the running period goes, where it will probably end, and what is left to its target.

The projection is the line through past periods' values at the same elapsed part and their final ones; how far off such
projections were at the same point of past periods stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlglot import exp

from cadran.analysis.answers import Interval, PaceAnswer, PaceFigures, Projection, Reason
from cadran.analysis.asking import Asking, Found
from cadran.analysis.statistics import Prediction, predicted_by_line, predicted_mean, student_t_below
from cadran.analysis.workdays import working_days
from cadran.calendar import Grain, Period
from cadran.compute.keeping.behind import Reader
from cadran.compute.planning.settling import Settling
from cadran.compute.results import Number, Row
from cadran.formula.checks import additive
from cadran.formula.measures import (
    Leaf,
    Measure,
    Model,
    ResolvedKpi,
    ResolvedTarget,
    SoFar,
    ToDate,
    Whole,
    leaves_in,
)
from cadran.judge.compare import difference

FITTED = 12  # final periods behind a projection
LEAST = 6
TESTED = 12  # past periods that are projected again, to see how well that goes
LEVELS = (0.8, 0.95)
_GROWING = ("count", "count_distinct", "active", "new", "converted")  # more rows never make them less


@dataclass(frozen=True, slots=True)
class Past:
    """A final period: its value at the same elapsed part, None without data, and its final one."""

    so_far: float | None
    final: float


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


def growing(tree: exp.Expr, model: Model) -> list[Leaf] | None:
    """The sums in a formula that can only grow while a period runs, if their rows are not negative; None for others.

    Such a formula is a count or a sum of rows dated in the period, or in the stretch to date, or adds such up; and what
    a row counts for does not depend on later rows, or on the clock.
    """
    if isinstance(tree, exp.Paren):
        return growing(tree.this, model)
    if isinstance(tree, exp.Add):
        left, right = growing(tree.this, model), growing(tree.expression, model)
        return None if left is None or right is None else [*left, *right]
    if not isinstance(tree, exp.Placeholder):
        return None
    (number,) = leaves_in(tree)
    leaf = model.leaves[number]
    if leaf.measure.timing != "flow" or not all(isinstance(t, ToDate) for t in leaf.transforms):
        return None
    if not _stays(leaf.measure, model):
        return None
    if leaf.measure.function == "sum":
        return [leaf]
    return [] if leaf.measure.function in _GROWING else None


def known_then(tree: exp.Expr, model: Model, segment: Sequence[str] = ()) -> bool:
    """Whether a past period's value at an earlier moment is what was known at that moment.

    It is not where what a row counts for comes later: a match within a window, an aggregate of other rows, a window that
    looks ahead, the clock; nor where a segment's value does.
    """
    return all(_known_then(model.leaves[number].measure, model, segment) for number in leaves_in(tree))


def _known_then(measure: Measure, model: Model, segment: Sequence[str]) -> bool:
    reader = Reader(model)
    found = reader.measure(measure)
    for name in segment:
        if (name, measure.dataset) in model.dimensions:
            reader.add(found, model.dimensions[name, measure.dataset])
    windows = (
        (dataset, window)
        for dataset, name in found.columns
        if (derived := model.datasets[dataset].derived.get(name)) is not None
        for window in derived.find_all(exp.Window)
    )
    steady = measure.other is None and not found.clock and not found.lookups
    return steady and all(_looks_back(reader, dataset, window) for dataset, window in windows)


def _looks_back(reader: Reader, dataset: str, window: exp.Window) -> bool:
    """Whether later rows cannot change it; nor can they the first date of all."""
    date, call = reader.model.datasets[dataset].date, window.this
    first = isinstance(call, exp.Min) and date is not None and call.this == date
    return first or reader.looks_back(dataset, window)


def _stays(measure: Measure, model: Model) -> bool:
    """Whether a row that counts goes on counting: it rests on no clock, no aggregate of other rows, and no window."""
    reader = Reader(model)
    for found in (reader.measure(measure), reader.other(measure)):
        if found is not None and (
            found.clock or found.lookups or any(_windowed(model, *c) for c in found.columns)
        ):
            return False
    return True


def _windowed(model: Model, dataset: str, name: str) -> bool:
    derived = model.datasets[dataset].derived.get(name)
    return derived is not None and derived.find(exp.Window) is not None


def project(past: Sequence[Past], so_far: float | None) -> Prediction | None:
    """The final value of a period that has come so far, from final ones; None where there are fewer than six.

    Ordinary least squares of the final value on that at the same elapsed part; where those do not vary, or there are too
    few of them, the mean of the final values.
    """
    if len(past) < LEAST:
        return None
    pairs = [(p.so_far, p.final) for p in past if p.so_far is not None]
    if so_far is not None and len(pairs) >= LEAST:
        line = predicted_by_line([x for x, _ in pairs], [y for _, y in pairs], so_far)
        if line is not None:
            return line
    return predicted_mean([p.final for p in past])


def tried_before(past: Sequence[Past]) -> Iterator[tuple[float, float, float]]:
    """Each of the last periods as it would have been projected from those before it, at the same elapsed part.

    Gives (projected, final, the final value of the period before).
    """
    for at in range(max(LEAST, len(past) - TESTED), len(past)):
        made = project(past[max(0, at - FITTED) : at], past[at].so_far)
        if made is not None:
            yield made.value, past[at].final, past[at - 1].final


def error(pairs: Sequence[tuple[float, float]]) -> float | None:
    """The mean absolute percentage error of (foretold, came); what came to 0 is left out, as it has no percentage."""
    errors = [abs(foretold - came) / abs(came) for foretold, came in pairs if came]
    return sum(errors) / len(errors) if errors else None


def chance(made: Prediction, running: Row, *, up: bool, floor: float | None) -> float | None:
    """The probability that the final value meets the target, by the distribution behind the interval."""
    if running.target is None:
        return None
    low, high = float(running.target), running.target_high
    if high is not None:
        return max(0.0, _below(made, float(high), floor) - _below(made, low, floor))
    below = _below(made, low, floor)
    return 1 - below if up else below


def _below(made: Prediction, value: float, floor: float | None) -> float:
    if floor is not None and value <= floor:
        return 0.0
    if not made.spread:
        return float(made.value <= value)
    return student_t_below((value - made.value) / made.spread, made.df)


def _at_least(value: float, floor: float | None) -> float:
    return value if floor is None else max(value, floor)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
