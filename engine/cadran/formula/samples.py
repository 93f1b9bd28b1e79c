"""What a KPI's value says of a sample: a share ``x`` of ``n``, or a mean of ``n`` values. Of both it is known how sure they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from sqlglot import exp

from cadran.formula.derive import Derivation
from cadran.formula.measures import Measure, Model, ResolvedDataset
from cadran.formula.ratio import NotARatio, Ratio, ratio_of

# Conditions that no NULL meets.
_STRICT = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between, exp.Like)
_ONE = Fraction(1)
_KEYS = ("count_distinct", "active")  # different keys, said in two ways


@dataclass(frozen=True, slots=True)
class Share:
    """``part`` of ``whole``, both counts of the same rows or keys; ``rest`` where the value is what is left, ``1 - part / whole``."""

    part: exp.Expr
    whole: exp.Expr
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Mean:
    number: exp.Expr
    deviation: exp.Expr


def sample_of(tree: exp.Expr, derivation: Derivation) -> Share | Mean | None:
    """None for what is neither a share of one population nor a mean."""
    while isinstance(tree, exp.Paren):
        tree = tree.this
    if isinstance(tree, exp.Placeholder):
        return _mean(tree, derivation)
    try:
        return _share(ratio_of(tree, derivation), derivation)
    except NotARatio:
        return None


def _mean(node: exp.Placeholder, derivation: Derivation) -> Mean | None:
    leaf = derivation.leaf_of(node)
    if leaf.measure.function != "avg" or leaf.transforms:
        return None
    number, deviation = (derivation.measure(replace(leaf.measure, function=f)) for f in ("count", "stddev"))
    return Mean(number, deviation)


def _share(ratio: Ratio, derivation: Derivation) -> Share | None:
    if len(ratio.denominator) != 1 or ratio.additive:
        return None
    (whole,) = ratio.denominator
    parts = [part for part in ratio.numerator if part != whole]
    if whole is None or len(parts) != 1 or parts[0] is None:
        return None
    part, rest = parts[0], whole in ratio.numerator
    factors = [ratio.numerator[p] for p in (whole, part) if p in ratio.numerator]
    if factors != ([_ONE, -_ONE] if rest else [_ONE]) or not _is_part(part, whole, derivation):
        return None
    return Share(part, whole, rest)


def _is_part(part: exp.Expr, whole: exp.Expr, derivation: Derivation) -> bool:
    if not (isinstance(part, exp.Placeholder) and isinstance(whole, exp.Placeholder)):
        return False
    one, other = derivation.leaf_of(part), derivation.leaf_of(whole)
    if one.transforms or other.transforms or one.total or other.total:
        return False
    return is_part(one.measure, other.measure, derivation.model)


def is_part(part: Measure, whole: Measure, model: Model) -> bool:
    """Whether whatever ``part`` counts is counted in ``whole`` too, in any span of time.

    Then ``part`` has the same rows or keys with a further filter, or those that meet a condition on their rows.
    """
    given = _terms(part.condition)
    if part.dataset != whole.dataset or not all(_is_implied(t, given) for t in _terms(whole.condition)):
        return False
    return _is_kind(part, whole) and _is_time(part, whole, model.datasets[part.dataset])


def _is_kind(part: Measure, whole: Measure) -> bool:
    if whole.function == "count":
        if part.function == "converted":
            return whole.argument is None
        return part.function == "count" and whole.argument in (None, part.argument)
    return (
        whole.function in _KEYS
        and part.function in (*_KEYS, "count_having", "new")
        and part.argument == whole.argument
    )


def _is_time(part: Measure, whole: Measure, dataset: ResolvedDataset) -> bool:
    if part.timing == whole.timing:
        return part.date == whole.date
    if whole.timing == "opening":
        return part.timing == "gone"
    if whole.timing != "during":
        return False
    date = part.date or dataset.date
    ends = part.timing == "flow" and dataset.valid is not None and date in dataset.valid
    return ends or part.timing in ("started", "ended")


def _terms(condition: exp.Expr | None) -> set[exp.Expr]:
    """What a condition demands, each on its own."""
    while isinstance(condition, exp.Paren):
        condition = condition.this
    if isinstance(condition, exp.And):
        return _terms(condition.this) | _terms(condition.expression)
    return set() if condition is None else {condition}


def _is_implied(term: exp.Expr, given: set[exp.Expr]) -> bool:
    """Whether rows that meet the ``given`` conditions meet this one: it is among them, or ``stage = 'won'`` makes it true
    that ``stage in ('won', 'lost')`` and that ``stage is not null``."""
    if term in given:
        return True
    match term:
        case exp.Not(this=exp.Is(this=tested, expression=exp.Null())):
            return any(isinstance(g, _STRICT) and tested in (g.this, g.args.get("expression")) for g in given)
        case exp.In(this=tested, expressions=listed) if listed:
            return any(_values(g, tested) and _values(g, tested) <= set(listed) for g in given)
        case _:
            return False


def _values(condition: exp.Expr, tested: exp.Expr) -> set[exp.Expr]:
    """The literals that a condition leaves to a column; none where it is no list of them."""
    match condition:
        case exp.EQ(this=column, expression=exp.Literal() as value) if column == tested:
            return {value}
        case exp.In(this=column, expressions=listed) if column == tested:
            return (
                {v for v in listed if isinstance(v, exp.Literal)}
                if all(isinstance(v, exp.Literal) for v in listed)
                else set()
            )
        case _:
            return set()
