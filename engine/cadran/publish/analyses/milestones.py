"""Before and after a milestone, as people read it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from cadran.analysis.analyse import of_report
from cadran.analysis.answers import Answers, MilestoneAnswer, Side
from cadran.analysis.effects import rounded
from cadran.publish.analyses.fractions import difference, digits_of, step
from cadran.publish.analyses.words import said
from cadran.publish.figures import Figures, spaced
from cadran.publish.wording import N_

if TYPE_CHECKING:
    import datetime as dt

    from cadran.declare.model import Kpi, Report

_REFUSED = {
    "neighbours": N_(
        "%(what)s() compares a period with the one before, which several months together do not have"
    ),
    "moved": N_("%(what)s() moves or lengthens the period itself, so it has no value over several months"),
    "undated": N_("'%(what)s' has no date"),
    "grain": N_("'%(what)s' has no months: its figures are for longer periods"),
}


@dataclass(frozen=True, slots=True)
class Compared:
    """One KPI before and after a milestone.

    kpi: its name
    label: for people
    before: its value over the months before
    after: its value over the months after
    change: the difference
    earlier: what the same months changed by a year before
    beyond: what the change is more than that
    sure: how sure the change is, in words
    verdict: better or worse where the change is clear, else same
    missing: why there are no figures; mostly empty
    """

    kpi: str
    label: str
    before: str = ""
    after: str = ""
    change: str = ""
    earlier: str = ""
    beyond: str = ""
    sure: str = ""
    verdict: str = "same"  # better or worse only where the change is clear
    missing: str = ""


@dataclass(frozen=True, slots=True)
class MilestoneView:
    """KPIs before and after a milestone.

    milestone: its name
    title: for people
    spans: which months are compared, in words
    titles: the heads of the columns, the KPI's first
    rows: the KPIs
    notes: what is to be known about the figures
    """

    milestone: str
    title: str
    spans: str
    titles: tuple[str, ...]
    rows: tuple[Compared, ...]
    notes: tuple[str, ...]


def for_report(answers: Answers, report: Report | None, figures: Figures) -> list[MilestoneView]:
    """What a report compares; nothing where it looks back at no milestone."""
    asked = of_report(report, figures.declaration).milestones
    return views([answers.milestones[q] for q in asked if q in answers.milestones], figures)


def views(answers: Iterable[MilestoneAnswer], figures: Figures) -> list[MilestoneView]:
    """One for each milestone and number of months, in the order of the answers."""
    groups: dict[tuple[str, int], list[MilestoneAnswer]] = {}
    for answer in answers:
        groups.setdefault((answer.question.milestone, answer.question.months), []).append(answer)
    return [_view(group, figures) for group in groups.values()]


def _view(group: list[MilestoneAnswer], figures: Figures) -> MilestoneView:
    form, locale, first = figures.form, figures.locale, group[0]

    def month(day: dt.date) -> str:
        return form.period(f"{day:%Y-%m}")

    name = spaced(first.question.milestone)
    spans = said(
        locale, "Before: %(first)s – %(last)s. After: %(start)s – %(end)s. Each side is one span of %(months)s months.",
        first=month(first.before.first), last=month(first.before.last), start=month(first.after.first),
        end=month(first.after.last), months=first.question.months,
    )  # fmt: skip
    titles = (
        N_("KPI"), N_("before"), N_("after"), N_("change"), N_("a year earlier"), N_("beyond that"), N_("how sure"),
    )  # fmt: skip
    notes = [N_("A change after a milestone is not proof of its cause: the season, prices and everything else that changed then are in it too.")]  # fmt: skip
    if any(answer.interval for answer in group):
        notes.insert(0, N_("Intervals hold with 95% confidence."))
    return MilestoneView(
        first.question.milestone,
        said(locale, "Before and after %(milestone)s (%(day)s)", milestone=name, day=form.date(first.day)),
        spans,
        tuple(said(locale, title) for title in titles),
        tuple(_Comparing(answer, figures).row() for answer in group),
        tuple(said(locale, note) for note in notes),
    )


class _Comparing:
    def __init__(self, answer: MilestoneAnswer, figures: Figures) -> None:
        self.answer, self.figures = answer, figures
        self.kpi: Kpi = figures.declaration.kpis[answer.question.kpi]
        self.changed = moved(answer.before, answer.after)
        self.digits = digits_of(self.changed or Fraction(0), (), self.kpi.unit)

    def row(self) -> Compared:
        answer, label = self.answer, self.figures.label(self.answer.question.kpi)
        if answer.missing or self.changed is None:
            return Compared(answer.question.kpi, label, missing=self._missing())
        earlier, beyond = self._beyond(self.changed, moved(*answer.earlier))
        form, unit = self.figures.form, self.kpi.unit
        return Compared(
            answer.question.kpi, label, form.value(answer.before.value, unit), form.value(answer.after.value, unit),
            self._difference(self.changed), earlier, beyond, self._sure(), self._verdict(),
        )  # fmt: skip

    def _beyond(self, changed: Fraction, earlier: Fraction | None) -> tuple[str, str]:
        """What the season did a year earlier, and the rest of the change: as shown, they add up to it."""
        if earlier is None:
            return self._said("no data"), "–"
        unit = step(self.digits, self.kpi.unit)
        (whole,), (season,) = rounded([changed], unit), rounded([earlier], unit)
        return self._difference(season), self._difference(whole - season)

    def _sure(self) -> str:
        answer = self.answer
        if answer.sure == "few":
            sides = {"before": answer.before.number or 0, "after": answer.after.number or 0}
            return self._said("too few to tell (%(before)s before, %(after)s after)", **sides)
        if answer.interval is None:
            return self._said("cannot be said: neither a share nor a mean")
        low, high = (self._difference(Fraction(end)) for end in answer.interval)
        text = (
            N_("clear: %(low)s to %(high)s") if answer.clear else N_("no clear change: %(low)s to %(high)s")
        )
        return self._said(text, low=low, high=high)

    def _verdict(self) -> str:
        if not (self.answer.clear and self.changed):
            return "same"
        return "better" if (self.changed > 0) == (self.kpi.good == "up") else "worse"

    def _missing(self) -> str:
        answer, months = self.answer, self.answer.question.months
        match answer.missing:
            case "refused":
                return self._said(_REFUSED[answer.refused], what=answer.what)
            case "before":
                return self._said(
                    "not enough: %(n)s of %(months)s months before", n=answer.before.months, months=months
                )
            case "after":
                day = self.figures.form.date(answer.enough_on) if answer.enough_on else ""
                text = N_("not enough yet: %(n)s of %(months)s months after; enough on %(day)s")
                return self._said(text, n=answer.after.months, months=months, day=day)
            case _:
                return self._said("no data on one side")

    def _difference(self, value: Fraction) -> str:
        (shown,) = rounded([value], step(self.digits, self.kpi.unit))
        return difference(shown, self.kpi.unit, self.digits, self.figures.form)

    def _said(self, text: str, **values: object) -> str:
        return said(self.figures.locale, text, **values)


def moved(one: Side, other: Side) -> Fraction | None:
    """By how much the later side lies above the earlier, None where one has no value."""
    if one.value is None or other.value is None:
        return None
    return Fraction(other.value) - Fraction(one.value)
