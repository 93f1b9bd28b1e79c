"""Entities with whole-numbered keys as bits: for each stretch of time, one bit string that says who was seen.

Bit strings are put together by OR, so any span's distinct entities are counted exactly from those of its stretches;
who came back is the AND of two spans, who is new what a longer span adds. Segments behind the entity's link are bit
strings themselves, so nothing is joined to rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp

from cadran.compute.lower import cast, column, number, text
from cadran.compute.scanning.scan import Scan, Segments, as_text, dim, label_of
from cadran.compute.scanning.timing import PERIOD
from cadran.compute.shared.attributes import Attributes
from cadran.compute.shared.days import STRETCH
from cadran.compute.shared.parts import CELLS, conditions
from cadran.compute.shared.ranges import Range
from cadran.compute.shared.reduce import Reduction
from cadran.compute.shared.statements import big, call, grouped, named, table, under_each_other
from cadran.compute.shared.timeline import Unshareable
from cadran.formula.measures import Measure

_SEEN, _MEMBERS = "seen", "members"


class Marks:
    """A reduction to bit strings by stretch and the rows' own segments."""

    def __init__(self, reduction: Reduction) -> None:
        self.reduction, self.name = reduction, reduction.name
        self.columns: dict[exp.Expr, str] = {}

    def add(self, measure: Measure, keys: Range) -> str:
        """The column that holds who was seen. Raises Unshareable for filters by ``in_period``."""
        found = conditions(measure.condition)
        if found is None or found[1]:
            raise Unshareable
        assert measure.argument is not None
        bits = keys.bits(self.reduction.lower(measure.argument))
        if found[0] is not None:
            bits = exp.Filter(this=bits, expression=exp.Where(this=self.reduction.lower(found[0])))
        return self.columns.setdefault(bits, f"{_SEEN}_{len(self.columns)}")

    def select(self) -> exp.Select:
        keys = self.reduction.keys()
        bits = [exp.alias_(call.copy(), name, quoted=True) for call, name in self.columns.items()]
        return self.reduction.tables.attach(grouped(self.reduction.select([*keys, *bits])))


def members(attributes: Attributes, keys: Range) -> exp.Select:
    """For each combination of values behind the link, whose they are; those that the link does not find are in the last row."""
    bits = exp.alias_(keys.bits(attributes.key.copy()), _MEMBERS, quoted=True)
    known = attributes.select(bits, where=keys.holds(attributes.key.copy()))
    known = grouped(known)
    unknown = exp.BitwiseNot(
        this=exp.Coalesce(this=call("bit_or", column(_MEMBERS)), expressions=[keys.nobody])
    )
    empty = [exp.alias_(exp.null(), name, quoted=True) for name in attributes.values]
    rest = exp.Select(expressions=[exp.alias_(unknown, _MEMBERS, quoted=True), *empty]).from_(
        "known", copy=False
    )
    whole = exp.union(exp.Select(expressions=[exp.Star()]).from_("known", copy=False), rest, distinct=False)
    out = exp.Select(expressions=[exp.Star()]).from_(
        exp.alias_(exp.Subquery(this=whole), "m", table=True), copy=False
    )
    return attributes.tables.attach(out).with_("known", as_=known, copy=False)


# --- over spans -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Seen:
    """Where one set's bits are: their table (by ``own`` segments and perhaps more), and that of what lies behind the link."""

    table: str
    column: str
    own: tuple[str, ...]
    members: str = ""


def counted(scan: Scan, measure: Measure, seen: Sequence[tuple[Segments, Seen]]) -> exp.Select:
    """``span, segment, by_…, m0``: how many entities, for each of the scan's sets."""
    return under_each_other([_of_set(scan, measure, segments, where) for segments, where in seen])


def _of_set(scan: Scan, measure: Measure, segments: Segments, where: Seen) -> exp.Select:
    own = {dim(s): as_text(column(dim(s), CELLS), scan.kept.get(s)) for s in segments if s in where.own}
    behind = {
        dim(s): as_text(column(dim(s), _MEMBERS), scan.kept.get(s)) for s in segments if s not in where.own
    }
    span = column("span", PERIOD)
    bits = list(_bits(measure, where.column))
    inner = exp.Select(
        expressions=[span, *named(own), *(exp.alias_(node, name, quoted=True) for name, node in bits)]
    )
    inner = inner.from_(table(where.table, CELLS), copy=False)
    inner.append("joins", exp.Join(this=table(scan.spans_table, PERIOD), on=_reach(measure)))
    inner = grouped(inner)
    values = {
        dim(name): column(dim(name), _SEEN) if dim(name) in own
        else behind.get(dim(name), cast(exp.null(), "VARCHAR"))
        for name in scan.names
    }  # fmt: skip
    found = big(exp.Sum(this=_count(measure, bool(behind))))
    label = exp.alias_(text(label_of(segments)), "segment", quoted=True)
    outer = exp.Select(
        expressions=[column("span", _SEEN), label, *named(values), exp.alias_(found, "m0", quoted=True)]
    )
    outer = outer.from_(exp.alias_(exp.Subquery(this=inner), _SEEN, table=True, quoted=True), copy=False)
    if behind:
        outer = outer.join(table(where.members, _MEMBERS), join_type="CROSS", copy=False)
    return grouped(outer)


def _reach(measure: Measure) -> exp.Expr:
    """Which stretches matter to a span: its own, those of the period before, or all up to its end."""
    stretch, last = column(STRETCH, CELLS), column("last", PERIOD)
    if measure.function == "new":
        return exp.LTE(this=stretch, expression=last)
    first = "before" if measure.function in ("retained", "lost") else "first"
    return exp.Between(this=stretch, low=column(first, PERIOD), high=last)


def _bits(measure: Measure, name: str) -> Iterator[tuple[str, exp.Expr]]:
    """The bit strings of one span: ``now``, and ``then`` what it is held against."""
    bits = call("bit_or", column(name, CELLS))
    stretch, first = column(STRETCH, CELLS), column("first", PERIOD)
    earlier = exp.Where(this=exp.LT(this=stretch, expression=first))
    if measure.function == "new":
        yield "now", bits
        yield "then", exp.Filter(this=bits.copy(), expression=earlier)
    elif measure.function in ("retained", "lost"):
        own = exp.Where(this=exp.GTE(this=stretch.copy(), expression=first.copy()))
        yield "now", exp.Filter(this=bits, expression=own)
        yield "then", exp.Filter(this=bits.copy(), expression=earlier)
    else:
        yield "now", bits


def _count(measure: Measure, masked: bool) -> exp.Expr:
    def bits(node: exp.Expr) -> exp.Expr:
        whole = exp.BitwiseAnd(this=node, expression=column(_MEMBERS, _MEMBERS)) if masked else node
        return exp.Coalesce(this=call("bit_count", whole), expressions=[number(0)])

    now, then = column("now", _SEEN), column("then", _SEEN)
    match measure.function:
        case "new":  # who was seen until the span ends, without who was seen before it began
            return exp.Sub(this=bits(now), expression=bits(then))
        case "retained":
            return bits(exp.BitwiseAnd(this=now, expression=then))
        case "lost":
            both_ = exp.BitwiseAnd(this=then.copy(), expression=now)
            return exp.Sub(this=bits(then), expression=bits(both_))
        case _:
            return bits(now)
