"""Small values: dates, durations, numbers, periods, texts. Each reports what it cannot read and gives None."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from cadran.calendar import DURATIONS, Calendar, Duration, Period, parse_duration
from cadran.declare.document import Place
from cadran.declare.findings import Findings
from cadran.declare.model import Localized, Text

_CONSTANT = re.compile(r"\s*([-+]?)\s*([0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})\s*(%?)\s*")
_JOURS = re.compile(r"\s*(\d+)\s*(j|jours?|sem|semaines?)\s*", re.IGNORECASE)
_LONGEST = 200 * 366  # days: more is a slip of the keyboard


def text(value: Any, place: Place) -> Text:
    """An expression, a column or a name; numbers keep the way they were written."""
    return Text(value if type(value) is str else place.document.written(place.path) or str(value), place)


def texts(value: Any, place: Place) -> tuple[Text, ...]:
    """One or several."""
    return tuple(text(part, at) for part, at in each(value, place))


def each(value: Any, place: Place) -> Iterator[tuple[Any, Place]]:
    """The items of a list (None is one that was left out) with their places, or the value itself."""
    if isinstance(value, list):
        yield from ((part, place.child(index)) for index, part in enumerate(value) if part is not None)
    else:
        yield value, place


def localized(value: Any) -> Localized:
    if value is None:
        return {}
    return dict(value) if isinstance(value, dict) else {"": value}


def date(value: str, place: Place, found: Findings) -> dt.date | None:
    """``2026-03-01``; its form was checked, the calendar was not."""
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        found.error("bad-date", f"{value} is not a day of the calendar", place, "write it as year-month-day")
        return None


def duration(
    value: Any, place: Place, found: Findings, example: str = f"write it like {DURATIONS}"
) -> Duration | None:
    if value is None:
        return None
    try:
        length = parse_duration(value)
    except ValueError:
        found.error("bad-duration", f"'{value}' is not a duration", place, _in_days(value) or example)
        return None
    if length.days > _LONGEST or length.seconds > _LONGEST * 86400:
        found.error("bad-duration", f"'{value}' is too long", place, "check the number")
        return None
    return length


def long_enough(value: Any, place: Place, found: Findings) -> Duration | None:
    """Of a minute or more: for shorter ones there is nobody who would look in between."""
    length = duration(value, place, found)
    if length is not None and not length.days and length.seconds < 60:
        found.error("too-short", f"'{value}' is shorter than a minute", place, "write for instance '1 hour'")
        return None
    return length


def _in_days(written: str) -> str:
    """What days are called here, for who writes them in French."""
    match = _JOURS.fullmatch(written)
    return f"write {match[1]} {'days' if match[2].startswith('j') else 'weeks'}" if match else ""


def period(value: Text, calendar: Calendar, found: Findings) -> Text | None:
    """A period's label."""
    return value if label(value.value, value.place, calendar, found) is not None else None


def label(
    written: str, place: Place, calendar: Calendar, found: Findings,
    hint: str = "write 2026-03-07, 2026-W10, 2026-03, 2026-Q1, 2026, FY2026-Q1 or FY2026",
) -> Period | None:  # fmt: skip
    """The period that a label names."""
    try:
        return calendar.parse(written)
    except (ValueError, OverflowError):
        found.error("bad-period", f"'{written}' is not a period", place, hint)
        return None


def constant(written: str) -> Decimal | None:
    """The value of a plain number or percentage; None for a formula."""
    match = _CONSTANT.fullmatch(written)
    if match is None:
        return None
    number = Decimal(match[2]) * (-1 if match[1] == "-" else 1)
    return number / 100 if match[3] else number
