"""A dataset's own expressions bound: where, key, date, validity, links and derived columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlglot import exp

from cadran.declare.findings import subject_of
from cadran.declare.model import Dataset, Text
from cadran.formula.aggregates import MeasureReader
from cadran.formula.functions import Functions
from cadran.formula.measures import Lookup, ResolvedDataset
from cadran.formula.parse import Parsed, parse
from cadran.formula.rows import RowBinder
from cadran.formula.scope import BrokenReference, Scope, Unresolved, names_in
from cadran.formula.vocabulary import AGGREGATE_NODES
from cadran.problems import Problem

T = TypeVar("T")
_PLAIN = ("count", "count_distinct", "sum", "avg", "min", "max", "median", "quantile", "stddev")


def resolve_dataset(
    dataset: Dataset, scope: Scope, functions: Functions
) -> tuple[ResolvedDataset, dict[str, Lookup], list[Problem]]:
    """The dataset with all that could be bound, the lookups of its derived columns, and the problems."""
    return _DatasetResolver(dataset, scope, functions).run()


class _DatasetResolver:
    def __init__(self, dataset: Dataset, scope: Scope, functions: Functions) -> None:
        self.dataset, self.scope, self.functions = dataset, scope, functions
        self.subject = f"datasets.{dataset.name}"
        self.lookups: dict[str, Lookup] = {}
        self.problems: list[Problem] = []

    def run(self) -> tuple[ResolvedDataset, dict[str, Lookup], list[Problem]]:
        dataset = self.dataset
        valid = None
        if dataset.valid:
            start, end = self._path(dataset.valid.start), self._path(dataset.valid.end)
            valid = (start, end) if start is not None and end is not None else None
        resolved = ResolvedDataset(
            name=dataset.name,
            raw=self.scope.raw(dataset.name),
            derived={n: e for n, t in dataset.columns.items() if (e := self._derived(n, t)) is not None},
            where=self._row_expression(dataset.where, "where") if dataset.where else None,
            key=tuple(k.name for t in dataset.key if (k := self._path(t, links=False)) is not None),
            date=self._path(dataset.date) if dataset.date else None,
            valid=valid,
            inclusive=bool(dataset.valid and dataset.valid.inclusive),
            links={
                n: (cols, link.to)
                for n, link in dataset.links.items()
                if (cols := self._link(link.columns)) is not None
            },
            snapshot=dataset.snapshot,
            ahead=dataset.ahead,
            changed=self._changed(),
        )
        for name, code in dataset.money.items():
            if self.scope.column(dataset.name, name) is None:
                self._path(Text(name, code.place))
            elif not _is_code(code.value):
                self._path(code)
        return resolved, self.lookups, self.problems

    def _changed(self) -> str | None:
        """The column that tells of changes: one that the table itself holds, as a database is asked for it alone."""
        text = self.dataset.changed
        node = self._path(text, links=False) if text is not None else None
        if text is None or node is None:
            return None
        if node.name in self.dataset.columns:
            message = f"'{text.value}' is a derived column, and changes are told by one of the table itself"
            hint = "name the column in which the database writes when a row was changed, such as updated_at"
            self.problems.append(
                Problem("derived-changed", message, text.place.position(), self.subject, hint)
            )
            return None
        return node.name

    def _try(self, action: Callable[[], T]) -> T | None:
        try:
            return action()
        except BrokenReference:
            return None
        except Unresolved as found:
            self.problems.append(found.problem)
            return None

    def _path(self, text: Text, *, links: bool = True) -> exp.Column | None:
        return self._try(lambda: self.scope.bind_path(text, self.dataset.name, self.subject, links=links))

    def _link(self, columns: tuple[Text, ...]) -> tuple[exp.Column, ...] | None:
        bound = [self._path(c) for c in columns]
        return tuple(b for b in bound if b is not None) if None not in bound else None

    def _row_expression(self, text: Text, what: str) -> exp.Expr | None:
        parsed, problems = parse(text, f"{self.subject}.{what}", self.functions)
        self.problems += problems
        if parsed is None:
            return None
        return self._try(
            lambda: RowBinder(self.scope, self.dataset.name, parsed, f"{self.subject}.{what}").bind(
                parsed.tree
            )
        )

    def _derived(self, name: str, text: Text) -> exp.Expr | None:
        subject = self._subject(name, text)
        parsed, problems = parse(text, subject, self.functions)
        self.problems += problems
        if parsed is None:
            return None

        def special(node: exp.Expr) -> exp.Expr | None:
            if isinstance(node, exp.Window) and isinstance(node.this, tuple(AGGREGATE_NODES)):
                return self._window(node, binder)
            call = node.this if isinstance(node, exp.Filter) else node
            if isinstance(call, tuple(AGGREGATE_NODES)):
                return self._lookup(node, parsed, name, subject)
            return None

        binder = RowBinder(self.scope, self.dataset.name, parsed, subject, windows=True, special=special)
        return self._try(lambda: binder.bind(parsed.tree))

    def _subject(self, name: str, text: Text) -> str:
        """What a column is called in messages: one that a score or a funnel made, by these."""
        made = name in self.dataset.made
        return subject_of(text.place.path) if made else f"{self.subject}.columns.{name}"

    def _window(self, node: exp.Window, binder: RowBinder) -> exp.Expr:
        """An aggregate over a window of this dataset's rows: its arguments are ordinary row expressions."""
        plain = RowBinder(self.scope, self.dataset.name, binder.parsed, binder.subject, windows=True)
        binder._allow(node)
        args: dict[str, object] = {}
        for key, value in node.args.items():
            if key == "this":
                args[key] = _aggregate_arguments(node.this, plain)
            elif isinstance(value, exp.Expr):
                args[key] = binder.bind(value)
            elif isinstance(value, list):
                args[key] = [binder.bind(v) for v in value]
            else:
                args[key] = value
        return exp.Window(**args)

    def _lookup(self, node: exp.Expr, parsed: Parsed, column: str, subject: str) -> exp.Expr:
        """An aggregate of a dataset that links here becomes a placeholder joined in by the link's columns."""
        own = not any(len(parts) > 1 or parts[0].name in self.scope.datasets for parts in names_in(node))
        measure = None if own else MeasureReader(self.scope, parsed, subject).read(node)
        if measure is None or measure.dataset == self.dataset.name:
            raise Unresolved(Problem(
                "own-aggregate", "an aggregate of the dataset's own rows needs a window", parsed.position(node), subject,
                "write it with over (…), as in sum(amount) over (partition by customer_id)",
            ))  # fmt: skip
        links = [
            n
            for n, link in self.scope.datasets[measure.dataset].links.items()
            if link.to == self.dataset.name
        ]
        if len(links) != 1:
            count = "no link" if not links else f"{len(links)} links"
            raise Unresolved(Problem(
                "no-path", f"'{measure.dataset}' has {count} to '{self.dataset.name}'", parsed.position(node), subject,
                f"declare one under datasets.{measure.dataset}.links" if not links else "only one link can be followed back",
            ))  # fmt: skip
        key = f"{self.dataset.name}.{column}.{len(self.lookups)}"
        self.lookups[key] = Lookup(measure, links[0])
        return exp.Placeholder(this=key)


def _aggregate_arguments(call: exp.Expr, binder: RowBinder) -> exp.Expr:
    args = {
        key: value if isinstance(value, exp.Star) or not isinstance(value, exp.Expr) else binder.bind(value)
        for key, value in call.args.items()
    }
    return type(call)(**args)


def _is_code(text: str) -> bool:
    return len(text) == 3 and text.isalpha() and text.isupper()
