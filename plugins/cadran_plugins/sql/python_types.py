"""Types of databases that cadran knows nothing of: as SQLAlchemy's catalog declares them, else as Python's values tell."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pyarrow as pa
from sqlalchemy import types

from cadran_plugins.sql import decimals
from cadran_plugins.sql.columns import (
    Fetched,
    Field,
    Unfit,
    arrow_type,
    blobs,
    booleans,
    doubles,
    integers,
    of_kind,
    texts,
    zero_or_one,
)

_NONE = type(None)


@dataclass(slots=True)
class Seen:
    """What the values of one column have been so far."""

    kinds: set[type] = field(default_factory=set)
    zoned: bool = False
    whole: int = 1
    scale: int = 0
    needed: int = 0

    def add(self, values: Fetched) -> None:
        self.kinds |= set(map(type, values)) - {_NONE}
        if dt.datetime in self.kinds:
            self.zoned = self.zoned or any(isinstance(v, dt.datetime) and v.tzinfo for v in values)
        if Decimal in self.kinds:
            written = [_plain(v) for v in values if isinstance(v, int | Decimal)]
            whole, scale, needed = decimals.digits(written)
            self.whole, self.scale = max(self.whole, whole), max(self.scale, scale)
            self.needed = max(self.needed, needed)


def declared(name: str, type_: Any) -> Field:
    """A column of a table by its declaration; undecided where that says too little."""
    if isinstance(type_, types.Boolean):
        return Field(name, "BOOLEAN", _truth)
    if isinstance(type_, types.Integer):
        return Field(name, "BIGINT", _whole)
    if isinstance(type_, types.Float):
        return Field(name, "DOUBLE", _numbers)
    if isinstance(type_, types.Numeric) and type_.precision and type_.scale is not None:
        return _decimal(decimals.declared(name, type_.precision, type_.scale, "{}"))
    if isinstance(type_, types.DateTime):
        return _instant(name) if type_.timezone else undecided(name)
    if isinstance(type_, types.String):
        return Field(name, "VARCHAR", texts)
    return undecided(name)


def undecided(name: str) -> Field:
    def settle(values: Fetched) -> Field:
        seen = Seen()
        seen.add(values)
        return field_of(name, seen)

    return Field(name, "", texts, settle=settle)


def field_of(name: str, seen: Seen) -> Field:
    """A column of which all values have been seen."""
    kinds = seen.kinds
    if not kinds or kinds == {str}:
        return Field(name, "VARCHAR", texts)
    for of, type_, read in _BY_KIND:
        if kinds <= of:
            return Field(name, type_, read)
    if kinds <= {int, Decimal}:
        return _decimal(decimals.sized(name, (seen.whole, seen.scale, seen.needed), "{}"))
    if kinds == {dt.datetime}:
        return _instant(name) if seen.zoned else Field(name, "TIMESTAMP", _timestamps)
    if kinds.isdisjoint({int, float, Decimal, bool, str, bytes, dt.date, dt.datetime}):
        return Field(name, "VARCHAR", _written)  # times, intervals, UUIDs, lists …
    return Field(name, "VARCHAR", texts)  # of several kinds: refused, with the first that is no text


def _decimal(sized: Field) -> Field:
    """The same for values that are Python's decimals and not yet text."""

    def read(values: Fetched) -> pa.Array:
        of_kind(values, (int, Decimal, str), "is not a decimal number")
        return sized.read([None if v is None else _plain(v) for v in values])

    def settle(values: Fetched) -> Field:
        return _decimal(
            decimals.by_values(sized.name, [None if v is None else _plain(v) for v in values], "{}")
        )

    return Field(sized.name, sized.type, read, settle=None if sized.type else settle)


def _instant(name: str) -> Field:
    return Field(name, "TIMESTAMP WITH TIME ZONE", _instants)


def _plain(value: object) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _whole(values: Fetched) -> pa.Array:
    """Some drivers give whole numbers as decimals."""
    of_kind(values, (int, Decimal, bool), "is not a whole number")
    if odd := [v for v in values if isinstance(v, Decimal) and v != int(v)]:
        raise Unfit(odd[0], "is not a whole number")
    return integers([v if v is None else int(v) for v in values])


def _numbers(values: Fetched) -> pa.Array:
    of_kind(values, (int, float, Decimal), "is not a number")
    return doubles([v if v is None else float(v) for v in values])


def _written(values: Fetched) -> pa.Array:
    return texts([v if v is None else str(v) for v in values])


def _truth(values: Fetched) -> pa.Array:
    return booleans(values) if bool in set(map(type, values)) else zero_or_one(values)


def _dates(values: Fetched) -> pa.Array:
    of_kind(values, (dt.date,), "is not a date")
    return pa.array(values, arrow_type("DATE"))


def _timestamps(values: Fetched) -> pa.Array:
    of_kind(values, (dt.datetime,), "is not a timestamp")
    if odd := [v for v in values if v is not None and v.tzinfo]:
        raise Unfit(odd[0], "has a zone, which others have not")
    return pa.array(values, arrow_type("TIMESTAMP"))


def _instants(values: Fetched) -> pa.Array:
    of_kind(values, (dt.datetime,), "is not a timestamp")
    if odd := [v for v in values if v is not None and not v.tzinfo]:
        raise Unfit(odd[0], "has no zone, which others have")
    utc = [v if v is None else v.astimezone(dt.UTC).replace(tzinfo=None) for v in values]
    return pa.array(utc, arrow_type("TIMESTAMP")).cast(arrow_type("TIMESTAMP WITH TIME ZONE"))


_BY_KIND: tuple[tuple[set[type], str, Callable[[Fetched], pa.Array]], ...] = (
    ({bool}, "BOOLEAN", booleans),
    ({int}, "BIGINT", integers),
    ({int, float}, "DOUBLE", doubles),
    ({bytes}, "BLOB", blobs),
    ({dt.date}, "DATE", _dates),
)
