"""Aggregates and window functions in another dialect."""

from __future__ import annotations

from sqlglot import exp

from cadran.compute.dialects.base import whole
from cadran.compute.dialects.calls import call_of
from cadran.compute.dialects.expressions import HANDLERS, Expressions, Typed, handles
from cadran.compute.dialects.kinds import NUMBERS, TIMES, Kind, Unsupported

_NAMED = {"bool_or", "quantile_cont", "stddev_samp", "lead", "lag"}


@handles(exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max)
def _aggregate(x: Expressions, node: exp.AggFunc) -> Typed:
    return _filtered(x, node, None)


@handles(exp.Filter)
def _filter(x: Expressions, node: exp.Filter) -> Typed:
    return _filtered(x, node.this, x.condition(node.expression.this))


@handles(exp.Anonymous)
def _named(x: Expressions, node: exp.Anonymous) -> Typed:
    if str(node.this).upper() == "GROUPING":
        return Typed(exp.Anonymous(this="GROUPING", expressions=[x(node.expressions[0]).sql]), Kind.INT)
    called = x.functions.of(node)
    if called is not None:
        return call_of(x, called, node)
    if str(node.this).lower() not in _NAMED:
        raise x.dialect.no(f"'{str(node.this).lower()}'")
    return _filtered(x, node, None)


def _filtered(x: Expressions, node: exp.Expr, where: exp.Expr | None) -> Typed:
    """An aggregate over the rows that meet a condition: FILTER where there is one, else a CASE in its argument."""
    if isinstance(node, exp.Anonymous):
        return _by_name(x, node, where)
    if isinstance(node, exp.Count):
        return Typed(_count(x, node, where), Kind.INT)
    argument = x(node.this)
    if isinstance(node, (exp.Min, exp.Max)):
        if argument.kind not in (*NUMBERS, *TIMES, Kind.TEXT, Kind.NULL):
            raise x.dialect.no(f"extreme of {argument.kind}")
        value = x.dialect.ordered(argument.sql, argument.kind)
        return Typed(_call(x, type(node), value, where), argument.kind)
    if argument.kind not in (*NUMBERS, Kind.NULL):
        raise Unsupported(f"a sum of {argument.kind}")
    if isinstance(node, exp.Sum):
        return Typed(_call(x, exp.Sum, argument.sql, where), argument.kind)
    if not isinstance(node, exp.Avg):
        raise x.dialect.no(f"'{type(node).__name__.lower()}'")
    # DuckDB's mean is a float: the sum divided by the count.
    total = x.dialect.to(_call(x, exp.Sum, argument.sql, where), Kind.DOUBLE)
    count = exp.Nullif(this=_call(x, exp.Count, argument.sql.copy(), where), expression=whole(0))
    return Typed(exp.Div(this=total, expression=x.dialect.to(count, Kind.DOUBLE), typed=True, safe=False), Kind.DOUBLE)  # fmt: skip


def _call(x: Expressions, kind: type[exp.Expr], argument: exp.Expr, where: exp.Expr | None) -> exp.Expr:
    if where is None:
        return kind(this=argument)
    if x.dialect.filters:
        return exp.Filter(this=kind(this=argument), expression=exp.Where(this=where.copy()))
    return kind(this=exp.Case(ifs=[exp.If(this=where.copy(), true=argument)]))


def _count(x: Expressions, node: exp.Count, where: exp.Expr | None) -> exp.Expr:
    inner = node.this
    if isinstance(inner, exp.Star):
        return _call(x, exp.Count, exp.Star() if where is None or x.dialect.filters else whole(1), where)
    if not isinstance(inner, exp.Distinct):
        return _call(x, exp.Count, x(inner).sql, where)
    if len(inner.expressions) != 1:
        raise x.dialect.no("count of different pairs")
    value = x(inner.expressions[0]).sql
    if where is None or x.dialect.filters:
        return _call(x, exp.Count, exp.Distinct(expressions=[value]), where)
    case = exp.Case(ifs=[exp.If(this=where, true=value)])
    return exp.Count(this=exp.Distinct(expressions=[case]))


def _by_name(x: Expressions, node: exp.Anonymous, where: exp.Expr | None) -> Typed:
    name, arguments = str(node.this).lower(), node.expressions
    if name == "bool_or" and where is None:
        return Typed(x.dialect.any_true(x.condition(arguments[0])), Kind.BOOL)
    if name in ("quantile_cont", "stddev_samp"):
        value = x.of(arguments[0], *NUMBERS)
        value = x.dialect.to(value, Kind.DOUBLE)
        if name == "quantile_cont":
            return Typed(x.dialect.quantile(value, arguments[1].name, where), Kind.DOUBLE)
        if where is not None:
            value = exp.Case(ifs=[exp.If(this=where, true=value)])
        return Typed(x.dialect.stddev(value), Kind.DOUBLE)
    if name in ("lead", "lag") and len(arguments) == 1 and where is None:
        found = x(arguments[0])
        return Typed(exp.Anonymous(this=name.upper(), expressions=[found.sql]), found.kind)
    raise x.dialect.no(f"'{name}'")


# --- windows ---------------------------------------------------------------------------------------------------------------------


@handles(exp.RowNumber, exp.Rank, exp.DenseRank)
def _ranking(_: Expressions, node: exp.Expr) -> Typed:
    return Typed(type(node)(), Kind.INT)


@handles(exp.Lag, exp.Lead)
def _neighbour(x: Expressions, node: exp.Func) -> Typed:
    offset, default = node.args.get("offset"), node.args.get("default")
    values = [x(node.this)] + ([x(default)] if default is not None else [])
    parts, kind = x.side_by_side(values, type(node).__name__.lower())
    if offset is not None and not (isinstance(offset, exp.Literal) and offset.name.isdigit()):
        raise x.dialect.no("computed offset")
    if default is not None and kind is not values[0].kind:
        raise x.dialect.no("default of another kind")
    arguments = {"this": parts[0], "offset": offset.copy() if offset is not None else None}
    return Typed(type(node)(**arguments, default=parts[1] if default is not None else None), kind)


@handles(exp.FirstValue, exp.LastValue)
def _end(x: Expressions, node: exp.Func) -> Typed:
    value = x(node.this)
    return Typed(type(node)(this=value.sql), value.kind)


@handles(exp.Window)
def _window(x: Expressions, node: exp.Window) -> Typed:
    inner = node.this
    if isinstance(inner, (exp.IgnoreNulls, exp.RespectNulls)) or type(inner) not in HANDLERS:
        raise x.dialect.no("such a window function")
    if isinstance(inner, exp.Avg) or any(isinstance(n, exp.Distinct) for n in inner.walk()):
        raise x.dialect.no("mean or distinct count over a window")
    called = x(inner)
    order = node.args.get("order")
    spec = _frame(x, node.args.get("spec"))
    return Typed(
        exp.Window(
            this=called.sql, over="OVER", partition_by=[x(n).sql for n in node.args.get("partition_by") or ()],
            order=exp.Order(expressions=[o for n in order.expressions for o in _ordered(x, n)]) if order else None,
            spec=spec,
        ),
        called.kind,
    )  # fmt: skip


def _ordered(x: Expressions, node: exp.Ordered) -> list[exp.Expr]:
    """NULLs come last, as in DuckDB, whichever way the order runs."""
    value = x(node.this)
    down = bool(node.args.get("desc"))
    last = not node.args.get("nulls_first")
    sql = x.dialect.ordered(value.sql, value.kind)
    if x.dialect.null_order:
        return [exp.Ordered(this=sql, desc=down, nulls_first=not last)]
    missing = exp.Is(this=sql.copy(), expression=exp.null())
    return [exp.Ordered(this=exp.Paren(this=missing), desc=not last, nulls_first=True), exp.Ordered(this=sql, desc=down, nulls_first=not down)]  # fmt: skip


def _frame(x: Expressions, spec: exp.Expr | None) -> exp.Expr | None:
    if spec is None:
        return None
    bounds = [spec.args.get("start"), spec.args.get("end")]
    if any(isinstance(b, exp.Interval) for b in bounds):
        if not x.dialect.interval_frames:
            raise x.dialect.no("frame of a length of time")
    elif any(isinstance(b, exp.Expr) and not isinstance(b, exp.Literal) for b in bounds):
        raise x.dialect.no("computed frame")
    if str(spec.args.get("kind")).lower() == "range" and not x.dialect.null_order and any(isinstance(b, exp.Expr) for b in bounds):  # fmt: skip
        raise x.dialect.no("frame over a range")
    return spec.copy()
