"""Secrets that somebody wrote into the file itself instead of naming a setting: they are kept out of messages too."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from cadran.declare.document import Document, Keys
from cadran.starred import in_url, is_secret

_SECTIONS = ("sources", "channels")
_COLUMNS = "types"  # its keys are names of columns


def written(document: Document) -> set[str]:
    """What stands under keys such as ``password`` in sources and channels, and in URLs anywhere."""
    data, found = document.data, set[str]()
    if any("://" in line for line in document.lines):
        found.update(secret for text in _texts(data) for secret in in_url(text))
    for section in _SECTIONS if isinstance(data, dict) else ():
        found.update(_under_keys(document, data.get(section), (section,)))
    return {secret for secret in found if secret.strip()}


def at_secret(path: Keys) -> bool:
    """Whether a value at this place is a secret by the name of its key."""
    keys = [part for part in path if isinstance(part, str)]
    return len(keys) > 2 and keys[0] in _SECTIONS and keys[-2] != _COLUMNS and is_secret(keys[-1])


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _under_keys(document: Document, value: Any, path: Keys) -> Iterator[str]:
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _under_keys(document, inner, (*path, key))
    elif at_secret(path):
        if isinstance(value, str):
            yield value
        elif isinstance(value, int | Decimal) and not isinstance(value, bool):
            yield from (str(value), document.written(path))
