"""The scans of a run combined into the cells of its series: series that share a grid in one statement."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from sqlglot import exp

from cadran.compute.cells.combine import Combiner
from cadran.compute.cells.computed import Cell, ComputedSeries
from cadran.compute.cells.grid import Grid, likeness
from cadran.compute.examining.examine import Examiner
from cadran.compute.hints import hint_for
from cadran.compute.loading.embedded import OutOfRoom, QueryError
from cadran.compute.lower import column
from cadran.compute.placing.places import Places
from cadran.compute.planning.plan import Series, datasets_behind, measures_of
from cadran.compute.planning.settling import Settling
from cadran.compute.scanning.scan import Segments, dim, label_of
from cadran.formula.measures import Model
from cadran.problems import Problem, ProblemsFound

_TOGETHER = 40  # series in one statement, at the most
_NUMBERS = 6  # of a cell


class Combining:
    """One run's."""

    def __init__(self, model: Model, session: Places, examiner: Examiner, settling: Settling) -> None:
        self.model, self.session, self.examiner, self.settling = model, session, examiner, settling
        self.clock = settling.clock
        self._frames = count(1)

    def combine(
        self, planned: Sequence[Series], progress: Callable[[str], None] = lambda _: None
    ) -> list[ComputedSeries]:
        """The series computed, in their order. Raises ProblemsFound for one that cannot be."""
        cells: dict[int, list[Cell]] = {}
        for batch in self._batches(planned):
            for series in batch:
                progress(f"computing {series.kpi.said}")
            for series, found in zip(batch, self._cells(batch), strict=True):
                cells[id(series)] = found
        return [self._computed(series, cells[id(series)]) for series in planned]

    def _batches(self, planned: Sequence[Series]) -> Iterator[Sequence[Series]]:
        """Where statements are shown to people, each series has its own."""
        if self.session.recording:
            yield from ([series] for series in planned)
            return
        alike: dict[object, list[Series]] = {}
        for series in planned:
            alike.setdefault(likeness(series), []).append(series)
        for batch in alike.values():
            for first in range(0, len(batch), _TOGETHER):
                yield batch[first : first + _TOGETHER]

    def _cells(self, batch: Sequence[Series]) -> list[list[Cell]]:
        try:
            return self._asked(batch)
        except QueryError as error:
            if len(batch) > 1:  # each alone, to find the one at fault, or to need less memory
                return [found for series in batch for found in self._cells([series])]
            if isinstance(error, OutOfRoom):
                raise
            kpi = batch[0].kpi
            problem = Problem(
                "cannot-compute", error.message, kpi.parsed.position(), kpi.said, hint_for(error.message)
            )
            raise ProblemsFound([problem]) from error

    def _asked(self, batch: Sequence[Series]) -> list[list[Cell]]:
        grid = Grid(batch[0], self.clock.calendar, f"frame_{next(self._frames)}")
        combiners = [
            Combiner(s, self.model, self.clock, grid, self.settling.final_until(s.kpi), f"k{i}_" * (len(batch) > 1))
            for i, s in enumerate(batch)
        ]  # fmt: skip
        columns = {name: node for combiner in combiners for name, node in combiner.columns().items()}
        name, select = _named(batch), grid.select(columns)
        self.session.fill(grid.table, grid.columns(), grid.rows())
        heads = [column(n) for n in ("position", "segment", *(dim(n) for n in grid.names))]
        judged = exp.Select(expressions=[*heads, *(node for c in combiners for node in c.judged())])
        judged = judged.from_(exp.to_identifier(name, quoted=True), copy=False)
        judged = judged.order_by(*(h.copy() for h in heads), copy=False)
        judged = judged.with_(exp.to_identifier(name, quoted=True), as_=select, copy=False)
        rows = self.session.rows(judged, name if len(batch) == 1 else "")
        return list(_split(rows, batch, grid.names))

    def _computed(self, series: Series, cells: list[Cell]) -> ComputedSeries:
        measures = self.settling.measures(series.kpi)
        quarantined = sum(self.examiner.quarantined(d) for d in datasets_behind(self.model, measures))
        firsts = [c.first for m in measures if (c := self.examiner.coverage(m)).first]
        return ComputedSeries(
            series.kpi, series.grain, series.periods, series.first, self.settling.states(series), cells, quarantined,
            min(firsts, default=None),
            tuple(sorted(datasets_behind(self.model, measures_of(self.model, [series.kpi])))) if series.for_alerts else (),
            tuple(sorted({m.dataset for m in measures} | {m.other.dataset for m in measures if m.other is not None})),
        )  # fmt: skip


def _named(batch: Sequence[Series]) -> str:
    """What people read the statement by."""
    series = batch[0]
    if len(batch) > 1:
        return f"{len(batch)} KPIs by {series.grain}"
    name = f"{series.kpi.kpi.name} by {series.grain}"
    return name + ", the largest" * bool(series.kept) + ", for alerts" * series.for_alerts


def _split(
    rows: Sequence[tuple[Any, ...]], batch: Sequence[Series], names: Sequence[str]
) -> Iterator[list[Cell]]:
    """The rows of a statement as the cells of each series."""
    first = 2 + len(names)
    heads = _heads(rows, batch[0], names)
    for series in batch:
        end = first + _NUMBERS
        rules = range(end, end + 2 * len(series.rules), 2)
        cells = [Cell(*head, *row[first:end]) for head, row in zip(heads, rows, strict=True)]
        if rules:
            for cell, row in zip(cells, rows, strict=True):
                cell.conditions = tuple((row[i], row[i + 1]) for i in rules)
        yield cells
        first = end + 2 * len(series.rules)


def _heads(
    rows: Sequence[tuple[Any, ...]], series: Series, names: Sequence[str]
) -> list[tuple[int, Segments, tuple[str, ...]]]:
    """Position, segment and its values of each row."""
    by_label: Mapping[str, tuple[Segments, list[int]]] = {
        label_of(s): (s, [2 + names.index(n) for n in s]) for s in series.sets
    }
    out = []
    for row in rows:
        segments, at = by_label[row[1]]
        out.append((row[0], segments, tuple(str(row[i]) for i in at)))
    return out
