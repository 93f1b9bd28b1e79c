"""Which stretch of time each leaf is computed over: a period moved, lengthened or cut, and whether data covers it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from cadran.calendar import Calendar, Grain, Period
from cadran.formula.measures import At, Rolling, Shift, SoFar, ToDate, Transform, Whole, YearAgo

BEGINNING = dt.date(1, 1, 1)
EARLIEST, LATEST = dt.date(1000, 1, 1), dt.date(9000, 1, 1)  # no clock and no period lies beyond these
_TICK = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Span:
    """Local days ``[start, end)``; ``stop`` is ``end``'s midnight unless the span is cut before it.

    ``last`` is the last day's period start, ``before`` the start of the period before ``start``: closing and opening
    of a snapshot look no further back than that, and ``retained`` compares with ``[before, start)``.
    """

    start: dt.date
    end: dt.date
    stop: dt.datetime
    last: dt.date
    before: dt.date
    elapsed: dt.timedelta | None = None  # how far an open period had come that this one is compared with
    whole: bool = False  # counterparts are not cut to what has elapsed


@dataclass(frozen=True, slots=True)
class Clock:
    """The run's logical time: the instant, and the same as a local wall-clock time without zone."""

    instant: dt.datetime
    calendar: Calendar

    @property
    def local(self) -> dt.datetime:
        return self.instant.astimezone(self.calendar.zone).replace(tzinfo=None)

    @property
    def today(self) -> dt.date:
        return self.local.date()

    def passed(self, day: dt.date) -> bool:
        """Whether the local day has begun."""
        return self.instant >= self.calendar.midnight(day)


def plain(period: Period, calendar: Calendar, clock: Clock) -> Span:
    """The period itself; ``all`` reaches from the beginning to the clock."""
    if period.grain is Grain.ALL:
        return Span(BEGINNING, clock.today + dt.timedelta(days=1), clock.local + _TICK, BEGINNING, BEGINNING)
    before = _earlier(calendar, period.grain, period.start)
    return Span(period.start, period.end, midnight(period.end), period.start, before)


def midnight(day: dt.date) -> dt.datetime:
    return dt.datetime(day.year, day.month, day.day)


def _earlier(calendar: Calendar, grain: Grain, day: dt.date) -> dt.date:
    return calendar.shift_day(grain, day, -1)


def span_of(
    period: Period,
    transforms: Sequence[Transform],
    calendar: Calendar,
    clock: Clock,
    milestones_final: dt.date | None = None,
) -> Span | None:
    """The span that a leaf sees at ``period``, its transforms applied from the outermost call inwards.

    None where the calendar has no counterpart (W53, 29 February, the neighbours of ``all``). ``milestones_final`` is
    the last day up to which periods are final, which ``value_at`` needs.
    """
    span: Span | None = plain(period, calendar, clock)
    for transform in transforms:
        if span is None:
            return None
        span = _apply(span, transform, period.grain, calendar, clock, milestones_final)
    return replace(span, whole=False) if span is not None and span.whole else span


def _apply(
    span: Span,
    transform: Transform,
    grain: Grain,
    calendar: Calendar,
    clock: Clock,
    final_until: dt.date | None,
) -> Span | None:
    match transform:
        case At():
            return _at(transform, grain, calendar, clock, final_until)
        case _ if grain is Grain.ALL:
            return None
        case SoFar():
            running = calendar.period(grain, clock.today)
            return _cut_after(span, clock.local - midnight(running.start))
        case Whole():
            return replace(span, whole=True)
        case Shift(count):
            moved = _moved(span, grain, calendar, lambda day: calendar.shift_day(grain, day, count))
            return _cut(moved, span, clock) if count < 0 else replace(moved, whole=span.whole)
        case YearAgo():
            return _cut(_year_ago(span, grain, calendar), span, clock)
        case Rolling(count):
            start = calendar.shift_day(grain, span.last, 1 - count)
            return replace(span, start=start, before=_earlier(calendar, grain, start))
        case ToDate(unit):
            start = calendar.to_date_start(unit, span.end - dt.timedelta(days=1))
            return replace(span, start=start, before=_earlier(calendar, grain, start))


def _moved(span: Span, grain: Grain, calendar: Calendar, move: Callable[[dt.date], dt.date]) -> Span:
    start, end, last = move(span.start), move(span.end), move(span.last)
    return Span(start, end, midnight(end), last, _earlier(calendar, grain, start))


def _year_ago(span: Span, grain: Grain, calendar: Calendar) -> Span | None:
    last = calendar.year_ago(calendar.period(grain, span.last))
    if last is None:
        return None
    start: dt.date | None
    if span.start == span.last:
        start = last.start
    elif grain in (Grain.DAY, Grain.WEEK):
        start = _start_a_year_ago(span, grain, calendar)
    else:
        start = calendar.shift_day(Grain.MONTH, span.start, -12)
    if start is None:
        return None
    return Span(start, last.end, midnight(last.end), last.start, _earlier(calendar, grain, start))


def _start_a_year_ago(span: Span, grain: Grain, calendar: Calendar) -> dt.date | None:
    """The start of a longer span: by its own period if it begins one, else by its date."""
    first = calendar.period(grain, span.start)
    if first.start == span.start:
        earlier = calendar.year_ago(first)
        return earlier.start if earlier else None
    return calendar.shift_day(Grain.MONTH, span.start, -12)


def _cut(span: Span | None, current: Span, clock: Clock) -> Span | None:
    """While the judged period is open, its counterparts count only up to the same elapsed part."""
    if current.whole:
        return span if span is None else replace(span, whole=True)
    elapsed = current.elapsed
    if elapsed is None and not clock.passed(current.end):
        if not clock.passed(current.last):
            return None  # not begun: nothing to compare with
        elapsed = clock.local - midnight(current.last)
    return span if span is None or elapsed is None else _cut_after(span, elapsed)


def _cut_after(span: Span, elapsed: dt.timedelta) -> Span:
    stop = min(midnight(span.last) + elapsed + _TICK, midnight(span.end))
    return replace(span, stop=stop, elapsed=elapsed)


def _at(
    transform: At, grain: Grain, calendar: Calendar, clock: Clock, final_until: dt.date | None
) -> Span | None:
    if grain is Grain.ALL:
        return None
    if final_until is None:
        return None
    until = min(transform.day, final_until)
    period = calendar.period(grain, until)
    if period.end > until:
        period = calendar.shift(period, -1)
    return plain(period, calendar, clock)


@dataclass(frozen=True, slots=True)
class Coverage:
    """The local days of a measure's first and last row, None without rows; ``dated`` False for undated datasets."""

    first: dt.date | None
    last: dt.date | None
    dated: bool = True
    ahead: bool = False

    def covers(self, span: Span, grain: Grain, calendar: Calendar, clock: Clock) -> bool:
        """Whether the span begins no earlier than the period of the first row, and has begun."""
        if not self.dated:
            return True
        if self.first is None:
            return False
        if grain is Grain.ALL:
            return self.first <= clock.today
        start = calendar.period(grain, self.first).start
        until = max(clock.today, self.last or clock.today) if self.ahead else clock.today
        return span.start >= start and span.last <= until
