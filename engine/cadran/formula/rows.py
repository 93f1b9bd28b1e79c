"""Expressions over the rows of one dataset: filters, arguments, derived columns. Every name bound, every node allowed."""

from __future__ import annotations

from collections.abc import Callable, Collection

from sqlglot import exp

from cadran.formula.functions import is_added
from cadran.formula.parse import Parsed
from cadran.formula.scope import Scope, Unresolved, parts_of
from cadran.formula.syntax import refused
from cadran.formula.vocabulary import AGGREGATE_NODES, WORDS, word_of
from cadran.problems import Problem

_ATOMS = (exp.Literal, exp.Boolean, exp.Null, exp.DataType, exp.Var, exp.Interval, exp.DataTypeParam)
_SHARED = (exp.Literal, exp.Boolean, exp.Null)  # never changed, so no tree needs a copy of its own
Special = Callable[[exp.Expr], exp.Expr | None]


def rebuild(node: exp.Expr, visit: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    """A copy of ``node`` with every child replaced by ``visit(child)``."""
    args: dict[str, object] = {}
    for key, value in node.args.items():
        if isinstance(value, exp.Expr):
            args[key] = visit(value)
        elif isinstance(value, list):
            args[key] = [visit(v) if isinstance(v, exp.Expr) else v for v in value]
        else:
            args[key] = value
    return type(node)(**args)


class RowBinder:
    """Binds row-level expressions of one dataset.

    ``special`` may take a node over and give its replacement (aggregates in a derived column or a
    ``count_having`` condition); ``windows`` allows window functions; ``beyond`` are words that are allowed by name.
    """

    def __init__(
        self,
        scope: Scope,
        dataset: str,
        parsed: Parsed,
        subject: str,
        *,
        windows: bool = False,
        special: Special | None = None,
        beyond: Collection[str] = (),
    ) -> None:
        self.scope, self.dataset, self.parsed, self.subject = scope, dataset, parsed, subject
        self.windows, self.special, self.beyond = windows, special, beyond

    def bind(self, node: exp.Expr) -> exp.Expr:
        """Raises :class:`Unresolved` at the first node that has no meaning here."""
        taken = self.special(node) if self.special else None
        if taken is not None:
            return taken
        if parts_of(node):
            return self.scope.bind_node(node, self.dataset, self.parsed, self.subject)
        if isinstance(node, (exp.Column, exp.Dot)):
            raise self.problem("syntax", "this is not a name", node, "write dataset.column")
        if isinstance(node, _ATOMS):
            self._allow(node)
            return node if isinstance(node, _SHARED) else node.copy()
        if not self.windows or not isinstance(node, tuple(AGGREGATE_NODES)):
            self._vocabulary(node)
        self._allow(node)
        return rebuild(node, self.bind)

    def _vocabulary(self, node: exp.Expr) -> None:
        word = word_of(node)
        if word is None or word in self.beyond:
            return
        hint = {
            "in_period": "it belongs into a filter (where …) of a measure",
        }.get(word, "an aggregate belongs into a KPI's formula, and cannot stand inside another one")
        raise self.problem("misplaced-function", f"{word}() cannot stand here", node, hint)

    def _allow(self, node: exp.Expr) -> None:
        if is_added(node):
            return
        found = refused(node, windows=self.windows, beyond=WORDS)
        if found:
            raise self.problem("not-allowed", found[0], node, found[1])

    def problem(self, code: str, message: str, node: exp.Expr, hint: str = "") -> Unresolved:
        return Unresolved(Problem(code, message, self.parsed.position(node), self.subject, hint))
