"""Forecasts as people read them: period by period, the open deals by stage, and how good the same forecast was before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cadran.publish.analyses.pace import whole_percent
from cadran.publish.analyses.words import said
from cadran.publish.context_parts import Figure
from cadran.publish.wording import N_

if TYPE_CHECKING:
    from cadran.analysis.answers import ForecastAnswer, ForecastFigures, ForecastStage, ForecastTest
    from cadran.publish.figures import Figures


@dataclass(frozen=True, slots=True)
class Stack:
    """Widths on a bar, of 100.

    won: what is won
    open: what open deals will bring
    new: what is still to come
    low: where the interval begins; None where too little is known
    high: where it ends
    """

    won: float
    open: float
    new: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class ForecastLine:
    """One period of a forecast, in all or of one segment value.

    period: its label
    period_text: the label in words
    segment_text: the segment value; empty for all
    won: what is won already
    open: what open deals will bring
    new: what deals still to come will bring
    value: the forecast
    interval_text: between which amounts it lies; empty where too little is known
    stack: widths on a bar; None where something is negative, or where there is nothing
    """

    period: str
    period_text: str
    segment_text: str
    won: Figure
    open: Figure
    new: Figure
    value: Figure
    interval_text: str
    stack: Stack | None  # None where something is negative, and where there is nothing


@dataclass(frozen=True, slots=True)
class StageLine:
    """Open deals in one stage.

    label: the stage
    deals: how many
    amount: their amount
    rate_text: the share of such deals that was won
    days: the median of days until they were won
    decided: how many decided deals that rests on
    """

    label: str
    deals: Figure
    amount: Figure
    rate_text: str
    days: Figure
    decided: Figure


@dataclass(frozen=True, slots=True)
class TriedLine:
    """How good forecasts so many periods ahead were.

    label: how far ahead
    forecasts: how many were made
    bias_text: by how much they were too high or too low
    error_text: the mean absolute error
    naive_text: the error of repeating the period before
    held: how often each interval held what came
    """

    label: str
    forecasts: int
    bias_text: str
    error_text: str
    naive_text: str
    held: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ForecastView:
    """What the open deals of a pipeline, and those still to come, will bring.

    name: the forecast's name
    label: for people
    description: what it is about
    level_text: the probability of the intervals
    levels: the probabilities of the intervals that were tested
    lines: the periods
    segments: the periods by segment value
    stages: the open deals by stage
    tests: how good the same forecast was in the past
    words: heads of the tables, by key
    """

    name: str
    label: str
    description: str
    level_text: str
    levels: tuple[str, ...]
    lines: tuple[ForecastLine, ...]
    segments: tuple[ForecastLine, ...]
    stages: tuple[StageLine, ...]
    tests: tuple[TriedLine, ...]
    words: Mapping[str, str]


_WORDS = {
    "won": N_("won"), "open": N_("open deals"), "new": N_("still to come"), "forecast": N_("forecast"), "by_stage": N_("Open deals by stage"),
    "deals": N_("deals"), "amount": N_("amount"), "rate": N_("share won"), "days": N_("days until won (median)"),
    "decided": N_("decided deals"), "tested": N_("The same forecast at the same point of past periods"), "forecasts": N_("forecasts"),
    "bias": N_("bias"), "error": N_("error"), "naive": N_("repeating the period before"), "within": N_("came within %(level)s"),
    "untested": N_("Not tested yet: too little history"), "title": N_("Forecast"), "by_segment": N_("By segment"),
}  # fmt: skip


def forecast_view(answer: ForecastAnswer, figures: Figures) -> ForecastView:
    made = figures.declaration.forecasts[answer.name]
    intervals = [interval for found in answer.figures for interval in found.intervals]
    levels = sorted({interval.level for interval in intervals})
    most = max((_reach(found) for found in answer.figures if not found.segment), default=0.0)
    shown = [_line(found, answer.unit, most, figures) for found in answer.figures]
    return ForecastView(
        answer.name,
        figures.text(made.label) or answer.name.replace("_", " "),
        figures.text(made.description),
        whole_percent(levels[0], figures) if levels else "",
        tuple(whole_percent(level, figures) for level in levels),
        tuple(line for line in shown if not line.segment_text),
        tuple(line for line in shown if line.segment_text),
        tuple(_stage(found, answer.unit, figures) for found in answer.stages),
        tuple(_test(found, figures) for found in answer.tests),
        {key: said(figures.locale, message) for key, message in _WORDS.items()},
    )


def _reach(found: ForecastFigures) -> float:
    """The largest amount that its bar has to hold."""
    return max([found.won + found.open + (found.new or 0.0), *(i.high for i in found.intervals[:1])])


def _stack(found: ForecastFigures, most: float) -> Stack | None:
    parts = (found.won, found.open, found.new or 0.0)
    if found.segment or not most or min(parts) < 0:
        return None
    won, open_, new = (round(100 * part / most, 1) for part in parts)
    if not found.intervals:
        return Stack(won, open_, new, None, None)
    low, high = (
        round(100 * max(end, 0.0) / most, 1) for end in (found.intervals[0].low, found.intervals[0].high)
    )
    return Stack(won, open_, new, low, high)


def _line(found: ForecastFigures, unit: str, most: float, figures: Figures) -> ForecastLine:
    form, interval = figures.form, found.intervals[0] if found.intervals else None
    return ForecastLine(
        found.period,
        form.period(found.period),
        figures.segment(found.segment_value, found.segment),
        figures.figure(found.won, unit),
        figures.figure(found.open, unit),
        figures.figure(found.new, unit),
        figures.figure(found.value, unit),
        "" if interval is None else f"{form.value(interval.low, unit)} – {form.value(interval.high, unit)}",
        _stack(found, most),
    )


def _stage(found: ForecastStage, unit: str, figures: Figures) -> StageLine:
    return StageLine(
        figures.said(found.stage) or said(figures.locale, "(no stage)"),
        figures.figure(found.deals),
        figures.figure(found.amount, unit),
        whole_percent(found.rate, figures),
        figures.figure(None if found.days is None else round(found.days)),
        figures.figure(found.decided),
    )


def _test(found: ForecastTest, figures: Figures) -> TriedLine:
    ahead = {0: N_("the running period"), 1: N_("the next period")}.get(found.step, N_("%(n)s periods ahead"))
    bias = whole_percent(found.bias, figures)
    return TriedLine(
        said(figures.locale, ahead, n=found.step),
        found.forecasts,
        f"+{bias}" if found.bias is not None and round(found.bias * 100) > 0 else bias,
        whole_percent(found.error, figures),
        whole_percent(found.naive_error, figures),
        tuple(whole_percent(share, figures) for share in found.coverage.values()),
    )
