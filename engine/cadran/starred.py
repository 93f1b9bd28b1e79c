"""Passwords and other secrets that somebody wrote into a file: which they are, and lines in which stars stand for them.

What is recognized: the password in a URL, parameters of a URL that hold one, and what stands under a key such as
``password`` or ``api_token`` in the settings of sources and channels.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from urllib.parse import unquote, unquote_plus, urlsplit

_ENDS = (
    "password", "passwd", "pwd", "passphrase", "passcode", "secret", "token", "apikey", "accesskey", "privatekey",
    "secretkey", "accountkey", "authkey", "credential", "credentials", "odbcconnect",
    "pasword", "passwort", "motdepasse", "mdp", "cleapi", "webhook",  # whoever knows a chat's address may write there
)  # fmt: skip
_ALONE = frozenset({"pass", "sas", "sig", "jwt", "auth"})
_USER = re.compile(r"(?<=://)[^\s:/@]*:\S+(?=@)")
_BEHIND_USER = re.compile(r"://[^\s:/@]*:(.+)@", re.DOTALL)
_PARAMETER = re.compile(r"(?:[?&](?P<key>[\w.-]+)=(?P<value>[^&]+)|;(?P<key2>[\w.-]+)=(?P<value2>[^&;]+))")
_PARAMETER_SHOWN = re.compile(
    r"(?:[?&](?P<key>[\w.-]+)=(?P<value>[^&\s]+)|;(?P<key2>[\w.-]+)=(?P<value2>[^&;\s]+))"
)

# Sections in which no key is a secret's: a KPI may be called password_resets.
_HARMLESS = frozenset(
    {
        "version", "include", "calendar", "currency", "locale", "allow_paths", "rates", "cache", "compute", "datasets",
        "segments", "milestones", "notes", "kpis", "reports", "routes", "alerts", "deliveries",
    }
)  # fmt: skip
_TOP = re.compile(r"""["']?(\w+)["']?\s*:(?:\s|$)""")
_KEY = re.compile(r"""(?P<key>"[^"]*"|'[^']*'|[\w.-]+)\s*:(?:\s+|$|(?<=["']:))""")
_QUOTED = re.compile(r""""(?:[^"\\]|\\.)*(?P<end>"|$)|'(?:[^']|'')*(?P<end2>'|$)""")
_SETTING = re.compile(r"""["']?\$\{\w+\}["']?""")
_COLUMNS = re.compile(r"\btypes\s*:\s*\{[^}]*$")  # names of columns, not settings


def is_secret(key: str) -> bool:
    """Whether what stands under a key is one that nobody else may read."""
    folded = re.sub(r"[^a-z0-9]", "", key.casefold())
    return folded in _ALONE or folded.endswith(_ENDS)


def in_url(text: str) -> Iterator[str]:
    """The secrets in a text that holds a URL, as they are written and as they are meant."""
    if "://" not in text:
        return
    found = [user[1] for user in _BEHIND_USER.finditer(text)]
    with suppress(ValueError):
        found.append(urlsplit(text).password or "")
    for parameter in _PARAMETER.finditer(text):
        key, value = _pair(parameter)
        if is_secret(key):
            found.append(value)
    for value in filter(None, found):
        yield from {value, unquote(value), unquote_plus(value)}


def without(text: str) -> str:
    """A text with three stars for the secrets of URLs in it, for a message that shows only its beginning."""
    for secret in sorted(in_url(text), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _pair(found: re.Match[str]) -> tuple[str, str]:
    return found["key"] or found["key2"], found["value"] or found["value2"]


# --- lines of a file -----------------------------------------------------------------------------------------------


def starred(lines: Sequence[str]) -> list[str]:
    """The lines of a file, each character of a secret as a star: problems end up in logs."""
    out: list[str] = []
    inside, above, whole = (
        True,
        -1,
        False,
    )  # whether a secret goes on in the lines that stand further to the right
    for written in lines:
        line = _in_urls(written)
        if top := _TOP.match(line):
            inside = top[1] not in _HARMLESS
        indent = len(line) - len(line.lstrip())
        if line.strip() and 0 <= above < indent and (whole or not _KEY.match(line.lstrip())):
            out.append(line[:indent] + _stars(line[indent:]))
            continue
        if line.strip():
            above = -1
        if inside:
            line, goes_on, whole = _under_keys(line)
            above = indent if goes_on else above
        out.append(line)
    return out


def _stars(text: str) -> str:
    return "*" * len(text)


def _in_urls(line: str) -> str:
    if "://" not in line and "=" not in line:
        return line
    line = _USER.sub(lambda found: _stars(found[0]), line)
    return _PARAMETER_SHOWN.sub(_parameter, line)


def _parameter(found: re.Match[str]) -> str:
    key, value = _pair(found)
    if not is_secret(key):
        return found[0]
    secret = value.rstrip("\"'}],")
    return found[0][: len(found[0]) - len(value)] + _stars(secret) + value[len(secret) :]


def _under_keys(line: str) -> tuple[str, bool, bool]:
    """The line, whether a value in it goes on below, and whether all that stands below belongs to it."""
    at, goes_on, whole = 0, False, False
    while found := _KEY.search(line, at):
        at = found.end()
        if not is_secret(found["key"]) or _COLUMNS.search(line[: found.start()]):
            continue
        end, goes_on, whole = _value(line, found.end(), flow="{" in line[: found.start()])
        if not _SETTING.fullmatch(line[at:end].strip()):
            line = line[:at] + _stars(line[at:end]) + line[end:]
        at = max(at, end)
    return line, goes_on, whole


def _value(line: str, start: int, *, flow: bool) -> tuple[int, bool, bool]:
    """Where a value ends, whether it goes on in the next line, and whether it surely does."""
    rest = line[start:]
    if not rest.strip() or rest[0] == "{":
        return start, not rest.strip(), False
    if rest[0] in "|>":
        return start, True, True
    if quoted := _QUOTED.match(rest):
        closed = bool(quoted["end"] or quoted["end2"])
        return start + quoted.end(), not closed, not closed
    if rest[0] == "[":
        end = rest.find("]")
        return (start + end + 1, False, False) if end >= 0 else (len(line), True, True)
    ends = [i for sign in (",", "}", "]") if (i := rest.find(sign)) >= 0] if flow else []
    comment = re.search(r"\s#", rest)
    ends += [comment.start()] if comment else []
    return start + min(ends, default=len(rest.rstrip())), not flow, False
