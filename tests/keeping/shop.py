"""A shop whose data grows by files: the project, its files, and which results a run made."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

import duckdb

import cadran
from cadran.compute.results import Results

KEPT = Path(".cadran") / "kept"
CLOCK = dt.date(2026, 4, 15)
DATASETS = """\
datasets:
  customers: {from: files.customers, key: id, date: since}
  orders:
    from: files.orders
    key: id
    date: day
    columns: {large: amount >= 100, nth: row_number() over (partition by customer order by day), of_all: sum(amount) over ()}
    links: {customer: customers}
  costs: {from: files.costs, key: id, date: day}
segments:
  tier: {orders: customers.tier, customers: tier}
"""
KPIS: Mapping[str, str] = {
    "revenue": "sum(orders.amount)",
    "sales": "count(orders)",
    "cost": "sum(costs.amount)",
}
ORDERS = "id INTEGER, day DATE, customer VARCHAR, amount DECIMAL(12,2)"
CUSTOMERS = "id VARCHAR, since DATE, tier VARCHAR"
COSTS = "id INTEGER, day DATE, amount DECIMAL(12,2)"
COLUMNS = {"orders": ORDERS, "customers": CUSTOMERS, "costs": COSTS}
Rows = Iterable[tuple[Any, ...]]


@dataclass
class Shop:
    """One project in a folder; orders lie in a file a month, the rest in one file each."""

    folder: Path
    kpis: dict[str, str] = field(default_factory=lambda: dict(KPIS))
    datasets: str = DATASETS
    period: str = "month"
    more: str = ""
    segment: dict[str, str] = field(default_factory=dict)
    suffix: str = "parquet"

    def __post_init__(self) -> None:
        self.save(
            "customers",
            "all",
            [("a", "2025-12-01", "gold"), ("b", "2026-01-10", "basic"), ("c", "2026-02-01", None)],
        )
        for month in (1, 2, 3, 4):
            day = 10 * month
            rows = [
                (day + n, f"2026-{month:02}-{1 + 4 * n:02}", "abc"[n % 3], 10 * month + n) for n in range(3)
            ]
            self.save("orders", f"2026-{month:02}", rows)
        self.save("costs", "all", [(n, f"2026-{n:02}-05", 7) for n in (1, 2, 3, 4)])
        self.declare()

    # --- files --------------------------------------------------------------------------------------------------------

    def path(self, table: str, stem: str) -> Path:
        return self.folder / "data" / table / f"{stem}.{self.suffix}"

    def save(self, table: str, stem: str, rows: Rows, *, columns: str = "") -> Path:
        path = self.path(table, stem)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name("writing")
        with duckdb.connect() as con:
            con.execute(f"CREATE TABLE t ({columns or COLUMNS[table]})")
            for row in rows:
                con.execute(f"INSERT INTO t VALUES ({', '.join('?' * len(row))})", row)
            form = "parquet" if self.suffix == "parquet" else "csv"
            con.execute(f"COPY t TO '{part}' (FORMAT {form})")
        part.replace(path)
        return path

    def declare(self, **kpis: str) -> None:
        """Writes ``kpis.yaml``, with other formulas where they are given."""
        self.kpis |= kpis
        tables = "\n".join(f'      {t}: {{path: "{t}/*.{self.suffix}"}}' for t in COLUMNS)
        lines = [
            "version: 1", "calendar: {timezone: Europe/Paris}", "sources:", "  files:", "    connector: files", "    path: data",
            "    tables:", tables, dedent(self.datasets), self.more, "kpis:",
        ]  # fmt: skip
        for name, formula in self.kpis.items():
            lines += [f"  {name}:", f'    formula: "{formula}"', f"    period: {self.period}"]
            lines += [f"    segment: {self.segment.get(name)}"] * (name in self.segment)
        (self.folder / "kpis.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")

    # --- runs ---------------------------------------------------------------------------------------------------------

    def run(
        self, *kpis: str, as_of: Any = CLOCK, since: dt.date = dt.date(2026, 1, 1), **more: Any
    ) -> Results:
        return cadran.open(self.folder, environ=more.pop("environ", {})).run(
            kpis, as_of=as_of, since=since, **more
        )

    def made(self, *kpis: str, **more: Any) -> set[str]:
        """What of the final months had to be made in a run: ``revenue 2026-01``."""
        return made(self.run(*kpis, **more))

    @property
    def kept(self) -> Path:
        return self.folder / KEPT


def made(results: Results) -> set[str]:
    return {
        f"{k} {s.start:%Y-%m}" for r in results.reuse for s in r.made if s not in r.passing for k in r.kpis
    }


def taken(results: Results) -> set[str]:
    return {f"{k} {s.start:%Y-%m}" for r in results.reuse for s in r.kept for k in r.kpis}


def passing(results: Results) -> set[str]:
    return {f"{k} {s.start:%Y-%m}" for r in results.reuse for s in r.passing for k in r.kpis}


def months(kpi: str, *numbers: int) -> set[str]:
    return {f"{kpi} 2026-{n:02}" for n in numbers}


def aged(*paths: Path) -> None:
    """Has files look as if they were written long ago."""
    for path in paths:
        os.utime(path, (1_700_000_000, 1_700_000_000))


def values(results: Results) -> dict[tuple[str, ...], Any]:
    return {(r.kpi, r.period, *r.segment_value): r.value for r in results}
