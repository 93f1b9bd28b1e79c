"""What DuckDB says most often, in the words of the language, and a way out for it."""

from __future__ import annotations

import re

_COMPARED = re.compile(r"Cannot compare values of type (.+?) and type (.+?) - an explicit cast is required")
_NOT_A = re.compile(
    r"Could not convert string '(.*)' to ([A-Z]+\d*)(?:\(.*\))?(?: when casting from source column (.+))?",
    re.DOTALL,
)
_UNLIKE, _READ = "this compares", "is compared with or read as"


def in_plain_words(message: str) -> str:
    """A message about types without the names that DuckDB has for them; others as they are."""
    if compared := _COMPARED.fullmatch(message):
        left, right = (_kind(compared[number]) for number in (1, 2))
        return f"{_UNLIKE} {left} with {right}"
    if found := _NOT_A.fullmatch(message):
        column = f" in column '{found[3]}'" if found[3] else ""
        return f"the text '{found[1]}'{column} {_READ} {_kind(found[2])}"
    return message


def _kind(name: str) -> str:
    base = re.sub(r"_LITERAL$|\(.*\)$", "", name)
    if base.startswith("TIMESTAMP"):
        return "a time"
    words = {
        "VARCHAR": "text",
        "STRING": "text",
        "BOOLEAN": "true or false",
        "BOOL": "true or false",
        "DATE": "a date",
        "INTERVAL": "an interval",
    }
    return words.get(base, "a number")


def hint_for(message: str, otherwise: str = "see the SQL with 'cadran explain'") -> str:
    """A way out for what DuckDB says most often."""
    lowered = message.lower()
    if "overflow" in lowered or (
        "decimal" in lowered and ("range" in lowered or "precision" in lowered or "exceed" in lowered)
    ):
        return "the exact result does not fit into 38 digits; write cast(… as double) where a rounded one will do"
    if lowered.startswith(_UNLIKE) or _READ in lowered:
        return "compare values of the same kind: numbers as 10, text as '10', dates as date '2026-03-31'; or declare the column's type in the source"
    if "could not convert" in lowered or "conversion" in lowered:
        return "compare or cast values of the same kind, or declare the column's type in the source"
    if "no function matches" in lowered or "cannot compare" in lowered or "binder" in lowered:
        return "check the types of the columns: 'cadran check --data' lists them"
    return otherwise
