"""The tables of a KPI's segment values, out of the rows of a run."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from cadran.compute.results import Row
from cadran.publish.choose import RowIndex, collated
from cadran.publish.context_parts import SegmentRow, SegmentTable
from cadran.publish.figures import Figures, spaced
from cadran.publish.formatting import exact
from cadran.publish.wording import SHORT, SHORT_STATUS, STATUS

if TYPE_CHECKING:
    from cadran.declare.model import Kpi

SEGMENT_ROWS = 12  # the rest is in the CSV
_OTHER = "(other)"


@dataclass(frozen=True, slots=True)
class Tables:
    """Builds the tables of segments at a total's period."""

    figures: Figures
    index: RowIndex

    def of(self, kpi: Kpi, shown: Row) -> tuple[SegmentTable, ...]:
        found = self.index.segments(shown, kpi.segments)
        return tuple(self._table(kpi, names, rows) for names, rows in found.items())

    def _table(self, kpi: Kpi, names: tuple[str, ...], rows: list[Row]) -> SegmentTable:
        ordered = sorted(rows, key=_largest_first)
        sizes = [n.copy_abs() for r in rows if (n := exact(r.value)) is not None]
        longest = max(sizes, default=Decimal(0))
        kept = ordered[:SEGMENT_ROWS]
        return SegmentTable(
            names=names,
            label=" × ".join(spaced(name) for name in names),
            rows=tuple(self._row(kpi, r, longest) for r in kept),
            hidden=len(ordered) - len(kept),
            has_target=any(r.target is not None for r in kept),
        )

    def _row(self, kpi: Kpi, row: Row, longest: Decimal) -> SegmentRow:
        figures, value = self.figures, exact(row.value)
        share = int((value / longest * 100).to_integral_value()) if value and value > 0 else 0
        return SegmentRow(
            values=row.segment_value,
            label=figures.segment(row.segment_value, row.segment),
            value=figures.figure(row.value, kpi.unit),
            base=figures.figure(row.base),
            change=figures.change(row.value, row.previous, kpi),
            target=figures.target(row, kpi.unit),
            gap=figures.gap(row, kpi),
            status=row.status,
            status_text=figures.gettext(STATUS[row.status]),
            status_short=figures.catalogue.pgettext(SHORT, SHORT_STATUS[row.status]),
            share=share,
        )


def _largest_first(row: Row) -> tuple[bool, bool, Decimal, tuple[str, ...]]:
    value = exact(row.value)
    return _OTHER in row.segment_value, value is None, -(value or Decimal(0)), collated(row.segment_value)
