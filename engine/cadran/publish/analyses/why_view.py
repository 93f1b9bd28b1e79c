"""What templates and tables show of an explained change: texts that are ready to be shown."""

from __future__ import annotations

from dataclasses import dataclass

from cadran.publish.context_parts import Change


@dataclass(frozen=True, slots=True)
class WhyLine:
    """One segment value in an explained change.

    label: the value
    before: its figure then
    now: its figure now
    weight: its share of the denominator, then and now
    rate: what its own rate brought; empty where the KPI is a sum
    mix: what its weight brought; empty where the KPI is a sum
    effect: what it brought in all
    verdict: better, worse or same
    cause: whether its rate or its weight did it, in words
    """

    label: str
    before: str
    now: str
    weight: str
    rate: str
    mix: str
    effect: str
    verdict: str = "same"
    cause: str = ""


@dataclass(frozen=True, slots=True)
class WhyTable:
    """An explained change by the values of one segment.

    by: the segment
    title: for people
    lines: its values, the largest effect first
    rate_title: the head of the column of rates; empty where the KPI is a sum
    parts: the largest parts in words
    total: what all lines add up to
    """

    by: str  # the segment
    title: str
    lines: tuple[WhyLine, ...]
    rate_title: str = ""  # empty where the KPI is a sum
    parts: str = ""  # the largest parts in words
    total: str = ""  # what all lines add up to


@dataclass(frozen=True, slots=True)
class WhyWords:
    """Heads that all tables of an explanation share.

    weight: of the shares of the denominator
    mix: of what weights brought
    effect: of what each value brought
    change: of the last line
    """

    weight: str
    mix: str
    effect: str
    change: str


@dataclass(frozen=True, slots=True)
class Why:
    """A change explained.

    kpi: the KPI's name
    label: the KPI for people
    period_text: the period
    against_text: the period that it is compared with
    titles: both periods in short, the earlier first
    before: the figure then
    now: the figure now
    change: the difference
    sentence: the change and its largest parts, in two sentences
    words: heads of the tables
    tables: the change by each segment, the most telling first
    note: how the figures are to be read; mostly empty
    missing: why there is nothing to explain; mostly empty
    """

    kpi: str
    label: str
    period_text: str
    against_text: str
    titles: tuple[str, str]  # of the columns with values: both periods, in short
    before: str
    now: str
    change: Change
    sentence: str
    words: WhyWords
    tables: tuple[WhyTable, ...] = ()
    note: str = ""
    missing: str = ""
