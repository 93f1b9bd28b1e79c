"""What a value is, as far as it decides how an operation is written in another dialect."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from sqlglot import exp


class Unsupported(Exception):
    """A dialect has no way to say this with the same meaning; ``reason`` in words, for ``explain``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Kind(StrEnum):
    INT = "whole numbers"
    DECIMAL = "decimals"
    DOUBLE = "floats"
    TEXT = "text"
    DATE = "dates"
    TIME = "timestamps"
    INSTANT = "timestamps with a zone"
    BOOL = "true or false"
    INTERVAL = "intervals"
    NULL = "nothing"


NUMBERS = (Kind.INT, Kind.DECIMAL, Kind.DOUBLE)
TIMES = (Kind.DATE, Kind.TIME, Kind.INSTANT)

_OF_TYPE = {
    "BOOLEAN": Kind.BOOL, "FLOAT": Kind.DOUBLE, "DOUBLE": Kind.DOUBLE, "VARCHAR": Kind.TEXT, "DATE": Kind.DATE,
    "TIMESTAMP": Kind.TIME, "TIMESTAMP WITH TIME ZONE": Kind.INSTANT, "TIMESTAMPTZ": Kind.INSTANT, '"NULL"': Kind.NULL,
    **dict.fromkeys(
        ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"), Kind.INT
    ),
}  # fmt: skip


def kind_of(duckdb_type: str) -> Kind:
    """The kind of a DuckDB type by its name. Raises :class:`Unsupported`."""
    if duckdb_type.startswith("DECIMAL"):
        return Kind.DECIMAL
    if duckdb_type not in _OF_TYPE:
        raise Unsupported(f"columns of type {duckdb_type}")
    return _OF_TYPE[duckdb_type]


def kind_of_cast(to: exp.DataType) -> Kind:
    """The kind that a cast gives."""
    return kind_of(exp.DataType.build(to).sql("duckdb").replace("TEXT", "VARCHAR").replace("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE").replace("INT128", "HUGEINT"))  # fmt: skip


def common(kinds: Iterable[Kind], what: str) -> Kind:
    """The kind that values have when they stand side by side (branches of a CASE). Raises :class:`Unsupported`."""
    found = {kind for kind in kinds if kind is not Kind.NULL}
    if len(found) <= 1:
        return found.pop() if found else Kind.NULL
    if found <= set(NUMBERS):
        return Kind.DOUBLE if Kind.DOUBLE in found else Kind.DECIMAL
    if found == {Kind.DATE, Kind.TIME}:
        return Kind.TIME
    raise Unsupported(f"{what} of {' and '.join(sorted(found))}")
