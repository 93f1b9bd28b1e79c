"""Keys are unique and never empty: checked in every run, over every row.

Whole numbers that lie close together are checked as bits, one for each possible key: if as many bits are set as there
are rows, no key repeats. That costs a tenth of grouping rows by key, which is done for all other keys, and wherever a
repeated key has to be named.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlglot import exp

from cadran.compute.loading.extents import WHOLE
from cadran.compute.lower import cast, column, number
from cadran.compute.placing.places import Places
from cadran.compute.scanning.rows import Joined, RowsBuilder
from cadran.declare.model import Declaration
from cadran.problems import Problem

_MOST_BITS = 1 << 30
_BITS_A_ROW = 128  # above that, a table of the keys is smaller than their bits


class Keys:
    """Asks whether the keys of datasets are what they have to be."""

    def __init__(self, declaration: Declaration, session: Places, rows: RowsBuilder) -> None:
        self.declaration, self.session, self.rows = declaration, session, rows

    def check(self, dataset: str) -> list[Problem]:
        keys = self.rows.model.datasets[dataset].key
        if not keys or (len(keys) == 1 and self._unique_by_bits(dataset, keys[0])):
            return []
        found = self._repeated(dataset, keys)
        return [self._problem(dataset, keys, found)] if found else []

    def _unique_by_bits(self, dataset: str, key: str) -> bool:
        """Whether the source's keys are whole numbers of which none repeats or is empty; False where that stays open."""
        if (
            not self.session.lies_here(self.rows.sources[dataset])
            or key in self.rows.model.datasets[dataset].derived
            or self.rows.type_of(dataset, key) not in WHOLE
        ):
            return False
        node = column(key, "t")
        low, high, rows = self._ask(
            dataset, exp.Min(this=node), exp.Max(this=node.copy()), exp.Count(this=exp.Star())
        )
        if low is None:
            return not rows
        if not fits_bits(low, high, rows):
            return False
        (found,) = self._ask(dataset, bits_set(node, low, high))
        return bool(found == rows)

    def _ask(self, dataset: str, *values: exp.Expr) -> Sequence[Any]:
        """Of all rows of the source, those that no KPI sees included."""
        source = exp.alias_(self.rows.sources[dataset].copy(), "t", table=True)
        return self.session.rows(exp.Select(expressions=list(values)).from_(source, copy=False))[0]

    def _repeated(self, dataset: str, keys: Sequence[str]) -> list[tuple[object, ...]]:
        """A few keys that visible rows share, or that are empty, with how many rows have them."""
        tables = self.rows.build({(dataset, ""), *((dataset, k) for k in keys)})
        columns = [column(k, dataset) for k in keys]
        joined = Joined(self.rows, dataset, tables.final[dataset], tables.final)
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
        return self.session.rows(tables.attach(select.limit(4, copy=False)))

    def _problem(self, dataset: str, keys: Sequence[str], found: Sequence[tuple[object, ...]]) -> Problem:
        declared = self.declaration.datasets[dataset]
        place = declared.key[0].place.position() if declared.key else declared.place.position()
        if any(None in row[:-1] for row in found):
            return Problem(
                "empty-key",
                f"the key ({', '.join(keys)}) is empty in some rows",
                place,
                f"datasets.{dataset}",
                "choose a key that every row has, or leave those rows out with 'where:'",
            )
        shown = "; ".join(f"{' / '.join(str(v) for v in row[:-1])} ({row[-1]} times)" for row in found[:3])
        return Problem(
            "repeated-key",
            f"the key ({', '.join(keys)}) is not unique: {shown}",
            place,
            f"datasets.{dataset}",
            "every link to it would count rows twice; correct the data, or name the columns that make a row unique",
        )


def fits_bits(low: int, high: int, rows: int) -> bool:
    """Whether a bit for each key between two is worth its memory for so many rows."""
    return -(1 << 62) < low <= high < 1 << 62 and high - low < min(_MOST_BITS, _BITS_A_ROW * rows + 8192)


def bits_set(key: exp.Expr, low: int, high: int) -> exp.Expr:
    """How many different keys there are, all of them whole numbers from ``low`` to ``high``."""
    ends = [number(str(low)), number(str(high))]
    bits = exp.Anonymous(this="bitstring_agg", expressions=[key.copy(), *ends])
    return exp.Anonymous(this="bit_count", expressions=[bits])
