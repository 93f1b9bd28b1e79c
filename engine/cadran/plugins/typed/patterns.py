"""What ``date_format`` and ``timestamp_format`` may say: strptime's directives, as far as a shape tells them.

DuckDB's strptime takes more than is written (blanks around, years of two digits for ``%Y``), so a value must also
have the shape of the pattern.
"""

from __future__ import annotations

import re

from cadran.plugins.connector import ConfigError
from cadran.problems import listed

_DIRECTIVES = {
    **dict.fromkeys("dmHIMS", "[0-9]{1,2}"),
    **dict.fromkeys("bBaA", "[A-Za-z]+"),
    "j": "[0-9]{1,3}",
    "Y": "[0-9]{4}",
    "y": "[0-9]{2}",
    "f": "[0-9]{1,6}",
    "p": "[AaPp][Mm]",
    "z": "[+-][0-9]{2}(:?[0-9]{2})?",
    "%": "%",
}
_TIME = set("HIMSfpz")


def check(pattern: str, key: str) -> None:
    """Raise :class:`ConfigError` for a pattern that cannot be ``key``'s."""
    for directive in _split(pattern)[1::2]:
        if directive not in _DIRECTIVES:
            known = listed([f"%{d}" for d in _DIRECTIVES], most=20)
            raise ConfigError(
                f"'%{directive}' is not known in {key}", hint=f"known are: {known}", setting=(key,)
            )
    if key == "date_format" and _TIME & set(_split(pattern)[1::2]):
        raise ConfigError("date_format holds a time of day", hint="that is timestamp_format", setting=(key,))


def shape(pattern: str) -> str:
    """A regular expression for what is written so.

    >>> shape("%d.%m.%Y")
    '[0-9]{1,2}\\\\.[0-9]{1,2}\\\\.[0-9]{4}'
    """
    parts = _split(pattern)
    return "".join(_DIRECTIVES[part] if i % 2 else re.escape(part) for i, part in enumerate(parts))


def zoned(pattern: str) -> bool:
    return "z" in _split(pattern)[1::2]


def _split(pattern: str) -> list[str]:
    """Text, directive, text, directive, …, text. A dash in a directive only matters for writing."""
    return re.split(r"%-?(.)", pattern)
