"""The project's rates joined to amounts, and what the data must hold before amounts are converted or added."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlglot import exp

from cadran.compute.places import Places
from cadran.compute.lower import Lowering, both, cast, column, number, text
from cadran.compute.rows import Joined, RowsBuilder
from cadran.compute.timing import Meeting
from cadran.declare.model import Declaration
from cadran.formula.measures import Measure
from cadran.problems import Problem


def rates_table(declaration: Declaration) -> exp.Expr | None:
    """``day, currency, rate, until``: each rate holds until the next of its currency; our own currency is worth 1."""
    declared = declaration.rates
    if declared is None:
        return None
    table = exp.table_(declared.table.table, db=declared.table.source, quoted=True)
    day, currency, rate = (
        cast(column(declared.date), "DATE"),
        column(declared.currency),
        column(declared.rate),
    )
    order = exp.Order(expressions=[exp.Ordered(this=day.copy())])
    until = exp.Window(
        this=exp.Anonymous(this="lead", expressions=[day.copy()]), partition_by=[currency.copy()], order=order
    )
    ours = text(declaration.currency)
    theirs = _named(day, currency, rate, until).from_(table, copy=False)
    theirs = theirs.where(exp.NEQ(this=currency.copy(), expression=ours), copy=False)
    always = cast(text("0001-01-01"), "DATE")
    own = _named(always, ours.copy(), number(1), cast(exp.null(), "DATE"))
    return exp.Subquery(this=exp.Union(this=theirs, expression=own, distinct=False))


def _named(day: exp.Expr, currency: exp.Expr, rate: exp.Expr, until: exp.Expr) -> exp.Select:
    nodes = {"day": day, "currency": currency, "rate": rate, "until": until}
    return exp.Select(expressions=[exp.alias_(node, name, quoted=True) for name, node in nodes.items()])


def join_rate(measure: Measure, meeting: Meeting, rates: exp.Expr) -> exp.Expr:
    """Joins the rate in force on the row's date to a scan, and gives it as a column."""
    joined = meeting.joined
    found = meeting.rows.model.datasets[meeting.dataset]
    by_validity = measure.timing != "flow" and not found.snapshot
    day = cast(meeting.moment("from" if by_validity else "date").sql, "DATE")
    assert measure.money is not None
    code = (
        text(measure.money.code) if measure.money.column is None else joined.column((), measure.money.column)
    )
    alias = f"rates_{len(joined.joins)}"
    until = column("until", alias)
    in_force = exp.Or(
        this=exp.Is(this=until, expression=exp.null()), expression=exp.LT(this=day, expression=until.copy())
    )
    on = both(
        exp.EQ(this=column("currency", alias), expression=code),
        exp.GTE(this=day.copy(), expression=column("day", alias)),
        exp.Paren(this=in_force),
    )
    table = exp.alias_(rates.copy(), alias, table=True, quoted=True)
    joined.joins.append(exp.Join(this=table, side="LEFT", on=on))
    return column("rate", alias)


class Currencies:
    """Checks the amounts of measures against their currencies."""

    def __init__(self, declaration: Declaration, session: Places, rows: RowsBuilder) -> None:
        self.declaration, self.session, self.rows = declaration, session, rows

    def check(self, measures: Sequence[Measure]) -> list[Problem]:
        """Amounts without a rate, and amounts of several currencies that nothing converts."""
        out: list[Problem] = []
        rates = rates_table(self.declaration)
        if rates is not None and any(m.convert for m in measures):
            out += self._repeated_rates()
        for measure in measures:
            if measure.money is None:
                continue
            if measure.convert and rates is not None:
                out += self._without_rate(measure, rates)
            elif measure.money.column is not None:
                out += self._mixed(measure)
        return out

    def _repeated_rates(self) -> list[Problem]:
        """Two rates of one currency for one day would count its amounts twice."""
        declared = self.declaration.rates
        assert declared is not None
        table = exp.table_(declared.table.table, db=declared.table.source, quoted=True)
        keys = [cast(column(declared.date), "DATE"), column(declared.currency)]
        select = exp.Select(
            expressions=[exp.alias_(cast(k.copy(), "VARCHAR"), f"k{i}") for i, k in enumerate(keys)]
        )
        select = select.from_(table, copy=False).group_by(*keys, copy=False)
        select.set("having", exp.Having(this=exp.GT(this=exp.Count(this=exp.Star()), expression=number(1))))
        found = self.session.rows(select.limit(1, copy=False))
        if not found:
            return []
        day, currency = found[0]
        message = f"'{declared.table.table}' holds two rates of {currency} for {day}"
        return [
            Problem(
                "repeated-rate",
                message,
                declared.table.place.position(),
                "rates",
                "keep one rate a day and currency",
            )
        ]

    def _problem(self, measure: Measure, code: str, message: str, hint: str) -> Problem:
        origin = measure.origin
        return Problem(code, message, origin.parsed.position(origin.node), origin.subject, hint)

    def _rows_of(self, measure: Measure) -> tuple[Joined, Lowering, list[exp.Expr]]:
        """The measure's rows (its filter included) as a FROM clause to be selected from."""
        parts = list(measure.expressions())
        found = self.rows.model.datasets[measure.dataset]
        if found.date is not None:
            parts.append(found.date)
        if measure.money is not None and measure.money.column is not None:
            parts.append(measure.money.column)
        tables = self.rows.build(self.rows.needs(measure.dataset, parts))
        joined = Joined(self.rows, measure.dataset, tables.final[measure.dataset], tables.final)
        lower = Lowering(self.rows.clock, joined.alias, in_period=lambda _: exp.true())
        self._tables = tables
        assert measure.argument is not None
        amount = lower(measure.argument)
        where: list[exp.Expr] = [exp.Not(this=exp.Is(this=amount, expression=exp.null()))]
        if measure.condition is not None:
            where.append(lower(measure.condition))
        return joined, lower, where

    def _ask(self, select: exp.Select) -> list[tuple[Any, ...]]:
        return self.session.rows(self._tables.attach(select))

    def _without_rate(self, measure: Measure, rates: exp.Expr) -> list[Problem]:
        """An amount without a rate would be left out without a word."""
        joined, lower, where = self._rows_of(measure)
        assert measure.money is not None
        code = text(measure.money.code) if measure.money.column is None else lower(measure.money.column)
        date = measure.date if isinstance(measure.date, exp.Column) else None
        meeting = Meeting(self.rows, measure.dataset, joined, date)
        rate = join_rate(measure, meeting, rates)
        day = cast(
            meeting.moment("date" if measure.timing == "flow" or self._snapshot(measure) else "from").sql,
            "DATE",
        )
        where += [
            exp.Is(this=rate, expression=exp.null()),
            exp.Not(this=exp.Is(this=day.copy(), expression=exp.null())),
        ]
        select = joined.select(cast(code, "VARCHAR"), exp.Min(this=day), exp.Count(this=exp.Star()))
        select = select.where(both(*where), copy=False).group_by(cast(code.copy(), "VARCHAR"), copy=False)
        found = self._ask(select.limit(3, copy=False))
        return [self._no_rate(measure, *row) for row in found]

    def _snapshot(self, measure: Measure) -> bool:
        return self.rows.model.datasets[measure.dataset].snapshot

    def _no_rate(self, measure: Measure, code: str | None, day: dt.date, count: int) -> Problem:
        declared = self.declaration.rates
        assert declared is not None
        if code is None:
            message = f"{count} amount(s) have no currency, the first on {day}"
            return self._problem(
                measure, "no-rate", message, "give them a currency, or leave them out with a filter"
            )
        message = f"'{declared.table.table}' has no rate of {code} for {count} amount(s), the first on {day}"
        return self._problem(
            measure, "no-rate", message, "add the rate (one on or before that day), or filter by currency"
        )

    def _mixed(self, measure: Measure) -> list[Problem]:
        joined, lower, where = self._rows_of(measure)
        assert measure.money is not None
        assert measure.money.column is not None
        select = joined.select(exp.alias_(cast(lower(measure.money.column), "VARCHAR"), "c", quoted=True))
        select = select.where(both(*where), copy=False).distinct(copy=False)
        found = [row[0] for row in self._ask(select)]
        codes = sorted(str(code) for code in found if code is not None)
        if codes and None in found:
            hint = "give them a currency, or leave them out with a filter"
            return [self._problem(measure, "currencies", "some amounts have no currency", hint)]
        subject = measure.origin.subject
        unit = self.declaration.kpis[subject].unit if subject in self.declaration.kpis else ""
        if len(codes) > 1:
            hint = "declare 'rates:' to convert them, or filter by currency"
            return [self._problem(measure, "currencies", f"the amounts are in {' and '.join(codes)}", hint)]
        if codes and len(unit) == 3 and unit.isupper() and unit != codes[0]:
            hint = f"use 'unit: {codes[0]}', or declare 'rates:' to convert"
            return [
                self._problem(
                    measure, "currencies", f"the amounts are in {codes[0]}, the unit says {unit}", hint
                )
            ]
        return []
