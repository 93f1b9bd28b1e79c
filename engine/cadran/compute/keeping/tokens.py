"""Tokens: digests of the rows that a result rests on, without those that cannot matter to it.

What is dated within a span comes from the parts of a table whose dates overlap it; a new part touches no other span.
Where a measure looks beyond its span the reach is longer, and where nothing can be proven it is the whole dataset. A
result that the run's clock could change has no token: it is not kept.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp

from cadran.compute.keeping.behind import Behind
from cadran.compute.keeping.parts import LOWEST, Parts, since_epoch
from cadran.compute.lower import WithZone
from cadran.compute.rows import RowsBuilder
from cadran.compute.spans import BEGINNING, Span, midnight
from cadran.compute.timing import bounds
from cadran.declare.model import Declaration
from cadran.formula.graph import Node
from cadran.formula.measures import Measure, ResolvedDataset, Timing, ref_of
from cadran.formula.vocabulary import word_of
from cadran.state.kept import digest

_DAY = dt.timedelta(days=1)
_Said = tuple[str, str, str | None]  # how a dataset is rested on, which one, and what tells its rows


@dataclass(frozen=True, slots=True)
class Reach:
    """Which rows of a dataset matter to a span: those whose ``node`` lies in ``[lower, upper)``, local times."""

    dataset: str
    node: exp.Column
    lower: dt.datetime | None
    upper: dt.datetime


@dataclass(frozen=True, slots=True)
class Ground:
    """What one measure with one set of segments stands on."""

    dataset: str
    timing: Timing
    date: exp.Column | None
    measure: Measure | None
    behind: tuple[Behind, ...]  # of the measure, and of the segments
    other: Behind | None

    @property
    def clock(self) -> bool:
        return any(b.clock for b in self.all)

    @property
    def read(self) -> frozenset[Node]:
        return frozenset().union(*(b.columns for b in self.all))

    @property
    def all(self) -> Iterator[Behind]:
        yield from self.behind
        if self.other is not None:
            yield self.other


class Tokens:
    """Tokens at one run's clock, each worked out once."""

    def __init__(self, declaration: Declaration, rows: RowsBuilder, parts: Parts) -> None:
        self.declaration, self.rows, self.parts = declaration, rows, parts
        self.model, self.clock = rows.model, rows.clock
        self._now = {False: since_epoch(self.clock.local), True: since_epoch(self.clock.instant)}
        self._made: dict[object, str | None] = {}

    def token(self, ground: Ground, span: Span, *, all_time: bool = False) -> str | None:
        """The token of a result over a span (``all_time``: of the period ``all``), None if it must not be kept."""
        if ground.clock:
            return None
        if all_time:
            return self._all_time(ground)
        whole, reaches = self.reaches(ground, span)
        found = self._rests(ground, whole, ground.read)
        found += [("within", reach.dataset, self._within(reach, ground.read)) for reach in reaches]
        return _digest(found)

    def reaches(self, ground: Ground, span: Span) -> tuple[frozenset[str], list[Reach]]:
        """The datasets of which any row may matter to a result over a span, and what matters of the others."""
        whole: frozenset[str] = frozenset().union(*(b.whole for b in ground.all))
        found = [self._own(ground, span, whole)]
        if ground.other is not None and ground.measure is not None:
            found.append(self._other(ground.measure, span, whole))
        whole |= {r for r in found if isinstance(r, str)}
        return whole, [r for r in found if isinstance(r, Reach)]

    def within(self, reach: Reach) -> list[int]:
        """The parts of a dataset that have rows in reach, by their numbers."""
        ranges = self.parts.ranges(reach.dataset, reach.node)
        assert ranges is not None
        # Instants against local times: a day is more than any zone is away from UTC, and one part more does no harm.
        slack = _DAY if self._zoned(reach.dataset, reach.node) else _DAY * 0
        begins = None if reach.lower is None else _earlier(reach.lower, slack)
        lower = LOWEST if begins is None else since_epoch(begins)
        upper = since_epoch(reach.upper + slack)
        return [i for i, r in enumerate(ranges) if r is not None and r[0] < upper and r[1] >= lower]

    def _all_time(self, ground: Ground) -> str | None:
        """``all`` ends at the clock: it is the same at a later one as long as nothing lies between the two."""
        measure, found = ground.measure, self.model.datasets[ground.dataset]
        if measure is not None and any(
            word_of(n) == "in_period" for e in measure.expressions() for n in e.walk()
        ):
            return None
        dates = [n for n in (ground.date, found.date, *(found.valid or ())) if n is not None]
        if not all(self._passed(ground.dataset, n, self.parts.latest(ground.dataset, n)) for n in dates):
            return None
        whole = frozenset().union(*(b.whole for b in ground.all), (b.own for b in ground.all))
        return _digest(self._rests(ground, whole, ground.read))

    def _rests(self, ground: Ground, whole: frozenset[str], read: frozenset[Node]) -> list[_Said]:
        found: list[_Said] = [("whole", dataset, self._whole(dataset, read)) for dataset in sorted(whole)]
        return [*found, ("rates", "", self._rates(ground.measure))]

    def all_rows(self, behind: Behind, dates: Sequence[exp.Column]) -> str | None:
        """The token of what all rows of a dataset, and all that is behind them, say at this clock and at any later one."""
        if behind.clock:
            return None
        read = frozenset(behind.columns)
        found: list[_Said] = [
            ("whole", dataset, self._whole(dataset, read)) for dataset in sorted(behind.datasets)
        ]
        nodes = [*dates, *self._hidden(behind.own)]
        steady = all(self._passed(behind.own, n, self.parts.latest(behind.own, n)) for n in nodes)
        return _digest(found) if steady else None

    def steady(self, dataset: str, dates: Sequence[exp.Column]) -> frozenset[str]:
        """The labels of the parts whose dates have all passed: they will say at any later clock what they say now."""
        chunks = self.parts.of(dataset) or ()
        out = {c.label for c in chunks}
        if self.model.datasets[dataset].ahead:
            return frozenset(out)
        for node in [*dates, *self._hidden(dataset)]:
            ranges = self.parts.ranges(dataset, node)
            if ranges is None:
                return frozenset()
            out -= {
                c.label
                for c, r in zip(chunks, ranges, strict=True)
                if r and not self._passed(dataset, node, r[1])
            }
        return frozenset(out)

    def _hidden(self, dataset: str) -> list[exp.Column]:
        """The dates that the clock hides a row, or themselves, by; but for the end of an interval."""
        found = self.model.datasets[dataset]
        if found.ahead:
            return []
        nodes = [found.date, found.valid[0] if found.valid is not None else None]
        return [n for n in dict.fromkeys(nodes) if n is not None]

    # --- how far a measure sees ---------------------------------------------------------------------------------------

    def _own(self, ground: Ground, span: Span, whole: frozenset[str]) -> Reach | str:
        """The measure's own dataset: a reach, or its name where any row may matter."""
        dataset = ground.dataset
        found, backward = self.model.datasets[dataset], any(b.backward for b in ground.behind)
        node = self._moment(ground, found)
        if node is None or dataset in whole or self.parts.ranges(dataset, node) is None:
            return dataset
        if backward:
            dated = ground.timing == "flow" or found.snapshot
            if not dated or node != found.date:
                return dataset
            return Reach(dataset, node, None, span.stop)
        function = ground.measure.function if ground.measure is not None else "count"
        reach = bounds(ground.timing, function, found.snapshot, span)
        return dataset if reach is None else Reach(dataset, node, *reach)

    def _moment(self, ground: Ground, found: ResolvedDataset) -> exp.Column | None:
        if ground.timing == "flow" or found.snapshot:
            return ground.date or found.date
        return found.valid[0] if found.valid is not None else None

    def _other(self, measure: Measure, span: Span, whole: frozenset[str]) -> Reach | str:
        """Where ``converted`` looks for matches: from the span's start until its window has passed, by local days."""
        other = measure.other
        assert other is not None
        node = self.model.datasets[other.dataset].date
        if node is None or other.dataset in whole or self.parts.ranges(other.dataset, node) is None:
            return other.dataset
        window = dt.timedelta(days=other.window.days, seconds=other.window.seconds)
        return Reach(other.dataset, node, _earlier(midnight(span.start), _DAY), span.stop + window + _DAY)

    # --- the rows ---------------------------------------------------------------------------------------------------------

    def _whole(self, dataset: str, read: frozenset[Node]) -> str | None:
        """All rows of a dataset, if all are there at the clock as they will be later."""
        key = ("whole", dataset, self.masked(dataset, read))
        if key not in self._made:
            nodes = [*self._existence(dataset), *self.masked(dataset, read)]
            steady = all(self._passed(dataset, node, self.parts.latest(dataset, node)) for node in nodes)
            self._made[key] = self.parts.content(dataset) if steady else None
        return self._made[key]

    def _within(self, reach: Reach, read: frozenset[Node]) -> str | None:
        """The parts with rows in reach, if those rows are there at the clock as they will be later."""
        nodes = [*self._existence(reach.dataset), *self.masked(reach.dataset, read)]
        nodes = [n for n in nodes if n != reach.node]
        key = ("within", reach, tuple(nodes))
        if key not in self._made:
            self._made[key] = self._of_parts(reach, nodes)
        return self._made[key]

    def _of_parts(self, reach: Reach, nodes: Sequence[exp.Column]) -> str | None:
        chunks, there = self.parts.of(reach.dataset), self.within(reach)
        assert chunks is not None
        for node in nodes:
            if not self._steady(reach.dataset, node, there):
                return None
        tables = self.declaration.datasets[reach.dataset].tables
        return digest(sorted((tables.index(chunks[i].table), chunks[i].part.content) for i in there))

    def _steady(self, dataset: str, node: exp.Column, chunks: Sequence[int]) -> bool:
        """Whether no row of these parts has a date after the clock."""
        ranges = self.parts.ranges(dataset, node)
        if ranges is None:
            return self._passed(dataset, node, self.parts.latest(dataset, node))
        latest = max((r[1] for i in chunks if (r := ranges[i]) is not None), default=LOWEST)
        return self._passed(dataset, node, latest)

    def _passed(self, dataset: str, node: exp.Column, latest: int | None) -> bool:
        return latest is not None and latest <= self._now[self._zoned(dataset, node)]

    def _zoned(self, dataset: str, node: exp.Column) -> bool:
        return self.rows.time_kind(dataset, node) == WithZone

    def _existence(self, dataset: str) -> list[exp.Column]:
        """The date from which a row is there; nothing where the clock hides none."""
        found = self.model.datasets[dataset]
        if found.ahead:
            return []
        node = found.valid[0] if found.valid is not None else found.date
        return [] if node is None else [node]

    def masked(self, dataset: str, read: frozenset[Node]) -> tuple[exp.Column, ...]:
        """The dates that are NULL as long as they lie after the clock, where something reads them as a value."""
        found = self.model.datasets[dataset]
        if found.ahead or found.valid is None:
            return ()
        nodes = [found.valid[1]]
        if found.date is not None and found.date != found.valid[0]:
            nodes.append(found.date)
        return tuple(n for n in dict.fromkeys(nodes) if (dataset, ref_of(n)[1]) in read or ref_of(n)[0])

    def _rates(self, measure: Measure | None) -> str | None:
        rates = self.declaration.rates
        if measure is None or not measure.convert or rates is None:
            return ""
        return self.parts.tables.content(rates.table.source, rates.table.table)


def _earlier(moment: dt.datetime, slack: dt.timedelta) -> dt.datetime | None:
    """None for the beginning of all time."""
    return None if moment.date() <= BEGINNING + 2 * _DAY else moment - slack


def _digest(found: Sequence[_Said]) -> str | None:
    return None if any(said is None for _, _, said in found) else digest(found)
