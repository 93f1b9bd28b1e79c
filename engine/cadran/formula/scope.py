"""Names: which column, link or dataset a written name means, with a suggestion where it means none."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from sqlglot import exp

from cadran.declare.model import Dataset, Link, Text
from cadran.formula.measures import ref_node
from cadran.formula.parse import Parsed
from cadran.problems import Position, Problem, listed, suggest

_BARE = re.compile(r"[^\W\d]\w*")  # a name that needs no quotes
_PATH_PART = re.compile(r'"((?:[^"]|"")+)"|([^."]+)')


class Unresolved(Exception):
    """A name or a use of one that cannot be given a meaning; carries the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class BrokenReference(Exception):
    """Something is used that has a problem of its own, already reported: one mistake is one message."""


def parts_of(node: exp.Expr) -> list[exp.Identifier] | None:
    """``a.b.c`` as its identifiers, however sqlglot nests them; None for anything else."""
    if isinstance(node, exp.Column):
        args = node.args
        name, table = args.get("this"), args.get("table")
        if not isinstance(name, exp.Identifier):
            return None
        if table is None:
            return [name]
        return [*(p for p in (args.get("catalog"), args.get("db")) if p is not None), table, name]
    if isinstance(node, exp.Dot):
        left = parts_of(node.this)
        right = node.expression
        return [*left, right] if left and isinstance(right, exp.Identifier) else None
    return None


def _is_compared(node: exp.Expr) -> bool:
    """Whether a name stands where a value is compared with: behind the sign, or in the list of ``in``."""
    above = node.parent
    if isinstance(above, exp.In):
        return node in above.expressions
    return isinstance(above, (exp.EQ, exp.NEQ, exp.Like, exp.ILike)) and node is above.expression


def names_in(node: exp.Expr) -> Iterator[list[exp.Identifier]]:
    """All (dotted) names of an expression, outermost first."""
    parts = parts_of(node)
    if parts:
        yield parts
        return
    for child in node.iter_expressions():
        yield from names_in(child)


class Scope:
    """The datasets of a project and the columns that are known of each.

    ``columns`` maps a dataset to the columns of its tables, or to None where they are not known; then any name
    that the dataset does not derive is taken on trust.
    """

    def __init__(
        self,
        datasets: Mapping[str, Dataset],
        columns: Mapping[str, Sequence[str] | None],
        broken: Collection[str] = (),
    ) -> None:
        self.datasets = datasets
        self.broken = broken  # declared, but not usable
        self._raw = {name: columns.get(name) for name in datasets}
        self._folded = {name: self._fold(name) for name in datasets}

    def _fold(self, dataset: str) -> dict[str, str]:
        names = [*(self._raw[dataset] or ()), *self.datasets[dataset].columns]
        return {name.casefold(): name for name in names}

    def raw(self, dataset: str) -> tuple[str, ...] | None:
        """The columns of the dataset's tables, or None."""
        known = self._raw[dataset]
        return None if known is None else tuple(known)

    def known(self, dataset: str) -> list[str]:
        return list(self._folded[dataset].values())

    def column(self, dataset: str, name: str) -> str | None:
        """The exact name of a column, matched without regard to case."""
        if name in self.datasets[dataset].columns:
            return name
        found = self._folded[dataset].get(name.casefold())
        return name if found is None and self._raw[dataset] is None else found

    def link(self, dataset: str, name: str) -> Link | None:
        return self.datasets[dataset].links.get(name)

    # --- binding -----------------------------------------------------------------------------------------------

    def bind(
        self, parts: Sequence[str], dataset: str, fail: Callable[[int, str, str, str], Unresolved]
    ) -> exp.Column:
        """``parts`` as seen from ``dataset``. ``fail(i, code, message, hint)`` makes the problem of part ``i``."""
        skip = 1 if len(parts) > 1 and parts[0] == dataset else 0
        here, path = dataset, []
        for index in range(skip, len(parts) - 1):
            link = self.link(here, parts[index])
            if link is None:
                raise self._no_link(here, parts[index], index, fail)
            path.append(link.name)
            here = link.to
            if here not in self._folded:
                raise BrokenReference
        column = self.column(here, parts[-1])
        if column is None:
            raise self._no_column(here, parts[-1], len(parts) - 1, fail)
        return ref_node(tuple(path), column)

    def _no_link(
        self, dataset: str, name: str, index: int, fail: Callable[[int, str, str, str], Unresolved]
    ) -> Unresolved:
        links = self.datasets[dataset].links
        hint = suggest(name, links)
        if not hint:
            hint = f"its links are {listed(list(links))}" if links else "declare one under 'links:'"
            way = self._way_to(dataset, name)
            hint = f"write {way}" if way else hint
        return fail(index, "unknown-link", f"dataset '{dataset}' has no link '{name}'", hint)

    def _way_to(self, dataset: str, target: str) -> str:
        """A longer path of links by which ``target`` is reached, for a hint."""
        seen, queue = {dataset}, [(dataset, "")]
        while queue:
            here, path = queue.pop(0)
            for link in self.datasets[here].links.values():
                step = f"{path}{link.name}"
                if link.to == target:
                    return f"{step}.…" if path else ""
                if link.to in self.datasets and link.to not in seen:
                    seen.add(link.to)
                    queue.append((link.to, f"{step}."))
        return ""

    def _no_column(
        self, dataset: str, name: str, index: int, fail: Callable[[int, str, str, str], Unresolved]
    ) -> Unresolved:
        hint = suggest(name, self.known(dataset)) or f"its columns are {listed(self.known(dataset))}"
        if name in self.datasets[dataset].links:
            hint = f"'{name}' is a link: say which column, as in {name}.…"
        found = fail(index, "unknown-column", f"unknown column '{name}' in dataset '{dataset}'", hint)
        return Unresolved(replace(found.problem, datasets=(dataset,)))

    def bind_node(self, node: exp.Expr, dataset: str, parsed: Parsed, subject: str) -> exp.Column:
        """A name in an expression. Raises :class:`Unresolved` pointing at the part that is wrong."""
        parts = parts_of(node)
        assert parts

        def fail(index: int, code: str, message: str, hint: str) -> Unresolved:
            if code == "unknown-column":
                hint = self._meant(node, index, hint)
            return Unresolved(parsed.problem(code, message, parts[index], subject, hint))

        return self.bind([p.name for p in parts], dataset, fail)

    def _meant(self, node: exp.Expr, index: int, hint: str) -> str:
        """The hint for an unknown column of an expression, where a text without its quotes may be meant."""
        part = (parts_of(node) or [])[index]
        close = re.fullmatch(r"did you mean '(.*)'\?", hint)
        if close and not _BARE.fullmatch(close[1]):
            hint = f'did you mean "{close[1]}"?'
        if index or not (part.args.get("quoted") or _is_compared(node)):
            return hint
        as_text = f"a text is written in single quotes: '{part.name}'"
        near = close and SequenceMatcher(None, part.name.casefold(), close[1].casefold()).ratio() > 0.8
        return f"{hint} Else, {as_text}" if near else as_text

    def bind_path(self, text: Text, dataset: str, subject: str, *, links: bool = True) -> exp.Column:
        """Where YAML names a column: an exact column name is that column, else a dotted path, quoted as in SQL."""
        if text.value in self.datasets[dataset].columns or text.value in (self._raw[dataset] or ()):
            return ref_node((), text.value)
        spans = [
            (m[1].replace('""', '"') if m[1] else m[2], m.span()) for m in _PATH_PART.finditer(text.value)
        ]

        def at(index: int) -> Position:
            return text.place.position(*spans[index][1]) if spans else text.place.position()

        def fail(index: int, code: str, message: str, hint: str) -> Unresolved:
            return Unresolved(Problem(code, message, at(index), subject, hint))

        if not spans:
            raise Unresolved(
                Problem("unknown-column", "a column's name is expected", text.place.position(), subject)
            )
        if len(spans) > 1 and not links:
            raise fail(
                0, "key-over-link", f"'{text.value}' walks a link", "name a column of the dataset itself"
            )
        return self.bind([name for name, _ in spans], dataset, fail)
