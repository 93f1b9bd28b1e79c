"""How running periods go, as people read it: one group for each period, one line for each KPI and segment value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from cadran.analysis.projection import LEAST
from cadran.publish.analyses.words import said
from cadran.publish.context_parts import Change, Figure
from cadran.publish.formatting import Number, exact
from cadran.publish.wording import N_

if TYPE_CHECKING:
    from cadran.analysis.answers import PaceAnswer, PaceFigures, Projection, Reason
    from cadran.declare.model import Kpi
    from cadran.publish.figures import Figures


@dataclass(frozen=True, slots=True)
class Bullet:
    """Places on a bar, from 0 to 100.

    value: what is there
    low: where the interval of the end begins
    high: where it ends
    projection: where it will probably end
    target: the target; None without one
    """

    value: float
    low: float
    high: float
    projection: float
    target: float | None


@dataclass(frozen=True, slots=True)
class PaceLine:
    """How a running period of one KPI goes, in all or for one segment value.

    kpi: its name
    label: for people
    segment_text: the segment value; empty for all
    value: what is there to date
    change: against the same elapsed part of the period before
    change_year: against the same elapsed part a year ago
    projection: where the period will probably end
    projection_text: the same with its interval, or why there is none
    error_text: how far off the same projection was in past periods
    target: the period's target
    target_text: the same with the chance of meeting it; empty without one
    left_text: what is left to the target; empty without one
    bullet: places on a bar; None without a projection, or where something is negative
    """

    kpi: str
    label: str
    segment_text: str
    value: Figure
    change: Change  # against the same elapsed part of the period before
    change_year: Change
    projection: Figure
    projection_text: str
    error_text: str
    target: Figure
    target_text: str
    left_text: str
    bullet: Bullet | None  # None without a projection, and where something is negative


@dataclass(frozen=True, slots=True)
class PaceGroup:
    """A running period.

    period: its label
    period_text: the label in words
    elapsed_text: which part of it is over
    days_text: how many working days are left
    lines: the KPIs
    """

    period: str
    period_text: str
    elapsed_text: str
    days_text: str
    lines: list[PaceLine] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PaceView:
    """How running periods go.

    words: heads of the columns, by key
    groups: the running periods
    """

    words: Mapping[str, str]
    groups: Sequence[PaceGroup]


def pace_view(answers: Iterable[PaceAnswer], figures: Figures) -> PaceView:
    messages = {
        "title": N_("Pace"), "to_date": N_("to date"), "projection": N_("Projection"), "target": N_("To target"),
        "vs_previous": N_("vs previous"), "vs_year_ago": N_("vs a year ago"), "nothing": N_("No running period"),
    }  # fmt: skip
    words = {key: said(figures.locale, message) for key, message in messages.items()}
    return PaceView(words, pace_groups(answers, figures))


def pace_groups(answers: Iterable[PaceAnswer], figures: Figures) -> list[PaceGroup]:
    """By period, the shortest first as KPIs declare them."""
    groups: dict[str, PaceGroup] = {}
    for answer in answers:
        kpi = figures.declaration.kpis[answer.name]
        for found in answer.figures:
            group = groups.get(found.period) or _group(found, figures)
            groups[found.period] = group
            group.lines.append(_line(kpi, found, figures))
    return list(groups.values())


def _group(found: PaceFigures, figures: Figures) -> PaceGroup:
    days = found.working_days
    message = {0: N_("no working day left"), 1: N_("1 working day left")}.get(
        days, N_("%(n)s working days left")
    )
    return PaceGroup(
        found.period,
        figures.form.period(found.period),
        said(figures.locale, "%(part)s elapsed", part=whole_percent(found.elapsed, figures)),
        said(figures.locale, message, n=days),
    )


def _line(kpi: Kpi, found: PaceFigures, figures: Figures) -> PaceLine:
    made, unit = found.projection, kpi.unit
    target = figures.form.bounds(found.target, found.target_high, unit)
    return PaceLine(
        kpi.name,
        figures.label(kpi.name),
        figures.segment(found.segment_value, found.segment),
        figures.figure(found.value, unit),
        figures.change(found.value, found.previous, kpi),
        figures.change(found.value, found.year_ago, kpi),
        figures.figure(None if made is None else made.value, unit),
        _projection(made, found.reason, unit, figures),
        "" if made is None else _error(made, figures),
        figures.figure(found.target, unit),
        "" if found.target is None else _target(target, made, figures),
        _left(kpi, found, figures),
        _bullet(found),
    )


def _bullet(found: PaceFigures) -> Bullet | None:
    if found.projection is None or found.value is None:
        return None
    interval = found.projection.intervals[0]
    target = None if found.target is None else float(found.target)
    places = [float(found.value), interval.low, interval.high, found.projection.value]
    most = max([*places, target or 0.0]) * 1.02
    if min([*places, target or 0.0]) < 0 or not most:
        return None
    value, low, high, projection = (round(100 * place / most, 1) for place in places)
    return Bullet(value, low, high, projection, None if target is None else round(100 * target / most, 1))


def _projection(made: Projection | None, reason: Reason, unit: str, figures: Figures) -> str:
    if reason == "later":
        return said(figures.locale, "no projection: what its rows count for is known only later")
    if made is None:
        return said(figures.locale, "no projection: fewer than %(n)s final periods", n=LEAST)
    interval, form = made.intervals[0], figures.form
    return said(
        figures.locale, "projection %(value)s (%(level)s: %(low)s – %(high)s)", value=form.value(made.value, unit),
        level=whole_percent(interval.level, figures), low=form.value(interval.low, unit), high=form.value(interval.high, unit),
    )  # fmt: skip


def _error(made: Projection, figures: Figures) -> str:
    if made.error is None or made.naive_error is None:
        return said(figures.locale, "not tested yet: too little history")
    return said(
        figures.locale, "error so far %(error)s over %(n)s periods (repeating the period before: %(naive)s)",
        error=whole_percent(made.error, figures), n=made.tested, naive=whole_percent(made.naive_error, figures),
    )  # fmt: skip


def _target(target: str, made: Projection | None, figures: Figures) -> str:
    if made is None or made.chance is None:
        return said(figures.locale, "target %(target)s", target=target)
    chance = likely(made.chance, figures)
    return said(figures.locale, "target %(target)s, %(chance)s likely", target=target, chance=chance)


def _left(kpi: Kpi, found: PaceFigures, figures: Figures) -> str:
    """What is left to the target, spread over the working days where that has a meaning."""
    if found.left is None:
        return ""
    left = _size(found.left, kpi.unit, figures)
    day = figures.form.value(found.per_day, kpi.unit) if found.per_day is not None else ""
    if found.left < 0 or (not found.left and kpi.good == "up"):
        return said(
            figures.locale,
            N_("reached so far") if kpi.good == "up" else N_("exceeded by %(left)s"),
            left=left,
        )
    if day:
        ahead = (
            N_("%(left)s to go, %(day)s per working day")
            if kpi.good == "up"
            else N_("%(left)s may still come, %(day)s per working day")
        )
        return said(figures.locale, ahead, left=left, day=day)
    if kpi.good == "down":
        return said(figures.locale, "%(left)s below the limit", left=left)
    spread = found.spreads and not found.working_days
    return said(
        figures.locale,
        N_("%(left)s to go, no working day left") if spread else N_("%(left)s missing"),
        left=left,
    )


def _size(value: Number, unit: str, figures: Figures) -> str:
    """A difference without its sign; of percentages in points."""
    size = abs(exact(value) or Decimal(0))
    return (
        figures.form.points(size, unit).removeprefix("+")
        if unit == "percent"
        else figures.form.value(size, unit)
    )


def whole_percent(value: float | None, figures: Figures) -> str:
    """``73 %`` without digits behind the point, as probabilities and errors are not known better."""
    if value is None:
        return "–"
    return figures.form.share(Decimal(round(value * 100)) / 100)


def likely(chance: float, figures: Figures) -> str:
    """A probability that is never said to be certain."""
    if 0.01 <= chance <= 0.99:
        return whole_percent(chance, figures)
    sign = "<" if chance < 0.01 else ">"
    return f"{sign} {whole_percent(0.01 if chance < 0.01 else 0.99, figures)}"
