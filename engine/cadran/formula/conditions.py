"""Alert conditions over figures that are given: a KPI's name stands for its figure, not for its formula."""

from __future__ import annotations

from sqlglot import exp

from cadran.declare.model import Declaration
from cadran.formula.measures import ResolvedRule
from cadran.formula.resolve import Resolver, Where
from cadran.problems import Problem


def figure_of(kpi: str) -> str:
    """The column that holds the figures of another KPI."""
    return f"figure of {kpi}"


def conditions(declaration: Declaration, kpi: str) -> tuple[list[ResolvedRule], list[Problem]]:
    """The rules of a KPI whose conditions need figures alone, and for each other what it needs beyond."""
    reader = _OverFigures(declaration, {}, comparisons=False)
    return reader.rules(kpi), reader.problems


class _OverFigures(Resolver):
    def rules(self, kpi: str) -> list[ResolvedRule]:
        found = (self._rule(kpi, rule) for rule in self.declaration.kpis[kpi].alerts)
        return [rule for rule in found if rule is not None]

    def _reference(self, name: str, node: exp.Expr, where: Where) -> exp.Expr:  # noqa: ARG002
        return exp.column(figure_of(name), quoted=True)

    def _leaf(self, node: exp.Expr, where: Where) -> exp.Expr:
        raise self._beyond(node, where)

    def _over_kpi(self, node: exp.Expr, word: str, where: Where) -> exp.Expr:  # noqa: ARG002
        raise self._beyond(node, where)

    def _beyond(self, node: exp.Expr, where: Where) -> Exception:
        message = "this condition looks at more than figures of the period"
        return where.fail("beyond-figures", message, node, "test it with rows: 'given' instead of 'values'")
