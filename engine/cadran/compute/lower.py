"""Bound expressions as the SQL that DuckDB runs with the language's meaning.

Division by a power of ten stays exact, any other is real and gives NULL for zero; ``now()`` is the run's clock;
medians and quantiles interpolate in doubles, because DuckDB rounds a median of decimals.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation

from sqlglot import exp

from cadran.compute.spans import Clock
from cadran.formula.measures import ref_of
from cadran.formula.rows import rebuild
from cadran.formula.vocabulary import word_of

AliasOf = Callable[[tuple[str, ...]], str]
WithZone = "TIMESTAMP WITH TIME ZONE"


def text(value: str) -> exp.Expr:
    return exp.Literal.string(value)


def number(value: int | str) -> exp.Expr:
    return exp.Literal.number(value)


@functools.cache
def _type(kind: str) -> exp.DataType:
    return exp.DataType.build(kind, dialect="duckdb")


def cast(node: exp.Expr, kind: str) -> exp.Cast:
    return exp.Cast(this=node, to=_type(kind).copy())


def column(name: str, table: str = "") -> exp.Column:
    return exp.column(name, table=table or None, quoted=True)


def named(node: exp.Expr, name: str) -> exp.Alias:
    """``node AS "name"``; takes the node as it is, where sqlglot's own function copies it."""
    return exp.Alias(this=node, alias=exp.to_identifier(name, quoted=True))


def both(*conditions: exp.Expr | None) -> exp.Expr | None:
    """The conjunction of what is given."""
    given = [c for c in conditions if c is not None]
    if not given:
        return None
    out = given[0]
    for condition in given[1:]:
        out = exp.And(this=_in_parens(out), expression=_in_parens(condition))
    return out


def _in_parens(node: exp.Expr) -> exp.Expr:
    return exp.Paren(this=node) if isinstance(node, exp.Or) else node


def clock_as(kind: str, clock: Clock) -> exp.Expr:
    """The clock as a literal of a date column's type."""
    if kind == "DATE":
        return cast(text(clock.today.isoformat()), "DATE")
    if kind == WithZone:
        return cast(text(clock.instant.isoformat(sep=" ")), "TIMESTAMPTZ")
    return cast(text(clock.local.isoformat(sep=" ")), "TIMESTAMP")


class Lowering:
    """Turns bound nodes into DuckDB's. ``aliases`` gives the table alias behind a path of links."""

    def __init__(
        self,
        clock: Clock,
        aliases: AliasOf,
        *,
        placeholders: Mapping[str, exp.Expr] | None = None,
        in_period: Callable[[exp.Expr], exp.Expr] | None = None,
        columns: Callable[[exp.Column], exp.Expr] | None = None,
    ) -> None:
        self.clock, self.aliases = clock, aliases
        self.placeholders = placeholders or {}
        self.in_period = in_period
        self.columns = columns

    def __call__(self, node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column):
            if self.columns:
                return self.columns(node)
            path, name = ref_of(node)
            return column(name, self.aliases(path))
        if isinstance(node, exp.Placeholder):
            return self.placeholders[str(node.this)].copy()
        word = word_of(node)
        if word == "in_period" and self.in_period:
            return self.in_period(node.expressions[0])
        if isinstance(node, exp.CurrentTimestamp) or (
            isinstance(node, exp.Anonymous) and str(node.this).lower() == "now"
        ):
            return clock_as(WithZone, self.clock)
        if isinstance(node, exp.CurrentDate):
            return clock_as("DATE", self.clock)
        if isinstance(node, (exp.DataType, exp.Literal, exp.Interval, exp.Var)):
            return node.copy()
        lowered = rebuild(node, self)
        if isinstance(lowered, exp.Div):
            return division(lowered.this, lowered.expression)
        if isinstance(lowered, exp.Mod):
            return exp.Mod(
                this=_wrapped(lowered.this),
                expression=exp.Nullif(this=lowered.expression, expression=number(0)),
            )
        if isinstance(lowered, exp.Median):
            return quantile(lowered.this, "0.5")
        if isinstance(lowered, exp.Quantile):
            return quantile(lowered.this, str(lowered.args["quantile"].this))
        return lowered


def quantile(argument: exp.Expr, share: str) -> exp.Expr:
    return exp.Anonymous(this="quantile_cont", expressions=[cast(argument, "DOUBLE"), number(share)])


def division(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """Exact by a power of ten (``x * 0.01``), else real, NULL for zero."""
    places = _power_of_ten(right)
    if places:
        return exp.Mul(this=_wrapped(left), expression=number(format(Decimal(1).scaleb(-places), "f")))
    literal = right.this if isinstance(right, exp.Paren) else right
    nonzero = isinstance(literal, exp.Literal) and not literal.is_string and Decimal(literal.this) != 0
    divisor = _wrapped(right) if nonzero else exp.Nullif(this=right, expression=number(0))
    return exp.Div(this=_wrapped(left), expression=divisor, typed=False, safe=False)


def _wrapped(node: exp.Expr) -> exp.Expr:
    return exp.Paren(this=node) if isinstance(node, (exp.Binary, exp.Case, exp.Neg)) else node


def _power_of_ten(node: exp.Expr) -> int:
    if not isinstance(node, exp.Literal) or node.is_string:
        return 0
    try:
        value = Decimal(node.this)
    except InvalidOperation:
        return 0
    places = value.adjusted()
    return places if 0 < places <= 18 and value == Decimal(1).scaleb(places) else 0
