"""Scans joined into one table per KPI and grain: value, base, comparisons, target, and the alert conditions' answers.

Every period of the series meets every segment value (the frame), so that gaps are filled by the rules of *Nothing*:
a covered period without rows is 0 for counts and sums, and no data for everything else.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from cadran.calendar import Calendar, Period
from cadran.compute.lower import Lowering, both, cast, column, division, number, text
from cadran.compute.plan import Placed, Series
from cadran.compute.scan import Segments, dim, label_of
from cadran.compute.spans import Clock, span_of
from cadran.formula.measures import COUNTERPART, Model, ResolvedTarget, leaves_in

_FRAME, _MEMBERS = "frame", "members"


@dataclass(frozen=True, slots=True)
class Cell:
    """One row as computed, before it is judged. ``conditions`` holds (when, clear) for each rule."""

    position: int
    segment: Segments
    segment_value: tuple[str, ...]
    value: Any
    base: Any
    previous: Any
    year_ago: Any
    target: Any
    target_high: Any
    conditions: tuple[tuple[bool | None, bool | None], ...] = ()


class Combiner:
    """Writes the SELECT of one series over the tables of its scans."""

    def __init__(
        self, series: Series, model: Model, calendar: Calendar, clock: Clock, frame_table: str, until: dt.date
    ) -> None:
        self.series, self.model, self.calendar, self.clock = series, model, calendar, clock
        self.frame_table, self.until = frame_table, until  # until: the last day up to which periods are final
        self.names = list(dict.fromkeys(n for segments in series.sets for n in segments))
        self.frame: dict[tuple[int | None, ...], str] = {}
        self.joins: dict[tuple[str, str, bool], str] = {}
        self.conditions: dict[int, str] = {}

    def select(self) -> exp.Select:
        kpi = self.series.kpi
        value, previous = self._value(kpi.value), self._value(kpi.previous)
        base = self._value(kpi.base) if kpi.base is not None else self._rows_behind(kpi.value)
        low, high = self._target()
        columns = {
            "value": value, "base": base, "previous": previous, "year_ago": self._value(kpi.year_ago),
            "target": low, "target_high": high,
        }  # fmt: skip
        for numbered in dict.fromkeys(
            n for rule in self.series.rules for t in (rule.when, rule.clear) for n in leaves_in(t)
        ):
            name = f"leaf_{numbered}"
            self.conditions[numbered] = name
            columns[name] = self._leaf(numbered)
        heads = [
            column("position", _FRAME),
            column("segment", _MEMBERS),
            *(column(dim(n), _MEMBERS) for n in self.names),
        ]
        select = exp.Select(
            expressions=[*heads, *(exp.alias_(v, n, quoted=True) for n, v in columns.items())]
        )
        frame = exp.alias_(
            exp.Table(this=exp.to_identifier(self.frame_table, quoted=True)), _FRAME, table=True, quoted=True
        )
        select = select.from_(frame, copy=False)
        select = select.join(exp.to_identifier(_MEMBERS, quoted=True), join_type="CROSS", copy=False)
        for (scan, spans, total), alias in self.joins.items():
            select.append("joins", self._join(scan, spans, total, alias))
        return select.with_(exp.to_identifier(_MEMBERS, quoted=True), as_=self._members(), copy=False)

    # --- the frame ----------------------------------------------------------------------------------------------------

    def frame_columns(self) -> dict[str, str]:
        return {"position": "INTEGER", "period": "VARCHAR", **dict.fromkeys(self.frame.values(), "INTEGER")}

    def frame_rows(self) -> list[list[object]]:
        """One row per period, with the number of the span that each leaf sees there (nothing: no data)."""
        labels = [self.calendar.label(p) for p in self.series.periods]
        return [[i, label, *(spans[i] for spans in self.frame)] for i, label in enumerate(labels)]

    def _members(self) -> exp.Expr:
        """The total, and every segment value with rows in the output's periods."""
        nothing = [exp.alias_(cast(exp.null(), "VARCHAR"), dim(n), quoted=True) for n in self.names]
        out: exp.Expr = exp.Select(expressions=[exp.alias_(text(""), "segment", quoted=True), *nothing])
        for placed in self.series.presence:
            sets = [s for s in self.series.sets if s and s in placed.sets]
            if not sets:
                continue
            columns = [
                column("segment"),
                *(
                    column(dim(n))
                    if n in placed.scan.names
                    else exp.alias_(cast(exp.null(), "VARCHAR"), dim(n), quoted=True)
                    for n in self.names
                ),
            ]
            seen = exp.Select(expressions=columns, distinct=exp.Distinct())
            seen = seen.from_(exp.to_identifier(placed.scan.name, quoted=True), copy=False)
            of_sets = exp.In(this=column("segment"), expressions=[text(label_of(s)) for s in sets])
            in_range = exp.In(
                this=column("span"), expressions=[number(str(s)) for s in dict.fromkeys(placed.spans)]
            )
            out = exp.union(out, seen.where(both(of_sets, in_range), copy=False), distinct=True, copy=False)
        return out

    def _join(self, scan: str, spans: str, total: bool, alias: str) -> exp.Join:
        placed = next(p for p in self.series.leaves.values() if p.scan.name == scan)
        on: list[exp.Expr | None] = [exp.EQ(this=column("span", alias), expression=column(spans, _FRAME))]
        if total:
            on.append(exp.EQ(this=column("segment", alias), expression=text("")))
        else:
            on.append(exp.EQ(this=column("segment", alias), expression=column("segment", _MEMBERS)))
            shared = [dim(n) for n in self.names if n in placed.scan.names]
            on += [exp.NullSafeEQ(this=column(n, alias), expression=column(n, _MEMBERS)) for n in shared]
        table = exp.alias_(
            exp.Table(this=exp.to_identifier(scan, quoted=True)), alias, table=True, quoted=True
        )
        return exp.Join(this=table, side="LEFT", on=both(*on))

    # --- values -------------------------------------------------------------------------------------------------------------

    def _alias(self, placed: Placed) -> tuple[str, exp.Column]:
        """The join that brings a leaf's values, and the frame's column that says whether it is covered."""
        alias = self._join_alias(placed, total=placed.leaf.total)
        return alias, column(self._span(placed), _FRAME)

    def _span(self, placed: Placed) -> str:
        return self.frame.setdefault(placed.spans, f"span_{len(self.frame)}")

    def _join_alias(self, placed: Placed, *, total: bool) -> str:
        spans = self._span(placed)
        name = f"{placed.scan.name}_at_{spans}" + "_total" * total
        return self.joins.setdefault((placed.scan.name, spans, total), name)

    def _leaf(self, numbered: int, *, zero: bool = True, what: str = "m") -> exp.Expr:
        placed = self.series.leaves[numbered]
        alias, span = self._alias(placed)
        found: exp.Expr = column(f"{what}{placed.index}", alias)
        if not (zero and (placed.leaf.measure.zero or what == "n")):
            return found
        covered: exp.Expr = exp.Not(this=exp.Is(this=span, expression=exp.null()))
        if placed.of_snapshot:
            # Without a snapshot in reach there is nothing to say; the total has a row as soon as there is one.
            total = self._join_alias(placed, total=True)
            covered = exp.Not(this=exp.Is(this=column("rows", total), expression=exp.null()))
        unreached = [s for s in self.series.sets if s not in placed.sets]
        if unreached and not placed.leaf.total:
            covered = exp.And(
                this=covered,
                expression=exp.Not(
                    this=exp.In(
                        this=column("segment", _MEMBERS), expressions=[text(label_of(s)) for s in unreached]
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
                span_of(p, transforms, self.calendar, self.clock, self.until) for p in self.series.periods
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

    def _target(self) -> tuple[exp.Expr, exp.Expr]:
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
                exp.In(this=column("position", _FRAME), expressions=[number(str(i)) for i in fitting])
            )
        if case.segment == "total":
            parts.append(exp.EQ(this=column("segment", _MEMBERS), expression=text("")))
        elif case.segment is not None:
            for name, wanted in case.segment.items():
                if name not in self.names:
                    return None
                parts.append(exp.EQ(this=column(dim(name), _MEMBERS), expression=text(wanted)))
        return both(*parts) or exp.true()

    def _in_time(self, target: ResolvedTarget, period: Period) -> bool:
        case = target.case
        if case.since is not None and period.start < case.since:
            return False
        return case.period is None or self.calendar.parse(case.period.value).holds(period)

    # --- alert conditions --------------------------------------------------------------------------------------------------------

    def judged(self, table: str) -> exp.Select:
        """The series' table with each rule's conditions answered: true, false, or NULL for unknown."""
        plain = [
            "position",
            "segment",
            *(dim(n) for n in self.names),
            "value",
            "base",
            "previous",
            "year_ago",
            "target",
            "target_high",
        ]
        selects: list[exp.Expr] = [column(n) for n in plain]
        for index, rule in enumerate(self.series.rules):
            selects.append(exp.alias_(self._condition(rule.when), f"when_{index}", quoted=True))
            clear = self._condition(rule.clear) if rule.clear is not None else exp.null()
            selects.append(exp.alias_(clear, f"clear_{index}", quoted=True))
        select = exp.Select(expressions=selects).from_(exp.to_identifier(table, quoted=True), copy=False)
        return select.order_by(
            *(column(n) for n in ["position", "segment", *(dim(n) for n in self.names)]), copy=False
        )

    def _condition(self, tree: exp.Expr) -> exp.Expr:
        leaves = {str(n): column(name) for n, name in self.conditions.items()}
        lower = Lowering(self.clock, lambda _: "", placeholders=leaves, columns=_condition_name)
        return lower(self._with_windows(self._with_counterparts(tree)))

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
            found = division(exp.Paren(this=exp.Sub(this=column("value"), expression=mean)), spread)
        return exp.Case(ifs=[exp.If(this=complete, true=found)])

    def _over(self, function: str, periods: str) -> exp.Expr:
        spec = exp.WindowSpec(
            kind="ROWS", start=number(periods), start_side="PRECEDING", end=number("1"), end_side="PRECEDING"
        )
        order = exp.Order(expressions=[exp.Ordered(this=column("position"))])
        partition = [column("segment"), *(column(dim(n)) for n in self.names)]
        call = exp.Anonymous(this=function, expressions=[column("value")])
        return exp.Window(this=call, partition_by=partition, order=order, spec=spec)

    def cells(self, rows: list[tuple[Any, ...]]) -> list[Cell]:
        """The answer of :meth:`judged` as cells."""
        width = len(self.names)
        by_label: Mapping[str, Segments] = {label_of(s): s for s in self.series.sets}
        out = []
        for row in rows:
            segments = by_label[row[1]]
            values = dict(zip(self.names, row[2 : 2 + width], strict=True))
            rest = row[2 + width :]
            pairs = tuple((rest[i], rest[i + 1]) for i in range(6, len(rest), 2))
            value, base, previous, year_ago, target, high = rest[:6]
            members = tuple(str(values[s]) for s in segments)
            out.append(Cell(row[0], segments, members, value, base, previous, year_ago, target, high, pairs))
        return out


def _condition_name(node: exp.Column) -> exp.Expr:
    name = node.name
    if name == "change":
        return exp.Paren(this=exp.Sub(this=column("value"), expression=column("previous")))
    if name == "change_rate":
        return exp.Paren(
            this=division(
                exp.Paren(this=exp.Sub(this=column("value"), expression=column("previous"))),
                column("previous"),
            )
        )
    return column(name)
