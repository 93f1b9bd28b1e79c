"""Entities with keys of any kind: one row each (and for each value of the rows' own segments), a bit for each stretch.

Whether an entity was seen in a span is whether any of the span's bits is set. It serves where keys are no whole numbers
or lie too far apart for bit strings, and holds as many stretches as a number has bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from cadran.compute.lower import cast, column, number, text
from cadran.compute.scanning.scan import Scan, Segments, as_text, dim, label_of
from cadran.compute.scanning.timing import PERIOD
from cadran.compute.shared.attributes import KEY
from cadran.compute.shared.parts import conditions
from cadran.compute.shared.reduce import Reduction
from cadran.compute.shared.statements import call, grouped, named, table, under_each_other
from cadran.compute.shared.timeline import Timeline, Unshareable
from cadran.formula.measures import Measure

ENTITY, _ENTITIES, _ATTRIBUTES = "entity", "entities", "attributes"
MOST_STRETCHES = 126
MASKS = ("mask", "mask_before", "mask_earlier")


def mask_type(timeline: Timeline) -> str:
    """The smallest type that has a bit for each stretch. Raises Unshareable where none has."""
    if timeline.count > MOST_STRETCHES:
        raise Unshareable
    return "BIGINT" if timeline.count <= 62 else "HUGEINT"


class Masks:
    """A reduction of rows to entities: for each filter, in which stretches the entity was seen."""

    def __init__(self, reduction: Reduction, entity: exp.Expr, kind: str) -> None:
        """``kind`` is the type of the masks, BIGINT or HUGEINT."""
        self.reduction, self.name, self.entity, self.kind = reduction, reduction.name, entity, kind
        self.columns: dict[exp.Expr, str] = {}

    def add(self, measure: Measure) -> str:
        """The column of the measure's mask. Raises Unshareable for filters by ``in_period``."""
        found = conditions(measure.condition)
        if found is None or found[1]:
            raise Unshareable
        one = cast(number(1), self.kind)
        bits = call(
            "bit_or", exp.BitwiseLeftShift(this=one, expression=cast(self.reduction.stretch(), "INTEGER"))
        )
        if found[0] is not None:
            bits = exp.Filter(this=bits, expression=exp.Where(this=self.reduction.lower(found[0])))
        return self.columns.setdefault(bits, f"mask_{len(self.columns)}")

    def select(self) -> exp.Select:
        entity = self.reduction.lower(self.entity)
        known = exp.Not(this=exp.Is(this=entity.copy(), expression=exp.null()))
        own = {dim(name): node.copy() for name, node in self.reduction.raw.items()}
        heads = [exp.alias_(entity, ENTITY, quoted=True), *named(own)]
        masks = [exp.alias_(bits.copy(), name, quoted=True) for bits, name in self.columns.items()]
        return self.reduction.tables.attach(grouped(self.reduction.select([*heads, *masks], known)))


def mask_row(own: tuple[int, int], before: tuple[int, int]) -> list[int]:
    """The bits of a span, of the period before it, and of all that came before."""
    return [_mask(*own), _mask(*before), _mask(0, own[0] - 1)]


def _mask(first: int, last: int) -> int:
    return sum(1 << n for n in range(first, last + 1))


# --- over spans -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Known:
    """Where one set's entities are: their table (by ``own`` segments), the mask's column, what lies behind the link."""

    table: str
    column: str
    own: tuple[str, ...]
    attributes: str = ""


def counted(scan: Scan, measure: Measure, known: Sequence[tuple[Segments, Known]]) -> exp.Select:
    """``span, segment, by_…, m0``: how many entities, for each of the scan's sets."""
    return under_each_other([_of_set(scan, measure, segments, where) for segments, where in known])


def _of_set(scan: Scan, measure: Measure, segments: Segments, where: Known) -> exp.Select:
    own = [s for s in segments if s in where.own]
    behind = [s for s in segments if s not in where.own]
    shown: dict[str, exp.Expr] = {dim(name): cast(exp.null(), "VARCHAR") for name in scan.names}
    shown |= {dim(s): column(dim(s), _ENTITIES) for s in own}
    shown |= {dim(s): as_text(column(dim(s), _ATTRIBUTES), scan.kept.get(s)) for s in behind}
    label = exp.alias_(text(label_of(segments)), "segment", quoted=True)
    found = exp.alias_(exp.Count(this=exp.Star(), big_int=True), "m0", quoted=True)
    select = exp.Select(expressions=[column("span", PERIOD), label, *named(shown), found])
    select = select.from_(_entities(scan, own, where), copy=False)
    select.append("joins", exp.Join(this=table(scan.spans_table, PERIOD), on=_counts(measure)))
    if behind:
        on = exp.EQ(this=column(KEY, _ATTRIBUTES), expression=column(ENTITY, _ENTITIES))
        select.append("joins", exp.Join(this=table(where.attributes, _ATTRIBUTES), side="LEFT", on=on))
    return grouped(select)


def _entities(scan: Scan, own: Sequence[str], where: Known) -> exp.Expr:
    """One row for each entity and value of the set's own segments."""
    if not where.own:
        renamed = exp.Select(
            expressions=[column(ENTITY), exp.alias_(column(where.column), "mask", quoted=True)]
        )
        inner = renamed.from_(exp.table_(where.table, db="temp", quoted=True), copy=False)
    else:
        values = {dim(s): as_text(column(dim(s)), scan.kept.get(s)) for s in own}
        mask = exp.alias_(call("bit_or", column(where.column)), "mask", quoted=True)
        inner = exp.Select(expressions=[column(ENTITY), *named(values), mask])
        inner = grouped(inner.from_(exp.table_(where.table, db="temp", quoted=True), copy=False))
    return exp.alias_(exp.Subquery(this=inner), _ENTITIES, table=True, quoted=True)


def _counts(measure: Measure) -> exp.Expr:
    """When an entity counts in a span."""
    now = _any("mask")
    match measure.function:
        case "new":
            return exp.And(this=now, expression=exp.Not(this=_any("mask_earlier")))
        case "retained":
            return exp.And(this=now, expression=_any("mask_before"))
        case "lost":
            return exp.And(this=_any("mask_before"), expression=exp.Not(this=now))
        case _:
            return now


def _any(bits: str) -> exp.Expr:
    common = exp.BitwiseAnd(this=column("mask", _ENTITIES), expression=column(bits, PERIOD))
    return exp.Paren(this=exp.NEQ(this=exp.Paren(this=common), expression=number(0)))
