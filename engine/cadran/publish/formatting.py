"""Numbers, money, percentages, durations, changes and periods as people of a locale write them.

Babel knows the signs, the order and the names (from Unicode's CLDR); what is decided here is how many digits tell something.
Exact: an ``int`` or ``Decimal`` is never turned into a float, a float is taken at its shortest decimal form, and
rounding is half away from zero, as a reader would do it by hand.
"""

from __future__ import annotations

import datetime as dt
import re
from copy import copy
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from typing import TYPE_CHECKING, Literal

from cadran.publish.dates import ago_text, babel_locale, date_text, instant_text, period_text
from cadran.publish.messages import catalogue, language
from cadran.publish.unit_words import counted
from cadran.publish.wording import UNIT

if TYPE_CHECKING:
    from babel.numbers import NumberPattern

Number = int | Decimal | float

NBSP = "\u00a0"
MINUS = "\u2212"
NO_DATA = "–"

_CONTEXT = Context(prec=700, rounding=ROUND_HALF_UP)  # a double has up to 309 digits before the point
_CURRENCY = re.compile(r"[A-Z]{3}")
_DURATIONS = {f"{unit}s": f"duration-{unit}" for unit in ("second", "minute", "hour", "day", "week", "month", "year")}  # fmt: skip


def exact(value: Number | None) -> Decimal | None:
    """The value as a Decimal, digit by digit; None for no data (also for a float that is not finite)."""
    if value is None:
        return None
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return number if number.is_finite() else None


def is_currency(unit: str) -> bool:
    return bool(_CURRENCY.fullmatch(unit))


def difference(value: Number | None, other: Number | None) -> Decimal | None:
    """``value - other`` without loss, None where either is missing."""
    left, right = exact(value), exact(other)
    return None if left is None or right is None else _CONTEXT.subtract(left, right)


def ratio(change: Number | None, other: Number | None) -> Decimal | None:
    """``change`` relative to the size of ``other``; its sign is the change's. None where that has no meaning."""
    left, right = exact(change), exact(other)
    if left is None or not right:
        return None
    return Context(prec=30).divide(left, right.copy_abs())


@dataclass(frozen=True, slots=True)
class Formatter:
    """Formats for one locale: ``Formatter("fr").value(Decimal("0.124"), "percent")`` is ``12,4 %``."""

    locale: str

    @property
    def language(self) -> str:
        return language(self.locale)

    # --- numbers -----------------------------------------------------------------------------------------------

    def value(self, value: Number | None, unit: str = "") -> str:
        """A KPI's value in full."""
        number = exact(value)
        if number is None:
            return NO_DATA
        if unit == "percent":
            return self._percent(number, percent_digits(number))
        if is_currency(unit):
            return self.money(number, unit, money_digits(number, unit))
        return self.with_unit(number, plain_digits(value), unit, "long")

    def compact(self, value: Number | None, unit: str = "", above: int = 1_000_000) -> str:
        """Short enough for a tile: ``1,24 M €`` from ``above`` on, units abbreviated."""
        number = exact(value)
        if number is None:
            return NO_DATA
        if unit != "percent" and abs(number) >= above:
            return self._scaled(number, unit) + self._short_unit(unit)
        if unit in _DURATIONS:
            return self.with_unit(number, plain_digits(value), unit, "short")
        return self.value(value, unit)

    def number(self, number: Decimal, digits: int) -> str:
        """Grouped and rounded to ``digits`` after the point."""
        return self._applied(babel_locale(self.locale).decimal_formats[None], number, digits)

    def share(self, number: Decimal) -> str:
        """A share as a percentage, with the digits that it is written with: ``90 %``."""
        return self._percent(number, max(0, _step_digits(number) - 2))

    def unit_name(self, unit: str) -> str:
        """A unit by itself: ``%``, ``euro``, ``jours``, or the team's word."""
        from babel.numbers import get_currency_name

        if unit == "percent":
            return "%"
        if is_currency(unit):
            return get_currency_name(unit, locale=babel_locale(self.locale))
        return (
            self.with_unit(Decimal(2), 0, unit, "long").removeprefix(f"2{NBSP}")
            if unit and unit != "percent" and not is_currency(unit)
            else unit
        )

    def points(self, value: Number | None, unit: str = "") -> str:
        """A difference with its sign: ``+1,2 pt`` of a percentage, ``+12,50 €`` of money."""
        number = exact(value)
        if number is None:
            return NO_DATA
        if unit == "percent":
            hundredfold = number.scaleb(2, context=_CONTEXT)
            text = self.number(hundredfold, percent_digits(number))
            return _signed(f"{text}{NBSP}{catalogue(self.locale).gettext('pt')}", hundredfold)
        return _signed(self.value(value, unit), number)

    def change(self, change: Number | None, other: Number | None, unit: str = "") -> str:
        """A change against ``other``: in points for a percentage, else relative, else as a difference."""
        relative = None if unit == "percent" else ratio(change, other)
        if relative is None:
            return self.points(change, unit)
        if abs(relative) >= 10:  # beyond that a rate says nothing any more
            return ("+>" if relative > 0 else f"{MINUS}>") + self.share(Decimal(10))
        return _signed(self._percent(relative, percent_digits(relative)), relative)

    def axis(self, value: Decimal, unit: str, step: Decimal, most: Decimal) -> str:
        """A tick of an axis, with the digits that its step needs; ``most`` is the axis' largest value."""
        if unit == "percent":
            return self._percent(value, max(0, _step_digits(step) - 2))
        if value and most >= 10_000:
            return self._scaled(value, unit)
        digits = _step_digits(step)
        if is_currency(unit):
            return self.money(value, unit, digits)
        return self.number(value, digits)  # other units are said with the values

    def bounds(self, low: Number | None, high: Number | None, unit: str) -> str:
        """A target: one number, or a range."""
        if high is None:
            return self.value(low, unit)
        return f"{self.value(low, unit)} – {self.value(high, unit)}"

    def _percent(self, number: Decimal, digits: int) -> str:
        return self._applied(babel_locale(self.locale).percent_formats[None], number, digits)

    def money(self, number: Decimal, unit: str, digits: int) -> str:
        pattern = babel_locale(self.locale).currency_formats["standard"]
        return self._spaced(self._applied(pattern, number, digits, unit), unit)

    def _applied(self, pattern: NumberPattern, number: Decimal, digits: int, currency: str = "") -> str:
        with localcontext(_CONTEXT):
            text = _of_digits(pattern, digits).apply(
                _rounded(number, digits + pattern.scale),
                babel_locale(self.locale),
                currency=currency or None,
                currency_digits=False,
            )
        return _with_minus(text)

    def _scaled(self, number: Decimal, unit: str) -> str:
        """Three figures and a power of ten; money with its sign, all else bare."""
        from babel.numbers import format_compact_currency, format_compact_decimal

        locale = babel_locale(self.locale)
        with localcontext(_CONTEXT):
            # Rounded before the scale is chosen, so that 999 999 999 becomes 1 bn and not 1 000 M.
            rounded = Context(prec=3, rounding=ROUND_HALF_UP).plus(number)
            if is_currency(unit):
                text = format_compact_currency(rounded, unit, locale=locale, fraction_digits=2)
                return self._spaced(_with_minus(text), unit)
            return _with_minus(format_compact_decimal(rounded, locale=locale, fraction_digits=2))

    def _spaced(self, text: str, currency: str) -> str:
        """``CHF 12.50``: CLDR wants a space between a currency's letters and its digits, and Babel leaves it out."""
        from babel.numbers import get_currency_symbol

        symbol = get_currency_symbol(currency, babel_locale(self.locale))
        if not symbol[-1].isalpha():
            return text
        return re.sub(rf"{re.escape(symbol)}(?=\d)", f"{symbol}{NBSP}", text)

    def with_unit(self, number: Decimal, digits: int, unit: str, length: Literal["long", "short"]) -> str:
        """A duration in the locale's words; another unit is a word of the team's, and stays as it is."""
        from babel.units import format_unit

        if unit not in _DURATIONS:
            text = self.number(number, digits)
            return self._counted(text, number, unit) if unit else text
        locale = babel_locale(self.locale)
        with localcontext(_CONTEXT):
            pattern = _of_digits(locale.decimal_formats[None], digits)
            rounded = _rounded(number, digits)
            said = format_unit(rounded, _DURATIONS[unit], length, pattern, locale=locale)  # type: ignore[arg-type]
        return _with_minus(said).replace(" ", NBSP)

    def _counted(self, text: str, number: Decimal, unit: str) -> str:
        """What CRMs count, in the reader's language; another unit is a word of the team's."""
        word = catalogue(self.locale).gettext(UNIT[unit]) if unit in UNIT else unit
        return f"{text}{NBSP}{counted(word, number, self.language)}"

    def _short_unit(self, unit: str) -> str:
        """What stands behind a number that is scaled."""
        if not unit or is_currency(unit):
            return ""
        return self.with_unit(Decimal(2), 0, unit, "short").removeprefix("2")

    # --- dates (see dates.py) ------------------------------------------------------------------------------------

    def date(self, day: dt.date) -> str:
        return date_text(self.locale, day)

    def instant(self, instant: dt.datetime) -> str:
        return instant_text(self.locale, instant)

    def ago(self, days: int) -> str:
        return ago_text(self.locale, days)

    def period(self, label: str) -> str:
        """A period's label in words: ``mars 2026``, ``T1 2026``, ``semaine 10 de 2026``, ``exercice 2026``."""
        return period_text(self.locale, label)

    def short_period(self, label: str) -> str:
        """For axes and narrow columns: ``mars 26``, ``Mar 26``, ``7 mars``, ``S10``."""
        return period_text(self.locale, label, short=True)


def _with_minus(text: str) -> str:
    """A minus as wide as a plus, which no line breaks behind, whatever sign the locale writes."""
    return text.replace("-", MINUS)


def _of_digits(pattern: NumberPattern, digits: int) -> NumberPattern:
    own = copy(pattern)
    own.frac_prec = (digits, digits)
    return own


def _rounded(number: Decimal, digits: int) -> Decimal:
    """What rounds to nothing has no sign."""
    return number.quantize(Decimal(1).scaleb(-digits), context=_CONTEXT) or Decimal(0)


def _signed(text: str, number: Decimal) -> str:
    """``+`` before what is positive and does not round to nothing."""
    return f"+{text}" if number > 0 and re.search("[1-9]", text) else text


def percent_digits(number: Decimal) -> int:
    """One digit of a share as a percentage, and more only where one would round something to nothing."""
    if number and abs(number) < Decimal("0.0005"):
        digits = -(number.adjusted() + 2)
        return digits if digits <= 4 else 1
    return 1


def money_digits(number: Decimal, unit: str) -> int:
    from babel.numbers import get_currency_precision

    return 0 if abs(number) >= 1000 else get_currency_precision(unit)


def plain_digits(value: Number | None) -> int:
    """Digits after the point of a bare number: none for whole ones, about three figures for the others."""
    number = exact(value)
    if number is None or (not isinstance(value, float) and number == number.to_integral_value()):
        return 0
    size = number.copy_abs()
    if size >= 1000:
        return 0
    if size >= 10:
        return 1
    return 2 if size >= 1 or not size else min(6, max(2, 1 - number.adjusted()))


def _step_digits(step: Decimal) -> int:
    return max(0, -int(step.normalize().as_tuple().exponent))
