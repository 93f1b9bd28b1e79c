"""A YAML file with a position for every key and value.

Scalars are read by YAML 1.2's core rules: ``NO``, ``on``, ``12:30`` and ``2026-03-01`` are text, numbers are exact
(``int`` and ``Decimal``). Duplicate keys, tags and merge keys are problems. Values are plain Python values; where
they stand is worked out from the node graph only when somebody asks, because problems are rare.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from cadran.declare import nodes
from cadran.declare.construct import Fault
from cadran.declare.scalars import source_indexes
from cadran.declare.source_text import line_starts, read_text, split_lines
from cadran.problems import Position, Problem, ProblemsFound

Keys = tuple[str | int, ...]


class Document:
    """One YAML file: ``data`` is what it says, ``lines`` its text, ``shown_as`` its name in messages."""

    __slots__ = (
        "_indexes",
        "_root",
        "_starts",
        "_text",
        "data",
        "lines",
        "shown_as",
        "substituted",
        "unknown",
        "unresolved",
    )

    def __init__(self, text: str, shown_as: str, root: Node | None, data: Any) -> None:
        self.data = data
        self.shown_as = shown_as
        self.lines = split_lines(text)
        self.substituted: set[Keys] = set()  # values that are not what is written: ``${…}`` was replaced
        self.unresolved: set[Keys] = set()  # those whose setting is unknown, so that the value means nothing
        self.unknown: set[Keys] = set()  # keys that nobody knows, and which are left out of the data
        self._text = text
        self._root = root
        self._starts: list[int] = []
        self._indexes: dict[int, dict[str, tuple[Node, Node]]] = {}

    @classmethod
    def parse(cls, text: str, shown_as: str = "kpis.yaml") -> Document:
        """Raises :class:`ProblemsFound`."""
        document, problems = cls.read(text, shown_as)
        if problems:
            raise ProblemsFound(problems)
        return document

    @classmethod
    def load(cls, path: Path, shown_as: str) -> Document:
        """Reads a file. Raises :class:`ProblemsFound`."""
        return cls.parse(read_text(path, shown_as), shown_as)

    @classmethod
    def read(cls, text: str, shown_as: str = "kpis.yaml") -> tuple[Document, list[Problem]]:
        """The document with as much of its data as could be understood, and what is wrong with the rest."""
        text = text.removeprefix("\ufeff")
        root, data, found = nodes.compose(text)
        document = cls(text, shown_as, root, data)
        return document, [document._placed(fault) for fault in found]

    # --- what is written ---------------------------------------------------------------------------------------

    def written(self, path: Keys) -> str:
        """A scalar's text as it was written: ``0.10`` where the value is a number."""
        node, _ = self._find(path)
        return node.value if isinstance(node, ScalarNode) else ""

    def is_flow(self, path: Keys) -> bool:
        """Whether a value is written inside ``{…}`` or ``[…]``."""
        node, _ = self._find(path)
        return bool(getattr(node, "flow_style", False))

    def is_joined(self, path: Keys) -> bool:
        """Whether a text is written on several lines that YAML joins into one: all but those behind ``|``."""
        node, _ = self._find(path)
        if not isinstance(node, ScalarNode) or node.style == "|" or "\n" in node.value.strip():
            return False
        return bool(self._text[node.start_mark.index : node.end_mark.index].strip().count("\n"))

    def _find(self, path: Keys) -> tuple[Node | None, Node | None]:
        """The node at ``path`` and the key it stands under; what lies deeper than the file goes is left out."""
        node, key = self._root, None
        for part in path:
            if isinstance(node, SequenceNode) and isinstance(part, int) and 0 <= part < len(node.value):
                node, key = node.value[part], None
            elif isinstance(node, MappingNode):
                pair = self._index(node).get(str(part))
                if pair is None:
                    return node, key
                key, node = pair
            else:
                return node, key
        return node, key

    def _index(self, node: MappingNode) -> dict[str, tuple[Node, Node]]:
        if id(node) not in self._indexes:
            pairs: list[tuple[Node, Node]] = node.value[::-1]  # of a key written twice, the first counts
            self._indexes[id(node)] = {str(k.value): (k, v) for k, v in pairs if isinstance(k, ScalarNode)}
        return self._indexes[id(node)]

    # --- positions ---------------------------------------------------------------------------------------------

    def position(self, path: Keys, on_key: bool, start: int, end: int | None) -> Position:
        node, key = self._find(path)
        if key is not None and (on_key or _is_empty(node)):
            return self._spot(*_bounds(key))
        if node is None:
            return Position(self.shown_as, 1, 1)
        first, last = _bounds(node)
        if isinstance(node, ScalarNode):
            return self._inside(node, first, last, start, end, path in self.substituted)
        assert isinstance(node, MappingNode | SequenceNode)
        if not node.flow_style and node.value:  # a block collection: its first key or item stands for it
            inner = node.value[0][0] if isinstance(node, MappingNode) else node.value[0]
            return self._spot(first, max(first + 1, _bounds(inner)[1]))
        return self._spot(first, last)

    def _inside(
        self, node: ScalarNode, first: int, last: int, start: int, end: int | None, moved: bool
    ) -> Position:
        if moved or (start == 0 and end is None):
            return self._spot(first, last)
        indexes = source_indexes(self._text[first:last], first, node.value)
        if not indexes:
            return self._spot(first, last)
        begin = indexes[start] if start < len(indexes) else indexes[-1] + 1
        stop = len(indexes) if end is None else max(start + 1, min(end, len(indexes)))
        return self._spot(
            begin, indexes[stop - 1] + 1 if stop > start and start < len(indexes) else begin + 1
        )

    def _spot(self, first: int, last: int) -> Position:
        """The position of ``[first, last)``, cut at the end of its first line."""
        if not self._starts:
            self._starts = line_starts(self._text)
        line = bisect_right(self._starts, first) - 1
        column = first - self._starts[line]
        width = min(last - first, len(self.lines[line].rstrip()) - column)
        return Position(self.shown_as, line + 1, column + 1, max(1, width))

    def _placed(self, fault: Fault) -> Problem:
        message, where = fault.message, self._spot(fault.start, fault.end)
        if fault.other is not None:
            other = self._spot(fault.other, fault.other + 1)
            here = where.line == other.line
            message = message.replace("{other}", "earlier in this line" if here else f"in line {other.line}")
        return Problem(fault.code, message, where, hint=fault.hint)


@dataclass(frozen=True, slots=True)
class Place:
    """A value (or, with ``on_key``, the key it stands under) in a document."""

    document: Document
    path: Keys = ()
    on_key: bool = False

    def child(self, *parts: str | int, on_key: bool = False) -> Place:
        return Place(self.document, self.path + parts, on_key)

    def position(self, start: int = 0, end: int | None = None) -> Position:
        """Where it is written; for text, where its characters ``[start, end)`` are."""
        return self.document.position(self.path, self.on_key, start, end)

    def at_setting(self, setting: Sequence[str | int]) -> Position:
        """Where the part of it that a plugin names is written; where it is itself, if there is no such part."""
        try:
            return self.child(*setting).position()
        except (KeyError, IndexError, TypeError):
            return self.position()


def nowhere(text: str = "") -> Place:
    """The place of a value that was never in a file: ``text`` alone on a line."""
    root = nodes.text_node(text)
    return Place(Document(text, "<text>", root, text))


def _is_empty(node: Node | None) -> bool:
    return isinstance(node, ScalarNode) and not node.value and node.start_mark.index == node.end_mark.index


def _bounds(node: Node) -> tuple[int, int]:
    return node.start_mark.index, node.end_mark.index
