"""The committed sample data: made by its generator, sound, and holding the effects that data/README.md promises."""

from __future__ import annotations

import datetime as dt
import re
import runpy
from collections import Counter
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from shipped.sample import (
    DATA,
    Row,
    at,
    by,
    close_rate,
    costs,
    crm,
    euros,
    finance,
    french_day,
    index,
    leads,
    sales,
    satisfaction,
    span,
    upsell_rate,
    within,
)

CHANNELS = {"web", "paid", "referral", "event", "cold_call"}
BEFORE = ("2025-03", "2025-04", "2025-05", "2025-06", "2025-07", "2025-08")
AFTER = ("2025-09", "2025-10", "2025-11", "2025-12", "2026-01", "2026-02")


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


# --- how the files come about ----------------------------------------------------------------------------------------


def test_the_generator_writes_the_committed_bytes(tmp_path: Path) -> None:
    runpy.run_path(str(DATA / "generate.py"))["main"](tmp_path)
    made = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*.csv")}
    kept = {path.relative_to(DATA): path.read_bytes() for path in DATA.rglob("*.csv")}
    assert sorted(made) == sorted(kept)
    assert [str(name) for name in sorted(made) if made[name] != kept[name]] == []


def test_the_data_is_small() -> None:
    assert sum(path.stat().st_size for path in DATA.rglob("*.csv")) < 2_200_000


# --- soundness -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "key"),
    [
        *((name, ("id",)) for name in ("leads", "users", "customers", "deals", "orders", "products", "surveys", "sessions", "tickets", "visits")),
        ("stage_history", ("deal_id", "stage")), ("order_lines", ("order_id", "line_no")),
        ("quotas", ("month", "range")), ("pipeline", ("day", "owner_id")),
    ],
)  # fmt: skip
def test_keys_are_unique_and_filled(table: str, key: tuple[str, ...]) -> None:
    keys = Counter(tuple(row[column] for column in key) for row in crm(table))
    assert not any("" in values for values in keys)
    assert max(keys.values()) == 1


def test_finance_keys_are_unique() -> None:
    assert max(Counter(row["id"] for row in finance("costs")).values()) == 1
    assert max(Counter((row["day"], row["currency"]) for row in finance("rates")).values()) == 1


@pytest.mark.parametrize(
    ("table", "column", "to", "unmatched"),
    [
        ("leads", "customer_id", "customers", []), ("leads", "owner_id", "users", []), ("deals", "lead_id", "leads", []),
        ("deals", "customer_id", "customers", []), ("deals", "owner_id", "users", ["U99"]),
        ("stage_history", "deal_id", "deals", []), ("orders", "customer_id", "customers", []),
        ("order_lines", "order_id", "orders", []), ("order_lines", "product_id", "products", []),
        ("surveys", "customer_id", "customers", []), ("sessions", "customer_id", "customers", ["C9999"]),
        ("tickets", "customer_id", "customers", []), ("visits", "customer_id", "customers", []),
        ("visits", "order_id", "orders", []), ("pipeline", "owner_id", "users", []),
    ],
)  # fmt: skip
def test_links_match_but_for_those_left_open(table: str, column: str, to: str, unmatched: list[str]) -> None:
    strays = [row[column] for row in crm(table) if row[column] and row[column] not in index(to)]
    assert sorted(set(strays)) == unmatched
    assert len(strays) < 6


@pytest.mark.parametrize(
    ("table", "start", "end"),
    [("customers", "created_at", "churned_at"), ("deals", "created_at", "closed_at"), ("tickets", "opened_at", "closed_at"),
     ("stage_history", "entered_at", "left_at"), ("leads", "created_at", "last_touch_at")],
)  # fmt: skip
def test_nothing_ends_before_it_starts_or_after_the_data(table: str, start: str, end: str) -> None:
    for row in crm(table):
        assert not row[start] or at(row[start]) <= at(row[end])
        assert not row[end] or at(row[end]) < dt.datetime(2026, 7, 1)


@pytest.mark.parametrize(
    ("table", "column"),
    [("leads", "created_at"), ("deals", "created_at"), ("orders", "ordered_at"), ("sessions", "started_at"),
     ("surveys", "answered_at"), ("tickets", "opened_at"), ("visits", "visited_at")],
)  # fmt: skip
def test_three_years_are_covered_to_the_last_day(table: str, column: str) -> None:
    moments = [at(row[column]) for row in crm(table) if row[column]]
    assert dt.datetime(2023, 7, 1) <= min(moments) < dt.datetime(2023, 8, 1)
    assert dt.datetime(2026, 6, 26) < max(moments) < dt.datetime(2026, 7, 1)
    assert len({moment.strftime("%Y-%m") for moment in moments}) == 36


def test_money_is_exact_to_the_cent() -> None:
    amounts = [row[column] for table, column in (("orders", "amount"), ("deals", "amount"), ("products", "price"),
               ("order_lines", "unit_price"), ("quotas", "amount"), ("pipeline", "amount")) for row in crm(table)]  # fmt: skip
    assert all(re.fullmatch(r"\d+\.\d\d", amount) for amount in amounts)
    assert all(re.fullmatch(r"\d+,\d\d", row["amount"]) for row in finance("costs"))
    lines: Counter[str] = Counter()
    for row in crm("order_lines"):
        lines[row["order_id"]] += int(row["quantity"]) * int(row["unit_price"].replace(".", ""))
    assert {row["id"]: int(row["amount"].replace(".", "")) for row in crm("orders")} == lines


def test_a_won_lead_names_its_customer() -> None:
    won = {d["lead_id"]: d for d in crm("deals") if d["lead_id"] and d["stage"] == "won"}
    converted = {lead["id"]: lead["customer_id"] for lead in leads() if lead["customer_id"]}
    assert {lead: deal["customer_id"] for lead, deal in won.items()} == converted
    assert all(index("customers")[d["customer_id"]]["created_at"] == d["closed_at"] for d in won.values())


def test_deals_and_their_stages_agree() -> None:
    stages = by(crm("stage_history"), lambda row: row["deal_id"])
    for deal in crm("deals"):
        steps = stages[deal["id"]]
        assert steps[0]["entered_at"] == deal["created_at"]
        assert [step["entered_at"] for step in steps[1:]] == [step["left_at"] for step in steps[:-1]]
        assert steps[-1]["left_at"] == deal["closed_at"]
        assert deal["stage"] in ("won", "lost") if deal["closed_at"] else deal["stage"] == steps[-1]["stage"]
        assert deal["stage"] != "won" or len(steps) == 4


def test_the_pipeline_snapshot_is_what_was_open() -> None:
    monday = dt.datetime(2026, 6, 29)
    known = [
        d
        for d in crm("deals")
        if at(d["created_at"]) < monday <= at(d["closed_at"]) and d["owner_id"] != "U99"
    ]
    want = {
        owner: sum(Decimal(d["amount"]) for d in rows)
        for owner, rows in by(known, lambda d: d["owner_id"]).items()
    }
    assert {
        row["owner_id"]: Decimal(row["amount"]) for row in crm("pipeline") if row["day"] == "2026-06-29"
    } == want


def test_plans_reach_ahead_and_rates_reach_back() -> None:
    assert {row["month"] for row in crm("quotas")} >= {"2023-07", "2026-06", "2026-12"}
    first_order = min(at(row["ordered_at"]) for row in crm("orders")).date()
    assert min(french_day(row["day"]) for row in finance("rates")) < first_order
    assert {row["currency"] for row in crm("orders")} == {"EUR", "CHF"}


def test_the_files_need_their_encoding() -> None:
    assert "Primes clients (50 € pièce)" in {row["supplier"] for row in finance("costs")}
    assert b"\x80" in (DATA / "finance" / "costs.csv").read_bytes()  # the euro sign of cp1252
    assert b"\xc3\xa9" in (DATA / "crm" / "users.csv").read_bytes()  # an é of UTF-8


@pytest.mark.parametrize(
    ("table", "column", "least", "most"),
    [("leads", "channel", 10, 60), ("leads", "owner_id", 5, 40), ("sessions", "started_at", 3, 10), ("tickets", "opened_at", 1, 5),
     ("surveys", "score", 100, 400)],
)  # fmt: skip
def test_a_few_values_are_missing(table: str, column: str, least: int, most: int) -> None:
    assert least <= sum(not row[column] for row in crm(table)) <= most


def test_some_leads_are_tests_and_some_orders_were_entered_late() -> None:
    assert 5 <= sum(row["is_test"] == "true" for row in crm("leads")) <= 30
    moments = [at(row["ordered_at"]) for row in crm("orders")]
    late = sum(earlier > later + dt.timedelta(days=1) for earlier, later in pairwise(moments))
    assert 30 <= late <= 200


# --- the planted effects -----------------------------------------------------------------------------------------------


def test_effect_1_the_new_crm_lifts_close_rate_and_upsell_rate() -> None:
    before, after = mean([close_rate(m) for m in BEFORE]), mean([close_rate(m) for m in AFTER])
    assert after / before > 1.15
    before, after = mean([upsell_rate(m) for m in BEFORE]), mean([upsell_rate(m) for m in AFTER])
    assert after / before > 1.5


def test_effect_1_is_not_the_season() -> None:
    year_ago = [f"{int(m[:4]) - 1}{m[4:]}" for m in AFTER]
    assert mean([close_rate(m) for m in AFTER]) / mean([close_rate(m) for m in year_ago]) > 1.15
    assert mean([upsell_rate(m) for m in AFTER]) / mean([upsell_rate(m) for m in year_ago]) > 1.3


def test_effect_2_cross_selling_happens_in_the_first_week_of_the_month() -> None:
    revenue: Counter[str] = Counter()
    first_week: Counter[str] = Counter()
    for kind, order, amount in sales():
        revenue[kind] += amount  # type: ignore[assignment]
        first_week[kind] += amount if at(order["ordered_at"]).day <= 7 else 0  # type: ignore[assignment]
    assert first_week["cross-sell"] / revenue["cross-sell"] > 0.6
    others = {k for k in revenue if k != "cross-sell"}
    assert sum(first_week[k] for k in others) / sum(revenue[k] for k in others) < 0.3


def test_effect_3_negotiation_is_the_slow_stage() -> None:
    won = {deal["id"] for deal in crm("deals") if deal["stage"] == "won"}
    days: Counter[str] = Counter()
    for step in crm("stage_history"):
        if step["deal_id"] in won:
            days[step["stage"]] += (at(step["left_at"]) - at(step["entered_at"])).days
    assert days["negotiation"] / sum(days.values()) > 0.5


@pytest.mark.parametrize("year", [2023, 2024, 2025])
def test_effect_4_august_is_low_and_december_high(year: int) -> None:
    orders = {month: len(within(crm("orders"), "ordered_at", f"{year}-{month:02d}")) for month in (8, 11, 12)}
    assert orders[12] >= 1.8 * orders[8]
    assert orders[12] > 1.15 * orders[11]
    new = {month: len(within(leads(), "created_at", f"{year}-{month:02d}")) for month in range(7, 13)}
    assert min(new, key=lambda month: new[month]) == 8


def test_effect_5_paid_converts_worse_and_costs_more() -> None:
    known = [lead for lead in leads() if lead["channel"]]
    assert {lead["channel"] for lead in known} == CHANNELS
    paid = [lead for lead in known if lead["channel"] == "paid"]
    others = [lead for lead in known if lead["channel"] != "paid"]

    def rate(rows: list[Row]) -> float:
        return sum(bool(row["customer_id"]) for row in rows) / len(rows)

    assert rate(paid) < 0.55 * rate(others)
    months = [f"{year}-Q{quarter}" for year in (2024, 2025) for quarter in (1, 2, 3, 4)]

    def cac(channels: set[str]) -> float:
        spent = sum((costs(label, channel) for label in months for channel in channels), Decimal(0))
        won = [
            c
            for label in months
            for c in within(crm("customers"), "created_at", label)
            if c["channel"] in channels
        ]
        return float(spent) / len(won)

    assert cac({"paid"}) > 2 * cac(CHANNELS - {"paid"})


def test_effect_6_satisfied_customers_stay() -> None:
    scores = satisfaction()
    left: dict[str, list[bool]] = {"satisfied": [], "neutral": [], "dissatisfied": []}
    for customer in crm("customers"):
        score = scores.get(customer["id"])
        if score is not None:
            band = "satisfied" if score >= 4 else "neutral" if score >= 3 else "dissatisfied"
            left[band].append(bool(customer["churned_at"]))
    shares = {band: mean([float(gone) for gone in rows]) for band, rows in left.items()}
    assert min(len(rows) for rows in left.values()) >= 50
    assert shares["satisfied"] < 0.5 * shares["dissatisfied"]
    assert shares["satisfied"] < shares["neutral"] < shares["dissatisfied"]


def test_revenue_follows_the_plan() -> None:
    for label in ("2026-04", "2026-05", "2026-06"):
        got = sum((euros(order) for order in within(crm("orders"), "ordered_at", label)), Decimal(0))
        plan = sum(
            Decimal(row["amount"])
            for row in crm("quotas")
            if row["month"] == span(label)[0].strftime("%Y-%m")
        )
        assert 0.85 < got / plan < 1.35
