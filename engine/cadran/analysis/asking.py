"""What analyses need of a run, and what they then find: KPIs computed beside those that are reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from cadran.calendar import Calendar
from cadran.compute.cells.computed import Computed, Listing
from cadran.compute.results import Row
from cadran.compute.spans import Clock
from cadran.declare.model import Declaration
from cadran.formula.derive import Derivation
from cadran.formula.measures import Model
from cadran.judge import compare


@dataclass(slots=True)
class Asking:
    """Collects what a run has to compute for its analyses."""

    declaration: Declaration
    derivation: Derivation
    clock: Clock
    behind: dict[str, int] = field(default_factory=dict)
    listings: dict[str, Listing] = field(default_factory=dict)

    @property
    def calendar(self) -> Calendar:
        return self.clock.calendar

    @property
    def model(self) -> Model:
        return self.derivation.model

    def need(self, kpi: str, periods: int) -> None:
        """A KPI's values at the last ``periods`` periods of each of its grains, the running one included."""
        self.behind[kpi] = max(periods, self.behind.get(kpi, 0))

    def list(self, name: str, listing: Listing) -> None:
        self.listings[name] = listing


class Found:
    """The values that were computed, looked up by KPI, period and segment."""

    def __init__(self, computed: Computed, asking: Asking) -> None:
        self.model, self.clock, self.calendar = asking.model, asking.clock, asking.calendar
        self.listed = computed.listed
        self._rows: dict[str, list[Row]] = {}
        for series in (*computed.behind, *computed.series):
            self._rows.setdefault(series.kpi.kpi.name, []).extend(compare.rows(series, self.calendar))
        self._cells = {
            (row.kpi, row.grain, row.period, row.segment, row.segment_value): row
            for rows in self._rows.values()
            for row in rows
        }

    def rows(self, kpi: str) -> Sequence[Row]:
        return self._rows.get(kpi, [])

    def row(
        self, kpi: str, grain: str, period: str, segment: tuple[str, ...] = (), value: tuple[str, ...] = ()
    ) -> Row | None:
        return self._cells.get((kpi, grain, period, segment, value))


class Analysis(Protocol):
    """One question: what it needs, and then its answer."""

    def ask(self, asking: Asking) -> None: ...

    def answer(self, found: Found) -> Any: ...
