"""Whatever stands in an expression: ``check`` finds problems or none, and ``run`` gives figures or problems. Nothing else."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cadran
from cadran.compute.results import Results
from cadran.problems import ProblemsFound, errors

EXAMPLES = int(os.environ.get("CADRAN_FUZZ", "60"))
PROJECT = """\
version: 1
calendar: {timezone: Europe/Paris, fiscal_year_starts: april}
currency: EUR
sources: {files: {connector: files, path: data}}
milestones: {start: 2026-05-01}
datasets:
  orders:
    from: files.orders
    key: id
    date: day
    where: "<where>"
    columns: {extra: "<column>", double: amount * 2}
    links: {customer_id: customers}
  customers: {from: files.customers, key: id, date: since, valid: [since, gone], columns: {orders_count: count(orders)}}
  stock: {from: files.stock, key: [day, item], date: day, snapshot: true}
kpis:
  revenue: sum(orders.amount)
  fuzzed:
    formula: "<formula>"
    period: [month, quarter]
    segment: shop
    target: {grain: month, value: "<target>"}
    alert: {when: "<alert>"}
  used: {formula: sum(orders.extra), period: month}
"""
TABLES = {
    "orders": "id,day,amount,shop,customer_id,paid\n1,2026-05-03,10.10,north,1,true\n2,2026-06-04,5.50,south,2,false\n3,2026-06-05,,north,,\n",
    "customers": "id,since,gone,shop\n1,2026-04-01,,north\n2,2026-05-01,2026-06-10,south\n",
    "stock": "day,item,quantity,shop\n2026-05-31,a,3,north\n2026-06-30,a,4,north\n",
}
GOOD = {
    "formula": [
        "sum(orders.amount)",
        "count(orders) filter (where shop = 'north' and amount > 5)",
        "revenue / count(orders)",
        "count(distinct orders.customers.id) + 15%",
        "round(avg(orders.amount), 2)",
        "quantile(orders.amount, 0.9) - median(orders.amount)",
        "new(orders.customer_id) + retained(orders.customer_id) - lost(orders.customer_id)",
        "count_having(orders.customer_id, count(orders) >= 2) / active(orders.customer_id)",
        "lost(count(customers)) / opening(count(customers))",
        "kept(count(customers), customers.id) + during(count(customers))",
        "closing(sum(stock.quantity))",
        "converted(customers.id, orders.customer_id, '30 days') / count(customers)",
        "dated(sum(orders.amount), customers.since)",
        "sum(orders.amount) filter (where in_period(customers.since))",
        "rolling(revenue, 3) / 3 + ytd(revenue) - previous(revenue)",
        "value_at(revenue, start) + coalesce(year_ago(revenue), 0)",
        "sum(orders.amount) / total(sum(orders.amount))",
        "case when count(orders) > 3 then 1 else -2.5 end",
        "stddev(orders.amount) * -1 + max(orders.amount)",
        "sum(if(orders.paid, orders.amount, 0))",
    ],
    "target": ["15", "90% * year_ago(revenue)", "sum(orders.amount) * 1.1", "next(revenue)", "null"],
    "alert": [
        "value < 90% * target and base >= 30",
        "zscore(3) > 2 or change_rate < -10%",
        "mean(2) - stddev(2) > value",
        "change is null",
        "revenue > previous",
        "value between 1 and 2",
    ],
    "column": [
        "amount * 2",
        "date_diff('day', customers.since, day)",
        "case shop when 'north' then 1 else 0 end",
        "row_number() over (partition by customer_id order by day)",
        "lag(amount) over (partition by shop order by day, id)",
        "coalesce(amount, 0)::decimal(12, 2)",
        "customers.orders_count + 1",
        "length(shop)",
    ],
    "where": [
        "true",
        "amount is not null",
        "shop in ('north', 'south')",
        "not paid",
        "day >= date '2026-01-01'",
        "shop like 'n%'",
    ],
}
WORDS = [
    *"""
    ( ) , . + - * / % = <> < >= || :: ' " ; -- /* */ [ ] { } : $ ? @ ! ~ ^ & | \\ # `
    select from where over partition order by filter distinct case when then else end and or not in is null true between
    like sum count avg min max median quantile stddev dated in_period active new retained lost count_having converted
    opening closing started ended during kept previous next year_ago rolling mtd qtd ytd fytd value_at total mean zscore
    value target base change orders customers stock amount shop day id customer_id since gone paid quantity revenue
    fuzzed extra double start nothing 0 1 -1 2.5 1e400 1e-400 99999999999999999999999999999999999999999 15% 0x1 '' 'x'
    'a''b' interval '3' '30 days' now() current_date cast date timestamp decimal(38,30) text round floor nullif coalesce
    if try_cast exists any all lambda count(*)
    """.split(),  # noqa: SIM905
    *(
        "date '2026-01-01'",
        "'30 days'",
        "(select 1)",
        "over ()",
        "x -> x",
        "é",
        "𝕏",
        "\u200b",
        "\u00a0",
        "\t",
    ),
]


@st.composite
def mutated(draw: st.DrawFn, place: str) -> str:
    """A good expression in which pieces are removed, doubled, exchanged or put in."""
    text = draw(st.sampled_from(GOOD[place]))
    pieces = [p for p in _split(text) if p]
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(0, len(pieces) - 1)))
        what = draw(st.sampled_from(["remove", "double", "put", "replace", "other"]))
        if what == "remove" and len(pieces) > 1:
            del pieces[at]
        elif what == "double":
            pieces.insert(at, pieces[at])
        elif what == "put":
            pieces.insert(at, draw(st.sampled_from(WORDS)))
        elif what == "replace":
            pieces[at] = draw(st.sampled_from(WORDS))
        else:
            pieces[at] = draw(st.sampled_from(GOOD[draw(st.sampled_from(sorted(GOOD)))]))
    return draw(st.sampled_from(["", " "])).join(pieces)


def _split(text: str) -> list[str]:
    return re.findall(r"'[^']*'|\w+|\s+|[^\w\s]", text)


def random_text() -> st.SearchStrategy[str]:
    letters = st.text(st.characters(codec="utf-8"), max_size=25)
    words = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)
    return letters | words


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("fuzz")
    (out / "data").mkdir()
    for name, rows in TABLES.items():
        (out / "data" / f"{name}.csv").write_text(rows)
    return out


def answers(folder: Path, **texts: str) -> None:
    text = PROJECT
    for place, good in GOOD.items():
        text = text.replace(f'"<{place}>"', json.dumps(texts.get(place, good[0]), ensure_ascii=False))
    (folder / "kpis.yaml").write_text(text, encoding="utf-8")
    project = cadran.open(folder, environ={})
    found = project.check()
    assert all(p.message and (p.where is None or p.where.file == "kpis.yaml") for p in found)
    try:
        results = project.run(as_of=dt.date(2026, 7, 1))
    except ProblemsFound as problems:
        assert errors(problems.problems)
        return
    assert not errors(found)
    assert isinstance(results, Results)
    assert all(row.value is None or row.value == row.value for row in results)


@pytest.mark.parametrize("place", GOOD)
def test_the_expressions_that_are_mutated_are_good(folder: Path, place: str) -> None:
    for text in GOOD[place]:
        answers(folder, **{place: text})
        assert not errors(cadran.open(folder, environ={}).check()), text


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("column", "amount . 2"),
        ("formula", "sum(orders.amount . 2)"),
        ("formula", "count(orders) filter (where amount . 2 > 1)"),
        ("where", "amount . 2 > 1"),
    ],
)
def test_what_chance_found(folder: Path, place: str, text: str) -> None:
    answers(folder, **{place: text})


@pytest.mark.slow
@pytest.mark.parametrize("place", GOOD)
@settings(
    max_examples=EXAMPLES, deadline=None, database=None, derandomize="CADRAN_FUZZ" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(data=st.data())
def test_any_expression(folder: Path, place: str, data: st.DataObject) -> None:
    text = data.draw(mutated(place) | random_text())
    answers(folder, **{place: text})
