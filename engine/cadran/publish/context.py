"""What a report template is given: plain frozen values, everything both formatted and raw.

The fields of :class:`ReportContext` are the template's variables (``{{ title }}``, ``{% for kpi in kpis %}``).
A :class:`Figure` printed as it stands is its text. Nothing here reaches into the project: no settings, no sources.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from cadran.publish.formatting import Number

if TYPE_CHECKING:
    from markupsafe import Markup

    from cadran.publish.drawing import Chart

Direction = Literal["up", "down", "flat", ""]
Verdict = Literal["better", "worse", "same", ""]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number: ``text`` in full, ``short`` for tiles, ``title`` says what a dash means (else empty)."""

    raw: Number | None
    text: str
    short: str
    title: str = ""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Change:
    """A difference: ``raw`` in the KPI's unit, ``text`` with sign (points of a percentage, else relative).

    ``direction`` is empty where there is nothing to compare; ``verdict`` says whether that is what ``good`` wants.
    """

    raw: Decimal | None
    text: str
    direction: Direction = ""
    verdict: Verdict = ""
    verdict_text: str = ""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """One period of a KPI's total, oldest first."""

    period: str
    period_text: str
    value: Figure
    target: Figure
    status: str
    status_text: str
    state: str
    state_text: str


@dataclass(frozen=True, slots=True)
class OtherPeriod:
    """The newest final period of another grain that the KPI has."""

    grain: str
    period: str
    period_text: str
    value: Figure
    change: Change
    status: str
    status_text: str


@dataclass(frozen=True, slots=True)
class Beside:
    """A KPI that is to be read together with another; ``in_report`` says whether it has a section of its own."""

    name: str
    label: str
    value: Figure
    change: Change
    period_text: str
    status: str
    status_text: str
    in_report: bool


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """One segment value; ``share`` is the length of its bar in percent of the longest."""

    values: tuple[str, ...]
    label: str
    value: Figure
    base: Figure
    change: Change
    target: Figure
    gap: Change
    status: str
    status_text: str
    status_short: str
    share: int


@dataclass(frozen=True, slots=True)
class SegmentTable:
    """The values of one segment (or cross) at the block's period, largest first; ``hidden`` more are not shown."""

    names: tuple[str, ...]
    label: str
    rows: tuple[SegmentRow, ...]
    hidden: int
    has_target: bool


@dataclass(frozen=True, slots=True)
class AlertLine:
    """A pending or firing alert."""

    kpi: str
    label: str
    rule: str
    condition: str
    severity: str
    severity_text: str
    state: str
    state_text: str
    period: str
    period_text: str
    since_text: str
    segment_text: str
    value: Figure
    target: Figure
    reason: str
    action: str  # what the KPI says is to be done, while the alert fires


@dataclass(frozen=True, slots=True)
class MarkerNote:
    """A milestone or a note that a chart marks with ``letter``."""

    letter: str
    text: str
    date: dt.date
    date_text: str


@dataclass(frozen=True, slots=True)
class KpiBlock:
    """One KPI at the report's period."""

    name: str
    label: str
    description: str
    unit: str
    good: str
    good_text: str
    formula: str
    owner: str
    tags: tuple[str, ...]
    grain: str
    grain_text: str
    period: str
    period_text: str
    state: str
    state_text: str
    value: Figure
    base: Figure
    previous: Figure
    change: Change
    year_ago: Figure
    change_year: Change
    target: Figure
    target_high: Number | None
    gap: Change
    status: str
    status_text: str
    action: str  # only when off target
    read_with: tuple[Beside, ...]
    sparkline: Markup
    trend: str  # the sparkline in block characters; ends at this period, since it cannot mark what is provisional
    chart: Chart  # false for fewer than two periods
    markers: tuple[MarkerNote, ...]
    history: tuple[HistoryPoint, ...]
    other_periods: tuple[OtherPeriod, ...]
    segments: tuple[SegmentTable, ...]
    alerts: tuple[AlertLine, ...]
    quarantined: int


@dataclass(frozen=True, slots=True)
class Move:
    """A change that is large for its KPI: ``times`` its median move from one period to the next."""

    kpi: KpiBlock
    times: Decimal
    text: str


@dataclass(frozen=True, slots=True)
class QualityLine:
    """What one dataset held at the run's clock."""

    dataset: str
    rows: Figure
    quarantined: Figure
    undated: Figure
    first_text: str
    last_text: str
    age_text: str
    findings: tuple[str, ...]
    rejected: tuple[tuple[str, str], ...]  # (place, reason)


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A period that can still change, and whose KPIs it concerns."""

    period: str
    period_text: str
    state: str
    state_text: str
    kpis: tuple[str, ...]  # labels


@dataclass(frozen=True, slots=True)
class Tally:
    """How many KPIs have a status."""

    status: str
    text: str
    count: int


@dataclass(frozen=True, slots=True)
class ReportContext:
    """The variables of a template."""

    name: str
    title: str
    locale: str
    language: str
    period_text: str  # the period of most KPIs
    as_of: dt.datetime
    as_of_text: str
    zone: str
    kpis: tuple[KpiBlock, ...]
    tally: tuple[Tally, ...]
    attention: tuple[KpiBlock, ...]  # off target, then at risk; the widest gap first
    movers: tuple[Move, ...]
    alerts: tuple[AlertLine, ...]  # firing before pending
    quality: tuple[QualityLine, ...]
    quarantined: int
    unfinished: tuple[Unfinished, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]  # how values are to be read: what is not looked at again, what rests on the clock
