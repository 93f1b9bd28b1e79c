"""A spreadsheet's number formats for a KPI's unit; the spreadsheet itself writes them with the reader's separators."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

from cadran.publish.dates import babel_locale
from cadran.publish.formatting import Number, exact, is_currency, percent_digits, plain_digits

_LANGUAGE_TAGS = {
    "fr": "40C",
    "en": "409",
}  # what Excel calls the places that put a currency's sign as these do


def number_format(unit: str, value: Number | None, locale: str) -> str:
    """``0.0%``, ``#,##0.00 [$€-40C]``, ``0.00``: with the digits that reports show."""
    number = exact(value)
    if unit == "percent":
        return "0." + "0" * percent_digits(number) + "%" if number is not None else "0.0%"
    if is_currency(unit):
        return _money(unit, locale)
    return "#,##0" + _digits(plain_digits(value))


def points_format(value: Decimal, word: str) -> str:
    """``+0.0" pt"``: a difference of percentages, written as a hundredfold number."""
    number = "0." + "0" * percent_digits(value) + f'" {word}"'
    return f"+{number};-{number};{number}"


@lru_cache
def _money(unit: str, locale: str) -> str:
    """The sign where the locale puts it, with as many digits as the currency has."""
    from babel.numbers import get_currency_precision, get_currency_symbol

    found = babel_locale(locale)
    sign = f"[${get_currency_symbol(unit, found)}-{_LANGUAGE_TAGS.get(found.language, '409')}]"
    number = "#,##0" + _digits(get_currency_precision(unit))
    leads = str(found.currency_formats["standard"].pattern).startswith("¤")
    return f"{sign}{number}" if leads else f"{number} {sign}"


@lru_cache
def date_format(locale: str) -> str:
    """``dd/mm/yyyy`` for French, ``m/d/yyyy`` for (American) English."""
    pattern = str(babel_locale(locale).date_formats["short"].pattern)
    return re.sub(r"y+", "yyyy", pattern.lower())


def _digits(count: int) -> str:
    return "." + "0" * count if count else ""
