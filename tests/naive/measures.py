"""Each measure of the vocabulary on its own dataset, for one span and one segment value."""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Mapping
from dataclasses import dataclass

from naive.aggregates import aggregate
from naive.periods import ALL, Calendar, Period
from naive.rows import MICROSECOND, Row, Window, World, evaluate
from naive.tree import (
    Agg,
    Converted,
    CountHaving,
    Entity,
    Kept,
    Measure,
    Number,
    RowExpr,
    Timed,
    Value,
)

Segment = Mapping[str, str]  # name -> value as text; empty for the total
COMPARE = {">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt, "=": operator.eq}
BEGINNING = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclass(frozen=True)
class Span:
    """Local days from ``start`` to the end of the period ``last``; longer than it under rolling and to-date.

    ``elapsed`` (days, then a time of day) cuts the last period after that part of it, that instant included.
    """

    start: dt.date
    last: Period
    elapsed: tuple[int, dt.time] | None = None

    @property
    def grain(self) -> str:
        return self.last.grain


def span_of(period: Period) -> Span:
    return Span(period.start, period)


def dataset_of(measure: Measure) -> str:
    return measure.of.dataset if isinstance(measure, Timed | Kept) else measure.dataset


class Measures:
    """Measures over the rows of a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.calendar: Calendar = world.calendar
        self._extents: dict[tuple[str, str | None], tuple[dt.datetime, dt.datetime] | None] = {}

    # --- where in time ---------------------------------------------------------------------------------------

    def window(self, span: Span) -> Window:
        """The text: "Boundaries are local midnights of the calendar's zone"; `all` ends with the clock, itself included."""
        if span.last == ALL:
            return Window(BEGINNING, self.world.clock + MICROSECOND)
        end = self.calendar.midnight(span.last.end)
        if span.elapsed is not None:
            days, time = span.elapsed
            cut = self.calendar.at(span.last.start + dt.timedelta(days=days), time) + MICROSECOND
            end = min(end, cut)
        return Window(self.calendar.midnight(span.start), end)

    def date_of(self, measure: Measure) -> str | None:
        """The column that places a measure's rows in time; None for interval functions and undated datasets."""
        if isinstance(measure, Agg | Entity | CountHaving) and measure.date:
            return measure.date  # `dated`
        return self.world.datasets[dataset_of(measure)].date

    def extent(self, measure: Measure) -> tuple[dt.datetime, dt.datetime] | None:
        """The first and the last date among the rows that coverage looks at; None without any."""
        dataset = self.world.datasets[dataset_of(measure)]
        path = dataset.valid[0] if dataset.valid else self.date_of(measure)
        if path is None:
            return None
        if (dataset.name, path) not in self._extents:
            self._extents[dataset.name, path] = self.first_and_last(dataset.name, path)
        return self._extents[dataset.name, path]

    def first_and_last(self, dataset: str, path: str) -> tuple[dt.datetime, dt.datetime] | None:
        found = [(row, row.instant(path)) for row in self.world.rows(dataset)]
        instants = [instant for row, instant in found if instant is not None and self.past(row, instant)]
        return (min(instants), max(instants)) if instants else None

    def undated(self, measure: Measure) -> bool:
        dataset = self.world.datasets[dataset_of(measure)]
        return not dataset.valid and self.date_of(measure) is None

    def covered(self, measure: Measure, span: Span) -> bool:
        """The text: "Covered: from the period that holds a dataset's first row … to the run's clock; a dated dataset without
        rows covers nothing, an undated one counts 0."""
        if self.undated(measure):
            return True
        extent = self.extent(measure)
        if extent is None:
            return False
        first, last = extent
        if span.last == ALL:
            return first <= self.world.clock
        earliest = self.calendar.period(span.grain, self.calendar.local_date(first)).start
        end = self.world.clock
        if self.world.datasets[dataset_of(measure)].ahead:
            end = max(end, last)
        return earliest <= span.start and self.calendar.midnight(span.last.start) <= end

    # --- which rows ------------------------------------------------------------------------------------------

    def filtered(self, dataset: str, where: RowExpr | None, window: Window, segment: Segment) -> list[Row]:
        """At any time: "a segment value works as a filter", and so does `filter (where …)`."""
        rows = [r for r in self.world.rows(dataset) if all(r.segment(n) == v for n, v in segment.items())]
        return [r for r in rows if where is None or evaluate(where, r, window) is True]

    def within(self, rows: list[Row], date: str | None, window: Window) -> list[Row]:
        """The text: "Rows without a date belong to no period, nor to `all`"; without a date column all belong to `all`.
        Under `dated` too a row that is dated after the clock is not there yet."""
        return (
            rows
            if date is None
            else [r for r in rows if window.holds(when := r.instant(date)) and self.past(r, when)]
        )

    def past(self, row: Row, when: dt.datetime | None) -> bool:
        return row.dataset.ahead or when is None or when <= self.world.clock

    # --- values ----------------------------------------------------------------------------------------------

    def value(self, measure: Measure, span: Span, segment: Segment) -> Number | None:
        if not self.covered(measure, span):
            return None
        match measure:
            case Agg():
                return self.of(measure, self.rows_behind(measure, span, segment), self.window(span))
            case Entity():
                return self.entity(measure, span, segment)
            case CountHaving():
                return self.count_having(measure, span, segment)
            case Converted():
                return len(self.converted(measure, span, segment))
            case Kept():
                return self.kept(measure, span, segment)
            case Timed():
                return self.timed(measure, span, segment)

    def of(self, agg: Agg, rows: list[Row], window: Window) -> Number | None:
        return aggregate(agg.func, self.values(agg, rows, window), agg.distinct, agg.q)

    def values(self, agg: Agg, rows: list[Row], window: Window) -> list[Value]:
        return [1 if agg.arg is None else evaluate(agg.arg, r, window) for r in rows]

    def rows_behind(self, agg: Agg, span: Span, segment: Segment) -> list[Row]:
        window = self.window(span)
        return self.within(self.filtered(agg.dataset, agg.where, window, segment), self.date_of(agg), window)

    # --- over entities: "a NULL key is no entity" --------------------------------------------------------------

    def entity(self, measure: Entity, span: Span, segment: Segment) -> int | None:
        window, date = self.window(span), self.date_of(measure)
        rows = self.filtered(measure.dataset, measure.where, window, segment)

        def seen(when: Window) -> set[Value]:
            return {r.get(measure.x) for r in self.within(rows, date, when)} - {None}

        now = seen(window)
        if measure.kind == "active":  # "distinct in the period"
            return len(now)
        if measure.kind == "new":  # "first ever seen in it"
            return len(now - seen(Window(BEGINNING, window.lo)))
        # "the first covered period has no `retained` and no `lost`"
        if span.last == ALL:
            return None
        before = span_of(self.calendar.shift(span.last, -1))
        if not self.covered(measure, before):
            return None
        if measure.kind == "retained":  # "also seen in the period before"
            return len(now & seen(self.window(before)))
        return len(seen(self.window(before)) - now)  # lost: "seen in the one before, not in this"

    def count_having(self, measure: CountHaving, span: Span, segment: Segment) -> int:
        window = self.window(span)
        rows = self.filtered(measure.dataset, measure.where, window, segment)
        groups: dict[Value, list[Row]] = {}
        for row in self.within(rows, self.date_of(measure), window):
            groups.setdefault(row.get(measure.x), []).append(row)
        held = 0
        for key, group in groups.items():
            own = [
                r for r in group if measure.having.where is None or evaluate(measure.having.where, r, window)
            ]
            value = self.of(measure.having, own, window)
            held += key is not None and value is not None and COMPARE[measure.op](value, measure.number)
        return held

    def converted(self, measure: Converted, span: Span, segment: Segment) -> list[Row]:
        """The text: "Rows of a that found a match in b within [t, t + window], by local date if either side is a date, each
        once; a's date and segments are the result's, a `filter` behind it is a's"."""
        window = self.window(span)
        date = self.world.datasets[measure.dataset].date
        rows = self.within(self.filtered(measure.dataset, measure.where, window, segment), date, window)
        return [
            row
            for row in rows
            if any(self.follows(measure, row, other) for other in self.world.rows(measure.other))
        ]

    def follows(self, measure: Converted, row: Row, other: Row) -> bool:
        key = row.get(measure.x)
        if key is None or other.get(measure.y) != key:
            return False
        first = row.get(self.world.datasets[measure.dataset].date or "")
        then = other.get(self.world.datasets[measure.other].date or "")
        t, u = self.world.instant(first), self.world.instant(then)
        if t is None or u is None:
            return False
        if not isinstance(first, dt.datetime) or not isinstance(then, dt.datetime):
            day, limit = self.calendar.local_date(t), dt.timedelta(days=measure.days, hours=measure.hours)
            return day <= self.calendar.local_date(u) <= day + limit
        return t <= u <= self.calendar.add_days(t, measure.days, measure.hours * 3600)

    # --- over intervals and snapshots ------------------------------------------------------------------------------

    def timed(self, measure: Timed, span: Span, segment: Segment) -> Number | None:
        window = self.window(span)
        rows = self.filtered(measure.of.dataset, measure.of.where, window, segment)
        if self.world.datasets[measure.of.dataset].snapshot:
            day = self.snapshot(measure, span)
            if day is None:
                return None
            date = self.date_of(measure)
            return self.of(measure.of, [r for r in rows if date and r.instant(date) == day], window)
        if measure.kind != "lost":
            chosen = [r for r in rows if _is(measure.kind, r, window)]
            return self.of(measure.of, chosen, window)
        # lost(m): "in the opening and not in the closing (of a distinct count: keys, so a renewal is no loss)"
        opening = [r for r in rows if _is("opening", r, window)]
        if measure.of.distinct:
            closing = self.values(measure.of, [r for r in rows if _is("closing", r, window)], window)
            left = set(self.values(measure.of, opening, window)) - set(closing) - {None}
            return len(left)
        return self.of(measure.of, [r for r in opening if not _is("closing", r, window)], window)

    def kept(self, measure: Kept, span: Span, segment: Segment) -> Number | None:
        """The text: "The closing of those entities x that were in the opening"."""
        window = self.window(span)
        rows = self.filtered(measure.of.dataset, measure.of.where, window, segment)
        entities = {r.get(measure.x) for r in rows if _is("opening", r, window)} - {None}
        chosen = [r for r in rows if _is("closing", r, window) and r.get(measure.x) in entities]
        return self.of(measure.of, chosen, window)

    def snapshot(self, measure: Timed, span: Span) -> dt.datetime | None:
        """The text: "The dataset's last snapshot date before those instants, if it lies within one period"."""
        if span.last == ALL:
            reach = Window(BEGINNING, self.window(span).hi if measure.kind == "closing" else BEGINNING)
        elif measure.kind == "closing":
            reach = Window(self.calendar.midnight(span.last.start), self.window(span).hi)
        else:
            before = self.calendar.later(span.grain, span.start, -1)
            reach = Window(self.calendar.midnight(before), self.calendar.midnight(span.start))
        dataset = self.world.datasets[measure.of.dataset]
        dates = [row.instant(dataset.date or "") for row in self.world.rows(dataset.name)]
        return max((d for d in dates if d is not None and reach.holds(d)), default=None)


def _is(state: str, row: Row, window: Window) -> bool:
    """Whether an interval is opening, closing, started, ended or during in a window."""
    start, end = row.start(), row.end()
    if start is None:
        return False

    def just_before(instant: dt.datetime) -> bool:
        return start < instant and (end is None or end >= instant)

    match state:
        case "opening":  # "valid just before the period begins"
            return just_before(window.lo)
        case "closing":  # "just before it ends"
            return just_before(window.hi)
        case "started":
            return window.holds(start)
        case "ended":
            return window.holds(end)
        case (
            _
        ):  # during: "valid at any time in it"; "an interval whose end equals its start counts in `during`"
            overlaps = start < window.hi and (end is None or end > window.lo)
            return overlaps or window.holds(start)
