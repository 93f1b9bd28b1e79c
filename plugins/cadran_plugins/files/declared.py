"""The types that ``types:`` may say: DuckDB's names in any case, from a short list."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cadran.plugins import ConfigError, listed, suggest

_NAMES = {
    "TEXT": "VARCHAR",
    "VARCHAR": "VARCHAR",
    "STRING": "VARCHAR",
    "INT": "INTEGER",
    "INTEGER": "INTEGER",
    "BIGINT": "BIGINT",
    "DOUBLE": "DOUBLE",
    "BOOL": "BOOLEAN",
    "BOOLEAN": "BOOLEAN",
    "DATE": "DATE",
    "TIMESTAMP": "TIMESTAMP",
    "TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP WITH TIME ZONE",
}
_DECIMAL = re.compile(r"(?:DECIMAL|NUMERIC)\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)")


def canonical(text: str, setting: Sequence[str | int] = ()) -> str:
    """DuckDB's own name of a declared type; raises :class:`ConfigError`.

    >>> canonical("decimal(12, 2)"), canonical("text")
    ('DECIMAL(12,2)', 'VARCHAR')
    """
    name = " ".join(text.upper().split())
    if name in _NAMES:
        return _NAMES[name]
    if found := _DECIMAL.fullmatch(name):
        precision, scale = int(found[1]), int(found[2] or 0)
        if 1 <= precision <= 38 and scale <= precision:
            return f"DECIMAL({precision},{scale})"
        raise ConfigError(
            f"'{text}' does not exist",
            hint="decimals have 1 to 38 digits, the fraction included",
            setting=setting,
        )
    known = [
        "text",
        "integer",
        "bigint",
        "decimal(12,2)",
        "double",
        "boolean",
        "date",
        "timestamp",
        "timestamptz",
    ]
    hint = suggest(text, known) or f"known are: {listed(known, most=20)}"
    raise ConfigError(f"unknown type '{text}'", hint=hint, setting=setting)
