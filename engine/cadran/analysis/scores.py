"""Scores: the best rows, how many rows each band holds, and which rules gave them their points."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cadran.analysis.answers import RuleCount, ScoreAnswer, Scored
from cadran.analysis.asking import Asking, Found
from cadran.compute.cells.computed import Listing
from cadran.declare.model import Score
from cadran.declare.scores import only_column, shown_column
from cadran.formula.measures import ref_of

TOP = 10


def _newest(asking: Asking, score: Score) -> tuple[tuple[str, bool], ...]:
    """Of rows with the same points the newest come first, where the dataset's date is a column of its own."""
    date = asking.model.datasets[score.dataset].date
    path, name = ref_of(date) if date is not None else (("",), "")
    return () if path else ((name, True),)


@dataclass(frozen=True, slots=True)
class ScoreAnalysis:
    """``top`` None lists all rows."""

    score: Score
    top: int | None = TOP

    def ask(self, asking: Asking) -> None:
        score = self.score
        key = asking.model.datasets[score.dataset].key
        shown = [shown_column(score, number) for number in range(1, len(score.show) + 1)]
        only = only_column(score) if score.only is not None else ""
        columns = (*self._band, *self._rules, score.name, *shown, *key)
        order = ((score.name, True), *_newest(asking, score), *((part, False) for part in key))
        asking.list(self._named("best"), Listing(score.dataset, columns, only, order, self.top))
        counted = (*self._band, *self._rules, *([only] if only else []))
        asking.list(self._named("all"), Listing(score.dataset, counted, counted=True))

    def answer(self, found: Found) -> ScoreAnswer:
        every = [self._counted(row) for row in found.listed[self._named("all")]]
        bands = Counter[str]()
        for band, _, listed, rows in every:
            bands[band] += rows if listed else 0
        known = (*self.score.bands, *([""] if bands[""] else [])) if self.score.bands else ()
        best = tuple(self._scored(row) for row in found.listed[self._named("best")])
        return ScoreAnswer(
            self.score.name,
            sum(rows for *_, rows in every),
            sum(rows for _, _, listed, rows in every if listed),
            {name: bands[name] for name in known},
            tuple(self._rule_counts(every)),
            best,
        )

    @property
    def _band(self) -> tuple[str, ...]:
        return (f"{self.score.name}_band",) if self.score.bands else ()

    @property
    def _rules(self) -> tuple[str, ...]:
        return tuple(rule.column for rule in self.score.rules)

    def _named(self, what: str) -> str:
        return f"scores.{self.score.name}.{what}"

    def _head(self, values: Sequence[Any]) -> tuple[str, list[bool], Sequence[Any]]:
        """The band, which rules hold, and the values behind them."""
        band, rules = len(self._band), len(self.score.rules)
        holds = [bool(value) for value in values[band : band + rules]]
        return str(values[0] or "") if band else "", holds, values[band + rules :]

    def _counted(self, row: Sequence[Any]) -> tuple[str, list[bool], bool, int]:
        band, holds, rest = self._head(row)
        return band, holds, bool(rest[0]) if self.score.only is not None else True, int(rest[-1])

    def _scored(self, row: Sequence[Any]) -> Scored:
        band, holds, rest = self._head(row)
        shown = len(self.score.show)
        points = Decimal(str(rest[0] or 0))
        return Scored(
            tuple(rest[1 + shown :]),
            points,
            band,
            tuple(rest[1 : 1 + shown]),
            tuple(counting(self.score, holds)),
        )

    def _rule_counts(self, every: Sequence[tuple[str, list[bool], bool, int]]) -> Iterator[RuleCount]:
        held, counted = Counter[int](), Counter[int]()
        for _, holds, _, rows in every:
            held.update({number: rows for number, holding in enumerate(holds) if holding})
            counted.update(dict.fromkeys(counting(self.score, holds), rows))
        for number in range(len(self.score.rules)):
            yield RuleCount(number, held[number], counted[number])


def counting(score: Score, holds: Sequence[bool]) -> Iterator[int]:
    """The rules whose points count: of a group, the first that holds."""
    taken: set[int] = set()
    for number, rule in enumerate(score.rules):
        if not holds[number] or rule.group in taken:
            continue
        if rule.group is not None:
            taken.add(rule.group)
        yield number
