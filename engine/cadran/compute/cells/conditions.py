"""The conditions of alert rules in SQL, over a table with one row for each period and segment value of a KPI.

The table holds ``position``, ``segment``, a column for each segment's value, and the numbers of :data:`NUMBERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from sqlglot import exp

from cadran.compute.lower import Lowering, column, division, named, number
from cadran.compute.scanning.scan import dim
from cadran.compute.spans import Clock
from cadran.formula.measures import ResolvedRule

NUMBERS = ("value", "base", "previous", "year_ago", "target", "target_high")


class Conditions:
    """``leaves`` names the columns of what conditions ask beyond the row's own numbers; those begin with ``prefix``.

    ``settled`` answers what of a tree only the calendar knows.
    """

    def __init__(
        self, clock: Clock, names: Sequence[str], prefix: str = "", leaves: Mapping[int, str] | None = None,
        settled: Callable[[exp.Expr], exp.Expr] = lambda tree: tree,
    ) -> None:  # fmt: skip
        self.clock, self.names, self.prefix = clock, names, prefix
        self.leaves, self.settled = leaves or {}, settled

    def answers(self, rules: Iterable[ResolvedRule]) -> list[exp.Expr]:
        """Each rule's ``when`` and ``clear``: true, false, NULL for unknown (and where there is no ``clear``)."""
        selects: list[exp.Expr] = []
        for index, rule in enumerate(rules):
            clear = self._condition(rule.clear) if rule.clear is not None else exp.null()
            for what, node in (("when", self._condition(rule.when)), ("clear", clear)):
                selects.append(named(node, f"{self.prefix}{what}_{index}"))
        return selects

    def own(self, name: str) -> exp.Column:
        """A number of the row."""
        return column(f"{self.prefix}{name}")

    def _condition(self, tree: exp.Expr) -> exp.Expr:
        leaves = {str(n): column(name) for n, name in self.leaves.items()}
        lower = Lowering(self.clock, lambda _: "", placeholders=leaves, columns=self._named)
        return lower(self._with_windows(self.settled(tree)))

    def _with_windows(self, tree: exp.Expr) -> exp.Expr:
        """``mean(n)``, ``stddev(n)``, ``zscore(n)`` over the n periods before, and nothing where one is missing."""

        def replace(node: exp.Expr) -> exp.Expr:
            if isinstance(node, exp.Anonymous) and str(node.this) in ("mean", "stddev", "zscore"):
                return self._window(str(node.this), str(node.expressions[0].this))
            return node

        return tree.copy().transform(replace)

    def _window(self, word: str, periods: str) -> exp.Expr:
        mean, spread = self._over("AVG", periods), self._over("STDDEV_SAMP", periods)
        complete = exp.EQ(this=self._over("COUNT", periods), expression=number(periods))
        found = {"mean": mean, "stddev": spread}.get(word)
        if found is None:
            found = division(exp.Paren(this=exp.Sub(this=self.own("value"), expression=mean)), spread)
        return exp.Case(ifs=[exp.If(this=complete, true=found)])

    def _over(self, function: str, periods: str) -> exp.Expr:
        spec = exp.WindowSpec(
            kind="ROWS", start=number(periods), start_side="PRECEDING", end=number("1"), end_side="PRECEDING"
        )
        order = exp.Order(expressions=[exp.Ordered(this=column("position"))])
        partition = [column("segment"), *(column(dim(n)) for n in self.names)]
        call = exp.Anonymous(this=function, expressions=[self.own("value")])
        return exp.Window(this=call, partition_by=partition, order=order, spec=spec)

    def _named(self, node: exp.Column) -> exp.Expr:
        """What a condition calls a number of the row."""
        if node.name not in ("change", "change_rate"):
            return self.own(node.name) if node.name in NUMBERS else column(node.name)
        change = exp.Paren(this=exp.Sub(this=self.own("value"), expression=self.own("previous")))
        return change if node.name == "change" else exp.Paren(this=division(change, self.own("previous")))
