"""A formula brought to one sum over another, so that a change of it can be split over a segment's values.

``1 - a / b`` is ``(b - a) / b``, ``100 * (a - b) / c`` and ``avg(x)`` (a sum over a count) are of that form as well.
What is not (a median, a product of two ratios) is refused with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from sqlglot import exp

from cadran.formula.derive import Derivation
from cadran.formula.measures import COUNTERPART, Leaf, leaves_in

# A part of a sum: a measure as the node that stands for it, or None for the constant.
Sum = Mapping[exp.Expr | None, Fraction]

# Of the measures that may stand in a sum: those whose values over a segment's values add up to the total, always ...
ADDITIVE = frozenset({"count", "sum", "converted"})
# ... and those of which some may be counted under several values, or only in the total.
COUNTED = frozenset({"count_distinct", "active", "new", "retained", "lost", "count_having"})

Why = Literal["statistic", "product", "denominators", "total", "function"]


class NotARatio(Exception):
    """``what`` names the function at fault, ``leaf`` the measure where it is one."""

    def __init__(self, why: Why, what: str = "", leaf: Leaf | None = None) -> None:
        super().__init__(why)
        self.why, self.what, self.leaf = why, what, leaf


@dataclass(frozen=True, slots=True)
class Ratio:
    """``numerator / denominator``; the denominator of a plain sum is the constant 1."""

    numerator: Sum
    denominator: Sum

    @property
    def additive(self) -> bool:
        """Whether it is a sum itself."""
        return set(self.denominator) == {None}

    @property
    def parts(self) -> list[exp.Expr]:
        """The measures in it, each once."""
        return [p for p in dict.fromkeys([*self.numerator, *self.denominator]) if p is not None]


def ratio_of(tree: exp.Expr, derivation: Derivation) -> Ratio:
    """With 1 as the first factor of the denominator. Raises :class:`NotARatio`."""
    found = _read(tree, derivation)
    factor = 1 / next(iter(found.denominator.values()))
    return Ratio(_scaled(found.numerator, factor), _scaled(found.denominator, factor))


def _read(tree: exp.Expr, derivation: Derivation) -> Ratio:
    match tree:
        case exp.Paren():
            return _read(tree.this, derivation)
        case exp.Neg():
            return _times(_read(tree.this, derivation), _constant(Fraction(-1)))
        case exp.Literal() if not tree.is_string:
            return _constant(Fraction(tree.this))
        case exp.Add() | exp.Sub() | exp.Mul() | exp.Div():
            left, right = _read(tree.left, derivation), _read(tree.right, derivation)
            return _combined(tree, left, right)
        case exp.Placeholder():
            return _measure(tree, derivation)
        case exp.Coalesce() if _is_sum_or_zero(tree, derivation):
            return Ratio({tree: Fraction(1)}, {None: Fraction(1)})
        case _:
            raise NotARatio("function", _name(tree))


def _combined(node: exp.Expr, left: Ratio, right: Ratio) -> Ratio:
    match node:
        case exp.Add():
            return _plus(left, right)
        case exp.Sub():
            return _plus(left, _times(right, _constant(Fraction(-1))))
        case exp.Mul():
            return _times(left, right)
        case _:
            if not right.numerator:
                raise NotARatio("function", "/ 0")
            return _times(left, Ratio(right.denominator, right.numerator))


def _measure(node: exp.Placeholder, derivation: Derivation) -> Ratio:
    leaf = derivation.leaf_of(node)
    if leaf.total:
        raise NotARatio("total", "total", leaf)
    if leaf.measure.function == "avg":
        parts = (
            derivation.leaf(replace(leaf, measure=replace(leaf.measure, function=f)))
            for f in ("sum", "count")
        )
        total, number = parts
        return Ratio({total: Fraction(1)}, {number: Fraction(1)})
    if leaf.measure.function not in ADDITIVE | COUNTED:
        raise NotARatio("statistic", leaf.measure.function, leaf)
    return Ratio({node: Fraction(1)}, {None: Fraction(1)})


def _is_sum_or_zero(node: exp.Coalesce, derivation: Derivation) -> bool:
    """``coalesce(sum(x), 0)``: what adds up still does."""
    first, others = node.this, node.expressions
    if not isinstance(first, exp.Placeholder) or len(others) != 1:
        return False
    leaf, zero = derivation.leaf_of(first), others[0]
    number = isinstance(zero, exp.Literal) and not zero.is_string and not Fraction(zero.this)
    return number and not leaf.total and leaf.measure.function in ADDITIVE | COUNTED


def _name(node: exp.Expr) -> str:
    if isinstance(node, exp.Case) and any(n.this == COUNTERPART for n in node.find_all(exp.Anonymous)):
        return "coalesce"  # a shifted expression is guarded where it turns no data into something
    return node.key if leaves_in(node) else node.sql()


# --- arithmetic --------------------------------------------------------------------------------------------------------


def _constant(value: Fraction) -> Ratio:
    return Ratio({None: value} if value else {}, {None: Fraction(1)})


def _scaled(terms: Sum, factor: Fraction) -> Sum:
    return {part: value * factor for part, value in terms.items()} if factor else {}


def _multiple(terms: Sum, of: Sum) -> Fraction | None:
    """The number that ``of`` has to be multiplied with to give ``terms``, where there is one."""
    if not of or set(terms) != set(of):
        return None
    factors = {terms[part] / of[part] for part in of}
    return factors.pop() if len(factors) == 1 else None


def _number(terms: Sum) -> Fraction | None:
    """The value of a sum without measures."""
    return terms.get(None, Fraction(0)) if set(terms) <= {None} else None


def _plus(left: Ratio, right: Ratio) -> Ratio:
    for one, other in ((left, right), (right, left)):
        factor = _multiple(other.denominator, one.denominator)
        if factor is not None:
            return Ratio(_added(one.numerator, _scaled(other.numerator, 1 / factor)), one.denominator)
        constant = _number(other.numerator) if other.additive else None
        if constant is not None:
            constant /= other.denominator[None]
            return Ratio(_added(one.numerator, _scaled(one.denominator, constant)), one.denominator)
    raise NotARatio("denominators")


def _added(left: Sum, right: Sum) -> Sum:
    out = {p: left.get(p, Fraction(0)) + right.get(p, Fraction(0)) for p in dict.fromkeys([*left, *right])}
    return {part: value for part, value in out.items() if value}


def _times(left: Ratio, right: Ratio) -> Ratio:
    top = _product(left.numerator, right.numerator)
    bottom = _product(left.denominator, right.denominator)
    if top is not None and bottom is not None:
        return Ratio(top, bottom)
    for one, other in ((left, right), (right, left)):  # what stands above and below falls away
        factor = _multiple(one.numerator, other.denominator)
        if factor is not None:
            return Ratio(_scaled(other.numerator, factor), one.denominator)
    raise NotARatio("product")


def _product(left: Sum, right: Sum) -> Sum | None:
    """None where measures would be multiplied."""
    for one, other in ((left, right), (right, left)):
        factor = _number(one)
        if factor is not None:
            return _scaled(other, factor)
    return None
