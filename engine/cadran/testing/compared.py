"""What a test expects, held against computed cells; what is not met is said with all that helps to see why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from cadran.calendar import Calendar
from cadran.compute.cells.computed import Cell, ComputedSeries
from cadran.compute.results import Number, State
from cadran.declare.expectations import Expected, ExpectedState
from cadran.judge.compare import number
from cadran.problems import listed, suggest
from cadran.testing import figures
from cadran.testing.outcomes import Miss
from cadran.testing.replayed import states

Segment = Mapping[str, str]
Key = tuple[str, str, frozenset[tuple[str, str]]]  # KPI, period's label, segment values
Measures = Callable[[Expected], tuple[tuple[str, Number | None], ...]]


class Cells:
    """Computed cells by KPI, period and segment value."""

    def __init__(self, series: Iterable[ComputedSeries], calendar: Calendar) -> None:
        self._cells: dict[Key, Cell] = {}
        self._seen: dict[tuple[str, str], set[str]] = {}  # KPI, segment → the values that there are
        for one in series:
            labels = [calendar.label(period) for period in one.periods]
            for cell in one.cells:
                values = dict(zip(cell.segment, cell.segment_value, strict=True))
                self._cells[one.kpi.kpi.name, labels[cell.position], _key(values)] = cell
                for name, value in values.items():
                    self._seen.setdefault((one.kpi.kpi.name, name), set()).add(value)

    def value(self, kpi: str, label: str, segment: Segment) -> Number | None:
        """None is no data, also where nothing covers the period."""
        cell = self._cells.get((kpi, label, _key(segment)))
        return None if cell is None else number(cell.value)

    def unseen(self, kpi: str, segment: Segment) -> str:
        """What is wrong with a segment value that no row has; empty where all are seen."""
        for name, value in segment.items():
            seen = self._seen.get((kpi, name), set())
            if value not in seen:
                known = sorted(seen)
                hint = suggest(value, known) or f"there are: {listed(known) or 'none'}"
                return f"no row has {name}={value}; {hint}"
        return ""


def _key(segment: Segment) -> frozenset[tuple[str, str]]:
    return frozenset(segment.items())


def written(segment: Segment) -> str:
    return ", ".join(f"{name}={value}" for name, value in segment.items())


def figures_missed(
    expected: Sequence[Expected], cells: Cells, units: Mapping[str, str], measures: Measures
) -> list[Miss]:
    """``measures`` gives the parts of a figure; it is asked only for those that are missed."""
    out = []
    for one in expected:
        unseen = cells.unseen(one.kpi, one.segment)
        value = cells.value(one.kpi, one.label, one.segment)
        if unseen or not figures.agrees(value, one.figure):
            out.append(_missed(one, value, unseen, units.get(one.kpi, ""), measures))
    return out


def _missed(one: Expected, value: Number | None, unseen: str, unit: str, measures: Measures) -> Miss:
    expected = " ".join(one.figure.text.value.split())
    got, off = figures.said(value, one.figure), figures.off_by(value, one.figure)
    where = ", ".join(part for part in (one.kpi, one.label, written(one.segment)) if part)
    message = f"{where}: expected {expected}, {unseen or f'got {got}'}"
    if not unseen:
        message += f", difference {off}" if off else ""
        if unit == "percent" and figures.written_in_percent(value, one.figure):
            message += f"; in percent, write {expected}%"
    parts = () if unseen else measures(one)
    return Miss(message, one.place.position(), one.kpi, one.label, written(one.segment), expected, got, off, parts)  # fmt: skip


def states_missed(
    kpi: str, expected: Iterable[ExpectedState], series: Iterable[ComputedSeries], calendar: Calendar
) -> list[Miss]:
    """Over histories as they were computed, of which only final periods are judged."""
    histories = list(series)
    out = []
    for one in expected:
        state = next((s for h in histories if (s := _state(one, h, calendar))), "not judged")
        if state != one.state:
            out.append(state_missed(kpi, one, state))
    return out


def _state(one: ExpectedState, history: ComputedSeries, calendar: Calendar) -> str:
    """The state after a period, or why there is none; empty where the history is of other periods."""
    rules = [resolved.rule.name for resolved in history.kpi.rules]
    if one.rule not in rules or history.grain is not one.period.grain:
        return ""
    index = rules.index(one.rule)
    cells = [
        c for c in history.cells if dict(zip(c.segment, c.segment_value, strict=True)) == dict(one.segment)
    ]
    labels = [calendar.label(period) for period in history.periods]
    if not cells or one.label not in labels:
        return "no data"
    judged: State = history.states[labels.index(one.label)]
    if judged != "final":
        return f"not judged ({judged})"
    final = [c for c in cells if history.states[c.position] == "final"]
    found = states(history.kpi.rules[index].rule, ((labels[c.position], *c.conditions[index]) for c in final))
    return found.get(one.label, "no data")


def state_missed(kpi: str, one: ExpectedState, state: str) -> Miss:
    where = ", ".join(part for part in (f"{kpi}: {one.rule}", one.label, written(one.segment)) if part)
    message = f"{where}: expected {one.state}, got {state}"
    return Miss(message, one.place.position(), f"{kpi}: {one.rule}", one.label, written(one.segment), one.state, state)  # fmt: skip
