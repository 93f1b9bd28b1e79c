"""A column of values at once, as Arrow: what is plainly as it should be, which nearly all of it is.

Nothing here says no. What is out of the ordinary gives None, and is looked at value by value (``values.py``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cadran.plugins.typed.values import BOOLEANS, TIMESTAMPTZ, Kind

if TYPE_CHECKING:
    import pyarrow as pa

_WHOLE = re.compile(r"-?[0-9]{1,18}").fullmatch
_NUMBER = re.compile(r"[-+]?([0-9]+([.][0-9]*)?|[.][0-9]+)").fullmatch
_DAY = (
    "(?!0000|9999)[0-9]{4}-[0-9]{2}-[0-9]{2}"  # the first and the last year are where zones lead out of time
)
_DATE = re.compile(_DAY).fullmatch
_CLOCK = "[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?"
_LOCAL = re.compile(f"{_DAY}({_CLOCK})?").fullmatch
_INSTANT = re.compile(f"{_DAY}{_CLOCK}(Z|[+-][0-9]{{2}}(:?[0-9]{{2}})?)").fullmatch

_NONE = type(None)


def arrow_type(kind: Kind) -> pa.DataType:
    import pyarrow as pa

    if kind.name == "DECIMAL":
        return pa.decimal128(kind.precision, kind.scale)
    return {
        "BIGINT": pa.int64(), "BOOLEAN": pa.bool_(), "DOUBLE": pa.float64(), "DATE": pa.date32(),
        "TIMESTAMP": pa.timestamp("us"), TIMESTAMPTZ: pa.timestamp("us", "UTC"),
    }.get(kind.name, pa.string())  # fmt: skip


def column(kind: Kind, arrow: pa.DataType, values: Sequence[Any]) -> pa.Array | None:
    """The whole column, None where any of its values has to be looked at."""
    import pyarrow as pa

    given = set(map(type, values)) - {_NONE}
    if not given:
        return pa.nulls(len(values), arrow)
    read = _TEXTS.get(kind.name) if given == {str} else _VALUES.get((kind.name, frozenset(given)))
    if read is None or kind.epoch:
        return None
    try:
        return read(kind, arrow, values)
    except (pa.ArrowInvalid, OverflowError, UnicodeEncodeError):
        return None


def _as_it_is(_: Kind, arrow: pa.DataType, values: Sequence[Any]) -> pa.Array:
    import pyarrow as pa

    return pa.array(values, arrow)


def _cast(fits: Callable[[str], object]) -> Callable[[Kind, pa.DataType, Sequence[Any]], pa.Array | None]:
    """Texts of one shape, which Arrow reads: it takes more than that shape for a value (``0x1F``, ``1e5``)."""

    def read(_: Kind, arrow: pa.DataType, values: Sequence[Any]) -> pa.Array | None:
        import pyarrow as pa

        if not all(map(fits, filter(None, values))):
            return None
        texts = [value or None for value in values] if "" in values else values
        return pa.array(texts, pa.string()).cast(arrow)

    return read


def _decimals(_: Kind, arrow: pa.DataType, values: Sequence[Any]) -> pa.Array:
    import pyarrow as pa

    return pa.array([Decimal(value) if type(value) is int else value for value in values], arrow)


def _doubles(_: Kind, arrow: pa.DataType, values: Sequence[Any]) -> pa.Array | None:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not all(map(_NUMBER, (value for value in values if type(value) is str and value))):
        return None
    found = pa.array([None if value is None or value == "" else float(value) for value in values], arrow)
    return found if pc.all(pc.is_finite(found), min_count=0).as_py() else None


def _booleans(_: Kind, arrow: pa.DataType, values: Sequence[Any]) -> pa.Array | None:
    import pyarrow as pa

    found = [BOOLEANS.get(value.lower()) if value else None for value in values]
    return pa.array(found, arrow) if found.count(None) == values.count(None) + values.count("") else None


def _instants(kind: Kind, arrow: pa.DataType, values: Sequence[Any]) -> pa.Array | None:
    """Where times without an offset are UTC, all of them are written so."""
    import pyarrow as pa

    if kind.utc and (local := _cast(_LOCAL)(kind, pa.timestamp("us"), values)) is not None:
        return local.cast(arrow)
    return _cast(_INSTANT)(kind, arrow, values)


_Read = Callable[[Kind, Any, Sequence[Any]], Any]
_TEXTS: dict[str, _Read] = {
    "VARCHAR": _as_it_is, "BIGINT": _cast(_WHOLE), "DECIMAL": _cast(_NUMBER), "DOUBLE": _doubles, "BOOLEAN": _booleans,
    "DATE": _cast(_DATE), "TIMESTAMP": _cast(_LOCAL), TIMESTAMPTZ: _instants,
}  # fmt: skip
_VALUES: dict[tuple[str, frozenset[type]], _Read] = {
    ("BIGINT", frozenset({int})): _as_it_is,
    ("BOOLEAN", frozenset({bool})): _as_it_is,
    ("DECIMAL", frozenset({int})): _decimals,
    ("DECIMAL", frozenset({Decimal})): _as_it_is,
    ("DECIMAL", frozenset({int, Decimal})): _decimals,
    ("DOUBLE", frozenset({float})): _doubles,
    ("DOUBLE", frozenset({int})): _doubles,
    ("DOUBLE", frozenset({Decimal})): _doubles,
    ("DOUBLE", frozenset({int, Decimal})): _doubles,
}
