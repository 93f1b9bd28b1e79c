"""YAML text to a node graph and plain values, by YAML 1.2's core rules, with every fault in one pass.

PyYAML (its C parser where there is one) composes the nodes; the scalars' rules are ours, because YAML 1.1 reads
``NO`` as false and ``12:30`` as 750. Depth and size after aliases are bounded, so no file can exhaust the machine.
"""

from __future__ import annotations

import re
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.nodes import MappingNode, Node, ScalarNode
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

from cadran.declare import yaml_errors
from cadran.declare.construct import MOST_DEPTH, Builder, Fault
from cadran.declare.core_schema import LIST, MAP, SPECIAL, TEXT, scalar_kind

_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


class _TooDeep(Exception):
    pass


class _Rules:
    """What a scalar is; composing also tells how deep it is, which is bounded here."""

    def __init__(self) -> None:
        self.depth = 0

    def resolve(self, kind: type[Node], value: str, implicit: tuple[bool, bool]) -> str:
        if kind is ScalarNode:
            # '' is "in" any text, so an empty scalar is looked at more closely too
            return scalar_kind(value) if implicit[0] and value[:1] in SPECIAL else TEXT
        return MAP if kind is MappingNode else LIST

    def descend_resolver(self, _parent: object, _index: object) -> None:
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise _TooDeep

    def ascend_resolver(self) -> None:
        self.depth -= 1

    def check_resolver_prefix(self, *_: object) -> bool:
        return False


if yaml.__with_libyaml__:

    class _Loader(yaml.cyaml.CParser, _Rules):  # type: ignore[misc, name-defined]
        def __init__(self, text: str) -> None:
            yaml.cyaml.CParser.__init__(self, text)  # type: ignore[attr-defined]
            _Rules.__init__(self)
else:  # pragma: no cover - depends on how PyYAML was built

    class _Loader(Reader, Scanner, Parser, Composer, _Rules):  # type: ignore[no-redef]
        def __init__(self, text: str) -> None:
            Reader.__init__(self, text)
            Scanner.__init__(self)
            Parser.__init__(self)
            Composer.__init__(self)
            _Rules.__init__(self)


def text_node(text: str) -> Node:
    """The node of a plain scalar that fills a whole text."""
    start = yaml.Mark("", 0, 0, 0, None, 0)
    return ScalarNode(TEXT, text, start, yaml.Mark("", len(text), 0, len(text), None, 0))


def compose(text: str) -> tuple[Node | None, Any, list[Fault]]:
    """The node graph, the values, and all that is wrong; no values at all where it is not YAML."""
    if "\0" in text or not _is_utf8(text):  # the C parser stops at one and chokes on the other
        return None, None, [_strange_character(text) or Fault("not-utf8", "this is not UTF-8 text", 0, 1)]
    try:
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose() if hasattr(loader, "dispose") else None
    except _TooDeep:
        at = yaml_errors.deepest(text)
        return (
            None,
            None,
            [Fault("too-deep", f"this is nested more than {MOST_DEPTH} levels deep", at, at + 1)],
        )
    except yaml.MarkedYAMLError as error:
        return None, None, [_not_yaml(error, text)]
    except yaml.YAMLError as error:
        other = Fault("invalid-yaml", f"this is not valid YAML: {error}", 0, 1)
        return None, None, [_strange_character(text) or other]
    if root is None:
        return None, None, [Fault("empty-file", "the file is empty", 0, 1, "start it with 'version: 1'")]
    builder = Builder(aliases="*" in text and "&" in text)
    data = builder.value(root, 0)
    if builder.exhausted:
        return root, None, builder.faults
    return root, data, builder.faults


def _strange_character(text: str) -> Fault | None:
    found = _UNWRITABLE.search(text)
    if found is None:
        return None
    code = f"U+{ord(found[0]):04X}"
    message = f"the character {code} cannot be shown and is not allowed in a YAML file"
    hint = "delete it, or save the file as UTF-8 text"
    return Fault("strange-character", message, found.start(), found.end(), hint)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _not_yaml(error: yaml.MarkedYAMLError, text: str) -> Fault:
    mark = error.problem_mark or error.context_mark
    at = mark.index if mark is not None else 0
    began = error.context_mark.index if error.context_mark is not None else None
    message, hint = yaml_errors.in_plain_words(error, text, at)
    if began is not None and message.startswith("a quote was opened"):
        at, began = began, None  # where it ends is nowhere
    return Fault("invalid-yaml", message, at, at + 1, hint, began if "{other}" in message else None)
