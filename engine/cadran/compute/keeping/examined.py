"""What is known of the data from earlier examinations: facts by part, and checks that passed.

Everything here says the same as an examination of all rows would. What a part holds is known for good once all its dates
have passed; what cannot be told by parts is known as long as no row of all that it rests on changes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

from sqlglot import exp

from cadran.compute.keeping.behind import Behind
from cadran.compute.keeping.parts import PART, Chunk, Parts
from cadran.compute.keeping.tokens import Tokens
from cadran.compute.keeping.uniqueness import Uniqueness
from cadran.compute.loading.embedded import QueryError
from cadran.compute.loading.extents import Extent
from cadran.compute.scanning.rows import RowsBuilder
from cadran.formula.graph import Node
from cadran.formula.measures import Measure
from cadran.problems import Problem, ProblemsFound
from cadran.state.index import digest

# Asks about the rows of a builder, by the values of a column (of all as one where it is empty). Answers are plain values.
Ask = Callable[[RowsBuilder, str], Mapping[str, Any]]
# The answer for one part by what its file states of columns; None where its rows have to be asked.
Stated = Callable[[Callable[[str], Extent | None]], Any]


class Examined:
    """What one run knows of its data; see :class:`~cadran.compute.examining.examine.Examiner`."""

    def __init__(self, parts: Parts, tokens: Tokens) -> None:
        self.parts, self.tokens = parts, tokens
        self.kept, self.definitions = parts.kept, parts.definitions
        self.reader = self.definitions.reader
        self.unique = Uniqueness(parts, tokens)

    # --- answers by part ----------------------------------------------------------------------------------------------

    def answers(
        self, said: str, behind: Behind, dates: Sequence[exp.Column], ask: Ask, nothing: Any, stated: Stated = lambda _: None
    ) -> list[Any]:  # fmt: skip
        """The answers for all parts of the dataset behind (or for it as a whole), asked only where they are not known.

        ``said`` tells the question from others, ``dates`` are those that it looks at besides the dataset's own,
        ``nothing`` is the answer for a part without rows.
        """
        chunks = self.parts.of(behind.own)
        if chunks and behind.local:
            found = self._by_part(said, behind, dates, chunks, ask, nothing, stated)
            if found is not None:
                return found
        token = self.tokens.all_rows(behind, dates)
        known = self.kept.fact(digest(said, token)) if token else None
        if known is None:
            known = ask(self.parts.rows, "").get("", nothing)
            if token:
                self.kept.learn(digest(said, token), known)
        return [known]

    def _by_part(
        self, said: str, behind: Behind, dates: Sequence[exp.Column], chunks: Sequence[Chunk], ask: Ask, nothing: Any, stated: Stated
    ) -> list[Any] | None:  # fmt: skip
        keys = {c.label: digest(said, self.parts.settings_of(c), c.part.content) for c in chunks}
        hidden = self.tokens.masked(behind.own, frozenset(behind.columns))
        steady = self.tokens.steady(behind.own, [*dates, *hidden])
        found = {label: fact for label in steady if (fact := self.kept.fact(keys[label])) is not None}
        for chunk in (c for c in chunks if c.label not in found):
            answer = stated(partial(self.parts.extent, chunk))
            if answer is not None:
                found[chunk.label] = answer
        missing = [c for c in chunks if c.label not in found]
        if missing:
            source = self.parts.source(behind.own, missing)
            if source is None:
                return None
            asked = ask(self.parts.rows.over({behind.own: source}), PART)
            for label in (c.label for c in missing):
                found[label] = asked.get(label, nothing)
                if label in steady:
                    self.kept.learn(keys[label], found[label])
        return [found[c.label] for c in chunks]

    # --- checks that passed -------------------------------------------------------------------------------------------

    def passed(self, said: str, behind: Behind, check: Callable[[], Sequence[Problem]]) -> Sequence[Problem]:
        """What a check over all rows finds; one that found nothing is not done again over the same rows."""
        token = self.tokens.all_rows(behind, ())
        key = digest(said, self.definitions.behind(behind), token) if token else ""
        return self._once(key, check)

    def _once(self, key: str, check: Callable[[], Sequence[Problem]]) -> Sequence[Problem]:
        if key and self.kept.fact(key) is not None:
            return []
        found = check()
        if key and not found:
            self.kept.learn(key, True)
        return found

    def number(self, said: str, dataset: str, nodes: Collection[exp.Column], count: Callable[[], int]) -> int:
        """A count over all rows of a dataset, whatever the clock."""
        behind = Behind(dataset, datasets={dataset})
        for node in nodes:
            self.reader.add(behind, node)
        contents = [self.parts.content(d) for d in sorted(behind.datasets)]
        if None in contents or behind.clock:
            return count()
        key = digest(said, self.definitions.behind(behind), [n.sql("duckdb") for n in nodes], contents)
        known = self.kept.fact(key)
        if known is None:
            known = count()
            self.kept.learn(key, known)
        return int(known)

    # --- types --------------------------------------------------------------------------------------------------------

    def types(
        self, measures: Sequence[Measure], columns: Collection[Node], check: Callable[[], Sequence[Problem]]
    ) -> Sequence[Problem]:
        """What a check of types finds; the same definitions over columns of the same types are not checked again."""
        try:
            key = self._types(measures, columns)
        except (ProblemsFound, QueryError):
            key = ""  # something has no type that it could have: the check says so better
        return self._once(key, check)

    def _types(self, measures: Sequence[Measure], columns: Collection[Node]) -> str:
        definitions, model = self.definitions, self.definitions.model
        datasets = sorted({dataset for dataset, _ in columns})
        said: list[object] = [definitions.measure(m.dataset, m, m.timing, m.date)[0] for m in measures]
        said += [definitions.column(d, c) for d, c in sorted(columns) if c]
        for name in datasets:
            links = [
                (link, [c.sql("duckdb") for c in found], target)
                for link, (found, target) in sorted(model.datasets[name].links.items())
            ]
            keys = [definitions.column(name, key) for key in model.datasets[name].key]
            said.append((definitions.dataset(name), links, keys, sorted(definitions.types(name).items())))
            said += [list(self.parts.session.columns(t.source, t.table)) for t in self._tables(name)]
            if self._written_as_text(name):
                content = self.parts.content(name)
                if content is None:
                    return ""
                said.append(content)
        return digest("types", said)

    def _tables(self, dataset: str) -> Sequence[Any]:
        tables = self.definitions.declaration.datasets[dataset].tables
        return tables if len(tables) > 1 else ()

    def _written_as_text(self, dataset: str) -> bool:
        """Whether a column holds dates as text: then the check has looked at every value."""
        found, rows = self.definitions.model.datasets[dataset], self.parts.rows
        nodes = [n for n in (found.date, *(found.valid or ())) if n is not None]
        return any(rows.kind(dataset, node) == "VARCHAR" for node in nodes)
