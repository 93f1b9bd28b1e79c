"""Measures with very many filters: cells are told apart by what the filters ask, and each filter chooses among cells.

A thousand conditional sums over a million rows are a thousand million decisions. The conditions are put together of few
parts (``region = 'North'``, ``amount >= 50``): rows that agree in all parts go the same way, so they are added up first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from cadran.compute.scanning.scan import Scan, Segments
from cadran.compute.shared.parts import additive, conditions, conjuncts
from cadran.formula.measures import Measure

_MANY = 24  # different filters, from which on it pays
_MOST_ATOMS = 62  # bits of a number


@dataclass(frozen=True, slots=True)
class Family:
    """Measures over the same segments, the segments' names, and the parts of the filters."""

    measures: Sequence[Measure]
    names: Sequence[str]
    atoms: Sequence[exp.Expr]


def families(scans: Sequence[Scan], kind: Callable[[Measure], str]) -> list[Family]:
    """Those of which there is enough; ``kind`` gives the type of what a measure aggregates."""
    asked: dict[Measure, set[Segments]] = {}
    for scan in scans:
        for measure in scan.measures:
            if _is_filtered(measure) and additive(measure, kind(measure)):
                asked.setdefault(measure, set()).update(scan.sets_of(measure))
    alike: dict[tuple[str, ...], list[Measure]] = {}
    for measure, sets in asked.items():
        alike.setdefault(tuple(sorted({n for segments in sets for n in segments})), []).append(measure)
    found = (_family(measures, names) for names, measures in alike.items())
    return [family for family in found if family is not None]


def _is_filtered(measure: Measure) -> bool:
    found = conditions(measure.condition)
    return found is not None and found[0] is not None and not found[1] and measure.function != "converted"


def _family(measures: Sequence[Measure], names: Sequence[str]) -> Family | None:
    atoms = list(dict.fromkeys(atom for m in measures for atom in conjuncts(m.condition)))
    if len({m.condition for m in measures}) < _MANY or len(atoms) > _MOST_ATOMS:
        return None
    return Family(measures, names, atoms)
