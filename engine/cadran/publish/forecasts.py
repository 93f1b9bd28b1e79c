"""Forecasts as people read them: period by period, the open deals by stage, and how good the same forecast was before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cadran.publish.foretold_words import say
from cadran.publish.pace import whole_percent

if TYPE_CHECKING:
    from cadran.analysis.answers import ForecastAnswer, ForecastFigures, ForecastStage, ForecastTest
    from cadran.publish.context import Figure
    from cadran.publish.figures import Figures


@dataclass(frozen=True, slots=True)
class ForecastLine:
    """One period, in all or of one segment value. ``interval_text`` is empty where too little is known."""

    period: str
    period_text: str
    segment_text: str
    won: Figure
    open: Figure
    new: Figure
    value: Figure
    interval_text: str


@dataclass(frozen=True, slots=True)
class StageLine:
    label: str
    deals: Figure
    amount: Figure
    rate_text: str
    days: Figure
    decided: Figure


@dataclass(frozen=True, slots=True)
class TriedLine:
    """How good forecasts so many periods ahead were; ``held`` how often each interval held what came."""

    label: str
    forecasts: int
    bias_text: str
    error_text: str
    naive_text: str
    held: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ForecastView:
    """``level_text`` is the probability of the intervals shown, ``levels`` those that were tested."""

    name: str
    label: str
    description: str
    level_text: str
    levels: tuple[str, ...]
    lines: tuple[ForecastLine, ...]
    segments: tuple[ForecastLine, ...]
    stages: tuple[StageLine, ...]
    tests: tuple[TriedLine, ...]


def forecast_view(answer: ForecastAnswer, figures: Figures) -> ForecastView:
    made = figures.declaration.forecasts[answer.name]
    intervals = [interval for found in answer.figures for interval in found.intervals]
    levels = sorted({interval.level for interval in intervals})
    shown = [_line(found, answer.unit, figures) for found in answer.figures]
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
    )


def _line(found: ForecastFigures, unit: str, figures: Figures) -> ForecastLine:
    form, interval = figures.form, found.intervals[0] if found.intervals else None
    return ForecastLine(
        found.period,
        form.period(found.period),
        figures.segment(found.segment_value),
        figures.figure(found.won, unit),
        figures.figure(found.open, unit),
        figures.figure(found.new, unit),
        figures.figure(found.value, unit),
        "" if interval is None else f"{form.value(interval.low, unit)} – {form.value(interval.high, unit)}",
    )


def _stage(found: ForecastStage, unit: str, figures: Figures) -> StageLine:
    return StageLine(
        figures.said(found.stage) or say(figures.locale, "(no stage)"),
        figures.figure(found.deals),
        figures.figure(found.amount, unit),
        whole_percent(found.rate, figures),
        figures.figure(None if found.days is None else round(found.days)),
        figures.figure(found.decided),
    )


def _test(found: ForecastTest, figures: Figures) -> TriedLine:
    ahead = {0: "the running period", 1: "the next period"}.get(found.step, "{n} periods ahead")
    bias = whole_percent(found.bias, figures)
    return TriedLine(
        say(figures.locale, ahead, n=found.step),
        found.forecasts,
        f"+{bias}" if found.bias is not None and round(found.bias * 100) > 0 else bias,
        whole_percent(found.error, figures),
        whole_percent(found.naive_error, figures),
        tuple(whole_percent(share, figures) for share in found.coverage.values()),
    )
