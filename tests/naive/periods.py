"""Calendar arithmetic written a second time, with ``datetime`` alone."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import NamedTuple
from zoneinfo import ZoneInfo

UTC = dt.UTC
MONTHS = {"month": 1, "quarter": 3, "year": 12, "fiscal_quarter": 3, "fiscal_year": 12}
TO_DATE = {"mtd": "month", "qtd": "quarter", "ytd": "year", "fytd": "fiscal_year"}


class Period(NamedTuple):
    """Local days from ``start`` up to, and without, ``end``. For ``all`` both are meaningless."""

    grain: str
    start: dt.date
    end: dt.date


ALL = Period("all", dt.date.min, dt.date.max)


@dataclass(frozen=True)
class Calendar:
    zone: str = "UTC"
    fiscal_starts: int = 1
    fiscal_named: str = "end"

    # "Boundaries are local midnights of the calendar's zone" (the first instant of the day, whatever the hour).
    def midnight(self, day: dt.date) -> dt.datetime:
        return self.at(day, dt.time())

    def at(self, day: dt.date, time: dt.time) -> dt.datetime:
        """The instant at which clocks in the zone first show this."""
        return dt.datetime.combine(day, time, ZoneInfo(self.zone)).astimezone(UTC)

    def local(self, instant: dt.datetime) -> dt.datetime:
        return instant.astimezone(ZoneInfo(self.zone))

    def local_date(self, instant: dt.datetime) -> dt.date:
        return self.local(instant).date()

    def add_days(self, instant: dt.datetime, days: int, seconds: int = 0) -> dt.datetime:
        """Calendar days at the same local time, then exact seconds."""
        local = self.local(instant)
        day = local.date() + dt.timedelta(days=days)
        return self.at(day, local.time()) + dt.timedelta(seconds=seconds)

    def floor(self, grain: str, day: dt.date) -> dt.date:
        """The first day of the period that holds ``day``."""
        if grain == "day":
            return day
        if grain == "week":  # "week (ISO)": Monday
            while day.weekday() != 0:
                day -= dt.timedelta(days=1)
            return day
        first_month = self.fiscal_starts if grain.startswith("fiscal") else 1
        day = day.replace(day=1)
        while (day.month - first_month) % MONTHS[grain] != 0:
            day = months_later(day, -1)
        return day

    def later(self, grain: str, day: dt.date, count: int) -> dt.date:
        """``count`` periods later, by the calendar."""
        if grain == "day":
            return day + dt.timedelta(days=count)
        if grain == "week":
            return day + dt.timedelta(days=7 * count)
        return months_later(day, MONTHS[grain] * count)

    def period(self, grain: str, day: dt.date) -> Period:
        if grain == "all":
            return ALL
        start = self.floor(grain, day)
        return Period(grain, start, self.later(grain, start, 1))

    def shift(self, period: Period, count: int) -> Period:
        return self.period(period.grain, self.later(period.grain, period.start, count))

    def year_ago(self, period: Period) -> Period | None:
        """The same ISO week, the same date, the same month: "no counterpart (W53, 29 February) is no data"."""
        if period.grain == "week":
            year, week, _ = period.start.isocalendar()
            before = dt.date(year - 1, 1, 4)  # always in week 1
            while before.isocalendar()[:2] != (year - 1, week):
                before += dt.timedelta(days=7)
                if before.isocalendar()[0] != year - 1:
                    return None
            return self.period("week", before)
        if period.grain == "day" and (period.start.month, period.start.day) == (2, 29):
            return None
        return self.period(period.grain, years_earlier(period.start))

    def periods(self, grain: str, first: dt.date, last: dt.date) -> list[Period]:
        """From the one that holds ``first`` to the one that holds ``last``."""
        if grain == "all":
            return [ALL]
        found = [self.period(grain, first)]
        while found[-1].end <= last:
            found.append(self.shift(found[-1], 1))
        return found

    def label(self, period: Period) -> str:
        """``2026-03-07``, ``2026-W10``, ``2026-03``, ``2026-Q1``, ``2026``, ``FY2026-Q1``, ``FY2026``."""
        grain, start, end = period
        if grain == "all":
            return "all"
        if grain == "day":
            return start.isoformat()
        if grain == "week":
            year, week, _ = start.isocalendar()
            return f"{year}-W{week:02}"
        if grain == "month":
            return start.isoformat()[:7]
        if grain == "quarter":
            return f"{start.year}-Q{(start.month - 1) // 3 + 1}"
        if grain == "year":
            return str(start.year)
        year_start = self.floor("fiscal_year", start)
        last_day = months_later(year_start, 12) - dt.timedelta(days=1)
        name = f"FY{year_start.year if self.fiscal_named == 'start' else last_day.year}"
        if grain == "fiscal_year":
            return name
        quarter = 1
        while months_later(year_start, 3 * (quarter - 1)) != start:
            quarter += 1
        assert end == months_later(start, 3)
        return f"{name}-Q{quarter}"


def months_later(day: dt.date, count: int) -> dt.date:
    """A day's namesake ``count`` months later, or that month's last day where it has none."""
    first = day.replace(day=1)
    step = 1 if count > 0 else -1
    for _ in range(abs(count)):
        first = (
            (first.replace(day=28) + dt.timedelta(days=4)).replace(day=1)
            if step > 0
            else _month_before(first)
        )
    last = (first.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)
    return first.replace(day=min(day.day, last.day))


def _month_before(first: dt.date) -> dt.date:
    return (first - dt.timedelta(days=1)).replace(day=1)


def years_earlier(day: dt.date) -> dt.date:
    return months_later(day, -12)
