"""Cron lines: what they mean in zones whose clocks change, and what is said of those that mean nothing."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import random
from zoneinfo import ZoneInfo

import pytest

from cadran import cron
from deliver import minutes

PARIS, NEW_YORK, KOLKATA, LORD_HOWE = map(
    ZoneInfo, ("Europe/Paris", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
)
ZONES = {zone.key: zone for zone in (PARIS, NEW_YORK, KOLKATA, LORD_HOWE)}
FULL = bool(os.environ.get("CADRAN_FULL"))


def _shown(line: str, zone: ZoneInfo, first: str, last: str) -> list[str]:
    """The times of some local days, as the clock there shows them, with its offset."""
    after, until = (dt.datetime.fromisoformat(day).replace(tzinfo=zone) for day in (first, last))
    found = cron.times(line, zone, after - dt.timedelta(seconds=1), until - dt.timedelta(seconds=1))
    return [f"{at.astimezone(zone):%a %d %H:%M%z}" for at in found]


@pytest.mark.parametrize(
    ("line", "days"),
    [
        ("0 7 * * 0", ["Sun 01", "Sun 08", "Sun 15"]),
        ("0 7 * * 7", ["Sun 01", "Sun 08", "Sun 15"]),
        ("0 7 * * SUN", ["Sun 01", "Sun 08", "Sun 15"]),
        ("0 7 * * 1", ["Mon 02", "Mon 09"]),
        ("0 7 * * MON", ["Mon 02", "Mon 09"]),
        ("0 7 * * mon", ["Mon 02", "Mon 09"]),
        ("0 7 * * 6-7", ["Sun 01", "Sat 07", "Sun 08", "Sat 14", "Sun 15"]),
        (
            "0 7 * * MON,WED-FRI",
            ["Mon 02", "Wed 04", "Thu 05", "Fri 06", "Mon 09", "Wed 11", "Thu 12", "Fri 13"],
        ),
        ("0 7 13 * *", ["Fri 13"]),
        # Both days are restricted: either suffices.
        ("0 7 13 * MON", ["Mon 02", "Mon 09", "Fri 13"]),
        # A step on every day is no restriction: both have to hold.
        ("0 7 */2 * MON", ["Mon 09"]),
        ("0 7 1 * */2", ["Sun 01"]),
        ("0 7 15 3 *", ["Sun 15"]),
        ("0 7 15 4 *", []),
    ],
)
def test_days(line: str, days: list[str]) -> None:
    """The first half of March 2026."""
    assert [shown[:6] for shown in _shown(line, KOLKATA, "2026-03-01", "2026-03-16")] == days


@pytest.mark.parametrize(
    ("zone", "line", "day", "expected"),
    [
        # 29 March 2026: Paris goes from 2:00 to 3:00. What is left out runs once, when the clock goes on.
        (PARIS, "30 2 * * *", "2026-03-29", ["03:00+0200"]),
        (PARIS, "0 2 * * *", "2026-03-29", ["03:00+0200"]),
        (PARIS, "0,20,40 2 * * *", "2026-03-29", ["03:00+0200"]),
        (PARIS, "30 2,3 * * *", "2026-03-29", ["03:00+0200", "03:30+0200"]),
        (PARIS, "0 2,3 * * *", "2026-03-29", ["03:00+0200"]),
        (PARIS, "0 7 * * *", "2026-03-29", ["07:00+0200"]),
        # … a line that follows the clock has no such minutes.
        (PARIS, "*/30 1-3 * * *", "2026-03-29", ["01:00+0100", "01:30+0100", "03:00+0200", "03:30+0200"]),
        (PARIS, "*/15 2 * * *", "2026-03-29", []),
        # 25 October 2026: Paris goes from 3:00 back to 2:00. What comes twice runs once, at the first.
        (PARIS, "30 2 * * *", "2026-10-25", ["02:30+0200"]),
        (PARIS, "0,30 2-3 * * *", "2026-10-25", ["02:00+0200", "02:30+0200", "03:00+0100", "03:30+0100"]),
        # … a line that follows the clock runs on.
        (PARIS, "*/30 2 * * *", "2026-10-25", ["02:00+0200", "02:30+0200", "02:00+0100", "02:30+0100"]),
        (PARIS, "10 * 25 10 *", "2026-10-25", [f"{h:02}:10+0200" for h in range(3)] + [f"{h:02}:10+0100" for h in range(2, 24)]),
        # 8 March and 1 November 2026 in New York.
        (NEW_YORK, "30 2 * * *", "2026-03-08", ["03:00-0400"]),
        (NEW_YORK, "30 1 * * *", "2026-11-01", ["01:30-0400"]),
        (NEW_YORK, "*/30 1 * * *", "2026-11-01", ["01:00-0400", "01:30-0400", "01:00-0500", "01:30-0500"]),
        # India has one clock all year.
        (KOLKATA, "30 2 * * *", "2026-03-29", ["02:30+0530"]),
        # Lord Howe's clock moves by half an hour: 2:00 to 2:30 on 4 October, 2:00 back to 1:30 on 5 April 2026.
        (LORD_HOWE, "15 2 * * *", "2026-10-04", ["02:30+1100"]),
        (LORD_HOWE, "*/15 2 * * *", "2026-10-04", ["02:30+1100", "02:45+1100"]),
        (LORD_HOWE, "45 1 * * *", "2026-04-05", ["01:45+1100"]),
        (LORD_HOWE, "*/15 1 * * *", "2026-04-05", ["01:00+1100", "01:15+1100", "01:30+1100", "01:45+1100", "01:30+1030", "01:45+1030"]),
        (LORD_HOWE, "*/15 2 * * *", "2026-04-05", ["02:00+1030", "02:15+1030", "02:30+1030", "02:45+1030"]),
    ],
)  # fmt: skip
def test_changes_of_the_clock(zone: ZoneInfo, line: str, day: str, expected: list[str]) -> None:
    after = (dt.date.fromisoformat(day) + dt.timedelta(days=1)).isoformat()
    assert [shown[7:] for shown in _shown(line, zone, day, after)] == expected


def test_a_day_that_was_left_out() -> None:
    """Samoa went from 29 to 31 December 2011; what was due on the 30th is due when the 31st begins."""
    apia = ZoneInfo("Pacific/Apia")
    assert _shown("0 7 * * *", apia, "2011-12-29", "2012-01-01") == ["Thu 29 07:00-1000", "Sat 31 00:00+1400", "Sat 31 07:00+1400"]  # fmt: skip


@pytest.mark.parametrize("name", ZONES)
def test_minute_by_minute(name: str) -> None:
    """Around each change of the clock, the times of random lines are those of a walk through all minutes."""
    zone, chance = ZONES[name], random.Random(f"cron {name}")
    whole = [(dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2027, 1, 1, tzinfo=dt.UTC))]
    for after, until in whole if FULL else _around_changes(zone):
        for _ in range(4 if FULL else 25):
            line = minutes.random_line(chance)
            expected = list(minutes.times(line, zone, after, until))
            assert cron.times(line, zone, after, until) == expected, (line, zone.key)
            asked = after + chance.random() * (until - after)
            follows = cron.following(line, zone, asked)
            assert follows is not None
            assert follows == next((at for at in expected if at > asked), follows), (line, zone.key, asked)


def _around_changes(zone: ZoneInfo) -> list[tuple[dt.datetime, dt.datetime]]:
    """Two days around each change of a zone's clock in 2026, or in spring where it never changes."""
    hours = [dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(hours=n) for n in range(24 * 365)]
    changes = [b for a, b in itertools.pairwise(hours) if a.astimezone(zone).utcoffset() != b.astimezone(zone).utcoffset()]  # fmt: skip
    return [(at - dt.timedelta(hours=31), at + dt.timedelta(hours=29)) for at in changes or [hours[2000]]]


def test_nothing_is_asked_of_an_empty_stretch() -> None:
    now = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    assert cron.times("* * * * *", PARIS, now, now) == []


def test_leap_days_are_found() -> None:
    now = dt.datetime(2096, 3, 1, tzinfo=dt.UTC)  # 2100 is no leap year
    assert cron.following("0 7 29 2 *", KOLKATA, now) == dt.datetime(2104, 2, 29, 7, tzinfo=KOLKATA)


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("0 0 7 * * MON", "'0 0 7 * * MON' has 6 fields and not five", "seconds come first in some crons, not here: write '0 7 * * MON'"),
        ("0 0 7 ? * MON *", "'0 0 7 ? * MON *' has 7 fields and not five", "some crons have seconds and years, not here: write '0 7 * * MON'"),
        ("0 7 1 1 * 2026", "'0 7 1 1 * 2026' has 6 fields and not five", "leave the year out: write '0 7 1 1 *'"),
        ("7am", "'7am' is not a cron line", "write '0 7 * * *'"),
        ("12am", "'12am' is not a cron line", "write '0 0 * * *'"),
        ("5:30pm", "'5:30pm' is not a cron line", "write '30 17 * * *'"),
        ("7:30", "'7:30' is not a cron line", "write '30 7 * * *'"),
        ("every monday at 7", "'every monday at 7' is not a cron line", "write '0 7 * * MON'"),
        ("tous les lundis à 7h15", "'tous les lundis à 7h15' is not a cron line", "write '15 7 * * MON'"),
        ("@daily", "'@daily' is not five fields", "write '0 0 * * *'"),
        ("mensuel", "'mensuel' is not five fields", "write '0 7 1 * *'"),
        ("", "'' has 0 fields and not five", cron.LIKE),
        ("7", "'7' has 1 field and not five", cron.LIKE),
        ("0 7 * * lun", "'lun' is no weekday", "write MON"),
        ("0 7 * * mar", "'mar' is no weekday", "write TUE"),
        ("0 7 * * lundi-vendredi", "'lundi-vendredi' is no weekday", "write MON-FRI"),
        ("0 7 * * Monday", "'Monday' is no weekday", "write MON"),
        ("0 7 1 fév *", "'fév' is no month", "write FEB"),
        ("0 7 ? * MON", "'?' is no day of the month", "write *"),
        ("0 7 * * FRI-MON", "'FRI-MON' is no weekday", "ranges go upwards: write FRI,SAT,SUN,MON"),
        ("0 22-2 * * *", "'22-2' is no hour", "ranges go upwards: write 22-23,0-2"),
        ("*/0 * * * *", "'*/0' is no minute", "a step is 1 or more"),
        ("0 7:30 * * *", "'7:30' is no hour", "write the hour alone, as 7, and 30 as minute"),
        ("60 7 * * *", "'60' is no minute", "it goes from 0 to 59; *, lists 1,2, ranges 1-5 and steps */5 are known"),
        ("0 7 * * 8", "'8' is no weekday", "it goes from 0 to 7 (Sunday is 0 and 7), or MON to SUN; *, lists 1,2, ranges 1-5 and steps */5 are known"),
        ("0 7 31 2 *", "'0 7 31 2 *' never comes", "no month it names has such a day; 'L' is a month's last day"),
        (f"{'9' * 5000} 7 * * *", f"'{'9' * 60}' is no minute", "it goes from 0 to 59; *, lists 1,2, ranges 1-5 and steps */5 are known"),
    ],
)  # fmt: skip
def test_what_is_wrong(line: str, message: str, hint: str) -> None:
    assert cron.problem(line) == cron.Wrong(message, hint)


@pytest.mark.parametrize(
    "line",
    [
        "0 7 * * MON",
        "*/15 * * * *",
        "0 7 L * *",
        "0 7 29 2 *",
        "0 7 * jan-mar 1-5",
        "0 7 * * MON#1",
        " 0  7\t* * * ",
    ],
)
def test_what_is_understood(line: str) -> None:
    assert cron.problem(line) is None
    for wrong in (cron.problem("x y z"), cron.problem("* * * * x")):
        assert wrong is not None
        assert wrong.hint


def test_every_way_out_can_be_understood() -> None:
    for line in [*cron._NICKNAMES, "7am", "mardi 8h", "saturdays 9:15"]:
        wrong = cron.problem(line)
        assert wrong is not None
        assert cron.problem(wrong.hint.split("'")[1]) is None
