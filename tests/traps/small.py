"""A whole project from a few lines: the YAML and CSV texts that a trap needs, and the figures that come out."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from textwrap import dedent

import cadran
from cadran.compute.results import Number, Results, Row
from cadran.problems import Problem

HEAD = """\
version: 1
calendar: {timezone: Europe/Paris}
currency: EUR
sources: {files: {connector: files, path: data}}
"""
CLOCK = dt.date(2026, 7, 1)
# (kpi, period) for a total, (kpi, period, segment value) for the rest.
Key = tuple[str, ...]


def project(folder: Path, text: str, tables: Mapping[str, str], head: str = HEAD) -> cadran.Project:
    """Writes ``kpis.yaml`` and ``data/NAME.csv``, and opens them; nothing of the environment is seen."""
    data = folder / "data"
    data.mkdir(exist_ok=True)
    for name, rows in tables.items():
        (data / f"{name}.csv").write_text(plain(rows), encoding="utf-8")
    (folder / "kpis.yaml").write_text(head + dedent(text), encoding="utf-8")
    return cadran.open(folder, environ={})


def plain(rows: str) -> str:
    """A table's text without the indentation that it has in a test."""
    return dedent(rows).lstrip("\n")


def rows_of(text: str) -> list[dict[str, str]]:
    """A table as the naive variants read it."""
    return list(csv.DictReader(io.StringIO(plain(text)), strict=True))


def figures(results: Iterable[Row]) -> dict[Key, Number | None]:
    return {key(row): row.value for row in results}


def key(row: Row) -> Key:
    return (row.kpi, row.period, *row.segment_value)


def run(
    folder: Path,
    text: str,
    tables: Mapping[str, str],
    *,
    as_of: dt.date = CLOCK,
    since: dt.date | None = None,
    head: str = HEAD,
) -> Results:
    return project(folder, text, tables, head).run(as_of=as_of, since=since)


def problems(folder: Path, text: str, tables: Mapping[str, str], head: str = HEAD) -> list[Problem]:
    return project(folder, text, tables, head).check()


def cents(text: str) -> Decimal:
    return Decimal(text)
