"""Cron and catching up the slow way: minute by minute, field by field, as a person would with a calendar and a clock."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from zoneinfo import ZoneInfo

MINUTE = dt.timedelta(minutes=1)
_NAMES = {name: str(n) for n, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"])}
_BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def numbers(field: str, first: int, last: int) -> set[int]:
    """What a field without names means: ``1,3-5,*/10``."""
    out: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        low, _, high = span.partition("-")
        start = first if span == "*" else int(low)
        stop = last if span == "*" or (step and not high) else int(high or low)
        out |= set(range(start, stop + 1, int(step or 1)))
    return out


class Line:
    """A cron line that answers one question: is it this minute's, by the clock on the wall?"""

    def __init__(self, text: str) -> None:
        fields = [_NAMES.get(field, field) for field in text.split()]
        self.minutes, self.hours, self.days, self.months, self.weekdays = (
            numbers(field, *bounds) for field, bounds in zip(fields, _BOUNDS, strict=True)
        )
        self.either = not (fields[2].startswith("*") or fields[4].startswith("*"))
        self.follows = fields[0].startswith("*") or fields[1].startswith("*")

    def holds(self, wall: dt.datetime) -> bool:
        if wall.minute not in self.minutes or wall.hour not in self.hours or wall.month not in self.months:
            return False
        day, weekday = wall.day in self.days, bool({wall.isoweekday(), wall.isoweekday() % 7} & self.weekdays)
        return day or weekday if self.either else day and weekday


def times(text: str, zone: ZoneInfo, after: dt.datetime, until: dt.datetime) -> Iterator[dt.datetime]:
    """Every minute is looked at once. A line that names hours and minutes goes by the furthest that the clock has shown."""
    line = Line(text)
    now = after.replace(second=0, microsecond=0) - dt.timedelta(days=1)
    furthest = _wall(now, zone)
    while (now := now + MINUTE) <= until:
        wall = _wall(now, zone)
        if line.follows:
            fires = line.holds(wall)
        else:
            fires = False
            while furthest < wall:
                furthest += MINUTE
                fires = fires or line.holds(furthest)
        if fires and now > after:
            yield now


def _wall(now: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    return now.astimezone(zone).replace(tzinfo=None)


def random_line(chance: random.Random) -> str:
    """A line of some frequency between every few minutes and once a month."""
    minute = chance.choice(["0", "30", "15,45", "*/15", "*/20", "7", "0-10/5"])
    hour = chance.choice(["*", "2", "1,2,3", "7", "*/6", "0-4", "23", "1-23/2"])
    day = chance.choice(["*", "*", "*", "1", "13", "*/10", "28-31"])
    weekday = chance.choice(["*", "*", "1", "0", "7", "1-5", "5", "6,7"])
    return f"{minute} {hour} {day} * {weekday}"
