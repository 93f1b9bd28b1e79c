"""Medians, quantiles and other values that need all rows of a span at once.

A median of whole numbers of which there are few different ones (seconds, pages, stars) is found by counting each value
in each cell; counts add up over stretches and segments, and rows are never sorted.
"""

from __future__ import annotations

from sqlglot import exp

from cadran.compute.lower import both, cast, column, number
from cadran.compute.scanning.rows import aggregate
from cadran.compute.scanning.scan import Grouping, Scan, as_text, dim
from cadran.compute.scanning.timing import PERIOD
from cadran.compute.shared.having import join_stretches
from cadran.compute.shared.parts import CELLS, conditions
from cadran.compute.shared.reduce import Reduction
from cadran.compute.shared.rollup import in_span
from cadran.compute.shared.statements import grouped, table
from cadran.compute.shared.timeline import Unshareable

_VALUE, _ROWS, _UP_TO, _ALL = "value", "rows", "up_to", "all_rows"
_COUNTS, _PLACED = "counts", "placed"


def values(reduction: Reduction, scan: Scan, stretches: str) -> exp.Select:
    """``span, segment, by_…, m0``, one pass over the rows. Raises Unshareable for filters by ``in_period``."""
    (measure,) = scan.measures
    found = conditions(measure.condition)
    if found is None or found[1]:
        raise Unshareable
    dims = {name: as_text(node.copy(), scan.kept.get(name)) for name, node in reduction.raw.items()}
    grouping = Grouping(scan.sets, dims)
    value = exp.alias_(aggregate(measure, reduction.lower, reduction.argument(measure)), "m0", quoted=True)
    span = column("span", PERIOD)
    select = reduction.select([span, *grouping.labels(), value])
    select.append("joins", join_stretches(stretches, reduction))
    return reduction.tables.attach(grouping.group(select, [span]))


def counted(reduction: Reduction, scan: Scan) -> exp.Select:
    """How often each value stands in each cell. Raises Unshareable for filters by ``in_period``."""
    (measure,) = scan.measures
    found, argument = conditions(measure.condition), reduction.argument(measure)
    if found is None or found[1] or argument is None:
        raise Unshareable
    known = exp.Not(this=exp.Is(this=argument.copy(), expression=exp.null()))
    where = both(reduction.lower(found[0]) if found[0] is not None else None, known)
    keys = reduction.keys()
    rows = exp.alias_(exp.Count(this=exp.Star(), big_int=True), _ROWS, quoted=True)
    value = exp.alias_(argument, _VALUE, quoted=True)
    return reduction.tables.attach(grouped(reduction.select([*keys, value, rows], where)))


def middle(scan: Scan, counts: str) -> exp.Select:
    """``span, segment, by_…, m0``: the median from a table of :func:`counted`, as DuckDB's ``quantile_cont`` gives it."""
    dims = {name: as_text(column(dim(name), CELLS), scan.kept.get(name)) for name in scan.names}
    grouping, span, value = Grouping(scan.sets, dims), column("span", PERIOD), column(_VALUE, CELLS)
    rows = exp.alias_(exp.Sum(this=column(_ROWS, CELLS)), _ROWS, quoted=True)
    by_value = exp.Select(expressions=[span, *grouping.labels(), value, rows])
    by_value = by_value.from_(table(counts, CELLS), copy=False)
    by_value.append("joins", exp.Join(this=table(scan.spans_table, PERIOD), on=in_span()))
    by_value = grouping.group(by_value, [span, value])
    heads = [column(name) for name in ("span", "segment", *map(dim, scan.names))]
    placed = exp.Select(expressions=[*heads, column(_VALUE), *_running(heads)])
    placed = placed.from_(exp.alias_(exp.Subquery(this=by_value), _COUNTS, table=True), copy=False)
    ends = exp.Paren(this=exp.Add(this=_nth(0), expression=_nth(1)))
    found = exp.Div(this=cast(ends, "DOUBLE"), expression=number(2), typed=False, safe=False)
    select = exp.Select(expressions=[*heads, exp.alias_(found, "m0", quoted=True)])
    select = select.from_(exp.alias_(exp.Subquery(this=placed), _PLACED, table=True), copy=False)
    return select.group_by(*(h.copy() for h in heads), copy=False)


def _running(heads: list[exp.Column]) -> list[exp.Expr]:
    """How many rows have this value or a smaller one, and how many there are."""
    order = exp.Order(expressions=[exp.Ordered(this=column(_VALUE))])
    up_to = exp.Window(this=exp.Sum(this=column(_ROWS)), partition_by=[h.copy() for h in heads], order=order)
    every = exp.Window(this=exp.Sum(this=column(_ROWS)), partition_by=[h.copy() for h in heads])
    return [exp.alias_(up_to, _UP_TO, quoted=True), exp.alias_(every, _ALL, quoted=True)]


def _nth(upper: int) -> exp.Expr:
    """The lower or the upper of the two middle values (the same one where the count is odd)."""
    all_rows = exp.Add(this=column(_ALL), expression=number(1 + upper))
    half = exp.IntDiv(this=exp.Paren(this=all_rows), expression=number(2))
    return exp.Filter(
        this=exp.Min(this=column(_VALUE)),
        expression=exp.Where(this=exp.GTE(this=column(_UP_TO), expression=half)),
    )
