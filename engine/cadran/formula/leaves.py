"""The leaves of a model's trees: each stands once, under a number, and a whole tree is put over other spans here."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from cadran.formula.measures import (
    COUNTERPART,
    At,
    Leaf,
    Shift,
    Transform,
    YearAgo,
    counterpart_node,
    leaf_node,
    turns_no_data_into_something,
)
from cadran.formula.rows import rebuild


class Leaves:
    """Leaves, and the shifts whose counterparts trees ask for, in the order in which they came."""

    def __init__(self, leaves: Iterable[Leaf] = (), shifts: Iterable[tuple[Transform, ...]] = ()) -> None:
        self.all, self.shifts = list(leaves), list(shifts)
        self._numbers = {leaf: number for number, leaf in enumerate(self.all)}

    def node(self, leaf: Leaf) -> exp.Expr:
        """The node that stands for a leaf, known already or not."""
        if leaf not in self._numbers:
            self._numbers[leaf] = len(self.all)
            self.all.append(leaf)
        return leaf_node(self._numbers[leaf])

    def of(self, node: exp.Placeholder) -> Leaf:
        return self.all[int(node.this)]

    def under(self, tree: exp.Expr, transform: Transform) -> exp.Expr:
        """The tree with every leaf's span transformed, as ``previous(k)`` or ``rolling(k, 6)`` do; no data where the calendar has no
        such period."""

        def visit(node: exp.Expr) -> exp.Expr:
            if isinstance(node, exp.Placeholder):
                return self.node(self.of(node).under(transform))
            if isinstance(node, exp.Anonymous) and node.this == COUNTERPART:
                return self._counterpart((transform, *self.shifts[int(node.expressions[0].this)]))
            return rebuild(node, visit)

        moved = visit(tree)
        if not isinstance(transform, Shift | YearAgo | At) or not turns_no_data_into_something(tree):
            return moved
        return exp.Case(ifs=[exp.If(this=self._counterpart((transform,)), true=moved)])

    def _counterpart(self, transforms: tuple[Transform, ...]) -> exp.Expr:
        if transforms not in self.shifts:
            self.shifts.append(transforms)
        return counterpart_node(self.shifts.index(transforms))
