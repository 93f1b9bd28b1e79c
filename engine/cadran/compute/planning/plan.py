"""Which scans a run needs: every leaf of every KPI placed in a scan that it shares with its like."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from cadran.calendar import Calendar, Grain, Period
from cadran.compute.cells.computed import Request
from cadran.compute.scanning.entities import stands_alone
from cadran.compute.scanning.scan import Scan, Segments
from cadran.compute.spans import Clock, Coverage, Span, plain, span_of
from cadran.formula.graph import Graph, Node
from cadran.formula.measures import At, Leaf, Measure, Model, ResolvedKpi, ResolvedRule, Timing, leaves_in

CoverageOf = Callable[[Measure], Coverage]


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a leaf's values are: scan, measure number, and the span of each period (None: no data there)."""

    scan: Scan
    index: int
    spans: tuple[int | None, ...]
    sets: frozenset[Segments]  # the segment sets that the leaf's dataset can reach
    leaf: Leaf
    of_snapshot: bool = False


@dataclass(slots=True)
class Series:
    """One KPI at one grain: its periods (``first`` counts from where they are output) and its leaves placed."""

    kpi: ResolvedKpi
    grain: Grain
    periods: list[Period]
    first: int
    spans: dict[int, tuple[Span | None, ...]] = field(default_factory=dict)
    leaves: dict[int, Placed] = field(default_factory=dict)
    presence: list[Placed] = field(default_factory=list)
    sets: list[Segments] = field(default_factory=list)
    kept: Mapping[str, Sequence[str]] = field(default_factory=dict)  # segment → values not lumped as (other)
    for_alerts: bool = False  # the history that alert rules are replayed over; nothing of it is output

    @property
    def rules(self) -> tuple[ResolvedRule, ...]:
        return self.kpi.rules if self.for_alerts else ()


class Planner:
    """Collects scans while series are added."""

    def __init__(
        self,
        model: Model,
        calendar: Calendar,
        clock: Clock,
        coverage: CoverageOf,
        settled: Callable[[ResolvedKpi], object],
    ) -> None:
        self.model, self.calendar, self.clock, self.coverage = model, calendar, clock, coverage
        self.settled = settled
        self.scans: dict[tuple[object, ...], Scan] = {}
        self._seen: dict[tuple[object, ...], tuple[Span | None, ...]] = {}
        self._made = 0

    def new_scans(self) -> list[Scan]:
        """The scans that were added since this was last asked."""
        found = list(self.scans.values())[self._made :]
        self._made = len(self.scans)
        return found

    def add(self, series: Series) -> None:
        kpi = series.kpi
        by_content = {tuple(sorted(s)): s for s in reversed(kpi.kpi.segments) if s}
        series.sets = [(), *(s for s in kpi.kpi.segments if s and by_content[tuple(sorted(s))] is s)]
        trees: list[exp.Expr | None] = [kpi.value, kpi.base, kpi.previous, kpi.year_ago]
        trees += [t for target in kpi.targets for t in (target.value, target.low, target.high)]
        trees += [t for rule in series.rules for t in (rule.when, rule.clear)]
        for tree in trees:
            for number in leaves_in(tree):
                if number not in series.leaves:
                    series.leaves[number] = self._place(self.model.leaves[number], series, number)
        if len(series.sets) > 1:
            for number in leaves_in(kpi.value):
                leaf = self.model.leaves[number]
                if not leaf.total:
                    series.presence.append(self._presence(leaf, series))

    def _place(self, leaf: Leaf, series: Series, number: int) -> Placed:
        sets = self._reachable(leaf, series)
        scan, index = self._scan(leaf.measure, series, sets)
        spans = series.spans[number] = self._spans(leaf, series)
        numbers = tuple(None if span is None else scan.number(span) for span in spans)
        snapshot = self.model.datasets[leaf.measure.dataset].snapshot and leaf.measure.timing != "flow"
        return Placed(scan, index, numbers, sets, leaf, snapshot)

    def _spans(self, leaf: Leaf, series: Series) -> tuple[Span | None, ...]:
        """What a leaf sees in each period, None where no data covers it; the same for all leaves that are alike in it."""
        measure, covered = leaf.measure, self.coverage(leaf.measure)
        until = self.settled(series.kpi) if any(isinstance(t, At) for t in leaf.transforms) else None
        compares = measure.function in ("retained", "lost") and measure.timing == "flow"
        key = (series.grain, series.periods[0], series.periods[-1], leaf.transforms, covered, compares, until)
        if key not in self._seen:
            found = (
                span_of(p, leaf.transforms, self.calendar, self.clock, until)  # type: ignore[arg-type]
                for p in series.periods
            )
            self._seen[key] = tuple(
                span
                if span is not None and self._covers(covered, span, series.grain, compares=compares)
                else None
                for span in found
            )
        return self._seen[key]

    def _covers(self, covered: Coverage, span: Span, grain: Grain, *, compares: bool) -> bool:
        if not covered.covers(span, grain, self.calendar, self.clock):
            return False
        if compares and covered.first is not None:
            # The first covered period has no neighbour to compare with.
            return grain is not Grain.ALL and span.before >= self.calendar.period(grain, covered.first).start
        return True

    def _reachable(self, leaf: Leaf, series: Series) -> frozenset[Segments]:
        if leaf.total:
            return frozenset({()})
        dataset = leaf.measure.dataset
        return frozenset(
            s for s in series.sets if all((name, dataset) in self.model.dimensions for name in s)
        )

    def _scan(self, measure: Measure, series: Series, sets: frozenset[Segments]) -> tuple[Scan, int]:
        alone = measure if stands_alone(measure) else None
        scan = self._get(measure, measure.timing, series, alone, sets, measure)
        return scan, scan.measure(measure)

    def _get(
        self,
        measure: Measure,
        timing: Timing,
        series: Series,
        alone: Measure | None,
        sets: frozenset[Segments],
        asks: Measure | None,
    ) -> Scan:
        """The scan that this measure shares with its like; ``asks`` is None for the rows alone."""
        kept = {name: tuple(values) for name, values in series.kept.items() if any(name in s for s in sets)}
        second_pass = series.kpi.kpi.name if series.kept else ""
        key = (measure.dataset, timing, series.grain, measure.date, alone, second_pass)
        if key not in self.scans:
            date = measure.date
            assert date is None or isinstance(date, exp.Column)
            self.scans[key] = Scan(
                f"scan_{len(self.scans) + 1}", measure.dataset, timing, str(series.grain), date, kept=kept
            )
        scan = self.scans[key]
        canonical = sorted({tuple(sorted(s)) for s in sets})
        scan.sets += [s for s in canonical if s not in scan.sets]
        scan.asked.setdefault(asks, {()}).update(canonical)
        return scan

    def _presence(self, leaf: Leaf, series: Series) -> Placed:
        """Which segment values have rows in the output's periods, whatever the measure's own filter."""
        measure = leaf.measure
        flow = measure.timing == "flow" or self.model.datasets[measure.dataset].snapshot
        sets = self._reachable(leaf, series)
        scan = self._get(measure, "flow" if flow else "during", series, None, sets, None)
        spans = [scan.number(plain(p, self.calendar, self.clock)) for p in series.periods[series.first :]]
        return Placed(scan, -1, tuple(spans), sets, leaf)


def measures_of(model: Model, kpis: Sequence[ResolvedKpi]) -> list[Measure]:
    """All measures behind KPIs: values, targets and alert conditions, each once."""
    numbers: dict[int, None] = {}
    for kpi in kpis:
        trees = [kpi.value, kpi.base, kpi.previous, kpi.year_ago]
        trees += [t for target in kpi.targets for t in (target.value, target.low, target.high)]
        trees += [t for rule in kpi.rules for t in (rule.when, rule.clear)]
        for tree in trees:
            numbers.update(dict.fromkeys(leaves_in(tree)))
    return list(dict.fromkeys(model.leaves[n].measure for n in numbers))


def datasets_behind(model: Model, measures: Sequence[Measure]) -> set[str]:
    """All datasets that measures rest on, over links and lookups."""
    return {dataset for dataset, _ in columns_behind(model, measures)}


def columns_behind(model: Model, measures: Sequence[Measure], more: Iterable[Node] = ()) -> set[Node]:
    """All columns that measures, and ``more`` columns, rest on; the empty name stands for which rows of a dataset exist."""
    graph = Graph(model.datasets, model.lookups)
    todo: list[Node] = [*more, *((m.dataset, "") for m in measures)] + [
        (m.other.dataset, "") for m in measures if m.other
    ]
    for measure in measures:
        for part in measure.expressions():
            todo += graph.uses(measure.dataset, part)
        # A currency is looked at where nothing converts, too.
        if measure.money is not None and measure.money.column is not None:
            todo += graph.uses(measure.dataset, measure.money.column)
        if measure.other:
            todo += graph.uses(measure.other.dataset, measure.other.key)
        for (_, dataset), path in model.dimensions.items():
            if dataset == measure.dataset:
                todo += graph.uses(dataset, path)
    return closure(graph, todo)


def closure(graph: Graph, nodes: Iterable[Node]) -> set[Node]:
    """These columns and all that they rest on."""
    todo, seen = list(nodes), set[Node]()
    while todo:
        node = todo.pop()
        if node not in seen:
            seen.add(node)
            todo += [*graph.depends(node), (node[0], "")]
    return seen


def columns_of(model: Model, request: Request) -> set[Node]:
    """All columns that a request rests on."""
    kpis = [model.kpis[name] for name in (*request.kpis, *request.behind)]
    listed: list[Node] = [(x.dataset, name) for x in request.listings.values() for name in x.used]
    graph = Graph(model.datasets, model.lookups)
    for listing in request.listings.values():
        for part in listing.expressions:
            listed += graph.uses(listing.dataset, part)
    return columns_behind(model, measures_of(model, kpis)) | closure(graph, listed)
