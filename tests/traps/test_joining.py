"""Joining and rolling up: each measure on its own dataset, and nothing that is not additive is added."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from statistics import fmean, median

import pytest

from cadran.problems import ProblemsFound

from .small import CLOCK, figures, project, rows_of, run

ORDERS = """
    id,day,customer_id,amount
    1,2026-06-01,1,100.00
    2,2026-06-02,1,50.00
    3,2026-06-03,2,30.00
"""
LINES = """
    id,day,order_id
    1,2026-06-01,1
    2,2026-06-01,1
    3,2026-06-02,2
    4,2026-06-03,3
"""
TICKETS = """
    id,day,customer_id
    1,2026-06-05,1
    2,2026-06-06,1
    3,2026-06-07,2
"""
CUSTOMERS = """
    id,name
    1,Ann
    2,Bob
"""
SHOP = """
    datasets:
      orders: {from: files.orders, key: id, date: day, links: {customer_id: customers}}
      lines: {from: files.lines, key: id, date: day, links: {order_id: orders}}
      tickets: {from: files.tickets, key: id, date: day, links: {customer_id: customers}}
      customers: {from: files.customers, key: id}
    segments:
      who: {orders: customers.name, tickets: customers.name, lines: orders.customers.name}
    kpis:
      revenue: {formula: sum(orders.amount), period: month, segment: who}
      per_line: {formula: sum(orders.amount) / count(lines), period: month, segment: who}
      per_ticket: {formula: sum(orders.amount) / count(tickets), period: month, segment: who}
      per_both: {formula: sum(orders.amount) / (count(lines) + count(tickets)), period: month}
"""


def test_fan_out_and_chasm_joins(tmp_path: Path) -> None:
    tables = {"orders": ORDERS, "lines": LINES, "tickets": TICKETS, "customers": CUSTOMERS}
    got = figures(run(tmp_path, SHOP, tables))
    # 100 + 50 + 30, whatever is joined to it; 4 lines, 3 tickets. Ann: 150 over 3 lines, 2 tickets.
    right = {
        ("revenue", "2026-06"): Decimal(180),
        ("revenue", "2026-06", "Ann"): Decimal(150),
        ("per_line", "2026-06"): 45.0,
        ("per_line", "2026-06", "Ann"): 50.0,
        ("per_ticket", "2026-06"): 60.0,
        ("per_ticket", "2026-06", "Ann"): 75.0,
        ("per_ticket", "2026-06", "Bob"): 30.0,
        ("per_both", "2026-06"): 180 / 7,
    }
    assert {k: got[k] for k in right} == right

    orders, lines, tickets = rows_of(ORDERS), rows_of(LINES), rows_of(TICKETS)
    fanned = [o for o in orders for line in lines if line["order_id"] == o["id"]]
    assert sum(Decimal(o["amount"]) for o in fanned) == 280  # order 1 twice
    chasm = [o for o in orders for t in tickets if t["customer_id"] == o["customer_id"]]
    assert sum(float(o["amount"]) for o in chasm) / len(chasm) == 66.0 != got["per_ticket", "2026-06"]


def test_the_one_side_of_a_link_is_unique(tmp_path: Path) -> None:
    tables = {"orders": ORDERS, "lines": LINES, "tickets": TICKETS, "customers": CUSTOMERS + "    1,Anne\n"}
    with pytest.raises(
        ProblemsFound, match=r"kpis\.yaml:\d+:\d+: datasets\.customers: .*not unique: 1 \(2 times\)"
    ):
        project(tmp_path, SHOP, tables).run(as_of=CLOCK)


VISITS = """
    id,day,visitor,channel,minutes
    1,2026-04-03,1,web,1
    2,2026-04-20,2,web,2
    3,2026-05-05,1,shop,10
    4,2026-06-08,1,web,100
"""


def test_distinct_counts_rolled_up(tmp_path: Path) -> None:
    text = """
        datasets:
          visits: {from: files.visits, key: id, date: day}
        kpis:
          visitors: {formula: count(distinct visits.visitor), period: [month, quarter], segment: channel}
          middle: {formula: median(visits.minutes), period: [month, quarter]}
          longest: {formula: "quantile(visits.minutes, 0.5)", period: quarter}
    """
    got = figures(run(tmp_path, text, {"visits": VISITS}))
    right = {
        ("visitors", "2026-04"): 2,
        ("visitors", "2026-05"): 1,
        ("visitors", "2026-06"): 1,
        ("visitors", "2026-Q2"): 2,  # 1 and 2
        ("visitors", "2026-Q2", "web"): 2,
        ("visitors", "2026-Q2", "shop"): 1,  # 1 again: the segments do not add up to the total
        ("middle", "2026-Q2"): 6.0,  # of 1, 2, 10, 100
        ("longest", "2026-Q2"): 6.0,
    }
    assert {k: got[k] for k in right} == right

    months = defaultdict(list)
    for row in rows_of(VISITS):
        months[row["day"][:7]].append(row)
    summed = sum(len({r["visitor"] for r in rows}) for rows in months.values())
    assert summed == 4 != got["visitors", "2026-Q2"]
    averaged = fmean(median(int(r["minutes"]) for r in rows) for rows in months.values())
    assert averaged != got["middle", "2026-Q2"]


LEADS = """
    id,day,won,channel
    1,2026-04-02,true,web
    2,2026-05-02,false,web
    3,2026-05-03,false,web
    4,2026-05-04,false,fair
    5,2026-05-05,false,fair
"""


def test_average_of_ratios(tmp_path: Path) -> None:
    text = """
        datasets:
          leads: {from: files.leads, key: id, date: day}
        kpis:
          rate: {formula: count(leads) filter (where won) / count(leads), period: [month, quarter], segment: channel}
          trend: {formula: "rolling(rate, 2)", period: month}
          to_date: {formula: ytd(rate), period: month}
    """
    got = figures(run(tmp_path, text, {"leads": LEADS}))
    right = {
        ("rate", "2026-04"): 1.0,
        ("rate", "2026-05"): 0.0,
        ("rate", "2026-Q2"): 0.2,  # 1 of 5
        ("rate", "2026-Q2", "web"): 1 / 3,
        ("rate", "2026-Q2", "fair"): 0.0,
        ("trend", "2026-05"): 0.2,
        ("to_date", "2026-04"): None,  # the year is not covered from its start
    }
    assert {k: got[k] for k in right} == right

    monthly = [got["rate", "2026-04"], got["rate", "2026-05"]]
    assert fmean(float(v or 0) for v in monthly) == 0.5 != got["rate", "2026-Q2"]
    channels = [got["rate", "2026-Q2", c] for c in ("web", "fair")]
    assert fmean(float(v or 0) for v in channels) == pytest.approx(1 / 6)  # not 1/5


SIGNUPS = """
    id,day,person
    1,2026-03-30,7
    2,2026-03-31,8
    3,2026-04-02,9
"""
PURCHASES = """
    id,day,person
    1,2026-04-03,7
    2,2026-04-04,8
    3,2026-04-05,9
    4,2026-04-06,9
"""
FUNNEL = """
    datasets:
      signups: {from: files.signups, key: id, date: day}
      purchases: {from: files.purchases, key: id, date: day}
    kpis:
      conversion: {formula: "converted(signups.person, purchases.person, '30 days') / count(signups)", period: month}
"""


def test_conversion_over_100_percent(tmp_path: Path) -> None:
    tables = {"signups": SIGNUPS, "purchases": PURCHASES}
    got = figures(run(tmp_path, FUNNEL, tables))
    # Both of March came back (in April), and the one of April did, though he bought twice.
    assert got["conversion", "2026-03"] == 1.0
    assert got["conversion", "2026-04"] == 1.0

    bought = [p for p in rows_of(PURCHASES) if p["day"].startswith("2026-04")]
    signed = [s for s in rows_of(SIGNUPS) if s["day"].startswith("2026-04")]
    assert len(bought) / len(signed) == 4.0  # events of the month over events of the month
    pairs = [1 for s in signed for p in bought if p["person"] == s["person"]]
    assert len(pairs) / len(signed) == 2.0  # a join that counts each match
