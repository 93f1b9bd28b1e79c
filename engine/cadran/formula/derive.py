"""KPIs derived from resolved ones: the same formula over other spans, or a part of it.

Analyses ask for them ("the numerator, by channel"; "the value over six months"), so they are made of trees and not of
text: what they mean was checked when the KPI was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from cadran.calendar import Duration, Grain
from cadran.declare.model import Kpi
from cadran.formula.leaves import Leaves
from cadran.formula.measures import (
    Leaf,
    Measure,
    Model,
    ResolvedKpi,
    ResolvedTarget,
    Transform,
)


@dataclass(slots=True)
class Derivation:
    """Collects derived KPIs over a model; ``model`` gives it with them."""

    base: Model
    _leaves: Leaves = field(init=False)
    _kpis: dict[str, ResolvedKpi] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._leaves = Leaves(self.base.leaves, self.base.shifts)

    @property
    def model(self) -> Model:
        return replace(
            self.base,
            kpis={**self.base.kpis, **self._kpis},
            leaves=tuple(self._leaves.all),
            shifts=tuple(self._leaves.shifts),
        )

    def leaf(self, leaf: Leaf) -> exp.Expr:
        """The node that stands for a leaf, known already or not."""
        return self._leaves.node(leaf)

    def measure(self, measure: Measure) -> exp.Expr:
        return self.leaf(Leaf(measure))

    def leaf_of(self, node: exp.Placeholder) -> Leaf:
        return self._leaves.of(node)

    def under(self, tree: exp.Expr, transform: Transform) -> exp.Expr:
        """The tree over other spans, see :meth:`Leaves.under`."""
        return self._leaves.under(tree, transform)

    def kpi(
        self, name: str, of: ResolvedKpi, value: exp.Expr, *,
        periods: Sequence[Grain] = (), segments: Sequence[tuple[str, ...]] | None = None, matures: Duration | None = None,
    ) -> str:  # fmt: skip
        """Adds a KPI that is computed beside the others; gives its name. Its periods and segments are those ``of``
        the one that it is derived from unless said; it has no base, no comparison, no target, no alert and is never reported."""
        made = Kpi(
            name=name,
            formula=of.kpi.formula,
            place=of.kpi.place,
            reported=False,
            periods=tuple(periods) or of.kpi.periods,
            segments=of.kpi.segments if segments is None else tuple(segments),
            compare=(),
            matures=matures,
        )
        nothing = exp.null()
        self._kpis[name] = ResolvedKpi(made, of.parsed, value, nothing, nothing, nothing, of=of.said)
        return name

    def twin(
        self, name: str, of: ResolvedKpi, *,
        periods: Sequence[Grain], segments: Sequence[tuple[str, ...]], targets: Sequence[ResolvedTarget] = (),
    ) -> str:  # fmt: skip
        """Adds a KPI like another, its comparisons included, with other targets, and without alerts; gives its name."""
        made = replace(
            of.kpi,
            name=name,
            reported=False,
            periods=tuple(periods),
            segments=tuple(segments),
            compare=("previous", "year_ago"),
            alerts=(),
        )
        self._kpis[name] = replace(of, kpi=made, targets=tuple(targets), rules=())
        return name
