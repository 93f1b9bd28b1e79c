"""What reports show, whom they are for, and what their data has to be like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from cadran.calendar import Duration
from cadran.declare.document import Place
from cadran.declare.model.delivery import Destination, Schedule
from cadran.declare.model.texts import Localized, Text

ReportFormat = Literal["html", "markdown", "pdf", "xlsx"]
Attached = Literal["csv", "xlsx", "pdf", "html"]


@dataclass(frozen=True, slots=True)
class Ready:
    """What data has to be like before a report is made: how old at most, how long that is waited for, and what then."""

    max_age: Duration | None = None
    wait: Duration = field(default_factory=Duration)
    otherwise: Literal["banner", "skip", "fail"] = "banner"  # YAML: else


@dataclass(frozen=True, slots=True)
class Per:
    """One report for each value of ``segment``; ``addresses`` says where those live whose value is no address itself."""

    segment: Text
    addresses: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReportPart:
    """KPIs of a report that stand together; an entry of its list that has no title is a part of its own."""

    kpis: tuple[Text, ...]
    title: Localized = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The months before and after a milestone, side by side."""

    milestone: Text
    months: int = 6
    kpis: tuple[Text, ...] = ()  # empty: all of the report


@dataclass(frozen=True, slots=True)
class Report:
    name: str
    place: Place
    title: Localized = field(default_factory=dict)
    kpis: tuple[Text, ...] = ()  # names, or tag:NAME; empty means all that are reported
    parts: tuple[ReportPart, ...] = ()  # the same, as they stand together
    template: Text | None = None
    period: str = "last"  # "last", "last week", "last month", … or a label
    locale: str = ""
    include_open: bool = False
    # None: all where it shows all KPIs, else none; so are the next three
    scores: tuple[Text, ...] | None = None
    funnels: tuple[Text, ...] | None = None
    cohorts: tuple[Text, ...] | None = None
    compare: Comparison | None = None
    forecasts: tuple[Text, ...] | None = None
    pace: tuple[Text, ...] | None = None  # KPIs, or tag:NAME; None: those with targets where it shows all
    to: tuple[Destination, ...] = ()  # empty means the project's folder reports
    schedule: Schedule | None = None
    ready: Ready | None = None
    per: Per | None = None
    attach: tuple[Attached, ...] = ()
    owner: str = ""  # who answers for it, and hears where it cannot be delivered
    formats: tuple[ReportFormat, ...] = ()  # empty: HTML, or what its own template is
    blocks: tuple[Text, ...] = ()  # of plugins
