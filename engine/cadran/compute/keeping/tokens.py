"""Tokens: digests of the rows that a result rests on, without those that cannot matter to it.

What is dated within a span comes from the parts of a table whose dates overlap it; a new part touches no other span.
Where a measure looks beyond its span the reach is longer, and where nothing can be proven it is the whole dataset. A
result that the run's clock could change has no token: it is not kept.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlglot import exp

from cadran.compute.keeping.behind import Behind
from cadran.compute.keeping.changes import UNSURE
from cadran.compute.keeping.microseconds import LOWEST, since_epoch
from cadran.compute.keeping.reaching import Ground, Reach, Reaching
from cadran.compute.spans import Span, midnight
from cadran.declare.model import Declaration
from cadran.formula.graph import Node
from cadran.formula.measures import Measure, ref_of
from cadran.formula.vocabulary import word_of
from cadran.state.index import digest

LENIENT = "~"  # begins the token of a result that may rest on rows which have changed since
_Said = tuple[str, str, str | None]  # how a dataset is rested on, which one, and what tells its rows


class Tokens:
    """Tokens at one run's clock, each worked out once."""

    def __init__(self, declaration: Declaration, reaching: Reaching) -> None:
        self.declaration, self.reaching, self.parts = declaration, reaching, reaching.parts
        self.model, self.clock = reaching.model, reaching.rows.clock
        self._now = {False: since_epoch(self.clock.local), True: since_epoch(self.clock.instant)}
        self._made: dict[object, str | None] = {}
        self._likes: dict[Ground, object] = {}

    def token(self, ground: Ground, span: Span, *, all_time: bool = False) -> str | None:
        """The token of a result over a span (``all_time``: of the period ``all``), None if it must not be kept."""
        if ground.clock:
            return None
        if all_time:
            return self._all_time(ground)
        key = ("token", self._like(ground), span)
        if key not in self._made:
            self._made[key] = self._token(ground, span)
        return self._made[key]

    def _like(self, ground: Ground) -> object:
        """What tells a ground from others as far as tokens go; most of a scan's are alike."""
        if ground not in self._likes:
            masked = tuple((d, self.masked(d, ground.read)) for d in sorted(ground.datasets))
            converts = ground.measure is not None and ground.measure.convert
            self._likes[ground] = (ground.sight, masked, converts)
        return self._likes[ground]

    def _token(self, ground: Ground, span: Span) -> str | None:
        whole, reaches = self.reaching.reaches(ground, span)
        old = {d for d in (*whole, *(r.dataset for r in reaches)) if self._left_alone(d, span)}
        found = self._rests(ground, whole - old)
        found += [
            ("within", reach.dataset, self._within(reach, ground.read))
            for reach in reaches
            if reach.dataset not in old
        ]
        told = _digest([*found, *(("left alone", dataset, "") for dataset in sorted(old))])
        return f"{LENIENT}{told}" if told is not None and old else told

    def _left_alone(self, dataset: str, span: Span) -> bool:
        """Whether changes of the rows behind a span are no longer looked at (``restate:``)."""
        since = self.restated_since(dataset)
        return since is not None and midnight(span.end) <= since

    def restated_since(self, dataset: str) -> dt.datetime | None:
        """What ended before is not restated; None where everything is."""
        restate = self.declaration.datasets[dataset].restate
        if restate is None:
            return None
        return self.clock.local - dt.timedelta(days=restate.days, seconds=restate.seconds)

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
        return _digest(self._rests(ground, ground.whole | set(ground.owns)))

    def _rests(self, ground: Ground, whole: frozenset[str]) -> list[_Said]:
        found: list[_Said] = [("whole", d, self._whole(d, ground.read)) for d in sorted(whole)]
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
        chunks, there = self.parts.of(reach.dataset), self.reaching.within(reach)
        assert chunks is not None
        if any(chunks[i].part.content == UNSURE for i in there):
            return None
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
        return latest is not None and latest <= self._now[self.reaching.zoned(dataset, node)]

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


def _digest(found: Sequence[_Said]) -> str | None:
    return None if any(said is None for _, _, said in found) else digest(found)
