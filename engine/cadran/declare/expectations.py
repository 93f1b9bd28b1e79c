"""``tests:`` as values: the rows that a test gives, and what it expects of them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from cadran.calendar import Period
from cadran.declare.document import Place
from cadran.declare.model import Text

TOTAL: Mapping[str, str] = {}
NO_DATA = "no data"
State = Literal["ok", "pending", "firing", "resolved"]

_WRITTEN = re.compile(r"\s*([-+−]?)\s*([0-9]{1,30})(?:\.([0-9]{1,30}))?\s*(%?)\s*")
_NEXT_NAME = re.compile(r"\s*,\s*(?=[^,=]+=)")


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as it was written; ``value`` is None for *no data*. ``15.0%`` has one digit, and is 15.0 in percent."""

    text: Text
    value: Decimal | None
    digits: int = 0
    percent: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """The rows of one dataset: a CSV text, a list of rows (a value is None for NULL), or a file with CSV."""

    dataset: str
    place: Place
    csv: Text | None = None
    rows: tuple[Mapping[str, str | None], ...] = ()
    file: Text | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """What a KPI is expected to be in one period, for one segment value (``segment`` is empty for the total)."""

    kpi: str
    period: Period
    label: str
    segment: Mapping[str, str]
    figure: Figure
    place: Place


@dataclass(frozen=True, slots=True)
class ExpectedState:
    """Where an alert rule is expected to stand after one period."""

    rule: str
    period: Period
    label: str
    segment: Mapping[str, str]
    state: State
    place: Place


@dataclass(frozen=True, slots=True)
class Value:
    """What a KPI is taken to be in one period: ``value``, and perhaps ``base``, ``target``, … or other KPIs by name."""

    period: Period
    label: str
    figures: Mapping[str, Figure]
    place: Place


@dataclass(frozen=True, slots=True)
class KpiTest:
    """One entry of ``tests:``. ``values`` stand in the place of rows that are ``given``; never both."""

    name: str
    place: Place
    given: Mapping[str, Given] = field(default_factory=dict)
    as_of: dt.date | dt.datetime | None = None
    expected: tuple[Expected, ...] = ()
    kpi: str = ""
    values: tuple[Value, ...] = ()
    alerts: tuple[ExpectedState, ...] = ()
    problems: tuple[Text, ...] = ()

    @property
    def kpis(self) -> list[str]:
        """The KPIs that it is about, each once."""
        return list(dict.fromkeys([*(e.kpi for e in self.expected), *([self.kpi] if self.kpi else [])]))


def figure(text: Text) -> Figure | None:
    """A plain number, a percentage, or ``no data``; None for anything else."""
    if " ".join(text.value.split()).lower() == NO_DATA:
        return Figure(text, None)
    found = _WRITTEN.fullmatch(text.value)
    if found is None:
        return None
    sign, whole, fraction, percent = found.groups()
    number = Decimal(f"{whole}.{fraction or 0}") * (-1 if sign and sign != "+" else 1)
    return Figure(text, number.scaleb(-2) if percent else number, len(fraction or ""), bool(percent))


def segment(written: str) -> Mapping[str, str] | None:
    """``channel=paid, owner=Ana`` as on the command line; ``total`` is the total. None where it is neither."""
    if written.strip().lower() == "total":
        return TOTAL
    parts = [part.partition("=") for part in _NEXT_NAME.split(written)]
    if any(not sign or not name.strip() or not value.strip() for name, sign, value in parts):
        return None
    return {name.strip(): value.strip() for name, _, value in parts}
