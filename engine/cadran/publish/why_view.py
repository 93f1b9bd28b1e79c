"""What templates and tables show of an explained change: texts that are ready to be shown."""

from __future__ import annotations

from dataclasses import dataclass

from cadran.publish.context_parts import Change


@dataclass(frozen=True, slots=True)
class WhyLine:
    """One segment value. ``rate`` and ``mix`` are empty where the KPI is a sum; all texts are ready to be shown."""

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
    by: str  # the segment
    title: str
    lines: tuple[WhyLine, ...]
    rate_title: str = ""  # empty where the KPI is a sum
    parts: str = ""  # the largest parts in words
    total: str = ""  # what all lines add up to


@dataclass(frozen=True, slots=True)
class WhyWords:
    """The titles that all tables share."""

    weight: str
    mix: str
    effect: str
    change: str


@dataclass(frozen=True, slots=True)
class Why:
    """One change explained. ``missing`` says why there is nothing to explain, ``note`` how the figures are to be read."""

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
