"""Numbers, money, percentages, durations, changes and periods as people write them, in French and English.

Exact: an ``int`` or ``Decimal`` is never turned into a float, a float is taken at its shortest decimal form, and
rounding is half away from zero, as a reader would do it by hand.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

from cadran.calendar import Calendar, Grain
from cadran.publish.messages import CENTS, CURRENCIES, MONTHS, SHORT_MONTHS, UNITS, language, words

Number = int | Decimal | float

NBSP = "\u00a0"
NARROW = "\u202f"
MINUS = "\u2212"
NO_DATA = "–"

_CONTEXT = Context(prec=700, rounding=ROUND_HALF_UP)  # a double has up to 309 digits before the point
_CURRENCY = re.compile(r"[A-Z]{3}")
_FISCAL = re.compile(r"FY(\d{4})(?:-Q([1-4]))?")
_SCALES = ((Decimal(10**9), "bn", "Md"), (Decimal(10**6), "M", "M"), (Decimal(10**3), "k", "k"))


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
            return self._percent(number)
        if is_currency(unit):
            return self.money(number, unit, money_digits(number, unit))
        return self.worded(number, self.number(number, plain_digits(value)), unit)

    def compact(self, value: Number | None, unit: str = "", above: int = 1_000_000) -> str:
        """Short enough for a tile: ``1,24 M€`` from ``above`` on, units abbreviated."""
        number = exact(value)
        if number is None:
            return NO_DATA
        if unit != "percent" and abs(number) >= above:
            return self._scaled(number, unit) + self._short_unit(unit)
        if unit in UNITS:
            return self.number(number, plain_digits(value)) + self._short_unit(unit)
        return self.value(value, unit)

    def number(self, number: Decimal, digits: int) -> str:
        """Grouped and rounded to ``digits`` after the point."""
        rounded = number.quantize(Decimal(1).scaleb(-digits), context=_CONTEXT)
        text = f"{rounded.copy_abs():,f}"
        if self.language == "fr":
            text = text.replace(",", NARROW).replace(".", ",")
        return f"{MINUS}{text}" if rounded < 0 else text

    def points(self, value: Number | None, unit: str = "") -> str:
        """A difference with its sign: ``+1,2 pt`` of a percentage, ``+12,50 €`` of money."""
        number = exact(value)
        if number is None:
            return NO_DATA
        if unit == "percent":
            scaled = _hundredfold(number)
            return _signed(f"{self.number(scaled, _percent_digits(scaled))}{NBSP}pt", scaled)
        return _signed(self.value(value, unit), number)

    def change(self, change: Number | None, other: Number | None, unit: str = "") -> str:
        """A change against ``other``: in points for a percentage, else relative, else as a difference."""
        relative = None if unit == "percent" else ratio(change, other)
        if relative is None:
            return self.points(change, unit)
        if abs(relative) >= 10:  # beyond 1,000 % a rate says nothing any more
            return self.points(change, unit)
        return _signed(self._percent(relative), relative)

    def axis(self, value: Decimal, unit: str, step: Decimal, most: Decimal) -> str:
        """A tick of an axis, with the digits that its step needs; ``most`` is the axis' largest value."""
        if unit == "percent":
            return (
                f"{self.number(_hundredfold(value), _step_digits(_hundredfold(step)))}{self._space_percent}"
            )
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

    @property
    def _space_percent(self) -> str:
        return f"{NARROW}%" if self.language == "fr" else "%"

    def _percent(self, number: Decimal) -> str:
        scaled = _hundredfold(number)
        return self.number(scaled, _percent_digits(scaled)) + self._space_percent

    def money(self, number: Decimal, unit: str, digits: int, scale: str = "") -> str:
        text = self.number(number, digits)
        symbol = CURRENCIES[self.language].get(unit)
        if self.language == "fr":
            return f"{text}{NBSP}{scale}{symbol or NBSP * bool(scale) + unit}"
        symbol = symbol or f"{unit}{NBSP}"
        sign = MINUS if text.startswith(MINUS) else ""
        return f"{sign}{symbol}{text.removeprefix(MINUS)}{scale}"

    def _scaled(self, number: Decimal, unit: str) -> str:
        # Rounded before the scale is chosen, so that 999 999 999 becomes 1 bn and not 1 000 M.
        rounded = Context(prec=3, rounding=ROUND_HALF_UP).plus(number)
        fits = [scale for scale in _SCALES if rounded.copy_abs() >= scale[0]]
        size, english, french = fits[0] if fits else _SCALES[-1]
        part = rounded / size
        digits = _step_digits(part)
        scale = french if self.language == "fr" else english
        if is_currency(unit):
            return self.money(part, unit, digits, scale)
        gap = NBSP if self.language == "fr" else ""
        return f"{self.number(part, digits)}{gap}{scale}"

    def _short_unit(self, unit: str) -> str:
        if not unit or is_currency(unit):
            return ""
        return NBSP + (UNITS[unit][self.language][0] if unit in UNITS else unit)

    def worded(self, number: Decimal, text: str, unit: str) -> str:
        if not unit:
            return text
        _, singular, plural = UNITS.get(unit, {}).get(self.language, ("", unit, unit))
        one = abs(number) < 2 if self.language == "fr" else abs(number) == 1
        return f"{text}{NBSP}{singular if one else plural}"

    # --- words and dates ---------------------------------------------------------------------------------------

    def status(self, status: str) -> str:
        return words(self.locale)[status]

    def date(self, day: dt.date) -> str:
        """``1er mars 2026``, ``1 March 2026``."""
        number = "1er" if self.language == "fr" and day.day == 1 else str(day.day)
        return f"{number}{NBSP}{MONTHS[self.language][day.month - 1]} {day.year}"

    def instant(self, instant: dt.datetime) -> str:
        """``22 novembre 2026 à 07:00``; midnight is said as the day alone."""
        if (instant.hour, instant.minute) == (0, 0):
            return self.date(instant)
        joint = " à " if self.language == "fr" else ", "
        return f"{self.date(instant)}{joint}{instant:%H:%M}"

    def period(self, label: str) -> str:
        """A period's label in words: ``mars 2026``, ``T1 2026``, ``sem. 10 de 2026``, ``exercice 2026``."""
        return self._period(label, MONTHS[self.language], short=False)

    def short_period(self, label: str) -> str:
        """For axes and narrow columns: ``mars 26``, ``Mar 26``, ``7 mars``, ``S10``."""
        return self._period(label, SHORT_MONTHS[self.language], short=True)

    def _period(self, label: str, months: tuple[str, ...], short: bool) -> str:
        french = self.language == "fr"
        if label == "all":
            return words(self.locale)["all"]
        if fiscal := _FISCAL.fullmatch(label):
            return self._fiscal(fiscal[1], fiscal[2], short)
        try:
            period = Calendar().parse(label)
        except ValueError:
            return label
        start, year = period.start, f"{period.start.year % 100:02d}" if short else str(period.start.year)
        match period.grain:
            case Grain.DAY:
                return f"{start.day}{NBSP}{months[start.month - 1]}" if short else self.date(start)
            case Grain.WEEK:
                year, week = label[:4], int(label[6:])
                if short:
                    return f"S{week}" if french else f"W{week}"
                return f"sem.{NBSP}{week} de {year}" if french else f"week {week} of {year}"
            case Grain.MONTH:
                return f"{months[start.month - 1]} {year}"
            case Grain.QUARTER:
                return f"{'T' if french else 'Q'}{label[-1]} {year}"
            case _:
                return label

    def _fiscal(self, year: str, quarter: str | None, short: bool) -> str:
        year = year[2:] if short else year
        if self.language == "fr":
            name = f"ex. {year}" if short else f"exercice {year}"
            return f"T{quarter} {name}" if quarter else name
        name = f"FY{year}" if short or quarter else f"fiscal year {year}"
        return f"Q{quarter} {name}" if quarter else name


def _signed(text: str, number: Decimal) -> str:
    """``+`` before what is positive and does not round to nothing."""
    return f"+{text}" if number > 0 and re.search("[1-9]", text) else text


def _hundredfold(number: Decimal) -> Decimal:
    return number.scaleb(2, context=_CONTEXT)


def _percent_digits(scaled: Decimal) -> int:
    """One digit, and more only where one would round something to nothing."""
    if scaled and abs(scaled) < Decimal("0.05"):
        digits = -scaled.adjusted()
        return digits if digits <= 4 else 1
    return 1


def money_digits(number: Decimal, unit: str) -> int:
    return 0 if abs(number) >= 1000 else CENTS.get(unit, 2)


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
