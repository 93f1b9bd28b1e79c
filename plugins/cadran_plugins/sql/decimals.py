"""Decimals whose size only their values tell: how many digits they need, and the DuckDB type that holds them exactly."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from cadran_plugins.sql.columns import NOT_FINITE, NOT_FINITE_HINT, Fetched, Field, Unfit, parsed

MOST = 38  # digits that DuckDB's decimals hold
_TOO_MANY = f"has more digits than the {MOST} that a decimal can have"
_PLAIN = re.compile("-?[0-9]+([.][0-9]*)?")
_HINT = "round it in the database, or cast it to a floating-point number, with a SELECT of your own under 'tables:' ('sql:')"


def declared(name: str, precision: int, scale: int, select: str) -> Field:
    """A decimal of known size; undecided where the size is more than DuckDB holds, as for PostgreSQL's plain ``numeric``."""
    if 0 <= scale <= MOST and 0 < precision <= MOST:
        return _field(name, max(precision, scale), scale, select)
    return Field(
        name, "", _reader("DECIMAL(38,0)", 0), select, settle=lambda values: by_values(name, values, select)
    )


def by_values(name: str, values: Fetched, select: str) -> Field:
    """From all values of the column, as text."""
    return sized(name, digits(v for v in _listed(values) if v is not None), select)


def sized(name: str, sizes: Sequence[int | None], select: str) -> Field:
    """From the most digits before the point, behind it, and behind it without zeros at the end.

    Few sizes are used, so that the type does not change with every new value.
    """
    whole, scale, needed = (size or 0 for size in sizes)
    scale = scale if whole + scale <= MOST else needed
    return _field(name, 18 if whole + scale <= 18 else MOST, min(scale, MOST), select)


def _field(name: str, precision: int, scale: int, select: str) -> Field:
    type_ = f"DECIMAL({precision},{scale})"
    return Field(name, type_, _reader(type_, scale), select)


def _reader(type_: str, scale: int) -> Callable[[Fetched], pa.Array]:
    read = parsed(type_, _TOO_MANY, _HINT)

    def finite(values: Fetched) -> pa.Array:
        if _longest(values) > MOST - scale:
            values = [_checked(value, scale) for value in _listed(values)]
        try:
            return read(values)
        except Unfit:
            pass  # perhaps only for zeros at the end, which more digits than can be held may be
        try:
            return read([v if v is None else _short(v) for v in _listed(values)])
        except Unfit as unfit:
            if str(unfit.value).lstrip("-") in ("NaN", "Infinity"):
                raise Unfit(unfit.value, NOT_FINITE, NOT_FINITE_HINT) from None
            raise

    return finite


def _listed(values: Fetched) -> Sequence[str | None]:
    return values.to_pylist() if isinstance(values, pa.Array) else values  # type: ignore[no-any-return]


def _longest(values: Fetched) -> int:
    if isinstance(values, pa.Array):
        return pc.max(pc.utf8_length(values.cast(pa.string()))).as_py() or 0
    return max((len(value) for value in values if isinstance(value, str)), default=0)


def _checked(value: str | None, scale: int) -> str | None:
    """Arrow's decimals run over in silence, and come out as other numbers: it gets none that leads so far."""
    if not isinstance(value, str) or not _PLAIN.fullmatch(value):
        return value
    whole, _, behind = _short(value).lstrip("-").partition(".")
    if len(whole.lstrip("0")) + scale > MOST or len(behind) > scale:
        raise Unfit(value, _TOO_MANY, _HINT)
    return _short(value)


def _short(value: str) -> str:
    return value.rstrip("0").removesuffix(".") if "." in value else value


def digits(values: Iterable[str]) -> tuple[int, int, int]:
    whole, scale, needed = 1, 0, 0
    for value in values:
        before, _, behind = value.lstrip("-").partition(".")
        whole = max(whole, len(before))
        scale = max(scale, len(behind))
        needed = max(needed, len(behind.rstrip("0")))
    return whole, scale, needed
