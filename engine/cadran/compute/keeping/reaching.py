"""How far measures look: the rows of each dataset that can matter to a span, and the parts of tables that hold them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from cadran.compute.keeping.behind import Behind
from cadran.compute.keeping.microseconds import LOWEST, since_epoch
from cadran.compute.keeping.parts import Parts
from cadran.compute.lower import WithZone
from cadran.compute.scanning.rows import RowsBuilder
from cadran.compute.scanning.timing import bounds
from cadran.compute.spans import BEGINNING, Span, midnight
from cadran.formula.graph import Node
from cadran.formula.measures import Measure, ResolvedDataset, Timing

_DAY = dt.timedelta(days=1)
_REACHING = ("new", "retained", "lost")  # functions that look beyond their span


@dataclass(frozen=True, slots=True)
class Reach:
    """Which rows of a dataset matter to a span: those whose ``node`` lies in ``[lower, upper)``, local times."""

    dataset: str
    node: exp.Column
    lower: dt.datetime | None
    upper: dt.datetime


class Ground:
    """What one measure with one set of segments stands on. ``behind``: the measure's, and the segments'."""

    def __init__(
        self, dataset: str, timing: Timing, date: exp.Column | None, measure: Measure | None, behind: Sequence[Behind],
        other: Behind | None,
    ) -> None:  # fmt: skip
        self.dataset, self.timing, self.date, self.measure, self.other = dataset, timing, date, measure, other
        every = [*behind, *([other] if other is not None else [])]
        self.clock = any(b.clock for b in every)
        self.backward = any(b.backward for b in behind)
        self.read: frozenset[Node] = frozenset().union(*(b.columns for b in every))
        self.whole: frozenset[str] = frozenset().union(*(b.whole for b in every))
        self.owns = tuple(b.own for b in every)
        self.datasets: frozenset[str] = frozenset().union(*(b.datasets for b in every))
        self.sight = self._sight()

    def _sight(self) -> Hashable:
        """What tells it from others as far as it looks; most of a scan's grounds are alike."""
        measure, other = self.measure, self.other
        function = measure.function if measure is not None and measure.function in _REACHING else ""
        match = measure.other if measure is not None else None
        window = (
            (match.dataset, match.window, other is not None and other.backward) if match is not None else None
        )
        return self.dataset, self.timing, self.date, function, window, self.whole, self.backward


class Reaching:
    """Finds what a result can see; ``rows`` and ``parts`` are those of one run."""

    def __init__(self, rows: RowsBuilder, parts: Parts) -> None:
        self.rows, self.parts, self.model = rows, parts, rows.model

    def reaches(self, ground: Ground, span: Span) -> tuple[frozenset[str], list[Reach]]:
        """The datasets of which any row may matter to a result over a span, and what matters of the others."""
        whole = ground.whole
        found = [self._own(ground, span, whole)]
        if ground.other is not None and ground.measure is not None:
            found.append(self._other(ground.measure, ground.other, span, whole))
        whole |= {r for r in found if isinstance(r, str)}
        return whole, [r for r in found if isinstance(r, Reach)]

    def within(self, reach: Reach) -> list[int]:
        """The parts of a dataset that have rows in reach, by their numbers."""
        ranges = self.parts.ranges(reach.dataset, reach.node)
        assert ranges is not None
        # Instants against local times: a day is more than any zone is away from UTC, and one part more does no harm.
        slack = _DAY if self.zoned(reach.dataset, reach.node) else _DAY * 0
        begins = None if reach.lower is None else _earlier(reach.lower, slack)
        lower = LOWEST if begins is None else since_epoch(begins)
        upper = since_epoch(reach.upper + slack)
        return [i for i, r in enumerate(ranges) if r is not None and r[0] < upper and r[1] >= lower]

    def _own(self, ground: Ground, span: Span, whole: frozenset[str]) -> Reach | str:
        """The measure's own dataset: a reach, or its name where any row may matter."""
        dataset = ground.dataset
        found, backward = self.model.datasets[dataset], ground.backward
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

    def _other(self, measure: Measure, behind: Behind, span: Span, whole: frozenset[str]) -> Reach | str:
        """Where ``converted`` looks for matches: from the span's start until its window has passed, by local days."""
        other = measure.other
        assert other is not None
        node = self.model.datasets[other.dataset].date
        if node is None or behind.backward or other.dataset in whole:
            return other.dataset
        if self.parts.ranges(other.dataset, node) is None:
            return other.dataset
        window = dt.timedelta(days=other.window.days, seconds=other.window.seconds)
        return Reach(other.dataset, node, _earlier(midnight(span.start), _DAY), span.stop + window + _DAY)

    def zoned(self, dataset: str, node: exp.Column) -> bool:
        return self.rows.time_kind(dataset, node) == WithZone


def _earlier(moment: dt.datetime, slack: dt.timedelta) -> dt.datetime | None:
    """None for the beginning of all time."""
    return None if moment.date() <= BEGINNING + 2 * _DAY else moment - slack
