"""What is known of the data from earlier examinations: facts by part, proofs that keys are unique, checks that passed.

Everything here says the same as an examination of all rows would. What a part holds is known for good once all its dates
have passed; keys are unique over all parts if they are within each, and no two parts share one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sqlglot import exp

from cadran.compute.facts import Facts, merged, nothing
from cadran.compute.keeping.behind import Behind
from cadran.compute.keeping.parts import PART, Chunk, Parts
from cadran.compute.keeping.tokens import Tokens
from cadran.compute.keeping.uniqueness import Uniqueness
from cadran.compute.rows import RowsBuilder
from cadran.state.kept import digest

ByPart = Callable[
    [RowsBuilder, str], Mapping[str, Facts]
]  # counts the rows of a builder, by the column named


class Examined:
    def __init__(self, parts: Parts, tokens: Tokens) -> None:
        self.parts, self.tokens = parts, tokens
        self.kept, self.definitions = parts.kept, parts.definitions
        self.unique = Uniqueness(parts, tokens)

    # --- facts --------------------------------------------------------------------------------------------------------

    def facts(self, dataset: str, dates: Sequence[exp.Column], count: ByPart) -> Facts:
        """A dataset's facts, counted only where they are not known."""
        behind = self.definitions.reader.rows(dataset)
        for node in dates:
            self.definitions.reader.date(behind, node)
        said = digest("facts", self.definitions.behind(behind), [n.sql("duckdb") for n in dates])
        chunks = self.parts.of(dataset)
        if chunks and behind.local:
            by_part = self._by_part(dataset, dates, chunks, said, count)
            if by_part is not None:
                return by_part
        token = self.tokens.all_rows(behind, dates)
        known = self.kept.fact(digest(said, token)) if token else None
        if known is not None:
            return Facts.read(known, dates)
        found = count(self.parts.rows, "")[""]
        if token:
            self.kept.learn(digest(said, token), found.written(dates))
        return found

    def _by_part(
        self, dataset: str, dates: Sequence[exp.Column], chunks: Sequence[Chunk], said: str, count: ByPart
    ) -> Facts | None:
        keys = {c.label: digest(said, self.parts.settings_of(c), c.part.content) for c in chunks}
        steady = self.tokens.steady(dataset, dates)
        known = {label: self.kept.fact(keys[label]) for label in steady}
        found = {label: Facts.read(raw, dates) for label, raw in known.items() if raw is not None}
        missing = [c for c in chunks if c.label not in found]
        if missing:
            source = self.parts.source(dataset, missing)
            if source is None:
                return None
            counted = count(self.parts.rows.over({dataset: source}), PART)
            for chunk in missing:
                found[chunk.label] = counted.get(chunk.label, nothing(dates))
                if chunk.label in steady:
                    self.kept.learn(keys[chunk.label], found[chunk.label].written(dates))
        return merged([found[c.label] for c in chunks])

    # --- checks that passed -------------------------------------------------------------------------------------------

    def passed(
        self, name: str, behind: Behind, more: object, check: Callable[[], Sequence[Any]]
    ) -> Sequence[Any]:
        """What a check over all rows finds; one that found nothing is not done again over the same rows."""
        token = self.tokens.all_rows(behind, ())
        key = digest(name, self.definitions.behind(behind), more, token) if token else ""
        if key and self.kept.fact(key) is not None:
            return []
        found = check()
        if key and not found:
            self.kept.learn(key, True)
        return found

    def number(self, name: str, dataset: str, nodes: Collection[exp.Column], count: Callable[[], int]) -> int:
        """A count over all rows of a dataset, whatever the clock."""
        behind = Behind(dataset, datasets={dataset})
        for node in nodes:
            self.definitions.reader.add(behind, node)
        content = self.parts.content(dataset)
        others = [self.parts.content(d) for d in sorted(behind.whole)]
        if content is None or None in others or behind.clock:
            return count()
        key = digest(name, self.definitions.behind(behind), [n.sql("duckdb") for n in nodes], content, others)
        known = self.kept.fact(key)
        if known is None:
            known = count()
            self.kept.learn(key, known)
        return int(known)
