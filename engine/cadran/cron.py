"""Cron lines, with the meaning that Debian's cron gives them, by the local clock of any zone.

Five fields: minute, hour, day of the month, month, weekday (0 and 7 are Sunday). Where both days are restricted, either
suffices. At the changes of the clock (``man 8 cron``): a line that names its minutes and hours runs once, a local time that
does not exist at the next instant that does, one that comes twice at the first; a line whose minute or hour begins with
``*`` follows the clock as it goes. cronsim reads the fields; which instants those are is said here, as it walks zones that
change by half an hour wrongly.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

FIELDS = ("minute", "hour", "day of the month", "month", "weekday")
LIKE = "write minute, hour, day of the month, month, weekday: '0 7 * * MON' is Mondays at 7:00"

_DAY = dt.timedelta(days=1)
# Windows in which the following time is looked for: most lines are found in the first, 29 February in the last.
_AHEAD = (dt.timedelta(hours=1), _DAY, 35 * _DAY, 400 * _DAY, 9 * 366 * _DAY, 50 * 366 * _DAY)


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with a cron line, and the way out."""

    message: str
    hint: str


# --- when ----------------------------------------------------------------------------------------------------------


def times(line: str, zone: ZoneInfo, after: dt.datetime, until: dt.datetime) -> list[dt.datetime]:
    """The instants after ``after`` and not after ``until``, in UTC, in order. The line has been checked."""
    if until <= after:
        return []
    first, last = _local(after, zone) - _margin(after, zone), _local(until, zone) + _margin(until, zone)
    follows = any(field.startswith("*") for field in line.split()[:2])
    found = {instant for local in _walls(line, first, last) for instant in _instants(local, zone, follows)}
    return sorted(instant for instant in found if after < instant <= until)


def following(line: str, zone: ZoneInfo, after: dt.datetime) -> dt.datetime | None:
    """The first instant after ``after``; None where there is none in 50 years."""
    start = after
    for ahead in _AHEAD:
        found = times(line, zone, start, after + ahead)
        if found:
            return found[0]
        start = after + ahead
    return None


def _margin(instant: dt.datetime, zone: ZoneInfo) -> dt.timedelta:
    """How far what the clock shows may be from what it shows elsewhere around an instant: no clock has ever been set by more
    than a day (Samoa skipped one)."""
    offsets = {(instant + days * _DAY).astimezone(zone).utcoffset() for days in (-1, 0, 1)}
    return _DAY if len(offsets) > 1 else dt.timedelta()


def _walls(line: str, first: dt.datetime, last: dt.datetime) -> Iterator[dt.datetime]:
    """What the clock on the wall shows at the line's times, from ``first`` to ``last``."""
    from cronsim import CronSim

    for local in CronSim(line, first - dt.timedelta(seconds=1)):
        if local > last:
            return
        yield local


def _local(instant: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    return instant.astimezone(zone).replace(tzinfo=None)


def _instants(local: dt.datetime, zone: ZoneInfo, follows: bool) -> Iterator[dt.datetime]:
    """When the clock on the wall shows a time: once, at both instants of one that repeats where the line follows the
    clock, and for one that is left out at the change, unless the line follows the clock."""
    early, late = (local.replace(tzinfo=zone, fold=fold).astimezone(dt.UTC) for fold in (0, 1))
    if early <= late:
        yield early
        if follows:
            yield late
    elif not follows:
        yield _change(late, early, zone)


def _change(before: dt.datetime, after: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """The instant between two at which the zone's offset changes, to the second."""
    old = before.astimezone(zone).utcoffset()
    while after - before > dt.timedelta(seconds=1):
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after


# --- what is wrong -------------------------------------------------------------------------------------------------


def problem(line: str) -> Wrong | None:
    """None where the line can be understood."""
    shown = line if len(line) <= 60 else f"{line[:60]}…"
    fields = line.split()
    if line.strip().casefold() in _NICKNAMES:
        return Wrong(f"'{shown}' is not five fields", f"write '{_NICKNAMES[line.strip().casefold()]}'")
    if len(fields) != 5:
        return Wrong(*_count(shown, fields))
    for index, field in enumerate(fields):
        if not _readable(["*"] * index + [field] + ["*"] * (4 - index)):
            if meant := _spoken(line) if index == 0 else "":
                return Wrong(f"'{shown}' is not a cron line", f"write '{meant}'")
            return Wrong(f"'{field[:60]}' is no {FIELDS[index]}", _way_out(field, index))
    if not _comes(line):
        return Wrong(f"'{shown}' never comes", "no month it names has such a day; 'L' is a month's last day")
    return None


def _readable(fields: list[str]) -> bool:
    from cronsim import CronSim, CronSimError

    # Which days there are is another question than whether the field can be read.
    fields = [*fields[:4], "0"] if fields[4] == "*" else fields
    try:
        CronSim(" ".join(fields), dt.datetime(2026, 1, 1))
    except (CronSimError, ValueError):  # ValueError: digits without end
        return False
    return True


def _comes(line: str) -> bool:
    from cronsim import CronSim, CronSimError

    try:
        return next(CronSim(line, dt.datetime(2026, 1, 1)), None) is not None
    except CronSimError:
        return False


_NICKNAMES = {
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * SUN", "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "hourly": "0 * * * *", "daily": "0 7 * * *", "weekly": "0 7 * * MON",
    "monthly": "0 7 1 * *", "quotidien": "0 7 * * *", "hebdomadaire": "0 7 * * MON", "mensuel": "0 7 1 * *",
}  # fmt: skip
_CLOCK = re.compile(r"(?<!\d)(?P<hour>[01]?\d|2[0-3])(?:[:h](?P<minute>[0-5]\d)?)?\s?(?P<half>am|pm)?\b", re.IGNORECASE)  # fmt: skip


def _count(shown: str, fields: list[str]) -> tuple[str, str]:
    """What is wrong with a line that has not five fields."""
    number, fields = len(fields), ["*" if field == "?" else field for field in fields]
    if number in (6, 7) and _readable(fields[1:6]):
        seconds = "seconds come first in some crons" if number == 6 else "some crons have seconds and years"
        return (
            f"'{shown}' has {number} fields and not five",
            f"{seconds}, not here: write '{' '.join(fields[1:6])}'",
        )
    if number == 6 and _readable(fields[:5]):
        return f"'{shown}' has 6 fields and not five", f"leave the year out: write '{' '.join(fields[:5])}'"
    if meant := _spoken(" ".join(fields)):
        return f"'{shown}' is not a cron line", f"write '{meant}'"
    return f"'{shown}' has {number} field{'s' * (number != 1)} and not five", LIKE


def _spoken(text: str) -> str:
    """The line that ``7am``, ``mondays at 7:30`` or ``tous les lundis à 7h`` mean; empty if that cannot be told."""
    found = _CLOCK.search(text)
    words = re.findall(r"[^\W\d_]{3,}", text.casefold())
    day = next(
        (name for word in words if (name := _WEEKDAYS.get(word.rstrip("s")) or _WEEKDAYS.get(word))), "*"
    )
    if found is None or (found["minute"] is None and found["half"] is None and not words and not re.search("[:h]", found[0])):  # fmt: skip
        return ""
    hour = int(found["hour"]) % 12 + 12 * (found["half"].lower() == "pm") if found["half"] else int(found["hour"])  # fmt: skip
    return f"{int(found['minute'] or 0)} {hour} * * {day}"


def _names(text: str) -> dict[str, str]:
    """``word → NAME`` out of lines ``NAME word word``."""
    return {word: line.split()[0] for line in text.splitlines() for word in line.split()[1:]}


_WEEKDAYS = _names("""MON monday mondays lundi lun
TUE tuesday tues mardi mar
WED wednesday wednes mercredi mer
THU thursday thurs thur jeudi jeu
FRI friday vendredi ven
SAT saturday samedi sam
SUN sunday dimanche dim""")
_MONTHS = _names("""JAN january janvier janv
FEB february février fevrier fév fev févr
MAR march mars
APR april avril avr
MAY mai
JUN june juin
JUL july juillet juil
AUG august août aout aoû
SEP september septembre sept
OCT october octobre
NOV november novembre
DEC december décembre decembre déc""")
_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_WEEK = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


def _way_out(field: str, index: int) -> str:
    first, last = _RANGES[index]
    named = {4: _WEEKDAYS, 3: _MONTHS}.get(index, {})
    meant = re.sub(r"[^\W\d_]+", lambda word: named.get(word[0].casefold(), word[0]), field)
    if meant != field and _readable(["*"] * index + [meant] + ["*"] * (4 - index)):
        return f"write {meant}"
    if field == "?":
        return "write *"
    if "/0" in field:
        return "a step is 1 or more"
    if backwards := _backwards(meant, index):
        return f"ranges go upwards: write {backwards}"
    if index == 1 and (spoken := _spoken(field)):
        minute, hour = spoken.split()[:2]
        return f"write the hour alone, as {hour}" + (f", and {minute} as minute" if minute != "0" else "")
    example = {3: ", or JAN to DEC", 4: " (Sunday is 0 and 7), or MON to SUN"}.get(index, "")
    return f"it goes from {first} to {last}{example}; *, lists 1,2, ranges 1-5 and steps */5 are known"


def _backwards(field: str, index: int) -> str:
    """``22-2`` as ``22-23,0-2``, ``FRI-MON`` as ``FRI,SAT,SUN,MON``; empty where that is not what is wrong."""
    ends = field.upper().split("-")
    if len(ends) != 2:
        return ""
    if index == 4 and all(end in _WEEK for end in ends):
        start, stop = map(_WEEK.index, ends)
        return ",".join(_WEEK[(start + step) % 7] for step in range((stop - start) % 7 + 1))
    first, last = _RANGES[index]
    if not all(end.isdecimal() and len(end) < 3 and first <= int(end) <= last for end in ends):
        return ""
    return f"{ends[0]}-{last},{first}-{ends[1]}" if int(ends[0]) > int(ends[1]) else ""
