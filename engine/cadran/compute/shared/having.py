"""``count_having``: rows reduced to entities by span, of which those that meet the condition are counted."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from cadran.compute.lower import both, cast, column, text
from cadran.compute.scanning.scan import Scan, Segments, as_text, dim, label_of
from cadran.compute.scanning.timing import PERIOD
from cadran.compute.shared.attributes import KEY, Split
from cadran.compute.shared.days import STRETCH
from cadran.compute.shared.masks import ENTITY
from cadran.compute.shared.reduce import Reduction
from cadran.compute.shared.statements import call, grouped, named, table, under_each_other
from cadran.formula.measures import Measure

_ENTITIES, _ATTRIBUTES = "entities", "attributes"


def stretches_of(scan: Scan) -> exp.Select:
    """One row for each stretch of each span, so that rows find their spans by equality."""
    after = exp.Add(this=column("last"), expression=exp.Literal.number(1))
    stretch = exp.alias_(call("unnest", call("range", column("first"), after)), STRETCH, quoted=True)
    select = exp.Select(expressions=[column("span"), stretch])
    return select.from_(exp.table_(scan.spans_table, db="temp", quoted=True), copy=False)


def join_stretches(name: str, reduction: Reduction) -> exp.Join:
    on = exp.EQ(this=column(STRETCH, PERIOD), expression=reduction.stretch())
    return exp.Join(this=table(name, PERIOD), on=on)


def entities(reduction: Reduction, scan: Scan, measure: Measure, stretches: str) -> exp.Select:
    """The entities that meet the condition, by span and the rows' own segments (as they are shown)."""
    assert measure.argument is not None
    assert measure.having is not None
    entity = reduction.lower(measure.argument)
    known = exp.Not(this=exp.Is(this=entity.copy(), expression=exp.null()))
    where = both(reduction.lower(measure.condition) if measure.condition is not None else None, known)
    values = {dim(s): as_text(node.copy(), scan.kept.get(s)) for s, node in reduction.raw.items()}
    heads = [column("span", PERIOD), exp.alias_(entity, ENTITY, quoted=True), *named(values)]
    having = reduction.lower(measure.having)
    select = reduction.select(heads, where)
    select.append("joins", join_stretches(stretches, reduction))
    select = grouped(select)
    select.set("having", exp.Having(this=having))
    return reduction.tables.attach(select)


def counted(scan: Scan, found: Sequence[tuple[Segments, str, Split, str]]) -> exp.Select:
    """``span, segment, by_…, m0`` from each set's table of entities, and of what lies behind their link."""
    return under_each_other([_of_set(scan, *where) for where in found])


def _of_set(scan: Scan, segments: Segments, name: str, split: Split, attributes: str) -> exp.Select:
    behind = [s for s in segments if s in split.behind]
    shown: dict[str, exp.Expr] = {dim(s): cast(exp.null(), "VARCHAR") for s in scan.names}
    shown |= {dim(s): column(dim(s), _ENTITIES) for s in segments if s in split.own}
    shown |= {dim(s): as_text(column(dim(s), _ATTRIBUTES), scan.kept.get(s)) for s in behind}
    label = exp.alias_(text(label_of(segments)), "segment", quoted=True)
    count = exp.alias_(exp.Count(this=exp.Star(), big_int=True), "m0", quoted=True)
    select = exp.Select(expressions=[column("span", _ENTITIES), label, *named(shown), count])
    select = select.from_(table(name, _ENTITIES), copy=False)
    if behind:
        on = exp.EQ(this=column(KEY, _ATTRIBUTES), expression=column(ENTITY, _ENTITIES))
        select.append("joins", exp.Join(this=table(attributes, _ATTRIBUTES), side="LEFT", on=on))
    return grouped(select)
