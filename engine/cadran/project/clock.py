"""As of when a run is: what people write for it, and the instant that it means."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from cadran.problems import Problem, ProblemsFound

if TYPE_CHECKING:
    from cadran.compute.spans import Clock
    from cadran.declare.model import Declaration

AsOf = dt.datetime | dt.date | str | None


def clock_of(declaration: Declaration, as_of: AsOf) -> Clock:
    """The run's clock; a time without zone is in the calendar's. Raises ProblemsFound."""
    from cadran.compute.spans import EARLIEST, LATEST, Clock

    calendar = declaration.calendar
    as_of = moment(as_of) if isinstance(as_of, str) else as_of
    day = as_of.date() if isinstance(as_of, dt.datetime) else as_of
    if day is not None and not EARLIEST <= day <= LATEST:
        hint = f"it lies between {EARLIEST} and {LATEST}"
        raise ProblemsFound([Problem("clock", f"a run cannot be of {day}", None, "", hint)])
    if as_of is None:
        instant = dt.datetime.now(calendar.zone)
    elif isinstance(as_of, dt.datetime):
        instant = as_of if as_of.tzinfo else as_of.replace(tzinfo=calendar.zone)
    else:
        instant = calendar.midnight(as_of)
    return Clock(instant, calendar)


def end_of(declaration: Declaration, time: AsOf) -> dt.datetime:
    """An instant as it is; of a day the last one. Raises ProblemsFound."""
    time = moment(time) if isinstance(time, str) else time
    if time is None or isinstance(time, dt.datetime):
        return clock_of(declaration, time).instant
    following = clock_of(declaration, time + dt.timedelta(days=1)).instant
    return following - dt.timedelta(microseconds=1)


def moment(text: str) -> dt.date | dt.datetime:
    """``2026-07-01``, or ``2026-07-01T09:30`` with or without an offset. Raises ProblemsFound."""
    try:
        return dt.date.fromisoformat(text) if len(text) == 10 else dt.datetime.fromisoformat(text)
    except ValueError:
        hint = "write 2026-07-01 or 2026-07-01T09:30"
        raise ProblemsFound([Problem("clock", f"'{text}' is not a date", None, "", hint)]) from None


def utc() -> dt.datetime:
    """The clock of whoever hands in none."""
    return dt.datetime.now(dt.UTC)
