"""The shipped KPIs against the same figures worked out from the files in plain Python."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from statistics import mean, median

import pytest

import cadran
from cadran.compute.results import Results
from cadran.compute.results import Row as Figure
from shipped.sample import (
    ROOT,
    Row,
    at,
    buyers,
    by,
    close_rate,
    costs,
    crm,
    customers_at,
    customers_during,
    euros,
    finance,
    french_day,
    french_number,
    index,
    leads,
    sales,
    satisfaction,
    span,
    upsell_rate,
    within,
)

Figures = Mapping[tuple[str, str, tuple[str, ...]], Figure]
END = dt.datetime(2026, 7, 1)


@pytest.fixture(scope="module")
def results() -> Results:
    return cadran.open(ROOT / "kpis.yaml").run(as_of="2026-07-01")


@pytest.fixture(scope="module")
def figures(results: Results) -> Figures:
    return {(row.kpi, row.period, row.segment_value): row for row in results}


def same(row: Figure, want: float | Decimal) -> bool:
    return row.value is not None and float(row.value) == pytest.approx(float(want), rel=1e-9)


def acquired(label: str, channel: str = "") -> list[Row]:
    return [c for c in within(crm("customers"), "created_at", label) if channel in ("", c["channel"])]


def revenue(label: str, segment: str = "") -> Decimal:
    orders = within(crm("orders"), "ordered_at", label)
    kept = [o for o in orders if segment in ("", index("customers")[o["customer_id"]]["segment"])]
    return sum((euros(o) for o in kept), Decimal(0))


def new_revenue(label: str, channel: str = "") -> Decimal:
    who = {c["id"] for c in acquired(label, channel)}
    return sum(
        (euros(o) for o in within(crm("orders"), "ordered_at", label) if o["customer_id"] in who), Decimal(0)
    )


def plan(label: str, segment: str = "") -> Decimal:
    low, high = (moment.strftime("%Y-%m") for moment in span(label))
    rows = [q for q in crm("quotas") if low <= q["month"] < high and segment in ("", q["range"])]
    return sum((Decimal(q["amount"]) for q in rows), Decimal(0))


def won(label: str) -> list[Row]:
    return [d for d in within(crm("deals"), "closed_at", label) if d["stage"] == "won"]


def cycle_days(label: str) -> list[int]:
    """From the lead's first day, or the deal's where there was no lead, to the signature."""
    starts = [index("leads")[d["lead_id"]] if d["lead_id"] else d for d in won(label)]
    return [
        (at(d["closed_at"]).date() - at(s["created_at"]).date()).days
        for d, s in zip(won(label), starts, strict=True)
    ]


def churn(label: str, who: set[str] | None = None) -> float:
    low, high = span(label)
    start = [c for c in customers_at(low) if who is None or c["id"] in who]
    return sum(at(c["churned_at"]) < high for c in start) / len(start)


def answers(label: str, kind: str) -> list[int]:
    return [
        int(s["score"])
        for s in within(crm("surveys"), "answered_at", label)
        if s["kind"] == kind and s["score"]
    ]


# --- acquisition -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", ["2025-07", "2026-01", "2026-06", "2026-Q1"])
def test_leads_and_their_conversion(figures: Figures, label: str) -> None:
    created = within(leads(), "created_at", label)
    assert same(figures["new_leads", label, ()], len(created))
    assert same(figures["lead_conversion_rate", label, ()], len(acquired(label)) / len(created))
    paid = [lead for lead in created if lead["channel"] == "paid"]
    assert same(figures["lead_conversion_rate", label, ("paid",)], len(acquired(label, "paid")) / len(paid))


def test_qualified_leads_by_owner(figures: Figures) -> None:
    good = [lead for lead in within(leads(), "created_at", "2026-05") if int(lead["score"]) >= 50]
    assert same(figures["qualified_leads", "2026-05", ()], len(good))
    counts = by(good, lambda lead: index("users")[lead["owner_id"]]["name"] if lead["owner_id"] else "(none)")
    for name, rows in counts.items():
        assert same(figures["qualified_leads", "2026-05", (name,)], len(rows))


@pytest.mark.parametrize("label", ["2025-09", "2026-03"])
def test_conversion_within_sixty_days(figures: Figures, label: str) -> None:
    rows = within(leads(), "created_at", label)
    moments = [
        (at(r["created_at"]), at(index("customers")[r["customer_id"]]["created_at"]))
        for r in rows
        if r["customer_id"]
    ]
    hits = sum(end <= start + dt.timedelta(days=60) for start, end in moments)
    assert same(figures["lead_conversion_60d", label, ()], hits / len(rows))


def test_young_cohorts_are_not_judged(figures: Figures) -> None:
    states = {
        label: figures["lead_conversion_60d", label, ()].state for label in ("2026-04", "2026-05", "2026-06")
    }
    assert states == {"2026-04": "final", "2026-05": "maturing", "2026-06": "maturing"}


@pytest.mark.parametrize("label", ["2025-Q3", "2026-Q2"])
@pytest.mark.parametrize("channel", ["", "paid", "referral"])
def test_acquisition_cost_and_roi(figures: Figures, label: str, channel: str) -> None:
    spent, segment = costs(label, channel), (channel,) if channel else ()
    assert same(figures["cac", label, segment], spent / len(acquired(label, channel)))
    assert same(figures["acquisition_roi", label, segment], (new_revenue(label, channel) - spent) / spent)


@pytest.mark.parametrize("label", ["2025-Q3", "2026-Q2"])
def test_campaigns_by_channel(figures: Figures, label: str) -> None:
    low, high = (moment.date() for moment in span(label))
    wanted = ("referral", "partner_bonus")
    spent = sum(
        french_number(row["amount"]) for row in finance("costs")
        if low <= french_day(row["day"]) < high and (row["channel"], row["campaign"], row["kind"]) == (*wanted, "marketing")
    )  # fmt: skip
    who = {c["id"] for c in acquired(label) if (c["channel"], c["campaign"]) == wanted}
    came = sum(euros(o) for o in within(crm("orders"), "ordered_at", label) if o["customer_id"] in who)
    assert same(figures["campaign_roi", label, wanted], (came - spent) / spent)


@pytest.mark.parametrize("label", ["2025-Q3", "2026-Q2"])
def test_leads_that_became_prospects(figures: Figures, label: str) -> None:
    created = within(leads(), "created_at", label)
    with_deal = {deal["lead_id"] for deal in crm("deals")}
    assert same(
        figures["prospect_rate", label, ()], sum(row["id"] in with_deal for row in created) / len(created)
    )


# --- deals -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", ["2025-08", "2026-06", "2026-Q1"])
def test_close_rate(figures: Figures, label: str) -> None:
    assert same(figures["close_rate", label, ()], close_rate(label))


@pytest.mark.parametrize("label", ["2025-Q4", "2026-Q2"])
def test_sales_cycle(figures: Figures, label: str) -> None:
    assert same(figures["sales_cycle", label, ()], mean(cycle_days(label)))
    assert same(figures["sales_cycle_median", label, ()], median(cycle_days(label)))


def test_days_per_stage(figures: Figures) -> None:
    steps = by(within(crm("stage_history"), "left_at", "2026-Q2"), lambda step: step["stage"])
    days = {
        stage: mean([(at(s["left_at"]).date() - at(s["entered_at"]).date()).days for s in rows])
        for stage, rows in steps.items()
    }
    for stage, value in days.items():
        assert same(figures["stage_days", "2026-Q2", (stage,)], value)
    assert max(days, key=lambda stage: days[stage]) == "negotiation"


def test_deal_size_and_transformation(figures: Figures) -> None:
    assert same(figures["average_deal_size", "2026-06", ()], mean(float(d["amount"]) for d in won("2026-06")))
    decided = within(crm("deals"), "closed_at", "2026-Q2")
    assert same(figures["transformation_rate", "2026-Q2", ()], len(won("2026-Q2")) / len(decided))
    visits = within(crm("visits"), "visited_at", "2026-06")
    assert same(
        figures["transformation_shop", "2026-06", ()], sum(bool(v["order_id"]) for v in visits) / len(visits)
    )
    web = [o for o in within(crm("orders"), "ordered_at", "2026-06") if o["channel"] == "web"]
    assert same(
        figures["transformation_web", "2026-06", ()],
        len(web) / len(within(crm("sessions"), "started_at", "2026-06")),
    )


def test_pipeline_coverage(figures: Figures) -> None:
    last = sum(Decimal(r["amount"]) for r in crm("pipeline") if r["day"] == "2026-06-29")
    assert same(figures["pipeline_coverage", "2026-06", ()], last / plan("2026-07"))


# --- revenue ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", ["2025-12", "2026-06", "2026-Q2"])
@pytest.mark.parametrize("segment", ["", "small", "large"])
def test_revenue_and_its_target(figures: Figures, label: str, segment: str) -> None:
    row = figures["revenue", label, (segment,) if segment else ()]
    assert same(row, revenue(label, segment))
    assert row.target is not None
    assert Decimal(str(row.target)) == plan(label, segment)


def test_revenue_is_exact(figures: Figures) -> None:
    assert figures["revenue", "2026-06", ()].value == revenue("2026-06")


def test_revenue_of_the_fiscal_year(figures: Figures) -> None:
    assert same(figures["revenue_to_date", "2026-06", ()], revenue("2026-Q2"))
    assert same(figures["new_revenue", "2026-06", ()], new_revenue("2026-06"))
    assert same(figures["revenue_per_customer", "2026-Q2", ()], revenue("2026-Q2") / len(buyers("2026-Q2")))


@pytest.mark.parametrize("label", ["2025-11", "2026-Q2"])
def test_cross_and_up_selling(figures: Figures, label: str) -> None:
    low, high = span(label)
    sold = [(kind, order, amount) for kind, order, amount in sales() if low <= at(order["ordered_at"]) < high]
    everything = sum(amount for *_, amount in sold)
    for kpi, wanted in (("cross_selling", "cross-sell"), ("up_selling", "up-sell")):
        assert same(
            figures[kpi, label, ()], sum(amount for kind, _, amount in sold if kind == wanted) / everything
        )
    orders = {order["id"] for _, order, _ in sold}
    for kpi, wanted in (("cross_selling_orders", "cross-sell"), ("up_selling_orders", "up-sell")):
        if "Q" in label:
            held = {order["id"] for kind, order, _ in sold if kind == wanted}
            assert same(figures[kpi, label, ()], len(held) / len(orders))
    week = [(kind, amount) for kind, order, amount in sold if at(order["ordered_at"]).day <= 7]
    share = sum(amount for kind, amount in week if kind == "cross-sell") / sum(amount for _, amount in week)
    assert same(figures["cross_selling", label, ("01-07",)], share)


def test_revenue_and_upsell_by_satisfaction(figures: Figures) -> None:
    happy = {who for who, score in satisfaction().items() if score >= 4}
    orders = [o for o in within(crm("orders"), "ordered_at", "2026-Q2") if o["customer_id"] in happy]
    money = sum((euros(o) for o in orders), Decimal(0))
    assert same(figures["revenue", "2026-Q2", ("satisfied",)], money)
    counts = by(orders, lambda o: o["customer_id"])
    assert same(figures["revenue_per_customer", "2026-Q2", ("satisfied",)], money / len(counts))
    twice = sum(len(rows) >= 2 for rows in counts.values())
    assert same(figures["upsell_rate_buyers", "2026-Q2", ("satisfied",)], twice / len(counts))


@pytest.mark.parametrize("label", ["2025-Q4", "2026-Q2"])
def test_both_upsell_rates(figures: Figures, label: str) -> None:
    assert same(figures["upsell_rate", label, ()], upsell_rate(label))
    counts = buyers(label).values()
    assert same(figures["upsell_rate_buyers", label, ()], sum(n >= 2 for n in counts) / len(counts))


# --- loyalty ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", ["2025-Q2", "2026-Q2"])
def test_churn_and_retention(figures: Figures, label: str) -> None:
    low, high = span(label)
    assert same(figures["churn_rate", label, ()], churn(label))
    assert same(figures["retention", label, ()], 1 - churn(label))
    assert same(figures["net_churn", label, ()], 1 - len(customers_at(high)) / len(customers_at(low)))
    happy = {who for who, score in satisfaction().items() if score >= 4}
    assert same(figures["churn_rate", label, ("satisfied",)], churn(label, happy))


def test_buyers_who_come_back(figures: Figures) -> None:
    before, now = buyers("2026-Q1"), buyers("2026-Q2")
    assert same(figures["repeat_retention", "2026-Q2", ()], len(before.keys() & now.keys()) / len(before))


def test_lost_after_the_first_order(figures: Figures) -> None:
    orders = {who: len(rows) for who, rows in by(crm("orders"), lambda o: o["customer_id"]).items()}
    left = [c for c in within(crm("customers"), "churned_at", "2026-Q2") if orders.get(c["id"]) == 1]
    assert same(
        figures["lost_after_first_order", "2026-Q2", ()],
        len(left) / len(customers_at(dt.datetime(2026, 4, 1))),
    )


def test_lifetime_value(figures: Figures) -> None:
    orders = within(crm("orders"), "ordered_at", "FY2026")
    clv = float(sum(euros(o) for o in orders)) / len(buyers("FY2026")) / churn("FY2026")
    assert same(figures["clv", "FY2026", ()], clv)
    assert same(figures["clv_to_cac", "FY2026", ()], clv / float(costs("FY2026") / len(acquired("FY2026"))))


# --- voices ----------------------------------------------------------------------------------------------------------


def test_satisfaction(figures: Figures) -> None:
    csat, nps = answers("2026-06", "csat"), answers("2026-Q2", "nps")
    assert same(figures["csat", "2026-06", ()], sum(score >= 4 for score in csat) / len(csat))
    assert same(
        figures["nps", "2026-Q2", ()], 100 * (sum(s >= 9 for s in nps) - sum(s <= 6 for s in nps)) / len(nps)
    )


def test_engagement(figures: Figures) -> None:
    sessions = within(crm("sessions"), "started_at", "2026-06")
    active = len({s["customer_id"] for s in sessions})
    for kpi, column in (
        ("logins_per_customer", "logins"),
        ("minutes_per_customer", "minutes"),
        ("comments_per_customer", "comments"),
    ):
        assert same(figures[kpi, "2026-06", ()], sum(int(s[column]) for s in sessions) / active)
    assert same(figures["active_share", "2026-06", ()], active / len(customers_during("2026-06")))


def test_time_to_resolution(figures: Figures) -> None:
    tickets = [t for t in within(crm("tickets"), "opened_at", "2026-06") if t["closed_at"]]
    hours = [
        int(
            (
                at(t["closed_at"]).replace(minute=0, second=0)
                - at(t["opened_at"]).replace(minute=0, second=0)
            ).total_seconds()
            // 3600
        )
        for t in tickets
    ]
    assert same(figures["resolution_time", "2026-06", ()], median(hours))


# --- what the report says --------------------------------------------------------------------------------------------


def test_june_2026_is_final_and_shows_a_mix(results: Results) -> None:
    june = [
        row
        for row in results
        if row.period == "2026-06" and row.segment == () and row.kpi != "lead_conversion_60d"
    ]
    assert {row.state for row in june} == {"final"}
    statuses = [row.status for row in june]
    assert statuses.count("on_target") >= statuses.count("off_target") >= 2
    assert statuses.count("at_risk") >= 2


def test_a_few_alerts_are_raised(results: Results) -> None:
    firing = {
        (alert.kpi, alert.rule, alert.segment_value) for alert in results.alerts if alert.state == "firing"
    }
    assert ("revenue", "below plan", ("large",)) in firing
    assert ("churn_rate", "high", ()) in firing
    assert len(firing) <= 6


def test_nothing_is_set_aside_and_gaps_are_counted(results: Results) -> None:
    assert results.quarantined == 0
    quality = {q.dataset: q for q in results.quality}
    assert quality["sessions"].undated == sum(not s["started_at"] for s in crm("sessions"))
    assert quality["deals"].undated == sum(not d["closed_at"] for d in crm("deals"))
    assert quality["orders"].last is not None
    assert quality["orders"].last < END.date()
