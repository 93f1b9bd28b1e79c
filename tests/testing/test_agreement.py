"""A test computes what a run computes: random rows, given to a test and laid down in files, give the same figures."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cadran
from cadran.compute.results import Row

PROJECT = """\
version: 1
calendar: {timezone: Europe/Paris}
currency: EUR
sources: {files: {connector: files, path: data}}
rates: {from: files.rates}
datasets:
  leads:
    from: files.leads
    where: not is_test
    key: id
    date: created_at
    columns: {good: score >= 50, first_order: customers.first_order}
    links: {customer_id: customers, owner: {column: owner_id, to: users}}
  customers:
    {from: files.customers, key: id, date: created_at, valid: [created_at, churned_at], columns: {first_order: min(orders.day)}}
  orders: {from: files.orders, key: id, date: day, settle: 3 days, money: {amount: currency}, links: {customer_id: customers}}
  users: {from: files.users, key: id}
segments: {owner: {leads: owner.name, show: {top: 1, other: true}}, plan: {orders: customers.plan, customers: plan}}
kpis:
  leads: {formula: count(leads), period: month, segment: [channel, owner, [channel, owner]]}
  good: {formula: count(leads) filter (where good) / count(leads), period: [month, quarter], segment: channel, unit: percent}
  fast: {formula: "converted(leads.customer_id, customers.id, '20 days') / count(leads)", period: month}
  churn: {formula: lost(count(customers)) / opening(count(customers)), period: month, segment: plan}
  revenue: {formula: sum(orders.amount), period: [month, quarter], segment: plan}
  basket: {formula: avg(orders.amount), period: month}
  typical: {formula: median(orders.amount), period: quarter}
  growth: {formula: revenue / previous(revenue) - 1, period: month}
  twice: {formula: "count_having(orders.customer_id, count(orders) >= 2) / active(orders.customer_id)", period: quarter}
  back: {formula: retained(orders.customer_id) / previous(active(orders.customer_id)), period: month}
  waiting: {formula: "avg(date_diff('day', leads.created_at, leads.first_order))", period: quarter}
"""
HEADERS = {
    "leads": ("id", "created_at", "channel", "owner_id", "customer_id", "score", "is_test"),
    "customers": ("id", "created_at", "churned_at", "plan"),
    "orders": ("id", "day", "customer_id", "amount", "currency"),
    "users": ("id", "name"),
    "rates": ("date", "currency", "rate"),
}
Table = list[list[str]]

days = st.dates(dt.date(2026, 1, 1), dt.date(2026, 4, 30)).map(str)
people = st.integers(1, 6).map(lambda n: f"{n:03}")  # zeros in front: text
USERS = [["7", "Ana"], ["8", "Li, Wei"]]
RATES = [["2026-01-01", "CHF", "1.0625"], ["2026-03-01", "CHF", "1.05"]]


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Table]:
    lead = st.tuples(days, st.sampled_from(["paid", "web", ""]), st.sampled_from(["7", "8", ""]), st.one_of(people, st.just("")), st.integers(0, 99).map(str), st.sampled_from(["false", "false", "true"]))  # fmt: skip
    order = st.tuples(days, people, st.decimals(-50, 500, places=2).map(str), st.sampled_from(["EUR", "CHF"]))
    customers = []
    for number in sorted(draw(st.sets(people, min_size=1))):
        start = draw(st.dates(dt.date(2025, 12, 1), dt.date(2026, 3, 1)))
        end = draw(st.one_of(st.none(), st.integers(1, 90)))
        churned = "" if end is None else str(start + dt.timedelta(days=end))
        customers.append([number, str(start), churned, draw(st.sampled_from(["basic", "pro"]))])
    leads = draw(st.lists(lead, min_size=1, max_size=8))
    orders = draw(st.lists(order, min_size=1, max_size=8))
    return {
        "leads": [[str(i), *row] for i, row in enumerate(leads)],
        "customers": customers,
        "orders": [[str(i), *row] for i, row in enumerate(orders)],
        "users": USERS,
        "rates": RATES,
    }


def as_csv(name: str, table: Table) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([HEADERS[name], *table])
    return text.getvalue()


def as_list(name: str, table: Table) -> list[dict[str, str | None]]:
    return [{n: v or None for n, v in zip(HEADERS[name], row, strict=True)} for row in table]


def expectations(found: Sequence[Row]) -> dict[str, dict[str, dict[str, str]]]:
    """The figures of a run as a test expects them, to ten digits after the point."""
    out: dict[str, dict[str, dict[str, str]]] = {}
    for row in found:
        key = ", ".join(f"{n}={v}" for n, v in zip(row.segment, row.segment_value, strict=True)) or "total"
        value = "no data" if row.value is None else f"{row.value:.10f}"
        out.setdefault(row.kpi, {}).setdefault(row.period, {})[key] = value
    return out


@settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(rows(), st.dates(dt.date(2026, 2, 10), dt.date(2026, 6, 1)))
def test_a_test_over_rows_agrees_with_a_run_over_the_same_rows_in_files(
    tables: dict[str, Table], as_of: dt.date
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data").mkdir()
        for table, content in tables.items():
            (folder / "data" / f"{table}.csv").write_text(as_csv(table, content), encoding="utf-8")
        (folder / "kpis.yaml").write_text(PROJECT, encoding="utf-8")
        found = cadran.open(folder, environ={}).run(as_of=as_of)
        expected = expectations(found.rows)
        texts = {table: as_csv(table, content) for table, content in tables.items()}
        lists = {table: as_list(table, content) for table, content in tables.items()}
        wrong = expectations([row for row in found if row.value is not None][:1])
        ((kpi, by_period),) = wrong.items()
        ((period, by_segment),) = by_period.items()
        ((key, figure),) = by_segment.items()
        tests = {
            "as CSV": {"given": texts, "as_of": str(as_of), "expect": expected},
            "as lists": {"given": lists, "as_of": str(as_of), "expect": expected},
            "wrong": {
                "given": texts,
                "as_of": str(as_of),
                "expect": {kpi: {period: {key: str(float(figure) + 1)}}},
            },
        }
        for kept in (folder / "data").iterdir():
            kept.unlink()  # a test needs no data but its own
        (folder / "kpis.yaml").write_text(f"{PROJECT}tests: {json.dumps(tests)}\n", encoding="utf-8")
        outcomes = {o.name: o for o in cadran.open(folder, environ={}).test()}
    assert [m.message for name in ("as CSV", "as lists") for m in outcomes[name].misses] == []
    assert len(outcomes["wrong"].misses) == 1
