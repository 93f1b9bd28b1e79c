"""What the data must hold before a number is computed from it: types, unique keys, whole intervals; and its coverage."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from cadran.compute.embedded import QueryError, Session
from cadran.compute.lower import Lowering, both, cast, column, number
from cadran.compute.results import Quality
from cadran.compute.rows import DATES, Joined, RowsBuilder
from cadran.compute.spans import Coverage
from cadran.declare.document import Place
from cadran.declare.model import Declaration
from cadran.formula.measures import Measure, Model, ResolvedDataset, ref_of
from cadran.problems import Problem, ProblemsFound, listed

_NUMERIC_ONLY = {"sum", "avg", "median", "quantile", "stddev"}
_NUMBERS = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "UHUGEINT",
    "FLOAT",
    "DOUBLE",
    "DECIMAL",
)
_INTEGERS = _NUMBERS[:10]


@dataclass(slots=True)
class Facts:
    """What one dataset holds at the clock."""

    rows: int
    undated: int
    bad_intervals: int
    first: dt.date | None
    last: dt.date | None
    begins: dt.date | None  # the first start of validity
    by_date: dict[exp.Expr, tuple[dt.date | None, dt.date | None]]


class Examiner:
    """Asks each dataset once; later questions are answered from memory."""

    def __init__(
        self,
        declaration: Declaration,
        model: Model,
        session: Session,
        rows: RowsBuilder,
        rejected: Mapping[str, Sequence[tuple[str, str]]],
    ) -> None:
        self.declaration, self.model, self.session, self.rows, self.rejected = (
            declaration,
            model,
            session,
            rows,
            rejected,
        )
        self._facts: dict[str, Facts] = {}

    def _place(self, dataset: str) -> Place:
        return self.declaration.datasets[dataset].place

    # --- types ----------------------------------------------------------------------------------------------------------

    def check_types(self, measures: Sequence[Measure], datasets: Sequence[str]) -> list[Problem]:
        """Every expression is bound by DuckDB once, so that a wrong type is a problem with a place, not a failed run."""
        problems: list[Problem] = []
        for name in datasets:
            problems += self._unions(name)
        if problems:
            return problems
        for name in datasets:
            problems += self._derived(name)
            problems += self._times(name)
        if problems:
            return problems
        for name in datasets:
            problems += self._link_types(name)
        for measure in measures:
            problems += self._measure(measure)
        return problems

    def _unions(self, name: str) -> list[Problem]:
        tables = self.declaration.datasets[name].tables
        if len(tables) < 2:
            return []
        out = []
        first = self.session.columns(tables[0].source, tables[0].table)
        for table in tables[1:]:
            other = self.session.columns(table.source, table.table)
            missing = [c for c in {**first, **other} if c not in first or c not in other]
            if missing:
                out.append(
                    Problem(
                        "union",
                        f"'{table.table}' and '{tables[0].table}' do not have the same columns: {listed(missing)}",
                        table.place.position(),
                        f"datasets.{name}",
                        "a union needs the same columns in each table",
                    )
                )
        return out

    def _derived(self, name: str) -> list[Problem]:
        out = []
        for column_name in self.model.datasets[name].derived:
            try:
                self.rows.type_of(name, column_name)
            except QueryError as error:
                text = self.declaration.datasets[name].columns[column_name]
                out.append(
                    Problem(
                        "wrong-type",
                        error.message,
                        text.place.position(0, len(text.value)),
                        f"datasets.{name}.columns.{column_name}",
                    )
                )
        return out

    def _times(self, name: str) -> list[Problem]:
        found, declared = self.model.datasets[name], self.declaration.datasets[name]
        pairs = [(declared.date, found.date)]
        if declared.valid and found.valid:
            pairs += [(declared.valid.start, found.valid[0]), (declared.valid.end, found.valid[1])]
        out = []
        for text, node in pairs:
            if text is None or node is None:
                continue
            kind = self.rows.kind(name, node)
            if kind not in DATES and not kind.startswith("TIMESTAMP") and kind != "VARCHAR":
                out.append(
                    Problem(
                        "not-a-date",
                        f"'{text.value}' holds {_in_words(kind)}, not dates",
                        text.place.position(),
                        f"datasets.{name}",
                        f"declare its type in the source: types: {{{text.value}: date}}",
                    )
                )
        return out

    def _link_types(self, name: str) -> list[Problem]:
        out = []
        for link_name, (columns, target) in self.model.datasets[name].links.items():
            keys = list(self.model.datasets[target].key)
            if len(keys) > len(columns):
                start = self.model.datasets[target].valid
                keys = [k for k in keys if start is None or k != ref_of(start[0])[1]]
            for node, key in zip(columns, keys, strict=False):
                try:
                    left, right = self.rows.kind(name, node), self.rows.type_of(target, key)
                except KeyError:
                    continue
                if _family(left) != _family(right):
                    place = self.declaration.datasets[name].links[link_name].place
                    hint = "declare the same type for both in their sources (types:)"
                    out.append(
                        Problem(
                            "key-types",
                            f"'{ref_of(node)[1]}' holds {_in_words(left)} and the key of '{target}' holds {_in_words(right)}",
                            place.position(),
                            f"datasets.{name}.links.{link_name}",
                            hint,
                        )
                    )
        return out

    def _measure(self, measure: Measure) -> list[Problem]:
        origin = measure.origin
        for part in measure.expressions():
            if part is measure.having:
                continue
            try:
                kind = self._type(measure.dataset, part)
            except QueryError as error:
                return [
                    Problem(
                        "wrong-type",
                        error.message,
                        origin.parsed.position(origin.node),
                        origin.subject,
                        "check the types of the columns it uses",
                    )
                ]
            message, hint = _unfit(measure, part, kind)
            if message:
                return [
                    Problem("wrong-type", message, origin.parsed.position(origin.node), origin.subject, hint)
                ]
        return []

    def _type(self, dataset: str, node: exp.Expr) -> str:
        tables = self.rows.build(self.rows.needs(dataset, [node]), visible=False)
        joined = Joined(self.rows, dataset, tables.final[dataset], tables.final)
        lower = Lowering(self.rows.clock, joined.alias, in_period=lambda _: exp.true())
        lowered = lower(node)
        return self.session.types(tables.attach(joined.select(exp.alias_(lowered, "x"))))["x"]

    # --- facts ----------------------------------------------------------------------------------------------------------

    def examine(self, datasets: Sequence[str], measures: Sequence[Measure]) -> None:
        """Coverage of every dataset and date in use. Raises ProblemsFound for keys that repeat and bad intervals."""
        problems: list[Problem] = []
        dates: dict[str, list[exp.Column]] = {d: [] for d in datasets}
        for measure in measures:
            if isinstance(measure.date, exp.Column) and measure.date not in dates[measure.dataset]:
                dates[measure.dataset].append(measure.date)
        for name in datasets:
            try:
                self._facts[name] = self._ask(name, dates[name])
                problems += self._keys(name)
            except QueryError as error:
                problems.append(
                    Problem(
                        "cannot-compute",
                        error.message,
                        self._place(name).position(),
                        f"datasets.{name}",
                        "see 'cadran check --data'",
                    )
                )
                continue
            problems += self._intervals(name)
            problems += self._overlaps(name)
        problems += self._currencies(measures)
        if problems:
            raise ProblemsFound(problems)

    def _ask(self, name: str, dates: Sequence[exp.Column]) -> Facts:
        found = self.model.datasets[name]
        tables = self.rows.build(
            self.rows.needs(name, [*([found.date] if found.date is not None else []), *dates])
        )
        joined = Joined(self.rows, name, tables.final[name], tables.final)
        date = column(self.rows.time(name, "date"), name) if found.date is not None else None
        start = column(self.rows.time(name, "from"), name) if found.valid is not None else None
        undated = _missing(date if date is not None else start)
        selects: list[exp.Expr] = [
            exp.Count(this=exp.Star()),
            undated,
            self._bad(found, name),
            _extreme(exp.Min, date),
            _extreme(exp.Max, date),
            _extreme(exp.Min, start),
        ]
        for node in dates:
            path, col = ref_of(node)
            lowered = self.rows.as_time(name, node, column(col, joined.alias(path)))
            selects += [_extreme(exp.Min, lowered), _extreme(exp.Max, lowered)]
        select = tables.attach(joined.select(*[exp.alias_(s, f"c{i}") for i, s in enumerate(selects)]))
        row = self.session.rows(select)[0]
        by_date: dict[exp.Expr, tuple[dt.date | None, dt.date | None]] = {
            node: (row[6 + 2 * i], row[7 + 2 * i]) for i, node in enumerate(dates)
        }
        return Facts(row[0], row[1], row[2] or 0, row[3], row[4], row[5], by_date)

    def _bad(self, found: ResolvedDataset, name: str) -> exp.Expr:
        if found.valid is None or found.name in self.rows.quarantined:
            return number(0)
        start, end = (column(self.rows.time(name, w), name) for w in ("from", "to"))
        return exp.Filter(
            this=exp.Count(this=exp.Star()), expression=exp.Where(this=exp.LT(this=end, expression=start))
        )

    def _keys(self, name: str) -> list[Problem]:
        """Keys are unique and never empty, in every run."""
        keys = self.model.datasets[name].key
        if not keys:
            return []
        tables = self.rows.build({(name, ""), *((name, k) for k in keys)})
        columns = [column(k, name) for k in keys]
        joined = Joined(self.rows, name, tables.final[name], tables.final)
        empty: exp.Expr | None = None
        for c in columns:
            missing = exp.Is(this=c.copy(), expression=exp.null())
            empty = missing if empty is None else exp.Or(this=empty, expression=missing)
        assert empty is not None
        count = exp.Count(this=exp.Star())
        repeated = exp.Or(this=exp.GT(this=count, expression=number(1)), expression=exp.Paren(this=empty))
        select = joined.select(
            *[exp.alias_(cast(c.copy(), "VARCHAR"), f"k{i}") for i, c in enumerate(columns)],
            exp.alias_(count.copy(), "n"),
        )
        select = select.group_by(*(c.copy() for c in columns), copy=False)
        select.set("having", exp.Having(this=repeated))
        found = self.session.rows(tables.attach(select.limit(4, copy=False)))
        if not found:
            return []
        return [self._key_problem(name, keys, found)]

    def _key_problem(self, name: str, keys: Sequence[str], found: Sequence[tuple[object, ...]]) -> Problem:
        key = self.declaration.datasets[name].key
        place = key[0].place.position() if key else self._place(name).position()
        if any(None in row[:-1] for row in found):
            return Problem(
                "empty-key",
                f"the key ({', '.join(keys)}) is empty in some rows",
                place,
                f"datasets.{name}",
                "choose a key that every row has, or leave those rows out with 'where:'",
            )
        shown = "; ".join(f"{' / '.join(str(v) for v in row[:-1])} ({row[-1]} times)" for row in found[:3])
        return Problem(
            "repeated-key",
            f"the key ({', '.join(keys)}) is not unique: {shown}",
            place,
            f"datasets.{name}",
            "every link to it would count rows twice; correct the data, or name the columns that make a row unique",
        )

    def _intervals(self, name: str) -> list[Problem]:
        count = self._facts[name].bad_intervals
        valid = self.declaration.datasets[name].valid
        if not count or valid is None:
            return []
        return [
            Problem(
                "bad-interval",
                f"in {count} row(s) '{valid.end.value}' lies before '{valid.start.value}'",
                valid.end.place.position(),
                f"datasets.{name}",
                "correct the data, leave them out with 'where:', or set them aside with 'on_bad_row: quarantine' in the source",
            )
        ]

    def _overlaps(self, name: str) -> list[Problem]:
        """A history that others link to must hold one row at a time for each entity."""
        found = self.model.datasets[name]
        if found.valid is None or not any(
            t == name and len(c) < len(found.key)
            for d in self.model.datasets.values()
            for c, t in d.links.values()
        ):
            return []
        start, end = self.rows.time(name, "from"), self.rows.time(name, "to")
        keys = [k for k in found.key if k != ref_of(found.valid[0])[1]]
        tables = self.rows.build({(name, ""), *((name, k) for k in found.key)})
        joined = Joined(self.rows, name, tables.final[name], tables.final)
        order = exp.Order(expressions=[exp.Ordered(this=column(start, name))])
        following = exp.Window(
            this=exp.Anonymous(this="lead", expressions=[column(start, name)]),
            partition_by=[column(k, name) for k in keys],
            order=order,
        )
        inner = joined.select(
            *[exp.alias_(cast(column(k, name), "VARCHAR"), f"k{i}") for i, k in enumerate(keys)],
            exp.alias_(column(end, name), "ends"),
            exp.alias_(following, "following"),
        )
        late = exp.Or(
            this=exp.GT(this=column("ends"), expression=column("following")),
            expression=exp.Is(this=column("ends"), expression=exp.null()),
        )
        where = both(
            exp.Not(this=exp.Is(this=column("following"), expression=exp.null())), exp.Paren(this=late)
        )
        select = (
            exp.Select(expressions=[exp.Star()])
            .from_(exp.alias_(exp.Subquery(this=inner), "h", table=True), copy=False)
            .where(where, copy=False)
            .limit(1, copy=False)
        )
        rows = self.session.rows(tables.attach(select))
        if not rows:
            return []
        shown = " / ".join(str(v) for v in rows[0][: len(keys)])
        return [
            Problem(
                "overlap",
                f"two rows of {shown} are valid at the same time",
                self._place(name).position(),
                f"datasets.{name}",
                "a dataset that others link to by date must hold one row at a time",
            )
        ]

    # --- money ----------------------------------------------------------------------------------------------------------

    def rates(self) -> exp.Expr | None:
        """The rates as intervals: ``currency, day, until, rate``; the project's own currency is worth 1."""
        declared = self.declaration.rates
        if declared is None:
            return None
        table = exp.table_(declared.table.table, db=declared.table.source, quoted=True)
        day, currency = cast(column(declared.date), "DATE"), column(declared.currency)
        until = exp.Window(
            this=exp.Anonymous(this="lead", expressions=[day.copy()]),
            partition_by=[currency],
            order=exp.Order(expressions=[exp.Ordered(this=day.copy())]),
        )
        named = [
            (day, "day"),
            (currency.copy(), "currency"),
            (column(declared.rate), "rate"),
            (until, "until"),
        ]
        select = exp.Select(
            expressions=[
                exp.alias_(node, name, quoted=True) for name_node in [named] for node, name in name_node
            ]
        ).from_(table, copy=False)
        ours = exp.Select(expressions=[
            exp.alias_(cast(exp.Literal.string("0001-01-01"), "DATE"), "day", quoted=True),
            exp.alias_(exp.Literal.string(self.declaration.currency), "currency", quoted=True),
            exp.alias_(number(1), "rate", quoted=True),
            exp.alias_(cast(exp.null(), "DATE"), "until", quoted=True),
        ])  # fmt: skip
        theirs = select.where(
            exp.NEQ(this=column(declared.currency), expression=exp.Literal.string(self.declaration.currency)),
            copy=False,
        )
        return exp.Subquery(this=exp.Union(this=theirs, expression=ours, distinct=False))

    def _currencies(self, measures: Sequence[Measure]) -> list[Problem]:
        out = []
        for measure in measures:
            if measure.money is None:
                continue
            if measure.convert:
                out += self._missing_rates(measure)
            elif measure.money.column is not None:
                out += self._mixed(measure)
        return out

    def _distinct_currencies(self, measure: Measure) -> list[str]:
        assert measure.money is not None
        node = measure.money.column
        assert node is not None
        needs = self.rows.needs(
            measure.dataset, [node, *([measure.condition] if measure.condition is not None else [])]
        )
        tables = self.rows.build(needs)
        joined = Joined(self.rows, measure.dataset, tables.final[measure.dataset], tables.final)
        lower = Lowering(self.rows.clock, joined.alias, in_period=lambda _: exp.true())
        select = joined.select(exp.alias_(cast(lower(node), "VARCHAR"), "c"))
        if measure.condition is not None:
            select = select.where(lower(measure.condition), copy=False)
        return sorted(
            str(r[0])
            for r in self.session.rows(tables.attach(select.distinct(copy=False)))
            if r[0] is not None
        )

    def _mixed(self, measure: Measure) -> list[Problem]:
        codes = self._distinct_currencies(measure)
        unit = (
            self.declaration.kpis[measure.origin.subject].unit
            if measure.origin.subject in self.declaration.kpis
            else ""
        )
        origin = measure.origin
        if len(codes) > 1:
            return [
                Problem(
                    "currencies",
                    f"the amounts are in {' and '.join(codes)}",
                    origin.parsed.position(origin.node),
                    origin.subject,
                    "declare 'rates:' to convert them, or filter by currency",
                )
            ]
        if codes and len(unit) == 3 and unit.isupper() and unit != codes[0]:
            return [
                Problem(
                    "currencies",
                    f"the amounts are in {codes[0]}, the unit says {unit}",
                    origin.parsed.position(origin.node),
                    origin.subject,
                    f"use 'unit: {codes[0]}', or declare 'rates:' to convert",
                )
            ]
        return []

    def _missing_rates(self, measure: Measure) -> list[Problem]:
        """Currencies without any rate, or with none early enough, would silently drop their amounts."""
        assert measure.money is not None
        rates = self.rates()
        declared = self.declaration.rates
        assert rates is not None
        assert declared is not None
        found = self.model.datasets[measure.dataset]
        codes = [measure.money.code] if measure.money.column is None else self._distinct_currencies(measure)
        first = exp.Select(expressions=[column("currency", "r"), exp.Min(this=column("day", "r"))]).from_(
            exp.alias_(rates, "r", table=True), copy=False
        )
        known = {
            str(r[0]): r[1] for r in self.session.rows(first.group_by(column("currency", "r"), copy=False))
        }
        origin = measure.origin
        missing = [c for c in codes if c not in known]
        if missing:
            return [
                Problem(
                    "no-rate",
                    f"no rate for {' and '.join(missing)} in '{declared.table.table}'",
                    origin.parsed.position(origin.node),
                    origin.subject,
                    "add it to the rates, or filter by currency",
                )
            ]
        begins = self._first_date(measure, found)
        late = [c for c in codes if c in known and begins is not None and known[c] > begins]
        late = [c for c in late if self._uses_before(measure, c, known[c])]
        if late:
            return [
                Problem(
                    "no-rate",
                    f"the rates of {' and '.join(late)} begin on {known[late[0]]}, after its first amounts",
                    origin.parsed.position(origin.node),
                    origin.subject,
                    "add earlier rates",
                )
            ]
        return []

    def _first_date(self, measure: Measure, found: ResolvedDataset) -> dt.date | None:
        facts = self._facts[measure.dataset]
        return facts.begins if measure.timing != "flow" and found.valid is not None else facts.first

    def _uses_before(self, measure: Measure, code: str, day: object) -> bool:
        assert measure.money is not None
        found = self.model.datasets[measure.dataset]
        node = measure.money.column
        which = "from" if measure.timing != "flow" and found.valid is not None else "date"
        tables = self.rows.build(self.rows.needs(measure.dataset, [node] if node is not None else []))
        joined = Joined(self.rows, measure.dataset, tables.final[measure.dataset], tables.final)
        lower = Lowering(self.rows.clock, joined.alias)
        moment = cast(column(self.rows.time(measure.dataset, which), measure.dataset), "DATE")
        early = exp.LT(this=moment, expression=cast(exp.Literal.string(str(day)), "DATE"))
        of_code = exp.EQ(this=lower(node), expression=exp.Literal.string(code)) if node is not None else None
        select = joined.select(number(1)).where(both(early, of_code), copy=False).limit(1, copy=False)
        return bool(self.session.rows(tables.attach(select)))

    # --- answers --------------------------------------------------------------------------------------------------------

    def coverage(self, measure: Measure) -> Coverage:
        found, facts = self.model.datasets[measure.dataset], self._facts[measure.dataset]
        if found.valid is not None:
            dated_last = facts.last
            return Coverage(facts.begins, dated_last, True, found.ahead)
        if measure.date is not None:
            first, last = facts.by_date[measure.date]
            return Coverage(first, last, True, found.ahead)
        if found.date is None:
            return Coverage(None, None, False)
        return Coverage(facts.first, facts.last, True, found.ahead)

    def quarantined(self, dataset: str) -> int:
        tables = self.declaration.datasets[dataset].tables
        aside = sum(len(self.rejected.get(f"{t.source}.{t.table}", ())) for t in tables)
        return aside + self._bad_aside(dataset)

    def _bad_aside(self, dataset: str) -> int:
        found = self.model.datasets[dataset]
        if dataset not in self.rows.quarantined or found.valid is None:
            return 0
        needs = self.rows.needs(dataset, list(found.valid))
        tables = self.rows.build(needs, visible=False)
        joined = Joined(self.rows, dataset, tables.final[dataset], tables.final)
        start, end = (self.rows.as_time(dataset, n, joined.column((), n)) for n in found.valid)
        select = joined.select(exp.Count(this=exp.Star())).where(
            exp.LT(this=end, expression=start), copy=False
        )
        return int(self.session.rows(tables.attach(select))[0][0])

    def quality(self, datasets: Sequence[str]) -> list[Quality]:
        out = []
        for name in datasets:
            facts = self._facts[name]
            tables = self.declaration.datasets[name].tables
            aside = [r for t in tables for r in self.rejected.get(f"{t.source}.{t.table}", ())]
            first, last = (facts.first, facts.last) if facts.first is not None else (facts.begins, None)
            out.append(
                Quality(
                    name, facts.rows, self.quarantined(name), facts.undated, first, last, tuple(aside[:5])
                )
            )
        return out


def _extreme(which: type[exp.Expr], node: exp.Expr | None) -> exp.Expr:
    return cast(exp.null(), "DATE") if node is None else which(this=cast(node.copy(), "DATE"))


def _missing(node: exp.Expr | None) -> exp.Expr:
    if node is None:
        return number(0)
    return exp.Filter(
        this=exp.Count(this=exp.Star()),
        expression=exp.Where(this=exp.Is(this=node.copy(), expression=exp.null())),
    )


def _family(kind: str) -> str:
    base = kind.split("(")[0]
    if base in _INTEGERS or base == "DECIMAL":
        return "number"
    return "time" if base.startswith("TIMESTAMP") else base


def _in_words(kind: str) -> str:
    base = kind.split("(")[0]
    if base in _INTEGERS:
        return "whole numbers"
    words = {
        "DECIMAL": "decimal numbers",
        "DOUBLE": "numbers",
        "FLOAT": "numbers",
        "VARCHAR": "text",
        "DATE": "dates",
        "BOOLEAN": "true or false",
    }
    return words.get(base, "timestamps" if base.startswith("TIMESTAMP") else base.lower())


def _unfit(measure: Measure, part: exp.Expr, kind: str) -> tuple[str, str]:
    """What is wrong with the type of one part of a measure, in words."""
    if part is measure.argument and measure.function in _NUMERIC_ONLY and kind.split("(")[0] not in _NUMBERS:
        what = _in_words(kind)
        hint = (
            "count(…) filter (where …) counts rows that meet a condition"
            if kind == "BOOLEAN"
            else "declare the column's type in the source (types:) if it should be a number"
        )
        return f"{measure.function}() needs numbers, and this is {what}", hint
    if part is measure.argument and measure.function in ("min", "max") and kind.split("(")[0] not in _NUMBERS:
        return f"{measure.function}() of {_in_words(kind)} is not a number", "a KPI's value is a number"
    if part is measure.condition and kind != "BOOLEAN":
        return (
            f"the filter is {_in_words(kind)}, not a condition",
            "write for instance filter (where stage = 'won')",
        )
    if part is measure.date and kind not in DATES and not kind.startswith("TIMESTAMP") and kind != "VARCHAR":
        return (
            f"dated() needs a date, and this is {_in_words(kind)}",
            "declare the column's type in the source (types:)",
        )
    return "", ""
