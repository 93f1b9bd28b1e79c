"""The functions in a project that names the plugin, and figures worked out by hand."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import cadran

PROJECT = """\
version: 1
plugins: [acme]
sources: {shop: {connector: files, path: .}}
datasets: {orders: {from: shop.orders, key: id, date: day}}
kpis:
  revenue: {formula: sum(orders.amount), period: month}
  first_half: {formula: sum(orders.amount where acme_half(orders.day) = 1), period: year}
  growth: {formula: acme_growth(revenue), period: month}
"""
ORDERS = "id,day,amount\n1,2026-05-04,80\n2,2026-06-02,120\n3,2026-07-01,5\n"


def test_the_functions_compute(tmp_path: Path) -> None:
    (tmp_path / "kpis.yaml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "orders.csv").write_text(ORDERS, encoding="utf-8")
    found = {(row.kpi, row.period): row.value for row in cadran.open(tmp_path).run(as_of=dt.date(2026, 8, 1))}
    assert found["first_half", "2026"] == 200
    assert found["growth", "2026-06"] == 0.5
