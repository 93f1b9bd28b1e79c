"""Random tables for the analyses' naive evaluators: seeded, with gaps, ties, holes and rows after the clock."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import cadran

SEEDS = range(60 if os.environ.get("CADRAN_FULL") else 8)
FIRST = dt.datetime(2025, 9, 1)
Row = dict[str, object]


def moment(chance: random.Random, first: dt.datetime, days: float) -> dt.datetime:
    """A second within so many days, often at the very edge of one."""
    at = first + dt.timedelta(days=chance.random() * days)
    edge = chance.random()
    if edge < 0.1:
        at = at.replace(hour=0, minute=0, second=0)
    elif edge < 0.2:
        at = at.replace(hour=23, minute=59, second=59)
    return at.replace(microsecond=0)


def maybe(chance: random.Random, likely: float, value: object) -> object:
    return value if chance.random() < likely else None


def csv_of(rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(["" if row[c] is None else str(row[c]) for c in columns])
    return out.getvalue()


def written(folder: Path, text: str, tables: Mapping[str, Sequence[Mapping[str, object]]]) -> cadran.Project:
    """A project over the tables; rows are dictionaries with the same keys."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        (folder / "data" / f"{name}.csv").write_text(csv_of(rows, list(rows[0])), encoding="utf-8")
    (folder / "kpis.yaml").write_text(text, encoding="utf-8")
    return cadran.open(folder, environ={})
