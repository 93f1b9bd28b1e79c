"""Why a KPI changed: its change against an earlier period, split exactly over the values of its segments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction

from sqlglot import exp

from cadran.analysis import effects
from cadran.analysis.answers import Value, WhyAnswer, WhyPart, WhyQuestion, WhySplit
from cadran.analysis.asked import Asked, asked_of, not_split
from cadran.analysis.asking import Asking, Found
from cadran.analysis.effects import Effect, State
from cadran.compute.results import Row
from cadran.formula.measures import Shift, YearAgo
from cadran.formula.ratio import NotARatio, Ratio, Sum, ratio_of
from cadran.problems import ProblemsFound


@dataclass(slots=True)
class WhyAnalysis:
    """Of each measure in the KPI's formula it asks for the values now and then, by each of the segments."""

    question: WhyQuestion
    asked: Asked = field(init=False)
    ratio: Ratio = field(init=False)
    _names: dict[tuple[str, int | None], str] = field(init=False, default_factory=dict)

    def ask(self, asking: Asking) -> None:
        """Raises ProblemsFound where the question has no answer, or the formula cannot be split."""
        self.asked = asked = asked_of(self.question, asking)
        derivation, kpi = asking.derivation, asked.kpi
        try:
            self.ratio = ratio_of(kpi.value, derivation)
        except NotARatio as found:
            raise ProblemsFound([not_split(found, kpi)]) from None
        shift = Shift(-1) if self.question.against == "previous" else YearAgo()
        then = kpi.previous if self.question.against == "previous" else kpi.year_ago
        trees: dict[tuple[str, int | None], exp.Expr] = {("now", None): kpi.value, ("then", None): then}
        for number, part in enumerate(self.ratio.parts):
            trees |= {("now", number): part, ("then", number): derivation.under(part, shift)}
        for key, tree in trees.items():
            name = self._names[key] = next(
                (self._names[k] for k in self._names if trees[k] == tree), self._called(*key)
            )
            derivation.kpi(
                name, kpi, tree, periods=(asked.grain,), segments=asked.segments, matures=kpi.kpi.matures
            )
            asking.need(name, asked.periods)

    def answer(self, found: Found) -> WhyAnswer:
        row = self._shown(found)
        grain = self.asked.grain
        if row is None:
            label = found.calendar.label(self.asked.period) if self.asked.period else ""
            return WhyAnswer(self.question, str(grain), label, missing="now" if label else "final")
        then = found.row(self.name("then"), row.grain, row.period)
        answer = WhyAnswer(
            self.question, row.grain, row.period, self._against(row, found), row.state, additive=self.ratio.additive,
            missing="now" if row.value is None else "then" if then is None or then.value is None else "",
        )  # fmt: skip
        return answer if answer.missing else _Splitting(self, row, found).into(answer)

    def _shown(self, found: Found) -> Row | None:
        """The total of the period that was asked for, else the newest final one."""
        totals = [row for row in found.rows(self.name("now")) if not row.segment]
        if self.asked.period is not None:
            label = found.calendar.label(self.asked.period)
            return next((row for row in totals if row.period == label), None)
        return next((row for row in reversed(totals) if row.state == "final"), None)

    def _against(self, row: Row, found: Found) -> str:
        assert row.period_start is not None
        period = found.calendar.period(self.asked.grain, row.period_start)
        if self.question.against == "previous":
            return found.calendar.label(found.calendar.shift(period, -1))
        earlier = found.calendar.year_ago(period)
        return found.calendar.label(earlier) if earlier is not None else ""

    def name(self, when: str, number: int | None = None) -> str:
        """Of the KPI that holds the value, or a measure of it, now or then; a plain sum is its only measure."""
        return self._names[when, number]

    def _called(self, when: str, number: int | None) -> str:
        question = self.question
        by = "" if question.by is None else "/".join(question.by)
        what = "value" if number is None else str(number)
        return f"whys.{question.kpi}.{question.period}.{question.against}.{by}.{when}.{what}"


@dataclass(slots=True)
class _Splitting:
    """The change at one row."""

    of: WhyAnalysis
    row: Row
    found: Found

    def into(self, answer: WhyAnswer) -> WhyAnswer:
        then, now = self._state("then"), self._state("now")
        if self.of.ratio.additive:
            factor = now.denominator
            then, now = (
                State(then.numerator / factor, Fraction(1)),
                State(now.numerator / factor, Fraction(1)),
            )
        return replace(answer, then=then.rate, now=now.rate, splits=tuple(self._splits(then, now)))

    def _splits(self, then: State, now: State) -> Iterator[WhySplit]:
        """Those of one segment before crosses, which are always finer; then by how much they explain."""
        made = [self._split(segment, then, now) for segment in self.of.asked.segments]
        made.sort(key=lambda pair: (len(pair[0].segment) > 1, -pair[1]))
        return (split for split, _ in made)

    def _split(self, segment: Value, then: State, now: State) -> tuple[WhySplit, Fraction]:
        assert then.rate is not None and now.rate is not None
        parts = [self._part(segment, value, then, now) for value in self._values(segment)]
        parts = [p for p in parts if p.effect or p.then or p.now or p.weight_then or p.weight_now]
        parts.sort(key=lambda p: (-abs(p.effect), p.segment_value))
        rest = now.rate - then.rate - sum((p.effect for p in parts), Fraction(0))
        if rest and parts and effects.is_noise(rest, [then.rate, now.rate, *(p.effect for p in parts)]):
            parts[0] = _corrected(parts[0], rest)
            rest = Fraction(0)
        weighed = [(Effect(p.effect), _mean(p.weight_then, p.weight_now)) for p in parts]
        return WhySplit(segment, tuple(parts), rest), effects.stands_out(weighed, now.rate - then.rate)

    def _values(self, segment: Value) -> list[Value]:
        names = [self.of.name(w, n) for n in range(len(self.of.ratio.parts)) for w in ("now", "then")]
        rows = (row for name in names for row in self.found.rows(name))
        return list(
            dict.fromkeys(
                r.segment_value for r in rows if r.segment == segment and r.period == self.row.period
            )
        )

    def _part(self, segment: Value, value: Value, whole_then: State, whole_now: State) -> WhyPart:
        then, now = self._state("then", segment, value), self._state("now", segment, value)
        if not self.of.ratio.additive:
            effect = effects.of_ratio(then, now, whole_then, whole_now)
            weights = then.denominator / whole_then.denominator, now.denominator / whole_now.denominator
            return WhyPart(value, effect.total, effect.rate, effect.mix, then.rate, now.rate, *weights)
        factor = self.of.ratio.denominator[None]
        before, after = then.numerator / factor, now.numerator / factor
        shares = _share(before, whole_then.numerator), _share(after, whole_now.numerator)
        return WhyPart(value, after - before, None, None, before, after, *shares)

    def _state(self, when: str, segment: Value = (), value: Value = ()) -> State:
        numbers = {
            part: self._number(self.of.name(when, n), segment, value)
            for n, part in enumerate(self.of.ratio.parts)
        }

        def total(terms: Sum) -> Fraction:
            constant = Fraction(0) if segment else Fraction(1)  # a constant belongs to no segment value
            return sum((f * (constant if p is None else numbers[p]) for p, f in terms.items()), Fraction(0))

        bottom = self.of.ratio.denominator
        return State(
            total(self.of.ratio.numerator), bottom[None] if self.of.ratio.additive else total(bottom)
        )

    def _number(self, name: str, segment: Value, value: Value) -> Fraction:
        """A segment value without rows counts and sums to 0."""
        row = self.found.row(name, self.row.grain, self.row.period, segment, value)
        return Fraction(row.value) if row is not None and row.value is not None else Fraction(0)


def _share(part: Fraction, whole: Fraction) -> Fraction | None:
    return part / whole if whole else None


def _mean(then: Fraction | None, now: Fraction | None) -> Fraction:
    known = [w for w in (then, now) if w is not None]
    return sum(known, Fraction(0)) / len(known) if known else Fraction(0)


def _corrected(part: WhyPart, rest: Fraction) -> WhyPart:
    """With what adding floats in another order has lost."""
    return replace(part, effect=part.effect + rest, rate=None if part.rate is None else part.rate + rest)
