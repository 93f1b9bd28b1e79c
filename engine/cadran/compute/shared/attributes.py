"""Segments that belong to an entity itself, brought to it after its rows are reduced.

Where the entity is a link's own column (``orders.customer_id``), all that lies behind the link is the same for each of
its rows: joining it to a million entities is cheaper than to ten million rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from cadran.compute.lower import column
from cadran.compute.scanning.rows import RESERVED, Joined, RowsBuilder, Tables
from cadran.compute.scanning.scan import ScanBuilder, dim
from cadran.formula.measures import ref_node, ref_of

KEY = "key"


@dataclass(frozen=True, slots=True)
class Split:
    """Segments by where they belong: ``own`` to each row, ``behind`` the link that the entity is."""

    own: tuple[str, ...]
    behind: tuple[str, ...]


def split(builder: ScanBuilder, dataset: str, entity: exp.Expr, segments: Sequence[str]) -> Split:
    link = _link(builder.rows, dataset, entity)
    behind = [] if link is None else [s for s in segments if _path(builder, dataset, s)[:1] == (link,)]
    return Split(tuple(s for s in segments if s not in behind), tuple(behind))


def _path(builder: ScanBuilder, dataset: str, segment: str) -> tuple[str, ...]:
    return ref_of(builder.dimension(segment, dataset))[0]


def _link(rows: RowsBuilder, dataset: str, entity: exp.Expr) -> str | None:
    """The link whose only column the entity is, if its target is found by that key alone."""
    if not isinstance(entity, exp.Column) or ref_of(entity)[0]:
        return None
    for name, (columns, target) in rows.model.datasets[dataset].links.items():
        if list(columns) == [entity] and len(rows.model.datasets[target].key) == 1:
            return name
    return None


class Attributes:
    """The entities that a link leads to, with the segments behind it."""

    def __init__(
        self, builder: ScanBuilder, dataset: str, entity: exp.Column, segments: Sequence[str]
    ) -> None:
        rows, link = builder.rows, _link(builder.rows, dataset, entity)
        assert link is not None
        self.target = rows.model.datasets[dataset].links[link][1]
        paths = {segment: ref_of(builder.dimension(segment, dataset)) for segment in segments}
        nodes = {segment: ref_node(path[1:], name) for segment, (path, name) in paths.items()}
        (key,) = rows.model.datasets[self.target].key
        self.tables: Tables = rows.build({*rows.needs(self.target, nodes.values()), (self.target, key)})
        alias = f"{self.target}_" if self.target in RESERVED else ""
        self.joined = Joined(rows, self.target, self.tables.final[self.target], self.tables.final, alias)
        self.key = column(key, self.joined.root)
        self.values = {dim(segment): self.joined.column((), node) for segment, node in nodes.items()}

    def select(self, *first: exp.Expr, where: exp.Expr | None = None) -> exp.Select:
        """``first``, then the segments' values as they are."""
        named = [exp.alias_(node.copy(), name, quoted=True) for name, node in self.values.items()]
        select = self.joined.select(*first, *named)
        return select.where(where, copy=False) if where is not None else select

    def by_key(self) -> exp.Select:
        return self.tables.attach(self.select(exp.alias_(self.key.copy(), KEY, quoted=True)))
