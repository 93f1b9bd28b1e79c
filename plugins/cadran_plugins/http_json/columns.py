"""The columns of a table whose file does not say them, told from its first rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from cadran_plugins.http_json.settings import TIMESTAMPTZ, Field

_DAY = r"\d{4}-\d{2}-\d{2}"
_CLOCK = r"[T ]\d{2}:\d{2}(:\d{2}([.]\d{1,9})?)?"
_SHAPES = (
    ("DATE", re.compile(_DAY)),
    ("TIMESTAMP", re.compile(_DAY + _CLOCK)),
    (TIMESTAMPTZ, re.compile(_DAY + _CLOCK + r"(Z|[+-]\d{2}(:?\d{2})?)")),
)
_NUMBER = "DECIMAL(38,9)"  # two of them can be multiplied
_DIGITS = 9
_WHOLE = 2**63


def told(rows: Iterable[Mapping[str, Any]]) -> tuple[Field, ...]:
    """A column for each key, in the order in which they are met first."""
    types: dict[str, str] = {}
    for row in rows:
        for key, value in row.items():
            types[key] = _both(types.get(key, ""), _type(value))
    return tuple(Field(key, key, type_ or "VARCHAR") for key, type_ in types.items())


def _type(value: Any) -> str:
    """Empty for null and the empty text, which fit every type."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "BOOLEAN"
    if isinstance(value, int):
        return "BIGINT" if -_WHOLE <= value < _WHOLE else _NUMBER
    if isinstance(value, Decimal):  # with more digits, it is what somebody's floats came to
        return _NUMBER if -_digits(value) <= _DIGITS else "DOUBLE"
    if isinstance(value, str):
        return next((type_ for type_, shape in _SHAPES if shape.fullmatch(value)), "VARCHAR")
    return "JSON"


def _digits(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _both(one: str, other: str) -> str:
    """A type that holds values of both."""
    if one == other or not other:
        return one
    if not one:
        return other
    numbers = ("DOUBLE", _NUMBER, "BIGINT")  # each holds those behind it
    if one in numbers and other in numbers:
        return min(one, other, key=numbers.index)
    texts = {"VARCHAR", "DATE", "TIMESTAMP", TIMESTAMPTZ}
    return "VARCHAR" if {one, other} <= texts else "JSON"
