"""How running periods go, as people read it: one group for each period, one line for each KPI and segment value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from cadran.analysis.projection import LEAST
from cadran.publish.foretold_words import say
from cadran.publish.formatting import Number, exact

if TYPE_CHECKING:
    from cadran.analysis.answers import PaceAnswer, PaceFigures, Projection, Reason
    from cadran.declare.model import Kpi
    from cadran.publish.context_parts import Change, Figure
    from cadran.publish.figures import Figures


@dataclass(frozen=True, slots=True)
class Bullet:
    """Places on a bar from 0 to 100: what is there, the interval in which it will end, where probably, and the target."""

    value: float
    low: float
    high: float
    projection: float
    target: float | None


@dataclass(frozen=True, slots=True)
class PaceLine:
    """One KPI, or one segment value of it: figures, and sentences that are empty where there is nothing to say."""

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
    """A running period: ``elapsed_text`` says which part of it is over, ``days_text`` how many working days are left."""

    period: str
    period_text: str
    elapsed_text: str
    days_text: str
    lines: list[PaceLine] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PaceView:
    """What a report's block of paces shows; ``words`` are its headings by key."""

    words: Mapping[str, str]
    groups: Sequence[PaceGroup]


def pace_view(answers: Iterable[PaceAnswer], figures: Figures) -> PaceView:
    said = {
        "title": "Pace", "to_date": "to date", "projection": "Projection", "target": "To target",
        "vs_previous": "vs previous", "vs_year_ago": "vs a year ago", "nothing": "No running period",
    }  # fmt: skip
    words = {key: say(figures.locale, message) for key, message in said.items()}
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
    message = {0: "no working day left", 1: "1 working day left"}.get(days, "{n} working days left")
    return PaceGroup(
        found.period,
        figures.form.period(found.period),
        say(figures.locale, "{part} elapsed", part=whole_percent(found.elapsed, figures)),
        say(figures.locale, message, n=days),
    )


def _line(kpi: Kpi, found: PaceFigures, figures: Figures) -> PaceLine:
    made, unit = found.projection, kpi.unit
    target = figures.form.bounds(found.target, found.target_high, unit)
    return PaceLine(
        kpi.name,
        figures.label(kpi.name),
        figures.segment(found.segment_value),
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
        return say(figures.locale, "no projection: what its rows count for is known only later")
    if made is None:
        return say(figures.locale, "no projection: fewer than {n} final periods", n=LEAST)
    interval, form = made.intervals[0], figures.form
    return say(
        figures.locale, "projection {value} ({level}: {low} – {high})", value=form.value(made.value, unit),
        level=whole_percent(interval.level, figures), low=form.value(interval.low, unit), high=form.value(interval.high, unit),
    )  # fmt: skip


def _error(made: Projection, figures: Figures) -> str:
    if made.error is None or made.naive_error is None:
        return say(figures.locale, "not tested yet: too little history")
    return say(
        figures.locale, "error so far {error} over {n} periods (repeating the period before: {naive})",
        error=whole_percent(made.error, figures), n=made.tested, naive=whole_percent(made.naive_error, figures),
    )  # fmt: skip


def _target(target: str, made: Projection | None, figures: Figures) -> str:
    if made is None or made.chance is None:
        return say(figures.locale, "target {target}", target=target)
    chance = likely(made.chance, figures)
    return say(figures.locale, "target {target}, {chance} likely", target=target, chance=chance)


def _left(kpi: Kpi, found: PaceFigures, figures: Figures) -> str:
    """What is left to the target, spread over the working days where that has a meaning."""
    if found.left is None:
        return ""
    left = _size(found.left, kpi.unit, figures)
    day = figures.form.value(found.per_day, kpi.unit) if found.per_day is not None else ""
    if found.left < 0 or (not found.left and kpi.good == "up"):
        return say(figures.locale, "reached so far" if kpi.good == "up" else "exceeded by {left}", left=left)
    if day:
        ahead = (
            "{left} to go, {day} per working day"
            if kpi.good == "up"
            else "{left} may still come, {day} per working day"
        )
        return say(figures.locale, ahead, left=left, day=day)
    if kpi.good == "down":
        return say(figures.locale, "{left} below the limit", left=left)
    spread = found.spreads and not found.working_days
    return say(figures.locale, "{left} to go, no working day left" if spread else "{left} missing", left=left)


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
