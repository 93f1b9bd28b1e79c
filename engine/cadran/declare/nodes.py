"""YAML text to a node graph and plain values, by YAML 1.2's core rules, with every fault in one pass.

PyYAML (its C parser where there is one) composes the nodes; the scalars' rules are ours, because YAML 1.1 reads
``NO`` as false and ``12:30`` as 750. Depth and size after aliases are bounded, so no file can exhaust the machine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.nodes import MappingNode, Node, ScalarNode
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

from cadran.declare import yaml_errors
from cadran.problems import Position, Problem, ProblemsFound

MOST_DEPTH = 50
MOST_EXPANDED = 200_000  # nodes that aliases may add
_MOST_DIGITS = 60  # a longer number is an identifier, so it stays text

_TEXT = "text"
_NULL = "null"
_TRUE = "true"
_FALSE = "false"
_INT = "int"
_BASED = "based"
_FLOAT = "float"
_LIST = "list"
_MAP = "map"
_OURS = frozenset({_TEXT, _NULL, _TRUE, _FALSE, _INT, _BASED, _FLOAT, _LIST, _MAP})
_VALUES: dict[str, Any] = {_NULL: None, _TRUE: True, _FALSE: False}
_WORDS = dict.fromkeys(("", "~", "null", "Null", "NULL"), _NULL)
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), _TRUE) | dict.fromkeys(("false", "False", "FALSE"), _FALSE)
_SPECIAL = "-+.0123456789~nNtTfF"  # what anything but text begins with
_INT_PATTERN = re.compile(r"[-+]?[0-9]+")
_BASED_PATTERN = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT_PATTERN = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,2})?")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Fault:
    """A problem at characters ``[start, end)``; ``{other}`` in the message stands for the place of ``other``."""

    code: str
    message: str
    start: int
    end: int
    hint: str = ""
    other: int | None = None


class _TooDeep(Exception):
    pass


class _Rules:
    """What a scalar is; composing also tells how deep it is, which is bounded here."""

    def __init__(self) -> None:
        self.depth = 0

    def resolve(self, kind: type[Node], value: str, implicit: tuple[bool, bool]) -> str:
        if kind is ScalarNode:
            # '' is "in" any text, so an empty scalar is looked at more closely too
            return scalar_kind(value) if implicit[0] and value[:1] in _SPECIAL else _TEXT
        return _MAP if kind is MappingNode else _LIST

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


def scalar_kind(value: str) -> str:
    """What a plain scalar is by the core rules."""
    word = _WORDS.get(value)
    if word is not None:
        return word
    if len(value) > _MOST_DIGITS:
        return _TEXT
    if _INT_PATTERN.fullmatch(value):
        return _INT
    if _FLOAT_PATTERN.fullmatch(value):
        return _FLOAT
    return _BASED if _BASED_PATTERN.fullmatch(value) else _TEXT


def text_node(text: str) -> Node:
    """The node of a plain scalar that fills a whole text."""
    start = yaml.Mark("", 0, 0, 0, None, 0)
    return ScalarNode(_TEXT, text, start, yaml.Mark("", len(text), 0, len(text), None, 0))


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
    builder = _Builder(aliases="*" in text and "&" in text)
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


class _Builder:
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
        if tag is _TEXT:
            return node.value
        if tag not in _OURS:
            self.fault(
                "yaml-tag",
                f"the tag '{_short(tag)}' is not used in cadran's files",
                node,
                "remove it; text goes in quotes",
            )
            return node.value if isinstance(node, ScalarNode) else None
        if isinstance(node, ScalarNode):
            return _VALUES[tag] if tag in _VALUES else _number(tag, node.value)
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
        for key, value in node.value:
            if (key.tag is not _TEXT or key.value == "<<") and not self.usable(key):
                continue
            name = key.value
            if name in out:
                first = next(k for k, _ in node.value if k.value == name)
                message = f"'{name}' is written twice; it already stands {{other}}"
                self.fault("duplicate-key", message, key, "keep one of the two", first.start_mark.index)
                continue
            out[name] = value.value if value.tag is _TEXT else self.value(value, depth)
        return out

    def usable(self, key: Node) -> bool:
        if key.value == "<<" and getattr(key, "style", None) in (None, ""):
            hint = "write the shared keys out in each place"
            self.fault("merge-key", "merging with '<<' is not part of this language", key, hint)
        elif not isinstance(key, ScalarNode):
            self.fault(
                "key-not-text",
                "a list or a mapping stands where a key is expected",
                key,
                "write 'key: value'",
            )
        elif key.tag in _OURS and key.tag is not _TEXT:
            kind = {_NULL: "nothing", _TRUE: "a yes/no value", _FALSE: "a yes/no value"}.get(
                key.tag, "a number"
            )
            shown = key.value or "(nothing)"
            self.fault(
                "key-not-text", f"the key {shown} is read as {kind}", key, f'put it in quotes: "{key.value}"'
            )
        elif key.tag is not _TEXT and key.tag not in _OURS:
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


def _number(tag: str, text: str) -> int | Decimal:
    if tag is _FLOAT:
        return Decimal(text)
    return int(text, 0) if tag is _BASED else int(text)


def _short(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")


# --- text and lines ------------------------------------------------------------------------------------------------


def split_lines(text: str) -> list[str]:
    if "\r" not in text:
        return text.split("\n")
    return _LINE_BREAK.split(text)


def line_starts(text: str) -> list[int]:
    return [0] + [found.end() for found in _LINE_BREAK.finditer(text)]


def read_text(path: Path, shown_as: str) -> str:
    """The text of a UTF-8 file. Raises :class:`ProblemsFound`."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ProblemsFound([_unreadable(error, shown_as)]) from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        message = "the file is not UTF-8 text"
        where = Position(shown_as, line, column)
        raise ProblemsFound(
            [Problem("not-utf8", message, where, hint="save it with the encoding UTF-8")]
        ) from None


def _unreadable(error: OSError, shown_as: str) -> Problem:
    where = Position(shown_as, 1, 1)
    if isinstance(error, FileNotFoundError):
        return Problem(
            "file-not-found", "this file does not exist", where, hint="check the name and the folder"
        )
    if isinstance(error, IsADirectoryError):
        return Problem(
            "file-not-found", "this is a folder, not a file", where, hint="name the YAML file in it"
        )
    return Problem("file-unreadable", f"this file cannot be read ({error.strerror})", where)
