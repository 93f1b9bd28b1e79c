"""``${NAME}`` and ``${NAME:-default}`` in values, replaced after the YAML was parsed, and kept out of all output."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

from cadran.declare.document import Document, Place
from cadran.declare.findings import Findings
from cadran.problems import suggest
from cadran.starred import in_url, is_secret

_SETTING = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(:-(.*))?", re.DOTALL)
_SHORTEST = 3  # a shorter secret cannot be masked without garbling everything
_DISTINCT = 8  # from this length on it is masked wherever it stands, below only as a word of its own
MASK = "***"


def replace_settings(document: Document, environ: Mapping[str, str], found: Findings) -> set[str]:
    """Replaces them all in ``document.data``; returns the values that came from the environment."""
    secrets: set[str] = set()
    if any("${" in line for line in document.lines):
        document.data = _replaced(document.data, Place(document), environ, found, secrets)
    return secrets


def _replaced(
    value: Any, place: Place, environ: Mapping[str, str], found: Findings, secrets: set[str]
) -> Any:
    if isinstance(value, dict):
        return {k: _replaced(v, place.child(k), environ, found, secrets) for k, v in value.items()}
    if isinstance(value, list):
        return [_replaced(v, place.child(i), environ, found, secrets) for i, v in enumerate(value)]
    if not isinstance(value, str) or "${" not in value:
        return value
    before = len(found.problems)
    text = _expand(value, place, environ, found, secrets)
    if len(found.problems) > before:
        place.document.unresolved.add(place.path)
    place.document.substituted.add(place.path)
    return text


def _expand(value: str, place: Place, environ: Mapping[str, str], found: Findings, secrets: set[str]) -> str:
    out, at = [], 0
    for setting in _SETTING.finditer(value):
        out.append(value[at : setting.start()])
        at = setting.end()
        out.append("${" if setting[0] == "$${" else _look_up(setting, place, environ, found, secrets))
    return "".join(out) + value[at:]


def _look_up(
    setting: re.Match[str], place: Place, environ: Mapping[str, str], found: Findings, secrets: set[str]
) -> str:
    written = _NAME.fullmatch(setting[1] or "")
    if written is None:
        message = f"'{_short(setting[0])}' is not a setting"
        hint = "write ${NAME} or ${NAME:-default}; for a literal ${ write $${"
        found.error("malformed-setting", message, place, hint, setting.span())
        return ""
    name, default = written[1], written[3]
    value = environ.get(name)
    if value or (value is not None and default is None):
        secrets.add(value)
        return value
    if default is not None:
        return default
    hint = suggest(name, environ) or f"set {name} in the environment, or give a default: ${{{name}:-…}}"
    found.error("unset-setting", f"the setting {name} is not set", place, hint, setting.span())
    return ""


def _short(text: str) -> str:
    return text if len(text) <= 30 else text[:29] + "…"


# --- masking -------------------------------------------------------------------------------------------------------


def mask(text: str, secrets: Iterable[str]) -> str:
    """``text`` with every secret, also URL-quoted or inside a URL, replaced by ``***``."""
    forms = {form for secret in secrets for form in _forms(secret) if len(form) >= _SHORTEST}
    for form in sorted(forms, key=lambda f: (-len(f), f)):
        if len(form) >= _DISTINCT:
            text = text.replace(form, MASK)
        elif form in text:
            text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", MASK, text)
    return text


def _forms(secret: str) -> Iterator[str]:
    for part in {secret, secret.strip(), *_inside_url(secret)}:
        yield from (
            part,
            quote(part),
            quote(part, safe=""),
            quote_plus(part),
            json.dumps(part)[1:-1],
            repr(part)[1:-1],
        )
    yield from (line for line in secret.splitlines() if len(line) >= _DISTINCT)


def _inside_url(secret: str) -> Iterator[str]:
    """The password of a URL, the longer values of its query, and a file's path: errors repeat these alone.

    Host, user and database stay: they are words such as "localhost" or "sales", which would blank half of any message.
    """
    if "://" not in secret:
        return
    try:
        parts = urlsplit(secret)
        password, query = parts.password, parse_qsl(parts.query)
    except ValueError:
        return
    if password:
        yield from (password, unquote(password))
    yield from (value for key, value in query if len(value) >= _DISTINCT or is_secret(key))
    yield from in_url(secret)
    if not parts.netloc:
        path = unquote(parts.path).lstrip("/")
        yield from (path, path.rpartition("/")[2])
