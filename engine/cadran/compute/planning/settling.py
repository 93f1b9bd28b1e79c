"""When a period's figures are final: over, its data settled, its cohorts matured."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from cadran.calendar import Duration, Grain
from cadran.compute.planning.plan import Series
from cadran.compute.results import State
from cadran.compute.spans import Clock, Span
from cadran.declare.model import Declaration
from cadran.formula.measures import Leaf, Measure, Model, ResolvedKpi, leaves_in


class Settling:
    """At one clock; every question about a day is worked out once."""

    def __init__(self, declaration: Declaration, model: Model, clock: Clock) -> None:
        self.declaration, self.model, self.clock = declaration, model, clock
        self._passed: dict[tuple[dt.date, Duration], bool] = {}
        self._begun: dict[dt.date, bool] = {}

    def final_until(self, kpi: ResolvedKpi) -> dt.date:
        """The last day such that periods ending there are final: settled, and their cohorts matured."""
        return (self.clock.local - self.wait(kpi)).date()

    def wait(self, kpi: ResolvedKpi) -> dt.timedelta:
        """How long after its end a period is final."""
        waits = [kpi.kpi.matures or Duration()]
        for measure in self.measures(kpi):
            waits.append(self._settle(measure))
            if measure.other is not None:
                waits.append(measure.other.window)
        return max(dt.timedelta(days=w.days, seconds=w.seconds) for w in waits)

    def measures(self, kpi: ResolvedKpi) -> list[Measure]:
        """Those behind a KPI's value."""
        return [self.model.leaves[n].measure for n in leaves_in(kpi.value)]

    def states(self, series: Series) -> list[State]:
        """Of each of a series' periods."""
        leaves = [(n, self.model.leaves[n]) for n in leaves_in(series.kpi.value)]
        settles = list(dict.fromkeys(self._settle(leaf.measure) for _, leaf in leaves))
        out = []
        for position in range(len(series.periods)):
            spans = [(leaf, span) for n, leaf in leaves if (span := series.spans[n][position]) is not None]
            out.append(self._state(series, position, spans, settles))
        return out

    def _state(
        self, series: Series, position: int, spans: Sequence[tuple[Leaf, Span]], settles: Sequence[Duration]
    ) -> State:
        if series.grain is Grain.ALL:
            return "final"
        ends = [s.end for leaf, s in spans if not self.model.datasets[leaf.measure.dataset].ahead]
        end = max([series.periods[position].end, *ends])
        if not self._has_begun(end):
            return "open"
        if any(not self._has_matured(series.kpi, leaf, span) for leaf, span in spans):
            return "maturing"
        return "final" if all(self._has_passed(end, settle) for settle in settles) else "settling"

    def _settle(self, measure: Measure) -> Duration:
        """The longest of the datasets that a measure is on (``converted`` is on two)."""
        names = [measure.dataset, *([measure.other.dataset] if measure.other is not None else [])]
        found = [self.declaration.datasets[name].settle or Duration() for name in names]
        return max(found, key=lambda d: d.days * 86400 + d.seconds)

    def _has_matured(self, kpi: ResolvedKpi, leaf: Leaf, span: Span) -> bool:
        other = leaf.measure.other
        windows = [kpi.kpi.matures, other.window if other is not None else None]
        return all(self._has_passed(span.end, window) for window in windows if window is not None)

    def _has_begun(self, day: dt.date) -> bool:
        if day not in self._begun:
            self._begun[day] = self.clock.passed(day)
        return self._begun[day]

    def _has_passed(self, day: dt.date, wait: Duration) -> bool:
        """Whether so long a time has gone by since a local day began."""
        key = (day, wait)
        if key not in self._passed:
            calendar = self.clock.calendar
            self._passed[key] = self.clock.instant >= calendar.after(calendar.midnight(day), wait)
        return self._passed[key]
