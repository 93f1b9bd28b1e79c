"""What a template is given of alerts: one by one, and one entry for each rule."""

from __future__ import annotations

from dataclasses import dataclass

from cadran.publish.context_parts import Figure


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
    segment_name: the segment; empty for the total
    segment_value: its value for people; empty for the total
    segment_text: both, as "channel: paid"; empty for the total
    value: the KPI's value there
    target: its target there
    reason: why it stands although its condition is unknown; mostly empty
    kept: whether it stands because there is no data and on_missing is keep
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
    segment_name: str
    segment_value: str
    segment_text: str
    value: Figure
    target: Figure
    reason: str
    kept: bool
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
class AlertSegment:
    """The alerts of one rule at the values of one segment.

    name: the segment, for people
    head: the same before its values, with the colon that the language wants
    lines: an alert for each value
    """

    name: str
    head: str
    lines: tuple[AlertLine, ...]


@dataclass(frozen=True, slots=True)
class AlertGroup:
    """All that one rule of a KPI says: at its total and at segment values. What is pending is a group of its own.

    kpi: the KPI's name
    label: the KPI's label
    rule: the rule's name; empty where it has none but its condition
    condition: the rule's condition as in kpis.yaml
    condition_text: the same in words where it is simple, else empty
    severity: critical, warning, info, or a word of the team's
    severity_text: for people
    state: pending or firing
    state_text: for people; says so where all of it only stands for want of data
    kept: whether all of it stands because there is no data and on_missing is keep
    period_text: the period that it was judged at, in words
    since_text: the period that it began with, of several the first; empty where it began at that one
    count_text: at how many segment values, in words; empty for less than two
    total: the alert of the total, if there is one, else none
    segments: the alerts of segment values
    action: what is to be done, while it fires; only in the first group of a KPI
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
    kept: bool
    period_text: str
    since_text: str
    count_text: str
    total: AlertLine | None
    segments: tuple[AlertSegment, ...]
    action: str
