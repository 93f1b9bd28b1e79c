"""Formulas over measures: arithmetic, the rules of nothing, spans, and what a whole run puts out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from naive.arithmetic import arithmetic
from naive.measures import Measures, Segment, Span, dataset_of, span_of
from naive.periods import ALL, TO_DATE, Period
from naive.rows import World
from naive.tree import (
    Agg,
    Arith,
    Coalesce,
    Converted,
    CountHaving,
    Entity,
    Kept,
    Measure,
    Neg,
    Node,
    Num,
    Number,
    Ref,
    Rolling,
    Shift,
    Timed,
    ToDate,
    Total,
    ValueAt,
    children,
)

UNKNOWN = object()  # a base that the text of the language does not settle
_MEASURES = (Agg, Entity, CountHaving, Converted, Timed, Kept)


@dataclass(frozen=True)
class Kpi:
    """``segments``: each a cross of one or more names; the total always comes along."""

    name: str
    formula: Node
    grains: tuple[str, ...] = ()
    segments: tuple[tuple[str, ...], ...] = ()


class Evaluator:
    """KPIs over a world."""

    def __init__(self, world: World, kpis: Sequence[Kpi]) -> None:
        self.world, self.calendar = world, world.calendar
        self.kpis: Mapping[str, Kpi] = {kpi.name: kpi for kpi in kpis}
        self.measures = Measures(world)

    # --- values ----------------------------------------------------------------------------------------------

    def value(self, node: Node, span: Span, segment: Segment) -> Number | None:
        """None is no data."""
        match node:
            case Num(value):
                return value
            case Ref(
                name
            ):  # "a KPI's name stands for its formula at the period and segments of whoever uses it"
                return self.value(self.kpis[name].formula, span, segment)
            case Neg(of):
                negated = self.value(of, span, segment)
                return None if negated is None else -negated
            case Coalesce(of, default):
                known = self.value(of, span, segment)
                return self.value(default, span, segment) if known is None else known
            case Arith(op, left, right):
                return arithmetic(
                    op, self.value(left, span, segment), self.value(right, span, segment), right
                )
            case Total(of):  # "k without the segment"
                return self.value(of, span, {})
            case Shift(of=of) | ValueAt(of=of) | Rolling(of=of) | ToDate(of=of):
                other = self.span(node, span)
                return None if other is None else self.value(of, other, segment)
            case _:
                return self.measures.value(node, span, segment)

    def span(self, node: Shift | ValueAt | Rolling | ToDate, span: Span) -> Span | None:
        """The span that a function over k computes k for; None where there is none."""
        if span.last == ALL:
            return None
        match node:
            case Shift(kind):
                return self.shifted(kind, span)
            case Rolling(_, count):  # "one longer span that ends with the period"
                return replace(span, start=self.calendar.shift(span.last, 1 - count).start)
            case ToDate(unit):  # "the year (quarter, month) of the period's last day"
                last_day = span.last.end - dt.timedelta(days=1)
                return replace(span, start=self.calendar.floor(TO_DATE[unit], last_day))
            case ValueAt(of, milestone):
                return self.at_milestone(of, span.grain, milestone)

    def shifted(self, kind: str, span: Span) -> Span | None:
        """The text: "shift the span by one period or one year on the calendar; no counterpart (W53, 29 February) is no data";
        "an open period is compared with the same elapsed part of the other"."""
        if kind == "next":
            return Span(self.calendar.later(span.grain, span.start, 1), self.calendar.shift(span.last, 1))
        elapsed = span.elapsed
        if elapsed is None and self.calendar.midnight(span.last.end) > self.world.clock:
            clock = self.calendar.local(self.world.clock)
            if clock.date() < span.last.start:
                return None  # a period that hasn't begun has nothing to be compared with
            elapsed = (clock.date() - span.last.start).days, clock.time()
        if kind == "previous":
            return Span(
                self.calendar.later(span.grain, span.start, -1), self.calendar.shift(span.last, -1), elapsed
            )
        last = self.calendar.year_ago(span.last)
        first = self.calendar.year_ago(self.calendar.period(span.grain, span.start))
        return None if last is None or first is None else Span(first.start, last, elapsed)

    def at_milestone(self, of: Node, grain: str, milestone: dt.date) -> Span | None:
        """The text: "The last final period that ends at or before it"."""
        period = self.calendar.period(grain, milestone)
        while period.end > milestone or self.state(of, period) != "final":
            period = self.calendar.shift(period, -1)
        return span_of(period)

    # --- state -----------------------------------------------------------------------------------------------

    def leaves(self, node: Node, under_total: bool = True) -> Iterator[Measure]:
        """The measures of a formula, looking through references."""
        if isinstance(node, Ref):
            yield from self.leaves(self.kpis[node.name].formula, under_total)
        elif isinstance(node, _MEASURES):
            yield node
        elif under_total or not isinstance(node, Total):
            for child in children(node):
                yield from self.leaves(child, under_total)

    def reaches(self, node: Node, span: Span) -> Iterator[tuple[Measure, dt.date | None]]:
        """Each measure of a formula with the end of the days that it looks at; None where it does not wait for them."""
        if isinstance(node, Ref):
            yield from self.reaches(self.kpis[node.name].formula, span)
        elif isinstance(node, _MEASURES):
            ahead = self.world.datasets[dataset_of(node)].ahead
            yield node, None if ahead or not self.measures.covered(node, span) else span.last.end
        else:
            other = self.span(node, span) if isinstance(node, Shift | ValueAt | Rolling | ToDate) else None
            for child in children(node):
                yield from self.reaches(child, other or span)

    def state(self, node: Node, period: Period) -> str:
        """The text: "`open` until it ends, `settling` until the longest `settle` of its datasets has passed, then `final`";
        "`maturing` until the period's end plus the window". With `next` the period after it must have ended too; under
        `previous` it is the earlier period that matures."""
        if period == ALL:
            return "final"  # "final at the clock"
        clock, end, settle, maturing = self.world.clock, period.end, 0, False
        for leaf, reach in self.reaches(node, span_of(period)):
            end = max(end, reach or end)
            settle = max(settle, self.world.datasets[dataset_of(leaf)].settle)
            if isinstance(leaf, Converted):
                settle = max(settle, self.world.datasets[leaf.other].settle)
                maturing = maturing or (reach is not None and clock < self.matured(leaf, reach))
        ended = self.calendar.midnight(end)
        if clock < ended:
            return "open"
        if maturing:
            return "maturing"
        return "settling" if clock < self.calendar.add_days(ended, settle) else "final"

    def matured(self, leaf: Converted, end: dt.date) -> dt.datetime:
        return self.calendar.add_days(self.calendar.midnight(end), leaf.days, leaf.hours * 3600)

    # --- base ------------------------------------------------------------------------------------------------

    def base(self, node: Node, span: Span, segment: Segment) -> Any:
        """The text: "The denominator of the outermost division whose divisor holds a measure, else the non-NULL rows behind
        the value" (of several measures, the smallest)."""
        divisor = self.divisor(node)
        if divisor is not None:
            return self.value(divisor, span, segment)
        behind = list(self.behind(node, span, segment))
        if UNKNOWN in behind or not behind:
            return UNKNOWN
        return min(behind)

    def divisor(self, node: Node) -> Node | None:
        """Looking through references, + - *."""
        match node:
            case Ref(name):
                return self.divisor(self.kpis[name].formula)
            case Neg(of):
                return self.divisor(of)
            case Arith("/", left, right):
                return right if any(self.leaves(right)) else self.divisor(left)
            case Arith(_, left, right):
                found = self.divisor(left)
                return self.divisor(right) if found is None else found
            case _:
                return None

    def behind(self, node: Node, span: Span, segment: Segment) -> Iterator[Any]:
        """The number of non-NULL rows behind each plain aggregate."""
        match node:
            case Agg():
                if not self.measures.covered(node, span):
                    yield UNKNOWN
                    return
                rows = self.measures.rows_behind(node, span, segment)
                yield sum(v is not None for v in self.measures.values(node, rows, self.measures.window(span)))
            case Ref(name):
                yield from self.behind(self.kpis[name].formula, span, segment)
            case Arith() | Neg() | Num():
                for child in children(node):
                    yield from self.behind(child, span, segment)
            case _:
                yield UNKNOWN
