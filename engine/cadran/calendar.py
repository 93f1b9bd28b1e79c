"""Periods on a calendar: pure functions over local dates, and the instants at which those dates begin.

A :class:`Period` is a half-open stretch of local days ``[start, end)`` of one grain. Periods are shifted by
walking the calendar (31 March minus one month is February), never by counting days or rows. Weeks are ISO 8601.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal
from zoneinfo import ZoneInfo

UTC = ZoneInfo("UTC")
_DAY = dt.timedelta(days=1)


class Grain(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    FISCAL_QUARTER = "fiscal_quarter"
    FISCAL_YEAR = "fiscal_year"
    ALL = "all"

    @property
    def rank(self) -> int:
        """Finer grains come first; a fiscal grain ranks with its calendar sister."""
        return _RANK[self]


_RANK = {
    Grain.DAY: 0, Grain.WEEK: 1, Grain.MONTH: 2, Grain.QUARTER: 3, Grain.FISCAL_QUARTER: 3,
    Grain.YEAR: 4, Grain.FISCAL_YEAR: 4, Grain.ALL: 5,
}  # fmt: skip
_MONTHS = {
    Grain.MONTH: 1, Grain.QUARTER: 3, Grain.FISCAL_QUARTER: 3, Grain.YEAR: 12, Grain.FISCAL_YEAR: 12,
}  # fmt: skip
MONTH_NAMES = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time as written: calendar days, and an exact remainder."""

    days: int = 0
    seconds: int = 0

    def __str__(self) -> str:
        parts = [f"{self.days} days"] * bool(self.days) + [_exact(self.seconds)] * bool(self.seconds)
        return " ".join(parts) or "0 days"


def _exact(seconds: int) -> str:
    """In the largest unit that they are whole numbers of."""
    size, unit = next(
        (s, u) for s, u in ((3600, "hours"), (60, "minutes"), (1, "seconds")) if seconds % s == 0
    )
    return f"{seconds // size} {unit}"


#: How durations are written, for messages: a month and a year are none, as they differ in length.
DURATIONS = "'3 days', '2 weeks' or '26h', in weeks, days, hours (h), minutes (min) or seconds (s)"
_DURATION = re.compile(r"\s*(\d+)\s*(d|days?|w|weeks?|h|hours?|m|min|minutes?|s|seconds?)\s*$", re.IGNORECASE)
_SECONDS = {"h": 3600, "m": 60, "s": 1}


def parse_duration(text: str) -> Duration:
    """``3 days``, ``2 weeks``, ``26h``, ``7d`` → a :class:`Duration`. Raises ValueError."""
    found = _DURATION.match(text)
    if not found:
        raise ValueError(f"'{text}' is not a duration; write it like {DURATIONS}")
    number, unit = int(found[1]), found[2][0].lower()
    if unit in "dw":
        return Duration(days=number * (7 if unit == "w" else 1))
    return Duration(seconds=number * _SECONDS[unit])


@dataclass(frozen=True, slots=True)
class Calendar:
    """The team's calendar: its IANA zone and its fiscal year (first month, and the year that names it)."""

    zone: ZoneInfo = UTC
    fiscal_year_starts: int = 1
    fiscal_year_named: Literal["end", "start"] = "end"

    def local_date(self, instant: dt.datetime) -> dt.date:
        return instant.astimezone(self.zone).date()

    def midnight(self, day: dt.date) -> dt.datetime:
        """The first instant of a local day (01:00 where the clock jumps over midnight)."""
        naive = dt.datetime(day.year, day.month, day.day)
        early = naive.replace(tzinfo=self.zone, fold=0)
        # A local time in a gap does not survive the trip through UTC: it comes back shifted to after the gap.
        back = early.astimezone(UTC).astimezone(self.zone)
        return back if back.date() == day else back + _DAY

    def after(self, instant: dt.datetime, duration: Duration) -> dt.datetime:
        """``instant`` plus calendar days at the same local time, plus exact seconds."""
        local = instant.astimezone(self.zone) + dt.timedelta(days=duration.days)
        return (local.astimezone(UTC) + dt.timedelta(seconds=duration.seconds)).astimezone(self.zone)

    # --- periods ---------------------------------------------------------------------------------------------

    def period(self, grain: Grain, day: dt.date) -> Period:
        """The period of ``grain`` that holds the local ``day``. Not for ``all``."""
        start = self._floor(grain, day)
        return Period(grain, start, self._step(grain, start, 1))

    def shift(self, period: Period, count: int) -> Period:
        """``count`` periods later (earlier if negative)."""
        start = self._step(period.grain, period.start, count)
        return Period(period.grain, start, self._step(period.grain, start, 1))

    def year_ago(self, period: Period) -> Period | None:
        """The same period of the year before: same date, same ISO week; None where there is no counterpart."""
        if period.grain is Grain.DAY:
            try:
                return self.period(Grain.DAY, period.start.replace(year=period.start.year - 1))
            except ValueError:  # 29 February
                return None
        if period.grain is Grain.WEEK:
            year, week, _ = period.start.isocalendar()
            try:
                return self.period(Grain.WEEK, dt.date.fromisocalendar(year - 1, week, 1))
            except ValueError:  # W53
                return None
        return self.period(period.grain, _add_months(period.start, -12))

    def shift_day(self, grain: Grain, day: dt.date, count: int) -> dt.date:
        """A day moved by ``count`` periods of ``grain`` (used for the start of longer spans)."""
        return self._step(grain, day, count)

    def range(self, grain: Grain, first: dt.date, last: dt.date) -> list[Period]:
        """All periods of ``grain`` from the one that holds ``first`` to the one that holds ``last``."""
        out = []
        period = self.period(grain, first)
        while period.start <= last:
            out.append(period)
            period = self.shift(period, 1)
        return out

    def _floor(self, grain: Grain, day: dt.date) -> dt.date:
        match grain:
            case Grain.DAY:
                return day
            case Grain.WEEK:
                return day - dt.timedelta(days=day.weekday())
            case Grain.MONTH | Grain.QUARTER | Grain.YEAR:
                size, offset = _MONTHS[grain], 0
            case Grain.FISCAL_QUARTER | Grain.FISCAL_YEAR:
                size, offset = _MONTHS[grain], self.fiscal_year_starts - 1
            case Grain.ALL:
                raise ValueError("'all' has no calendar bounds")
        index = day.year * 12 + day.month - 1 - offset
        return _from_index(index - index % size + offset)

    def _step(self, grain: Grain, start: dt.date, count: int) -> dt.date:
        if grain is Grain.DAY:
            return start + count * _DAY
        if grain is Grain.WEEK:
            return start + 7 * count * _DAY
        if grain is Grain.ALL:
            raise ValueError("'all' has no neighbours")
        return _add_months(start, count * _MONTHS[grain])

    def to_date_start(self, unit: Literal["mtd", "qtd", "ytd", "fytd"], last_day: dt.date) -> dt.date:
        """Where a to-date span begins whose period ends with ``last_day``."""
        grain = {"mtd": Grain.MONTH, "qtd": Grain.QUARTER, "ytd": Grain.YEAR, "fytd": Grain.FISCAL_YEAR}[unit]
        return self._floor(grain, last_day)

    # --- labels ----------------------------------------------------------------------------------------------

    def label(self, period: Period) -> str:
        """``2026-03-07``, ``2026-W10``, ``2026-03``, ``2026-Q1``, ``2026``, ``FY2026-Q1``, ``FY2026``."""
        start = period.start
        match period.grain:
            case Grain.DAY:
                return start.isoformat()
            case Grain.WEEK:
                year, week, _ = start.isocalendar()
                return f"{year:04d}-W{week:02d}"
            case Grain.MONTH:
                return f"{start.year:04d}-{start.month:02d}"
            case Grain.QUARTER:
                return f"{start.year:04d}-Q{(start.month + 2) // 3}"
            case Grain.YEAR:
                return f"{start.year:04d}"
            case Grain.FISCAL_YEAR:
                return f"FY{self._fiscal_name(start):04d}"
            case Grain.FISCAL_QUARTER:
                quarter = (start.month - self.fiscal_year_starts) % 12 // 3 + 1
                return f"FY{self._fiscal_name(start):04d}-Q{quarter}"
            case Grain.ALL:
                return "all"

    def _fiscal_name(self, day: dt.date) -> int:
        first = self._floor(Grain.FISCAL_YEAR, day)
        if self.fiscal_year_named == "start":
            return first.year
        return (_add_months(first, 12) - _DAY).year

    def parse(self, label: str) -> Period:
        """The period that a label names. Raises ValueError with what labels look like."""
        for grain, pattern in _LABELS:
            found = pattern.fullmatch(label.strip())
            if found:
                try:
                    return self._from_label(grain, [int(g) for g in found.groups()])
                except (ValueError, OverflowError):
                    break
        raise ValueError(
            f"'{label}' is not a period; write 2026-03-07, 2026-W10, 2026-03, 2026-Q1, 2026, FY2026-Q1 or FY2026"
        )

    def _from_label(self, grain: Grain, parts: list[int]) -> Period:
        year = parts[0]
        number = parts[1] if len(parts) > 1 else 1
        match grain:
            case Grain.DAY:
                return self.period(grain, dt.date(year, number, parts[2]))
            case Grain.WEEK:
                return self.period(grain, dt.date.fromisocalendar(year, number, 1))
            case Grain.MONTH:
                return self.period(grain, dt.date(year, number, 1))
            case Grain.QUARTER:
                return self.period(grain, dt.date(year, number * 3 - 2, 1))
            case Grain.YEAR:
                return self.period(grain, dt.date(year, 1, 1))
            case _:
                begins_before = self.fiscal_year_named == "end" and self.fiscal_year_starts > 1
                first = dt.date(year - begins_before, self.fiscal_year_starts, 1)
                return self.period(grain, _add_months(first, 3 * (number - 1)))


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Local days ``[start, end)`` of one grain."""

    grain: Grain
    start: dt.date
    end: dt.date

    @property
    def last_day(self) -> dt.date:
        return self.end - _DAY

    def holds(self, other: Period) -> bool:
        """Whether ``other`` lies wholly inside."""
        return self.start <= other.start and other.end <= self.end


_LABELS = [
    (Grain.DAY, re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)),
    (Grain.WEEK, re.compile(r"(\d{4})-W(\d\d)", re.ASCII)),
    (Grain.MONTH, re.compile(r"(\d{4})-(\d\d)", re.ASCII)),
    (Grain.QUARTER, re.compile(r"(\d{4})-Q([1-4])", re.ASCII)),
    (Grain.YEAR, re.compile(r"(\d{4})", re.ASCII)),
    (Grain.FISCAL_QUARTER, re.compile(r"FY(\d{4})-Q([1-4])", re.ASCII)),
    (Grain.FISCAL_YEAR, re.compile(r"FY(\d{4})", re.ASCII)),
]


def _add_months(day: dt.date, count: int) -> dt.date:
    index = day.year * 12 + day.month - 1 + count
    first = _from_index(index)
    return first if day.day == 1 else first.replace(day=min(day.day, _days_in(first)))


def _days_in(first: dt.date) -> int:
    return (_from_index(first.year * 12 + first.month) - first).days


def _from_index(index: int) -> dt.date:
    return dt.date(index // 12, index % 12 + 1, 1)
