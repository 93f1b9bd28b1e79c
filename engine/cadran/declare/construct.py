"""A node graph to plain values, with everything in it that this language does not allow."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from yaml.nodes import MappingNode, Node, ScalarNode

from cadran.declare.core_schema import FALSE, NULL, OURS, TEXT, TRUE, VALUES, number

_WHOLE = re.compile(r"[-+]?\d[\d \u00a0\u202f]*")
_FRACTION = re.compile(r"(\d+)\s*(%|€|EUR)?")
MOST_DEPTH = 50
MOST_EXPANDED = 200_000  # nodes that aliases may add


@dataclass(frozen=True, slots=True)
class Fault:
    """A problem at characters ``[start, end)``; ``{other}`` in the message stands for the place of ``other``."""

    code: str
    message: str
    start: int
    end: int
    hint: str = ""
    other: int | None = None


class Builder:
    """Node graph to plain values."""

    def __init__(self, aliases: bool) -> None:
        self.faults: list[Fault] = []
        self.aliases = aliases
        self.open: set[int] = set()  # nodes being built: one that turns up inside itself is a circle
        self.done: set[int] = set()
        self.expanded = 0
        self.exhausted = False

    def value(self, node: Node, depth: int) -> Any:
        tag = node.tag
        if tag is TEXT:
            return node.value
        if tag not in OURS:
            self.fault(
                "yaml-tag",
                f"the tag '{_short(tag)}' is not used in cadran's files",
                node,
                "remove it; text goes in quotes",
            )
            return node.value if isinstance(node, ScalarNode) else None
        if isinstance(node, ScalarNode):
            return VALUES[tag] if tag in VALUES else number(tag, node.value)
        if self.aliases and not self.may_enter(node, depth):
            return None
        if isinstance(node, MappingNode):
            value: Any = self.mapping(node, depth + 1)
        else:
            value = [self.value(item, depth + 1) for item in node.value]
        if self.aliases:
            self.open.discard(id(node))
        return value

    def mapping(self, node: MappingNode, depth: int) -> dict[str, Any]:
        out: dict[str, Any] = {}
        before: Node | None = None
        last = ""
        for key, value in node.value:
            if value.value == "" and before is not None and (meant := self.split_number(before, key)):
                out[last] = meant
                continue
            before = value
            if (key.tag is not TEXT or key.value == "<<") and not self.usable(key):
                continue
            name = key.value
            if name in out:
                first = next(k for k, _ in node.value if k.value == name)
                message = f"'{name}' is written twice; it already stands {{other}}"
                self.fault("duplicate-key", message, key, "keep one of the two", first.start_mark.index)
                continue
            last = name
            out[name] = value.value if value.tag is TEXT else self.value(value, depth)
        return out

    def split_number(self, before: Node, key: Node) -> str:
        """``{2026-01: 1330,50}``, which YAML reads as 1330 and a key 50 without a value: the number that is meant."""
        whole, rest = _WHOLE.fullmatch(str(before.value)), _FRACTION.fullmatch(str(key.value))
        plain = not getattr(before, "style", None) and not getattr(key, "style", None)
        if not (whole and rest and plain and key.start_mark.index == before.end_mark.index + 1):
            return ""
        meant = f"{''.join(whole[0].split())}.{rest[1]}{rest[2] if rest[2] == '%' else ''}"
        hint = f"write {meant}"
        message = f"{whole[0]},{key.value}: decimals are written with a point"
        self.faults.append(Fault("decimal-comma", message, before.start_mark.index, key.end_mark.index, hint))
        return meant

    def usable(self, key: Node) -> bool:
        if key.value == "<<" and getattr(key, "style", None) in (None, ""):
            hint = "write the shared keys out in each place"
            self.fault("merge-key", "merging with '<<' is not part of this language", key, hint)
        elif blank := _blank(key):
            # It begins with the brace before the key, where the mapping is that it seems to be.
            start, end = key.start_mark.index - 1, key.end_mark.index
            hint = f'put it in quotes: "{blank}"'
            self.faults.append(Fault("key-not-text", f"{blank} is read as a mapping here", start, end, hint))
        elif not isinstance(key, ScalarNode):
            self.fault(
                "key-not-text",
                "a list or a mapping stands where a key is expected",
                key,
                "write 'key: value'",
            )
        elif key.tag in OURS and key.tag is not TEXT:
            kind = {NULL: "nothing", TRUE: "a yes/no value", FALSE: "a yes/no value"}.get(key.tag, "a number")
            shown = key.value or "(nothing)"
            self.fault(
                "key-not-text", f"the key {shown} is read as {kind}", key, f'put it in quotes: "{key.value}"'
            )
        elif key.tag is not TEXT and key.tag not in OURS:
            self.fault(
                "yaml-tag", f"the tag '{_short(key.tag)}' is not used in cadran's files", key, "remove it"
            )
        else:
            return True
        return False

    def may_enter(self, node: Node, depth: int) -> bool:
        """Aliases bring the same node up again: count what they add, and see circles."""
        if id(node) in self.open:
            self.fault("alias-circle", "this contains itself through an alias ('*')", node)
            return False
        if id(node) in self.done:
            self.expanded += 1 + len(node.value)
        self.done.add(id(node))
        if self.expanded > MOST_EXPANDED or depth > MOST_DEPTH:
            if not self.exhausted:
                self.exhausted = True
                message = "the aliases ('*') of this file repeat too much"
                self.fault("too-many-aliases", message, node, "write it out without aliases")
            return False
        self.open.add(id(node))
        return True

    def fault(self, code: str, message: str, node: Node, hint: str = "", other: int | None = None) -> None:
        start, end = node.start_mark.index, node.end_mark.index
        fault = Fault(code, message, start, max(end, start + 1), hint, other)
        if fault not in self.faults:
            self.faults.append(fault)


def _short(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")


def _blank(key: Node) -> str:
    """``{{ owner }}`` without quotes is a mapping whose only key is a mapping whose only key is ``owner``."""
    if not isinstance(key, MappingNode) or len(key.value) != 1:
        return ""
    name, value = key.value[0]
    plain = isinstance(name, ScalarNode) and isinstance(value, ScalarNode) and not value.value
    return f"{{{{ {name.value} }}}}" if plain else ""
