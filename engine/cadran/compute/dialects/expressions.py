"""Expressions of a DuckDB tree in another dialect: operators, conditions and choices, each allowed by the kinds of its operands.

What is in no handler here (or in ``functions`` and ``aggregates``) raises :class:`Unsupported`: nothing is passed on
in the hope that it means the same elsewhere.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlglot import exp

from cadran.compute.dialects.base import Dialect, grouped, whole
from cadran.compute.dialects.kinds import NUMBERS, TIMES, Kind, Unsupported, common, kind_of_cast
from cadran.formula.functions import NONE, Functions


class Typed(NamedTuple):
    sql: exp.Expr
    kind: Kind


@dataclass(frozen=True, slots=True)
class Columns:
    """What one name in a FROM clause offers. ``stored``: it is a table of the source itself."""

    kinds: Mapping[str, Kind]
    stored: bool = False


Scope = Mapping[str, Columns]
Query = Callable[[exp.Expr, Scope], tuple[exp.Query, dict[str, Kind]]]
Handler = Callable[["Expressions", exp.Expr], Typed]
HANDLERS: dict[type[exp.Expr], Handler] = {}


def handles(*types: type[exp.Expr]) -> Callable[[Callable[..., Typed]], Callable[..., Typed]]:
    """Registers a handler for node types."""

    def register(handler: Callable[..., Typed]) -> Callable[..., Typed]:
        HANDLERS.update(dict.fromkeys(types, handler))
        return handler

    return register


class Expressions:
    """Translates the expressions of one SELECT. ``query`` translates a subquery, and says its columns' kinds; ``functions`` are those
    of the project's plugins."""

    def __init__(self, dialect: Dialect, scope: Scope, query: Query, functions: Functions = NONE) -> None:
        self.dialect, self.scope, self.query, self.functions = dialect, scope, query, functions

    def __call__(self, node: exp.Expr) -> Typed:
        """Raises :class:`Unsupported`."""
        handler = HANDLERS.get(type(node))
        if handler is None:
            name = str(node.this) if isinstance(node, exp.Anonymous) else type(node).__name__
            raise self.dialect.no(f"'{name.lower()}'")
        return handler(self, node)

    def of(self, node: exp.Expr, *kinds: Kind) -> exp.Expr:
        """A translated node that must be of one of these kinds (or nothing)."""
        found = self(node)
        if found.kind not in (*kinds, Kind.NULL):
            raise Unsupported(f"{found.kind} where {' or '.join(kinds)} belong")
        return found.sql

    def condition(self, node: exp.Expr) -> exp.Expr:
        return self.of(node, Kind.BOOL)

    def number(self, value: Typed, kind: Kind) -> exp.Expr:
        """A number as the kind that a calculation is made in."""
        if kind is Kind.DOUBLE and value.kind is not Kind.DOUBLE:
            return self.dialect.to(value.sql, Kind.DOUBLE)
        return value.sql

    def side_by_side(self, values: list[Typed], what: str) -> tuple[list[exp.Expr], Kind]:
        """Values of one kind, as in the branches of a CASE."""
        kind = common((v.kind for v in values), what)
        if kind in NUMBERS:
            if kind is Kind.DECIMAL and not self.dialect.decimals:
                raise self.dialect.no("decimal")
            return [self.number(v, kind) for v in values], kind
        if kind is Kind.TIME:
            return [v.sql if v.kind is Kind.NULL else self.dialect.time_of(v.sql, v.kind) for v in values], kind  # fmt: skip
        return [v.sql for v in values], kind

    def comparable(self, left: Typed, right: Typed) -> tuple[exp.Expr, exp.Expr, Kind]:
        """Both sides of a comparison, in one kind."""
        left, right = _literal_time(self, left, right.kind), _literal_time(self, right, left.kind)
        kinds = {left.kind, right.kind} - {Kind.NULL}
        if kinds <= set(NUMBERS):
            return left.sql, right.sql, Kind.DOUBLE
        if kinds == {Kind.DATE, Kind.TIME}:
            return self.dialect.time_of(left.sql, left.kind), self.dialect.time_of(right.sql, right.kind), Kind.TIME  # fmt: skip
        if len(kinds) > 1:
            raise Unsupported(f"comparison of {' and '.join(sorted(kinds))}")
        return left.sql, right.sql, kinds.pop() if kinds else Kind.NULL


# --- names and literals --------------------------------------------------------------------------------------------------


@handles(exp.Column)
def _column(x: Expressions, node: exp.Column) -> Typed:
    owners = [node.table] if node.table else [a for a, c in x.scope.items() if node.name in c.kinds]
    if len(owners) != 1 or node.name not in x.scope[owners[0]].kinds:
        raise Unsupported(f"column '{node.name}'")
    columns = x.scope[owners[0]]
    kind = columns.kinds[node.name]
    if columns.stored and kind is Kind.INSTANT and not x.dialect.instants:
        raise x.dialect.no("instant in the calendar's zone, which this server does not know,")
    found = exp.column(node.name, table=owners[0], quoted=True)
    return Typed(x.dialect.leaf(found, kind) if columns.stored else found, kind)


@handles(exp.Literal)
def _literal(x: Expressions, node: exp.Literal) -> Typed:
    if node.is_string:
        if "\\" in node.name or "\0" in node.name:
            raise x.dialect.no("text with a backslash")
        return Typed(node.copy(), Kind.TEXT)
    plain = node.name.isdigit()
    if not plain and "e" in node.name.lower():
        return Typed(node.copy(), Kind.DOUBLE)
    return Typed(node.copy(), Kind.INT if plain else Kind.DECIMAL)


@handles(exp.Boolean)
def _boolean(_: Expressions, node: exp.Boolean) -> Typed:
    return Typed(node.copy(), Kind.BOOL)


@handles(exp.Null)
def _null(_: Expressions, node: exp.Null) -> Typed:
    return Typed(node.copy(), Kind.NULL)


@handles(exp.Paren)
def _paren(x: Expressions, node: exp.Paren) -> Typed:
    inner = x(node.this)
    return Typed(exp.Paren(this=inner.sql), inner.kind)


def _literal_time(x: Expressions, value: Typed, beside: Kind) -> Typed:
    """A text such as '2026-03-01' beside a date is a date."""
    if beside not in TIMES or not (isinstance(value.sql, exp.Literal) and value.kind is Kind.TEXT):
        return value
    return time_literal(x, value.sql.name, beside)


def time_literal(x: Expressions, written: str, kind: Kind) -> Typed:
    """A date or timestamp written out in full."""
    try:
        if kind is Kind.DATE:
            return Typed(x.dialect.day(dt.date.fromisoformat(written)), Kind.DATE)
        value = dt.datetime.fromisoformat(written)
    except ValueError:
        raise Unsupported(f"'{written}' as {kind}") from None
    if (value.tzinfo is not None) != (kind is Kind.INSTANT):
        raise Unsupported(f"'{written}' as {kind}")
    return Typed(x.dialect.moment(value, kind), kind)


# --- conditions --------------------------------------------------------------------------------------------------------------


@handles(exp.And, exp.Or)
def _logic(x: Expressions, node: exp.Connector) -> Typed:
    return Typed(type(node)(this=x.condition(node.this), expression=x.condition(node.expression)), Kind.BOOL)


@handles(exp.Not)
def _not(x: Expressions, node: exp.Not) -> Typed:
    return Typed(exp.Not(this=grouped(x.condition(node.this))), Kind.BOOL)


@handles(exp.Is)
def _is(x: Expressions, node: exp.Is) -> Typed:
    inner = x(node.this).sql if isinstance(node.expression, exp.Null) else x.condition(node.this)
    return Typed(exp.Is(this=grouped(inner), expression=node.expression.copy()), Kind.BOOL)


@handles(exp.EQ, exp.NEQ)
def _equal(x: Expressions, node: exp.Binary) -> Typed:
    left, right, _ = x.comparable(x(node.this), x(node.expression))
    return Typed(type(node)(this=grouped(left), expression=grouped(right)), Kind.BOOL)


@handles(exp.LT, exp.LTE, exp.GT, exp.GTE)
def _less(x: Expressions, node: exp.Binary) -> Typed:
    left, right, kind = x.comparable(x(node.this), x(node.expression))
    if kind is Kind.BOOL:
        raise x.dialect.no("order of true and false")
    left, right = x.dialect.ordered(grouped(left), kind), x.dialect.ordered(grouped(right), kind)
    return Typed(type(node)(this=left, expression=right), Kind.BOOL)


@handles(exp.NullSafeEQ, exp.NullSafeNEQ)
def _same(x: Expressions, node: exp.Binary) -> Typed:
    left, right, _ = x.comparable(x(node.this), x(node.expression))
    same = x.dialect.same(grouped(left), grouped(right))
    return Typed(exp.Not(this=exp.Paren(this=same)) if isinstance(node, exp.NullSafeNEQ) else same, Kind.BOOL)


@handles(exp.Between)
def _between(x: Expressions, node: exp.Between) -> Typed:
    low = exp.GTE(this=node.this, expression=node.args["low"])
    high = exp.LTE(this=node.this.copy(), expression=node.args["high"])
    both = exp.And(this=_less(x, low).sql, expression=_less(x, high).sql)
    return Typed(exp.Paren(this=both), Kind.BOOL)


@handles(exp.In)
def _in(x: Expressions, node: exp.In) -> Typed:
    if node.args.get("query") is not None or not node.expressions:
        raise x.dialect.no("list to look in")
    left = x(node.this)
    pairs = [x.comparable(left, x(value)) for value in node.expressions]
    return Typed(exp.In(this=grouped(pairs[0][0]), expressions=[right for _, right, _ in pairs]), Kind.BOOL)


@handles(exp.Like)
def _like(x: Expressions, node: exp.Like) -> Typed:
    if not (isinstance(node.expression, exp.Literal) and node.expression.is_string):
        raise x.dialect.no("pattern that is not written out")
    return Typed(x.dialect.like(x.of(node.this, Kind.TEXT), _literal(x, node.expression).sql), Kind.BOOL)


@handles(exp.Exists)
def _exists(x: Expressions, node: exp.Exists) -> Typed:
    return Typed(exp.Exists(this=x.query(node.this, x.scope)[0]), Kind.BOOL)


@handles(exp.Subquery)
def _scalar(x: Expressions, node: exp.Subquery) -> Typed:
    if not x.dialect.scalars:
        raise x.dialect.no("subquery for one value")
    inner, kinds = x.query(node.this, x.scope)
    (kind,) = kinds.values()
    return Typed(exp.Subquery(this=inner), kind)


# --- choices ------------------------------------------------------------------------------------------------------------------


@handles(exp.Case)
def _case(x: Expressions, node: exp.Case) -> Typed:
    subject, ifs, default = node.this, node.args["ifs"], node.args.get("default")
    conditions = [
        x.condition(i.this) if subject is None else _equal(x, exp.EQ(this=subject, expression=i.this)).sql
        for i in ifs
    ]
    values = [x(i.args["true"]) for i in ifs] + ([x(default)] if default is not None else [])
    branches, kind = x.side_by_side(values, "a case")
    made = [exp.If(this=c, true=b) for c, b in zip(conditions, branches, strict=False)]
    return Typed(exp.Case(ifs=made, default=branches[-1] if default is not None else None), kind)


@handles(exp.If)
def _if(x: Expressions, node: exp.If) -> Typed:
    one = exp.If(this=node.this, true=node.args["true"])
    return _case(x, exp.Case(ifs=[one], default=node.args.get("false")))


@handles(exp.Coalesce)
def _coalesce(x: Expressions, node: exp.Coalesce) -> Typed:
    values, kind = x.side_by_side([x(n) for n in (node.this, *node.expressions)], "coalesce")
    return Typed(exp.Coalesce(this=values[0], expressions=values[1:]), kind)


@handles(exp.Nullif)
def _nullif(x: Expressions, node: exp.Nullif) -> Typed:
    first = x(node.this)
    left, right, _ = x.comparable(first, x(node.expression))
    return Typed(exp.Nullif(this=left, expression=right), first.kind)


@handles(exp.Greatest, exp.Least)
def _extreme(x: Expressions, node: exp.Func) -> Typed:
    if not x.dialect.skips_nulls:
        raise x.dialect.no("greatest or least that passes NULLs over")
    values, kind = x.side_by_side([x(n) for n in (node.this, *node.expressions)], "greatest")
    ordered = [x.dialect.ordered(v, kind) for v in values]
    return Typed(exp.Anonymous(this=type(node).__name__.upper(), expressions=ordered), kind)


# --- arithmetic ---------------------------------------------------------------------------------------------------------------------


@handles(exp.Add, exp.Sub)
def _sum(x: Expressions, node: exp.Binary) -> Typed:
    sign = 1 if isinstance(node, exp.Add) else -1
    if isinstance(node.expression, exp.Interval):
        return _shifted(x, x(node.this), node.expression, sign)
    left, right = x(node.this), x(node.expression)
    if left.kind is Kind.DATE and right.kind is Kind.INT:
        days = right.sql if sign > 0 else exp.Neg(this=grouped(right.sql))
        return Typed(x.dialect.days_later(left.sql, days), Kind.DATE)
    if left.kind is right.kind is Kind.DATE and sign < 0:
        return Typed(x.dialect.days_between(right.sql, left.sql), Kind.INT)
    return _arithmetic(x, type(node), left, right)


@handles(exp.Mul)
def _product(x: Expressions, node: exp.Mul) -> Typed:
    return _arithmetic(x, exp.Mul, x(node.this), x(node.expression))


def _arithmetic(x: Expressions, operator: type[exp.Binary], left: Typed, right: Typed) -> Typed:
    if any(v.kind not in (*NUMBERS, Kind.NULL) for v in (left, right)):
        raise Unsupported(f"arithmetic of {left.kind} and {right.kind}")
    (a, b), kind = x.side_by_side([left, right], "arithmetic")
    if kind is Kind.INT:
        a, b = x.dialect.operand(a), x.dialect.operand(b)
    return Typed(operator(this=grouped(a), expression=grouped(b)), kind)


@handles(exp.Div)
def _quotient(x: Expressions, node: exp.Div) -> Typed:
    a, b = (x.dialect.to(x.of(n, *NUMBERS), Kind.DOUBLE) for n in (node.this, node.expression))
    if not isinstance(node.expression, exp.Literal):  # zero gives NULL, not an error
        b = exp.Nullif(this=b, expression=whole(0))
    return Typed(exp.Div(this=a, expression=b, typed=True, safe=False), Kind.DOUBLE)


@handles(exp.Mod)
def _rest(x: Expressions, node: exp.Mod) -> Typed:
    a, b = (x.of(n, Kind.INT) for n in (node.this, node.expression))
    return Typed(exp.Mod(this=grouped(a), expression=grouped(b)), Kind.INT)


@handles(exp.Neg)
def _negative(x: Expressions, node: exp.Neg) -> Typed:
    inner = x(node.this)
    if inner.kind not in NUMBERS:
        raise Unsupported(f"minus {inner.kind}")
    sql = x.dialect.operand(inner.sql) if inner.kind is Kind.INT else inner.sql
    return Typed(exp.Neg(this=grouped(sql)), inner.kind)


def _shifted(x: Expressions, moment: Typed, interval: exp.Interval, sign: int) -> Typed:
    if moment.kind not in TIMES:
        raise Unsupported(f"{moment.kind} and an interval")
    count, unit = sign * int(interval.this.name), str(interval.args["unit"].name).lower().removesuffix("s")
    kind = Kind.INSTANT if moment.kind is Kind.INSTANT else Kind.TIME
    return Typed(x.dialect.later(moment.sql, moment.kind, count, unit), kind)


@handles(exp.Cast)
def _cast(x: Expressions, node: exp.Cast) -> Typed:
    to = kind_of_cast(node.to)
    if isinstance(node.this, exp.Literal) and node.this.is_string and to in TIMES:
        return time_literal(x, node.this.name, to)
    inner = x(node.this)
    if inner.kind is Kind.NULL:
        return Typed(x.dialect.to(inner.sql, to), to)
    if to is Kind.DATE and inner.kind in TIMES:
        return Typed(x.dialect.date_of(inner.sql, inner.kind), to)
    if to is Kind.TIME and inner.kind in TIMES:
        return Typed(x.dialect.time_of(inner.sql, inner.kind), to)
    if to is Kind.TEXT:
        return Typed(x.dialect.as_text(inner.sql, inner.kind), to)
    if inner.kind is to and to is not Kind.DECIMAL:
        return inner
    if to is Kind.DOUBLE and inner.kind in NUMBERS:
        return Typed(x.dialect.to(inner.sql, to), to)
    raise x.dialect.no(f"cast of {inner.kind} to {to}")
