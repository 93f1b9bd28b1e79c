"""What a run is asked for, and what comes of it before it is judged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlglot import exp

from cadran.calendar import Grain, Period
from cadran.compute.results import Measured, Note, Quality, Reuse, Scanned, State
from cadran.compute.scanning.scan import Segments
from cadran.formula.measures import Measure, ResolvedKpi
from cadran.problems import Problem


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows of a dataset that are wanted themselves: the values of some of its columns.

    Behind the columns come, where asked for, the bounds of its validity (``times``), bound expressions (``bound``), and the
    measure's argument as a double, in the project's currency (``amount``): at the rate of the day on which the row ceased to
    be valid, or of the clock's. ``counted`` gives each combination of the values once, followed by how many rows have it.
    ``only`` names a column of conditions that the rows meet; ``order`` columns, and whether the largest come first.
    """

    dataset: str
    columns: tuple[str, ...]
    only: str = ""
    order: tuple[tuple[str, bool], ...] = ()
    limit: int | None = None
    counted: bool = False
    times: tuple[Literal["from", "to"], ...] = ()
    bound: tuple[exp.Expr, ...] = ()
    amount: Measure | None = None
    equal: tuple[tuple[str, str], ...] = ()  # columns, and how their value is written

    @property
    def used(self) -> tuple[str, ...]:
        ordered, equal = (name for name, _ in self.order), (name for name, _ in self.equal)
        return (*self.columns, *ordered, *equal, *([self.only] if self.only else []))

    @property
    def expressions(self) -> tuple[exp.Expr, ...]:
        """All bound expressions over the row."""
        return (*self.bound, *(self.amount.expressions() if self.amount is not None else ()))


@dataclass(frozen=True, slots=True)
class Request:
    """What a run is asked for. ``since`` and ``until`` choose rows of output, never what a function sees.

    Alert rules are about segment values that have rows since ``judged_since``, or of late where that is None.
    ``behind`` are KPIs that analyses rest on, each with how many periods up to the clock it is needed for.
    """

    kpis: Sequence[str]
    since: dt.date | None = None
    until: dt.date | None = None
    behind: Mapping[str, int] = field(default_factory=dict)
    judged_since: dt.date | None = None
    listings: Mapping[str, Listing] = field(default_factory=dict)


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
    datasets: tuple[str, ...] = ()  # those behind a history that rules are replayed over
    measured: tuple[str, ...] = ()  # those that the KPI's measures are on


@dataclass(slots=True)
class Computed:
    kpis: tuple[str, ...] = ()
    series: list[ComputedSeries] = field(default_factory=list)
    behind: list[ComputedSeries] = field(default_factory=list)  # of the KPIs that analyses rest on
    listed: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)  # by the listing's name
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
