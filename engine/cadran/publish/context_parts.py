"""The smaller things that a template is given: figures, changes, points of a history, tables of segments.

A :class:`Figure` or a :class:`Change` printed as it stands is its text. Each class says what its fields mean, a line a
field; ``cadran report --context`` prints these lines, and a test holds them complete.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

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
    status: on_target, at_risk, off_target, no_target, no_data, not_judged or failed
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
    """One value of a segment, judged as the run judges it; so are those that stand for no value, or for all others.

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
