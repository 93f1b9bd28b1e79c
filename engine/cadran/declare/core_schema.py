"""YAML 1.2's core schema: what a plain scalar is. ``NO``, ``on``, ``12:30`` and ``2026-03-01`` are text."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

_MOST_DIGITS = 60  # a longer number is an identifier, so it stays text

TEXT = "text"
NULL = "null"
TRUE = "true"
FALSE = "false"
INT = "int"
BASED = "based"
FLOAT = "float"
LIST = "list"
MAP = "map"
OURS = frozenset({TEXT, NULL, TRUE, FALSE, INT, BASED, FLOAT, LIST, MAP})
VALUES: dict[str, Any] = {NULL: None, TRUE: True, FALSE: False}
_WORDS = dict.fromkeys(("", "~", "null", "Null", "NULL"), NULL)
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), TRUE) | dict.fromkeys(("false", "False", "FALSE"), FALSE)
SPECIAL = "-+.0123456789~nNtTfF"  # what anything but text begins with
_INT_PATTERN = re.compile(r"[-+]?[0-9]+")
_BASED_PATTERN = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT_PATTERN = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,2})?")


def scalar_kind(value: str) -> str:
    """What a plain scalar is by the core rules."""
    word = _WORDS.get(value)
    if word is not None:
        return word
    if len(value) > _MOST_DIGITS:
        return TEXT
    if _INT_PATTERN.fullmatch(value):
        return INT
    if _FLOAT_PATTERN.fullmatch(value):
        return FLOAT
    return BASED if _BASED_PATTERN.fullmatch(value) else TEXT


def number(tag: str, text: str) -> int | Decimal:
    """The exact value of a scalar of the kinds INT, BASED and FLOAT."""
    if tag is FLOAT:
        return Decimal(text)
    return int(text, 0) if tag is BASED else int(text)
