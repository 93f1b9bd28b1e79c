"""Computed cells judged: comparisons, status, and the alerts that stand at the newest final period."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from cadran.calendar import Calendar, Grain
from cadran.compute.cells.computed import Cell, ComputedSeries, finest
from cadran.compute.results import Alert, Number, Row
from cadran.compute.spans import BEGINNING
from cadran.declare.model import AlertRule
from cadran.judge.alerts import replay
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


def alerts(series: ComputedSeries, calendar: Calendar) -> Iterator[Alert]:
    """What is pending or firing, rule by rule and segment value by segment value."""
    members: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Cell]] = {}
    for cell in series.cells:
        members.setdefault((cell.segment, cell.segment_value), []).append(cell)
    for index, resolved in enumerate(series.kpi.rules):
        rule = resolved.rule
        if (rule.grain or finest(series.kpi.kpi.periods)) is not series.grain:
            continue
        for (segment, value), cells in members.items():
            if _in_scope(rule, segment):
                yield from _standing(series, rule, index, cells, segment, value, calendar)


def _in_scope(rule: AlertRule, segment: tuple[str, ...]) -> bool:
    if rule.scope == "each":
        return True
    return not segment if rule.scope == "total" else bool(segment) and set(segment) <= set(rule.scope)


def _standing(
    series: ComputedSeries, rule: AlertRule, index: int, cells: Sequence[Cell],
    segment: tuple[str, ...], segment_value: tuple[str, ...], calendar: Calendar,
) -> Iterator[Alert]:  # fmt: skip
    final = [c for c in cells if series.states[c.position] == "final"]
    if not final:
        return
    standing = replay(rule, ((c.position, *c.conditions[index]) for c in final))
    if standing.state == "ok" or standing.since is None:
        return
    last = final[-1]
    yield Alert(
        kpi=series.kpi.kpi.name,
        rule=rule.name,
        condition=rule.when.value,
        severity=rule.severity,
        state=standing.state,
        grain=str(series.grain),
        period=calendar.label(series.periods[last.position]),
        since=calendar.label(series.periods[standing.since]),
        segment=segment,
        segment_value=segment_value,
        value=number(last.value),
        target=number(last.target),
        reason=standing.reason,
        judged=calendar.label(series.periods[_last_judged(final, index)])
        if rule.on_missing == "keep"
        else "",
    )


def _last_judged(final: Sequence[Cell], index: int) -> int:
    """The position of the last cell whose condition is known; a rule that stands has one."""
    return next(c.position for c in reversed(final) if c.conditions[index][0] is not None)
