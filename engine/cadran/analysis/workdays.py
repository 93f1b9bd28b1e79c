"""Working days: Monday to Friday without the public holidays that a project declares."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from cadran.declare.model import Holidays

_DAY = dt.timedelta(days=1)
_SATURDAY = 5


def working_days(first: dt.date, end: dt.date, holidays: Holidays) -> int:
    """How many of the days ``[first, end)`` are worked."""
    days = [first + n * _DAY for n in range(max((end - first).days, 0))]
    closed = _public(holidays.countries, {day.year for day in days}) | holidays.days
    return sum(day.weekday() < _SATURDAY and day not in closed for day in days)


def _public(countries: Iterable[str], years: set[int]) -> set[dt.date]:
    """The public holidays of all countries in some years; of the library's names none is used."""
    out: set[dt.date] = set()
    for code in countries:
        from holidays import country_holidays

        country, _, part = code.partition("-")
        out |= set(country_holidays(country, subdiv=part or None, years=years))
    return out
