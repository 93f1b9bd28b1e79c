"""What can be wrong with names that are all known: circles, periods that are too fine, segments out of reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from sqlglot import exp

from cadran.calendar import Grain
from cadran.declare.document import Place
from cadran.declare.model import Dataset, Declaration, Kpi, TargetCase
from cadran.formula.graph import Circle, Graph
from cadran.formula.measures import (
    INTERVAL_TIMINGS,
    Leaf,
    Lookup,
    ResolvedDataset,
    ResolvedKpi,
    ResolvedTarget,
    Rolling,
    ToDate,
    leaves_in,
    ref_of,
)  # fmt: skip
from cadran.formula.money import rates_hint
from cadran.formula.percents import percent_slips
from cadran.formula.vocabulary import word_of
from cadran.problems import Position, Problem, listed

Dimension = Callable[[str, str], exp.Column | None]

_TO_DATE_GRAINS = {
    "mtd": {Grain.DAY, Grain.WEEK},
    "qtd": {Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER},
    "ytd": {Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR},
    "fytd": {Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.FISCAL_QUARTER, Grain.FISCAL_YEAR},
}


def check_datasets(
    declaration: Declaration, datasets: Mapping[str, ResolvedDataset], lookups: Mapping[str, Lookup]
) -> list[Problem]:
    """Circles among derived columns, links whose columns do not fit the key, rows that rest on a window."""
    graph = Graph(datasets, lookups)
    problems: list[Problem] = []
    for dataset in declaration.datasets.values():
        problems += _histories(dataset, declaration)
        windows = list(_existence(dataset, datasets[dataset.name]))
        problems += windows
        problems += _circles(dataset, graph, known=bool(windows))
    return problems


def check_segment_names(declaration: Declaration) -> Iterator[Problem]:
    """Columns match without regard to case, so two spellings of a segment would be one segment twice."""
    seen: dict[str, str] = {name.casefold(): name for name in declaration.segments}
    for kpi in declaration.kpis.values():
        for segments, place in zip(kpi.segments, kpi.segment_places, strict=True):
            for segment in segments:
                first = seen.setdefault(segment.casefold(), segment)
                if first != segment:
                    message = f"segment '{segment}' is written '{first}' elsewhere"
                    yield Problem(
                        "segment-case", message, place.position(), kpi.name, f"write '{first}' here as well"
                    )


def _circles(dataset: Dataset, graph: Graph, *, known: bool) -> Iterator[Problem]:
    """Circles; with ``known`` not those over which rows exist, which have been reported as what they are."""
    for name, text in [*dataset.columns.items(), ("", dataset.where or dataset.date)]:
        if text is None:
            continue
        try:
            graph.level((dataset.name, name))
        except Circle as circle:
            subject = f"datasets.{dataset.name}" + (f".columns.{name}" if name else "")
            if known and any(not column for _, column in circle.path):
                continue
            if circle.path[0] == (dataset.name, name):
                yield Problem(
                    "cycle",
                    f"it rests on itself: {circle}",
                    text.place.position(0, len(text.value)),
                    subject,
                    "break the circle",
                )


def _existence(dataset: Dataset, resolved: ResolvedDataset) -> Iterator[Problem]:
    """``where`` and ``date`` decide which rows exist; a window function over those rows cannot decide it."""
    for what, text, node in (("where", dataset.where, resolved.where), ("date", dataset.date, resolved.date)):
        if text is None or node is None:
            continue
        for column in node.find_all(exp.Column):
            path, name = ref_of(column)
            derived = resolved.derived.get(name) if not path else None
            if derived is not None and derived.find(exp.Window):
                yield Problem(
                    "window-decides-rows",
                    f"'{what}' rests on the window function in '{name}'",
                    text.place.position(),
                    f"datasets.{dataset.name}",
                    "a window function sees the rows that exist, so it cannot decide which do",
                )


def _histories(dataset: Dataset, declaration: Declaration) -> Iterator[Problem]:
    """A link to a history (all of an interval dataset's key but the start) is followed at this row's date."""
    for link in dataset.links.values():
        target = declaration.datasets.get(link.to)
        if target is not None and 0 < len(link.columns) < len(target.key) and dataset.date is None:
            yield Problem(
                "no-date",
                f"a link to the history in '{link.to}' needs this dataset's date",
                link.place.position(),
                f"datasets.{dataset.name}.links.{link.name}",
                f"declare 'date:' under datasets.{dataset.name}",
            )


def check_kpi(
    resolved: ResolvedKpi, declaration: Declaration, leaves: Sequence[Leaf], dimension: Dimension
) -> list[Problem]:
    """Problems of one KPI whose names are all known."""
    used = [leaves[n] for n in leaves_in(resolved.value)]
    problems = [
        *_segments(resolved, used, dimension),
        *_grains(resolved, declaration, used),
        *_spans(resolved, used),
        *_snapshot_sums(resolved, declaration, used),
        *_targets(resolved, leaves),
        *_rules(resolved),
        *_currencies(resolved, declaration, used),
        *_units(resolved),
        *percent_slips(resolved.kpi),
        *_in_period(resolved, declaration, used),
        *_changed_in_place(resolved, declaration, used),
    ]
    return list(dict.fromkeys(problems))


def _segments(resolved: ResolvedKpi, used: Sequence[Leaf], dimension: Dimension) -> Iterator[Problem]:
    kpi = resolved.kpi
    for segments, place in zip(kpi.segments, kpi.segment_places, strict=True):
        for segment in segments:
            for name in dict.fromkeys(leaf.measure.dataset for leaf in used if not leaf.total):
                if dimension(segment, name) is None:
                    yield Problem(
                        "segment-out-of-reach",
                        f"segment '{segment}' cannot be reached from dataset '{name}'",
                        place.position(),
                        kpi.name,
                        f"say where it lives: segments: {{{segment}: {{{name}: …}}}}",
                    )


def _grains(resolved: ResolvedKpi, declaration: Declaration, used: Sequence[Leaf]) -> Iterator[Problem]:
    kpi = resolved.kpi
    for leaf in used:
        dataset = declaration.datasets[leaf.measure.dataset]
        dated = (
            dataset.date is not None
            or leaf.measure.date is not None
            or leaf.measure.timing in INTERVAL_TIMINGS
        )
        if not dated and leaf.measure.function in ("new", "retained", "lost"):
            yield Problem(
                "no-date",
                f"{leaf.measure.function}() needs a date, and dataset '{dataset.name}' has none",
                resolved.parsed.position(),
                kpi.name,
                f"declare 'date:' under datasets.{dataset.name}",
            )
        for grain in kpi.periods:
            if not dated and grain is not Grain.ALL:
                yield Problem(
                    "no-date",
                    f"dataset '{dataset.name}' has no date, so it has no value by {grain}",
                    _child(kpi.place, "period"),
                    kpi.name,
                    f"use 'period: all', or declare 'date:' under datasets.{dataset.name}",
                )
            if dataset.grain and grain.rank < dataset.grain.rank and leaf.measure.date is None:
                yield Problem(
                    "too-fine",
                    f"dataset '{dataset.name}' holds one row a {dataset.grain}, too coarse for {grain}",
                    _child(kpi.place, "period"),
                    kpi.name,
                    f"use 'period: {dataset.grain}' or coarser",
                )


def _spans(resolved: ResolvedKpi, used: Sequence[Leaf]) -> Iterator[Problem]:
    kpi = resolved.kpi
    for leaf in used:
        for transform in leaf.transforms:
            for grain in kpi.periods:
                if isinstance(transform, ToDate) and grain not in _TO_DATE_GRAINS[transform.unit]:
                    fits = ", ".join(g for g in Grain if g in _TO_DATE_GRAINS[transform.unit])
                    yield Problem(
                        "to-date-too-short",
                        f"{transform.unit}() has no meaning by {grain}",
                        resolved.parsed.position(),
                        kpi.name,
                        f"it works by {fits}",
                    )
                if isinstance(transform, Rolling) and grain is Grain.ALL:
                    yield Problem(
                        "no-rolling",
                        "rolling() has no meaning for 'all'",
                        resolved.parsed.position(),
                        kpi.name,
                        "name a period such as month",
                    )


def _snapshot_sums(
    resolved: ResolvedKpi, declaration: Declaration, used: Sequence[Leaf]
) -> Iterator[Problem]:
    for leaf in used:
        measure = leaf.measure
        stock = declaration.datasets[measure.dataset].snapshot and measure.timing == "flow"
        if stock and measure.function in ("sum", "count"):
            origin = measure.origin
            yield Problem(
                "stock-summed",
                f"{measure.function}() of the snapshots in '{measure.dataset}' adds the same stock many times over",
                origin.parsed.position(origin.node),
                resolved.kpi.name,
                f"write closing({measure.function}(…)) or opening({measure.function}(…))",
            )


def _targets(resolved: ResolvedKpi, leaves: Sequence[Leaf]) -> Iterator[Problem]:
    """Constants of a KPI that adds up: one cannot fit several lengths of time, and hardly the total and its parts."""
    kpi = resolved.kpi
    constants = [target.case for target in resolved.targets if _is_constant(target)]
    if not constants or not additive(resolved.value, leaves):
        return
    for case in constants:
        if len(kpi.periods) > 1 and case.grain is None and case.value is not None:
            yield Problem(
                "target-grain",
                f"one constant cannot be the target of {' and '.join(kpi.periods)} alike",
                case.place.position(),
                kpi.name,
                f"say which it is for: {{grain: {kpi.periods[0]}, value: …}}",
            )
    if kpi.segments and all(target.case.segment is None for target in resolved.targets):
        yield _for_each(kpi, constants[0])


def _is_constant(target: ResolvedTarget) -> bool:
    return not any(leaves_in(tree) for tree in (target.value, target.low, target.high) if tree is not None)


def _for_each(kpi: Kpi, case: TargetCase) -> Problem:
    """A target of the whole that each part is held against as well."""
    segments = listed(list(dict.fromkeys(name for names in kpi.segments for name in names)))
    message = f"every value of {segments} is judged by this target too, not only the total"
    written = f"value: {case.value.value}" if case.value is not None else "between: […]"
    hint = (
        f"for the total alone write {{segment: total, {written}}}; "
        f"if each is to reach it, [{{segment: total, {written}}}, {{{written}}}]"
    )
    return Problem("target-for-each", message, case.place.position(), kpi.name, hint, "warning")


def additive(tree: exp.Expr, leaves: Sequence[Leaf]) -> bool:
    """Whether a quarter's value is the sum of its months': sums and counts of events, added and scaled."""
    if tree.find(exp.Div) is not None and any(leaves_in(d.expression) for d in tree.find_all(exp.Div)):
        return False
    measures = [leaves[n] for n in leaves_in(tree)]
    return all(
        m.measure.function in ("sum", "count", "converted", "new")
        and m.measure.timing in ("flow", "started", "ended")
        and not m.transforms
        for m in measures
    )


def _rules(resolved: ResolvedKpi) -> Iterator[Problem]:
    kpi = resolved.kpi
    uses_target = any(
        c.name == "target"
        for r in resolved.rules
        for t in (r.when, r.clear)
        if t
        for c in t.find_all(exp.Column)
    )
    if uses_target and not kpi.targets:
        yield Problem(
            "no-target",
            "the alert compares with a target, and the KPI has none",
            kpi.alerts[0].place.position(),
            f"{kpi.name}.alert",
            "add 'target:'",
        )


def _currencies(resolved: ResolvedKpi, declaration: Declaration, used: Sequence[Leaf]) -> Iterator[Problem]:
    kpi = resolved.kpi
    codes: dict[str, Leaf] = {}
    for leaf in used:
        money = leaf.measure.money
        if money is not None and (leaf.measure.convert or money.code):
            codes.setdefault(declaration.currency if leaf.measure.convert else money.code, leaf)
    if len(codes) > 1 and not declaration.rates:
        yield Problem(
            "currencies",
            f"the formula mixes {' and '.join(codes)}",
            resolved.parsed.position(),
            kpi.name,
            rates_hint(declaration),
        )
    unit = kpi.unit
    if len(unit) == 3 and unit.isupper() and codes and unit not in codes:
        hint = (
            "declare 'rates:' and 'currency:' to convert"
            if not declaration.rates
            else f"amounts are converted into {declaration.currency}; use that unit"
        )
        yield Problem(
            "currencies",
            f"the amounts are in {' and '.join(codes)}, the unit says {unit}",
            _child(kpi.place, "unit"),
            kpi.name,
            hint,
        )


_LIKE_UNITS = {
    "pourcent": "percent", "pourcentage": "percent", "pct": "percent", "percentage": "percent", "%": "percent",
    "euro": "EUR", "euros": "EUR", "€": "EUR", "eur": "EUR", "dollar": "USD", "dollars": "USD", "$": "USD", "usd": "USD",
    "jour": "days", "jours": "days", "day": "days",
}  # fmt: skip


def _units(resolved: ResolvedKpi) -> Iterator[Problem]:
    """Units that look like ones with a meaning."""
    kpi = resolved.kpi
    meant = _LIKE_UNITS.get(kpi.unit.casefold())
    if meant and meant != kpi.unit:
        where = _child(kpi.place, "unit")
        hint = f"write '{meant}' to have the numbers written so"
        yield Problem("unit", f"'{kpi.unit}' is only a word", where, kpi.name, hint, "warning")


def _in_period(resolved: ResolvedKpi, declaration: Declaration, used: Sequence[Leaf]) -> Iterator[Problem]:
    for leaf in used:
        condition = leaf.measure.condition
        if condition is None:
            continue
        for node in condition.find_all(exp.Anonymous):
            if word_of(node) != "in_period" or not isinstance(node.expressions[0], exp.Column):
                continue
            path, name = ref_of(node.expressions[0])
            if not path and name not in declaration.datasets[leaf.measure.dataset].columns:
                origin = leaf.measure.origin
                yield Problem(
                    "in-period-or-dated",
                    f"in_period({name}) narrows within the measure's own date",
                    origin.parsed.position(origin.node),
                    resolved.kpi.name,
                    f"to count by {name} instead, write dated(…, {name})",
                    "warning",
                )


def _changed_in_place(
    resolved: ResolvedKpi, declaration: Declaration, used: Sequence[Leaf]
) -> Iterator[Problem]:
    """A row that holds over time shows today's columns for past periods as well."""
    for leaf in used:
        measure = leaf.measure
        dataset = declaration.datasets[measure.dataset]
        if (
            measure.timing not in ("opening", "closing", "during", "gone", "kept")
            or dataset.snapshot
            or measure.condition is None
        ):
            continue
        fixed = {t.value for t in (*dataset.key, dataset.date) if t} | (
            {dataset.valid.start.value, dataset.valid.end.value} if dataset.valid else set()
        )
        for column in measure.condition.find_all(exp.Column):
            path, name = ref_of(column)
            if not path and name not in fixed and name not in dataset.columns:
                origin = measure.origin
                yield Problem(
                    "todays-column",
                    f"'{name}' is today's value in past periods too",
                    origin.parsed.position(origin.node),
                    resolved.kpi.name,
                    f"if '{name}' changes while a row of '{dataset.name}' holds, keep its history in a dataset of its own",
                    "warning",
                )


def _child(place: Place, key: str) -> Position:
    """The position of one of the KPI's keys, or of the KPI."""
    data = place.document.data
    for step in place.path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return place.position()
    return place.child(key).position() if isinstance(data, dict) and key in data else place.position()
