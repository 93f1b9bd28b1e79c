"""Which table a name means: exactly that one, or the only one that differs in capitals alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from cadran.plugins import ConfigError, listed, suggest

_PART = re.compile(r'\s*(?:"((?:[^"]|"")+)"|([^".]+?))\s*(\.|$)')


def parts_of(name: str) -> tuple[str, ...]:
    """``sales.orders`` → its parts; one that holds a dot is put in double quotes, as in SQL. Empty if it is no such name."""
    parts, at = [], 0
    while at < len(name):
        found = _PART.match(name, at)
        if found is None:
            return ()
        parts.append(found[1].replace('""', '"') if found[1] else found[2])
        at = found.end()
    return () if name.endswith(".") else tuple(parts)


def match(name: str, names: Iterable[str], what: str) -> str | None:
    """The one of ``names`` that is meant, or None. Raises ConfigError where it could be several."""
    folded = name.casefold()
    found = []
    for candidate in names:
        if candidate == name:
            return candidate
        if candidate.casefold() == folded:
            found.append(candidate)
    if len(found) > 1:
        several = " or ".join(f"'{n}'" for n in sorted(found))
        raise ConfigError(
            f"{what} '{name}' could be {several}", hint="write the one that is meant exactly so"
        )
    return found[0] if found else None


def same_but_for_capitals(names: Sequence[str]) -> tuple[str, str] | None:
    """Two columns that cannot be told apart, since columns match without regard to case."""
    seen: dict[str, str] = {}
    for name in names:
        if (first := seen.setdefault(name.casefold(), name)) is not name or names.count(name) > 1:
            return first, name
    return None


_OF_THE_SERVER = ("pg_", "information_schema", "performance_schema", "mysql", "sys")


def no_schema(schema: str, there: Iterable[str], setting: Sequence[str]) -> ConfigError:
    """That there is none of this name, and which there are; the server's own are left out."""
    names = sorted(name for name in there if not name.casefold().startswith(_OF_THE_SERVER))
    parts = [suggest(schema, names), f"there are: {listed(names)}" if names else ""]
    hint = " ".join(filter(None, parts))
    return ConfigError(f"there is no schema '{schema}'", hint=hint, setting=setting)
