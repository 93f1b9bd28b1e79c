"""One call in a formula → one :class:`Measure`: its dataset found, its parts bound, its use checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlglot import exp

from cadran.calendar import parse_duration
from cadran.formula.measures import Converted, Measure, Origin, Timing
from cadran.formula.parse import Parsed
from cadran.formula.rows import RowBinder, rebuild
from cadran.formula.scope import BrokenReference, Scope, Unresolved, names_in, parts_of
from cadran.formula.vocabulary import AGGREGATE_NODES, ENTITIES, WORDS, word_of
from cadran.problems import listed, suggest

_TIMINGS: dict[str, Timing] = {
    "opening": "opening", "closing": "closing", "started": "started", "ended": "ended", "during": "during",
    "lost": "gone", "kept": "kept",
}  # fmt: skip
MEASURE_WORDS = frozenset({*AGGREGATE_NODES.values(), *ENTITIES, *_TIMINGS, "dated"})


def is_measure(node: exp.Expr) -> bool:
    """Whether ``node`` calls an aggregate, an entity, an interval function or ``dated``."""
    return isinstance(node, exp.Filter) or word_of(node) in MEASURE_WORDS


@dataclass(slots=True)
class MeasureReader:
    """Reads the measures of one text. ``of_kpi`` gives the single measure behind a KPI's name, or None."""

    scope: Scope
    parsed: Parsed
    subject: str
    of_kpi: object = None  # Callable[[str], Measure | None]

    def fail(self, code: str, message: str, node: exp.Expr, hint: str = "") -> Unresolved:
        return Unresolved(self.parsed.problem(code, message, node, self.subject, hint))

    # --- entry -----------------------------------------------------------------------------------------------

    def read(self, node: exp.Expr) -> Measure:
        """Raises :class:`Unresolved`."""
        condition = None
        call = node
        if isinstance(node, exp.Filter):
            call, condition = node.this, node.expression.this
        word = word_of(call)
        if word is None or word not in MEASURE_WORDS:
            raise self.fail(
                "misplaced-filter",
                "filter (where …) belongs behind an aggregate",
                call,
                "write it as in count(deals) filter (where stage = 'won')",
            )
        self._arguments(call, word)
        if word == "dated" or (word in _TIMINGS and not self._is_entity_lost(call, word)):
            if condition is not None:
                raise self.fail(
                    "misplaced-filter",
                    f"the filter goes inside {word}(…)",
                    node,
                    f"write {word}(count(…) filter (where …))",
                )
            return self._dated(call) if word == "dated" else self._over_interval(call, word)
        if word == "converted":
            return self._converted(call, condition)
        if word == "count_having":
            return self._count_having(call, condition)
        return self._aggregate(call, word, condition)

    def _is_entity_lost(self, call: exp.Expr, word: str) -> bool:
        return word == "lost" and not self._names_a_measure(call.expressions[0])

    def _names_a_measure(self, node: exp.Expr) -> bool:
        parts = parts_of(node)
        return is_measure(node) or (parts is not None and len(parts) == 1)

    def _arguments(self, call: exp.Expr, word: str) -> None:
        entry = WORDS[word]
        given = (
            call.expressions
            if isinstance(call, exp.Anonymous)
            else [a for a in call.args.values() if isinstance(a, exp.Expr)]
        )
        if isinstance(call, (exp.Min, exp.Max)):
            given = [call.this, *call.expressions, call.args.get("count")]
            given = [g for g in given if isinstance(g, exp.Expr)]
        if not entry.least <= len(given) <= entry.most:
            count = str(entry.least) if entry.least == entry.most else f"{entry.least} or {entry.most}"
            hint = f"write {entry.signature}" + (
                "; for the larger of two values use greatest(a, b)" if word == "max" else ""
            )
            raise self.fail(
                "arguments",
                f"{word}() takes {count} argument{'s' * (count != '1')}, not {len(given)}",
                call,
                hint,
            )

    # --- which dataset -----------------------------------------------------------------------------------------

    def _dataset(self, call: exp.Expr, argument: Iterable[exp.Expr], others: Iterable[exp.Expr]) -> str:
        in_argument = [p for node in argument for p in names_in(node)]
        everywhere = in_argument + [p for node in others for p in names_in(node)]
        datasets = self.scope.datasets
        named = list(dict.fromkeys(p[0].name for p in everywhere if len(p) > 1 and p[0].name in datasets))
        if not named:
            raise self._no_dataset(call, everywhere)
        dotted = [p for p in everywhere if len(p) > 1]
        fitting = [d for d in named if all(p[0].name == d or self.scope.link(d, p[0].name) for p in dotted)]
        if not fitting:
            return self._nearest(call, named, dotted)
        from_argument = [p[0].name for p in in_argument if len(p) > 1 and p[0].name in fitting]
        return (from_argument or fitting)[0]

    def _nearest(self, call: exp.Expr, named: list[str], dotted: list[list[exp.Identifier]]) -> str:
        """No dataset reaches all names. With one dataset named, binding will say which name is wrong."""
        if len(named) == 1:
            return named[0]
        for parts in dotted:
            if parts[0].name not in self.scope.datasets and not any(
                self.scope.link(d, parts[0].name) for d in named
            ):
                return named[0]
        raise self.fail(
            "no-path", f"no link leads between {' and '.join(repr(n) for n in named)}", call,
            "a measure is on one dataset and what its links reach; declare a link, or divide two measures",
        )  # fmt: skip

    def _no_dataset(self, call: exp.Expr, names: list[list[exp.Identifier]]) -> Unresolved:
        known = list(self.scope.datasets)
        if any(parts[0].name in self.scope.broken for parts in names):
            raise BrokenReference
        for parts in names:
            if len(parts) > 1:
                hint = suggest(parts[0].name, known) or f"datasets are {listed(known)}"
                return self.fail("unknown-dataset", f"unknown dataset '{parts[0].name}'", parts[0], hint)
        for parts in names:
            meant = suggest(parts[0].name, known) if _counts_rows_of(call, parts[0]) else ""
            if meant:
                return self.fail("unknown-dataset", f"unknown dataset '{parts[0].name}'", parts[0], meant)
            owners = [
                d for d in known if self.scope.raw(d) is not None and self.scope.column(d, parts[0].name)
            ]
            if owners:
                return self.fail(
                    "no-dataset",
                    f"'{parts[0].name}' needs its dataset",
                    parts[0],
                    f"write {owners[0]}.{parts[0].name}",
                )
            hint = suggest(parts[0].name, known) or f"datasets are {listed(known)}"
            return self.fail("unknown-dataset", f"unknown dataset '{parts[0].name}'", parts[0], hint)
        return self.fail(
            "no-dataset", "the aggregate names no dataset", call, "write it as in sum(orders.amount)"
        )

    # --- the kinds of measures -----------------------------------------------------------------------------------

    def _origin(self, node: exp.Expr) -> Origin:
        return Origin(self.parsed, node, self.subject)

    def _binder(self, dataset: str, *, in_period: bool = False) -> RowBinder:
        return RowBinder(
            self.scope, dataset, self.parsed, self.subject, beyond=("in_period",) if in_period else ()
        )

    def _condition(self, dataset: str, condition: exp.Expr | None, word: str) -> exp.Expr | None:
        if condition is None:
            return None
        allowed = word not in ("new", "retained", "lost", "converted")
        for node in condition.find_all(exp.Anonymous):
            if word_of(node) == "in_period":
                if not allowed:
                    raise self.fail(
                        "misplaced-function",
                        f"in_period() cannot narrow {word}()",
                        node,
                        "a filter acts before 'ever seen'; filter by a column",
                    )
                if len(node.expressions) != 1:
                    raise self.fail(
                        "arguments",
                        "in_period() takes 1 argument",
                        node,
                        "write in_period(customers.created_at)",
                    )
        return self._binder(dataset, in_period=True).bind(condition)

    def _aggregate(self, call: exp.Expr, word: str, condition: exp.Expr | None) -> Measure:
        inner = call.expressions[0] if isinstance(call, exp.Anonymous) else call.this
        function, argument = word, inner
        if isinstance(inner, exp.Star):
            raise self.fail(
                "count-star",
                f"{word}(*) does not say which rows",
                call,
                f"write {word}(dataset), as in count({next(iter(self.scope.datasets), 'orders')})",
            )
        if isinstance(inner, exp.Distinct):
            if word != "count" or len(inner.expressions) != 1:
                raise self.fail(
                    "not-allowed",
                    f"{word}(distinct …) is not part of the language",
                    call,
                    "count(distinct column) is",
                )
            function, argument = "count_distinct", inner.expressions[0]
        parts = parts_of(argument)
        if word == "count" and parts and len(parts) == 1 and (parts[0].name in self.scope.datasets):
            return self._rows(call, parts[0], function, condition)
        dataset = self._dataset(call, [argument], [condition] if condition is not None else [])
        self._no_nesting(argument)
        bound = self._binder(dataset).bind(argument)
        fraction = self._fraction(call) if word == "quantile" else ""
        return Measure(
            dataset, function, self._origin(call), argument=bound, fraction=fraction,
            condition=self._condition(dataset, condition, word),
        )  # fmt: skip

    def _rows(
        self, call: exp.Expr, name: exp.Identifier, function: str, condition: exp.Expr | None
    ) -> Measure:
        if function == "count_distinct":
            raise self.fail(
                "not-allowed", "count(distinct …) takes a column", name, f"write count({name.name}) for rows"
            )
        if condition is not None:
            self._dataset(call, [exp.column("x", table=name.name)], [condition])
        return Measure(
            name.name, "count", self._origin(call), condition=self._condition(name.name, condition, "count")
        )

    def _no_nesting(self, argument: exp.Expr) -> None:
        for node in argument.walk():
            word = word_of(node)
            if word:
                hint = (
                    "in_period() belongs into a filter (where …)"
                    if word == "in_period"
                    else "an aggregate cannot stand inside another; use a derived column"
                )
                raise self.fail("misplaced-function", f"{word}() cannot stand here", node, hint)

    def _fraction(self, call: exp.Expr) -> str:
        node = call.args.get("quantile")
        if isinstance(node, exp.Literal) and not node.is_string and 0 <= float(node.this) <= 1:
            return str(node.this)
        raise self.fail(
            "arguments",
            "quantile() takes a share between 0 and 1",
            node or call,
            "write quantile(orders.amount, 0.9) or 90%",
        )

    def _measure_in(self, node: exp.Expr, word: str) -> Measure:
        if is_measure(node):
            return self.read(node)
        parts = parts_of(node)
        if parts and len(parts) == 1 and callable(self.of_kpi):
            found = self.of_kpi(parts[0].name)
            if isinstance(found, Measure):
                return replace(found, origin=self._origin(node))
        raise self.fail(
            "arguments",
            f"{word}() takes one measure",
            node,
            f"write it as in {WORDS[word].signature.split(' · ')[-1].replace('(m', '(count(deals)')}",
        )

    def _dated(self, call: exp.Expr) -> Measure:
        measure = self._measure_in(call.expressions[0], "dated")
        if measure.timing != "flow":
            raise self.fail(
                "misplaced-function",
                "interval functions ignore the date, so dated() has no meaning here",
                call,
                "remove dated()",
            )
        if not parts_of(call.expressions[1]):
            raise self.fail(
                "arguments",
                "dated() takes a column",
                call.expressions[1],
                "write dated(count(deals), created_at)",
            )
        date = self.scope.bind_node(call.expressions[1], measure.dataset, self.parsed, self.subject)
        return replace(measure, date=date, origin=self._origin(call))

    def _over_interval(self, call: exp.Expr, word: str) -> Measure:
        measure = self._measure_in(call.expressions[0], word)
        dataset = self.scope.datasets[measure.dataset]
        if measure.function in ENTITIES:
            raise self.fail(
                "misplaced-function",
                f"{measure.function}() cannot stand inside {word}()",
                call,
                f"write {word}(count(distinct {measure.dataset}.…))",
            )
        if measure.timing != "flow" or measure.date is not None:
            raise self.fail(
                "misplaced-function",
                f"{word}() takes a plain aggregate",
                call,
                f"write {word}(count({measure.dataset}))",
            )
        if dataset.snapshot and word not in ("opening", "closing"):
            raise self.fail(
                "misplaced-function",
                f"{word}() needs intervals, and '{measure.dataset}' holds snapshots",
                call,
                "only opening() and closing() read snapshots",
            )
        if not dataset.snapshot and dataset.valid is None:
            raise self.fail(
                "no-interval",
                f"{word}() needs to know from when to when a row of '{measure.dataset}' holds",
                call,
                f"declare 'valid: [from, to]' (or 'snapshot: true') under datasets.{measure.dataset}",
            )
        timing = _TIMINGS[word]
        if timing in ("gone", "kept") and self._uses_in_period(measure):
            raise self.fail("misplaced-function", f"in_period() cannot narrow {word}()", call)
        entity = None
        if timing == "kept":
            entity = self._binder(measure.dataset).bind(call.expressions[1])
        return replace(measure, timing=timing, entity=entity, origin=self._origin(call))

    def _uses_in_period(self, measure: Measure) -> bool:
        return measure.condition is not None and any(
            word_of(n) == "in_period" for n in measure.condition.find_all(exp.Anonymous)
        )

    def _converted(self, call: exp.Expr, condition: exp.Expr | None) -> Measure:
        first, second, window = call.expressions
        for node in (first, second):
            parts = parts_of(node)
            if not parts or len(parts) < 2:
                raise self.fail(
                    "arguments",
                    "converted() takes a column with its dataset",
                    node,
                    f"write {WORDS['converted'].signature}",
                )
            if parts[0].name not in self.scope.datasets:
                raise self._no_dataset(call, [parts])
        if not (isinstance(window, exp.Literal) and window.is_string):
            raise self.fail("arguments", "the window of converted() is a text such as '60 days'", window)
        try:
            length = parse_duration(window.this)
        except ValueError as error:
            raise self.fail("arguments", str(error), window) from None
        dataset, other = (parts_of(n)[0].name for n in (first, second))  # type: ignore[index]
        key = self._binder(other).bind(second)
        for name in (dataset, other):
            if self.scope.datasets[name].date is None:
                raise self.fail(
                    "no-date",
                    f"converted() needs a date, and dataset '{name}' has none",
                    call,
                    f"declare 'date:' under datasets.{name}",
                )
        return Measure(
            dataset, "converted", self._origin(call), argument=self._binder(dataset).bind(first),
            condition=self._condition(dataset, condition, "converted"), other=Converted(other, key, length),
        )  # fmt: skip

    def _count_having(self, call: exp.Expr, condition: exp.Expr | None) -> Measure:
        key, having = call.expressions
        extra = [having] if condition is None else [having, condition]
        dataset = self._dataset(call, [key], extra)
        bound = self._binder(dataset).bind(key)
        if not any(isinstance(n, tuple(AGGREGATE_NODES)) for n in having.walk()):
            raise self.fail(
                "arguments",
                "the condition of count_having() needs an aggregate",
                having,
                "write count_having(orders.customer_id, count(orders) >= 2)",
            )
        return Measure(
            dataset, "count_having", self._origin(call), argument=bound, having=self._having(having, dataset),
            condition=self._condition(dataset, condition, "count_having"),
        )  # fmt: skip

    def _having(self, having: exp.Expr, dataset: str) -> exp.Expr:
        """The condition with its aggregates bound; a column outside an aggregate has no single value."""

        def special(node: exp.Expr) -> exp.Expr | None:
            if isinstance(node, exp.Filter) and isinstance(node.this, tuple(AGGREGATE_NODES)):
                inner = node.this
                assert isinstance(inner, exp.Expr)
                where = exp.Where(this=self._binder(dataset).bind(node.expression.this))
                return _zero_over_nothing(exp.Filter(this=call(inner), expression=where), inner)
            if isinstance(node, tuple(AGGREGATE_NODES)):
                return _zero_over_nothing(call(node), node)
            if parts_of(node):
                raise self.fail(
                    "arguments",
                    "a column of count_having()'s condition must stand in an aggregate",
                    node,
                    "write for instance sum(orders.amount) > 100",
                )
            return None

        def call(node: exp.Expr) -> exp.Expr:
            self._arguments(node, AGGREGATE_NODES[type(node)])
            parts = parts_of(node.this) if isinstance(node.this, exp.Expr) else None
            if isinstance(node, exp.Count) and parts and [p.name for p in parts] == [dataset]:
                return exp.Count(this=exp.Star())
            return rebuild(node, lambda part: bind_argument(part, self._binder(dataset)))

        binder = RowBinder(self.scope, dataset, self.parsed, self.subject, special=special)
        return binder.bind(having)


def _counts_rows_of(call: exp.Expr, name: exp.Identifier) -> bool:
    """``count(name)``: what a dataset's rows are counted by, so that its name is likelier than a column's."""
    return isinstance(call, exp.Count) and parts_of(call.this) == [name]


def _zero_over_nothing(bound: exp.Expr, call: exp.Expr) -> exp.Expr:
    """A sum over no rows, or over NULLs alone, is 0."""
    if isinstance(call, exp.Sum):
        return exp.Coalesce(this=bound, expressions=[exp.Literal.number(0)])
    return bound


def bind_argument(part: exp.Expr, binder: RowBinder) -> exp.Expr:
    """An aggregate's argument, which may be ``distinct x``."""
    return rebuild(part, binder.bind) if isinstance(part, exp.Distinct) else binder.bind(part)
