"""``cadran explain``: how a KPI is computed, for somebody who reads SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import exp

from cadran.calendar import Grain
from cadran.compute.results import Results, Reuse, Row
from cadran.declare.model import Dataset, Declaration
from cadran.formula.functions import brought_by, readable
from cadran.formula.measures import At, Leaf, Model, ResolvedKpi, Rolling, Shift, ToDate, YearAgo, leaves_in
from cadran.problems import listed
from cadran.publish.figures import noted
from cadran.publish.messages import catalogue
from cadran.publish.scanned import in_all


def explain(
    declaration: Declaration, model: Model, name: str, results: Results, *, analyze: bool = False
) -> str:
    """Plain text: formula, measures, datasets and their links, segments, the newest period's bounds, the SQL."""
    resolved = model.kpis[name]
    leaves = [model.leaves[n] for n in leaves_in(resolved.value)]
    lines = [f"{name}  ({resolved.parsed.position()})", f"  formula   {resolved.kpi.formula.value.strip()}"]
    lines += _measures(leaves)
    lines += _datasets(declaration, leaves)
    lines += _segments(model, resolved, leaves)
    lines += _functions(model, resolved, leaves)
    lines += _targets(resolved)
    lines += _periods(declaration, results, name)
    lines += _kept(results)
    if analyze:
        lines += ["", *_measured(results)]
    lines += ["", "SQL, as it ran (tables named scan_… hold the answer of the scan of that name)"]
    for statement, sql in results.statements.items():
        lines += ["", f"-- {_title(statement)}", sql if sql.startswith("--") else f"{sql};"]
    return "\n".join(lines)


def _kept(results: Results) -> Iterator[str]:
    """What a run takes from earlier ones, by scan, and what keeps it from being taken."""
    scans: dict[str, list[Reuse]] = {}
    for reuse in results.reuse:
        scans.setdefault(reuse.scan, []).append(reuse)
    texts = []
    for scan, parts in scans.items():
        kept, made, passing = (sum(len(getattr(p, n)) for p in parts) for n in ("kept", "made", "passing"))
        text = f"{scan} on {parts[0].dataset}: {kept} of {kept + made} results come from earlier runs"
        untold = sorted({dataset for part in parts for dataset in part.untold})
        why = (
            f"nothing tells whether rows of {listed(untold)} have changed: declare 'changed:', 'immutable:' or 'restate:' there"
            if untold
            else "their periods are not over for good, or the clock may change them"
        )
        texts.append(f"{text}, {passing} are made in every run: {why}" if passing else text)
    texts += [noted(catalogue("en"), n.kind, n.dataset, n.since) for n in results.notes]
    for index, text in enumerate(texts):
        yield f"  {'kept      ' if index == 0 else '          '}{text}"


def _measured(results: Results) -> Iterator[str]:
    """A line for each statement, the dearest first: rows that it gave, the bytes of those that travelled from a source,
    and of one that ran here the rows of sources' tables that it read, and the bytes of files."""
    yield f"{'what it took':<40} {'where':<16} {'ms':>9} {'rows':>10} {'bytes':>12} {'rows read':>12} {'bytes read':>13}"
    for found in sorted(results.measured, key=lambda m: -m.seconds):
        size, scanned, read = (f"{n:,}" if n else "" for n in (found.bytes, found.scanned, found.read))
        where = found.place or "here"
        line = f"{found.name[:40]:<40} {where[:16]:<16} {found.seconds * 1000:>9,.1f} {found.rows:>10,} {size:>12} {scanned:>12} {read:>13}"
        yield line.rstrip()
    yield f"in all, with the examination of the data: {in_all(results.scanned)}"


def _functions(model: Model, resolved: ResolvedKpi, leaves: list[Leaf]) -> Iterator[str]:
    """The functions of plugins that stand in the formula or in what its measures rest on, each with its meaning."""
    trees = [resolved.value, *(part for leaf in leaves for part in leaf.measure.expressions())]
    for leaf in leaves:
        found = model.datasets[leaf.measure.dataset]
        used = {c.name for part in leaf.measure.expressions() for c in part.find_all(exp.Column)}
        trees += [node for name, node in found.derived.items() if name in used]
        trees += [found.where] if found.where is not None else []
    called = [one for tree in trees for one in model.functions.in_tree(tree)]
    written = resolved.kpi.formula.value
    called += [one for one in model.functions if one.short and re.search(rf"\b{one.name}\s*\(", written)]
    for index, one in enumerate(dict.fromkeys(called)):
        head = "functions " if index == 0 else "          "
        meaning = one.function.formula or one.function.sql["duckdb"]
        yield f"  {head}{one.function.signature}  of {one.where_from}: {meaning}"


def _title(name: str) -> str:
    if name.endswith("_periods"):
        return f"{name}: the spans of time that {name.removesuffix('_periods')} is computed over, from start until before stop"
    if name.startswith("frame_"):
        return f"{name}: the periods, and which span each measure sees there"
    for part, what in _STEPS.items():
        if part in name:
            return f"{name}: {what}"
    return name if name.startswith("scan_") or "." in name else f"{name}: the scans combined"


_STEPS = {  # the steps that several scans share, by what their names hold
    "_from_to": "the stretches of time that all spans are made of",
    "_days_": "the stretch that each day belongs to",
    "_cells_": "rows reduced once, to stretches and segments; the scans are rolled up from it",
    "_seen_": "who was seen in which stretch",
    "_entities_": "rows reduced to entities and stretches",
    "_having_": "rows reduced to entities and spans",
    "_values": "the values, counted",
    "_stretches": "the stretches of each span",
    "_members_": "the segments of each entity",
    "_segments_": "the segments behind a link",
}


def _measures(leaves: list[Leaf]) -> Iterator[str]:
    for index, leaf in enumerate(leaves):
        head = "measures  " if index == 0 else "          "
        yield f"  {head}{measure_written(leaf)}  on {leaf.measure.dataset}{_over(leaf)}"


def _over(leaf: Leaf) -> str:
    over = [_transform(t) for t in leaf.transforms] + ["without the segment"] * leaf.total
    return "".join(f", {part}" for part in over)


def measure_named(leaf: Leaf) -> str:
    """A measure as it stands in its formula, and over which time it is seen."""
    return f"{measure_written(leaf)}{_over(leaf)}"


def measure_written(leaf: Leaf) -> str:
    """A measure as it stands in its formula, on one line; one that a plugin's function has brought, as it would stand there."""
    node = leaf.measure.origin.node
    if brought_by(node):
        return readable(node.parent if isinstance(node.parent, exp.Filter) else node)
    return " ".join(leaf.measure.origin.parsed.source.text.value[slice(*_written(leaf))].split())


def _written(leaf: Leaf) -> tuple[int, int]:
    """Where a measure stands in its formula's text, brackets included."""
    parsed, node = leaf.measure.origin.parsed, leaf.measure.origin.node
    from cadran.formula.parse import span

    spans = [s for s in (span(n) for n in node.walk()) if s]
    start = parsed.source.written(min(s[0] for s in spans))
    end = parsed.source.written(max(s[1] for s in spans)) + 1
    text = parsed.source.text.value
    while text[start:end].count("(") > text[start:end].count(")") and end < len(text):
        end += 1
    return start, _with_filter(text, end)


def _with_filter(text: str, end: int) -> int:
    """The end of the ``filter (where …)`` that follows a measure, or that of the measure."""
    follows = re.match(r"\s*filter\s*\(", text[end:], re.IGNORECASE)
    if follows is None:
        return end
    depth, at = 1, end + follows.end()
    while depth and at < len(text):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
    return at


def _transform(transform: object) -> str:
    match transform:
        case Shift(count):
            return "one period earlier" if count < 0 else "one period later"
        case YearAgo():
            return "a year earlier"
        case Rolling(count):
            return f"over {count} periods"
        case ToDate(unit):
            return {
                "mtd": "since the month began",
                "qtd": "since the quarter began",
                "ytd": "since the year began",
            }.get(unit, "since the fiscal year began")
        case At(day, name):
            return f"at milestone {name} ({day})"
    return ""


def _datasets(declaration: Declaration, leaves: list[Leaf]) -> Iterator[str]:
    names = dict.fromkeys(
        n
        for leaf in leaves
        for n in (leaf.measure.dataset, *([leaf.measure.other.dataset] if leaf.measure.other else []))
    )
    for index, name in enumerate(names):
        head = "datasets  " if index == 0 else "          "
        yield f"  {head}{_dataset(declaration.datasets[name])}"
        for link in declaration.datasets[name].links.values():
            yield f"              {', '.join(c.value for c in link.columns)} → {link.to}" + (
                f" (as {link.name})" if link.name != link.to else ""
            )


def _dataset(dataset: Dataset) -> str:
    parts = [f"{dataset.name} = {' + '.join(f'{t.source}.{t.table}' for t in dataset.tables)}"]
    if dataset.where:
        parts.append(f"where {dataset.where.value}")
    if dataset.key:
        parts.append(f"key {', '.join(k.value for k in dataset.key)}")
    if dataset.date:
        parts.append(f"dated by {dataset.date.value}")
    if dataset.valid:
        parts.append(f"valid from {dataset.valid.start.value} to {dataset.valid.end.value}")
    if dataset.settle:
        parts.append(f"final {dataset.settle} after the period")
    return ", ".join(parts)


def _segments(model: Model, resolved: ResolvedKpi, leaves: list[Leaf]) -> Iterator[str]:
    names = dict.fromkeys(s for segments in resolved.kpi.segments for s in segments)
    for index, name in enumerate(names):
        places = dict.fromkeys(leaf.measure.dataset for leaf in leaves if not leaf.total)
        where = ", ".join(f"{d}.{_path(model, name, d)}" for d in places)
        yield f"  {'segments  ' if index == 0 else '          '}{name}: {where}"


def _path(model: Model, segment: str, dataset: str) -> str:
    from cadran.formula.measures import ref_of

    path, column = ref_of(model.dimensions[segment, dataset])
    return ".".join([*path, column])


def _targets(resolved: ResolvedKpi) -> Iterator[str]:
    for index, target in enumerate(resolved.kpi.targets):
        case = target
        value = (
            case.value.value
            if case.value
            else f"between {case.low.value if case.low else ''} and {case.high.value if case.high else ''}"
        )
        fits = [
            f"segment {case.segment}" if isinstance(case.segment, str) else ", ".join(f"{k} = {v}" for k, v in (case.segment or {}).items()),
            f"by {case.grain}" if case.grain else "", f"in {case.period.value}" if case.period else "", f"since {case.since}" if case.since else "",
        ]  # fmt: skip
        when = ", ".join(f for f in fits if f)
        yield f"  {'target    ' if index == 0 else '          '}{value}{f'  for {when}' if when else ''}"


def _periods(declaration: Declaration, results: Results, name: str) -> Iterator[str]:
    """The newest final period of each grain (or the newest at all), with its bounds as instants."""
    newest: dict[str, Row] = {}
    for row in results.rows:
        if row.kpi == name and not row.segment and (row.grain not in newest or row.state == "final"):
            newest[row.grain] = row
    for index, (grain, row) in enumerate(newest.items()):
        bounds = ""
        if grain != Grain.ALL and row.period_start and row.period_end:
            calendar = declaration.calendar
            period = calendar.parse(row.period)
            bounds = f" from {calendar.midnight(period.start).isoformat(' ')} until before {calendar.midnight(period.end).isoformat(' ')}"
        value = "no data" if row.value is None else row.value
        yield f"  {'periods   ' if index == 0 else '          '}{grain}: {row.period}{bounds}, {row.state}: {value}"
