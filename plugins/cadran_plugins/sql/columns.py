"""Columns of an answer: their DuckDB types, how each is asked for, and how fetched values become Arrow arrays.

Values are fetched as numbers, bytes or text, and parsed here by Arrow: strictly, so that what is not of the column's
type is an error with the value and never a guess. Both ways of fetching (a driver's rows, ADBC's arrays) end here,
which is why they give the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

Fetched = Any  # the values of one column: a list, or an Arrow array
Read = Callable[[Fetched], pa.Array]
NOT_FINITE = "is not a number to compute with"
NOT_FINITE_HINT = "make it NULL, with a SELECT of your own under 'tables:' ('sql:')"
_UTC = pa.timestamp("us", "UTC")


class Unfit(Exception):
    """A value that is not of its column's type; ``why`` completes "column c holds <value>, which …"."""

    def __init__(self, value: object, why: str, hint: str = "") -> None:
        super().__init__(why)
        self.value, self.why, self.hint = value, why, hint


@dataclass(frozen=True, slots=True)
class Field:
    """One column. An empty ``type`` is decided by the values: by ``settle`` if all came at once, else by a query."""

    name: str
    type: str
    read: Read = field(repr=False)
    select: str = "{}"  # how it is asked for; {} stands for its name
    settle: Callable[[Fetched], Field] | None = field(default=None, repr=False)


def arrow_type(name: str) -> pa.DataType:
    """Arrow's type for a DuckDB type that a column can have."""
    if found := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", name):
        return pa.decimal128(int(found[1]), int(found[2]))
    return {
        "BIGINT": pa.int64(), "UBIGINT": pa.uint64(), "DOUBLE": pa.float64(), "BOOLEAN": pa.bool_(),
        "VARCHAR": pa.string(), "BLOB": pa.binary(), "DATE": pa.date32(), "TIMESTAMP": pa.timestamp("us"),
        "TIMESTAMP WITH TIME ZONE": _UTC,
    }[name]  # fmt: skip


# --- readers ---------------------------------------------------------------------------------------------------------


def of_kind(values: Fetched, kinds: Iterable[type], why: str, hint: str = "") -> None:
    """Every value of a list is NULL or of one of the kinds, exactly. Arrow alone would cut 1.5 to 1."""
    if isinstance(values, pa.Array):
        return
    allowed = {type(None), *kinds}
    if not set(map(type, values)) <= allowed:
        raise Unfit(next(v for v in values if type(v) not in allowed), why, hint)


def integers(values: Fetched) -> pa.Array:
    of_kind(values, (int,), "is not a whole number")
    return _made(values, pa.int64(), "is too large a whole number")


def unsigned(values: Fetched) -> pa.Array:
    of_kind(values, (int,), "is not a whole number")
    return _made(values, pa.uint64(), "is too large a whole number")


def doubles(values: Fetched) -> pa.Array:
    of_kind(values, (int, float), "is not a number")
    array = _made(values, pa.float64(), "cannot be held exactly as a floating-point number")
    if pc.all(pc.is_finite(array)).as_py() is False:
        culprit = array.filter(pc.invert(pc.is_finite(array)))[0].as_py()
        raise Unfit(culprit, NOT_FINITE, NOT_FINITE_HINT)
    return array


def booleans(values: Fetched) -> pa.Array:
    of_kind(values, (bool,), "is neither true nor false")
    return _made(values, pa.bool_(), "is neither true nor false")


def zero_or_one(values: Fetched) -> pa.Array:
    """Truth as databases without a type for it store it."""
    of_kind(values, (int,), "is neither 0 nor 1")
    if not set(values) <= {0, 1, None}:
        raise Unfit(next(v for v in values if v not in (0, 1, None)), "is neither 0 nor 1")
    return pa.array([None if v is None else v == 1 for v in values], pa.bool_())


def texts(values: Fetched) -> pa.Array:
    of_kind(values, (str,), "is not text")
    return _made(values, pa.string(), "is not text")


def blobs(values: Fetched) -> pa.Array:
    of_kind(values, (bytes,), "is not binary data")
    return _made(values, pa.binary(), "is not binary data")


def parsed(type_: str, why: str, hint: str = "") -> Read:
    """Text to a date, a timestamp or a decimal, just as ISO and SQL write them."""
    to = arrow_type(type_)

    def read(values: Fetched) -> pa.Array:
        written = texts(values)
        try:
            return written.cast(to)
        except pa.ArrowInvalid:
            raise Unfit(_culprit(written, to), why, hint) from None

    return read


_YEARS = "lies outside of the years 1 to 9999"
_YEARS_HINT = "make it NULL, with a SELECT of your own under 'tables:' ('sql:')"
iso_dates = parsed("DATE", _YEARS, _YEARS_HINT)
iso_timestamps = parsed("TIMESTAMP", _YEARS, _YEARS_HINT)


def iso_instants(values: Fetched) -> pa.Array:
    """Timestamps that are of UTC."""
    return iso_timestamps(values).cast(_UTC)


def _made(values: Fetched, to: pa.DataType, why: str) -> pa.Array:
    if isinstance(values, pa.Array):
        return values.cast(to)
    try:
        return pa.array(values, to)
    except (pa.ArrowException, OverflowError, UnicodeEncodeError):
        raise Unfit(next(v for v in values if not _fits(v, to, to)), why) from None


def _culprit(values: pa.Array, to: pa.DataType) -> object:
    return next(v for v in values.to_pylist() if not _fits(v, values.type, to))


def _fits(value: object, from_: pa.DataType, to: pa.DataType) -> bool:
    try:
        pa.array([value], from_).cast(to)
    except (pa.ArrowException, OverflowError, UnicodeEncodeError):
        return False
    return True
