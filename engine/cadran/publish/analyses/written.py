"""Answers written for programs: CSV and JSON records, numbers exact."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from cadran.publish.outputs import json_text, plain


def to_csv(records: Iterable[Mapping[str, Any]]) -> str:
    """A line for each record under the keys of the first; a list is joined with ``; ``."""
    rows = list(records)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(rows[0] if rows else [])
    for row in rows:
        writer.writerow(["; ".join(v) if isinstance(v, list) else plain(v) for v in row.values()])
    return out.getvalue()


def to_json(records: Iterable[Mapping[str, Any]], as_of: object) -> str:
    """``{as_of, rows}``, one item a line."""
    lines = ",\n".join(f"    {json_text(record)}" for record in records)
    rows = f"[\n{lines}\n  ]" if lines else "[]"
    return f'{{\n  "as_of": {json_text(as_of)},\n  "rows": {rows}\n}}\n'
