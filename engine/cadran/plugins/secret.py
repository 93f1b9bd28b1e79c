"""Which of a source's settings are secrets, and texts without them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from html import escape
from typing import Any
from urllib.parse import quote, quote_plus

_PERCENT = re.compile("%[0-9A-F]{2}")
_WITHIN = ("anyOf", "oneOf", "allOf")


def marked(schema: Mapping[str, Any], value: Any) -> Iterator[str]:
    """The values that a JSON Schema marks ``writeOnly``, as texts; those of a mapping or a list one by one."""
    if schema.get("writeOnly"):
        yield from _texts(value)
    for inner in (each for word in _WITHIN for each in schema.get(word, ())):
        yield from marked(inner, value)
    if isinstance(value, Mapping):
        known, other = schema.get("properties", {}), schema.get("additionalProperties")
        for key, each in value.items():
            below = known.get(key, other)
            if isinstance(below, Mapping):
                yield from marked(below, each)
    elif isinstance(value, list) and isinstance(items := schema.get("items"), Mapping):
        for each in value:
            yield from marked(items, each)


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text with three stars for each secret in it, also as it stands in a URL, in JSON or in a web page."""
    forms = {form for secret in secrets if secret.strip() for form in _forms(secret) if form in text}
    for form in sorted(forms, key=lambda form: (-len(form), form)):
        text = text.replace(form, "***")
    return text


@lru_cache(maxsize=64)  # each line of a log is looked through for the same few
def _forms(secret: str) -> frozenset[str]:
    quoted = (quote(secret, safe=""), quote_plus(secret))
    small = (_PERCENT.sub(lambda found: found[0].lower(), each) for each in quoted)
    plain = (secret, secret.strip(), json.dumps(secret)[1:-1], repr(secret)[1:-1], escape(secret))
    return frozenset((*plain, *quoted, *small))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
