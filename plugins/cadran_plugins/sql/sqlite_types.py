"""SQLite's types: a declaration says what a column should hold, and any value may stand in it all the same."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from cadran_plugins.sql.columns import (
    Fetched,
    Field,
    Unfit,
    arrow_type,
    blobs,
    doubles,
    integers,
    texts,
    zero_or_one,
)

_STORED = {int: "integer", float: "real", str: "text", bytes: "blob"}
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:[ T]00:00(?::00(?:\.0+)?)?)?")
_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d)(:\d\d)?(?:(\.\d{1,6})\d*)?)?")
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)(:\d\d)?(\.\d{1,6})?0* ?(Z|[+-]\d\d(?::?\d\d)?)")
_NO_ZONE = "write it as 2026-03-31T12:30:00+02:00 or 2026-03-31T10:30:00Z"
_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999  # microseconds since 1970
_AS_TEXT = "write it as 2026-03-31, or convert it under 'tables:', such as sql: \"SELECT date(day, 'unixepoch') AS day …\""


def declared(name: str, kind: str) -> Field:
    """A column by its declared type: what SQLite's affinity makes of it, and dates and booleans as teams write them."""
    word = kind.upper()
    base = word.split("(")[0].strip()
    if base in ("BOOLEAN", "BOOL"):
        return Field(name, "BOOLEAN", zero_or_one)
    if base == "DATE":
        return Field(name, "DATE", _dates)
    if base.startswith("TIMESTAMPTZ") or (base.startswith("TIMESTAMP") and "WITH TIME ZONE" in word):
        return Field(name, "TIMESTAMP WITH TIME ZONE", _instants)
    if base.startswith(("DATETIME", "TIMESTAMP")):
        return Field(name, "TIMESTAMP", _timestamps)
    if "INT" in word:
        return Field(name, "BIGINT", integers)
    if any(part in word for part in ("CHAR", "CLOB", "TEXT")):
        return Field(name, "VARCHAR", texts)
    if "BLOB" in word:
        return Field(name, "BLOB", blobs)
    if any(part in word for part in ("REAL", "FLOA", "DOUB", "NUMERIC", "DECIMAL")):
        return Field(name, "DOUBLE", doubles)  # SQLite stores no decimals
    # No declaration, as in an expression, or one that says nothing (JSON, UUID, MONEY): the values decide.
    return Field(
        name,
        "",
        texts,
        settle=lambda values: by_storage(name, {_STORED[type(v)] for v in values if v is not None}),
    )


def by_storage(name: str, kinds: Collection[str]) -> Field:
    """A column of which is known how its values are stored."""
    if kinds and set(kinds) <= {"integer", "real"}:
        return Field(name, "DOUBLE", doubles) if "real" in kinds else Field(name, "BIGINT", integers)
    return Field(name, "BLOB", blobs) if set(kinds) == {"blob"} else Field(name, "VARCHAR", texts)


def _dates(values: Fetched) -> pa.Array:
    return _iso(values, "DATE", _DATE, "is not a date")


def _timestamps(values: Fetched) -> pa.Array:
    return _iso(values, "TIMESTAMP", _TIMESTAMP, "is not a timestamp without a zone")


def _instants(values: Fetched) -> pa.Array:
    """Each with its own zone or offset: one without is no instant, and is not guessed."""
    array = _iso(values, "TIMESTAMP WITH TIME ZONE", _INSTANT, "is not a timestamp with a zone", _NO_ZONE)
    moments = array.cast(pa.int64())
    outside = pc.or_(pc.less(moments, _FIRST), pc.greater(moments, _LAST))
    if pc.any(outside).as_py():
        raise Unfit(values[pc.index(outside, True).as_py()], "lies outside of the years 1 to 9999 in UTC")
    return array


def _iso(values: Fetched, type_: str, form: re.Pattern[str], why: str, hint: str = _AS_TEXT) -> pa.Array:
    """Quickly where all are written the usual way, else one by one."""
    if not set(map(type, values)) <= {str, type(None)}:
        raise Unfit(next(v for v in values if not isinstance(v, str | None)), why, hint)
    to = arrow_type(type_)
    try:
        return pa.array(values, pa.string()).cast(to)
    except pa.ArrowInvalid:
        return pa.array([v if v is None else _one(v, type_, form, why, hint) for v in values], to)


def _one(value: str, type_: str, form: re.Pattern[str], why: str, hint: str) -> dt.date:
    found = form.fullmatch(value)
    try:
        if found is None:
            raise ValueError
        if type_ == "DATE":
            return dt.date.fromisoformat(found[1])
        day, minute, second, fraction, *zone = found.groups()
        return dt.datetime.fromisoformat(
            f"{day}T{minute or '00:00'}{second or ':00'}{(fraction or '.0').ljust(7, '0')}{''.join(zone)}"
        )
    except ValueError:
        raise Unfit(value, why, hint) from None
