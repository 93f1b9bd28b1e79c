"""Where something stands in an answer: ``data.items``, ``@odata.nextLink``, ``owner.name``."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

MISSING: Any = object()


def find(value: Any, path: str) -> Any:
    """What stands at a path of keys, or :data:`MISSING`. A key may hold dots itself; numbers count in lists from 0.

    >>> find({"data": {"items": [1]}, "@odata.nextLink": "x"}, "data.items.0")
    1
    >>> find({"data": {"items": [1]}, "@odata.nextLink": "x"}, "@odata.nextLink")
    'x'
    """
    if not path:
        return value
    if isinstance(value, dict):
        if path in value:
            return value[path]
        for key, rest in _splits(path):
            if key in value:
                return find(value[key], rest)
        return MISSING
    if isinstance(value, list):
        index, _, rest = path.partition(".")
        if index.isdecimal() and int(index) < len(value):
            return find(value[int(index)], rest)
    return MISSING


def _splits(path: str) -> Iterator[tuple[str, str]]:
    """The longest key first."""
    at = path.rfind(".")
    while at > 0:
        yield path[:at], path[at + 1 :]
        at = path.rfind(".", 0, at)


def put(value: MutableMapping[str, Any], path: str, what: Any) -> None:
    """Sets what stands at a path, making mappings on the way; the mappings that are there are changed."""
    key, _, rest = path.partition(".")
    if not rest:
        value[key] = what
        return
    inner = value.get(key)
    if not isinstance(inner, dict):
        inner = value[key] = {}
    put(inner, rest, what)


def shown(value: Any) -> str:
    """What an answer holds, for whoever looks for the right path: its keys, and of which kind each value is."""
    if isinstance(value, dict):
        keys = [f"{key} ({kind(inner)})" for key, inner in list(value.items())[:12]]
        more = ", …" if len(value) > 12 else ""
        return f"a mapping with {', '.join(keys)}{more}" if keys else "an empty mapping"
    return kind(value)


def kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return "a text" if isinstance(value, str) else "a number"
