"""The type of a column, from a tap's JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from cadran_plugins.files.declared import canonical

TIMESTAMPTZ = "TIMESTAMP WITH TIME ZONE"
_SQL = re.compile(r"(?i)\s*(?:numeric|decimal)\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)")
_WHOLE = 2**63


def column_type(schema: Any, sql: str = "", numbers: str = "DOUBLE") -> str:
    """DuckDB's name. ``sql`` is the database's own type, where the tap says it; ``numbers`` what a number is that has no more said of it.

    >>> column_type({"type": ["null", "string"], "format": "date-time"})
    'TIMESTAMP WITH TIME ZONE'
    >>> column_type({"type": "number", "multipleOf": Decimal("0.01")})
    'DECIMAL(38,2)'
    """
    parts = _parts(schema)
    kinds = {kind for part in parts for kind in _kinds(part)} - {"null"}
    if kinds == {"integer", "number"}:
        kinds = {"number"}
    if len(kinds) != 1:
        return "JSON"
    return _one(kinds.pop(), parts, sql, numbers)


def _parts(schema: Any) -> list[Mapping[str, Any]]:
    """The schema, and the alternatives in it."""
    if not isinstance(schema, Mapping):
        return []
    inner = [each for word in ("anyOf", "oneOf", "allOf") for each in schema.get(word, ())]
    return [schema, *(part for each in inner for part in _parts(each))]


def _kinds(part: Mapping[str, Any]) -> list[str]:
    said = part.get("type", [])
    kinds = [said] if isinstance(said, str) else list(said)
    if not kinds and "properties" in part:
        return ["object"]
    return [str(kind) for kind in kinds]


def _one(kind: str, parts: list[Mapping[str, Any]], sql: str, numbers: str) -> str:
    if kind == "string":
        formats = {str(part["format"]) for part in parts if "format" in part and "string" in _kinds(part)}
        plain = any("string" in _kinds(part) and "format" not in part for part in parts)
        if len(formats) != 1 or plain:
            return "VARCHAR"
        if "singer.decimal" in formats:
            return _number(parts, sql, "DECIMAL(38,9)")
        return {"date-time": TIMESTAMPTZ, "date": "DATE"}.get(formats.pop(), "VARCHAR")
    if kind == "integer":
        ends = [
            part[word] for part in parts for word in ("minimum", "maximum") if isinstance(part.get(word), int)
        ]
        wide = any(not -_WHOLE <= end < _WHOLE for end in ends)
        return "DECIMAL(38,0)" if wide else "BIGINT"
    if kind == "number":
        return _number(parts, sql, numbers)
    return {"boolean": "BOOLEAN"}.get(kind, "JSON")


def _number(parts: list[Mapping[str, Any]], sql: str, otherwise: str) -> str:
    if found := _SQL.match(sql):
        digits, scale = int(found[1]), int(found[2] or 0)
        if 1 <= digits <= 38 and scale <= digits:
            return f"DECIMAL({digits},{scale})"
    for part in parts:
        if "multipleOf" in part:
            step = _scale(part["multipleOf"])
            if step is not None and step <= 30:
                return f"DECIMAL(38,{step})"
    return otherwise


def _scale(step: Any) -> int | None:
    """Digits behind the point of all multiples."""
    try:
        exponent = Decimal(str(step)).normalize().as_tuple().exponent
    except InvalidOperation:
        return None
    return max(0, -exponent) if isinstance(exponent, int) else None


def declared(text: str, where: tuple[str, ...]) -> str:
    if text.strip().upper() == "JSON":
        return "JSON"
    type_ = canonical(text, where)
    return "BIGINT" if type_ == "INTEGER" else type_
