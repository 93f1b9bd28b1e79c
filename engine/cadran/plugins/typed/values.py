"""One value of an API as a value of a declared type, exactly, or why it is none.

A number is read as its text would be, so that it is the same whether an API gives ``12.50`` or ``"12.50"``; texts are read as
the ``files`` connector reads them. Nothing is rounded. A number may have an exponent, which some APIs write where there are many zeros.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from cadran.plugins.connector import ConfigError

TIMESTAMPTZ = "TIMESTAMP WITH TIME ZONE"
_PLAIN = ("VARCHAR", "BIGINT", "BOOLEAN", "DOUBLE", "DATE", "TIMESTAMP", TIMESTAMPTZ, "JSON")
_WIDTH = re.compile(r"DECIMAL\((\d+), ?(\d+)\)")
_NUMBER = re.compile(r"[-+]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][-+]?[0-9]{1,4})?")
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_DATE = re.compile(_DAY)
_MOMENT = re.compile(
    rf"({_DAY})(?:[ T]([0-9]{{1,2}})(?::([0-9]{{2}})(?::([0-9]{{2}})(?:[.]([0-9]{{1,9}}))?)?)?)?(Z| UTC|[+-][0-9]{{2}}(?::?[0-9]{{2}})?)?"
)
_MOST_DIGITS = 4000  # Python refuses to make a number of a few more
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
BOOLEANS = {**dict.fromkeys(("true", "t", "yes", "y", "1"), True), **dict.fromkeys(("false", "f", "no", "n", "0"), False)}  # fmt: skip


class Misfit(Exception):
    """Why a value is not of its type, to be read behind the value."""


class Unlike(Misfit):
    """It is not written as values of its type are."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A type, and how its column's API writes it: ``epoch``, in milliseconds since 1970; ``utc``, local times that are UTC."""

    name: str  # DECIMAL without its width
    precision: int = 0
    scale: int = 0
    epoch: bool = False
    utc: bool = False

    @property
    def type(self) -> str:
        return f"DECIMAL({self.precision},{self.scale})" if self.name == "DECIMAL" else self.name


def kind(type_: str, *, epoch: bool = False, utc: bool = False) -> Kind:
    """``DECIMAL`` alone has 29 digits before the point and 9 behind it: enough for amounts in any currency, and two of
    them can still be multiplied."""
    type_ = "DECIMAL(38,9)" if type_ == "DECIMAL" else type_
    if found := _WIDTH.fullmatch(type_):
        precision, scale = int(found[1]), int(found[2])
        if 0 < precision <= 38 and scale <= precision:
            return Kind("DECIMAL", precision, scale)
    if type_ in _PLAIN:
        return Kind(type_, epoch=epoch and type_.startswith(("DATE", "TIME")), utc=utc)
    raise ConfigError(
        f"'{type_}' is no type of records", hint=f"known are: {', '.join(_PLAIN)}, DECIMAL(18,2)"
    )


def exact(kind: Kind, value: Any) -> Any:
    """The value as pyarrow takes it, None for one that is missing. Raises :class:`Misfit`."""
    if value is None or (value == "" and isinstance(value, str) and kind.name != "VARCHAR"):
        return None
    return _READ[kind.name](kind, value)


def text(value: Any) -> str:
    """A value in JSON's words; a text as it is."""
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        if isinstance(value, Decimal) and not value.is_finite():
            raise Misfit("is no number of JSON")
        return digits(value)
    return document(value)


def digits(value: int | Decimal) -> str:
    """A number as it is written. Raises :class:`Misfit` for one of thousands of digits, which Python does not write."""
    try:
        return str(value)
    except ValueError:
        raise Misfit("has too many digits") from None


def document(value: Any) -> str:
    """Canonical JSON: keys in order, no blanks, decimals as they are."""
    if _has_no_number(value):
        raise Misfit("holds something that is no number of JSON")
    try:
        return _encode()(value).decode()
    except (TypeError, ValueError):
        pass
    try:
        return whole(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False))  # fmt: skip
    except (TypeError, ValueError):
        raise Misfit("cannot be said in JSON") from None


@cache
def _encode() -> Callable[[Any], bytes]:
    import msgspec

    return msgspec.json.Encoder(decimal_format="number", order="deterministic").encode


def whole(text: str) -> str:
    """A text as UTF-8 can hold it: half a surrogate pair, as of an emoji that an API cut, becomes U+FFFD."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _has_no_number(value: Any) -> bool:
    if isinstance(value, Decimal):
        return not value.is_finite()
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, dict):
        return any(map(_has_no_number, value.values()))
    return isinstance(value, list) and any(map(_has_no_number, value))


def _number(value: Any) -> Decimal:
    if isinstance(value, float):
        raise Misfit("is a float, which may have been rounded already")
    if isinstance(value, Decimal) and not value.is_finite():
        raise Misfit("is no number")
    written = text(value) if isinstance(value, str | int | Decimal) else ""
    if not _NUMBER.fullmatch(written):
        raise Unlike("is no number")
    return Decimal(written)


def _scaled(number: Decimal, scale: int, most: int) -> int:
    """The number without its point, which stands ``scale`` digits from the end. ``most`` digits at most."""
    sign, digits, exponent = number.as_tuple()
    if len(digits) > _MOST_DIGITS:
        raise Misfit("has too many digits")
    shift, unscaled = int(exponent) + scale, int("".join(map(str, digits)) or "0")
    if unscaled == 0:
        return 0
    if shift > most:
        raise Misfit("has too many digits before the point")
    if shift < 0:
        unscaled, rest = divmod(unscaled, 10 ** min(-shift, len(digits)))
        if rest or -shift > len(digits):
            behind = f"has more than {scale} digits behind the point" if scale else "is no whole number"
            raise Misfit(behind)
    else:
        unscaled *= int(10**shift)
    return -unscaled if sign else unscaled


def _decimal(kind: Kind, value: Any) -> Decimal:
    unscaled = _scaled(_number(value), kind.scale, kind.precision)
    if abs(unscaled) >= 10**kind.precision:
        raise Misfit(f"has more than {kind.precision - kind.scale} digits before the point")
    digits = tuple(map(int, str(abs(unscaled))))
    return Decimal((int(unscaled < 0), digits, -kind.scale))


def _bigint(_: Kind, value: Any) -> int:
    unscaled = _scaled(_number(value), 0, 20)
    if not -(2**63) <= unscaled < 2**63:
        raise Misfit("is too large for BIGINT")
    return unscaled


def _double(_: Kind, value: Any) -> float:
    number = value if isinstance(value, float) else float(_number(value))
    if not math.isfinite(number):
        raise Misfit("is no number that DOUBLE holds")
    return number


def _boolean(_: Kind, value: Any) -> bool:
    found = BOOLEANS.get(text(value).lower()) if isinstance(value, str | bool | int) else None
    if found is None:
        raise Misfit("is neither true nor false")
    return found


def _date(kind: Kind, value: Any) -> dt.date:
    if kind.epoch and (moment := _since_epoch(value)) is not None:
        if moment.timetz() != dt.time(tzinfo=dt.UTC):
            raise Misfit("is no midnight in UTC")
        return moment.date()
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            raise Misfit("is a day that does not exist") from None
    raise Unlike("is no day as 2026-03-31")


def _timestamp(kind: Kind, value: Any) -> dt.datetime:
    """Local without a zone, or an instant: digits behind a microsecond are cut off."""
    zoned = kind.name == TIMESTAMPTZ
    if kind.epoch and (moment := _since_epoch(value)) is not None:
        return moment if zoned else moment.replace(tzinfo=None)
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Unlike("is no time as 2026-03-31T12:00:00" + ("Z" if zoned else ""))
    day, hour, minute, second, fraction, zone = found.groups()
    if zone and hour is None:
        raise Unlike("is no time as 2026-03-31T12:00:00Z")
    if zoned and not zone and not kind.utc:
        raise Misfit("says no offset from UTC")
    if zone and not zoned:
        raise Misfit("says an offset from UTC, and its column has none")
    try:
        moment = dt.datetime.fromisoformat(day).replace(hour=int(hour or 0), minute=int(minute or 0), second=int(second or 0))  # fmt: skip
        moment = moment.replace(microsecond=int((fraction or "0")[:6].ljust(6, "0")))
        return (moment.replace(tzinfo=dt.UTC) - _offset(zone)) if zoned else moment
    except (ValueError, OverflowError):
        raise Misfit("is a time that does not exist") from None


def _offset(zone: str | None) -> dt.timedelta:
    if not zone or zone in ("Z", " UTC"):
        return dt.timedelta(0)
    hours, minutes = int(zone[1:3]), int(zone[3:].lstrip(":") or 0)
    if hours > 23 or minutes > 59:
        raise ValueError(zone)
    return (-1 if zone[0] == "-" else 1) * dt.timedelta(hours=hours, minutes=minutes)


def _since_epoch(value: Any) -> dt.datetime | None:
    if isinstance(value, bool) or not re.fullmatch("-?[0-9]+", str(value)):
        return None
    try:
        return _EPOCH + dt.timedelta(milliseconds=int(value))
    except OverflowError:
        raise Misfit("is a time that does not exist") from None


_READ: dict[str, Callable[[Kind, Any], Any]] = {
    "VARCHAR": lambda _, value: text(value),
    "JSON": lambda _, value: document(value),
    "BIGINT": _bigint,
    "DECIMAL": _decimal,
    "DOUBLE": _double,
    "BOOLEAN": _boolean,
    "DATE": _date,
    "TIMESTAMP": _timestamp,
    TIMESTAMPTZ: _timestamp,
}
