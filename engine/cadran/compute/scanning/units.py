"""Spans as the days, weeks or months that they touch, so that a database can find a row's spans by an equality.

Servers join a range by trying every pair. The range stays in the condition; the unit only narrows what it is tried on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from sqlglot import exp

from cadran.calendar import Calendar, Grain
from cadran.compute.lower import cast
from cadran.compute.spans import Span
from cadran.formula.measures import Timing

_MOST = 4000  # rows that a statement carries
_COARSER = {"day": ("day", "month"), "week": ("week", "month")}


def unit_of(grain: str, timing: Timing, spans: Mapping[Span, int], calendar: Calendar) -> str:
    """The finest unit that fits the grain and does not make too many rows; empty where there is none.

    Only where a row meets a span by one moment of its own: an interval meets it by two.
    """
    if grain == Grain.ALL or timing not in ("flow", "started", "ended"):
        return ""
    for unit in _COARSER.get(grain, ("month",)):
        if sum(len(_touched(span, unit, calendar)) for span in spans) <= _MOST:
            return unit
    return ""


def by_unit(
    rows: Sequence[Sequence[object]], spans: Mapping[Span, int], unit: str, calendar: Calendar
) -> list[list[object]]:
    """The spans' rows, once for each unit that a span (or the period before it) touches; the unit's start comes last."""
    return [
        [*row, f"{start.isoformat()} 00:00:00"]
        for row, span in zip(rows, spans, strict=True)
        for start in _touched(span, unit, calendar)
    ]


def _touched(span: Span, unit: str, calendar: Calendar) -> list[dt.date]:
    grain = Grain(unit)
    first, last = calendar.period(grain, span.before), calendar.period(grain, span.end - dt.timedelta(days=1))
    return [period.start for period in calendar.range(grain, first.start, last.start)]


def unit_start(unit: str, moment: exp.Expr) -> exp.Expr:
    """The start of the unit that a moment lies in, as a timestamp."""
    day = cast(moment, "DATE")
    if unit == "day":
        return cast(day, "TIMESTAMP")
    return exp.TimestampTrunc(this=day, unit=exp.var(unit.upper()))
