"""Days, instants and periods as people of a locale write them, through Babel; and Babel's locale itself."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from cadran.calendar import Calendar, Grain
from cadran.publish.messages import catalogue, language

if TYPE_CHECKING:
    from babel import Locale

_FISCAL = re.compile(r"FY(\d{4})(?:-Q([1-4]))?")


@lru_cache
def babel_locale(locale: str) -> Locale:
    """Babel's locale: the region too (``fr_CH``) where the language has a catalogue, else English."""
    from babel import Locale, UnknownLocaleError

    try:
        found = Locale.parse(locale, sep="-" if "-" in locale else "_")
    except (UnknownLocaleError, ValueError):
        return Locale(language(locale))
    return found if found.language == language(locale) else Locale("en")


def date_text(locale: str, day: dt.date) -> str:
    """``1er mars 2026``, ``March 1, 2026``."""
    from babel.dates import format_date

    text = format_date(day, "long", locale=babel_locale(locale))
    first = catalogue(locale).pgettext("the first of a month, before its name", "1")
    return re.sub(r"^1(?= )", first, text)


def instant_text(locale: str, instant: dt.datetime) -> str:
    """``22 novembre 2026 à 07:00``; midnight is said as the day alone."""
    from babel.dates import format_time

    if (instant.hour, instant.minute) == (0, 0):
        return date_text(locale, instant)
    time = format_time(instant.time(), "short", locale=babel_locale(locale))
    return catalogue(locale).gettext("%(date)s, %(time)s") % {
        "date": date_text(locale, instant),
        "time": time,
    }


def ago_text(locale: str, days: int) -> str:
    """``3 days ago``; ``today`` for 0."""
    from babel.dates import format_timedelta

    if not days:
        return catalogue(locale).gettext("today")
    return format_timedelta(
        dt.timedelta(days=-days), granularity="day", threshold=10**9, add_direction=True, locale=babel_locale(locale)
    )  # fmt: skip


def written_text(locale: str, written: str) -> str:
    """A day or an instant as programs write it (``2026-11-22 07:00``), for people; what is neither stays as it is."""
    try:
        return instant_text(locale, dt.datetime.fromisoformat(written))
    except ValueError:
        return written


_LENGTH = re.compile(r"(\d+) (day|hour|minute|second)s(?: |$)")


def length_text(locale: str, written: str) -> str:
    """``4 jours``, ``1 jour 6 heures`` for a length of time as the engine writes it: ``1 days 6 hours``."""
    from babel.dates import format_timedelta

    parts = _LENGTH.findall(written)
    if not parts or " ".join(f"{number} {unit}s" for number, unit in parts) != written:
        return written
    return " ".join(
        format_timedelta(
            dt.timedelta(**{f"{unit}s": int(number)}), granularity=unit, threshold=10**9, locale=babel_locale(locale)
        )
        for number, unit in parts
    )  # fmt: skip


@lru_cache(maxsize=4096)
def period_text(locale: str, label: str, short: bool = False) -> str:
    """A period's label in words, in full or short. Kept, since a table of rows says the same few over and over."""
    if label == "all":
        return catalogue(locale).gettext("Over all data")
    if fiscal := _FISCAL.fullmatch(label):
        return _fiscal(locale, fiscal[1], fiscal[2] or "", short)
    try:
        period = Calendar().parse(label)
    except ValueError:
        return label
    return _on_the_calendar(locale, label, period.grain, period.start, short)


def _on_the_calendar(locale: str, label: str, grain: Grain, start: dt.date, short: bool) -> str:
    from babel.dates import format_date, format_skeleton

    found, messages = babel_locale(locale), catalogue(locale)
    match grain:
        case Grain.DAY:
            return format_skeleton("MMMd", start, locale=found) if short else date_text(locale, start)
        case Grain.WEEK:
            text = messages.gettext("W%(week)s") if short else messages.gettext("week %(week)s of %(year)s")
            return text % {"week": int(label[6:]), "year": label[:4]}
        case Grain.MONTH:
            return format_date(start, "MMM yy", locale=found) if short else format_skeleton("yMMMM", start, locale=found)  # fmt: skip
        case Grain.QUARTER:
            text = format_skeleton("yQQQ", start, locale=found)
            return text.replace(label[:4], label[2:4]) if short else text
        case _:
            return label


def _fiscal(locale: str, year: str, quarter: str, short: bool) -> str:
    gettext = catalogue(locale).gettext
    values = {"year": year[2:] if short else year, "quarter": quarter}
    if short:
        return (gettext("Q%(quarter)s FY%(year)s") if quarter else gettext("FY%(year)s")) % values
    return (gettext("Q%(quarter)s of fiscal year %(year)s") if quarter else gettext("fiscal year %(year)s")) % values  # fmt: skip
