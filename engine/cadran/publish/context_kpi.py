"""What a template is given of one KPI: plain frozen values, everything both formatted and raw."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from markupsafe import Markup

from cadran.publish.context_alerts import AlertGroup, AlertLine, RuleLine
from cadran.publish.context_parts import Beside, Change, Figure, HistoryPoint, OtherPeriod, SegmentTable
from cadran.publish.drawing import Chart
from cadran.publish.formatting import Number


@dataclass(frozen=True, slots=True)
class TargetLine:
    """A target of a KPI, for its definition; printed as it stands, all of it.

    formula: as in kpis.yaml; of a range its two ends
    fits: what it is for, in words; empty for everything
    """

    formula: str
    fits: str

    def __str__(self) -> str:
        return f"{self.formula} ({self.fits})" if self.fits else self.formula


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
    status: on_target, at_risk, off_target, no_target, no_data, not_judged or failed
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
    alert_groups: the same, one entry for each rule and state
    rules: its alert rules
    targets: its targets as in kpis.yaml
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
    alert_groups: tuple[AlertGroup, ...]
    rules: tuple[RuleLine, ...]
    targets: tuple[TargetLine, ...]
    quarantined: int
