"""The state of alert rules after each period, over computed cells or over figures that a test gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlglot import exp

from cadran.calendar import Calendar, Period
from cadran.compute.cells.combine import Combiner
from cadran.compute.cells.conditions import NUMBERS, Conditions
from cadran.compute.cells.grid import Grid
from cadran.compute.loading.embedded import Session
from cadran.compute.lower import column
from cadran.compute.planning.plan import Series
from cadran.compute.spans import LATEST, Clock
from cadran.declare.expectations import Figure, KpiTest, State
from cadran.declare.model import AlertRule, Declaration
from cadran.formula.conditions import conditions, figure_of
from cadran.formula.measures import Model, ResolvedKpi, ResolvedRule, ResolvedTarget, leaves_in
from cadran.judge.alerts import standings
from cadran.problems import ProblemsFound

_TABLE = "figures"
_SCALE = 12  # digits after the point that a figure may have
_ENOUGH = Decimal(10) ** 15  # a base that is left out suffices, whatever a condition asks of it
_REAL = ("avg", "median", "quantile", "stddev")  # what is a float, whatever its rows are


def states(rule: AlertRule, answers: Iterable[tuple[str, bool | None, bool | None]]) -> dict[str, State]:
    """By the period's label: ``resolved`` is the first ok after firing."""
    out: dict[str, State] = {}
    before: State = "ok"
    for period, standing in standings(rule, answers):
        back = standing.state == "ok" and before == "firing"
        out[period] = "resolved" if back else standing.state
        before = standing.state
    return out


class Replay:
    """One KPI's rules over the values that a test gives for it. Raises ProblemsFound where those do not suffice."""

    def __init__(self, declaration: Declaration, model: Model, session: Session, test: KpiTest) -> None:
        self.declaration, self.model, self.session, self.test = declaration, model, session, test
        self.calendar: Calendar = declaration.calendar
        self.clock = Clock(self.calendar.midnight(LATEST), self.calendar)
        self.kpi: ResolvedKpi = model.kpis[test.kpi]
        first, last = (f(v.period for v in test.values) for f in (min, max))
        self.periods = self.calendar.range(first.grain, first.start, last.start)
        self.given = {value.period: value.figures for value in test.values}

    def states(self) -> dict[tuple[str, Period], State]:
        """By rule and period, of the rules that the test is about."""
        rules = self._rules()
        self._fill(rules)
        conditions = Conditions(self.clock, ())
        heads: list[exp.Expr] = [column("position")]
        select = exp.Select(expressions=[*heads, *conditions.answers(rules)])
        select = select.from_(exp.to_identifier(_TABLE, quoted=True), copy=False)
        rows = self.session.rows(select.order_by(column("position"), copy=False))
        labels = {self.calendar.label(period): period for period in self.periods}
        names = list(labels)
        out = {}
        for index, rule in enumerate(rules):
            at = 1 + 2 * index
            found = states(rule.rule, ((names[row[0]], row[at], row[at + 1]) for row in rows))
            out.update({(rule.rule.name, labels[label]): state for label, state in found.items()})
        return out

    def _rules(self) -> list[ResolvedRule]:
        wanted = {expected.rule for expected in self.test.alerts}
        found, problems = conditions(self.declaration, self.test.kpi)
        rules = [rule for rule in found if rule.rule.name in wanted]
        if len(rules) < len(wanted):
            raise ProblemsFound(problems)
        return rules

    # --- the table of figures ------------------------------------------------------------------------------------

    def _fill(self, rules: Sequence[ResolvedRule]) -> None:
        others = sorted({name for figures in self.given.values() for name in figures} - {*NUMBERS})
        asked = {
            n.name for r in rules for t in (r.when, r.clear) if t is not None for n in t.find_all(exp.Column)
        }
        named = {figure_of(name): name for name in self.declaration.kpis if figure_of(name) in asked}
        kinds = {name: self._kind(self.test.kpi) for name in ("value", "previous", "year_ago")}
        kinds |= dict.fromkeys(("base", "target", "target_high"), f"DECIMAL(38,{_SCALE})")
        kinds |= {figure_of(name): self._kind(name) for name in {*others, *named.values()}}
        targets = self._targets()
        rows = [[i, "", *self._row(period, kinds, targets[i])] for i, period in enumerate(self.periods)]
        self.session.fill(_TABLE, {"position": "INTEGER", "segment": "VARCHAR", **kinds}, rows)

    def _row(self, period: Period, kinds: Mapping[str, str], target: tuple[Any, Any]) -> list[Any]:
        figures = self.given.get(period, {})
        own = {**{figure_of(name): figure for name, figure in figures.items()}, **figures}
        found = {name: _number(own.get(name), kind) for name, kind in kinds.items()}
        for name, other in (
            ("previous", self.calendar.shift(period, -1)),
            ("year_ago", self.calendar.year_ago(period)),
        ):
            if name not in figures and other in self.given:
                found[name] = _number(self.given[other].get("value"), kinds[name])
        if "base" not in figures:
            found["base"] = _ENOUGH
        if "target" not in figures:
            found["target"], found["target_high"] = target
        return list(found.values())

    def _kind(self, kpi: str) -> str:
        """The type of a KPI's values in a run: exact, or a float where it is a quotient or a mean."""
        found = self.model.kpis.get(kpi)
        if found is None:
            return "DOUBLE"
        functions = {self.model.leaves[n].measure.function for n in leaves_in(found.value)}
        real = found.value.find(exp.Div) is not None or functions & {*_REAL}
        return "DOUBLE" if real else f"DECIMAL(38,{_SCALE})"

    def _targets(self) -> list[tuple[Any, Any]]:
        """By position the total's target, as far as it is constant: one that rests on data is not known here."""
        kpi = replace(self.kpi, targets=tuple(_constant(target) for target in self.kpi.targets))
        series = Series(kpi, self.periods[0].grain, list(self.periods), 0, sets=[()])
        grid = Grid(series, self.calendar, "periods of figures")
        low, high = Combiner(series, self.model, self.clock, grid, LATEST).target()
        select = grid.select({"low": low, "high": high})
        self.session.fill(grid.table, grid.columns(), grid.rows())
        rows = self.session.rows(select.order_by(column("position"), copy=False))
        return [(_finite(row[-2]), _finite(row[-1])) for row in rows]


def _constant(target: ResolvedTarget) -> ResolvedTarget:
    if not any(leaves_in(tree) for tree in (target.value, target.low, target.high)):
        return target
    return ResolvedTarget(target.case, value=exp.null())


def _number(figure: Figure | None, kind: str) -> Any:
    if figure is None or figure.value is None:
        return None
    return float(figure.value) if kind == "DOUBLE" else figure.value


def _finite(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))
