"""Aggregates taken apart: what is kept of a measure in each cell, and how cells are put together again.

Counts and sums add up, the smallest of smallest is the smallest; an average is its sum and its count. A deviation is the
count, the sum and the sum of squares, which add up exactly for whole numbers and decimals (and only for those).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlglot import exp

from cadran.compute.lower import both, cast, column, number
from cadran.formula.measures import Measure
from cadran.formula.vocabulary import word_of

CELLS = "cells"  # what a table of cells is called in statements

Keep = Callable[[exp.Expr], str]  # keeps an aggregate over rows in each cell, and says in which column
_DECIMAL_MOST = 18  # digits of a decimal whose square is exact

INTEGERS = frozenset({"TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER", "BIGINT"})


@dataclass(frozen=True, slots=True)
class Whole:
    """A measure over the cells of a group: its value (None where cells do not hold it), and the non-NULL rows behind it."""

    value: exp.Expr | None
    behind: exp.Expr


@dataclass(frozen=True, slots=True)
class Rows:
    """A measure's rows as SQL: what is aggregated, the filter, and which cells count (``in_period``)."""

    argument: exp.Expr | None
    condition: exp.Expr | None
    within: exp.Expr | None = None

    def kept(self, call: exp.Expr) -> exp.Expr:
        """The aggregate of the rows that pass. Many ``FILTER`` in one statement cost DuckDB the square of their number."""
        if self.condition is None:
            return call
        one = number(1) if isinstance(call.this, exp.Star) else call.this
        call.set("this", exp.Case(ifs=[exp.If(this=self.condition.copy(), true=one)]))
        return call

    def over(self, call: exp.Expr) -> exp.Expr:
        """The aggregate of the cells that count."""
        if self.within is None:
            return call
        call.set("this", exp.Case(ifs=[exp.If(this=self.within.copy(), true=call.this)]))
        return call


def additive(measure: Measure, kind: str) -> bool:
    """Whether cells can be put together to the measure; ``kind`` is the type of its argument ('' unknown)."""
    if measure.function == "stddev":
        return not measure.convert and scale_of(kind) is not None
    return measure.function in ("count", "sum", "avg", "min", "max", "converted")


def scale_of(kind: str) -> int | None:
    """The digits behind the point of a type whose squares add up exactly; None for other types."""
    if kind in INTEGERS:
        return 0
    if not kind.startswith("DECIMAL("):
        return None
    digits, scale = (int(part) for part in kind[8:-1].split(","))
    return scale if digits <= _DECIMAL_MOST else None


def whole(measure: Measure, rows: Rows, keep: Keep, kind: str) -> Whole:
    """Keeps in each cell what the measure needs, and gives it back over cells."""
    behind = counted(rows, keep)
    if measure.function in ("count", "converted"):
        return Whole(behind, behind.copy())
    if not additive(measure, kind):
        return Whole(None, behind)
    assert rows.argument is not None
    match measure.function:
        case "sum":
            value = _merged(exp.Sum, exp.Sum(this=rows.argument.copy()), rows, keep)
        case "min" | "max":
            which = exp.Min if measure.function == "min" else exp.Max
            value = _merged(which, which(this=rows.argument.copy()), rows, keep)
        case "avg":
            total = _merged(exp.Sum, exp.Sum(this=rows.argument.copy()), rows, keep)
            value = _divided(cast(total, "DOUBLE"), behind.copy())
        case _:
            value = _deviation(rows, keep, behind, scale_of(kind) or 0)
    return Whole(value, behind)


def counted(rows: Rows, keep: Keep) -> exp.Expr:
    """How many non-NULL rows there are: 0 over none."""
    call = exp.Count(this=rows.argument.copy() if rows.argument is not None else exp.Star(), big_int=True)
    total = rows.over(exp.Sum(this=column(keep(rows.kept(call)), CELLS)))
    if rows.within is not None:
        total = exp.Coalesce(this=total, expressions=[number(0)])
    return cast(total, "BIGINT")


def _merged(which: type[exp.Expr], call: exp.Expr, rows: Rows, keep: Keep) -> exp.Expr:
    return rows.over(which(this=column(keep(rows.kept(call)), CELLS)))


def _divided(total: exp.Expr, count: exp.Expr) -> exp.Expr:
    divisor = exp.Nullif(this=count, expression=number(0))
    return exp.Div(this=total, expression=divisor, typed=False, safe=False)


def _deviation(rows: Rows, keep: Keep, count: exp.Expr, scale: int) -> exp.Expr:
    """The sample's: the root of (n·Σx² - (Σx)²) / (n·(n-1)), in whole units up to the root, so that it is exact."""
    assert rows.argument is not None
    one = rows.argument if scale else cast(rows.argument, "HUGEINT")
    square = exp.Mul(this=exp.Paren(this=one.copy()), expression=exp.Paren(this=one.copy()))
    total = _units(_merged(exp.Sum, exp.Sum(this=one.copy()), rows, keep), scale)
    squares = _units(_merged(exp.Sum, exp.Sum(this=square), rows, keep), 2 * scale)
    n = cast(count.copy(), "HUGEINT")
    spread = exp.Sub(
        this=exp.Mul(this=n, expression=squares), expression=exp.Mul(this=total, expression=total.copy())
    )
    fewer = exp.Paren(this=exp.Sub(this=n.copy(), expression=number(1)))
    variance = _divided(
        cast(exp.Paren(this=spread), "DOUBLE"), exp.Mul(this=cast(count.copy(), "DOUBLE"), expression=fewer)
    )
    root = exp.Sqrt(this=variance)
    if not scale:
        return root
    return exp.Div(this=root, expression=number(str(10**scale)), typed=False, safe=False)


def _units(total: exp.Expr, scale: int) -> exp.Expr:
    """A decimal as a whole number of its smallest unit."""
    if not scale:
        return total
    return cast(exp.Mul(this=total, expression=number(str(10**scale))), "HUGEINT")


def conditions(condition: exp.Expr | None) -> tuple[exp.Expr | None, list[exp.Expr]] | None:
    """A filter as what each row decides and the arguments of ``in_period``; None where the two cannot be told apart."""
    plain: list[exp.Expr] = []
    within: list[exp.Expr] = []
    for part in conjuncts(condition):
        if word_of(part) == "in_period":
            within.append(part.expressions[0])
        elif any(word_of(node) == "in_period" for node in part.walk()):
            return None
        else:
            plain.append(part)
    return both(*plain), within


def conjuncts(node: exp.Expr | None) -> Iterator[exp.Expr]:
    """What all has to hold for a condition to hold."""
    if isinstance(node, exp.Paren):
        yield from conjuncts(node.this)
    elif isinstance(node, exp.And):
        yield from conjuncts(node.this)
        yield from conjuncts(node.expression)
    elif node is not None:
        yield node
