"""What a report template is given. The fields of :class:`ReportContext` are the template's variables
(``{{ title }}``, ``{% for kpi in kpis %}``).

Nothing here reaches into the project: no settings, no sources. Each class says what its fields mean, a line a field.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from cadran.publish.analyses.cohorts import CohortBlock
from cadran.publish.analyses.forecasts import ForecastView
from cadran.publish.analyses.funnels import FunnelBlock
from cadran.publish.analyses.milestones import MilestoneView
from cadran.publish.analyses.pace import PaceView
from cadran.publish.analyses.scores import ScoreBlock
from cadran.publish.analyses.why_view import Why
from cadran.publish.context_alerts import AlertGroup, AlertLine
from cadran.publish.context_kpi import KpiBlock
from cadran.publish.context_parts import Figure


@dataclass(frozen=True, slots=True)
class Move:
    """A change that is large for its KPI.

    kpi: the KPI
    times: the change as a multiple of the median one from period to period
    text: the multiple in words
    """

    kpi: KpiBlock
    times: Decimal
    text: str


@dataclass(frozen=True, slots=True)
class Group:
    """KPIs that stand together.

    key: a name for links, unique in the report
    title: for people; empty for KPIs that stand alone
    kpis: the KPIs
    """

    key: str
    title: str
    kpis: tuple[KpiBlock, ...]


@dataclass(frozen=True, slots=True)
class QualityLine:
    """What one dataset held at the run's clock.

    dataset: its name
    rows: how many rows there are
    quarantined: how many were set aside
    undated: how many have no date, and so belong to no period
    first_text: the day of the first row
    last_text: the day of the last row
    last: the day of the last row, as a date
    age_text: how long that is ago
    findings: expectations that are not met
    rejected: the first rows that were set aside, each as (place, reason)
    """

    dataset: str
    rows: Figure
    quarantined: Figure
    undated: Figure
    first_text: str
    last_text: str
    last: dt.date | None
    age_text: str
    findings: tuple[str, ...]
    rejected: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A period that can still change.

    period: its label
    period_text: the label in words
    state: settling, maturing or open
    state_text: for people
    kpis: the labels of the KPIs that it concerns
    """

    period: str
    period_text: str
    state: str
    state_text: str
    kpis: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many KPIs have a status.

    status: the status
    text: the count with the status in words
    count: how many
    """

    status: str
    text: str
    count: int


@dataclass(frozen=True, slots=True)
class Event:
    """A milestone or note of the project.

    date: when
    date_text: when, in words
    text: what happened
    """

    date: dt.date
    date_text: str
    text: str


@dataclass(frozen=True, slots=True)
class ReportContext:
    """The variables of a template.

    name: the report's name; empty for one that is not declared
    title: its title
    locale: such as fr or fr-CH
    language: such as fr
    period_text: the period of most KPIs, in words
    as_of: the run's clock
    as_of_text: the clock in words
    zone: the calendar's time zone
    kpis: all KPIs, in the report's order
    groups: the same KPIs in groups: by the tags that the report names, or by their first tag
    tally: how many KPIs have which status
    attention: KPIs off target, then at risk; the widest gap first
    movers: the changes that are largest for their KPIs
    why: changes explained: of KPIs off target or at risk, then of the largest moves
    milestones: KPIs before and after a milestone
    pace: how running periods go; None where no KPI is asked for
    forecasts: what open deals will bring
    scores: the best rows of scores
    funnels: funnels at one period of entry
    cohorts: what is left of those who began in each period
    alerts: firing before pending
    alert_groups: the same, one entry for each rule and state
    events: milestones and notes of the project, oldest first
    quality: the datasets
    quarantined: how many rows were set aside in all
    unfinished: periods that can still change
    warnings: what the run warns of
    notes: how values are to be read: what is not looked at again, what rests on the clock
    banners: what is to be known of it first: whom it is for, that it is late, that its data is old, which KPIs failed
    blocks: names of blocks of plugins that the report shows
    """

    name: str
    title: str
    locale: str
    language: str
    period_text: str
    as_of: dt.datetime
    as_of_text: str
    zone: str
    kpis: tuple[KpiBlock, ...]
    groups: tuple[Group, ...]
    tally: tuple[Tally, ...]
    attention: tuple[KpiBlock, ...]
    movers: tuple[Move, ...]
    why: tuple[Why, ...]
    milestones: tuple[MilestoneView, ...]
    pace: PaceView | None
    forecasts: tuple[ForecastView, ...]
    scores: tuple[ScoreBlock, ...]
    funnels: tuple[FunnelBlock, ...]
    cohorts: tuple[CohortBlock, ...]
    alerts: tuple[AlertLine, ...]
    alert_groups: tuple[AlertGroup, ...]
    events: tuple[Event, ...]
    quality: tuple[QualityLine, ...]
    quarantined: int
    unfinished: tuple[Unfinished, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    banners: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()
