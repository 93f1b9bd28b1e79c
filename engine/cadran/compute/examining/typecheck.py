"""Types before numbers: every expression is bound by DuckDB once, so that a wrong type is a problem with a place."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress

from sqlglot import exp

from cadran.compute.examining.calls import ill_fed, misdefined
from cadran.compute.examining.oddities import Oddity, date_hint, number_hint, odd_one
from cadran.compute.hints import hint_for
from cadran.compute.loading.embedded import QueryError
from cadran.compute.lower import Lowering
from cadran.compute.placing.places import Places
from cadran.compute.scanning.rows import DATES, EMPTY, Joined, RowsBuilder
from cadran.declare.findings import subject_of
from cadran.declare.model import Declaration, Text
from cadran.formula.graph import Node
from cadran.formula.measures import Measure, Model, ref_of
from cadran.problems import Problem, listed

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

_FITTING = {
    "condition": "write for instance employees > 200",
    "date": "name the column that holds when it happened, or declare its type: types: {column: date}",
}
_TOGETHER = 100  # expressions in one statement


class TypeChecker:
    """Asks for the types of columns, links and measures of a loaded session."""

    def __init__(self, declaration: Declaration, model: Model, session: Places, rows: RowsBuilder) -> None:
        self.declaration, self.model, self.session, self.rows = declaration, model, session, rows
        self._kinds: dict[tuple[str, exp.Expr], str] = {}

    def check(self, measures: Sequence[Measure], columns: Collection[Node]) -> list[Problem]:
        """Problems of the measures and of the ``columns`` that they rest on; nothing else need be loaded."""
        datasets = sorted({dataset for dataset, _ in columns})
        problems: list[Problem] = list(misdefined(self.declaration, self.model.functions, self.session))
        if problems:
            return problems
        for name in datasets:
            problems += self._unions(name)
        if problems:
            return problems
        for name in datasets:
            problems += self._derived(name, [c for d, c in columns if d == name])
            problems += self._times(name)
        if problems:
            return problems
        for name in datasets:
            problems += self._link_types(name, datasets)
        self._ask_together(measures)
        for measure in measures:
            problems += self._measure(measure)
        return problems

    def _ask_together(self, measures: Sequence[Measure]) -> None:
        """The types of all expressions over a dataset in few statements; a wrong one is found when each is asked alone."""
        parts: dict[str, dict[exp.Expr, None]] = {}
        for measure in measures:
            of = parts.setdefault(measure.dataset, {})
            of.update(dict.fromkeys(part for part in measure.expressions() if part is not measure.having))
        for dataset, nodes in parts.items():
            every = list(nodes)
            for first in range(0, len(every), _TOGETHER):
                some = every[first : first + _TOGETHER]
                with suppress(QueryError):
                    for node, kind in zip(some, self._types(dataset, some), strict=True):
                        self._kinds[dataset, node] = kind

    def _unions(self, name: str) -> list[Problem]:
        tables = self.declaration.datasets[name].tables
        if len(tables) < 2:
            return []
        out = []
        first = {c.casefold(): c for c in self.session.columns(tables[0].source, tables[0].table)}
        for table in tables[1:]:
            other = {c.casefold(): c for c in self.session.columns(table.source, table.table)}
            missing = [
                c for folded, c in {**first, **other}.items() if folded not in first or folded not in other
            ]
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

    def _derived(self, name: str, used: Collection[str]) -> list[Problem]:
        """Of columns that a score or a funnel made of others, only where nothing is wrong with these."""
        dataset = self.declaration.datasets[name]
        out: list[Problem] = []
        made: list[Problem] = []
        for column_name in (c for c in self.model.datasets[name].derived if c in used):
            into = made if column_name in dataset.made and column_name not in dataset.kinds else out
            if ill := self._ill_fed_column(name, column_name):
                into += ill
                continue
            try:
                self.rows.type_of(name, column_name)
            except QueryError as error:
                into.append(self._untypable(name, column_name, error))
            else:
                out += self._unlike_declared(name, column_name)
        return out or made

    def _untypable(self, name: str, column_name: str, error: QueryError) -> Problem:
        dataset = self.declaration.datasets[name]
        text = dataset.columns[column_name]
        own = f"datasets.{name}.columns.{column_name}"
        subject = subject_of(text.place.path) if column_name in dataset.made else own
        where = text.place.position(0, len(text.value))
        return Problem(
            "wrong-type",
            error.message,
            where,
            subject,
            hint_for(error.message, "check the types of the columns it uses"),
        )

    def _ill_fed_column(self, name: str, column_name: str) -> list[Problem]:
        node = self.model.datasets[name].derived[column_name]
        wrong = self._ill_fed(name, node)
        if wrong is None:
            return []
        text, own = (
            self.declaration.datasets[name].columns[column_name],
            f"datasets.{name}.columns.{column_name}",
        )
        return [Problem("wrong-type", wrong[0], text.place.position(0, len(text.value)), own, wrong[1])]

    def _ill_fed(self, dataset: str, node: exp.Expr) -> tuple[str, str] | None:
        """What is wrong with the arguments of plugins' functions."""
        if not self.model.functions:
            return None

        def kind(argument: exp.Expr) -> str:
            with suppress(QueryError, KeyError):  # windows and lookups have no type by themselves
                return self._type(dataset, argument)
            return ""

        return ill_fed(node, self.model.functions, kind, _in_words)

    def _unlike_declared(self, name: str, column_name: str) -> list[Problem]:
        """A column that a score, a funnel or cohorts made holds what they can work with."""
        wanted = self.declaration.datasets[name].kinds.get(column_name)
        kind = self.rows.type_of(name, column_name)
        if wanted is None or kind == EMPTY or fits(wanted, kind):
            return []
        text = self.declaration.datasets[name].columns[column_name]
        message = f"this is {_in_words(kind)}, not a {wanted}"
        where = text.place.position(0, len(text.value))
        return [Problem("wrong-type", message, where, subject_of(text.place.path), _FITTING[wanted])]

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
            if kind == "VARCHAR":
                out += self._odd_dates(name, text, node)
            elif kind not in DATES and not kind.startswith("TIMESTAMP") and kind != EMPTY:
                out.append(
                    Problem(
                        "not-a-date",
                        f"'{text.value}' holds {_in_words(kind)}, not dates",
                        text.place.position(),
                        f"datasets.{name}",
                        f"declare its type in the source: types: {{{text.value}: date}}; of a database, convert it with 'sql:'",
                    )
                )
        return out

    def _odd_dates(self, name: str, text: Text, node: exp.Column) -> list[Problem]:
        """Text is read as dates (or months); the value that is none is named."""
        path, column = ref_of(node)
        owner = self.rows.walk(name, path)
        if column in self.model.datasets[owner].derived:
            return []
        table = exp.alias_(self.rows.sources[owner].copy(), "t", table=True)
        value = exp.column(column, quoted=True)
        first = [exp.Literal.string(pattern) for pattern in (r"^(\d{4}-\d\d)$", r"\1-01")]
        day = exp.Anonymous(this="regexp_replace", expressions=[value, *first])
        dates = exp.Select(expressions=[exp.alias_(day, column, quoted=True)]).from_(table, copy=False)
        oddity = odd_one(self.session, exp.alias_(exp.Subquery(this=dates), "d", table=True), column, "DATE")
        if oddity is None:
            return []
        sql, own = self._speaks_sql(owner), self._own_hints(owner)[1]
        if not oddity.mostly:
            way = (
                f"with CAST({column} AS date) in a SELECT under 'sql:'"
                if sql
                else "with 'date_format:' in the source"
            )
            hint = f"name the column that holds dates, or {own or f'make dates of it {way}'}"
            message = f"column '{column}' holds text, not dates"
            return [Problem("not-a-date", message, text.place.position(), f"datasets.{name}", hint)]
        message = f"'{oddity.value}' in column '{column}' is not a date"
        if oddity.usual:
            message = f"'{oddity.value}' in column '{column}' is not written like the other dates ('{oddity.usual}')"
        hint = own or date_hint(oddity, column, speaks_sql=sql)
        return [Problem("not-a-date", message, text.place.position(), f"datasets.{name}", hint)]

    def _odd_number(self, measure: Measure, part: exp.Expr) -> tuple[str, str] | None:
        """The value that makes a column of numbers text, where the argument is such a column itself."""
        if not isinstance(part, exp.Column) or part is not measure.argument:
            return None
        path, column = ref_of(part)
        owner = self.rows.walk(measure.dataset, path)
        if column in self.model.datasets[owner].derived:
            return None
        table = exp.alias_(self.rows.sources[owner].copy(), "t", table=True)
        oddity = odd_one(self.session, table, column, "DOUBLE")
        if oddity is None or not oddity.mostly:
            return None
        message = f"'{oddity.value}' in column '{column}' is not a number{_unlike(oddity)}"
        if oddity.usual and oddity.fits:
            message = f"'{oddity.value}' in column '{column}' is not written like the other numbers ('{oddity.usual}')"
        own, _ = self._own_hints(owner)
        return message, own or number_hint(oddity, column, speaks_sql=self._speaks_sql(owner))

    def _own_hints(self, dataset: str) -> tuple[str, str]:
        """What the connector of a dataset's source says about numbers and about days; empty where it says nothing."""
        tables = self.declaration.datasets[dataset].tables
        source = self.declaration.sources[tables[0].source]
        return source.number_hint, source.date_hint

    def _speaks_sql(self, dataset: str) -> bool:
        """Whether a dataset comes from a database, which is reached by a URL, and not from files."""
        tables = self.declaration.datasets[dataset].tables
        return any("url" in self.declaration.sources[table.source].config for table in tables)

    def _link_types(self, name: str, loaded: Collection[str]) -> list[Problem]:
        out = []
        for link_name, (columns, target) in self.model.datasets[name].links.items():
            if target not in loaded:
                continue
            keys = list(self.model.datasets[target].key)
            if len(keys) > len(columns):
                start = self.model.datasets[target].valid
                keys = [k for k in keys if start is None or k != ref_of(start[0])[1]]
            for node, key in zip(columns, keys, strict=False):
                try:
                    left, right = self.rows.kind(name, node), self.rows.type_of(target, key)
                except (KeyError, QueryError):
                    continue
                if EMPTY not in (left, right) and _family(left) != _family(right):
                    place = self.declaration.datasets[name].links[link_name].place
                    hint = "give both the same type in their sources (types:, or a cast under sql:)"
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
            if wrong := self._ill_fed(measure.dataset, part):
                where = origin.parsed.position(origin.node)
                return [Problem("wrong-type", wrong[0], where, origin.subject, wrong[1])]
            try:
                kind = self._type(measure.dataset, part)
            except QueryError as error:
                return [
                    Problem(
                        "wrong-type",
                        error.message,
                        origin.parsed.position(origin.node),
                        origin.subject,
                        hint_for(error.message, "check the types of the columns it uses"),
                    )
                ]
            message, hint = _unfit(measure, part, kind)
            if message and kind == "VARCHAR":
                message, hint = self._odd_number(measure, part) or (message, hint)
            if message:
                return [
                    Problem("wrong-type", message, origin.parsed.position(origin.node), origin.subject, hint)
                ]
        return []

    def _type(self, dataset: str, node: exp.Expr) -> str:
        if (dataset, node) not in self._kinds:
            (self._kinds[dataset, node],) = self._types(dataset, [node])
        return self._kinds[dataset, node]

    def _types(self, dataset: str, nodes: Sequence[exp.Expr]) -> list[str]:
        """The types of expressions over the rows of a dataset, whether they are there or not. Raises QueryError."""
        tables = self.rows.build(self.rows.needs(dataset, nodes), visible=False)
        joined = Joined(self.rows, dataset, tables.final[dataset], tables.final)
        lower = Lowering(self.rows.clock, joined.alias, in_period=lambda _: exp.true())
        named = [exp.alias_(lower(node), f"x{i}") for i, node in enumerate(nodes)]
        return list(self.session.types(tables.attach(joined.select(*named))).values())


def fits(wanted: str, kind: str) -> bool:
    """Whether a DuckDB type is one of a ``condition`` or of a ``date``."""
    return kind == "BOOLEAN" if wanted == "condition" else kind in DATES or kind.startswith("TIMESTAMP")


def _unlike(oddity: Oddity) -> str:
    return f" (most are written like '{oddity.usual}')" if oddity.usual else ""


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
    if kind == EMPTY:
        return "", ""
    if part is measure.argument and measure.function in _NUMERIC_ONLY and kind.split("(")[0] not in _NUMBERS:
        what = _in_words(kind)
        hint = (
            "count(…) filter (where …) counts rows that meet a condition"
            if kind == "BOOLEAN"
            else "if it should be a number, say so in the source (types:, or a cast under sql:)"
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
            "say so in the source, if it should be one (types:, or a cast under sql:)",
        )
    return "", ""
