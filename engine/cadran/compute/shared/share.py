"""Which scans share their passes, and the statements that make them; what cannot share is handed back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from sqlglot import exp

from cadran.calendar import Calendar
from cadran.compute.embedded import QueryError
from cadran.compute.places import Places
from cadran.compute.scan import Scan, ScanBuilder
from cadran.compute.shared.days import Days
from cadran.compute.shared.parts import additive
from cadran.compute.shared.reduce import Cells, Reduction
from cadran.compute.shared.rollup import PERIOD_COLUMNS, period_rows, rolled_up
from cadran.compute.shared.timeline import Timeline, Unshareable
from cadran.formula.measures import Measure

Extent = Callable[[str, exp.Expr | None], tuple[dt.date | None, dt.date | None]]


class Sharing:
    """Makes the tables of scans. ``extent`` gives the first and last day of a dataset's date."""

    def __init__(self, builder: ScanBuilder, session: Places, calendar: Calendar, extent: Extent) -> None:
        self.builder, self.session, self.calendar, self.extent = builder, session, calendar, extent
        self._made = 0

    def make(self, scans: Sequence[Scan]) -> list[Scan]:
        """Makes those that can share; returns the others."""
        groups: dict[tuple[object, ...], list[Scan]] = {}
        left: list[Scan] = []
        for scan in scans:
            if self._shares(scan):
                groups.setdefault((scan.dataset, scan.date), []).append(scan)
            else:
                left.append(scan)
        for group in groups.values():
            left += self._attempt(group)
        return left

    def _shares(self, scan: Scan) -> bool:
        if scan.timing != "flow" or not scan.spans:
            return False
        return all(additive(m, self._kind(m)) and m.function != "converted" for m in scan.measures)

    def _kind(self, measure: Measure) -> str:
        """The type of what is aggregated, where it is a column."""
        if isinstance(measure.argument, exp.Column):
            return self.builder.rows.kind(measure.dataset, measure.argument)
        return ""

    def _attempt(self, scans: list[Scan]) -> list[Scan]:
        """Whatever DuckDB refuses here is tried again by each scan's own statement, which says what is wrong."""
        try:
            self._make(scans)
        except (Unshareable, QueryError):
            self.session.drop([name for scan in scans for name in (scan.spans_table, scan.name)])
            return scans
        return []

    def _make(self, scans: Sequence[Scan]) -> None:
        self._made += 1
        like = scans[0]
        name = f"{like.dataset}_{self._made}"
        days = self._days(name, scans)
        measures = list(dict.fromkeys(m for scan in scans for m in scan.measures))
        segments = list(dict.fromkeys(n for scan in scans for n in scan.names))
        cells = Cells(Reduction(self.builder, f"{name}_cells", like, measures, segments, days))
        wholes = {measure: cells.add(measure, self._kind(measure)) for measure in measures}
        if days is not None:
            days.make(self.session)
        self.session.create(cells.name, cells.select())
        for scan in scans:
            rows = period_rows(scan, days.timeline if days is not None else None)
            self.session.fill(scan.spans_table, PERIOD_COLUMNS, rows)
            found = {str(i): wholes[measure] for i, measure in enumerate(scan.measures)}
            self.session.create(scan.name, rolled_up(scan, cells.name, found))

    def _days(self, name: str, scans: Sequence[Scan]) -> Days | None:
        like = scans[0]
        dataset = self.builder.rows.model.datasets[like.dataset]
        date = like.date if like.date is not None else dataset.date
        if date is None:
            return None
        kind = self.builder.rows.time_kind(like.dataset, date)
        timeline = Timeline(kind, (span for scan in scans for span in scan.spans), self.calendar)
        first, last = self.extent(like.dataset, like.date)
        if first is None or last is None:
            first = last = dt.date(2000, 1, 1)
        return Days(f"{name}_days", timeline, first, last)
