"""``show: {top: n}``: which values of a segment are large enough to be shown on their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cadran.compute.cells.computed import Cell
from cadran.compute.planning.plan import Series
from cadran.declare.model import Segment


def top_values(
    series: Series, cells: Sequence[Cell], segments: Mapping[str, Segment]
) -> dict[str, list[str]]:
    """Segment → the values to keep, for those that have more than their ``top``.

    A value is ranked by its base over the output's periods: the denominator of a ratio, or the rows behind the
    value, or the value itself where it is not an average; ties go by name, so that every run keeps the same ones.
    """
    out: dict[str, list[str]] = {}
    for name in dict.fromkeys(n for s in series.sets for n in s):
        top = segments[name].top if name in segments else None
        if top is None:
            continue
        weights = _weights(series, cells, name)
        if len(weights) > top:
            out[name] = sorted(weights, key=lambda v: (-weights[v], v))[:top]
    return out


def _weights(series: Series, cells: Sequence[Cell], name: str) -> dict[str, float]:
    """The segment's values with their weight, from its own set or else from the first cross that holds it."""
    of_set = (name,) if (name,) in series.sets else next(s for s in series.sets if name in s)
    weights: dict[str, float] = {}
    for cell in cells:
        if cell.segment == of_set and cell.position >= series.first:
            value = cell.segment_value[of_set.index(name)]
            weight = cell.base if series.kpi.base is not None or cell.value is None else _size(series, cell)
            weights[value] = weights.get(value, 0.0) + abs(float(weight or 0))
    return weights


def _size(series: Series, cell: Cell) -> Any:
    """A sum or count weighs what it is worth, an average what it rests on."""
    from cadran.formula.measures import leaves_in

    placed = [series.leaves[n].leaf.measure.zero for n in leaves_in(series.kpi.value)]
    return cell.value if all(placed) else cell.base
