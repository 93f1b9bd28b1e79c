"""Computed cells judged: comparisons, and status against targets."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from cadran.calendar import Calendar, Grain
from cadran.compute.cells.computed import Cell, ComputedSeries
from cadran.compute.results import Number, Row
from cadran.compute.spans import BEGINNING
from cadran.judge.targets import status
from cadran.problems import Problem, listed, suggest


def number(value: Any) -> Number | None:
    """A finite number, or None: what is not a number is no data."""
    kind = type(value)
    if kind is float:
        return value if math.isfinite(value) else None
    return int(value) if kind is bool else value


def rows(series: ComputedSeries, calendar: Calendar) -> Iterator[Row]:
    """The output rows of a series, in order of period, then segment."""
    periods = [_shown(series, position, calendar) for position in range(len(series.periods))]
    for cell in series.cells:
        if cell.position >= series.first:
            yield _row(series, cell, periods[cell.position])


def _shown(
    series: ComputedSeries, position: int, calendar: Calendar
) -> tuple[str, dt.date | None, dt.date | None]:
    """A period's label, its first and its last day."""
    period, whole = series.periods[position], series.grain is Grain.ALL
    start = (series.begins if period.start == BEGINNING else period.start) if whole else period.start
    return calendar.label(period), start, None if whole and start is None else period.last_day


def _row(series: ComputedSeries, cell: Cell, shown: tuple[str, dt.date | None, dt.date | None]) -> Row:
    kpi, state = series.kpi.kpi, series.states[cell.position]
    value = number(cell.value)
    previous = number(cell.previous) if "previous" in kpi.compare else None
    low, high = number(cell.target), number(cell.target_high)
    label, start, last = shown
    return Row(
        kpi=kpi.name,
        grain=str(series.grain),
        period=label,
        period_start=start,
        period_end=last,
        segment=cell.segment,
        segment_value=cell.segment_value,
        value=value,
        base=number(cell.base),
        previous=previous,
        year_ago=number(cell.year_ago) if "year_ago" in kpi.compare else None,
        change=difference(value, previous),
        target=low,
        status=status(value, low, high, good=kpi.good, tolerance=kpi.tolerance, state=state),
        state=state,
        target_high=high,
        quarantined=series.quarantined,
    )


def unseen_targets(series: ComputedSeries) -> Iterator[Problem]:
    """Targets for segment values that no row of the series has: a slip would leave the right value without its target."""
    if not any(isinstance(case.segment, Mapping) for case in series.kpi.kpi.targets):
        return
    seen: dict[str, set[str]] = {}
    for cell in series.cells:
        for name, value in zip(cell.segment, cell.segment_value, strict=True):
            seen.setdefault(name, set()).add(value)
    for case in series.kpi.kpi.targets:
        for name, wanted in case.segment.items() if isinstance(case.segment, Mapping) else ():
            if name in seen and wanted not in seen[name]:
                known = sorted(seen[name])
                message = f"no row of these periods has {name} '{wanted}', which a target is for"
                hint = suggest(wanted, known) or f"there are {listed(known)}"
                yield Problem(
                    "unseen-target", message, case.place.position(), series.kpi.kpi.name, hint, "warning"
                )


def difference(value: Number | None, previous: Number | None) -> Number | None:
    if value is None or previous is None:
        return None
    if isinstance(value, float) or isinstance(previous, float):
        return float(value) - float(previous)
    if isinstance(value, Decimal) or isinstance(previous, Decimal):
        return Decimal(value) - Decimal(previous)
    return value - previous
