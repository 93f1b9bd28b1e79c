"""What a whole run puts out: one answer for each KPI, period and segment value."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from naive.arithmetic import arithmetic
from naive.evaluator import Evaluator
from naive.measures import Segment, Span, dataset_of, span_of
from naive.periods import ALL, Period
from naive.rows import Row, Window
from naive.tree import Kept, Node, Number, Shift, Timed


@dataclass(frozen=True)
class Key:
    """What a row of output is about."""

    kpi: str
    grain: str
    period: str
    segment: tuple[str, ...] = ()
    segment_value: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    value: Number | None
    base: Any
    previous: Number | None
    year_ago: Number | None
    change: Number | None
    state: str


def run(evaluator: Evaluator, since: dt.date, until: dt.date) -> dict[Key, Answer]:
    """Every row of output, for the covered periods from those that hold ``since`` to those that hold ``until``."""
    out: dict[Key, Answer] = {}
    for kpi in evaluator.kpis.values():
        for grain in kpi.grains:
            periods = listed(evaluator, kpi.formula, evaluator.calendar.periods(grain, since, until))
            for names in ((), *kpi.segments):
                for values in segment_values(evaluator, kpi.formula, names, periods):
                    for period in periods:
                        key = Key(kpi.name, grain, evaluator.calendar.label(period), names, values)
                        out[key] = answer(
                            evaluator, kpi.formula, period, dict(zip(names, values, strict=True))
                        )
    return out


def answer(evaluator: Evaluator, formula: Node, period: Period, segment: Segment) -> Answer:
    span = span_of(period)
    value = evaluator.value(formula, span, segment)
    previous = evaluator.value(Shift("previous", formula), span, segment)
    return Answer(
        value,
        evaluator.base(formula, span, segment),
        previous,
        evaluator.value(Shift("year_ago", formula), span, segment),
        arithmetic("-", value, previous, formula),
        evaluator.state(formula, period),
    )


def listed(evaluator: Evaluator, formula: Node, periods: list[Period]) -> list[Period]:
    """The periods that have rows of output: from the first to the last that one of the measures covers. Where none is
    ever covered, the total is still there with no data, up to the clock."""
    leaves = list(evaluator.leaves(formula))
    covered = [p for p in periods if any(evaluator.measures.covered(m, span_of(p)) for m in leaves)]
    if covered:
        return periods[periods.index(covered[0]) : periods.index(covered[-1]) + 1]
    if any(evaluator.measures.extent(m) for m in leaves):
        return []
    clock = evaluator.world.clock
    return [p for p in periods if p == ALL or evaluator.calendar.midnight(p.start) <= clock]


def segment_values(
    evaluator: Evaluator, formula: Node, names: tuple[str, ...], periods: list[Period]
) -> list[tuple[str, ...]]:
    """The text: "Segment values are those with rows in the output's range"; "rows count for a segment's values before a
    measure's own filter"."""
    if not names:
        return [()]
    if not periods:
        return []
    first, last = periods[0], periods[-1]
    window = evaluator.measures.window(Span(first.start, last))
    found = set()
    for leaf in evaluator.leaves(formula, under_total=False):
        dataset = evaluator.world.datasets[dataset_of(leaf)]
        for row in evaluator.world.rows(dataset.name):
            if isinstance(leaf, Timed | Kept) and dataset.valid:
                present = valid_within(row, window)
            else:
                date = evaluator.measures.date_of(leaf)
                present = bool(evaluator.measures.within([row], date, window))
            if present:
                found.add(tuple(row.segment(name) for name in names))
    return sorted(found)


def valid_within(row: Row, window: Window) -> bool:
    """Valid at any time in the range."""
    start, end = row.start(), row.end()
    if start is None or start >= window.hi:
        return False
    return window.holds(start) or end is None or end > window.lo
