"""How far a table has been read, as a value that JSON knows, and the window that follows from it."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_WHEN = ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE")


def is_moment(kind: str) -> bool:
    return kind.startswith(_WHEN)


def is_temporal(kind: str) -> bool:
    return is_moment(kind) or kind == "DATE"


def packed(value: Any) -> Any:
    """A cursor's value for JSON."""
    if isinstance(value, dt.datetime):
        return {"at": _aware(value).isoformat()}
    if isinstance(value, dt.date):
        return {"day": value.isoformat()}
    return {"number": str(value)} if isinstance(value, Decimal) else value


def unpacked(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if "at" in value:
        return dt.datetime.fromisoformat(value["at"])
    return dt.date.fromisoformat(value["day"]) if "day" in value else Decimal(value["number"])


def from_micros(micros: int, kind: str) -> dt.datetime | dt.date:
    """What the database says in microseconds since 1970; a local time counts as UTC."""
    moment = _EPOCH + dt.timedelta(microseconds=micros)
    return moment.date() if kind == "DATE" else moment


def micros(value: dt.datetime | dt.date) -> int:
    """The reverse."""
    moment = value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time(), dt.UTC)
    return (moment - _EPOCH) // dt.timedelta(microseconds=1)


def behind(state: Any, lookback: dt.timedelta) -> Any:
    """Where reading begins again: a while before what was last seen, where that is a time."""
    try:
        if isinstance(state, dt.datetime):
            return state - lookback
        if isinstance(state, dt.date):
            return state - dt.timedelta(days=math.ceil(lookback / dt.timedelta(days=1)))
    except OverflowError:
        return None
    return state


def later(one: Any, other: Any) -> Any:
    """The greater of two states; None is none. Those that cannot be compared: the second."""
    if one is None or other is None:
        return other if one is None else one
    try:
        return max(one, other)
    except TypeError:
        return other


def floor(day: dt.date | None, kind: str) -> Any:
    """``since:`` as a value of the cursor's type; None where it has no meaning there."""
    if day is None or not is_temporal(kind):
        return None
    return day if kind == "DATE" else dt.datetime.combine(day, dt.time(), dt.UTC)


def _aware(value: dt.datetime) -> dt.datetime:
    return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)
