"""Why a KPI changed, as people read it: sentences, and tables whose rounded figures still add up."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from cadran.analysis.analyse import of_report
from cadran.analysis.answers import Answers, WhyAnswer, WhyPart, WhySplit
from cadran.analysis.effects import half_up, rounded
from cadran.publish.analyses.fractions import difference, digits_of, number_of, step
from cadran.publish.analyses.why_view import Why, WhyLine, WhyTable, WhyWords
from cadran.publish.analyses.words import said
from cadran.publish.figures import Figures, spaced
from cadran.publish.formatting import exact
from cadran.publish.wording import N_

if TYPE_CHECKING:
    from cadran.declare.model import Kpi, Report

MOST_LINES, MOST_NAMED, MOST_IN_REPORT = 8, 3, 5
_SMALL = Fraction(1, 4)  # of the largest part: what is smaller is not named in a sentence


def sentence(answer: WhyAnswer, figures: Figures) -> str:
    """The change and its largest parts, in two sentences: for a report's summary, or an alert's message."""
    return explained(answer, figures).sentence


def for_report(
    answers: Answers, report: Report | None, names: Sequence[str], figures: Figures
) -> tuple[Why, ...]:
    """The changes that a report explains at its own periods: of the KPIs in ``names``, first those first, where there is
    a change to explain; a handful, for who explains everything explains nothing."""
    asked = {q.kpi: q for q in of_report(report, figures.declaration).moves if q in answers.whys}
    found = [answers.whys[asked[name]] for name in dict.fromkeys(names) if name in asked]
    return tuple(explained(answer, figures) for answer in found if answer.change)[:MOST_IN_REPORT]


def explained(answer: WhyAnswer, figures: Figures) -> Why:
    """With a table for each of the answer's segments, the most telling first."""
    return _Explaining(answer, figures).why()


class _Explaining:
    def __init__(self, answer: WhyAnswer, figures: Figures) -> None:
        self.answer, self.figures = answer, figures
        self.kpi: Kpi = figures.declaration.kpis[answer.question.kpi]
        self.locale, self.form = figures.locale, figures.form
        effects = [part.effect for split in answer.splits for part in split.parts]
        self.digits = digits_of(answer.change or Fraction(0), effects, self.kpi.unit)
        self.step = step(self.digits, self.kpi.unit)

    def why(self) -> Why:
        answer, value = self.answer, self._value
        tables = tuple(self._table(split) for split in answer.splits)
        missing = self._missing()
        head = missing or (
            self._difference(rounded([answer.change], self.step)[0]) if answer.change is not None else ""
        )
        return Why(
            answer.question.kpi, self.figures.label(answer.question.kpi), self._period(answer.period),
            self._period(answer.against_period), (self._short(answer.against_period), self._short(answer.period)),
            value(answer.then), value(answer.now),
            self.figures.change_of(exact(number_of(answer.change)), number_of(answer.then), self.kpi),
            self._sentence(head, tables), self._words(), tables, "" if missing else self._note(), missing,
        )  # fmt: skip

    def _words(self) -> WhyWords:
        return WhyWords(
            *(self._said(text) for text in (N_("weight"), N_("by weight"), N_("effect"), N_("Change")))
        )

    def _sentence(self, head: str, tables: Sequence[WhyTable]) -> str:
        answer, label = self.answer, self.figures.label(self.answer.question.kpi)
        if answer.missing:
            return f"{label}\u00a0: {head}." if self.form.language == "fr" else f"{label}: {head}."
        first = self._said(
            "%(label)s, %(period)s: %(change)s against %(against)s.", label=label, period=self._period(answer.period),
            change=head, against=self._period(answer.against_period),
        )  # fmt: skip
        if not tables:
            return first
        second = self._said("By %(segment)s: %(parts)s.", segment=tables[0].by, parts=tables[0].parts)
        return f"{first} {second}"

    def _missing(self) -> str:
        answer = self.answer
        texts = {
            "final": N_("no final period yet"),
            "now": N_("no data in %(period)s"),
            "then": N_("no data in %(against)s, so there is nothing to compare with"),
        }
        if not answer.missing:
            return ""
        period, against = self._period(answer.period), self._period(answer.against_period)
        if answer.missing == "then" and not against:  # W53, 29 February
            return self._said("the year before has no such period")
        return self._said(texts[answer.missing], period=period, against=against)

    def _note(self) -> str:
        texts = {
            "open": N_("in progress: compared with the same elapsed part of %(against)s"),
            "maturing": N_("still maturing: the value may yet change"),
            "settling": N_("not settled yet: the value may yet change"),
        }
        if self.answer.state == "final":
            return ""
        return self._said(texts[self.answer.state], against=self._period(self.answer.against_period))

    # --- a table --------------------------------------------------------------------------------------------------

    def _table(self, split: WhySplit) -> WhyTable:
        shown, hidden = split.parts[:MOST_LINES], split.parts[MOST_LINES:]
        if len(hidden) == 1:
            shown, hidden = split.parts, ()
        lumped = [[sum((_cells(p)[i] for p in hidden), Fraction(0)) for i in (0, 1)]] if hidden else []
        cells = (
            [list(_cells(part)) for part in shown]
            + lumped
            + ([[split.rest, Fraction(0)]] if split.rest else [])
        )
        effects = rounded([rate + mix for rate, mix in cells], self.step)
        pairs = [self._pair(cell, effect) for cell, effect in zip(cells, effects, strict=True)]
        lines = [self._line(part, split.segment, *pair) for part, pair in zip(shown, pairs, strict=False)]
        if hidden:
            label = self._said("%(n)s others", n=len(hidden))
            lines.append(self._bare(label, *pairs[len(shown)], split=not self.answer.additive))
        if split.rest:
            lines.append(self._bare(self._said("counted in several, or in none"), *pairs[-1], split=False))
        rate = "" if self.answer.additive else self._said(N_("by rate") if self._is_rate else N_("by value"))
        by = " × ".join(spaced(name) for name in split.segment)
        total = self._difference(sum(effects, Fraction(0)))
        title = self._said("by %(segment)s", segment=by)
        return WhyTable(by, title, tuple(lines), rate, self._parts(split.segment, shown, pairs), total)

    def _pair(self, cell: Sequence[Fraction], effect: Fraction) -> tuple[Fraction, Fraction]:
        """Rate and mix, rounded so that they add up to the rounded effect."""
        rate, mix = rounded(cell, self.step, effect)
        return rate, mix

    @property
    def _is_rate(self) -> bool:
        return self.kpi.unit == "percent"

    def _line(self, part: WhyPart, names: Sequence[str], rate: Fraction, mix: Fraction) -> WhyLine:
        both = part.rate is not None
        return WhyLine(
            self.figures.segment(part.segment_value, names), self._value(part.then), self._value(part.now), self._weights(part),
            self._difference(rate) if both else "", self._difference(mix) if both else "", self._difference(rate + mix),
            self._verdict(rate + mix), self._cause(part),
        )  # fmt: skip

    def _bare(self, label: str, rate: Fraction, mix: Fraction, *, split: bool) -> WhyLine:
        texts = (self._difference(rate), self._difference(mix)) if split else ("", "")
        return WhyLine(label, "", "", "", *texts, self._difference(rate + mix), self._verdict(rate + mix))

    def _verdict(self, effect: Fraction) -> str:
        if not effect:
            return "same"
        return "better" if (effect > 0) == (self.kpi.good == "up") else "worse"

    # --- words ----------------------------------------------------------------------------------------------------

    def _parts(
        self, names: Sequence[str], shown: Sequence[WhyPart], pairs: Sequence[tuple[Fraction, Fraction]]
    ) -> str:
        """``web −1,4 pt (taux plus bas), …, autres +0,2 pt``: as rounded in the table, and together the whole change."""
        effects = [rate + mix for rate, mix in pairs]
        largest = max((abs(e) for e in effects[: len(shown)]), default=Fraction(0))
        if not largest:
            return self._said("no clear part")
        named = [i for i, _ in enumerate(shown[:MOST_NAMED]) if abs(effects[i]) >= largest * _SMALL]
        if len(effects) == len(named) + 1 == len(shown):  # a single other has a name as well
            named.append(len(named))
        texts = [self._named(shown[i], names, effects[i]) for i in named]
        others = sum((e for i, e in enumerate(effects) if i not in named), Fraction(0))
        if len(named) < len(effects):
            texts.append(f"{self._said('others')} {self._difference(others)}")
        return ", ".join(texts)

    def _named(self, part: WhyPart, names: Sequence[str], effect: Fraction) -> str:
        cause = self._cause(part)
        return f"{self.figures.segment(part.segment_value, names)} {self._difference(effect)}" + (
            f" ({cause})" if cause else ""
        )

    def _cause(self, part: WhyPart) -> str:
        """Whether it was the part's own rate or its weight that counted: the one that is at least twice the other."""
        if part.rate is None or part.mix is None or not part.effect:
            return ""
        if part.then is None and part.now is None:
            return ""  # in no denominator
        if part.then is None or part.now is None:
            return self._said(N_("new") if part.then is None else N_("gone"))
        if abs(part.rate) >= 2 * abs(part.mix):
            if self._is_rate:
                return self._said(N_("higher rate") if part.now > part.then else N_("lower rate"))
            return self._said(N_("higher value") if part.now > part.then else N_("lower value"))
        if abs(part.mix) >= 2 * abs(part.rate):
            grown = (part.weight_now or 0) > (part.weight_then or 0)
            return self._said(N_("more weight") if grown else N_("less weight"))
        return self._said(N_("rate and weight") if self._is_rate else N_("value and weight"))

    def _said(self, text: str, **values: object) -> str:
        return said(self.locale, text, **values)

    # --- figures --------------------------------------------------------------------------------------------------

    def _difference(self, value: Fraction) -> str:
        return difference(value, self.kpi.unit, self.digits, self.form)

    def _value(self, value: Fraction | None) -> str:
        return self.form.value(number_of(value), self.kpi.unit)

    def _weights(self, part: WhyPart) -> str:
        """``35 → 38 %``: what is counted here needs no digits."""
        shares = [w and Fraction(half_up(w * 100), 100) for w in (part.weight_then, part.weight_now)]
        texts = [
            self.form.axis(exact(number_of(w)) or Decimal(0), "percent", Decimal("0.01"), Decimal(1))
            for w in shares
            if w is not None
        ]
        if len(texts) < len(shares):
            return " → ".join("–" if w is None else texts[0] for w in shares)
        return f"{texts[0].rstrip('%').rstrip()} → {texts[1]}"

    def _period(self, label: str) -> str:
        return self.form.period(label) if label else ""

    def _short(self, label: str) -> str:
        return self.form.short_period(label) if label else ""


def _cells(part: WhyPart) -> tuple[Fraction, Fraction]:
    if part.rate is None or part.mix is None:
        return part.effect, Fraction(0)
    return part.rate, part.mix
