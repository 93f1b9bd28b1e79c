"""Numbers: no data is not 0, division is real, cents are exact, currencies do not mix."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from textwrap import dedent

import duckdb
import pytest
from sqlglot import exp

from cadran.compute import lower
from cadran.compute.results import Results
from cadran.problems import ProblemsFound

from .small import figures, problems, rows_of, run

VISITS = """
    id,day,kind
    1,2026-04-01,visit
    2,2026-04-02,visit
    3,2026-05-01,order
    4,2026-06-01,visit
    5,2026-06-02,visit
    6,2026-06-03,order
"""
RATES = """
    datasets:
      events: {from: files.events, key: id, date: day}
    kpis:
      orders: count(events) filter (where kind = 'order')
      visits: count(events) filter (where kind = 'visit')
      rate: {formula: orders / visits, period: month, target: 10%, alert: value < 10%}
      shown: {formula: "coalesce(orders / visits, -1)", period: month}
"""


def zeros_hold(results: Results) -> None:
    got = figures(results)
    assert got["rate", "2026-04"] == 0.0  # nobody of two
    assert got["rate", "2026-05"] is None  # one of nobody
    assert got["rate", "2026-06"] == 0.5  # not 0: division is real
    assert got["shown", "2026-05"] == -1  # so a formula can tell it, too
    status = {row.period: row.status for row in results if row.kpi == "rate"}
    assert status["2026-04"] == "off_target"
    assert status["2026-05"] == "no_data"


def test_zero_denominator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zeros_hold(run(tmp_path, RATES, {"events": VISITS}))
    assert duckdb.execute("SELECT 5 / 0").fetchall() == [(float("inf"),)]

    def bare(left: exp.Expression, right: exp.Expression) -> exp.Expression:
        return exp.Div(this=left, expression=right)

    monkeypatch.setattr(lower, "division", bare)
    with pytest.raises(AssertionError):
        zeros_hold(run(tmp_path, RATES, {"events": VISITS}))


def test_integer_division(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = """
        datasets:
          events: {from: files.events, key: id, date: day, columns: {half: id / 2}}
        kpis:
          share: {formula: count(events) filter (where kind = 'order') / count(events), period: month}
          halves: {formula: sum(events.half), period: month}
          constant: {formula: 7 / 2 * count(events), period: month}
    """

    def holds() -> None:
        got = figures(run(tmp_path, text, {"events": VISITS}))
        assert got["share", "2026-06"] == pytest.approx(1 / 3)
        assert got["halves", "2026-04"] == 1.5  # 1/2 + 2/2
        assert got["constant", "2026-04"] == 7.0  # 3.5 · 2

    holds()
    assert (1 // 3, sum(i // 2 for i in (1, 2)), 7 // 2 * 2) == (0, 1, 6)

    def whole(left: exp.Expression, right: exp.Expression) -> exp.Expression:
        return exp.IntDiv(this=left, expression=exp.Nullif(this=right, expression=lower.number(0)))

    monkeypatch.setattr(lower, "division", whole)
    with pytest.raises(AssertionError):
        holds()


PRICES = "id,day,amount,cents\n" + "".join(f"{i},2026-06-01,0.10,11\n" for i in range(1, 31))


def test_money_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = """
        datasets:
          sales: {from: files.sales, key: id, date: day, columns: {euros: cents / 100}}
        kpis:
          revenue: {formula: sum(sales.amount), period: month}
          of_cents: {formula: sum(sales.cents) / 100, period: month}
          of_rows: {formula: sum(sales.euros), period: month}
          left_over: {formula: sum(sales.amount) - 3, period: month}
          with_tax: {formula: sum(sales.amount) * 1.055, period: month}
          sales_count: {formula: count(sales), period: month}
          average: {formula: avg(sales.amount), period: month}
    """

    def holds() -> None:
        got = {
            k[0]: v for k, v in figures(run(tmp_path, text, {"sales": PRICES})).items() if k[1] == "2026-06"
        }
        # 30 · 0.10 = 3.00; 30 · 11 cents = 3.30; 3.00 · 1.055 = 3.165
        exact = {
            "revenue": "3.00",
            "of_cents": "3.30",
            "of_rows": "3.30",
            "left_over": "0",
            "with_tax": "3.165",
        }
        for name, value in exact.items():
            assert isinstance(got[name], Decimal), name
            assert got[name] == Decimal(value), name
        assert type(got["sales_count"]) is int
        assert type(got["average"]) is float

    holds()
    floats = 0.0
    for row in rows_of(PRICES):
        floats += float(row["amount"])
    assert floats - 3 != 0  # 4.4e-16: a revenue that is not what it is compared with
    monkeypatch.setattr(lower, "_power_of_ten", lambda _: 0)
    with pytest.raises(AssertionError):
        holds()


ORDERS = """
    id,day,amount,currency
    1,2026-06-02,50.00,EUR
    2,2026-06-10,100.00,CHF
    3,2026-06-20,200.00,CHF
"""
CHF = """
    day,currency,rate
    2026-06-01,CHF,0.90
    2026-06-15,CHF,1.10
"""
MIXED = """
    datasets:
      orders: {from: files.orders, key: id, date: day, money: {amount: currency}}
    kpis:
      revenue: {formula: sum(orders.amount), period: month, unit: EUR}
      swiss: {formula: sum(orders.amount) filter (where currency = 'CHF'), period: month}
"""


def test_mixed_currencies(tmp_path: Path) -> None:
    converted = figures(
        run(
            tmp_path,
            "rates: {from: files.rates, date: day}\n" + dedent(MIXED),
            {"orders": ORDERS, "rates": CHF},
        )
    )
    # 50 + 100 · 0.90 + 200 · 1.10: the rate of each order's own day
    assert converted["revenue", "2026-06"] == Decimal(360)
    assert converted["swiss", "2026-06"] == Decimal(310)

    amounts = [Decimal(row["amount"]) for row in rows_of(ORDERS)]
    assert sum(amounts) == 350  # apples and pears
    assert amounts[0] + sum(amounts[1:]) * Decimal("1.10") == 380  # today's rate for all


def test_mixed_currencies_without_rates_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProblemsFound) as caught:
        run(tmp_path, MIXED, {"orders": ORDERS})
    (found,) = caught.value.problems
    assert (found.code, found.subject) == ("currencies", "revenue")
    assert "CHF and EUR" in found.message
    assert found.where is not None and found.where.line == 9
    only_swiss = dedent(MIXED).replace(
        "  revenue: {formula: sum(orders.amount), period: month, unit: EUR}\n", ""
    )
    assert not problems(tmp_path, only_swiss, {"orders": ORDERS})
    assert figures(run(tmp_path, only_swiss, {"orders": ORDERS}))["swiss", "2026-06"] == Decimal(300)


LINKED = """
    datasets:
      orders:
        from: files.orders
        key: id
        date: day
        money: {amount: code}
        columns: {code: currencies.name}
        links: {currencies: {column: currency, to: currencies}}
      currencies: {from: files.currencies, key: id}
    kpis:
      revenue: {formula: sum(orders.amount), period: month}
"""


def test_currencies_that_stand_in_another_table_do_not_mix_either(tmp_path: Path) -> None:
    """Nothing but the question whether they mix reads that table, where there are no rates."""
    names = "id,name\nEUR,EUR\nCHF,CHF\n"
    francs = "\n".join(line for line in ORDERS.splitlines() if "EUR" not in line)
    found = figures(run(tmp_path, LINKED, {"orders": francs, "currencies": names}))
    assert found["revenue", "2026-06"] == 300
    with pytest.raises(ProblemsFound, match="CHF and EUR"):
        run(tmp_path, LINKED, {"orders": ORDERS, "currencies": names})


CALLS = """
    id,day,minutes
    1,2026-03-10,4
    2,2026-03-11,6
    3,2026-05-01,
    4,2026-06-01,8
"""


def test_null_and_gap_semantics(tmp_path: Path) -> None:
    text = """
        datasets:
          calls: {from: files.calls, key: id, date: day}
        kpis:
          number: {formula: count(calls), period: month}
          minutes: {formula: sum(calls.minutes), period: month}
          longest: {formula: max(calls.minutes), period: month}
          average: {formula: avg(calls.minutes), period: month}
          sum_of_both: {formula: count(calls) + avg(calls.minutes), period: month}
          filled: {formula: "count(calls) + coalesce(avg(calls.minutes), 0)", period: month}
          earlier: {formula: previous(count(calls)), period: month}
    """
    results = run(tmp_path, text, {"calls": CALLS}, since=dt.date(2026, 1, 1))
    got = {(k[0], k[1][5:]): v for k, v in figures(results).items()}
    #            March  April  May    June      (nothing in April; a call without minutes in May)
    right = {
        "number": (2, 0, 1, 1),
        "minutes": (10, 0, 0, 8),
        "longest": (6, None, None, 8),
        "average": (5.0, None, None, 8.0),
        "sum_of_both": (7.0, None, None, 9.0),
        "filled": (7.0, 0.0, 1.0, 9.0),
        "earlier": (None, 2, 0, 1),  # before the first row nothing is known, which is not 0
    }
    for name, values in right.items():
        assert tuple(got[name, m] for m in ("03", "04", "05", "06")) == values, name
    assert ("number", "02") not in got or got["number", "02"] is None

    grouped = duckdb.execute(
        "SELECT m, count(*) c, sum(v) s FROM (VALUES (3, 4), (3, 6), (5, NULL), (6, 8)) t(m, v) GROUP BY m ORDER BY m"
    ).fetchall()
    assert grouped == [(3, 2, 10), (5, 1, None), (6, 1, 8)]  # no April, and a NULL where 0 was spent


def test_rates_that_are_still_to_come_are_none_and_no_mistake(tmp_path: Path) -> None:
    """A table of rates with its head alone: amounts in the project's own currency need none."""
    text = """\
    rates: {from: files.rates, date: day}
    datasets: {orders: {from: files.orders, key: id, date: day, money: {amount: cur}}}
    kpis: {revenue: {formula: sum(orders.amount), period: month, unit: EUR}}
    """
    tables = {"rates": "day,currency,rate\n", "orders": "id,day,amount,cur\n1,2026-05-02,10.00,EUR\n"}
    found = run(tmp_path, text, tables, as_of=dt.date(2026, 6, 1))
    assert figures(found)["revenue", "2026-05"] == Decimal("10.00")
