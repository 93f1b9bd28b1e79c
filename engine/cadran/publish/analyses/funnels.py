"""Funnels as people read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cadran.analysis.answers import Answers, FunnelAnswer, FunnelFigures, StepFigures
from cadran.compute.results import Number, joined
from cadran.declare.model import Funnel, Step
from cadran.publish.analyses.sheet import Sheet
from cadran.publish.context_parts import Figure
from cadran.publish.figures import Figures, spaced

_PERIODS = 6  # so many are listed below the one that is shown step by step


@dataclass(frozen=True, slots=True)
class StepBlock:
    """One step of a funnel.

    name: its name
    label: for people
    count: how many reached it
    of_previous: the share of the step before
    of_first: the share of the first step
    days: the median of days since the step before
    width: the share of the first step in whole percent, for a bar
    skipped: how many reached it without the steps before it; they are not counted
    """

    name: str
    label: str
    count: Figure
    of_previous: Figure
    of_first: Figure
    days: Figure
    width: int
    skipped: int


@dataclass(frozen=True, slots=True)
class FunnelLine:
    """A period of a funnel, or a segment's value in the shown one.

    label: the period or the value
    counts: how many reached each step
    overall: the share of the first step that reached the last
    state: final, settling, maturing or open
    state_text: for people; empty where it is final
    """

    label: str
    counts: tuple[Figure, ...]
    overall: Figure
    state: str
    state_text: str


@dataclass(frozen=True, slots=True)
class FunnelSegment:
    """A funnel's shown period by the values of a segment.

    label: the segment
    rows: its values, the largest first
    """

    label: str
    rows: tuple[FunnelLine, ...]


@dataclass(frozen=True, slots=True)
class FunnelBlock:
    """A funnel at one period of entry.

    name: its name
    label: for people
    description: what it is about
    window_text: within how many days a step counts, in words
    period: the shown period's label
    period_text: the same in words
    state: final, settling, maturing or open
    state_text: for people; empty where it is final
    steps: the steps
    periods: the periods up to the shown one, and those after it
    segments: the shown period by segment
    notes: what is to be known about the figures
    tables: all of it as plain tables
    """

    name: str
    label: str
    description: str
    window_text: str
    period: str
    period_text: str
    state: str
    state_text: str
    steps: tuple[StepBlock, ...]
    periods: tuple[FunnelLine, ...]
    segments: tuple[FunnelSegment, ...]
    notes: tuple[str, ...]
    tables: tuple[Sheet, ...] = ()


def funnel_block(
    answer: FunnelAnswer, figures: Figures, grain: str = "", period: str = ""
) -> FunnelBlock | None:
    """At a period, or at the last one of a grain that is final (else the last of all); None without any period."""
    funnel = figures.declaration.funnels[answer.name]
    grains = [str(g) for g in funnel.periods]
    grain = grain if grain in grains else grains[0]
    totals = [f for f in answer.figures if not f.segment and f.grain == grain]
    shown = _shown(totals, period)
    if shown is None:
        return None
    until = totals.index(shown)
    listed = totals[max(0, until - _PERIODS + 1) :]
    block = FunnelBlock(
        name=funnel.name,
        label=label_of(funnel, figures),
        description=figures.text(funnel.description),
        window_text=figures.ngettext("within %(num)s day", "within %(num)s days", funnel.window.days),
        period=shown.period,
        period_text=figures.form.period(shown.period),
        state=shown.state,
        state_text=figures.state(shown.state),
        steps=tuple(_step(step, funnel.steps[n], shown, figures) for n, step in enumerate(shown.steps)),
        periods=tuple(_line(f, figures.form.period(f.period), figures) for f in listed),
        segments=tuple(_segments(answer, shown, figures)),
        notes=tuple(_notes(shown, funnel, figures)),
    )
    return replace(block, tables=tuple(sheets(block, figures)))


def other_periods(answers: Answers, figures: Figures) -> str:
    """How to ask for another period, by one of another grain; empty where no funnel has several."""
    for answer in answers.funnels.values():
        for grain in figures.declaration.funnels[answer.name].periods[1:]:
            totals = [f for f in answer.figures if not f.segment and f.grain == grain]
            if (found := _shown(totals, "")) is not None:
                return figures.gettext("other periods: --period %(period)s", period=found.period)
    return ""


def label_of(funnel: Funnel, figures: Figures) -> str:
    return figures.text(funnel.label) or spaced(funnel.name)


def _shown(totals: Sequence[FunnelFigures], period: str) -> FunnelFigures | None:
    if period:
        return next((f for f in totals if f.period == period), None)
    final = [f for f in totals if f.state == "final"]
    return next(reversed(final or totals), None)


def _step(found: StepFigures, step: Step, shown: FunnelFigures, figures: Figures) -> StepBlock:
    first = shown.steps[0].count
    return StepBlock(
        name=step.name,
        label=step_label(step, figures),
        count=figures.figure(found.count),
        of_previous=figures.figure(found.of_previous, "percent"),
        of_first=figures.figure(found.of_first, "percent"),
        days=figures.figure(_days(found.days), "days"),
        width=round(100 * found.count / first) if first else 0,
        skipped=found.skipped,
    )


def _days(days: float | None) -> Number | None:
    """A median of whole days is whole, or lies half-way between two."""
    return int(days) if days is not None and days.is_integer() else days


def step_label(step: Step, figures: Figures) -> str:
    return figures.text(step.label) or spaced(step.name)


def _line(found: FunnelFigures, label: str, figures: Figures) -> FunnelLine:
    return FunnelLine(
        label,
        tuple(figures.figure(step.count) for step in found.steps),
        figures.figure(found.steps[-1].of_first, "percent"),
        found.state,
        figures.state(found.state),
    )


def _segments(answer: FunnelAnswer, shown: FunnelFigures, figures: Figures) -> Iterator[FunnelSegment]:
    rows: dict[tuple[str, ...], list[FunnelFigures]] = {}
    for found in answer.figures:
        if found.segment and (found.grain, found.period) == (shown.grain, shown.period):
            rows.setdefault(found.segment, []).append(found)
    for names, of in rows.items():
        ordered = sorted(of, key=lambda f: (-f.steps[0].count, f.segment_value))
        lines = [
            _line(f, figures.segment(f.segment_value, names), figures) for f in ordered if f.steps[0].count
        ]
        if lines:
            yield FunnelSegment(" × ".join(spaced(name) for name in names), tuple(lines))


def _notes(shown: FunnelFigures, funnel: Funnel, figures: Figures) -> Iterator[str]:
    for number, step in enumerate(shown.steps):
        if step.skipped:
            yield figures.ngettext(
                "%(num)s reached “%(step)s” without the steps before it, or not in their order; it is not counted",
                "%(num)s reached “%(step)s” without the steps before it, or not in their order; they are not counted",
                step.skipped,
                step=step_label(funnel.steps[number], figures),
            )


# --- tables and records ------------------------------------------------------------------------------------------------


def sheets(block: FunnelBlock, figures: Figures) -> Iterator[Sheet]:
    state = f" · {block.state_text}" if block.state_text else ""
    gettext = figures.gettext
    heads = (
        gettext("Step"),
        gettext("How many"),
        gettext("Of the step before"),
        gettext("Of the first"),
        gettext("Median days"),
    )
    yield Sheet(
        f"{block.label} · {block.period_text}{state} · {block.window_text}",
        heads,
        tuple((s.label, s.count.text, s.of_previous.text, s.of_first.text, s.days.text) for s in block.steps),
        block.description,
        notes=block.notes,
    )
    steps = tuple(step.label for step in block.steps)
    yield _lines(gettext("Entered in"), block.periods, steps, figures)
    for segment in block.segments:
        yield _lines(segment.label, segment.rows, steps, figures)


def _lines(head: str, lines: Sequence[FunnelLine], steps: tuple[str, ...], figures: Figures) -> Sheet:
    heads = (head, *steps, figures.gettext("Overall"), figures.gettext("State"))
    rows = ((x.label, *(c.text for c in x.counts), x.overall.text, x.state_text) for x in lines)
    return Sheet("", heads, tuple(rows), last=1)


def records(answer: FunnelAnswer) -> Iterator[dict[str, Any]]:
    """One for each step of each period and segment value."""
    for found in answer.figures:
        for number, step in enumerate(found.steps, 1):
            yield {
                "funnel": answer.name, "grain": found.grain, "period": found.period,
                "period_start": found.period_start, "period_end": found.period_end, "state": found.state,
                "segment": joined(found.segment), "segment_value": joined(found.segment_value),
                "number": number, "step": step.name, "count": step.count, "of_previous": step.of_previous,
                "of_first": step.of_first, "median_days": step.days, "skipped": step.skipped,
            }  # fmt: skip
