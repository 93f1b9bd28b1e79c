"""A computed number against one that somebody wrote down: equal once it is rounded to the digits that are written.

Half is rounded away from zero, as by hand. A float is taken at fifteen digits, which is what it is good for: so a
quotient that a hand would write as 2.675 is 2.68, although the float beside it is a little less.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

from cadran.compute.results import Number
from cadran.declare.expectations import NO_DATA, Figure

_FLOAT = Context(prec=15, rounding=ROUND_HALF_UP)
_WIDE = Context(prec=700, rounding=ROUND_HALF_UP)
_SHOWN = Context(prec=12, rounding=ROUND_HALF_UP)


def decimal(value: Number) -> Decimal:
    """A number digit by digit.

    >>> decimal(0.1 + 0.2)
    Decimal('0.300000000000000')
    """
    return _FLOAT.create_decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def agrees(value: Number | None, figure: Figure) -> bool:
    """Whether they are the same as far as the figure was written."""
    if value is None or figure.value is None:
        return value is None and figure.value is None
    return _rounded(value, figure) == _rounded(figure.value, figure)


def _rounded(value: Number, figure: Figure) -> Decimal:
    """In the figure's own notation: hundredfold for a percentage."""
    number = decimal(value)
    if figure.percent:
        number = number.scaleb(2, context=_WIDE)
    return number.quantize(Decimal(1).scaleb(-figure.digits), context=_WIDE)


def said(value: Number | None, figure: Figure) -> str:
    """The value in the notation of a figure, with more digits behind it where it has more: ``4.04% (4.0404040404%)``."""
    if value is None:
        return NO_DATA
    sign = "%" if figure.percent else ""
    number = decimal(value).scaleb(2, context=_WIDE) if figure.percent else decimal(value)
    if figure.value is None:
        return plain(value)
    rounded = _rounded(value, figure)
    exact = "" if number == rounded else f" ({_text(_SHOWN.plus(number))}{sign})"
    return f"{_text(rounded, figure.digits)}{sign}{exact}"


def off_by(value: Number | None, figure: Figure) -> str:
    """``-0.01 points``, ``+2``: got less expected; empty where one of the two is no data."""
    if value is None or figure.value is None:
        return ""
    number = _WIDE.subtract(_rounded(value, figure), _rounded(figure.value, figure))
    text = _text(number, figure.digits)
    return f"{'+' * (number > 0)}{text}{' points' * figure.percent}"


def written_in_percent(value: Number | None, figure: Figure) -> bool:
    """Whether a plain number agrees with the value in percent: most likely its sign was left out."""
    if value is None or figure.value is None or figure.percent or not figure.value:
        return False
    return agrees(value, Figure(figure.text, figure.value.scaleb(-2), figure.digits, percent=True))


def plain(value: Number | None) -> str:
    """A number as it is, without zeros that say nothing."""
    return (
        NO_DATA
        if value is None
        else _text(_SHOWN.plus(decimal(value)) if isinstance(value, float) else decimal(value))
    )


def _text(number: Decimal, digits: int | None = None) -> str:
    if digits is not None:
        return f"{number:.{digits}f}"
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
