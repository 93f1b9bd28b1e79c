"""Alerts over rows and alerts over the figures of these rows stand in the same state after every period."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

import cadran

RULES = {
    "low": "{when: value < 3, for: 2, clear: value >= 4}",
    "kept": "{when: value < 3, keep: 2}",
    "falling": "{when: change < -1 or change_rate < -50%}",
    "under": "{when: value < 90% * target}",
    "unusual": "{when: abs(zscore(3)) > 1.5}",
    "average": "{when: value < mean(2), for: 2, on_missing: alert}",
    "year": "{when: value < year_ago, on_missing: ok}",
    "with others": "{when: value < 4 and large > 1}",
}
PROJECT = f"""\
version: 1
sources: {{crm: {{connector: files, path: data}}}}
datasets: {{orders: {{from: crm.orders, key: id, date: day}}}}
kpis:
  large: {{formula: count(orders) filter (where amount > 5), period: month}}
  orders:
    formula: count(orders)
    period: month
    target: [{{since: 2025-06-01, value: 4}}, {{value: 3}}]
    alert: [{", ".join(f"{{name: {name}, {rule[1:]}" for name, rule in RULES.items())}]
  basket:
    formula: sum(orders.amount) / count(orders)
    period: month
    target: 4.5
    alert: [{", ".join(f"{{name: {name}, {rule[1:]}" for name, rule in RULES.items())}]
"""
MONTHS = [f"{year}-{month:02}" for year in (2024, 2025) for month in range(1, 13)][4:20]
months = st.lists(st.lists(st.integers(1, 9), max_size=6), min_size=len(MONTHS), max_size=len(MONTHS))


def rows_of(amounts: Sequence[Sequence[int]]) -> list[dict[str, object]]:
    out: list[dict[str, object]] = []
    for month, values in zip(MONTHS, amounts, strict=True):
        out += [{"id": len(out) + i, "day": f"{month}-1{i}", "amount": v} for i, v in enumerate(values)]
    return out


def figures_of(kpi: str, amounts: Sequence[Sequence[int]]) -> dict[str, dict[str, str]]:
    """Each month's value as a run gives it, and what conditions see beside."""
    out = {}
    for month, values in zip(MONTHS, amounts, strict=True):
        mean = repr(sum(values) / len(values)) if values else "no data"
        value = str(len(values)) if kpi == "orders" else mean
        out[month] = {"value": value, "large": str(sum(v > 5 for v in values))}
    return out


@settings(max_examples=12, deadline=None, derandomize=True, database=None)
@given(months, st.sampled_from(["orders", "basket"]))
def test_both_ways_give_the_same_states(amounts: list[list[int]], kpi: str) -> None:
    amounts[0] = amounts[0] or [1]  # the first month is covered
    ok = {name: dict.fromkeys(MONTHS, "ok") for name in RULES}
    tests = {
        "rows": {"kpi": kpi, "given": {"orders": rows_of(amounts)}, "alerts": ok},
        "figures": {"kpi": kpi, "values": figures_of(kpi, amounts), "alerts": ok},
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "kpis.yaml"
        file.write_text(f"{PROJECT}tests: {json.dumps(tests)}\n", encoding="utf-8")
        rows, figures = cadran.open(file, environ={}).test()
    got = [{(m.what, m.period): m.got or m.message for m in outcome.misses} for outcome in (rows, figures)]
    assert got[0] == got[1]
