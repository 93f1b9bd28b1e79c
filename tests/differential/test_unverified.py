"""Dialects that no server here speaks: what is written for them, and that every output says it is not verified.

The connector of these tests refuses every statement, as a server would that does not understand it; so the figures
come from rows that are pulled, and are right all the same. ``make golden`` writes the statements anew.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlglot

import cadran
from cadran.compute.dialects.others import TITLES
from cadran.plugins import Column, End, Page, QueryableConnector, QueryRefused, Relation, Table
from differential.moving import refusals

GOLDENS = Path(__file__).parent / "goldens"
PROJECT = """\
version: 1
calendar: {timezone: Europe/Paris}
sources: {wh: {connector: sql, url: "x://y", pushdown: unverified}}
datasets:
  orders:
    from: wh.orders
    key: id
    date: day
    links: {customer: {column: customer_id, to: customers}}
    columns: {due: "day + interval '30' day", weekday: isodow(day), label: "channel || '-' || customer_id"}
  customers: {from: wh.customers, key: id}
segments: {tier: {orders: customer.tier}}
kpis:
  revenue: {formula: sum(orders.amount) filter (where channel = 'web'), period: month, segment: [channel, tier]}
  middle: {formula: median(orders.amount), period: month}
  late: {formula: "count(orders) filter (where date_diff('day', day, due) > 3 and label like 'w%')", period: month}
  back: {formula: retained(orders.customer_id), period: month}
"""
ROWS = {
    "orders": pa.table(
        {
            "id": [1, 2, 3],
            "day": [dt.date(2026, 1, 5), dt.date(2026, 1, 9), dt.date(2026, 2, 3)],
            "customer_id": [7, 8, 7],
            "channel": ["web", "shop", "web"],
            "amount": pa.array([1, 2, 4], pa.decimal128(12, 2)),
        }
    ),
    "customers": pa.table({"id": [7, 8], "tier": ["a", None]}),
}
TYPES = {
    "orders": {"id": "BIGINT", "day": "DATE", "customer_id": "BIGINT", "channel": "VARCHAR", "amount": "DECIMAL(12,2)"},
    "customers": {"id": "BIGINT", "tier": "VARCHAR"},
}  # fmt: skip


class Refusing(QueryableConnector):
    """Two tables, whose rows can be pulled."""

    dialect = ""
    asked: list[str] = []  # noqa: RUF012 - one list for each dialect, set by the test

    def discover(self) -> Sequence[Table]:
        return [Table(n, tuple(Column(c, t) for c, t in types.items())) for n, types in TYPES.items()]

    def relation(self, table: str) -> Relation:
        return Relation(("sales", table))

    def read(self, table: str) -> Iterator[Page | End]:
        return self.pull(table, list(TYPES[table]))

    def pull(self, table: str, columns: Sequence[str], where: str = "") -> Iterator[Page | End]:
        self.asked.append(f"-- pull {table}: {', '.join(columns)} where {where or 'all'}")
        rows = ROWS[table].select(list(columns))
        yield Page(rows)
        yield End(rows.num_rows)

    def query(self, sql: str) -> Iterator[Page | End]:
        self.asked.append(f"{sql};")
        raise QueryRefused("no server")
        yield


def refusing(dialect: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[cadran.Project, list[str]]:
    """The project over such a connector, and what that will be asked."""
    (folder / "kpis.yaml").write_text(PROJECT, encoding="utf-8")
    asked: list[str] = []
    connector = type("Refusing", (Refusing,), {"dialect": dialect, "asked": asked})
    project = cadran.open(folder / "kpis.yaml")
    monkeypatch.setattr(project.plugins, "connector", lambda _: connector)
    return project, asked


def run(dialect: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, list[str]]:
    project, asked = refusing(dialect, folder, monkeypatch)
    return project.run(as_of=dt.date(2026, 3, 1), since=dt.date(2026, 1, 1)), asked


@pytest.mark.parametrize("dialect", sorted(TITLES))
def test_what_is_written(dialect: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, golden: bool) -> None:
    results, asked = run(dialect, tmp_path, monkeypatch)
    text = "\n\n".join(asked) + "\n"
    file = GOLDENS / f"{dialect}.sql"
    if golden:
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")
    for statement in asked:
        if not statement.startswith("--"):
            sqlglot.parse_one(statement.removesuffix(";"), read=dialect)
    found = {(r.kpi, r.period, r.segment_value): r.value for r in results}
    assert found["revenue", "2026-01", ("a",)] == 1
    assert found["middle", "2026-01", ()] == 1.5
    assert found["late", "2026-02", ()] == 1
    assert found["back", "2026-02", ()] == 1


def test_every_output_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results, _ = run("snowflake", tmp_path, monkeypatch)
    (warning,) = [p for p in results.warnings if p.code == "unverified"]
    assert "Snowflake" in warning.message
    assert warning.where is not None


def test_what_is_refused_is_said_and_not_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project, asked = refusing("snowflake", tmp_path, monkeypatch)
    with refusals() as refused:
        text = project.explain("middle", as_of=dt.date(2026, 3, 1))
    scans = [sql for sql in asked if "PERCENTILE_CONT" in sql]
    assert len(scans) == 1, "with units and without them, the same percentile is refused"
    assert "-- runs here: wh refused it (no server)" in text
    assert len(refused) == len([sql for sql in asked if not sql.startswith("--")])
    assert any("PERCENTILE_CONT" in line and "no server" in line for line in refused)
