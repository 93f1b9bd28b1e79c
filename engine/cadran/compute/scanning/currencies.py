"""The project's rates joined to amounts, and what the data must hold before amounts are converted or added."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from cadran.compute.lower import Lowering, both, cast, column, number, text
from cadran.compute.placing.places import Places
from cadran.compute.scanning.rows import Joined, RowsBuilder
from cadran.compute.scanning.timing import Meeting
from cadran.declare.model import Declaration
from cadran.formula.measures import Measure
from cadran.formula.money import rates_hint
from cadran.problems import Problem
from cadran.state.index import digest

if TYPE_CHECKING:
    from cadran.compute.keeping.examined import Examined


def rates_table(declaration: Declaration, session: Places) -> exp.Expr | None:
    """``day, currency, rate, until``: each rate holds until the next of its currency; our own currency is worth 1."""
    declared = declaration.rates
    if declared is None:
        return None
    table = session.table(declared.table.source, declared.table.table)
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
    return rate_on(day, measure, joined, rates)


def rate_on(day: exp.Expr, measure: Measure, joined: Joined, rates: exp.Expr) -> exp.Expr:
    """Joins the rate in force on a day to a measure's rows, and gives it as a column."""
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

    def __init__(
        self,
        declaration: Declaration,
        session: Places,
        rows: RowsBuilder,
        known: Examined | None = None,
    ) -> None:
        self.declaration, self.session, self.rows, self.known = declaration, session, rows, known

    def check(self, measures: Sequence[Measure]) -> list[Problem]:
        """Amounts without a rate, and amounts of several currencies that nothing converts."""
        out: list[Problem] = []
        rates = rates_table(self.declaration, self.session)
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

    def _rows_of(
        self, measure: Measure, rows: RowsBuilder, by: str = ""
    ) -> tuple[Joined, Lowering, list[exp.Expr]]:
        """The measure's rows (its filter included) as a FROM clause to be selected from."""
        parts = list(measure.expressions())
        found = rows.model.datasets[measure.dataset]
        if found.date is not None:
            parts.append(found.date)
        if measure.money is not None and measure.money.column is not None:
            parts.append(measure.money.column)
        needs = rows.needs(measure.dataset, parts) | ({(measure.dataset, by)} if by else set())
        tables = rows.build(needs)
        joined = Joined(rows, measure.dataset, tables.final[measure.dataset], tables.final)
        lower = Lowering(rows.clock, joined.alias, in_period=lambda _: exp.true())
        self._tables = tables
        assert measure.argument is not None
        amount = lower(measure.argument)
        where: list[exp.Expr] = [exp.Not(this=exp.Is(this=amount, expression=exp.null()))]
        if measure.condition is not None:
            where.append(lower(measure.condition))
        return joined, lower, where

    def _ask(self, select: exp.Select) -> list[tuple[Any, ...]]:
        return self.session.rows(self._tables.attach(select))

    def _answers(
        self, measure: Measure, said: str, ask: Callable[[RowsBuilder, str], dict[str, Any]], nothing: Any
    ) -> list[Any]:
        """What is asked about a measure's rows, for all of them or by part where parts are known from earlier runs."""
        rates = self.declaration.rates
        content: str | None = ""
        if self.known is not None and measure.convert and rates is not None:
            content = self.known.parts.tables.content(rates.table.source, rates.table.table)
        if self.known is None or content is None:
            return list(ask(self.rows, "").values())
        definition, _, _ = self.known.definitions.measure(
            measure.dataset, measure, measure.timing, measure.date
        )
        behind = self.known.reader.measure(measure)
        if measure.money is not None and measure.money.column is not None:
            self.known.reader.add(behind, measure.money.column)
        code = measure.money.column.sql("duckdb") if measure.money and measure.money.column else ""
        told = digest(said, definition, code, self.known.definitions.behind(behind), content)
        dates = [measure.date] if isinstance(measure.date, exp.Column) else []
        return self.known.answers(told, behind, dates, ask, nothing)

    def _without_rate(self, measure: Measure, rates: exp.Expr) -> list[Problem]:
        """An amount without a rate would be left out without a word."""

        def ask(rows: RowsBuilder, by: str) -> dict[str, Any]:
            select, _, _ = self._lacking(measure, rates, rows, by)
            part = column(by, measure.dataset) if by else text("")
            select.set("expressions", [exp.alias_(part, "part"), exp.Count(this=exp.Star())])
            return {str(row[0]): row[1] for row in self._ask(select.group_by(part.copy(), copy=False))}

        if not sum(self._answers(measure, "without-rate", ask, 0)):
            return []
        select, code, day = self._lacking(measure, rates, self.rows)
        select.set("expressions", [cast(code, "VARCHAR"), exp.Min(this=day), exp.Count(this=exp.Star())])
        select = select.group_by(cast(code.copy(), "VARCHAR"), copy=False)
        return [self._no_rate(measure, *row) for row in self._ask(select.limit(3, copy=False))]

    def _lacking(
        self, measure: Measure, rates: exp.Expr, rows: RowsBuilder, by: str = ""
    ) -> tuple[exp.Select, exp.Expr, exp.Expr]:
        """The rows without a rate, their currency and their day."""
        joined, lower, where = self._rows_of(measure, rows, by)
        assert measure.money is not None
        code = text(measure.money.code) if measure.money.column is None else lower(measure.money.column)
        date = measure.date if isinstance(measure.date, exp.Column) else None
        meeting = Meeting(rows, measure.dataset, joined, date)
        rate = join_rate(measure, meeting, rates)
        moment = meeting.moment("date" if measure.timing == "flow" or self._snapshot(measure) else "from")
        day = cast(moment.sql, "DATE")
        where += [
            exp.Is(this=rate, expression=exp.null()),
            exp.Not(this=exp.Is(this=day.copy(), expression=exp.null())),
        ]
        return joined.select().where(both(*where), copy=False), code, day

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

    def _codes(self, measure: Measure) -> set[str | None]:
        """The currencies of a measure's amounts, None where one has none."""

        def ask(rows: RowsBuilder, by: str) -> dict[str, Any]:
            joined, lower, where = self._rows_of(measure, rows, by)
            assert measure.money is not None
            assert measure.money.column is not None
            part = column(by, measure.dataset) if by else text("")
            code = cast(lower(measure.money.column), "VARCHAR")
            select = joined.select(exp.alias_(part, "part"), exp.alias_(code, "c", quoted=True))
            select = select.where(both(*where), copy=False).distinct(copy=False)
            out: dict[str, Any] = {} if by else {"": []}
            for label, found in self._ask(select):
                out.setdefault(str(label), []).append(found)
            return out

        return {code for codes in self._answers(measure, "currencies", ask, []) for code in codes}

    def _mixed(self, measure: Measure) -> list[Problem]:
        found = self._codes(measure)
        codes = sorted(str(code) for code in found if code is not None)
        if codes and None in found:
            hint = "give them a currency, or leave them out with a filter"
            return [self._problem(measure, "currencies", "some amounts have no currency", hint)]
        subject = measure.origin.subject
        unit = self.declaration.kpis[subject].unit if subject in self.declaration.kpis else ""
        if len(codes) > 1:
            hint = f"{rates_hint(self.declaration)}; or filter by currency"
            return [self._problem(measure, "currencies", f"the amounts are in {' and '.join(codes)}", hint)]
        if codes and len(unit) == 3 and unit.isupper() and unit != codes[0]:
            hint = f"use 'unit: {codes[0]}', or declare 'rates:' to convert"
            return [
                self._problem(
                    measure, "currencies", f"the amounts are in {codes[0]}, the unit says {unit}", hint
                )
            ]
        return []
