"""An alert's condition in words, where it is simple: ``value < 90% * target and base >= 30``.

What is not of these few forms has no words, and is shown as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from cadran.publish.formatting import Formatter
from cadran.publish.messages import catalogue
from cadran.publish.wording import N_

_COMPARISON = re.compile(
    r"(?P<what>value|base|change|change_rate)\s*(?P<sign><=|>=|<|>)\s*"
    r"(?:(?P<share>\d+(?:\.\d+)?%)\s*\*\s*)?(?P<other>target|previous|year_ago|-?\d+(?:\.\d+)?%?)"
)
_WHAT: Mapping[str, str] = {
    "value": N_("value"),
    "base": N_("base"),
    "change": N_("difference"),
    "change_rate": N_("relative change"),
}
_SIGN: Mapping[str, str] = {
    "<": N_("%(what)s below %(limit)s"),
    "<=": N_("%(what)s at most %(limit)s"),
    ">": N_("%(what)s above %(limit)s"),
    ">=": N_("%(what)s at least %(limit)s"),
}
_OTHER: Mapping[str, str] = {
    "target": N_("the target"),
    "previous": N_("the previous value"),
    "year_ago": N_("the value a year ago"),
}
_SHARE: Mapping[str, str] = {
    "target": N_("%(share)s of the target"),
    "previous": N_("%(share)s of the previous value"),
    "year_ago": N_("%(share)s of the value a year ago"),
}


@dataclass(frozen=True, slots=True)
class Words:
    """Says conditions on a KPI of one unit, for one locale."""

    locale: str
    unit: str

    def of(self, condition: str, hold: int = 1) -> str:
        """The condition in words; empty where it is not simple. ``hold``: for how many periods it has to be so."""
        parts = [self._comparison(part.strip()) for part in re.split(r"\band\b", condition)]
        if not all(parts):
            return ""
        messages = catalogue(self.locale)
        text = messages.gettext(" and ").join(parts)
        if hold < 2:
            return text
        return messages.gettext("%(condition)s, %(num)s periods in a row") % {"condition": text, "num": hold}

    def _comparison(self, text: str) -> str:
        found = _COMPARISON.fullmatch(text)
        limit = self._limit(found["what"], found["share"] or "", found["other"]) if found else ""
        if found is None or not limit:
            return ""
        gettext = catalogue(self.locale).gettext
        return gettext(_SIGN[found["sign"]]) % {"what": gettext(_WHAT[found["what"]]), "limit": limit}

    def _limit(self, what: str, share: str, other: str) -> str:
        messages, form = catalogue(self.locale), Formatter(self.locale)
        if other in _OTHER:
            if not share:
                return messages.gettext(_OTHER[other])
            return messages.gettext(_SHARE[other]) % {"share": form.share(_number(share))}
        if share:
            return ""
        number, unit = _number(other), self.unit if what in ("value", "change") else ""
        if unit == "percent" or what == "change_rate":
            return form.share(number)
        return form.value(number, unit)


def _number(text: str) -> Decimal:
    return Decimal(text.removesuffix("%")).scaleb(-2) if text.endswith("%") else Decimal(text)
