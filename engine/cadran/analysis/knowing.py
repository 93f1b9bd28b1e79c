"""What later rows can do to a KPI: take back what is there, or change what a past moment is seen to have held."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from cadran.compute.keeping.behind import Reader
from cadran.formula.measures import Leaf, Measure, Model, ToDate, leaves_in

_GROWING = ("count", "count_distinct", "active", "new", "converted")  # more rows never make them less


def growing(tree: exp.Expr, model: Model) -> list[Leaf] | None:
    """The sums in a formula that can only grow while a period runs, if their rows are not negative; None for others.

    Such a formula is a count or a sum of rows dated in the period, or in the stretch to date, or adds such up; and what
    a row counts for does not depend on later rows, or on the clock.
    """
    if isinstance(tree, exp.Paren):
        return growing(tree.this, model)
    if isinstance(tree, exp.Add):
        left, right = growing(tree.this, model), growing(tree.expression, model)
        return None if left is None or right is None else [*left, *right]
    if not isinstance(tree, exp.Placeholder):
        return None
    (number,) = leaves_in(tree)
    leaf = model.leaves[number]
    if leaf.measure.timing != "flow" or not all(isinstance(t, ToDate) for t in leaf.transforms):
        return None
    if not _stays(leaf.measure, model):
        return None
    if leaf.measure.function == "sum":
        return [leaf]
    return [] if leaf.measure.function in _GROWING else None


def known_then(tree: exp.Expr, model: Model, segment: Sequence[str] = ()) -> bool:
    """Whether a past period's value at an earlier moment is what was known at that moment.

    It is not where what a row counts for comes later: a match within a window, an aggregate of other rows, a window that
    looks ahead, the clock; nor where a segment's value does.
    """
    return all(_known_then(model.leaves[number].measure, model, segment) for number in leaves_in(tree))


def _known_then(measure: Measure, model: Model, segment: Sequence[str]) -> bool:
    reader = Reader(model)
    found = reader.measure(measure)
    for name in segment:
        if (name, measure.dataset) in model.dimensions:
            reader.add(found, model.dimensions[name, measure.dataset])
    windows = (
        (dataset, window)
        for dataset, name in found.columns
        if (derived := model.datasets[dataset].derived.get(name)) is not None
        for window in derived.find_all(exp.Window)
    )
    steady = measure.other is None and not found.clock and not found.lookups
    return steady and all(_looks_back(reader, dataset, window) for dataset, window in windows)


def _looks_back(reader: Reader, dataset: str, window: exp.Window) -> bool:
    """Whether later rows cannot change it; nor can they the first date of all."""
    date, call = reader.model.datasets[dataset].date, window.this
    first = isinstance(call, exp.Min) and date is not None and call.this == date
    return first or reader.looks_back(dataset, window)


def _stays(measure: Measure, model: Model) -> bool:
    """Whether a row that counts goes on counting: it rests on no clock, no aggregate of other rows, and no window."""
    reader = Reader(model)
    for found in (reader.measure(measure), reader.other(measure)):
        if found is not None and (
            found.clock or found.lookups or any(_windowed(model, *c) for c in found.columns)
        ):
            return False
    return True


def _windowed(model: Model, dataset: str, name: str) -> bool:
    derived = model.datasets[dataset].derived.get(name)
    return derived is not None and derived.find(exp.Window) is not None
