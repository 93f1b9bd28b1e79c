"""Cohorts: what is left, age by age, of those who began in each period."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cadran.analysis.answers import CohortAnswer, CohortCell, CohortMatrix, CohortRow, Value
from cadran.analysis.asking import Asking, Found
from cadran.calendar import Period
from cadran.compute.results import Number, Row, State
from cadran.declare.cohorts import kpi_name
from cadran.declare.model import Cohort
from cadran.formula.measures import leaves_in

COHORTS = 13


@dataclass(frozen=True, slots=True)
class CohortAnalysis:
    cohort: Cohort

    def ask(self, asking: Asking) -> None:
        # So far back that every age is reached by as many cohorts as a KPI shows periods.
        for what in ("left", "size"):
            asking.need(kpi_name(self.cohort.name, what), self.cohort.ages + COHORTS)

    def answer(self, found: Found) -> CohortAnswer:
        """A matrix of all, then one for each value of each segment."""
        sizes = found.rows(kpi_name(self.cohort.name, "size"))
        keys = dict.fromkeys((row.segment, row.segment_value) for row in sizes)
        matrices = _Matrices(self.cohort, found)
        made = [
            matrices.of([row for row in sizes if (row.segment, row.segment_value) == key]) for key in keys
        ]
        return CohortAnswer(self.cohort.name, tuple(matrix for matrix in made if matrix.rows))


class _Matrices:
    """What is left of each cohort, looked up by segment, first day and period."""

    def __init__(self, cohort: Cohort, found: Found) -> None:
        self.cohort, self.calendar, self.clock = cohort, found.calendar, found.clock
        name = kpi_name(cohort.name, "left")
        self.left = _by_cohort(found.rows(name), cohort.column)
        leaves = [found.model.leaves[n] for n in leaves_in(found.model.kpis[name].value)]
        # Of a cohort that has no rows at all, counts and sums are 0, as they are for any period without rows.
        self.nothing: Number | None = (
            0 if all(leaf.measure.zero for leaf in leaves) and len(leaves) == 1 else None
        )

    def of(self, sizes: Sequence[Row]) -> CohortMatrix:
        rows = [self._row(size) for size in sizes if size.period_start is not None]
        average_ = tuple(average(rows, self.cohort.ages))
        return CohortMatrix(sizes[0].segment, sizes[0].segment_value, tuple(rows), average_)

    def _row(self, size: Row) -> CohortRow:
        assert size.period_start is not None
        began = self.calendar.period(self.cohort.grain, size.period_start)
        return CohortRow(size.period, began.start, size.value, tuple(self._cells(began, size)))

    def _cells(self, began: Period, size: Row) -> Iterator[CohortCell]:
        for age in range(self.cohort.ages + 1):
            period = self.calendar.shift(began, age)
            if not self.clock.passed(period.start):
                return
            label = self.calendar.label(period)
            row = self.left.get((size.segment, size.segment_value, began.start.isoformat(), label))
            value = row.value if row is not None else self.nothing
            over: State = "final" if self.clock.passed(period.end) else "open"
            yield CohortCell(
                age, label, value, rate(value, size.value), row.state if row is not None else over
            )


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
