"""Answers of analyses from kept results: after any change of the data they are those of a run that knows nothing."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import pytest

from analysis.random_rows import FIRST, SEEDS, Row, csv_of, moment, written
from cadran.analysis.analyse import Wanted

PROJECT = """\
version: 1
calendar: {timezone: Europe/Paris}
sources: {files: {connector: files, path: data}}
datasets:
  orders: {from: files.orders, key: id, date: ordered_at, links: {customer_id: customers}}
  customers: {from: files.customers, key: id, date: created_at, columns: {first_order: min(orders.ordered_at)}}
kpis: {all_orders: {formula: count(orders), period: month}}
cohorts: {back: {entity: orders.customer_id, ages: 6}}
funnels: {journey: {dataset: customers, steps: {came: created_at, ordered: first_order}, window: 40 days}}
scores: {worth: {dataset: customers, rules: [{when: count(orders) > 3, points: 5}], bands: {good: 5, other: 0}}}
"""
EVERYTHING = Wanted(funnels=("journey",), cohorts=("back",), scores={"worth": 50})


def _rows(chance: random.Random) -> dict[str, list[Row]]:
    customers: list[Row] = [{"id": n, "created_at": moment(chance, FIRST, 200)} for n in range(15)]
    orders: list[Row] = [
        {"id": n, "customer_id": chance.randrange(15), "ordered_at": moment(chance, FIRST, 260)}
        for n in range(60)
    ]
    return {"customers": customers, "orders": orders}


def _change(chance: random.Random, rows: dict[str, list[Row]]) -> None:
    """An order more, less or other, often long ago: whoever began then has begun at another time."""
    orders = rows["orders"]
    match chance.randrange(3):
        case 0:
            row: Row = {
                "id": 1000 + len(orders) + chance.randrange(10**6),
                "customer_id": chance.randrange(15),
            }
            orders.append({**row, "ordered_at": moment(chance, FIRST, 260)})
        case 1:
            orders.pop(chance.randrange(len(orders)))
        case _:
            at = chance.randrange(len(orders))
            orders[at] = {**orders[at], "ordered_at": moment(chance, FIRST, 260)}


@pytest.mark.parametrize("seed", SEEDS[:4] if len(SEEDS) < 20 else SEEDS)
def test_what_is_kept_is_never_stale(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    rows = _rows(chance)
    project = written(tmp_path, PROJECT, rows)
    clock = dt.datetime(2026, 5, 15, 8)
    for _ in range(4):
        kept = project.run(as_of=clock, analyses=EVERYTHING).answers
        assert kept == project.run(as_of=clock, analyses=EVERYTHING, full=True).answers
        _change(chance, rows)
        for name, table in rows.items():
            (tmp_path / "data" / f"{name}.csv").write_text(csv_of(table, list(table[0])), encoding="utf-8")
        clock += dt.timedelta(days=chance.choice((0, 1, 20)))
