"""What a checked ``kpis.yaml`` says, as frozen values. No behaviour beyond look-ups; every part knows its place."""

from __future__ import annotations

from cadran.declare.model.analyses import Cohort, Forecast, Funnel, Holidays, Score, ScoreRule, Step
from cadran.declare.model.data import (
    RATES,
    Dataset,
    Expect,
    Link,
    Rates,
    Segment,
    Source,
    Syncing,
    TableRef,
    Valid,
)
from cadran.declare.model.declaration import Declaration
from cadran.declare.model.delivery import Channel, Deliveries, Destination, Mute, Route, Schedule
from cadran.declare.model.kpis import AlertRule, Good, Kpi, TargetCase
from cadran.declare.model.operations import Cache, Compute, Retention, StateSettings
from cadran.declare.model.reports import Attached, Comparison, Per, Ready, Report, ReportFormat, ReportPart
from cadran.declare.model.texts import Localized, Text

__all__ = [
    "RATES",
    "AlertRule",
    "Attached",
    "Cache",
    "Channel",
    "Cohort",
    "Comparison",
    "Compute",
    "Dataset",
    "Declaration",
    "Deliveries",
    "Destination",
    "Expect",
    "Forecast",
    "Funnel",
    "Good",
    "Holidays",
    "Kpi",
    "Link",
    "Localized",
    "Mute",
    "Per",
    "Rates",
    "Ready",
    "Report",
    "ReportFormat",
    "ReportPart",
    "Retention",
    "Route",
    "Schedule",
    "Score",
    "ScoreRule",
    "Segment",
    "Source",
    "StateSettings",
    "Step",
    "Syncing",
    "TableRef",
    "TargetCase",
    "Text",
    "Valid",
]
