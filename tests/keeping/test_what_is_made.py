"""Which results are made again after which change: exactly those that it touches."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest

from keeping.shop import DATASETS, Shop, made, months, passing, taken, values

FINAL = (1, 2, 3)
LATER = dt.date(2026, 4, 16)


def every(*kpis: str) -> set[str]:
    return set().union(*(months(kpi, *FINAL) for kpi in kpis))


@pytest.fixture(params=["parquet", "csv"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    return Shop(tmp_path, suffix=request.param)


def test_the_first_run_makes_everything_and_the_second_what_is_open(shop: Shop) -> None:
    first = shop.run()
    assert made(first) == every("revenue", "sales", "cost")
    assert not taken(first)
    second = shop.run(as_of=LATER)
    assert not made(second)
    assert taken(second) == every("revenue", "sales", "cost")
    assert passing(second) >= months("revenue", 4)
    assert values(second) == values(shop.run(as_of=LATER, full=True))


def test_a_new_file_touches_the_months_that_it_has_dates_of(shop: Shop) -> None:
    shop.run()
    shop.save("orders", "2026-04-15", [(90, "2026-04-15", "a", 5)])
    assert not shop.made(as_of=LATER)
    shop.save("orders", "late", [(91, "2026-02-28", "b", 5)])
    assert shop.made(as_of=LATER) == months("revenue", 2) | months("sales", 2)


def test_a_changed_file_touches_its_months(shop: Shop) -> None:
    before = values(shop.run())
    shop.save("orders", "2026-02", [(20, "2026-02-01", "a", 1000)])
    after = shop.run()
    assert made(after) == months("revenue", 2) | months("sales", 2)
    assert (before["revenue", "2026-02"], values(after)["revenue", "2026-02"]) == (63, 1000)


def test_a_removed_file_touches_its_months(shop: Shop) -> None:
    shop.run()
    shop.path("orders", "2026-02").unlink()
    assert shop.made() == months("revenue", 2) | months("sales", 2)


def test_a_file_that_is_touched_or_moved_touches_nothing(shop: Shop) -> None:
    shop.run()
    os.utime(shop.path("orders", "2026-02"))
    assert not shop.made()
    shop.path("orders", "2026-02").rename(shop.path("orders", "february"))
    assert not shop.made()


def test_a_changed_formula_touches_its_kpi(shop: Shop) -> None:
    shop.run()
    shop.declare(revenue="sum(orders.amount) filter (where amount > 11)")
    assert shop.made() == every("revenue")
    shop.declare(revenue="sum(orders.amount)")
    assert not shop.made()  # what was kept of it is still there


def test_formulas_of_the_same_measures_share_what_is_kept(shop: Shop) -> None:
    shop.run()
    shop.declare(average="revenue / sales", revenue="sum(orders.amount) / 2")
    assert not shop.made()


def test_a_new_segment_touches_its_kpi(shop: Shop) -> None:
    shop.run()
    shop.segment["revenue"] = "tier"
    shop.declare()
    assert shop.made() == every("revenue")  # 'sales' shares the scan, and is not asked for its segments
    assert not shop.made()


def test_a_derived_column_touches_the_kpis_that_use_it(shop: Shop) -> None:
    shop.declare(large="count(orders) filter (where large)")
    shop.run()
    shop.datasets = DATASETS.replace("amount >= 100", "amount >= 20")
    shop.declare()
    assert shop.made() == every("large")


def test_a_filter_of_rows_touches_all_kpis_of_the_dataset(shop: Shop) -> None:
    shop.run()
    shop.datasets = DATASETS.replace("key: id\n    date", "key: id\n    where: amount <> 11\n    date")
    shop.declare()
    assert shop.made() == every("revenue", "sales")


def test_a_dimensions_file_touches_only_the_kpis_that_walk_to_it(shop: Shop) -> None:
    shop.declare(gold="count(orders) filter (where customers.tier = 'gold')", people="count(customers)")
    shop.run()
    shop.save(
        "customers",
        "all",
        [("a", "2025-12-01", "gold"), ("b", "2026-01-10", "gold"), ("c", "2026-02-01", None)],
    )
    # In March there are no customers, as before.
    assert shop.made() == every("gold") | months("people", 1, 2) | {"people 2025-12"}


def test_a_link_touches_the_kpis_that_walk_it(shop: Shop) -> None:
    shop.declare(gold="count(orders) filter (where customers.tier = 'gold')")
    shop.run()
    shop.datasets = DATASETS.replace(
        "links: {customer: customers}", "links: {customers: {column: other, to: customers}}"
    )
    shop.datasets = shop.datasets.replace(
        "large: amount >= 100", "large: amount >= 100, other: lower(customer)"
    )
    shop.declare()
    assert shop.made() == every("gold")


def test_windows_that_look_back_do_not_see_new_days_and_others_see_everything(shop: Shop) -> None:
    shop.declare(repeat="count(orders) filter (where nth > 1)", share="sum(orders.amount / of_all)")
    shop.run()
    shop.save("orders", "2026-04-15", [(90, "2026-04-15", "a", 5)])
    assert shop.made(as_of=LATER) == every("share")
    shop.save("orders", "late", [(91, "2026-02-27", "b", 5)])
    assert shop.made("repeat", as_of=LATER) == months("repeat", 2, 3)


def test_what_was_first_seen_rests_on_all_that_came_before(shop: Shop) -> None:
    shop.declare(fresh="new(orders.customer)")
    shop.run()
    shop.save("orders", "late", [(91, "2026-02-27", "b", 5)])
    assert shop.made("fresh") == months("fresh", 2, 3)


def test_retention_rests_on_the_month_before(shop: Shop) -> None:
    shop.declare(back="retained(orders.customer)")
    shop.run(since=dt.date(2026, 1, 1))
    shop.save("orders", "2026-02", [(20, "2026-02-01", "a", 1000)])
    assert shop.made("back") == months("back", 2, 3)


def test_conversions_rest_on_their_window(shop: Shop) -> None:
    shop.declare(soon="converted(customers.id, orders.customer, '30 days')")
    shop.run()
    shop.save("orders", "2026-03", [(30, "2026-03-02", "c", 1)])
    assert shop.made("soon") == months("soon", 1, 2)  # the window of 31 January ends on 2 March


def test_a_month_that_settles_is_kept_only_then(shop: Shop) -> None:
    shop.datasets = DATASETS.replace("key: id\n    date", "key: id\n    settle: 20 days\n    date")
    shop.declare()
    first = shop.run("sales")
    assert "sales 2026-03" in passing(first)
    assert made(first) == months("sales", 1, 2)
    assert made(shop.run("sales", as_of=dt.date(2026, 4, 21))) == months("sales", 3)
    assert not shop.made("sales", as_of=dt.date(2026, 4, 21))


def test_cohorts_are_kept_once_they_have_matured(shop: Shop) -> None:
    shop.declare(soon="converted(customers.id, orders.customer, '45 days')")
    first = shop.run("soon")
    assert passing(first) >= months("soon", 3)
    assert made(first) == months("soon", 1, 2) | {"soon 2025-12"}
    assert shop.made("soon", as_of=dt.date(2026, 5, 16)) >= months("soon", 3)


def test_an_earlier_clock_neither_takes_what_a_later_one_knows_nor_destroys_it(shop: Shop) -> None:
    shop.save(
        "customers",
        "all",
        [("a", "2025-12-01", "gold"), ("b", "2026-03-10", "basic"), ("c", "2026-02-01", None)],
    )
    shop.segment["revenue"] = "tier"
    shop.declare()
    late = values(shop.run())
    early = shop.run(as_of=dt.date(2026, 3, 1))
    assert taken(early) == months("cost", 1, 2) | months(
        "sales", 1, 2
    )  # 'revenue' sees a customer who is not there yet
    assert values(early)["revenue", "2026-01", "(none)"] != late["revenue", "2026-01", "(none)"]
    assert not shop.made()
    assert values(shop.run()) == late


def test_all_time_is_kept_as_long_as_no_row_comes(shop: Shop) -> None:
    shop.period = "all"
    shop.declare()
    shop.run()
    assert not shop.made(as_of=LATER) - passing(shop.run(as_of=LATER))
    shop.save("costs", "more", [(9, "2026-04-02", 1)])
    assert {k.split()[0] for k in shop.made(as_of=LATER)} == {"cost"}


def test_what_rests_on_the_clock_is_never_kept_and_says_so(shop: Shop) -> None:
    shop.declare(recent="count(orders) filter (where day > now() - interval 90 day)")
    shop.run()
    again = shop.run()
    assert passing(again) >= months("recent", *FINAL)
    assert [(n.kpi, n.kind) for n in again.notes] == [("recent", "clock")]


def test_full_takes_nothing_and_keeps_what_it_makes(shop: Shop) -> None:
    shop.run()
    assert made(shop.run(full=True)) == every("revenue", "sales", "cost")
    assert not shop.made()


def test_another_zone_is_another_result(shop: Shop) -> None:
    shop.run()
    text = (shop.folder / "kpis.yaml").read_text(encoding="utf-8")
    (shop.folder / "kpis.yaml").write_text(text.replace("Europe/Paris", "America/New_York"), encoding="utf-8")
    assert shop.made() == every("revenue", "sales", "cost")


def test_settings_of_a_source_count(tmp_path: Path) -> None:
    shop = Shop(tmp_path, suffix="csv")
    shop.run()
    text = (shop.folder / "kpis.yaml").read_text(encoding="utf-8")
    (shop.folder / "kpis.yaml").write_text(
        text.replace("    path: data", "    path: data\n    nulls: ['', '-']"), encoding="utf-8"
    )
    assert shop.made() == every("revenue", "sales", "cost")


def test_a_column_of_another_type_touches_who_uses_it(shop: Shop) -> None:
    shop.run()
    rows = [(n, f"2026-{n:02}-05", 7) for n in (1, 2, 3, 4)]
    shop.save("costs", "all", rows, columns="id INTEGER, day DATE, amount DOUBLE")
    after = shop.run()
    assert made(after) == every("cost")
