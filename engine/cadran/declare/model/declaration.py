"""All that a file says, as one value."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cadran.calendar import Calendar
from cadran.declare.document import Document, Place
from cadran.declare.model.analyses import Cohort, Forecast, Funnel, Holidays, Score
from cadran.declare.model.data import Dataset, Rates, Segment, Source
from cadran.declare.model.delivery import Channel, Deliveries, Route, Schedule
from cadran.declare.model.kpis import Kpi
from cadran.declare.model.operations import Cache, Compute, StateSettings
from cadran.declare.model.reports import Report
from cadran.declare.model.texts import Localized
from cadran.plugins.added import Additions

if TYPE_CHECKING:
    from cadran.declare.expectations import KpiTest


@dataclass(frozen=True, slots=True)
class Declaration:
    """The whole checked project as declared."""

    file: Path
    calendar: Calendar
    place: Place
    currency: str = ""
    locale: str = "en"
    sources: Mapping[str, Source] = field(default_factory=dict)
    datasets: Mapping[str, Dataset] = field(default_factory=dict)
    segments: Mapping[str, Segment] = field(default_factory=dict)
    kpis: Mapping[str, Kpi] = field(default_factory=dict)
    scores: Mapping[str, Score] = field(default_factory=dict)
    funnels: Mapping[str, Funnel] = field(default_factory=dict)
    cohorts: Mapping[str, Cohort] = field(default_factory=dict)
    forecasts: Mapping[str, Forecast] = field(default_factory=dict)
    # what funnels, cohorts and forecasts are computed from
    behind: Mapping[str, Kpi] = field(default_factory=dict)
    channels: Mapping[str, Channel] = field(default_factory=dict)
    reports: Mapping[str, Report] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    # YAML: alerts.schedule; when rules are judged; None: daily, if there are routes
    judging: Schedule | None = None
    deliveries: Deliveries = field(default_factory=Deliveries)
    state: StateSettings = field(default_factory=StateSettings)
    milestones: Mapping[str, dt.date] = field(default_factory=dict)
    notes: Mapping[dt.date, Localized] = field(default_factory=dict)
    tests: Mapping[str, KpiTest] = field(default_factory=dict)
    rates: Rates | None = None
    holidays: Holidays = field(default_factory=Holidays)
    cache: Cache = field(default_factory=Cache)
    compute: Compute = field(default_factory=Compute)
    allow_paths: tuple[Path, ...] = ()
    added: Additions = field(default_factory=Additions)  # what the plugins that it names add
    plugin_places: Mapping[str, Place] = field(default_factory=dict)  # where it names them
    # values that came from the environment or another place for secrets; never shown
    secrets: frozenset[str] = frozenset()
    passwords: frozenset[str] = frozenset()  # secrets that stand in the file itself; in no message
    documents: tuple[Document, ...] = ()  # the main file first
    # (section, name) of what is declared but has errors and is left out above: not to be reported as unknown
    broken: frozenset[tuple[str, str]] = frozenset()

    @property
    def unsaid(self) -> frozenset[str]:
        """What no message holds, wherever it came from."""
        return self.secrets | self.passwords

    @property
    def renamed(self) -> Mapping[str, str]:
        """KPI → the name that it had before, for those that had one."""
        return {kpi.name: kpi.renamed_from for kpi in self.kpis.values() if kpi.renamed_from}

    @property
    def folder(self) -> Path:
        """What paths in the file are relative to."""
        return self.file.parent
