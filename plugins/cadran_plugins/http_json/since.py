"""The value from which on rows are asked for, as the server writes it."""

from __future__ import annotations

import datetime as dt
from typing import Any


def written(since: Any, format_: str, type_: str) -> Any:
    """``type_`` is that of the column. What is no time is said as it is.

    >>> written(dt.datetime(2026, 3, 31, 8, tzinfo=dt.UTC), "", "TIMESTAMP WITH TIME ZONE")
    '2026-03-31T08:00:00Z'
    """
    if not isinstance(since, dt.date):
        return since
    if not isinstance(since, dt.datetime):
        if format_ in ("", "date"):
            return since.isoformat()
        since = dt.datetime(since.year, since.month, since.day, tzinfo=dt.UTC)
    since = since.replace(tzinfo=dt.UTC) if since.tzinfo is None else since.astimezone(dt.UTC)
    if format_ == "date":
        return since.date().isoformat()
    if format_ in ("epoch", "epoch_ms"):
        return _epoch(since) // (
            1_000_000 if format_ == "epoch" else 1000
        )  # rounded down: the row at it comes again
    if "%" in format_:
        return since.strftime(format_)
    text = since.replace(tzinfo=None).isoformat()
    return text if type_ == "TIMESTAMP" else text + "Z"


def _epoch(since: dt.datetime) -> int:
    return (since - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
