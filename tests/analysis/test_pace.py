"""Pace: projections and their tests by hand, and what runs say of running periods."""

from __future__ import annotations

import datetime as dt
import random
import sqlite3
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

import cadran
from cadran.analysis.analyse import Wanted
from cadran.analysis.answers import PaceFigures
from cadran.analysis.knowing import growing, known_then
from cadran.analysis.projection import Past, project, tried_before
from cadran.problems import ProblemsFound

# --- by hand ----------------------------------------------------------------------------------------------------------

SIX = [Past(x, y) for x, y in [(10, 32), (12, 36), (9, 30), (11, 35), (13, 39), (11, 32)]]


def test_fewer_than_six_final_periods_are_no_history() -> None:
    assert project(SIX[:5], 10) is None
    assert project(SIX, 10) is not None


def test_the_line_through_what_was_there_and_what_came() -> None:
    made = project(SIX, 14)
    # means 11 and 34; Σ(x-x̄)² = 10, Σ(x-x̄)(y-ȳ) = 22: 34 + 2.2 · 3
    assert made is not None
    assert (made.value, made.df) == (pytest.approx(40.6), 4)
    # residuals' squares 5.6: s² = 1.4; t(90 %, 4) = 1.533
    assert made.interval(0.8) == pytest.approx((37.992, 43.208), abs=1e-3)


@pytest.mark.parametrize(
    ("past", "so_far"),
    [
        ([Past(0, past.final) for past in SIX], 0),  # the period has only just begun
        ([Past(None, past.final) for past in SIX], None),  # no data so far, as of a ratio
        ([*SIX[:5], Past(None, 32)], 11),  # too few pairs for a line
    ],
)
def test_the_mean_where_there_is_no_line(past: list[Past], so_far: float | None) -> None:
    made = project(past, so_far)
    assert made is not None
    assert (made.value, made.df) == (34, 5)


def test_each_test_uses_what_came_before_it_alone() -> None:
    past = [*SIX, Past(14, 41), Past(10, 33)]
    first, second = tried_before(past)
    assert first == (pytest.approx(40.6), 41, 32)
    again = project(past[:7], 10)
    assert again is not None
    assert second == (again.value, 33, 41)
    assert next(iter(tried_before([*past[:7], Past(10, 99)]))) == first


# --- runs -------------------------------------------------------------------------------------------------------------

HEAD = """\
version: 1
calendar: {timezone: Europe/Paris, holidays: FR}
currency: EUR
locale: en
sources: {files: {connector: files, path: data}}
datasets:
  orders: {from: files.orders, key: id, date: at, money: {amount: EUR}}
  quotas: {from: files.quotas, key: month, date: month, grain: month, ahead: true}
kpis:
"""
KPIS = """\
  revenue: {formula: sum(orders.amount), period: [month, quarter], segment: shop, unit: EUR, target: [{grain: month, value: 110% * year_ago(revenue)}]}
  number: {formula: count(orders), period: month, target: sum(quotas.orders)}
  basket: {formula: avg(orders.amount), period: month, unit: EUR, target: {between: [20, 30]}}
  large: {formula: count(orders) filter (where amount > 40) / count(orders), period: month, unit: percent, good: down, target: 15%}
  spent: {formula: sum(orders.cost), period: month, good: down, target: 400}
  all_of_it: {formula: sum(orders.amount), period: all}
  growth: {formula: revenue / year_ago(revenue) - 1, period: month, unit: percent}
  refunds: {formula: sum(orders.refund), period: month}
"""
NOW = "2026-05-12T15:00"


def orders(seed: int = 3, last: dt.date = dt.date(2026, 5, 31)) -> list[tuple[object, ...]]:
    dice, day, rows = random.Random(seed), dt.date(2023, 11, 1), []
    while day <= last:
        for _ in range(dice.randrange(4)):
            at = dt.datetime(day.year, day.month, day.day, dice.randrange(24), dice.randrange(60))
            amount, shop = Decimal(dice.randrange(500, 6000)) / 100, dice.choice(["north", "south"])
            rows.append((len(rows) + 1, at, amount, dice.randrange(9), -dice.randrange(2), shop))
        day += dt.timedelta(days=1)
    return rows


def folder(path: Path, kpis: str = KPIS, rows: list[tuple[object, ...]] | None = None) -> Path:
    data = path / "data"
    data.mkdir(parents=True)
    lines = [",".join(map(str, row)) for row in (orders() if rows is None else rows)]
    (data / "orders.csv").write_text("\n".join(["id,at,amount,cost,refund,shop", *lines]), "utf-8")
    (data / "quotas.csv").write_text("month,orders\n2026-05,60\n", "utf-8")
    (path / "kpis.yaml").write_text(HEAD + kpis, "utf-8")
    return path


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder(tmp_path_factory.mktemp("pace"))


def paced(
    path: Path, *kpis: str, as_of: str = NOW, segments: bool = False
) -> Mapping[tuple[str, ...], PaceFigures]:
    wanted = Wanted(pace=kpis or ("*",), pace_segments=segments)
    answers = cadran.open(path, environ={}).analyse(wanted, as_of=as_of).answers
    assert answers is not None
    return {(a.name, f.grain, *f.segment_value): f for a in answers.pace.values() for f in a.figures}


@pytest.fixture(scope="module")
def found(shop: Path) -> Mapping[tuple[str, ...], PaceFigures]:
    return paced(shop)


def summed(first: str, end: str, shop: str = "") -> Decimal:
    span = dt.datetime.fromisoformat(first), dt.datetime.fromisoformat(end)
    return sum(
        (Decimal(str(r[2])) for r in orders() if span[0] <= r[1] <= span[1] and shop in ("", r[5])),
        Decimal(0),
    )  # type: ignore[operator]


def test_to_date_and_the_same_elapsed_part_of_others(found: Mapping[tuple[str, ...], PaceFigures]) -> None:
    month = found["revenue", "month"]
    assert month.value == summed("2026-05-01", NOW)
    assert month.previous == summed("2026-04-01", "2026-04-12T15:00")
    assert month.year_ago == summed("2025-05-01", "2025-05-12T15:00")
    assert (month.period, month.elapsed) == ("2026-05", pytest.approx((11 + 15 / 24) / 31))
    quarter = found["revenue", "quarter"]
    assert (quarter.period, quarter.value) == ("2026-Q2", summed("2026-04-01", NOW))
    assert quarter.previous == summed("2026-01-01", "2026-02-11T15:00")  # 41 days and 15 hours


def test_the_target_is_that_of_the_whole_period(found: Mapping[tuple[str, ...], PaceFigures]) -> None:
    month = found["revenue", "month"]
    whole = summed("2025-05-01", "2025-05-31T23:59:59")
    assert month.target == Decimal("1.10") * whole  # not 110 % of what was there on 12 May
    assert month.left == month.target - summed("2026-05-01", NOW)
    assert month.working_days == 12  # 12 to 29 May without Ascension (14) and Whit Monday (25)
    assert month.per_day == month.left / 12
    assert found["number", "month"].target == 60


def test_projections_are_the_lines_of_earlier_runs(
    shop: Path, found: Mapping[tuple[str, ...], PaceFigures]
) -> None:
    """The values at the same elapsed part are what runs at those times said."""
    project_ = cadran.open(shop, environ={})
    past = []
    for back in range(24, 0, -1):
        index = 2026 * 12 + 4 - back
        first = dt.datetime(index // 12, index % 12 + 1, 1)
        label = f"{first:%Y-%m}"
        moment = first + dt.timedelta(days=11, hours=15)
        (then,) = [r for r in project_.run(["large"], as_of=moment.isoformat()) if r.period == label]
        (final,) = project_.run(["large"], as_of=NOW, since=first.date(), until=first.date())
        past.append(Past(None if then.value is None else float(then.value), float(final.value or 0)))
    figures = found["large", "month"]
    made, shown = project(past[-12:], float(figures.value or 0)), figures.projection
    assert made is not None
    assert shown is not None
    assert shown.value == pytest.approx(made.value)
    assert [(i.low, i.high) for i in shown.intervals] == [
        pytest.approx(made.interval(i.level)) for i in shown.intervals
    ]
    errors = [abs(said - came) / came for said, came, _ in tried_before(past)]
    assert (shown.tested, shown.error) == (12, pytest.approx(sum(errors) / 12))


def test_what_can_only_grow_does_not_end_below_what_is_there(tmp_path: Path) -> None:
    rows = [row for row in orders() if row[1] < dt.datetime(2026, 5, 1)]  # type: ignore[operator]
    burst = [(10_000 + n, dt.datetime(2026, 5, 2, 10), Decimal(500), 1, -5, "north") for n in range(9)]
    found = paced(folder(tmp_path, rows=[*rows, *burst]), "revenue", "number", "refunds", "basket")
    for name in ("revenue", "number"):
        figures = found[name, "month"]
        assert figures.projection is not None
        assert figures.projection.value >= float(figures.value or 0)
        assert all(i.low >= float(figures.value or 0) for i in figures.projection.intervals)
    refunds = found["refunds", "month"]  # its rows are negative: it may well shrink
    assert refunds.projection is not None
    assert refunds.projection.intervals[1].low < float(refunds.value or 0)


GROWING = {
    "count(orders)": True,
    "count(distinct orders.shop)": True,
    "active(orders.shop)": True,
    "new(orders.shop)": True,
    "sum(orders.amount)": True,
    "sum(orders.amount) filter (where shop = 'north')": True,
    "(sum(orders.amount) + count(orders)) + sum(orders.cost)": True,
    "dated(count(orders), at)": True,
    "ytd(sum(orders.amount))": True,
    "sum(orders.refund)": False,  # negative rows
    "sum(orders.amount) - sum(orders.cost)": False,
    "sum(orders.amount) / count(orders)": False,
    "avg(orders.amount)": False,
    "-count(orders)": False,
    "rolling(sum(orders.amount), 3)": False,  # it could, and is left out
    "previous(count(orders))": False,
    "retained(orders.shop)": False,
    "lost(orders.shop)": False,
    "count_having(orders.shop, count(orders) = 1)": False,
    "count(orders) filter (where fresh)": False,  # rests on now()
    "count(orders) filter (where newest)": False,  # a later row takes it away
    "count(shops) filter (where orders = 1)": False,  # so does a second order
}


def test_which_formulas_can_only_grow(tmp_path: Path) -> None:
    columns = (
        'orders: {from: files.orders, key: id, date: at, money: {amount: EUR}, links: {shop: shops}, columns: {fresh: "at > now() - interval 7 day", '
        "newest: row_number() over (partition by shop order by at desc) = 1}}\n  shops: {from: files.shops, key: shop, date: at, columns: {orders: count(orders)}}"
    )
    kpis = "".join(f'  k{n}: {{formula: "{formula}", period: month}}\n' for n, formula in enumerate(GROWING))
    path = folder(tmp_path, kpis)
    (path / "data" / "shops.csv").write_text("shop,at\nnorth,2023-11-01\nsouth,2024-01-01\n", "utf-8")
    text = (
        (path / "kpis.yaml")
        .read_text("utf-8")
        .replace("orders: {from: files.orders, key: id, date: at, money: {amount: EUR}}", columns)
    )
    (path / "kpis.yaml").write_text(text, "utf-8")
    project_ = cadran.open(path, environ={})
    declaration, model, _ = project_.model()
    assert declaration.kpis
    shown = {formula: growing(model.kpis[f"k{n}"].value, model) for n, formula in enumerate(GROWING)}
    assert {formula: found is not None for formula, found in shown.items()} == GROWING | {
        "sum(orders.refund)": True
    }
    assert len(shown["(sum(orders.amount) + count(orders)) + sum(orders.cost)"] or []) == 2


KNOWN_THEN = {
    "sum(orders.amount) / count(orders)": True,
    "new(orders.shop)": True,
    "count_having(orders.shop, count(orders) = 1)": True,  # of the period's rows alone
    "count(orders) filter (where nth = 1)": True,  # no later row changes which one came first
    "count(orders) filter (where at = first)": True,
    "count(orders) filter (where shops.at < at)": True,
    "converted(orders.id, shops.first_id, '60 days') / count(orders)": False,  # matches come later
    "count(orders) filter (where fresh)": False,
    "count(orders) filter (where newest)": False,
    "count(shops) filter (where orders = 1)": False,
    "count(orders) filter (where shops.orders = 1)": False,
    "count(orders) + count(orders) filter (where fresh)": False,
}


def test_of_which_formulas_the_past_was_known_then(tmp_path: Path) -> None:
    columns = (
        'orders: {from: files.orders, key: id, date: at, links: {shop: shops}, columns: {fresh: "at > now() - interval 7 day", '
        "newest: row_number() over (partition by shop order by at desc) = 1, nth: row_number() over (partition by shop order by at), "
        "first: min(at) over (partition by shop)}}\n"
        "  shops: {from: files.shops, key: shop, date: at, columns: {orders: count(orders), first_id: length(shop)}}"
    )
    kpis = "".join(
        f'  k{n}: {{formula: "{formula}", period: month}}\n' for n, formula in enumerate(KNOWN_THEN)
    )
    path = folder(tmp_path, kpis)
    (path / "data" / "shops.csv").write_text("shop,at\nnorth,2023-11-01\nsouth,2024-01-01\n", "utf-8")
    text = (path / "kpis.yaml").read_text("utf-8")
    text = text.replace("orders: {from: files.orders, key: id, date: at, money: {amount: EUR}}", columns)
    (path / "kpis.yaml").write_text(text, "utf-8")
    _, model, _ = cadran.open(path, environ={}).model()
    found = {formula: known_then(model.kpis[f"k{n}"].value, model) for n, formula in enumerate(KNOWN_THEN)}
    assert found == KNOWN_THEN
    assert known_then(model.kpis["k0"].value, model, ["shop"])
    figures = paced(path, "k6", "k0")
    assert (figures["k6", "month"].projection, figures["k6", "month"].reason) == (None, "later")
    assert (figures["k6", "month"].previous, figures["k6", "month"].year_ago) == (None, None)
    assert figures["k0", "month"].projection is not None


def test_ratios_are_not_spread_over_days(found: Mapping[tuple[str, ...], PaceFigures]) -> None:
    large = found["large", "month"]
    assert large.left == pytest.approx(0.15 - float(large.value or 0))
    assert (large.per_day, large.spreads) == (None, False)
    assert found["basket", "month"].per_day is None
    assert found["spent", "month"].spreads


def test_the_chance_of_a_target(found: Mapping[tuple[str, ...], PaceFigures]) -> None:
    for figures in found.values():
        made = figures.projection
        assert made is not None
        if figures.target is None:
            assert made.chance is None
            continue
        assert made.chance is not None
        assert 0 <= made.chance <= 1
    spent = found["spent", "month"].projection  # good: down, and 400 is far above what is ever spent
    assert spent is not None
    assert spent.chance == pytest.approx(1, abs=1e-3)


def test_segments_only_where_asked(shop: Path) -> None:
    found = paced(shop, "revenue", segments=True)
    assert {key for key in found if key[1] == "month"} == {
        ("revenue", "month"), ("revenue", "month", "north"), ("revenue", "month", "south"),
    }  # fmt: skip
    north = found["revenue", "month", "north"]
    assert north.value == summed("2026-05-01", NOW, "north")
    assert north.target == Decimal("1.10") * summed("2025-05-01", "2025-05-31T23:59:59", "north")
    assert set(paced(shop, "revenue")) == {("revenue", "month"), ("revenue", "quarter")}


def test_the_first_instant_of_a_period_has_nothing_yet(shop: Path) -> None:
    figures = paced(shop, "number", as_of="2026-05-01")["number", "month"]
    assert (figures.value, figures.elapsed) == (0, 0)
    assert figures.projection is not None
    assert figures.projection.periods == 12
    assert figures.working_days == 17


def test_too_little_history_is_said_and_not_projected(shop: Path) -> None:
    figures = paced(shop, "revenue", as_of="2024-03-10")["revenue", "month"]
    assert (figures.projection, figures.reason, figures.previous is None) == (None, "few", False)


def test_what_has_no_running_period_has_no_pace(shop: Path) -> None:
    assert paced(shop, "all_of_it") == {}
    with pytest.raises(ProblemsFound, match="unknown KPI 'revenu'"):
        paced(shop, "revenu")


def test_rows_after_the_clock_change_nothing(
    tmp_path: Path, found: Mapping[tuple[str, ...], PaceFigures]
) -> None:
    rows = [row for row in orders() if row[1] <= dt.datetime.fromisoformat(NOW)]  # type: ignore[operator]
    assert paced(folder(tmp_path, rows=rows)) == found


def test_a_database_says_the_same(tmp_path: Path, found: Mapping[tuple[str, ...], PaceFigures]) -> None:
    path = folder(tmp_path)
    with sqlite3.connect(tmp_path / "shop.db") as database:
        database.execute(
            "create table orders (id integer, at timestamp, amount decimal(9,2), cost integer, refund integer, shop text)"
        )
        rows = [(i, f"{at}", f"{amount}", c, r, s) for i, at, amount, c, r, s in orders()]
        database.executemany("insert into orders values (?, ?, ?, ?, ?, ?)", rows)
    database.close()
    text = (path / "kpis.yaml").read_text("utf-8").replace(
        "sources: {", f"sources: {{db: {{connector: sql, url: 'sqlite:///{tmp_path / 'shop.db'}'}}, "
    ).replace("files.orders", "db.orders")  # fmt: skip
    (path / "kpis.yaml").write_text(text, "utf-8")
    there = paced(path, "number", "large", "spent")
    for key, figures in there.items():
        assert figures == found[key]
