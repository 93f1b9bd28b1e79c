"""A way out for what DuckDB says most often."""

from __future__ import annotations


def hint_for(message: str) -> str:
    """A way out for what DuckDB says most often."""
    lowered = message.lower()
    if "overflow" in lowered or (
        "decimal" in lowered and ("range" in lowered or "precision" in lowered or "exceed" in lowered)
    ):
        return "the exact result does not fit into 38 digits; write cast(… as double) where a rounded one will do"
    if "could not convert" in lowered or "conversion" in lowered:
        return "compare or cast values of the same kind, or declare the column's type in the source"
    if "no function matches" in lowered or "cannot compare" in lowered or "binder" in lowered:
        return "check the types of the columns: 'cadran check --data' lists them"
    return "see the SQL with 'cadran explain'"
