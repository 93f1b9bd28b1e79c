"""Cohorts against a naive evaluator: who began when, and who of them is still seen at each age."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from pathlib import Path

import pytest

from analysis.random_rows import FIRST, SEEDS, Row, maybe, moment, written
from cadran.analysis.analyse import Wanted
from cadran.analysis.answers import CohortMatrix

AGES = 5
PROJECT = f"""\
version: 1
calendar: {{timezone: Europe/Paris}}
sources: {{files: {{connector: files, path: data}}}}
datasets:
  orders: {{from: files.orders, key: id, date: ordered_at, links: {{customer_id: customers}}}}
  customers: {{from: files.customers, key: id, date: created_at}}
segments: {{size: {{orders: customers.size, customers: size}}}}
kpis: {{all_orders: count(orders)}}
cohorts:
  returning: {{entity: orders.customer_id, ages: {AGES}, segment: size}}
  paying:
    entity: orders.customer_id
    since: customers.created_at
    formula: sum(orders.amount)
    size: count(customers)
    unit: EUR
    ages: {AGES}
"""


def _tables(chance: random.Random) -> dict[str, list[Row]]:
    customers: list[Row] = [
        {"id": number, "created_at": moment(chance, FIRST, 150), "size": chance.choice(("small", "large"))}
        for number in range(25)
    ]
    orders: list[Row] = [
        {
            "id": number,
            "customer_id": maybe(chance, 0.95, chance.randrange(28)),
            "ordered_at": moment(chance, FIRST, 260),
            "amount": f"{chance.randrange(10000) / 100:.2f}",
        }
        for number in range(150)
    ]
    return {"orders": orders, "customers": customers}


def _month(at: object) -> int:
    assert isinstance(at, dt.datetime)
    return at.year * 12 + at.month - 1


def _label(month: int) -> str:
    return f"{month // 12}-{month % 12 + 1:02d}"


class _Naive:
    def __init__(self, tables: dict[str, list[Row]], clock: dt.datetime) -> None:
        self.clock = clock
        self.orders = [o for o in tables["orders"] if o["ordered_at"] <= clock]  # type: ignore[operator]
        self.customers = {c["id"]: c for c in tables["customers"] if c["created_at"] <= clock}  # type: ignore[operator]

    def returning(self, size: str | None, cohort: int, age: int) -> tuple[int, int]:
        """How many began in a month, and how many of them ordered so many months later."""
        first: dict[object, int] = {}
        for order in self.orders:
            who = order["customer_id"]
            if who is not None:
                first[who] = min(first.get(who, 10**9), _month(order["ordered_at"]))
        members = {w for w, month in first.items() if month == cohort and self._is(w, size)}
        seen = {o["customer_id"] for o in self.orders if _month(o["ordered_at"]) == cohort + age}
        return len(members), len(members & seen)

    def paying(self, cohort: int, age: int) -> tuple[int, Decimal]:
        members = {w for w, c in self.customers.items() if _month(c["created_at"]) == cohort}
        spent = [
            Decimal(str(o["amount"]))
            for o in self.orders
            if o["customer_id"] in members and _month(o["ordered_at"]) == cohort + age
        ]
        return len(members), sum(spent, Decimal(0))

    def _is(self, who: object, size: str | None) -> bool:
        found = self.customers.get(who)
        return size is None or (found["size"] if found else "(none)") == size


def _clock(chance: random.Random) -> dt.datetime:
    return dt.datetime(2026, chance.randrange(1, 7), chance.randrange(1, 28), chance.randrange(24))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_matrix_holds_what_a_walk_over_the_rows_finds(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    tables, clock = _tables(chance), _clock(chance)
    answers = (
        written(tmp_path, PROJECT, tables)
        .analyse(Wanted(cohorts=("returning", "paying")), as_of=clock)
        .answers
    )
    assert answers is not None
    naive = _Naive(tables, clock)
    for matrix in answers.cohorts["returning"].matrices:
        size = matrix.segment_value[0] if matrix.segment else None
        _compare(matrix, lambda cohort, age, size=size: naive.returning(size, cohort, age), clock)
    (paying,) = answers.cohorts["paying"].matrices
    _compare(paying, naive.paying, clock)


def _compare(matrix: CohortMatrix, naive: object, clock: dt.datetime) -> None:
    assert matrix.rows
    for row in matrix.rows:
        cohort = row.period_start.year * 12 + row.period_start.month - 1
        assert row.period == _label(cohort)
        now = clock.year * 12 + clock.month - 1
        assert [cell.age for cell in row.cells] == list(range(min(AGES, now - cohort) + 1))
        for cell in row.cells:
            size, value = naive(cohort, cell.age)  # type: ignore[operator]
            assert (row.size, cell.value) == (size, value), (row.period, cell)
            assert cell.rate == (float(value) / size if size else None)
            assert cell.state == ("open" if cohort + cell.age == now else "final")


def test_a_cohort_of_which_nobody_came_back_has_zeros_and_not_gaps(tmp_path: Path) -> None:
    customers: list[Row] = [{"id": 1, "created_at": dt.datetime(2026, 1, 5), "size": "small"}]
    orders: list[Row] = [
        {"id": 1, "customer_id": 2, "ordered_at": dt.datetime(2025, 12, 5), "amount": "1.00"}
    ]
    tables = {"orders": orders, "customers": customers}
    answers = (
        written(tmp_path, PROJECT, tables).analyse(Wanted(cohorts=("paying",)), as_of="2026-03-10").answers
    )
    assert answers is not None
    (row,) = (r for r in answers.cohorts["paying"].matrices[0].rows if r.size)
    assert [(c.age, c.value, c.rate, c.state) for c in row.cells] == [
        (0, 0, 0.0, "final"),
        (1, 0, 0.0, "final"),
        (2, 0, 0.0, "open"),
    ]


def test_the_average_weighs_cohorts_by_their_size_and_leaves_out_what_is_not_over(tmp_path: Path) -> None:
    tables = _tables(random.Random(3))
    clock = dt.datetime(2026, 2, 10)
    answers = written(tmp_path, PROJECT, tables).analyse(Wanted(cohorts=("returning",)), as_of=clock).answers
    assert answers is not None
    naive = _Naive(tables, clock)
    months = [_month(FIRST) + n for n in range(6)]
    for age, found in enumerate(answers.cohorts["returning"].matrices[0].average):
        over = [naive.returning(None, m, age) for m in months if m + age < _month(clock)]
        size = sum(s for s, _ in over)
        assert found == (pytest.approx(sum(v for _, v in over) / size) if size else None)


def test_a_date_whose_name_has_a_space(tmp_path: Path) -> None:
    text = PROJECT.replace("date: ordered_at", "date: Ordered at").split("  paying:")[0]
    tables = _tables(random.Random(1))
    tables["orders"] = [
        {("Ordered at" if k == "ordered_at" else k): v for k, v in o.items()} for o in tables["orders"]
    ]
    answers = (
        written(tmp_path, text, tables).analyse(Wanted(cohorts=("returning",)), as_of="2026-06-01").answers
    )
    assert answers is not None
    assert sum(row.size or 0 for row in answers.cohorts["returning"].matrices[0].rows) > 20
