"""The types of MariaDB and MySQL: what each is in DuckDB, and how it is asked for so that nothing is lost on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
from pymysql.constants import FIELD_TYPE, FLAG
from pymysql.converters import encoders

from cadran_plugins.sql.columns import (
    Fetched,
    Field,
    Unfit,
    blobs,
    doubles,
    integers,
    parsed,
    texts,
    unsigned,
    zero_or_one,
)
from cadran_plugins.sql.decimals import MOST, declared

# The driver's conversions: only of what is exactly one of Python's. All else stays the server's own text.
CONVERSIONS: Mapping[Any, Any] = {
    **encoders,
    **dict.fromkeys(
        (
            FIELD_TYPE.TINY,
            FIELD_TYPE.SHORT,
            FIELD_TYPE.INT24,
            FIELD_TYPE.LONG,
            FIELD_TYPE.LONGLONG,
            FIELD_TYPE.YEAR,
        ),
        int,
    ),
    FIELD_TYPE.FLOAT: float,
    FIELD_TYPE.DOUBLE: float,
}
_INTEGERS = (
    FIELD_TYPE.TINY,
    FIELD_TYPE.SHORT,
    FIELD_TYPE.INT24,
    FIELD_TYPE.LONG,
    FIELD_TYPE.LONGLONG,
    FIELD_TYPE.YEAR,
)
_BINARY = 63  # the "character set" of bytes
_TEXTS = (
    FIELD_TYPE.VARCHAR, FIELD_TYPE.VAR_STRING, FIELD_TYPE.STRING, FIELD_TYPE.BLOB, FIELD_TYPE.TINY_BLOB,
    FIELD_TYPE.MEDIUM_BLOB, FIELD_TYPE.LONG_BLOB, FIELD_TYPE.GEOMETRY,
)  # fmt: skip
_ZERO = "is no day of the calendar"
_ZERO_HINT = "make it NULL with a SELECT of your own under 'tables:' (sql: \"SELECT NULLIF(day, '0000-00-00') AS day …\")"
_BITS = "CAST({} + 0 AS UNSIGNED)"
_ROOM = 18  # digits behind the point that leave twenty before it


def field_of(column: Any) -> Field:
    """A column of an answer by what the driver says of it: its type, its flags, its length and its character set."""
    name, kind, scale = column.name, column.type_code, column.scale
    if kind in _INTEGERS:
        return _integer(name, kind, column)
    if kind in (FIELD_TYPE.DECIMAL, FIELD_TYPE.NEWDECIMAL):
        return _decimal(name, _precision(column), scale)
    if kind == FIELD_TYPE.BIT and column.length == 1:
        return Field(name, "BOOLEAN", zero_or_one, _BITS)
    if kind in _TEXTS and column.charsetnr == _BINARY:
        return Field(name, "BLOB", blobs)
    return _OTHERS.get(kind, _plain("VARCHAR", texts))(name)


def _integer(name: str, kind: int, column: Any) -> Field:
    if kind == FIELD_TYPE.TINY and column.length == 1:
        return Field(name, "BOOLEAN", zero_or_one)  # what BOOLEAN is another word for
    if kind == FIELD_TYPE.LONGLONG and column.flags & FLAG.UNSIGNED:
        return Field(name, "UBIGINT", unsigned)
    return Field(name, "BIGINT", integers)


def _precision(column: Any) -> int:
    """The length that is told counts the point and the sign."""
    return int(column.length) - bool(column.scale) - (not column.flags & FLAG.UNSIGNED)


def _decimal(name: str, precision: int, scale: int) -> Field:
    """Sums have more digits than anybody needs: they are cut to what DuckDB holds, and values that need more refused."""
    return declared(name, MOST if precision > MOST and scale <= _ROOM else precision, scale, "{}")


def _instants(values: Fetched) -> pa.Array:
    """Microseconds since 1970. No TIMESTAMP can be of its first moment, so 0 is what a zero date is made of."""
    if 0 in values:
        raise Unfit("0000-00-00 00:00:00", _ZERO, _ZERO_HINT)
    return integers(values).cast(pa.timestamp("us", "UTC"))


def _plain(type_: str, read: Callable[[Fetched], pa.Array], select: str = "{}") -> Callable[[str], Field]:
    return lambda name: Field(name, type_, read, select)


_OTHERS: Mapping[int, Callable[[str], Field]] = {
    FIELD_TYPE.FLOAT: _plain("DOUBLE", doubles, "{} + 0e0"),  # else it is rounded to six digits
    FIELD_TYPE.DOUBLE: _plain("DOUBLE", doubles),
    FIELD_TYPE.DATE: _plain("DATE", parsed("DATE", _ZERO, _ZERO_HINT)),
    FIELD_TYPE.NEWDATE: _plain("DATE", parsed("DATE", _ZERO, _ZERO_HINT)),
    FIELD_TYPE.DATETIME: _plain("TIMESTAMP", parsed("TIMESTAMP", _ZERO, _ZERO_HINT)),
    # As the instant that is stored: local text would be ambiguous in the hour that clocks are set back over.
    FIELD_TYPE.TIMESTAMP: _plain(
        "TIMESTAMP WITH TIME ZONE",
        _instants,
        # Of a zero date, UNIX_TIMESTAMP may make NULL.
        "IF(LEFT({0}, 4) = '0000', 0, CAST(UNIX_TIMESTAMP({0}) * 1000000 AS SIGNED))",
    ),
    FIELD_TYPE.BIT: _plain("UBIGINT", unsigned, _BITS),
}
