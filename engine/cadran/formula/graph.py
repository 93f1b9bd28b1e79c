"""What rests on what: columns on columns, over links, and on which rows exist. Gives an order, or finds the circle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlglot import exp

from cadran.formula.measures import Lookup, ResolvedDataset, ref_of

# (dataset, column); the empty column stands for "which rows of the dataset exist and are visible".
Node = tuple[str, str]


class Circle(Exception):
    """Derived columns that rest on themselves; ``path`` begins and ends with the same node."""

    def __init__(self, path: tuple[Node, ...]) -> None:
        super().__init__(" → ".join(f"{d}.{c}" if c else d for d, c in path))
        self.path = path


class Graph:
    """Direct dependencies and levels. Raw columns are level 0; a derived one is above all that it rests on."""

    def __init__(self, datasets: Mapping[str, ResolvedDataset], lookups: Mapping[str, Lookup]) -> None:
        self.datasets, self.lookups = datasets, lookups
        self._levels: dict[Node, int] = {}

    def existence(self, dataset: str) -> list[exp.Expr]:
        """The expressions that decide which rows exist and are visible."""
        found = self.datasets[dataset]
        parts: list[exp.Expr | None] = [found.where, found.date, *(found.valid or ())]
        return [p for p in parts if p is not None]

    def uses(self, dataset: str, node: exp.Expr) -> Iterator[Node]:
        """The columns that an expression over ``dataset`` rests on directly, those of the links it walks included."""
        for part in node.walk():
            if isinstance(part, exp.Column):
                yield from self._walk(dataset, part)
            elif isinstance(part, exp.Placeholder) and part.this in self.lookups:
                yield from ((dataset, key) for key in self.datasets[dataset].key)
                yield from self._lookup(self.lookups[part.this])
            elif isinstance(part, exp.Window):
                yield (dataset, "")

    def _walk(self, dataset: str, column: exp.Column) -> Iterator[Node]:
        path, name = ref_of(column)
        here = dataset
        for step in path:
            columns, target = self.datasets[here].links.get(step, ((), here))
            for key in columns:
                yield from self._walk(here, key)
            if 0 < len(columns) < len(self.datasets[target].key):  # a history is joined by this row's date
                yield (here, "")
            here = target
            yield (here, "")
            yield from ((here, k) for k in self.datasets[here].key)
        yield (here, name)

    def _lookup(self, lookup: Lookup) -> Iterator[Node]:
        dataset = lookup.measure.dataset
        yield (dataset, "")
        for part in lookup.measure.expressions():
            yield from self.uses(dataset, part)
        for key in self.datasets[dataset].links.get(lookup.link, ((), ""))[0]:
            yield from self._walk(dataset, key)

    def depends(self, node: Node) -> list[Node]:
        dataset, column = node
        found = self.datasets[dataset]
        if not column:
            return [n for part in self.existence(dataset) for n in self.uses(dataset, part)]
        derived = found.derived.get(column)
        return list(self.uses(dataset, derived)) if derived is not None else []

    def level(self, node: Node, trail: tuple[Node, ...] = ()) -> int:
        """Raises :class:`Circle`."""
        if node in self._levels:
            return self._levels[node]
        if node in trail:
            raise Circle((*trail[trail.index(node) :], node))
        dataset, column = node
        below = [self.level(n, (*trail, node)) for n in self.depends(node)]
        if column and column not in self.datasets[dataset].derived:
            level = 0
        elif not column:
            own = all(
                d == dataset and c and c not in self.datasets[dataset].derived for d, c in self.depends(node)
            )
            level = 0 if own else 1 + max(below, default=0)
        else:
            level = 1 + max(below, default=0)
        self._levels[node] = level
        return level
