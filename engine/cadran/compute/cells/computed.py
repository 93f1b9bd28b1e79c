"""What a run is asked for, and what comes of it before it is judged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cadran.calendar import Grain, Period
from cadran.compute.results import Measured, Note, Quality, Reuse, Scanned, State
from cadran.compute.scanning.scan import Segments
from cadran.formula.measures import ResolvedKpi
from cadran.problems import Problem


@dataclass(frozen=True, slots=True)
class Request:
    """What a run is asked for. ``since`` and ``until`` choose rows of output, never what a function sees."""

    kpis: Sequence[str]
    since: dt.date | None = None
    until: dt.date | None = None


@dataclass(slots=True)
class Cell:
    """One row as computed, before it is judged; never changed. ``conditions`` holds (when, clear) for each rule."""

    position: int
    segment: Segments
    segment_value: tuple[str, ...]
    value: Any
    base: Any
    previous: Any
    year_ago: Any
    target: Any
    target_high: Any
    conditions: tuple[tuple[bool | None, bool | None], ...] = ()


@dataclass(slots=True)
class ComputedSeries:
    """One KPI at one grain: all its periods (``first`` is the first that is output) and their cells."""

    kpi: ResolvedKpi
    grain: Grain
    periods: list[Period]
    first: int
    states: list[State]
    cells: list[Cell]
    quarantined: int = 0
    begins: dt.date | None = None


@dataclass(slots=True)
class Computed:
    kpis: tuple[str, ...] = ()
    series: list[ComputedSeries] = field(default_factory=list)
    alerts: list[ComputedSeries] = field(default_factory=list)  # the histories that rules are replayed over
    quality: list[Quality] = field(default_factory=list)
    statements: dict[str, str] = field(default_factory=dict)
    warnings: list[Problem] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    measured: list[Measured] = field(default_factory=list)
    scanned: list[Scanned] = field(default_factory=list)
    reuse: list[Reuse] = field(default_factory=list)


def finest(grains: Sequence[Grain]) -> Grain:
    return min(grains, key=lambda g: g.rank)
