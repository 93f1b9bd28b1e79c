"""Where spans begin and end, as values of SQL: local times, and the instants that they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from cadran.calendar import Calendar
from cadran.compute.spans import Span, midnight

_BOUNDS = ("start", "stop", "before", "last")
SPAN_COLUMNS = {
    "span": "INTEGER",
    **dict.fromkeys(_BOUNDS, "TIMESTAMP"),
    **{f"{b}_at": "TIMESTAMPTZ" for b in _BOUNDS},
}


def span_rows(spans: Mapping[Span, int], calendar: Calendar) -> list[list[object]]:
    """The rows of a table of spans: their bounds in local time, and the same as instants under ``…_at``."""
    rows = []
    for span, index in spans.items():
        local = [midnight(span.start), span.stop, midnight(span.before), midnight(span.last)]
        instants = [instant(value, calendar) for value in local]
        rows.append([index, *as_text(local), *as_text(instants)])
    return rows


def instant(local: dt.datetime, calendar: Calendar) -> dt.datetime:
    """The instant of a local time; a midnight is the first instant of its day."""
    if local.date() <= dt.date(2, 1, 1):
        return local.replace(tzinfo=dt.UTC)
    if local.time() == dt.time():
        return calendar.midnight(local.date()).astimezone(dt.UTC)
    return local.replace(tzinfo=calendar.zone).astimezone(dt.UTC)


def as_text(values: Iterable[dt.datetime]) -> list[str]:
    return [value.isoformat(sep=" ") for value in values]
