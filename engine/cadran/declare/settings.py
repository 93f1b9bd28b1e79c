"""``${NAME}``, ``${NAME:-default}`` and ``${scheme:reference}`` in values, replaced after the YAML was parsed, and kept out of all output."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

from cadran.declare.document import Document, Place
from cadran.declare.findings import Findings
from cadran.plugins.secrets import SecretError
from cadran.problems import Problem
from cadran.starred import in_url, is_secret

if TYPE_CHECKING:
    from cadran.declare.resolvers import Resolvers

_SETTING = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(:-(.*))?", re.DOTALL)
_ELSEWHERE = re.compile(r"([a-z][a-z0-9_-]*):(?!-)(.+)", re.DOTALL)
_SHORTEST = 3  # a shorter secret cannot be masked without garbling everything
_DISTINCT = 8  # from this length on it is masked wherever it stands, below only as a word of its own
_SLIP = 0.7  # of the letters of a word that was mistyped are right
MASK = "***"


@dataclass(slots=True)
class Given:
    """Where values come from: the environment, and what knows secrets that lie elsewhere. ``secrets`` gathers what came of it."""

    environ: Mapping[str, str]
    resolvers: Resolvers
    found: Findings
    secrets: set[str] = field(default_factory=set)


def replace_settings(document: Document, given: Given, base: Path) -> None:
    """Replaces them all in ``document.data``; files of secrets are relative to ``base``."""
    if any("${" in line for line in document.lines):
        document.data = _replaced(document.data, Place(document), given, base)


def _replaced(value: Any, place: Place, given: Given, base: Path) -> Any:
    if isinstance(value, dict):
        return {k: _replaced(v, place.child(k), given, base) for k, v in value.items()}
    if isinstance(value, list):
        return [_replaced(v, place.child(i), given, base) for i, v in enumerate(value)]
    if not isinstance(value, str) or "${" not in value:
        return value
    before = len(given.found.problems)
    text = _expand(value, place, given, base)
    if len(given.found.problems) > before:
        place.document.unresolved.add(place.path)
    place.document.substituted.add(place.path)
    return text


def _expand(value: str, place: Place, given: Given, base: Path) -> str:
    out, at = [], 0
    for setting in _SETTING.finditer(value):
        out.append(value[at : setting.start()])
        at = setting.end()
        out.append("${" if setting[0] == "$${" else _look_up(setting, place, given, base))
    return "".join(out) + value[at:]


def _look_up(setting: re.Match[str], place: Place, given: Given, base: Path) -> str:
    elsewhere = _ELSEWHERE.fullmatch(setting[1] or "")
    if elsewhere is not None:
        return _from_elsewhere(elsewhere[1], elsewhere[2], setting.span(), place, given, base)
    written = _NAME.fullmatch(setting[1] or "")
    if written is None:
        message = f"'{_short(setting[0])}' is not a setting"
        hint = "write ${NAME}, ${NAME:-default} or ${file:/run/secrets/name}; for a literal ${ write $${"
        given.found.error("malformed-setting", message, place, hint, setting.span())
        return ""
    name, default = written[1], written[3]
    value = given.environ.get(name)
    if value or (value is not None and default is None):
        given.secrets.add(value)
        return value
    if default is not None:
        return default
    default = "" if is_secret(name) else f", or give a default: ${{{name}:-…}}"
    hint = _mistyped(name, given.environ) or f"set {name} in the environment{default}"
    given.found.error("unset-setting", f"the setting {name} is not set", place, hint, setting.span())
    return ""


def _mistyped(name: str, environ: Iterable[str]) -> str:
    """``did you mean …?`` where a variable differs by a slip in a word. Variables of one program begin alike: those that only do are other ones."""
    words = name.casefold().split("_")
    for other in environ:
        others = other.casefold().split("_")
        alike = len(words) == len(others) and all(get_close_matches(a, [b], 1, _SLIP) for a, b in zip(words, others, strict=True))  # fmt: skip
        if alike or "".join(words) == "".join(others):
            return f"did you mean '{other}'?"
    return ""


def _from_elsewhere(
    scheme: str, reference: str, span: tuple[int, int], place: Place, given: Given, base: Path
) -> str:
    if ":-" in reference:  # what is missing would go unnoticed until somebody else's password is tried
        hint = f"leave the default out: ${{{scheme}:{reference.partition(':-')[0]}}}"
        given.found.error("secret-default", "a secret that lies elsewhere has no default", place, hint, span)
        return ""
    try:
        value = given.resolvers.value(scheme, reference, base)
    except SecretError as error:
        given.found.error("no-secret", error.message, place, error.hint, span)
        return ""
    given.secrets.add(value)
    return value


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


def masked(problems: Iterable[Problem], secrets: Collection[str]) -> list[Problem]:
    """The problems, with no secret in what they say."""
    if not secrets:
        return list(problems)
    return [replace(p, message=mask(p.message, secrets), hint=mask(p.hint, secrets)) for p in problems]


def _forms(secret: str) -> Iterator[str]:
    for part in {secret, secret.strip(), *_inside_url(secret)}:
        yield from (
            part,
            quote(part),
            quote(part, safe=""),
            quote_plus(part),
            json.dumps(part)[1:-1],
            repr(part)[1:-1],
            escape(part),
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
