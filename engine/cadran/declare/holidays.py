"""``calendar: {holidays: …}``: days on which nobody works, of a country or named one by one."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from cadran.declare import values
from cadran.declare.document import Place
from cadran.declare.findings import Findings
from cadran.declare.model import Holidays
from cadran.problems import listed, suggest

_CODE = re.compile(r"([A-Z]{2})(?:-([A-Za-z0-9 ]{1,20}))?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def holidays(value: Any, place: Place, found: Findings) -> Holidays:
    """Country codes and days, as far as they can be understood."""
    countries: list[str] = []
    days: set[dt.date] = set()
    for item, at in values.each(value, place):
        text = values.text(item, at).value
        if _DAY.fullmatch(text):
            day = values.date(text, at, found)
            days |= {day} if day is not None else set()
        elif _is_known(text, at, found):
            countries.append(text)
    return Holidays(tuple(countries), frozenset(days))


def _is_known(text: str, place: Place, found: Findings) -> bool:
    """Whether it is a country, or a part of one, whose public holidays are known."""
    code = _CODE.fullmatch(text)
    if code is None:
        message = f"'{text[:40]}' is neither a country nor a day"
        hint = "write a country's two letters (FR), one with a part (FR-57), or days such as 2026-05-02"
        found.error("bad-holiday", message, place, hint)
        return False
    from holidays import list_supported_countries

    countries, (country, part) = list_supported_countries(), (code[1], code[2])
    if country not in countries:
        hint = suggest(country, countries) or "use the two letters of ISO 3166, such as FR, BE, CH or DE"
        found.error("unknown-country", f"no public holidays are known for '{country}'", place, hint)
        return False
    parts = list(countries[country])
    if part is not None and part not in parts:
        hint = suggest(part, parts) or (f"parts are {listed(parts, 12)}" if parts else f"write {country}")
        found.error("unknown-country", f"'{country}' has no part '{part}'", place, hint)
        return False
    return True
