"""What a template is given of one KPI: plain frozen values, everything both formatted and raw.

A :class:`Figure`, a :class:`Change` or a chart printed as it stands is its text or its picture. Each class says what its
fields mean, a line a field; ``cadran report --context`` prints these lines, and a test holds them complete.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from markupsafe import Markup

from cadran.publish.drawing import Chart
from cadran.publish.formatting import Number

Direction = Literal["up", "down", "flat", ""]
Verdict = Literal["better", "worse", "same", ""]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number; printed as it stands, its text.

    raw: the exact number, none where there is no data
    text: in full, with its unit
    short: for tiles, rounded to three figures from a million on
    title: what a dash means; empty where there is a number
    """

    raw: Number | None
    text: str
    short: str
    title: str = ""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Change:
    """A difference; printed as it stands, its text.

    raw: in the KPI's unit, none where there is nothing to compare
    text: with its sign: points of a percentage, else relative to what it is compared with
    direction: up, down, flat, or empty where there is nothing to compare
    verdict: better or worse, as "good" of the KPI has it, same, or empty
    verdict_text: the verdict in words
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
    """One period of a KPI's total, oldest first.

    period: its label, such as 2026-03
    period_text: the label in words
    value: the value
    target: its target
    status: on_target, at_risk, off_target, no_target, no_data or not_judged
    status_text: the status in words
    state: final, settling, maturing or open
    state_text: what keeps it from being final; empty if nothing does
    """

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
    """The newest final period of another grain that the KPI has.

    grain: day, week, month, quarter, year, fiscal_quarter, fiscal_year or all
    period: its label
    period_text: the label in words
    value: the value
    change: against the period before
    status: as in a point of the history
    status_text: the status in words
    """

    grain: str
    period: str
    period_text: str
    value: Figure
    change: Change
    status: str
    status_text: str


@dataclass(frozen=True, slots=True)
class Beside:
    """A KPI that is to be read together with another (its read_with).

    name: as in kpis.yaml
    label: for people
    value: its value at the report's period
    change: against the period before
    period_text: its period in words
    status: as in a KPI
    status_text: the status in words
    in_report: whether it has a section of its own, which #kpi-NAME leads to
    """

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
    """One value of a segment. What stands for no value, or for all others, is not judged unless a target is set for it.

    values: as in the data, one for each name of the segment
    label: the values for people
    value: the KPI's value
    base: what it rests on
    change: against the period before
    target: its target
    gap: how far it is from the target
    status: as in a KPI
    status_text: the status in words
    status_short: in one word
    share: the length of its bar, in percent of the longest
    """

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
    """The values of one segment, or of several crossed, at the KPI's period, largest first.

    names: the segments' names
    label: for people
    rows: the values
    hidden: how many more there are, in the CSV
    has_target: whether any of the rows has one
    """

    names: tuple[str, ...]
    label: str
    rows: tuple[SegmentRow, ...]
    hidden: int
    has_target: bool


@dataclass(frozen=True, slots=True)
class AlertLine:
    """A pending or firing alert.

    kpi: the KPI's name
    label: the KPI's label
    rule: the rule's name
    condition: the rule's condition as in kpis.yaml
    condition_text: the same in words where it is simple, else empty
    severity: critical, warning, info, or a word of the team's
    severity_text: for people
    state: pending or firing
    state_text: for people
    period: the label of the period that it was judged at
    period_text: the label in words
    since_text: the period that the alert began with, in words
    segment_text: the segment's values; empty for the total
    value: the KPI's value there
    target: its target there
    reason: why it stands although its condition is unknown; mostly empty
    action: what is to be done, while it fires
    """

    kpi: str
    label: str
    rule: str
    condition: str
    condition_text: str
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
    action: str


@dataclass(frozen=True, slots=True)
class RuleLine:
    """An alert rule of a KPI, for its definition.

    name: the rule's name
    condition: as in kpis.yaml
    condition_text: in words where it is simple, else empty
    severity_text: for people
    """

    name: str
    condition: str
    condition_text: str
    severity_text: str


@dataclass(frozen=True, slots=True)
class MarkerNote:
    """A milestone or a note that a chart marks.

    letter: what stands in the chart
    text: what happened
    date: when
    date_text: when, in words
    """

    letter: str
    text: str
    date: dt.date
    date_text: str


@dataclass(frozen=True, slots=True)
class KpiBlock:
    """One KPI at the report's period.

    name: as in kpis.yaml
    label: for people
    description: what it means, for people
    unit: percent, a currency's three letters, or a word
    unit_text: the unit for people
    good: up or down
    good_text: in words
    formula: as in kpis.yaml
    owner: who answers for it
    tags: its tags
    group: the title of the part of the report that it stands in; may be empty
    grain: day, week, month, quarter, year, fiscal_quarter, fiscal_year or all
    grain_text: the grain in words
    period: the period's label, such as 2026-03
    period_text: the label in words
    state: final, settling, maturing or open
    state_text: what keeps the period from being final; empty if nothing does
    value: the value
    base: what it rests on: the denominator, or the rows behind it
    previous: the value of the period before
    change: against the period before
    year_ago: the value of a year before
    change_year: against a year before
    target: the target; its low end where target_high is set
    target_high: the high end of a target that is a range, else none
    gap: how far the value is from the target
    status: on_target, at_risk, off_target, no_target, no_data or not_judged
    status_text: the status in words
    status_short: the status in one word
    action: what is to be done; only while it is off target or at risk
    read_with: the KPIs to be read together with it
    sparkline: a small picture of the history
    trend: the same in block characters, up to the period
    chart: the history as a chart; false for fewer than two periods
    markers: what the chart's letters mean
    history: the values by period, oldest first
    other_periods: the newest final periods of its other grains
    segments: tables of its segments' values
    alerts: its pending and firing alerts
    rules: its alert rules
    quarantined: how many rows were set aside in its data
    """

    name: str
    label: str
    description: str
    unit: str
    unit_text: str
    good: str
    good_text: str
    formula: str
    owner: str
    tags: tuple[str, ...]
    group: str
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
    status_short: str
    action: str
    read_with: tuple[Beside, ...]
    sparkline: Markup
    trend: str
    chart: Chart
    markers: tuple[MarkerNote, ...]
    history: tuple[HistoryPoint, ...]
    other_periods: tuple[OtherPeriod, ...]
    segments: tuple[SegmentTable, ...]
    alerts: tuple[AlertLine, ...]
    rules: tuple[RuleLine, ...]
    quarantined: int
