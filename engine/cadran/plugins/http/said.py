"""What a server says in its own words, on one line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_SHOWN = 300
_LOOKED_AT = 1 << 20
_WORDS = ("message", "error_description", "detail", "description", "title", "error", "errors", "Message")
_MARKUP = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)


Mask = Callable[[str], str]


def said(content: bytes, masked: Mask = str) -> str:
    """The message of an answer that tells of an error; of a web page its words. ``masked`` takes secrets out."""
    try:
        found = _message(json.loads(content[:_LOOKED_AT]))
    except (ValueError, RecursionError):
        found = ""
    return one_line(masked(found)) if found else beginning(content, masked)


def beginning(content: bytes, masked: Mask = str) -> str:
    """The first words of an answer; nothing of one that is no text. Cut only once it is masked: half a secret is none that is known."""
    text = masked(content[:_LOOKED_AT].decode("utf-8", "replace"))
    if "\0" in text or text.count("\ufffd") > 1 + len(text) // 20:
        return ""
    if re.match(r"\s*<(!doctype|html|\?xml|head|body)", text, re.IGNORECASE):
        return one_line(f"a web page: {_MARKUP.sub(' ', text)}")
    return one_line(text)


def one_line(text: str) -> str:
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _message(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return next(filter(None, map(_message, value)), "")
    if isinstance(value, Mapping):
        return next((found for word in _WORDS if (found := _message(value.get(word)))), "")
    return ""
