"""Periods, zones, fiscal years and ISO weeks: tables of known cases, and laws that hold for every day."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from cadran.calendar import UTC, Calendar, Duration, Grain, Period, parse_duration

D = dt.date
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
GRAINS = [grain for grain in Grain if grain is not Grain.ALL]

days = st.dates(D(1990, 1, 1), D(2060, 12, 31))
zones = st.sampled_from(
    ["UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Beirut",
     "America/Santiago", "Africa/Cairo", "Pacific/Apia", "America/Havana"]
)  # fmt: skip
calendars = st.builds(
    lambda zone, starts, named: Calendar(ZoneInfo(zone), starts, named),
    zones,
    st.integers(1, 12),
    st.sampled_from(["end", "start"]),
)
grains = st.sampled_from(GRAINS)
quick = profile(derandomize=True, deadline=None, database=None, max_examples=150)


def calendar(zone: str = "UTC", starts: int = 1) -> Calendar:
    return Calendar(ZoneInfo(zone), starts)


# --- local midnights -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Paris", D(2026, 3, 29), 23), ("Europe/Paris", D(2026, 10, 25), 25), ("Europe/Paris", D(2026, 7, 1), 24),
        ("America/New_York", D(2026, 3, 8), 23), ("America/New_York", D(2026, 11, 1), 25),
        ("Australia/Lord_Howe", D(2026, 4, 5), 24.5), ("Australia/Lord_Howe", D(2026, 10, 4), 23.5),
        ("UTC", D(2026, 3, 29), 24),
        # Zones whose clocks jump at midnight: the day begins at 01:00, or has two midnights and begins at the first.
        ("America/Sao_Paulo", D(2018, 11, 4), 23), ("America/Sao_Paulo", D(2018, 2, 17), 25),
        ("Asia/Beirut", D(2024, 3, 31), 23), ("America/Santiago", D(2024, 9, 8), 23),
        ("America/Havana", D(2024, 3, 10), 23), ("America/Havana", D(2024, 11, 3), 25),
        ("Africa/Cairo", D(2024, 4, 26), 23),
    ],
)  # fmt: skip
def test_how_long_a_local_day_is(zone: str, day: dt.date, hours: float) -> None:
    cal = calendar(zone)
    length = cal.midnight(day + DAY).astimezone(UTC) - cal.midnight(day).astimezone(UTC)
    assert length == hours * HOUR


@pytest.mark.parametrize(
    ("zone", "day", "instant"),
    [
        ("Europe/Paris", D(2026, 3, 29), "2026-03-28T23:00+00:00"), ("Europe/Paris", D(2026, 3, 30), "2026-03-29T22:00+00:00"),
        ("America/Sao_Paulo", D(2018, 11, 4), "2018-11-04T03:00+00:00"), ("Asia/Beirut", D(2024, 3, 31), "2024-03-30T22:00+00:00"),
        ("America/Havana", D(2024, 11, 3), "2024-11-03T04:00+00:00"), ("Asia/Kolkata", D(2026, 1, 1), "2025-12-31T18:30+00:00"),
    ],
)  # fmt: skip
def test_when_a_local_day_begins(zone: str, day: dt.date, instant: str) -> None:
    assert calendar(zone).midnight(day).astimezone(UTC) == dt.datetime.fromisoformat(instant)


@quick
@given(calendars, days)
def test_midnight_is_the_first_instant_of_its_day(cal: Calendar, day: dt.date) -> None:
    if cal.zone.key == "Pacific/Apia" and day == D(2011, 12, 30):
        return  # Samoa skipped that day
    first = cal.midnight(day).astimezone(UTC)
    assert cal.local_date(first) == day
    assert cal.local_date(first - dt.timedelta(microseconds=1)) < day


@quick
@given(calendars, days, st.integers(0, 400), st.integers(0, 100_000))
def test_days_after_an_instant_keep_the_local_time(
    cal: Calendar, day: dt.date, count: int, seconds: int
) -> None:
    noon = dt.datetime.combine(day, dt.time(12), cal.zone)
    moved = cal.after(noon, Duration(count))
    assert (moved.date(), moved.time()) in {(day + count * DAY, dt.time(12)), (D(2011, 12, 31), dt.time(12))}
    later = cal.after(noon, Duration(count, seconds)).astimezone(UTC)
    assert later - moved.astimezone(UTC) == dt.timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3 days", Duration(3)), ("1 day", Duration(1)), ("2 weeks", Duration(14)), ("7d", Duration(7)), ("2w", Duration(14)),
        ("26h", Duration(0, 93600)), ("90 min", Duration(0, 5400)), ("90m", Duration(0, 5400)), ("5 seconds", Duration(0, 5)),
        (" 0 days ", Duration()), ("3 DAYS", Duration(3)),
    ],
)  # fmt: skip
def test_durations(text: str, expected: Duration) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", ["", "3", "days", "-1 day", "3 months", "1.5 days", "3 days 2h", "1 year"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration.*weeks, days, hours"):
        parse_duration(text)


# --- periods ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "first", "last"),
    [
        ("2026-03-07", D(2026, 3, 7), D(2026, 3, 7)), ("2024-02-29", D(2024, 2, 29), D(2024, 2, 29)),
        ("2026-W10", D(2026, 3, 2), D(2026, 3, 8)), ("2026-W01", D(2025, 12, 29), D(2026, 1, 4)),
        ("2020-W53", D(2020, 12, 28), D(2021, 1, 3)), ("2026-W53", D(2026, 12, 28), D(2027, 1, 3)),
        ("2026-02", D(2026, 2, 1), D(2026, 2, 28)), ("2024-02", D(2024, 2, 1), D(2024, 2, 29)), ("2026-12", D(2026, 12, 1), D(2026, 12, 31)),
        ("2026-Q1", D(2026, 1, 1), D(2026, 3, 31)), ("2026-Q4", D(2026, 10, 1), D(2026, 12, 31)), ("2026", D(2026, 1, 1), D(2026, 12, 31)),
    ],
)  # fmt: skip
def test_labels_and_their_days(label: str, first: dt.date, last: dt.date) -> None:
    cal = calendar()
    period = cal.parse(label)
    assert (period.start, period.last_day) == (first, last)
    assert cal.label(period) == label


@pytest.mark.parametrize(
    ("starts", "named", "day", "year", "quarter"),
    [
        (4, "end", D(2026, 3, 31), "FY2026", "FY2026-Q4"), (4, "end", D(2026, 4, 1), "FY2027", "FY2027-Q1"),
        (4, "start", D(2026, 3, 31), "FY2025", "FY2025-Q4"), (4, "start", D(2026, 4, 1), "FY2026", "FY2026-Q1"),
        (1, "end", D(2026, 5, 1), "FY2026", "FY2026-Q2"), (1, "start", D(2026, 5, 1), "FY2026", "FY2026-Q2"),
        (2, "end", D(2026, 1, 31), "FY2026", "FY2026-Q4"), (2, "end", D(2026, 2, 1), "FY2027", "FY2027-Q1"),
        (12, "end", D(2026, 12, 1), "FY2027", "FY2027-Q1"), (12, "start", D(2026, 11, 30), "FY2025", "FY2025-Q4"),
        (10, "end", D(2026, 1, 15), "FY2026", "FY2026-Q2"),
    ],
)  # fmt: skip
def test_fiscal_years(starts: int, named: str, day: dt.date, year: str, quarter: str) -> None:
    cal = Calendar(UTC, starts, "start" if named == "start" else "end")
    assert cal.label(cal.period(Grain.FISCAL_YEAR, day)) == year
    assert cal.label(cal.period(Grain.FISCAL_QUARTER, day)) == quarter


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-13",
        "2026-W54",
        "2025-W53",
        "2026-Q5",
        "2026-02-30",
        "26",
        "2026-3",
        "FY26",
        "last month",
        "all",
    ],
)
def test_what_is_no_label(text: str) -> None:
    with pytest.raises(ValueError, match="is not a period"):
        calendar().parse(text)


@quick
@given(calendars, grains, days)
def test_a_day_lies_in_its_period_and_in_no_neighbour(cal: Calendar, grain: Grain, day: dt.date) -> None:
    period = cal.period(grain, day)
    assert period.start <= day < period.end
    assert cal.period(grain, period.start) == cal.period(grain, period.last_day) == period
    assert cal.shift(period, -1).end == period.start
    assert cal.shift(period, 1).start == period.end


@quick
@given(calendars, grains, days, st.integers(-60, 60))
def test_shifting_back_undoes_a_shift(cal: Calendar, grain: Grain, day: dt.date, count: int) -> None:
    period = cal.period(grain, day)
    assert cal.shift(cal.shift(period, count), -count) == period
    assert cal.shift(cal.shift(period, count), 1) == cal.shift(period, count + 1)


@quick
@given(calendars, grains, days)
def test_a_label_names_one_period(cal: Calendar, grain: Grain, day: dt.date) -> None:
    period = cal.period(grain, day)
    assert cal.parse(cal.label(period)) == period


@quick
@given(calendars, grains, days, st.integers(0, 40))
def test_a_range_is_without_gap_or_overlap(cal: Calendar, grain: Grain, first: dt.date, length: int) -> None:
    last = first + length * DAY
    found = cal.range(grain, first, last)
    assert found[0].start <= first < found[0].end
    assert found[-1].start <= last < found[-1].end
    assert all(a.end == b.start for a, b in pairwise(found))


def test_an_empty_range() -> None:
    assert calendar().range(Grain.DAY, D(2026, 1, 2), D(2026, 1, 1)) == []


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("2024-02-29", None), ("2025-02-28", "2024-02-28"), ("2025-03-01", "2024-03-01"), ("2026-02", "2025-02"),
        ("2025-02", "2024-02"), ("2026-W53", None), ("2020-W53", None), ("2027-W01", "2026-W01"), ("2021-W52", "2020-W52"),
        ("2026-Q1", "2025-Q1"), ("2026", "2025"), ("FY2026-Q3", "FY2025-Q3"), ("FY2026", "FY2025"),
    ],
)  # fmt: skip
def test_a_year_ago(label: str, expected: str | None) -> None:
    cal = calendar(starts=4)
    found = cal.year_ago(cal.parse(label))
    assert (found and cal.label(found)) == expected


@quick
@given(calendars, st.sampled_from([g for g in GRAINS if g not in (Grain.DAY, Grain.WEEK)]), days)
def test_a_year_is_four_quarters_or_twelve_months(cal: Calendar, grain: Grain, day: dt.date) -> None:
    period = cal.period(grain, day)
    steps = {Grain.MONTH: 12, Grain.QUARTER: 4, Grain.FISCAL_QUARTER: 4}.get(grain, 1)
    assert cal.year_ago(period) == cal.shift(period, -steps)


@pytest.mark.parametrize(
    ("unit", "last", "start"),
    [
        ("mtd", D(2026, 1, 4), D(2026, 1, 1)),  # the last day of the ISO week that began in December
        ("qtd", D(2026, 5, 31), D(2026, 4, 1)), ("ytd", D(2026, 3, 31), D(2026, 1, 1)), ("ytd", D(2025, 12, 31), D(2025, 1, 1)),
        ("fytd", D(2026, 3, 31), D(2025, 4, 1)), ("fytd", D(2026, 4, 1), D(2026, 4, 1)),
    ],
)  # fmt: skip
def test_where_a_to_date_span_begins(unit: str, last: dt.date, start: dt.date) -> None:
    match unit:
        case "mtd" | "qtd" | "ytd" | "fytd":
            assert calendar(starts=4).to_date_start(unit, last) == start
        case _:
            raise AssertionError(unit)


@pytest.mark.parametrize(
    ("grain", "day", "count", "expected"),
    [
        (Grain.MONTH, D(2026, 3, 31), -1, D(2026, 2, 28)), (Grain.MONTH, D(2024, 3, 31), -1, D(2024, 2, 29)),
        (Grain.QUARTER, D(2026, 5, 31), -1, D(2026, 2, 28)), (Grain.YEAR, D(2024, 2, 29), 1, D(2025, 2, 28)),
        (Grain.WEEK, D(2026, 1, 1), -1, D(2025, 12, 25)), (Grain.DAY, D(2026, 3, 1), -1, D(2026, 2, 28)),
    ],
)  # fmt: skip
def test_a_day_moves_by_the_calendar(grain: Grain, day: dt.date, count: int, expected: dt.date) -> None:
    assert calendar().shift_day(grain, day, count) == expected


def test_periods_hold_finer_ones() -> None:
    cal = calendar()
    year, week = cal.parse("2026"), cal.parse("2026-W01")
    assert year.holds(cal.parse("2026-12-31"))
    assert year.holds(year)
    assert not year.holds(week)  # it begins in 2025
    assert not cal.parse("2026-01").holds(year)


def test_all_has_a_label_and_no_neighbours() -> None:
    cal = calendar()
    whole = Period(Grain.ALL, D(2020, 1, 1), D(2026, 1, 1))
    assert cal.label(whole) == "all"
    with pytest.raises(ValueError, match="no calendar bounds"):
        cal.period(Grain.ALL, D(2026, 1, 1))
    with pytest.raises(ValueError, match="no neighbours"):
        cal.shift(whole, 1)


def test_finer_grains_rank_first() -> None:
    shuffled = [Grain.YEAR, Grain.ALL, Grain.DAY, Grain.QUARTER, Grain.MONTH, Grain.WEEK]
    ordered = [Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR, Grain.ALL]
    assert sorted(shuffled, key=lambda grain: grain.rank) == ordered
    assert Grain.FISCAL_YEAR.rank == Grain.YEAR.rank
    assert Grain.FISCAL_QUARTER.rank == Grain.QUARTER.rank
