"""The rows of each dataset as a chain of readable CTEs: raw columns, which rows are visible, derived columns.

A derived column is computed one step after all that it rests on, so that datasets may link in circles as long as
columns do not. Every step names its columns, so nothing is read that no KPI needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from cadran.compute.lower import Lowering, WithZone, both, cast, clock_as, column, number, quantile, text
from cadran.compute.spans import Clock
from cadran.formula.graph import Graph, Node
from cadran.formula.measures import Lookup, Measure, Model, ResolvedDataset, ref_of
from cadran.problems import Problem, ProblemsFound

EMPTY = '"NULL"'  # DuckDB's name for the type of a column without any value: it fits everywhere
DATES = ("DATE", "TIMESTAMP", WithZone)
RESERVED = frozenset({"period", "entities", "snapshots", "days", "cells"})  # aliases of the engine's own
TypeOf = Callable[[str, str], str]


@dataclass(slots=True)
class Tables:
    """CTEs in order, and for each dataset the name of its last one."""

    steps: list[tuple[str, exp.Select]] = field(default_factory=list)
    final: dict[str, str] = field(default_factory=dict)

    def attach(self, select: exp.Select) -> exp.Select:
        for name, step in self.steps:
            select = select.with_(exp.to_identifier(name, quoted=True), as_=step, copy=False)
        return select


class Joined:
    """A FROM clause that grows the LEFT JOINs of the links which its expressions walk."""

    def __init__(
        self, rows: RowsBuilder, dataset: str, table: str, versions: Mapping[str, str], alias: str = ""
    ) -> None:
        self.rows, self.dataset, self.versions = rows, dataset, versions
        self.root = alias or dataset
        self.table = table
        self.joins: list[exp.Join] = []
        self._aliases: dict[tuple[str, ...], str] = {(): self.root}

    def alias(self, path: tuple[str, ...]) -> str:
        if path not in self._aliases:
            self._add(path)
        return self._aliases[path]

    def _add(self, path: tuple[str, ...]) -> None:
        before = self.alias(path[:-1])
        here = self.rows.walk(self.dataset, path[:-1])
        columns, target = self.rows.model.datasets[here].links[path[-1]]
        name = "_".join(path)
        while name in self._aliases.values() or name in RESERVED:
            name += "_"
        self._aliases[path] = name
        left = [self.column(path[:-1], c) for c in columns]
        on = self.rows.link_condition(here, target, left, before, name)
        source = _table(self.versions[target], name)
        self.joins.append(exp.Join(this=source, side="LEFT", on=on))

    def column(self, prefix: tuple[str, ...], node: exp.Column) -> exp.Expr:
        path, name = ref_of(node)
        return column(name, self.alias((*prefix, *path)))

    def select(self, *expressions: exp.Expr) -> exp.Select:
        out = exp.Select(expressions=list(expressions)).from_(_table(self.table, self.root), copy=False)
        for join in self.joins:
            out.append("joins", join)
        return out


def _table(name: str, alias: str) -> exp.Expr:
    table = exp.Table(this=exp.to_identifier(name, quoted=True))
    return exp.alias_(table, alias, table=True, quoted=True) if alias != name else table


class RowsBuilder:
    """Builds :class:`Tables` for the columns that a scan needs. ``type_of`` gives a column's DuckDB type."""

    def __init__(
        self,
        model: Model,
        clock: Clock,
        sources: Mapping[str, exp.Expr],
        type_of: TypeOf,
        quarantined: Iterable[str] = (),
    ) -> None:
        self.model, self.clock, self.sources, self.type_of = model, clock, sources, type_of
        self.graph = Graph(model.datasets, model.lookups)
        self.quarantined = frozenset(quarantined)

    def over(self, sources: Mapping[str, exp.Expr], clock: Clock | None = None) -> RowsBuilder:
        """The same over other rows of some datasets, or at another clock."""
        return RowsBuilder(
            self.model, clock or self.clock, {**self.sources, **sources}, self.type_of, self.quarantined
        )

    def walk(self, dataset: str, path: tuple[str, ...]) -> str:
        for step in path:
            dataset = self.model.datasets[dataset].links[step][1]
        return dataset

    # --- time columns ------------------------------------------------------------------------------------------------

    def time(self, dataset: str, which: str) -> str:
        """The name of the dataset's ``date``, ``from`` or ``to`` in its last CTE."""
        found = self.model.datasets[dataset]
        node = found.date if which == "date" else (found.valid or (None, None))[which == "to"]
        assert node is not None
        path, name = ref_of(node)
        plain = not path and self.kind(dataset, node) in DATES
        if which == "to" and found.inclusive:
            plain = False
        return name if plain else f"_{which}"

    def kind(self, dataset: str, node: exp.Column) -> str:
        """The type of a column as stored."""
        path, name = ref_of(node)
        return self.type_of(self.walk(dataset, path), name)

    def time_kind(self, dataset: str, node: exp.Column) -> str:
        """The type that a date column has once read: text such as 2026-03 becomes a date."""
        kind = self.kind(dataset, node)
        if kind in DATES:
            return kind
        if kind.startswith("TIMESTAMP"):
            return "TIMESTAMP"
        if kind in ("VARCHAR", EMPTY):
            return "DATE"
        _, name = ref_of(node)
        raise ProblemsFound(
            [
                Problem(
                    "not-a-date",
                    f"column '{name}' holds {kind}, not dates",
                    None,
                    f"datasets.{dataset}",
                    "declare its type: types: {" + name + ": date}; of a database, convert it with 'sql:'",
                )
            ]
        )

    def as_time(self, dataset: str, node: exp.Column, lowered: exp.Expr) -> exp.Expr:
        """A column as a date or timestamp; text may be an ISO date or a month."""
        kind = self.kind(dataset, node)
        if kind == "VARCHAR":
            month = exp.EQ(this=exp.Length(this=lowered.copy()), expression=number(7))
            first = exp.DPipe(this=lowered.copy(), expression=text("-01"))
            return cast(exp.Case(ifs=[exp.If(this=month, true=first)], default=lowered), "DATE")
        if kind == EMPTY:
            return cast(lowered, "DATE")
        return lowered if kind in DATES or not kind.startswith("TIMESTAMP") else cast(lowered, "TIMESTAMP")

    # --- building -----------------------------------------------------------------------------------------------------

    def needs(self, dataset: str, nodes: Iterable[exp.Expr]) -> set[Node]:
        """The columns that expressions over a dataset need, and the existence of its rows."""
        out: set[Node] = {(dataset, "")}
        for node in nodes:
            out.update(self.graph.uses(dataset, node))
        return out

    def build(self, needs: Iterable[Node], *, visible: bool = True) -> Tables:
        wanted = self._closure(needs)
        levels: dict[int, dict[str, list[str]]] = {}
        for dataset, name in wanted:
            if name and name not in self.model.datasets[dataset].derived:
                levels.setdefault(0, {}).setdefault(dataset, []).append(name)
            elif name or visible:
                levels.setdefault(self.graph.level((dataset, name)), {}).setdefault(dataset, []).append(name)
            levels.setdefault(0, {}).setdefault(dataset, [])
        last = {d: max(level for level, by in levels.items() if d in by) for d in {d for d, _ in wanted}}
        tables = Tables()
        columns: dict[str, list[str]] = {}
        for level in sorted(levels):
            versions = dict(tables.final)
            for dataset in sorted(levels[level]):
                name = dataset if level == last[dataset] else f"{dataset}_{level}"
                step = self._step(dataset, level, sorted(levels[level][dataset]), columns, versions)
                tables.steps.append((name, step))
                tables.final[dataset] = name
        return tables

    def _closure(self, needs: Iterable[Node]) -> set[Node]:
        wanted: set[Node] = set()
        todo = list(needs)
        while todo:
            node = todo.pop()
            if node in wanted:
                continue
            wanted.add(node)
            todo.append((node[0], ""))
            todo += self.graph.depends(node)
        return wanted

    def _step(
        self,
        dataset: str,
        level: int,
        names: list[str],
        columns: dict[str, list[str]],
        versions: Mapping[str, str],
    ) -> exp.Select:
        found = self.model.datasets[dataset]
        filters = "" in names
        derived = [n for n in names if n in found.derived]
        if level == 0:
            own = [n for n in names if n]
            joined = Joined(self, dataset, "", versions)
            selects: dict[str, exp.Expr] = {n: column(n, dataset) for n in own}
        else:
            joined = Joined(self, dataset, versions[dataset], versions)
            selects = {n: column(n, dataset) for n in columns[dataset]}
            for name in derived:
                selects[name] = self._derived(dataset, found.derived[name], joined)
        where = None
        if filters:
            where = self._visible(found, joined, selects)
        columns[dataset] = list(selects)
        expressions = [_named(node, name) for name, node in selects.items()] or [
            exp.alias_(number(1), "_row", quoted=True)
        ]
        select = joined.select(*expressions)
        if level == 0:
            select.set("from_", exp.From(this=self._source(dataset)))
        return select.where(where, copy=False) if where is not None else select

    def _source(self, dataset: str) -> exp.Expr:
        return exp.alias_(self.sources[dataset].copy(), dataset, table=True, quoted=True)

    def _lowering(self, joined: Joined, placeholders: Mapping[str, exp.Expr] | None = None) -> Lowering:
        return Lowering(self.clock, joined.alias, placeholders=placeholders)

    def _visible(
        self, found: ResolvedDataset, joined: Joined, selects: dict[str, exp.Expr]
    ) -> exp.Expr | None:
        """Adds the time columns, masks what lies after the clock, and gives the filter of the rows that exist."""
        lower = self._lowering(joined)
        conditions = [lower(found.where)] if found.where is not None else []
        if found.date is not None:
            date = self.as_time(found.name, found.date, lower(found.date))
            kind = self.time_kind(found.name, found.date)
            seen = exp.LTE(this=date.copy(), expression=clock_as(kind, self.clock))
            name = self.time(found.name, "date")
            if found.valid is not None and not found.ahead:
                if found.date != found.valid[0]:
                    date = exp.Case(ifs=[exp.If(this=seen, true=date)])
            elif not found.ahead:
                conditions.append(_or_null(seen, date))
            if name.startswith("_") or isinstance(date, exp.Case):
                selects[name] = date
        if found.valid is not None:
            conditions += self._interval(found, lower, selects)
        return both(*conditions)

    def _interval(
        self, found: ResolvedDataset, lower: Lowering, selects: dict[str, exp.Expr]
    ) -> list[exp.Expr]:
        assert found.valid is not None
        conditions: list[exp.Expr] = []
        start, end = (self.as_time(found.name, node, lower(node)) for node in found.valid)
        start_kind, end_kind = (self.time_kind(found.name, node) for node in found.valid)
        if found.inclusive:
            step = "1 day" if end_kind == "DATE" else "1 microsecond"
            later = exp.Add(
                this=end, expression=exp.Interval(this=text(step.split()[0]), unit=exp.var(step.split()[1]))
            )
            end = cast(later, "DATE") if end_kind == "DATE" else later
        if self.time(found.name, "from").startswith("_"):
            selects["_from"] = start
        if found.name in self.quarantined:
            before = (
                exp.LTE if found.inclusive else exp.LT
            )  # an inclusive end has been moved past its last moment
            conditions.append(
                exp.Not(
                    this=exp.Paren(
                        this=exp.Coalesce(
                            this=before(this=end.copy(), expression=start.copy()), expressions=[exp.false()]
                        )
                    )
                )
            )
        if found.ahead:
            if self.time(found.name, "to").startswith("_"):
                selects["_to"] = end
            return conditions
        conditions.append(
            _or_null(exp.LTE(this=start.copy(), expression=clock_as(start_kind, self.clock)), start)
        )
        over = exp.LTE(this=end.copy(), expression=clock_as(end_kind, self.clock))
        selects[self.time(found.name, "to")] = exp.Case(ifs=[exp.If(this=over, true=end)])
        path, name = ref_of(found.valid[1])
        if found.inclusive and not path and name in selects:
            selects[name] = exp.Case(ifs=[exp.If(this=over.copy(), true=selects[name])])
        return conditions

    def _derived(self, dataset: str, node: exp.Expr, joined: Joined) -> exp.Expr:
        placeholders: dict[str, exp.Expr] = {}
        for part in node.find_all(exp.Placeholder):
            key = str(part.this)
            placeholders[key] = self._lookup(dataset, key, self.model.lookups[key], joined)
        return self._lowering(joined, placeholders)(node)

    def _lookup(self, dataset: str, key: str, lookup: Lookup, joined: Joined) -> exp.Expr:
        """Joins the aggregate of a dataset that links here, grouped by the link's columns."""
        measure = lookup.measure
        inner = Joined(self, measure.dataset, joined.versions[measure.dataset], joined.versions)
        lower = self._lowering(inner)
        keys = [lower(c) for c in self.model.datasets[measure.dataset].links[lookup.link][0]]
        value = aggregate(measure, lower)
        alias = "per_" + "_".join(key.split(".")[1:])
        select = inner.select(
            *[exp.alias_(k, f"k{i}", quoted=True) for i, k in enumerate(keys)],
            exp.alias_(value, "value", quoted=True),
        )
        select = select.group_by(*[k.copy() for k in keys], copy=False)
        own = [column(k, joined.root) for k in self.model.datasets[dataset].key]
        on = both(*(exp.EQ(this=column(f"k{i}", alias), expression=o) for i, o in enumerate(own)))
        joined.joins.append(
            exp.Join(
                this=exp.alias_(exp.Subquery(this=select), alias, table=True, quoted=True), side="LEFT", on=on
            )
        )
        found = column("value", alias)
        return exp.Coalesce(this=found, expressions=[number(0)]) if measure.zero else found

    def link_condition(
        self, here: str, target: str, left: Sequence[exp.Expr], before: str, alias: str
    ) -> exp.Expr:
        """How a link's target is joined: by its key, or, for a history, by the row valid at the linking row's date."""
        found = self.model.datasets[target]
        keys = list(found.key)
        historical = len(left) == len(keys) - 1
        if historical and found.valid is not None:
            keys.remove(ref_of(found.valid[0])[1])
        conditions: list[exp.Expr | None] = [
            exp.EQ(this=column(k, alias), expression=node) for k, node in zip(keys, left, strict=True)
        ]
        if historical:
            at, start, end = (
                column(self.time(here, "date"), before),
                column(self.time(target, "from"), alias),
                column(self.time(target, "to"), alias),
            )
            conditions.append(exp.GTE(this=at, expression=start))
            conditions.append(exp.Paren(this=_or_null(exp.LT(this=at.copy(), expression=end), end)))
        out = both(*conditions)
        assert out is not None
        return out


def _or_null(condition: exp.Expr, node: exp.Expr) -> exp.Expr:
    return exp.Or(this=condition, expression=exp.Is(this=node.copy(), expression=exp.null()))


def _named(node: exp.Expr, name: str) -> exp.Expr:
    if isinstance(node, exp.Column) and node.name == name:
        return node
    return exp.alias_(node, name, quoted=True)


def aggregate(measure: Measure, lower: Lowering, argument: exp.Expr | None = None) -> exp.Expr:
    """The SQL aggregate of a plain measure, its filter included."""
    if argument is None and measure.argument is not None:
        argument = lower(measure.argument)
    call = _call(measure, argument)
    if measure.condition is None:
        return call
    return exp.Filter(this=call, expression=exp.Where(this=lower(measure.condition)))


def _call(measure: Measure, argument: exp.Expr | None) -> exp.Expr:
    if argument is None:
        return exp.Count(this=exp.Star(), big_int=True)
    match measure.function:
        case "count":
            return exp.Count(this=argument, big_int=True)
        case "count_distinct" | "active":
            return exp.Count(this=exp.Distinct(expressions=[argument]), big_int=True)
        case "sum":
            return exp.Sum(this=argument)
        case "avg":
            return exp.Avg(this=argument)
        case "min":
            return exp.Min(this=argument)
        case "max":
            return exp.Max(this=argument)
        case "median":
            return quantile(argument, "0.5")
        case "quantile":
            return quantile(argument, measure.fraction)
        case "stddev":
            return exp.Anonymous(this="stddev_samp", expressions=[argument])
        case _:
            raise AssertionError(measure.function)


def rows_behind(measure: Measure, lower: Lowering, argument: exp.Expr | None) -> exp.Expr:
    """How many non-NULL rows stand behind the value."""
    call = exp.Count(this=argument if argument is not None else exp.Star(), big_int=True)
    if measure.condition is None:
        return call
    return exp.Filter(this=call, expression=exp.Where(this=lower(measure.condition)))
