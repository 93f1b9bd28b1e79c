"""Before and after a milestone: a KPI over the months on either side of it, each side as one span of time.

The same months a year earlier stand beside them, for what a season does every year is not the milestone's doing.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from functools import reduce

from sqlglot import exp

from cadran.analysis import intervals
from cadran.analysis.answers import MilestoneAnswer, MilestoneQuestion, Side
from cadran.analysis.asked import between, named
from cadran.analysis.asking import Asking, Found
from cadran.calendar import Calendar, Grain, Period
from cadran.compute.planning.settling import Settling
from cadran.compute.results import Number, Row
from cadran.formula.derive import Derivation
from cadran.formula.measures import (
    ZERO,
    Leaf,
    ResolvedKpi,
    Rolling,
    Shift,
    ToDate,
    Transform,
    YearAgo,
    leaves_in,
)
from cadran.formula.samples import Mean, Share, sample_of
from cadran.problems import Problem, ProblemsFound, listed, suggest

FEWEST_MONTHS = 6
MOST_MONTHS = 120


@dataclass(frozen=True, slots=True)
class Months:
    """The last months before a milestone and the first after it. Its own month is on neither side, unless it is its first
    day that begins the months after."""

    before: Period
    after: Period
    count: int

    @classmethod
    def around(cls, day: dt.date, count: int, calendar: Calendar) -> Months:
        month = calendar.period(Grain.MONTH, day)
        first = month if day == month.start else calendar.shift(month, 1)
        return cls(calendar.shift(month, -1), calendar.shift(first, count - 1), count)

    def side(self, last: Period, calendar: Calendar) -> Side:
        return Side(calendar.shift(last, 1 - self.count).start, last.last_day)

    def sides(self, calendar: Calendar) -> list[Side]:
        """Before, after, and both a year earlier."""
        years = [calendar.shift(last, -12) for last in (self.before, self.after)]
        return [self.side(last, calendar) for last in (self.before, self.after, *years)]


@dataclass(slots=True)
class MilestoneAnalysis:
    question: MilestoneQuestion
    _day: dt.date = field(init=False)
    _refused: tuple[str, str] | None = field(init=False, default=None)
    _sample: Share | Mean | None = field(init=False, default=None)
    _ready: dt.date = field(init=False)  # when the months after are final
    _is_over: bool = field(init=False)  # the months before are final
    _months: Months = field(init=False)

    def ask(self, asking: Asking) -> None:
        """Raises ProblemsFound for what does not exist, or too few months."""
        question, calendar = self.question, asking.calendar
        self._day = _day(question, asking)
        kpi = asking.model.kpis[named(question.kpi, asking)]
        self._months = months = Months.around(self._day, question.months, calendar)
        wait = Settling(asking.declaration, asking.model, asking.clock).wait(kpi)
        ready = dt.datetime.combine(months.after.end, dt.time()) + wait
        self._is_over = asking.clock.local >= dt.datetime.combine(months.before.end, dt.time()) + wait
        self._ready = ready.date() + dt.timedelta(days=ready.time() != dt.time())
        self._refused = refused(kpi, asking)
        if self._refused is not None:
            return
        first = calendar.shift(months.before, -12 - months.count)
        now = calendar.period(Grain.MONTH, asking.clock.today)
        periods = between(first, max(now, first), asking) + 1
        for name, tree in self._trees(kpi, asking.derivation).items():
            asking.derivation.kpi(
                name, kpi, tree, periods=(Grain.MONTH,), segments=(), matures=kpi.kpi.matures
            )
            asking.need(name, periods)

    def _trees(self, kpi: ResolvedKpi, derivation: Derivation) -> dict[str, exp.Expr]:
        span = Rolling(self.question.months)
        self._sample = sample = sample_of(kpi.value, derivation)
        trees = {"covered": _covered(kpi.value, derivation), "value": derivation.under(kpi.value, span)}
        if isinstance(sample, Share):
            trees |= {
                "hits": derivation.under(sample.part, span),
                "number": derivation.under(sample.whole, span),
            }
        elif isinstance(sample, Mean):
            trees |= {
                "number": derivation.under(sample.number, span),
                "deviation": derivation.under(sample.deviation, span),
            }
        return {self._name(what): tree for what, tree in trees.items()}

    def _name(self, what: str) -> str:
        question = self.question
        return f"milestones.{question.kpi}.{question.milestone}.{question.months}.{what}"

    # --- the answer -----------------------------------------------------------------------------------------------

    def answer(self, found: Found) -> MilestoneAnswer:
        sides = self._months.sides(found.calendar)
        if self._refused is not None:
            reason, what = self._refused
            bare = MilestoneAnswer(self.question, self._day, sides[0], sides[1], (sides[2], sides[3]))
            return replace(bare, missing="refused", refused=reason, what=what)
        before, after, *earlier = (self._filled(side, found) for side in sides)
        answer = MilestoneAnswer(self.question, self._day, before, after, (earlier[0], earlier[1]))
        if before.months < self.question.months and self._is_over:
            return replace(answer, missing="before")
        if after.months < self.question.months:
            return replace(answer, missing="after", enough_on=self._ready)
        if before.value is None or after.value is None:
            return replace(answer, missing="data")
        return self._with_interval(answer)

    def _filled(self, side: Side, found: Found) -> Side:
        """With its figures, where all of its months are final and covered."""
        known = 0
        for month in found.calendar.range(Grain.MONTH, side.first, side.last):
            value, covered = (self._row(what, month, found) for what in ("value", "covered"))
            known += (
                value is not None
                and value.state == "final"
                and covered is not None
                and covered.value is not None
            )
        if known < self.question.months:
            return replace(side, months=known)
        last = found.calendar.period(Grain.MONTH, side.last)
        hits, number, deviation = (self._value(what, last, found) for what in ("hits", "number", "deviation"))
        return replace(
            side, months=known, value=self._value("value", last, found), hits=None if hits is None else int(hits),
            number=None if number is None else int(number), deviation=None if deviation is None else float(deviation),
        )  # fmt: skip

    def _row(self, what: str, month: Period, found: Found) -> Row | None:
        return found.row(self._name(what), str(Grain.MONTH), found.calendar.label(month))

    def _value(self, what: str, month: Period, found: Found) -> Number | None:
        row = self._row(what, month, found)
        return row.value if row is not None else None

    def _with_interval(self, answer: MilestoneAnswer) -> MilestoneAnswer:
        if self._sample is None:
            return answer
        found = self._share(answer) if isinstance(self._sample, Share) else _means(answer)
        return replace(answer, sure="interval" if found else "few", interval=found)

    def _share(self, answer: MilestoneAnswer) -> tuple[float, float] | None:
        before, after = answer.before, answer.after
        if not (before.number and after.number) or before.hits is None or after.hits is None:
            return None
        if before.hits > before.number or after.hits > after.number:  # rows that their dataset calls bad
            return None
        found = intervals.shares(after.hits, after.number, before.hits, before.number)
        assert isinstance(self._sample, Share)
        return (-found[1], -found[0]) if found is not None and self._sample.rest else found


def _means(answer: MilestoneAnswer) -> tuple[float, float] | None:
    sides = (answer.after, answer.before)
    if any(not s.number or s.deviation is None or s.value is None for s in sides):
        return None
    after, before = (intervals.Sample(s.number or 0, float(s.value or 0), s.deviation or 0.0) for s in sides)
    return intervals.means(after, before)


def _day(question: MilestoneQuestion, asking: Asking) -> dt.date:
    milestones = asking.declaration.milestones
    if question.milestone not in milestones:
        hint = suggest(question.milestone, milestones) or (
            f"there are {listed(list(milestones))}" if milestones else "declare it under 'milestones:'"
        )
        raise ProblemsFound(
            [Problem("unknown-milestone", f"unknown milestone '{question.milestone}'", None, "", hint)]
        )
    if not FEWEST_MONTHS <= question.months <= MOST_MONTHS:
        hint = f"fewer than {FEWEST_MONTHS} months show more chance than change"
        message = f"before and after are compared over {FEWEST_MONTHS} to {MOST_MONTHS} months, not {question.months}"
        raise ProblemsFound([Problem("too-few-months", message, None, "", hint)])
    return milestones[question.milestone]


def refused(kpi: ResolvedKpi, asking: Asking) -> tuple[str, str] | None:
    """Why a KPI has no value over a span of several months, and the function or dataset at fault."""
    declaration = asking.declaration
    for number in leaves_in(kpi.value):
        leaf = asking.model.leaves[number]
        measure, dataset = leaf.measure, declaration.datasets[leaf.measure.dataset]
        if measure.function in ("retained", "lost") and measure.timing == "flow":
            return "neighbours", measure.function
        moved = next((t for t in leaf.transforms if not isinstance(t, YearAgo)), None)
        if moved is not None:
            return "moved", _word(moved)
        if measure.date is None and dataset.date is None and dataset.valid is None:
            return "undated", measure.dataset
        if dataset.grain is not None and dataset.grain.rank > Grain.MONTH.rank:
            return "grain", measure.dataset
    return None


def _word(transform: Transform) -> str:
    match transform:
        case Shift(count):
            return "previous" if count < 0 else "next"
        case ToDate(unit):
            return unit
        case Rolling():
            return "rolling"
        case _:
            return "value_at"


def _covered(tree: exp.Expr, derivation: Derivation) -> exp.Expr:
    """A number wherever data cover all measures of a formula, even where an average over no rows is no data."""
    leaves = [derivation.leaf_of(leaf) for leaf in tree.find_all(exp.Placeholder)]
    return reduce(
        lambda a, b: exp.Add(this=a, expression=b), (derivation.leaf(_counting(leaf)) for leaf in leaves)
    )


def _counting(leaf: Leaf) -> Leaf:
    measure = leaf.measure
    if measure.function in ZERO:
        return leaf
    return replace(
        leaf,
        measure=replace(measure, function="count", argument=None, fraction="", money=None, convert=False),
    )
