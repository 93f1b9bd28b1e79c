"""Cohorts: what is left, age by age, of those who began in each period."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cadran.analysis.answers import CohortAnswer, CohortCell, CohortMatrix, CohortRow, Value
from cadran.analysis.asking import Asking, Found
from cadran.calendar import Calendar, Period
from cadran.compute.results import Number, Row
from cadran.declare.cohorts import kpi_name
from cadran.declare.model import Cohort


@dataclass(frozen=True, slots=True)
class CohortAnalysis:
    cohort: Cohort

    def ask(self, asking: Asking) -> None:
        for what in ("left", "size"):
            asking.need(kpi_name(self.cohort.name, what), self.cohort.ages + 1)

    def answer(self, found: Found) -> CohortAnswer:
        """A matrix of all, then one for each value of each segment."""
        sizes = found.rows(kpi_name(self.cohort.name, "size"))
        keys = dict.fromkeys((row.segment, row.segment_value) for row in sizes)
        left = _by_cohort(found.rows(kpi_name(self.cohort.name, "left")), self.cohort.column)
        matrices = [self._matrix(segment, value, sizes, left, found.calendar) for segment, value in keys]
        return CohortAnswer(self.cohort.name, tuple(m for m in matrices if m.rows))

    def _matrix(
        self, segment: Value, value: Value, sizes: Sequence[Row], left: dict[tuple[object, ...], Row],
        calendar: Calendar,
    ) -> CohortMatrix:  # fmt: skip
        rows = []
        for size in sizes:
            if (size.segment, size.segment_value) == (segment, value) and size.period_start is not None:
                began = calendar.period(self.cohort.grain, size.period_start)
                cells = tuple(self._cells(began, size, left, calendar))
                rows.append(CohortRow(size.period, began.start, size.value, cells))
        return CohortMatrix(segment, value, tuple(rows), tuple(average(rows, self.cohort.ages)))

    def _cells(
        self, began: Period, size: Row, left: dict[tuple[object, ...], Row], calendar: Calendar
    ) -> Iterator[CohortCell]:
        for age in range(self.cohort.ages + 1):
            period = calendar.label(calendar.shift(began, age))
            row = left.get((size.segment, size.segment_value, began.start.isoformat(), period))
            if row is not None:
                yield CohortCell(age, period, row.value, rate(row.value, size.value), row.state)


def _by_cohort(rows: Sequence[Row], column: str) -> dict[tuple[object, ...], Row]:
    """Rows by segment, its value, the first day of the cohort, and the period."""
    out: dict[tuple[object, ...], Row] = {}
    for row in rows:
        if column not in row.segment:
            continue
        at = row.segment.index(column)
        rest, values = _without(row.segment, at), _without(row.segment_value, at)
        day = row.segment_value[at][:10]
        if _is_day(day):
            out[rest, values, day, row.period] = row
    return out


def _without(parts: Value, at: int) -> Value:
    return (*parts[:at], *parts[at + 1 :])


def _is_day(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False  # those who never began: (none)
    return True


def rate(value: Number | None, size: Number | None) -> float | None:
    return float(value) / float(size) if value is not None and size else None


def average(rows: Sequence[CohortRow], ages: int) -> Iterator[float | None]:
    """At each age, what is left of all those whose cell is final, over how many they were."""
    for age in range(ages + 1):
        final = [
            (row.size, cell.value)
            for row in rows
            for cell in row.cells
            if cell.age == age and cell.state == "final"
        ]
        known = [(float(size), float(value)) for size, value in final if size and value is not None]
        total = sum(size for size, _ in known)
        yield sum(value for _, value in known) / total if total else None
