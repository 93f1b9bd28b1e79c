"""Exact fractions as numbers that people write: the digits that a change needs, and differences at those digits."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal
from fractions import Fraction

from cadran.publish.formatting import NBSP, Formatter, Number, is_currency, money_digits, plain_digits
from cadran.publish.messages import catalogue

_EXACT = Context(prec=60)
_PLACES = 18  # more than these are what a float leaves behind


def number_of(value: Fraction | None) -> Number | None:
    """The integer where it is one, a decimal of up to :data:`_PLACES` places, else the nearest float."""
    if value is None:
        return None
    if value.denominator == 1:
        return value.numerator
    return _decimal(value) if 10**_PLACES % value.denominator == 0 else float(value)


def digits_of(change: Fraction, effects: Sequence[Fraction], unit: str) -> int:
    """How many digits after the point a change and its parts are shown with; of a percentage, those of its points."""
    if unit == "percent":
        return _digits_of_points(change)
    if is_currency(unit):
        return money_digits(_decimal(max((abs(e) for e in (change, *effects)), default=change)), unit)
    if all(e.denominator == 1 for e in (change, *effects)):
        return 0
    return plain_digits(float(change)) if change else 2


def _digits_of_points(change: Fraction) -> int:
    points = abs(change) * 100
    digits = 1
    while points and points * 10**digits < Fraction(1, 2) and digits < 4:
        digits += 1
    return digits


def step(digits: int, unit: str) -> Fraction:
    """The smallest difference that shows at these digits."""
    return Fraction(1, 10 ** (digits + 2 if unit == "percent" else digits))


def difference(value: Fraction, unit: str, digits: int, form: Formatter) -> str:
    """``−2,1 pt`` of a percentage, ``+12,50 €`` of money; a value that is rounded to these digits already."""
    number = _decimal(value)
    if unit == "percent":
        points = catalogue(form.locale).gettext("pt")
        text = f"{form.number(number.scaleb(2), digits)}{NBSP}{points}"
    elif is_currency(unit):
        text = form.money(number, unit, digits)
    else:
        text = form.with_unit(number, digits, unit, "long")
    return f"+{text}" if value > 0 else text


def _decimal(value: Fraction) -> Decimal:
    return _EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))
