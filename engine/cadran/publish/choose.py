"""Which rows a report shows: each KPI's period, its history, its segment values."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cadran.calendar import Calendar, Grain, Period
from cadran.compute.results import Results, Row
from cadran.publish.wording import STAND_IN

if TYPE_CHECKING:
    from cadran.declare.model import Report

HISTORY = 60  # a chart with more periods than this tells less


@dataclass(frozen=True, slots=True)
class Wanted:
    """A report's period: a grain's last one, a fixed one, or (neither) each KPI's own last one."""

    grain: Grain | None = None
    fixed: Period | None = None
    label: str = ""
    include_open: bool = False

    def reaches(self, label: str, calendar: Calendar) -> bool:
        """Whether a period is not later than a fixed one: what came after it does not belong into its report."""
        if self.fixed is None:
            return True
        try:
            return calendar.parse(label).end <= self.fixed.end
        except ValueError:  # all
            return False

    @classmethod
    def of(cls, report: Report | None, calendar: Calendar) -> Wanted:
        if report is None:
            return cls()
        text = report.period.strip()
        if text == "last" or not text:
            return cls(include_open=report.include_open)
        if text.startswith("last "):
            grain = Grain(text.removeprefix("last ").strip().replace(" ", "_"))
            return cls(grain=grain, include_open=report.include_open)
        period = calendar.parse(text)
        return cls(period.grain, period, calendar.label(period), report.include_open)


class RowIndex:
    """The rows of a run by KPI, each grain in order of time."""

    def __init__(self, results: Results) -> None:
        self._totals: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
        self._segments: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
        for row in results.rows:
            if row.segment:
                self._segments[row.kpi, row.grain, row.period].append(row)
            else:
                self._totals[row.kpi][row.grain].append(row)
        for grains in self._totals.values():
            for rows in grains.values():
                rows.sort(key=lambda r: r.period_start or dt.date.min)

    def grains(self, kpi: str) -> list[str]:
        """The grains that a KPI has values at, finest first."""
        found = self._totals.get(kpi, {})
        return sorted(found, key=lambda g: Grain(g).rank)

    def totals(self, kpi: str, grain: str) -> list[Row]:
        return self._totals.get(kpi, {}).get(grain, [])

    def segments(self, row: Row, order: Iterable[tuple[str, ...]] = ()) -> dict[tuple[str, ...], list[Row]]:
        """All segment rows at a total's period, by the names of the segment, in ``order``; values as a dictionary has them."""
        found: dict[tuple[str, ...], list[Row]] = defaultdict(list)
        for segment_row in self._segments.get((row.kpi, row.grain, row.period), ()):
            found[segment_row.segment].append(segment_row)
        for rows in found.values():
            rows.sort(key=lambda r: (bool(STAND_IN.keys() & set(r.segment_value)), collated(r.segment_value)))
        names = dict.fromkeys([*(n for n in order if n in found), *found])
        return {name: found[name] for name in names}

    def shown(self, kpi: str, wanted: Wanted) -> Row | None:
        """The total that stands for a KPI in a report."""
        grains = self.grains(kpi)
        if not grains:
            return None
        if wanted.grain in grains:
            rows = self.totals(kpi, wanted.grain)
            if wanted.fixed:
                return next((r for r in rows if r.period == wanted.label and _may_show(r, wanted)), None)
            return newest(rows, wanted.include_open)
        rows = self.totals(kpi, grains[0])
        if wanted.fixed:
            rows = [r for r in rows if r.period_end is None or r.period_end < wanted.fixed.end]
        return newest(rows, wanted.include_open)

    def history(self, shown: Row, wanted: Wanted) -> list[Row]:
        """A KPI's series: with what is not final behind the shown period, unless the report's period is fixed."""
        rows = [r for r in self.totals(shown.kpi, shown.grain) if _may_show(r, wanted) or r is shown]
        if wanted.fixed and shown.period_end:
            rows = [r for r in rows if r.period_end and r.period_end <= shown.period_end]
        return rows[-HISTORY:]


def newest(rows: Iterable[Row], include_open: bool = False) -> Row | None:
    """The last final row, or with ``include_open`` the last of all."""
    return next((r for r in reversed(list(rows)) if include_open or r.state == "final"), None)


def _may_show(row: Row, wanted: Wanted) -> bool:
    return wanted.include_open or row.state != "open"


def collated(values: Iterable[str]) -> tuple[str, ...]:
    """A key that sorts texts as a dictionary does: accents and capitals decide only between words that are else the same."""
    texts = list(values)
    bare = (unicodedata.normalize("NFKD", text).casefold() for text in texts)
    return (*("".join(c for c in text if not unicodedata.combining(c)) for text in bare), *texts)
