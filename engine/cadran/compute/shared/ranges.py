"""The smallest and largest value of columns of whole numbers, by which it is told whether a bit or a count for each pays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlglot import exp

from cadran.compute.lower import cast, column, number, text
from cadran.compute.placing.places import Places
from cadran.compute.scanning.rows import RowsBuilder
from cadran.compute.shared.parts import INTEGERS
from cadran.compute.shared.statements import call
from cadran.formula.measures import ref_of


@dataclass(frozen=True, slots=True)
class Range:
    """The smallest and the largest value."""

    low: int
    high: int

    @property
    def width(self) -> int:
        return self.high - self.low + 1

    def bits(self, key: exp.Expr) -> exp.Expr:
        return call("bitstring_agg", key, number(str(self.low)), number(str(self.high)))

    def holds(self, key: exp.Expr) -> exp.Expr:
        return exp.Between(this=key, low=number(str(self.low)), high=number(str(self.high)))

    @property
    def nobody(self) -> exp.Expr:
        return cast(call("repeat", text("0"), number(self.width)), "BIT")


def ranges(
    rows: RowsBuilder, session: Places, dataset: str, nodes: Iterable[exp.Expr]
) -> dict[exp.Expr, Range]:
    """Of those expressions that are columns of whole numbers as the source has them, and hold any."""
    whole = [node for node in nodes if isinstance(node, exp.Column) and _is_whole(rows, dataset, node)]
    found: dict[exp.Expr, Range] = {}
    asked = []
    for node in whole:
        stated = _stated(rows, session, dataset, node)
        if stated is None:
            asked.append(node)
        else:
            found[node] = stated
    return found | _asked(rows, session, dataset, asked)


def _is_whole(rows: RowsBuilder, dataset: str, node: exp.Column) -> bool:
    path, name = ref_of(node)
    if path or name in rows.model.datasets[dataset].derived:
        return False
    return rows.kind(dataset, node) in INTEGERS


def _stated(rows: RowsBuilder, session: Places, dataset: str, node: exp.Column) -> Range | None:
    """By what files state, where the dataset is one table of them."""
    source = rows.sources[dataset]
    if not isinstance(source, exp.Table):
        return None
    found = session.extents(source.db, source.name, ref_of(node)[1])
    ends = [(e.first, e.last) for e in (found or {}).values() if e.filled]
    return Range(min(first for first, _ in ends), max(last for _, last in ends)) if ends else None


def _asked(
    rows: RowsBuilder, session: Places, dataset: str, nodes: list[exp.Column]
) -> dict[exp.Expr, Range]:
    if not nodes:
        return {}
    names = [ref_of(node)[1] for node in nodes]
    bounds = [which(this=column(name, "t")) for name in names for which in (exp.Min, exp.Max)]
    source = exp.alias_(rows.sources[dataset].copy(), "t", table=True)
    found = session.rows(exp.Select(expressions=bounds).from_(source, copy=False))[0]
    ends = zip(nodes, found[::2], found[1::2], strict=True)
    return {node: Range(int(low), int(high)) for node, low, high in ends if low is not None}
