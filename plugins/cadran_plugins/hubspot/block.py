"""Records of one answer, column by column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cadran.plugins import Transient
from cadran.plugins.http import Listed, Listing

#: Ids of other objects' records that a record is linked to, each with whether it is the primary one.
Links = Sequence[tuple[str, bool]]
History = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is read of each record: values, values with all that they were before, and ids of ``linked`` objects."""

    properties: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()

    @property
    def at_once(self) -> int:
        return 50 if self.history else 100


@dataclass(frozen=True, slots=True)
class Record:
    """One of them."""

    id: str
    values: Mapping[str, str | None]
    history: History
    links: Mapping[str, Links]


@dataclass(slots=True)
class Block:
    """``values`` are those of each property, ``links`` those to each other object."""

    ids: Sequence[str]
    values: Mapping[str, Sequence[str | None]]
    history: Sequence[History]
    archived_at: Sequence[str]
    links: dict[str, Sequence[Links]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Record]:
        for place, id_ in enumerate(self.ids):
            values = {name: column[place] for name, column in self.values.items()}
            links = {other: column[place] for other, column in self.links.items()}
            yield Record(id_, values, self.history[place], links)

    def at(self, places: Sequence[int]) -> Block:
        """The records at these places."""

        def some(column: Sequence[Any]) -> list[Any]:
            return [column[place] for place in places]

        values = {name: some(column) for name, column in self.values.items()}
        links: dict[str, Sequence[Links]] = {other: some(column) for other, column in self.links.items()}
        return Block(some(self.ids), values, some(self.history), some(self.archived_at), links)


def together(blocks: Sequence[Block], asked: Asked) -> Block:
    """All of them as one, without their links."""

    def all_of(columns: Iterable[Sequence[Any]]) -> list[Any]:
        return [value for column in columns for value in column]

    values = {name: all_of(block.values[name] for block in blocks) for name in asked.properties}
    ids, history, archived = (all_of(getattr(block, name) for block in blocks) for name in ("ids", "history", "archived_at"))  # fmt: skip
    return Block(ids, values, history, archived)


_OWN = ("id", "archived", "archivedAt", "propertiesWithHistory")


def listing(asked: Asked) -> Listing:
    """How HubSpot's answers list what is asked for. Behind a record's own, its values come, and then its links."""
    properties = (("properties", name) for name in asked.properties)
    linked = (("associations", other) for other in asked.linked)
    return Listing((*_OWN, *properties, *linked), at="results", beside=("paging",))


def block(asked: Asked, found: Listed) -> tuple[Block, Mapping[str, Sequence[Any]]]:
    """The records without their links, and what stands there of these."""
    ids, archived, archived_at, history, *columns = found.columns
    if None in ids:
        raise Transient("HubSpot's answer holds a record without an id")
    ids = ids if set(map(type, ids)) <= {str} else list(map(str, ids))
    values, links = columns[: len(asked.properties)], columns[len(asked.properties) :]
    archived_at = [str(at or "") if gone else "" for gone, at in zip(archived, archived_at, strict=True)]
    made = Block(
        ids, dict(zip(asked.properties, values, strict=True)), [each or {} for each in history], archived_at
    )
    return made, dict(zip(asked.linked, links, strict=True))
