"""What a KPI at a grain is, in SQL over its grid: value, base, comparisons, target, and the alert conditions' answers.

Every period of the series meets every segment value, so that gaps are filled by the rules of *Nothing*: a covered period
without rows is 0 for counts and sums, and no data for everything else.
"""

from __future__ import annotations

import datetime as dt

from sqlglot import exp

from cadran.calendar import Period
from cadran.compute.cells.conditions import NUMBERS, Conditions
from cadran.compute.cells.grid import FRAME, MEMBERS, Grid
from cadran.compute.lower import Lowering, both, cast, column, number, text
from cadran.compute.planning.plan import Series
from cadran.compute.scanning.scan import dim, label_of
from cadran.compute.spans import Clock, span_of
from cadran.formula.measures import COUNTERPART, Model, ResolvedTarget, leaves_in


class Combiner:
    """Writes what one series brings to the statement of its grid, in columns that begin with ``prefix``."""

    def __init__(
        self, series: Series, model: Model, clock: Clock, grid: Grid, until: dt.date, prefix: str = ""
    ) -> None:
        """``until`` is the last day up to which periods are final."""
        self.series, self.model, self.clock, self.grid = series, model, clock, grid
        self.until, self.prefix = until, prefix
        self.names = grid.names
        self.conditions: dict[int, str] = {}

    def columns(self) -> dict[str, exp.Expr]:
        """Value, base, comparisons and target, and the leaves that alert rules look at."""
        kpi = self.series.kpi
        value, previous = self._value(kpi.value), self._value(kpi.previous)
        base = self._value(kpi.base) if kpi.base is not None else self._rows_behind(kpi.value)
        low, high = self.target()
        found = [value, base, previous, self._value(kpi.year_ago), low, high]
        columns = {f"{self.prefix}{name}": node for name, node in zip(NUMBERS, found, strict=True)}
        for numbered in dict.fromkeys(
            n for rule in self.series.rules for t in (rule.when, rule.clear) for n in leaves_in(t)
        ):
            name = f"{self.prefix}leaf_{numbered}"
            self.conditions[numbered] = name
            columns[name] = self._leaf(numbered)
        return columns

    # --- values -------------------------------------------------------------------------------------------------------------

    def _leaf(self, numbered: int, *, zero: bool = True, what: str = "m") -> exp.Expr:
        placed = self.series.leaves[numbered]
        alias, span = self.grid.alias(placed, total=placed.leaf.total), column(self.grid.span(placed), FRAME)
        found: exp.Expr = column(f"{what}{placed.index}", alias)
        if not (zero and (placed.leaf.measure.zero or what == "n")):
            return found
        covered: exp.Expr = exp.Not(this=exp.Is(this=span, expression=exp.null()))
        if placed.of_snapshot:
            # Without a snapshot in reach there is nothing to say; the total has a row as soon as there is one.
            total = self.grid.alias(placed, total=True)
            covered = exp.Not(this=exp.Is(this=column("rows", total), expression=exp.null()))
        unreached = [s for s in self.series.sets if s not in placed.sets]
        if unreached and not placed.leaf.total:
            covered = exp.And(
                this=covered,
                expression=exp.Not(
                    this=exp.In(
                        this=column("segment", MEMBERS), expressions=[text(label_of(s)) for s in unreached]
                    )
                ),
            )
        return exp.Case(ifs=[exp.If(this=covered, true=exp.Coalesce(this=found, expressions=[number(0)]))])

    def _value(self, tree: exp.Expr, *, zero: bool = True) -> exp.Expr:
        leaves = {str(n): self._leaf(n, zero=zero) if zero else self._with_rows(n) for n in leaves_in(tree)}
        return Lowering(self.clock, lambda _: "", placeholders=leaves)(self._with_counterparts(tree))

    def _with_counterparts(self, tree: exp.Expr) -> exp.Expr:
        """Answers which positions have the period that a shift asks for."""

        def answer(node: exp.Expr) -> exp.Expr:
            if not (isinstance(node, exp.Anonymous) and node.this == COUNTERPART):
                return node
            transforms = self.model.shifts[int(node.expressions[0].this)]
            spans = [
                span_of(p, transforms, self.clock.calendar, self.clock, self.until)
                for p in self.series.periods
            ]
            found = [number(str(i)) for i, span in enumerate(spans) if span is not None]
            return exp.In(this=column("position"), expressions=found) if found else exp.false()

        return tree.copy().transform(answer)

    def _with_rows(self, numbered: int) -> exp.Expr:
        """A leaf of a target: over no rows it is no data, not 0."""
        behind = exp.GT(this=self._leaf(numbered, zero=False, what="n"), expression=number(0))
        return exp.Case(ifs=[exp.If(this=behind, true=self._leaf(numbered, zero=False))])

    def _rows_behind(self, tree: exp.Expr) -> exp.Expr:
        counts = [self._leaf(n, what="n") for n in leaves_in(tree)]
        return counts[0] if len(counts) == 1 else exp.Least(this=counts[0], expressions=counts[1:])

    # --- targets ---------------------------------------------------------------------------------------------------------------

    def target(self) -> tuple[exp.Expr, exp.Expr]:
        """The first case that fits, as (target or low end, high end)."""
        lows, highs = [], []
        for target in self.series.kpi.targets:
            condition = self._fits(target)
            if condition is None:
                continue
            low = target.low if target.value is None else target.value
            assert low is not None
            high = self._value(target.high, zero=False) if target.high is not None else exp.null()
            lows.append(exp.If(this=condition, true=self._value(low, zero=False)))
            highs.append(exp.If(this=condition.copy(), true=high))
        if not lows:
            return cast(exp.null(), "DOUBLE"), cast(exp.null(), "DOUBLE")
        return exp.Case(ifs=lows), exp.Case(ifs=highs)

    def _fits(self, target: ResolvedTarget) -> exp.Expr | None:
        case = target.case
        if case.grain is not None and case.grain is not self.series.grain:
            return None
        fitting = [i for i, p in enumerate(self.series.periods) if self._in_time(target, p)]
        if not fitting:
            return None
        parts: list[exp.Expr | None] = []
        if len(fitting) < len(self.series.periods):
            parts.append(
                exp.In(this=column("position", FRAME), expressions=[number(str(i)) for i in fitting])
            )
        if case.segment == "total":
            parts.append(exp.EQ(this=column("segment", MEMBERS), expression=text("")))
        elif case.segment is not None:
            for name, wanted in case.segment.items():
                if name not in self.names:
                    return None
                parts.append(exp.EQ(this=column(dim(name), MEMBERS), expression=text(wanted)))
        return both(*parts) or exp.true()

    def _in_time(self, target: ResolvedTarget, period: Period) -> bool:
        case = target.case
        if case.since is not None and period.start < case.since:
            return False
        return case.period is None or self.clock.calendar.parse(case.period.value).holds(period)

    # --- alert conditions --------------------------------------------------------------------------------------------------------

    def judged(self) -> list[exp.Expr]:
        """Its columns over the statement of its grid, with each rule's conditions answered: true, false, NULL for unknown."""
        conditions = Conditions(self.clock, self.names, self.prefix, self.conditions, self._with_counterparts)
        own = [conditions.own(name) for name in NUMBERS]
        return [*own, *conditions.answers(self.series.rules)]
