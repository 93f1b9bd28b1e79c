"""Score rules that can never count, or count twice for one thing: found where conditions are simple enough to compare.

Such a condition is one or several comparisons of columns with constants, joined by ``and``; it allows each of these
columns a set of values. Conditions of other forms are compared for being the same, and else left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlglot import exp

from cadran.declare.document import Place
from cadran.declare.findings import line_and_column, subject_of
from cadran.declare.model import Score, ScoreRule
from cadran.formula.measures import ResolvedDataset
from cadran.problems import Problem

Column = tuple[str, str]  # the links walked, and the name


@dataclass(frozen=True, slots=True)
class Allowed:
    """The values that a condition allows a column: listed ones, or numbers between two ends (None: no end)."""

    listed: frozenset[object] | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    without_low: bool = False
    without_high: bool = False

    def holds(self, value: object) -> bool:
        if self.listed is not None:
            return value in self.listed
        if not isinstance(value, Decimal):
            return False
        above = self.low is None or (value > self.low if self.without_low else value >= self.low)
        return above and (
            self.high is None or (value < self.high if self.without_high else value <= self.high)
        )

    @property
    def empty(self) -> bool:
        if self.listed is not None:
            return not self.listed
        if self.low is None or self.high is None:
            return False
        return self.low > self.high or (self.low == self.high and (self.without_low or self.without_high))

    def both(self, other: Allowed) -> Allowed:
        """What both allow."""
        if self.listed is not None:
            return Allowed(frozenset(value for value in self.listed if other.holds(value)))
        if other.listed is not None:
            return other.both(self)
        low, without_low = max(_low(self), _low(other))
        high, without_high = min(_high(self), _high(other))
        return Allowed(None, _end(low), _end(high), without_low, not without_high)


def _low(allowed: Allowed) -> tuple[Decimal, bool]:
    return Decimal("-Infinity") if allowed.low is None else allowed.low, allowed.without_low


def _high(allowed: Allowed) -> tuple[Decimal, bool]:
    return Decimal("Infinity") if allowed.high is None else allowed.high, not allowed.without_high


def _end(value: Decimal) -> Decimal | None:
    return None if value.is_infinite() else value


Condition = Mapping[Column, Allowed]


def check_score(score: Score, dataset: ResolvedDataset) -> Iterator[Problem]:
    """A score that hides a column, and warnings about rules that can never give points, or two for the same thing."""
    names = {column.casefold(): column for column in dataset.raw or ()}
    for name in (score.name, *([f"{score.name}_band"] if score.bands else [])):
        if name.casefold() in names:
            message = f"the table of '{score.dataset}' already has a column '{names[name.casefold()]}', which the score would hide"
            place = Place(score.place.document, score.place.path, on_key=True)
            hint = f"give the score another name, such as '{score.dataset}_{score.name}'"
            yield Problem("hidden-column", message, place.position(), subject_of(score.place.path), hint)
    trees = {
        rule.column: dataset.derived[rule.column] for rule in score.rules if rule.column in dataset.derived
    }
    known = [
        (rule, trees[rule.column], condition(trees[rule.column]))
        for rule in score.rules
        if rule.column in trees
    ]
    for number, (rule, tree, allowed) in enumerate(known):
        if allowed is not None and any(a.empty for a in allowed.values()):
            yield _warn(
                "unreachable-rule", rule, "this condition never holds", "no value meets all of its parts"
            )
            continue
        for earlier, other_tree, other in known[:number]:
            found = _between(rule, tree, allowed, earlier, other_tree, other)
            if found is not None:
                yield found
                break


def _between(
    rule: ScoreRule, tree: exp.Expr, allowed: Condition | None,
    earlier: ScoreRule, other_tree: exp.Expr, other: Condition | None,
) -> Problem | None:  # fmt: skip
    same = tree == other_tree
    where = line_and_column(earlier.place)
    if rule.group is not None and rule.group == earlier.group:
        if same or (allowed is not None and other is not None and _within(allowed, other)):
            message = f"this rule is never reached: the one at {where} comes first and holds whenever it does"
            return _warn("unreachable-rule", rule, message, "put the special case first")
        return None
    if rule.adds or earlier.adds:
        return None
    if same or (allowed is not None and other is not None and _overlap(allowed, other)):
        message = f"this rule and the one at {where} can hold for the same row, and then both give points"
        hint = "put them under 'first:', where only the first that holds counts; or say 'adds: true' if both are meant"
        return _warn("overlapping-rules", rule, message, hint)
    return None


def _within(inner: Condition, outer: Condition) -> bool:
    """Whether every row that meets ``inner`` meets ``outer``."""
    return all(column in inner and _is_within(inner[column], allowed) for column, allowed in outer.items())


def _is_within(inner: Allowed, outer: Allowed) -> bool:
    if inner.listed is not None:
        return all(outer.holds(value) for value in inner.listed)
    if outer.listed is not None:
        return False
    return _low(inner) >= _low(outer) and _high(inner) <= _high(outer)


def _overlap(one: Condition, other: Condition) -> bool:
    """Over the same columns: over different ones, that both hold says two things about a row."""
    return one.keys() == other.keys() and all(not one[column].both(other[column]).empty for column in one)


def _warn(code: str, rule: ScoreRule, message: str, hint: str) -> Problem:
    place = rule.when.place
    return Problem(code, message, place.position(), subject_of(place.path), hint, "warning")


# --- conditions ------------------------------------------------------------------------------------------------------


def condition(tree: exp.Expr) -> dict[Column, Allowed] | None:
    """What a bound condition allows each column; None where it is not simple enough to say."""
    out: dict[Column, Allowed] = {}
    for part in tree.flatten() if isinstance(tree, exp.And) else [tree]:
        found = _comparison(part.unnest() if isinstance(part, exp.Paren) else part)
        if found is None:
            return None
        column, allowed = found
        out[column] = out[column].both(allowed) if column in out else allowed
    return out


def _comparison(node: exp.Expr) -> tuple[Column, Allowed] | None:
    if isinstance(node, exp.Column):
        return _column(node), Allowed(frozenset({True}))
    if isinstance(node, exp.Not) and isinstance(node.this, exp.Column):
        return _column(node.this), Allowed(frozenset({False}))
    if isinstance(node, exp.Between):
        low, high = (_constant(node.args[end]) for end in ("low", "high"))
        if isinstance(node.this, exp.Column) and isinstance(low, Decimal) and isinstance(high, Decimal):
            return _column(node.this), Allowed(None, low, high)
        return None
    if isinstance(node, exp.In) and isinstance(node.this, exp.Column):
        values = [_constant(part) for part in node.expressions]
        return (_column(node.this), Allowed(frozenset(values))) if values and None not in values else None
    return _binary(node)


_MIRRORED: Mapping[type[exp.Expr], type[exp.Expr]] = {
    exp.LT: exp.GT, exp.LTE: exp.GTE, exp.GT: exp.LT, exp.GTE: exp.LTE, exp.EQ: exp.EQ,
}  # fmt: skip


def _binary(node: exp.Expr) -> tuple[Column, Allowed] | None:
    kind: type[exp.Expr] = type(node)
    if kind not in _MIRRORED:
        return None
    left, right = node.this, node.expression
    if isinstance(right, exp.Column):
        left, right, kind = right, left, _MIRRORED[kind]
    value = _constant(right)
    if not isinstance(left, exp.Column) or value is None:
        return None
    if kind is exp.EQ:
        return _column(left), Allowed(frozenset({value}))
    if not isinstance(value, Decimal):
        return None
    if kind in (exp.GT, exp.GTE):
        return _column(left), Allowed(None, low=value, without_low=kind is exp.GT)
    return _column(left), Allowed(None, high=value, without_high=kind is exp.LT)


def _column(node: exp.Column) -> Column:
    return node.table, node.name


def _constant(node: exp.Expr) -> object | None:
    if isinstance(node, exp.Neg):
        value = _constant(node.this)
        return -value if isinstance(value, Decimal) else None
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if isinstance(node, exp.Literal):
        return str(node.this) if node.is_string else Decimal(str(node.this))
    return None
