"""Whether two CSVs of series hold the same values: counts and decimals exactly, floats to nine digits."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

Key = tuple[str, str, str, str]
Values = dict[Key, str]
RELATIVE = Decimal("1e-9")


def read(file: Path) -> Values:
    """(kpi, period, segment, segment_value) → the value as it is written, empty for no data."""
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    found = {(r["kpi"], r["period"], r["segment"], r["segment_value"]): r["value"] for r in rows}
    if len(found) != len(rows):
        raise ValueError(f"{file}: some cells are there twice")
    return found


def differences(ours: Values, theirs: Values, *, sparse: bool = False) -> list[str]:
    """One line for each cell that is not the same, or there only once.

    ``sparse``: ours may lack cells that hold 0 or no data in theirs, as plain SQL has no line for what has no rows.
    """
    out = []
    for key in sorted(ours.keys() | theirs.keys()):
        here, there = ours.get(key), theirs.get(key)
        if sparse and here is None and there is not None and (not there or Decimal(there) == 0):
            continue
        if here is None or there is None or not same(here, there):
            out.append(f"{' '.join(filter(None, key))}: {_shown(here)} and {_shown(there)}")
    return out


def same(one: str, other: str) -> bool:
    """Two whole numbers or decimals (of cents) must be equal; where either is a float, nine digits must.

    >>> same("12.50", "12.5"), same("3", "4"), same("0.1234567890123", "0.1234567890124"), same("", "0")
    (True, False, True, False)
    """
    if not one or not other:
        return one == other
    a, b = Decimal(one), Decimal(other)
    if a == b:
        return True
    exact = _places(one) <= 2 and _places(other) <= 2
    return not exact and abs(a - b) <= RELATIVE * max(abs(a), abs(b))


def _places(text: str) -> int:
    """Digits behind the point; what is written with an exponent is a float."""
    return 99 if "e" in text.lower() else len(text.partition(".")[2])


def _shown(value: str | None) -> str:
    return "no such cell" if value is None else value or "no data"
