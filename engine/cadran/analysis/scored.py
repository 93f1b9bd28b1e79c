"""Why single rows have the points that they have: every rule of a score, and the values that it looks at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlglot import exp

from cadran.analysis.answers import RuleSeen, ScoredRow
from cadran.analysis.asking import Asking, Found
from cadran.analysis.scores import counting
from cadran.compute.cells.computed import Listing
from cadran.declare.model import Score
from cadran.formula.measures import ref_of


@dataclass(slots=True)
class RowAnalysis:
    """Rows by their keys as written; the parts of a key of several columns are joined with `` / ``."""

    score: Score
    keys: tuple[str, ...]
    _looked: list[tuple[str, ...]] = field(
        default_factory=list
    )  # by rule, the row's own columns in its condition

    def ask(self, asking: Asking) -> None:
        dataset = asking.model.datasets[self.score.dataset]
        self._looked = [_own_columns(dataset.derived[rule.column]) for rule in self.score.rules]
        looked = dict.fromkeys(name for names in self._looked for name in names)
        band = [f"{self.score.name}_band"] if self.score.bands else []
        columns = (*dataset.key, self.score.name, *band, *(r.column for r in self.score.rules), *looked)
        for number, key in enumerate(self.keys):
            equal = tuple(zip(dataset.key, key.split(" / "), strict=False))
            asking.list(self._named(number), Listing(dataset.name, columns, equal=equal, limit=1))

    def answer(self, found: Found) -> tuple[ScoredRow, ...]:
        keys = len(found.model.datasets[self.score.dataset].key)
        return tuple(
            self._row(rows[0], keys)
            if (rows := found.listed[self._named(n)])
            else ScoredRow((key,), found=False)
            for n, key in enumerate(self.keys)
        )

    def _named(self, number: int) -> str:
        return f"scores.{self.score.name}.row.{number}"

    def _row(self, row: Sequence[Any], keys: int) -> ScoredRow:
        after = keys + 1 + bool(self.score.bands)
        holds = [bool(value) for value in row[after : after + len(self.score.rules)]]
        looked = dict.fromkeys(name for names in self._looked for name in names)
        values = dict(zip(looked, row[after + len(holds) :], strict=True))
        band = str(row[keys + 1] or "") if self.score.bands else ""
        points = Decimal(str(row[keys] or 0))
        return ScoredRow(tuple(row[:keys]), True, points, band, tuple(self._rules(holds, values)))

    def _rules(self, holds: Sequence[bool], values: dict[str, Any]) -> Iterator[RuleSeen]:
        counts = set(counting(self.score, holds))
        for number, names in enumerate(self._looked):
            seen = tuple((name, values[name]) for name in names)
            yield RuleSeen(number, holds[number], number in counts, seen)


def _own_columns(tree: exp.Expr) -> tuple[str, ...]:
    """What a condition looks at in the row itself; what it reaches over links is not shown."""
    return tuple(dict.fromkeys(name for path, name in map(ref_of, tree.find_all(exp.Column)) if not path))
