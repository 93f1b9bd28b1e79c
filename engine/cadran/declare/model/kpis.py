"""What is measured, and what is expected of it: KPIs with their targets and alert rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from cadran.calendar import Duration, Grain
from cadran.declare.document import Place
from cadran.declare.model.texts import Localized, Text

Good = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class TargetCase:
    """One case; ``value`` alone, or ``low`` and ``high`` of a range. The first case that fits applies."""

    place: Place
    value: Text | None = None
    low: Text | None = None
    high: Text | None = None
    segment: Mapping[str, str] | Literal["total"] | None = None
    grain: Grain | None = None
    period: Text | None = None  # a period's label: it and every period inside it
    since: dt.date | None = None


@dataclass(frozen=True, slots=True)
class AlertRule:
    name: str  # its condition's text where no name is given
    when: Text
    place: Place
    clear: Text | None = None
    hold: int = 1  # YAML: for
    keep: int = 1
    severity: str = "warning"
    scope: Literal["each", "total"] | tuple[str, ...] = "each"
    grain: Grain | None = None
    on_missing: Literal["keep", "alert", "ok"] = "keep"


@dataclass(frozen=True, slots=True)
class Kpi:
    name: str
    formula: Text
    place: Place
    reported: bool = True  # False: a bare string, a building block
    label: Localized = field(default_factory=dict)
    description: Localized = field(default_factory=dict)
    periods: tuple[Grain, ...] = ()
    segments: tuple[tuple[str, ...], ...] = ()  # each a cross of one or more; the total () always comes along
    segment_places: tuple[Place, ...] = ()
    unit: str = ""  # "percent", a currency code, or any word
    good: Good = "up"
    compare: tuple[Literal["previous", "year_ago"], ...] = ("previous", "year_ago")
    targets: tuple[TargetCase, ...] = ()
    tolerance: Decimal = Decimal("0.05")
    alerts: tuple[AlertRule, ...] = ()
    action: Localized = field(default_factory=dict)
    read_with: tuple[Text, ...] = ()
    owner: str = ""
    tags: tuple[str, ...] = ()
    renamed_from: str = ""
    pitfalls: Localized = field(default_factory=dict)  # what is easily misread
    matures: Duration | None = None  # of a funnel: how long after its end a period still gains
