"""Projects that are odd, but allowed: names, empty tables, links that nobody follows, alerts that stand for long."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from cadran.compute.engine import Engine
from cadran.problems import ProblemsFound

from .small import HEAD, figures, problems, project, run

ORDERS = """
    id,day,amount,seg
    1,2026-05-03,10.00,a
    2,2026-05-04,5.50,b
    3,2026-06-01,7.25,a
"""
PLAIN = """
    datasets:
      orders: {from: files.orders, key: id, date: day}
    kpis:
      revenue: {formula: sum(orders.amount), period: month, segment: seg}
      newcomers: {formula: new(orders.seg), period: month, segment: seg}
      mean_order: {formula: sum(orders.amount) / count(orders), period: month, segment: seg}
"""
RIGHT = {
    ("revenue", "2026-05"): Decimal("15.50"),
    ("revenue", "2026-05", "a"): Decimal("10.00"),
    ("revenue", "2026-05", "b"): Decimal("5.50"),
    ("revenue", "2026-06", "a"): Decimal("7.25"),
    ("revenue", "2026-06", "b"): Decimal(0),
    ("newcomers", "2026-05"): 2,
    ("newcomers", "2026-05", "a"): 1,
    ("newcomers", "2026-06", "a"): 0,
    ("mean_order", "2026-05"): 7.75,
    ("mean_order", "2026-05", "a"): 10.0,
    ("mean_order", "2026-06", "b"): None,
}


@pytest.mark.parametrize(
    "name",
    """
    span segment position value rows m0 n0 m1 base previous year_ago target target_high start stop before last start_at
    entities period members frame first_seen now closed opened kept_0 argument leaf_0 when_0 clear_0 scan_1 t _row
    """.split(),  # noqa: SIM905
)
def test_segments_named_like_the_engines_own_columns(tmp_path: Path, name: str) -> None:
    named = PLAIN.replace("segment: seg", f"segment: {name}").replace("orders.seg", f"orders.{name}")
    results = run(tmp_path, named, {"orders": ORDERS.replace("seg", name)})
    got = figures(results)
    assert {k: got[k] for k in RIGHT} == RIGHT
    assert len(got) == len(results) == 3 * 3 * 3  # each KPI, month and value once


@pytest.mark.parametrize(
    "name",
    [
        "order name",
        "select",
        "group",
        "order",
        "Ünïcode",
        "a.b",
        "a / b",
        'say "so"',
        "it's",
        "Seg",
        "null",
        "end",
    ],
)
def test_columns_with_odd_names(tmp_path: Path, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    header = f'"{name}"' if '"' not in name else '"' + name.replace('"', '""') + '"'
    text = f"""
        datasets:
          orders: {{from: files.orders, key: id, date: day, columns: {{copied: {_yaml(quoted)}}}}}
        segments:
          seg: {{orders: {_yaml(quoted)}}}
        kpis:
          revenue: {{formula: sum(orders.amount), period: month, segment: [seg, copied]}}
          newcomers: {{formula: {_yaml(f"new(orders.{quoted})")}, period: month, segment: seg}}
          mean_order: {{formula: {_yaml(f"sum(orders.amount) filter (where {quoted} is not null) / count(orders)")}, period: month, segment: seg}}
    """
    got = figures(run(tmp_path, text, {"orders": ORDERS.replace(",seg", f",{header}")}))
    assert {k: got[k] for k in RIGHT} == RIGHT


def _yaml(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def test_segments_that_differ_in_capitals(tmp_path: Path) -> None:
    text = PLAIN.replace(
        "period: month, segment: seg}\n      mean", "period: month, segment: SEG}\n      mean"
    )
    got = None
    try:
        results = run(tmp_path, text, {"orders": ORDERS})
        got = figures(results)
    except ProblemsFound as found:
        assert "SEG" in str(found)  # refusing them is fine, too
    if got is not None:
        assert len(got) == len(results)
        assert {k: got[k] for k in RIGHT} == RIGHT


# --- tables without rows --------------------------------------------------------------------------------------------

EMPTY = "id,day,amount,seg\n"


def test_a_table_without_rows(tmp_path: Path) -> None:
    """The first day of a project: nothing is covered, and nothing fails."""
    results = run(tmp_path, PLAIN, {"orders": EMPTY})
    assert all(row.value is None for row in results)
    undated = PLAIN.replace(", date: day", "").replace("period: month", "period: all")
    undated = undated.replace("new(orders.seg)", "active(orders.seg)")
    got = figures(run(tmp_path, undated, {"orders": EMPTY}))
    assert (got["revenue", "all"], got["newcomers", "all"], got["mean_order", "all"]) == (0, 0, None)


def test_a_column_without_values(tmp_path: Path) -> None:
    results = run(tmp_path, PLAIN, {"orders": "id,day,amount,seg\n1,2026-06-01,,a\n"})
    assert figures(results)["revenue", "2026-06"] == 0  # a sum over NULLs alone


def test_a_union_with_an_empty_table(tmp_path: Path) -> None:
    text = PLAIN.replace("from: files.orders", "from: [files.orders, files.later]")
    got = figures(run(tmp_path, text, {"orders": ORDERS, "later": EMPTY}))
    assert {k: got[k] for k in RIGHT} == RIGHT


def test_a_union_of_columns_in_other_capitals(tmp_path: Path) -> None:
    text = PLAIN.replace("from: files.orders", "from: [files.orders, files.later]")
    got = figures(
        run(tmp_path, text, {"orders": ORDERS, "later": "ID,Amount,Seg,DAY\n4,1.00,b,2026-06-02\n"})
    )
    assert got["revenue", "2026-06"] == Decimal("8.25")


def test_a_link_that_no_kpi_follows(tmp_path: Path) -> None:
    """Only what the asked KPIs rest on is loaded, so nothing else may be looked at."""
    text = """
        datasets:
          orders:
            from: files.orders
            key: id
            date: day
            links: {seg: shops}
            columns: {region: shops.region}
          shops: {from: files.shops, key: name, columns: {orders_count: count(orders)}}
        kpis:
          revenue: {formula: sum(orders.amount), period: month}
          shop_count: {formula: count(shops), period: all}
          by_region: {formula: sum(orders.amount), period: month, segment: region}
    """
    small = project(tmp_path, text, {"orders": ORDERS, "shops": "name,region\na,north\nb,south\n"})
    for name in ("revenue", "shop_count", "by_region"):
        assert figures(small.run([name], as_of=dt.date(2026, 7, 1))), name
    alone = project(tmp_path, text.replace("          by_region: {formula: sum(orders.amount), period: month, segment: region}\n", "")
        .replace("          shop_count: {formula: count(shops), period: all}\n", ""), {"orders": ORDERS})  # fmt: skip
    assert figures(alone.run(as_of=dt.date(2026, 7, 1)))["revenue", "2026-06"] == Decimal("7.25")


@pytest.mark.parametrize("function", ["new", "retained", "lost"])
def test_first_and_last_times_need_a_date(tmp_path: Path, function: str) -> None:
    text = f"""
        datasets:
          orders: {{from: files.orders, key: id}}
        kpis:
          who: {{formula: {function}(orders.seg), period: all}}
    """
    found = problems(tmp_path, text, {"orders": ORDERS})
    assert [p.code for p in found] == ["no-date"]


def test_an_inclusive_end_before_its_start_is_a_bad_row(tmp_path: Path) -> None:
    text = """
        datasets:
          stays: {from: files.stays, key: id, date: start, valid: {from: start, to: stop, inclusive: true}}
        kpis:
          guests: {formula: during(count(stays)), period: month}
    """
    fine = "id,start,stop\n1,2026-05-15,2026-05-15\n"
    assert figures(run(tmp_path, text, {"stays": fine}))["guests", "2026-05"] == 1
    for stop in ("2026-05-13", "2026-05-14"):
        with pytest.raises(ProblemsFound, match="before"):
            run(tmp_path, text, {"stays": fine.replace(",2026-05-15\n", f",{stop}\n")})


# --- money ----------------------------------------------------------------------------------------------------------

MONEY = """
    rates: {from: files.rates, date: day}
    datasets:
      orders: {from: files.orders, key: id, date: day, money: {amount: currency}}
    kpis:
      revenue: {formula: sum(orders.amount), period: month, unit: EUR}
"""
FRANCS = "id,day,amount,currency\n1,2026-06-02,10,CHF\n2,2026-06-03,10,EUR\n"
RATES = "day,currency,rate\n2026-06-01,CHF,0.9\n"


def test_an_amount_without_a_currency(tmp_path: Path) -> None:
    """Neither dropped (19) nor taken for euros (29)."""
    tables = {"orders": FRANCS + "3,2026-06-03,10,\n", "rates": RATES}
    with pytest.raises(ProblemsFound, match=r"kpis\.yaml:\d+:\d+: revenue: .*currenc"):
        run(tmp_path, MONEY, tables)
    euros = MONEY.replace("    rates: {from: files.rates, date: day}\n", "")
    tables["orders"] = tables["orders"].replace("CHF", "EUR")
    with pytest.raises(ProblemsFound, match="currenc"):
        run(tmp_path, euros, tables)


def test_two_rates_for_one_day(tmp_path: Path) -> None:
    with pytest.raises(ProblemsFound, match="CHF"):
        run(tmp_path, MONEY, {"orders": FRANCS, "rates": RATES + "2026-06-01,CHF,0.95\n"})


def test_a_rate_that_is_missing(tmp_path: Path) -> None:
    """An empty rate is no rate: the last known one holds, or it is an error; the amount is not dropped."""
    try:
        got = figures(run(tmp_path, MONEY, {"orders": FRANCS, "rates": RATES + "2026-06-02,CHF,\n"}))
    except ProblemsFound as found:
        assert "CHF" in str(found)
    else:
        assert got["revenue", "2026-06"] == 19


# --- alerts ---------------------------------------------------------------------------------------------------------


def standing(folder: Path, values: list[int], since: dt.date | None = None) -> list[tuple[str, str, str]]:
    first = dt.date(2024, 1, 1)
    rows = "id,day,amount\n" + "".join(f"{i},{_month(first, i)},{v}\n" for i, v in enumerate(values))
    text = """
        datasets:
          sales: {from: files.sales, key: id, date: day}
        kpis:
          revenue:
            formula: sum(sales.amount)
            period: month
            alert: {name: low, when: value < 10, clear: value >= 20}
    """
    results = run(folder, text, {"sales": rows}, as_of=_month(first, len(values)), since=since)
    return [(alert.state, alert.since, alert.period) for alert in results.alerts]


def _month(first: dt.date, later: int) -> dt.date:
    index = first.year * 12 + first.month - 1 + later
    return dt.date(index // 12, index % 12 + 1, 1)


def test_an_alert_stands_until_it_is_cleared(tmp_path: Path) -> None:
    assert standing(tmp_path, [5, 15, 15]) == [("firing", "2024-01", "2024-03")]
    assert standing(tmp_path, [5, 15, 25]) == []


def test_an_alert_stands_for_longer_than_a_table_shows(tmp_path: Path) -> None:
    assert standing(tmp_path, [5] + [15] * 20) == [("firing", "2024-01", "2025-09")]


def test_an_alert_does_not_depend_on_since(tmp_path: Path) -> None:
    assert standing(tmp_path, [5, 15, 15, 15], since=dt.date(2024, 4, 1)) == [
        ("firing", "2024-01", "2024-04")
    ]


# --- the ends of the calendar ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
def test_placeholder_dates(tmp_path: Path, day: str) -> None:
    """``9999-12-31`` for "for ever" and ``0001-01-01`` for "unknown" are all over the exports of real systems."""
    text = """
        datasets:
          contracts: {from: files.contracts, key: id, date: start, valid: [start, stop]}
          plans: {from: files.plans, key: day, date: day, ahead: true}
        kpis:
          running: {formula: closing(count(contracts)), period: month}
          planned: {formula: sum(plans.amount), period: month}
    """
    tables = {
        "contracts": "id,start,stop\n1,2026-05-01,9999-12-31\n2,0001-01-01,2026-06-15\n",
        "plans": f"day,amount\n2026-06-01,5\n{day},7\n",
    }
    got = figures(run(tmp_path, text, tables, since=dt.date(2026, 5, 1)))
    assert (got["running", "2026-05"], got["running", "2026-06"], got["planned", "2026-06"]) == (2, 1, 5)


@pytest.mark.parametrize("clock", [dt.date(1, 1, 1), dt.date(9999, 12, 31)])
def test_clocks_at_the_ends_of_the_calendar(tmp_path: Path, clock: dt.date) -> None:
    try:
        run(tmp_path, PLAIN, {"orders": ORDERS}, as_of=clock)
    except ProblemsFound as found:
        assert str(clock.year) in str(found)
    with_until = project(tmp_path, PLAIN, {"orders": ORDERS})
    try:
        with_until.run(as_of=dt.date(2026, 7, 1), until=clock)
    except ProblemsFound as found:
        assert str(clock.year) in str(found)


def test_a_clock_in_the_middle_of_a_day(tmp_path: Path) -> None:
    rows = "id,at\n" + "".join(
        f"{i},2026-{t}\n"
        for i, t in enumerate(
            ["06-10T11:59:59", "06-10T12:00:00", "06-10T12:00:01", "05-10T12:00:00", "05-10T12:00:01"]
        )
    )
    text = """
        datasets:
          hits: {from: files.hits, key: id, date: at}
        kpis:
          number: {formula: count(hits), period: [month, all], compare: previous}
    """
    results = project(tmp_path, text, {"hits": rows}).run(as_of=dt.datetime(2026, 6, 10, 12))
    june = next(r for r in results if r.period == "2026-06")
    assert (june.value, june.previous, june.state) == (2, 1, "open")  # a row at the clock is visible, in both
    assert figures(results)["number", "all"] == 4


# --- links ----------------------------------------------------------------------------------------------------------


def test_self_links_and_two_links_to_one_dataset(tmp_path: Path) -> None:
    text = """
        datasets:
          staff: {from: files.staff, key: id, date: hired, links: {boss: {column: boss_id, to: staff}}, columns: {above: boss.boss.pay}}
          deals: {from: files.deals, key: id, date: day, links: {buyer: {column: buyer, to: staff}, seller: {column: seller, to: staff}}}
        segments: {b: {deals: buyer.area}, s: {deals: seller.area}}
        kpis:
          boss_pay: {formula: sum(staff.boss.pay), period: month}
          above: {formula: sum(staff.above), period: month}
          within: {formula: sum(deals.amount) filter (where buyer.area = seller.area), period: month, segment: [b, [b, s]]}
    """
    tables = {
        "staff": "id,boss_id,hired,pay,area\n1,,2026-06-01,100,n\n2,1,2026-06-01,50,s\n3,1,2026-06-01,40,s\n4,2,2026-06-01,30,n\n",
        "deals": "id,day,buyer,seller,amount\n1,2026-06-01,1,2,5\n2,2026-06-02,2,3,7\n3,2026-06-03,1,1,11\n4,2026-06-04,9,1,2\n",
    }
    got = figures(run(tmp_path, text, tables))
    assert got["boss_pay", "2026-06"] == 100 + 100 + 50
    assert got["above", "2026-06"] == 100  # only 4 has a boss's boss
    assert got["within", "2026-06"] == 7 + 11
    assert got["within", "2026-06", "n"] == 11
    assert got["within", "2026-06", "s", "s"] == 7
    assert got["within", "2026-06", "(none)", "n"] == 0  # nobody is 9


def test_links_in_a_circle(tmp_path: Path) -> None:
    text = """
        datasets:
          deals: {from: files.deals, key: id, date: day, links: {who: people}, columns: {x: people.n + 1}}
          people: {from: files.people, key: id, links: {deal: deals}, columns: {n: count(deals), q: deals.x}}
        kpis:
          x: {formula: sum(deals.x), period: month}
          q: {formula: sum(people.q), period: all}
    """
    tables = {
        "deals": "id,day,who\n1,2026-06-01,1\n2,2026-06-02,2\n3,2026-06-03,1\n",
        "people": "id,deal\n1,1\n2,2\n",
    }
    got = figures(run(tmp_path, text, tables))
    assert (got["x", "2026-06"], got["q", "all"]) == (3 + 2 + 3, 3 + 2)
    circle = text.replace("n: count(deals)", "n: sum(deals.x)")
    assert {p.code for p in problems(tmp_path, circle, tables)} == {"cycle"}


def test_composite_keys_and_keys_without_a_value(tmp_path: Path) -> None:
    text = """
        datasets:
          prices: {from: files.prices, key: [item, size]}
          sales: {from: files.sales, key: id, date: day, links: {price: {column: [item, size], to: prices}}}
        kpis:
          worth: {formula: sum(sales.price.amount), period: month}
          unknown: {formula: count(sales) filter (where price.amount is null), period: month}
    """
    prices = "item,size,amount\n1,x,3\n1,y,4\n"
    tables = {
        "prices": prices,
        "sales": "id,day,item,size\n1,2026-06-01,1,x\n2,2026-06-01,1,z\n3,2026-06-01,,y\n",
    }
    got = figures(run(tmp_path, text, tables))
    assert (got["worth", "2026-06"], got["unknown", "2026-06"]) == (3, 2)
    with pytest.raises(ProblemsFound, match="empty in some rows"):
        run(tmp_path, text, {**tables, "prices": prices + ",y,9\n"})


# --- arithmetic -----------------------------------------------------------------------------------------------------


def test_what_stands_in_for_a_name_keeps_together(tmp_path: Path) -> None:
    text = """
        datasets:
          orders: {from: files.orders, key: id, date: day}
        kpis:
          net: sum(orders.amount) - count(orders)
          a: {formula: 100 - net, period: month}
          b: {formula: 2 * net / net, period: month}
          c: {formula: -net / 100, period: month}
          d: {formula: 6 / count(orders) / 2, period: month}
          e: {formula: 6 / (count(orders) / 2), period: month}
          f: {formula: count(orders) - -count(orders), period: month}
          g: {formula: sum(orders.amount) * 15 % + 1, period: month}
    """
    got = {k[0]: v for k, v in figures(run(tmp_path, text, {"orders": ORDERS})).items() if k[1] == "2026-05"}
    # sum 15.50, count 2, net 13.50
    assert got == {
        "a": Decimal("86.5"),
        "b": 2.0,
        "c": Decimal("-0.135"),
        "d": 1.5,
        "e": 6.0,
        "f": 4,
        "g": Decimal("3.325"),
    }


def test_numbers_at_the_edge_of_38_digits(tmp_path: Path) -> None:
    big = "9" * 35 + ".99"
    rows = f"id,day,amount,number\n1,2026-06-01,{big},9223372036854775807\n2,2026-06-02,{big},9223372036854775807\n"
    text = """
        datasets:
          orders: {from: files.orders, key: id, date: day}
        kpis:
          amount: {formula: sum(orders.amount), period: month}
          number: {formula: sum(orders.number * 3), period: month}
    """
    got = figures(run(tmp_path, text, {"orders": rows}))
    assert str(got["amount", "2026-06"]) == "1" + "9" * 35 + ".98"
    assert got["number", "2026-06"] == 6 * 9223372036854775807
    square = text.replace("sum(orders.number * 3)", "sum(orders.number) * sum(orders.number)")
    with pytest.raises(ProblemsFound, match="38 digits"):
        run(tmp_path, square, {"orders": rows})


@pytest.mark.parametrize(
    ("value", "target", "good", "status"),
    [
        ("-5.10", "-5", "up", "at_risk"),
        ("-5.10", "-5", "down", "on_target"),
        ("-4.90", "-5", "up", "on_target"),
        ("-4.90", "-5", "down", "at_risk"),
        ("-6", "-5", "up", "off_target"),
        ("0", "0", "up", "on_target"),
        ("-0.01", "0", "up", "off_target"),  # 5 % of 0 is no tolerance
        ("4", "{between: [-10, 3]}", "up", "off_target"),
        ("3", "{between: [-10, 3]}", "up", "on_target"),
        ("3.1", "{between: [-10, 3]}", "up", "at_risk"),
        ("1", "1 / 0", "up", "no_target"),
        ("1", "year_ago(k)", "up", "no_target"),
    ],
)
def test_targets_below_and_at_zero(tmp_path: Path, value: str, target: str, good: str, status: str) -> None:
    text = f"""
        datasets:
          orders: {{from: files.orders, key: id, date: day}}
        kpis:
          k: {{formula: sum(orders.amount), period: month, good: {good}, target: {target}}}
    """
    results = run(tmp_path, text, {"orders": f"id,day,amount\n1,2026-06-01,{value}\n"}, head=HEAD)
    assert next(r.status for r in results if r.period == "2026-06") == status


SHOPS = """
    id,day,until,shop,amount,weight
    1,2026-04-03,2026-05-20,Lyon,20,0.5
    2,2026-05-11,,Paris,9.90,1.25
    3,2026-05-20,2026-06-02,Paris,4.10,2.5
    4,2026-06-02,,,1,0.75
"""
TWINS = """
    datasets:
      shops: {from: files.shops, key: id, date: day}
      stays: {from: files.shops, key: id, valid: [day, until]}
    segments:
      shop: {shops: shop, stays: shop}
      city: {shops: shop, stays: shop}
      top: {shops: shop, stays: shop, show: {top: 1, other: true}}
      best: {shops: shop, stays: shop, show: {top: 1, other: true}}
    kpis:
"""


@pytest.mark.parametrize(
    "formula",
    [
        "sum(shops.amount)", "median(shops.amount)", "stddev(shops.weight)", "count(distinct shops.amount)", "active(shops.amount)",
        "retained(shops.shop)", "quantile(shops.amount, 0.9)", "count_having(shops.amount, count(shops) >= 1)",
        "closing(sum(stays.amount))", "closing(median(stays.amount))", "lost(count(stays))", "closing(count(distinct stays.amount))",
    ],
)  # fmt: skip
@pytest.mark.parametrize("sharing", [True, False])
def test_segments_over_the_same_column(
    tmp_path: Path, formula: str, sharing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Engine, "sharing", sharing)
    names = {
        "a": "shop",
        "b": "city",
        "c": "[shop, city]",
        "d": "[[shop, city]]",
        "e": "top",
        "f": "[top, best]",
    }
    kpis = {n: f'  {n}: {{formula: "{formula}", period: month, segment: {s}}}\n' for n, s in names.items()}
    together = _values(tmp_path, TWINS + "    ".join(["", *kpis.values()]))
    for name, text in kpis.items():
        alone = _values(tmp_path, TWINS + "    " + text)
        assert {k: v for k, v in together.items() if k[0] == name} == alone
        assert len(alone) > 4


def _values(folder: Path, text: str) -> dict[tuple[object, ...], object]:
    results = run(folder, text, {"shops": SHOPS}, as_of=dt.date(2026, 7, 1), since=dt.date(2026, 4, 1))
    out = {(r.kpi, r.period, r.segment, r.segment_value): (r.value, r.base) for r in results}
    assert len(out) == len(results), "a row twice"
    return out
