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

_NONE = type(None)
_ZONED = re.compile("[Z+-]").search
_Read = Callable[[Kind, Any, Sequence[Any]], Any]
_WIDEST = 38  # digits of Arrow's decimals
#: Decimals with an exponent, as Python writes small ones (1.7E-14) and Salesforce large ones (1.23E7). With more places than Arrow has,
#: 1E-60, it takes them for zero.
_HAS_FEW_PLACES = re.compile("-?[0-9](?:[.][0-9]{1,15})?E(?:-?[0-9]|-1[0-9])").fullmatch
_IN_TIME = 200_000_000_000_000  # milliseconds since 1970: the year 8307


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
    if kind.epoch and given == {int}:
        read = _milliseconds
    if read is None:
        return None
    try:
        return read(kind, arrow, values)
    except (ValueError, OverflowError):  # also Arrow's, and those of texts that UTF-8 does not hold
        return None


def _as_it_is(_: Kind, arrow: pa.DataType, values: Sequence[Any]) -> pa.Array:
    import pyarrow as pa

    return pa.array(values, arrow)


def _texts(_: Kind, arrow: pa.DataType, values: Sequence[Any]) -> pa.Array:
    """Arrow reads numbers, days and times strictly, apart from what the callers look for."""
    import pyarrow as pa

    texts = [value or None for value in values] if "" in values else values
    return pa.array(texts, pa.string()).cast(arrow)


def _whole_numbers(kind: Kind, arrow: pa.DataType, values: Sequence[Any]) -> pa.Array | None:
    written = "".join(filter(None, values))
    return None if "x" in written or "X" in written else _texts(kind, arrow, values)  # 0x1F


def _dates(kind: Kind, arrow: pa.DataType, values: Sequence[Any]) -> pa.Array | None:
    """The first and the last year are where offsets lead out of time."""
    given = list(filter(None, values))
    usual = not given or (min(given) >= "0002" and max(given) < "9999")
    return _texts(kind, arrow, values) if usual else None


def _written(_: Kind, arrow: pa.DataType, values: Sequence[Any]) -> pa.Array:
    import pyarrow as pa

    return pa.array([None if value is None else str(value) for value in values], arrow)


def _decimals(kind: Kind, arrow: pa.DataType, values: Sequence[Any]) -> pa.Array | None:
    """A number is what its text is."""
    return _decimal_texts(kind, arrow, [None if value is None else str(value) for value in values])


def _decimal_texts(kind: Kind, arrow: pa.DataType, values: Sequence[Any]) -> pa.Array | None:
    return _texts(kind, arrow, values) if _are_short(kind, list(filter(None, values))) else None


def _are_short(kind: Kind, written: Sequence[str]) -> bool:
    """Arrow's decimals run over in silence, and come out as other numbers: it gets only what cannot lead so far."""
    if max(map(len, written), default=0) > _WIDEST - kind.scale:
        return False
    together = "".join(written)
    if "e" in together:
        return False
    return "E" not in together or (
        kind.scale <= _WIDEST // 2 and all("E" not in text or _HAS_FEW_PLACES(text) for text in written)
    )


def _doubles(_: Kind, arrow: pa.DataType, values: Sequence[Any]) -> pa.Array:
    import pyarrow as pa

    return pa.array([None if value is None else float(value) for value in values], arrow)


def _finite(read: _Read) -> _Read:
    def finite(kind: Kind, arrow: pa.DataType, values: Sequence[Any]) -> pa.Array | None:
        import pyarrow.compute as pc

        found = read(kind, arrow, values)
        return found if pc.all(pc.is_finite(found), min_count=0).as_py() else None

    return finite


def _milliseconds(kind: Kind, arrow: pa.DataType, values: Sequence[Any]) -> pa.Array | None:
    """Of times; days are looked at one by one."""
    import pyarrow as pa

    if kind.name == "DATE" or not all(0 <= value < _IN_TIME for value in values if value is not None):
        return None
    return pa.array(values, pa.int64()).cast(pa.timestamp("ms", arrow.tz)).cast(arrow)


def _booleans(_: Kind, arrow: pa.DataType, values: Sequence[Any]) -> pa.Array | None:
    import pyarrow as pa

    found = list(map(BOOLEANS.get, values))
    return pa.array(found, arrow) if found.count(None) == values.count(None) + values.count("") else None


def _instants(kind: Kind, arrow: pa.DataType, values: Sequence[Any]) -> pa.Array | None:
    """All of them with an offset, or where that is UTC, all without."""
    import pyarrow as pa

    first = next(filter(None, values), "")
    if kind.utc and not _ZONED(first, 10):
        local = _dates(kind, pa.timestamp("us"), values)
        return local.cast(arrow) if local is not None else None
    return _dates(kind, arrow, values)


def of_texts(kind: Kind, arrow: pa.DataType, texts: pa.Array) -> pa.Array | None:
    """As :func:`column`, of texts that Arrow holds already, as those of a CSV file. An empty one is NULL in any column."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pc.any(pc.equal(texts, "")).as_py():
        texts = pc.if_else(pc.equal(texts, ""), None, texts)
    if texts.null_count == len(texts):
        return pa.nulls(len(texts), arrow)
    if kind.name == "VARCHAR":
        return texts
    if not (kind.name in _HELD and _HELD[kind.name](kind, texts)):
        return None
    if kind.name == "BOOLEAN":
        return pc.equal(texts, "true")
    try:
        found = texts.cast(arrow)
    except ValueError:
        return None
    return found if kind.name != "DOUBLE" or pc.all(pc.is_finite(found)).as_py() else None


def _hold(texts: pa.Array, what: str) -> bool:
    import pyarrow.compute as pc

    return bool(pc.any(pc.match_substring(texts, what, ignore_case=True)).as_py())


def _are_short_texts(kind: Kind, texts: pa.Array) -> bool:
    import pyarrow.compute as pc

    return pc.max(pc.binary_length(texts)).as_py() <= _WIDEST - kind.scale and not _hold(texts, "e")


def _are_booleans(_: Kind, texts: pa.Array) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    return bool(pc.all(pc.is_in(texts, pa.array(["true", "false", None]))).as_py())


def _are_in_time(kind: Kind, texts: pa.Array) -> bool:
    import pyarrow.compute as pc

    ends = pc.min_max(texts).as_py()
    zoned = kind.name != TIMESTAMPTZ or _ZONED(ends["min"], 10) is not None
    return zoned and ends["min"] >= "0002" and ends["max"] < "9999"


#: What texts have to be for Arrow's cast to be strict.
_HELD: dict[str, Callable[[Kind, Any], bool]] = {
    "BIGINT": lambda _, texts: not _hold(texts, "x"), "DECIMAL": _are_short_texts, "DOUBLE": lambda *_: True, "BOOLEAN": _are_booleans,
    "DATE": _are_in_time, "TIMESTAMP": _are_in_time, TIMESTAMPTZ: _are_in_time,
}  # fmt: skip
_TEXTS: dict[str, _Read] = {
    "VARCHAR": _as_it_is, "BIGINT": _whole_numbers, "DECIMAL": _decimal_texts, "DOUBLE": _finite(_texts), "BOOLEAN": _booleans,
    "DATE": _dates, "TIMESTAMP": _dates, TIMESTAMPTZ: _instants,
}  # fmt: skip
_VALUES: dict[tuple[str, frozenset[type]], _Read] = {
    ("VARCHAR", frozenset({int})): _written,
    ("BIGINT", frozenset({int})): _as_it_is,
    ("BOOLEAN", frozenset({bool})): _as_it_is,
    ("DECIMAL", frozenset({int})): _decimals,
    ("DECIMAL", frozenset({Decimal})): _decimals,
    ("DECIMAL", frozenset({int, Decimal})): _decimals,
    ("DOUBLE", frozenset({float})): _finite(_as_it_is),
    ("DOUBLE", frozenset({int})): _finite(_doubles),
    ("DOUBLE", frozenset({Decimal})): _finite(_doubles),
    ("DOUBLE", frozenset({int, Decimal})): _finite(_doubles),
}
