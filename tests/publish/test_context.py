"""What a report says: which period of which KPI, what comes first, and how it is put."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal as D

from cadran.calendar import Grain
from cadran.compute.results import Results
from cadran.declare.model import Report
from cadran.publish.context import KpiBlock, ReportContext
from cadran.publish.figures import hide
from cadran.publish.gather import gather

from . import fakes


def context(
    report: Report | None = None, locale: str = "en", results: Results | None = None
) -> ReportContext:
    return gather(fakes.results() if results is None else results, fakes.declaration(), report, locale)


def block(name: str, report: Report | None = None, locale: str = "en") -> KpiBlock:
    return next(b for b in context(report, locale).kpis if b.name == name)


def report(**settings: object) -> Report:
    return replace(fakes.weekly_sales(), **settings)  # type: ignore[arg-type]


def test_each_kpi_stands_at_the_last_final_period_of_its_finest_grain() -> None:
    periods = {b.name: b.period for b in context().kpis}
    assert periods["lead_conversion_rate"] == "2026-03"
    assert periods["net_churn"] == "2026-Q1"
    assert periods["visits"] == "2026-W14"
    assert periods["lead_to_order"] == "2026-01"  # February and March are maturing
    assert periods["engagement"] == "2026-02"  # March is settling


def test_last_of_a_grain() -> None:
    quarterly = report(period="last quarter")
    assert block("lead_conversion_rate", quarterly).period == "2026-Q1"
    assert block("revenue", quarterly).period == "2026-03"


def test_a_fixed_period_looks_no_further() -> None:
    fixed = report(period="2026-02")
    assert block("revenue", fixed).period == "2026-02"
    assert block("revenue", fixed).history[-1].period == "2026-02"
    assert block("net_churn", fixed).period == "2025-Q4"
    assert block("visits", fixed).period == "2026-W08"
    assert [o.period for o in block("lead_conversion_rate", fixed).other_periods] == ["2025-Q4"]


def test_open_periods_only_when_asked_for() -> None:
    assert [p.state for p in block("revenue").history].count("open") == 0
    opened = block("revenue", report(include_open=True))
    assert (opened.period, opened.state_text) == ("2026-04", "in progress")
    assert block("revenue", report(period="2026-04")).value.raw is None
    assert block("revenue", report(period="2026-04", include_open=True)).value.raw == D("214300.00")


def test_what_is_settling_stays_in_the_history() -> None:
    assert [(p.period, p.state) for p in block("engagement").history][-1] == ("2026-03", "settling")


def test_the_plain_trend_ends_before_what_would_look_like_a_fall() -> None:
    maturing = block("lead_to_order")
    assert maturing.history[-1].state == "maturing"
    assert maturing.trend == "▂▃▁▃▅▆▄▇█▆▇"


def test_the_kpis_of_a_report_come_once_and_in_order() -> None:
    chosen = context(fakes.acquisition()).kpis
    assert [b.name for b in chosen] == ["lead_conversion_rate", "new_customers", "cac", "revenue"]
    assert "won_deals" not in [b.name for b in context().kpis]


def test_off_target_comes_before_at_risk_and_wide_before_narrow() -> None:
    said = context().attention
    assert [(b.name, b.status) for b in said] == [
        ("lead_conversion_rate", "off_target"),
        ("net_churn", "off_target"),
        ("cac", "at_risk"),
        ("revenue", "at_risk"),
    ]


def test_movers_are_unusual_for_their_kpi() -> None:
    moves = context().movers
    assert [m.kpi.name for m in moves] == ["visits", "new_customers", "lead_conversion_rate"]
    assert moves[0].text == "24.6× its usual move"


def test_alerts_fire_before_they_pend_and_critical_comes_first() -> None:
    assert [(a.state, a.severity) for a in context().alerts] == [
        ("firing", "critical"),
        ("firing", "warning"),
        ("firing", "info"),
        ("pending", "warning"),
    ]


def test_alerts_of_other_kpis_stay_out() -> None:
    assert {a.kpi for a in context(fakes.acquisition()).alerts} == {"lead_conversion_rate", "cac"}


def test_the_action_is_said_only_off_target() -> None:
    assert block("lead_conversion_rate").action == "Review qualification and follow-ups"
    on_target = report(period="2025-10")
    assert block("lead_conversion_rate", on_target).status == "on_target"
    assert block("lead_conversion_rate", on_target).action == ""


def test_read_with_is_shown_beside() -> None:
    beside = block("lead_conversion_rate", fakes.acquisition()).read_with
    assert [(b.name, b.value.text, b.in_report) for b in beside] == [
        ("net_churn", "1.2%", False),
        ("cac", "€60.00", True),
    ]


def test_better_and_worse_follow_what_is_good() -> None:
    cycle, conversion = block("sales_cycle"), block("lead_conversion_rate")
    assert (cycle.change.direction, cycle.change.verdict) == ("down", "better")
    assert (conversion.change.direction, conversion.change.verdict) == ("down", "worse")
    assert conversion.change.text == "−1.9\u00a0pt"


def test_a_range_is_missed_by_the_nearer_end() -> None:
    churn = block("net_churn")
    assert (churn.target.text, churn.gap.text, churn.gap.verdict) == ("3.0% – 5.0%", "+0.3\u00a0pt", "worse")


def test_no_data_says_so() -> None:
    nps = block("nps", locale="fr")
    assert (nps.value.text, nps.value.title, nps.status) == ("–", "sans donnée", "no_data")
    assert not nps.chart
    assert (nps.sparkline, nps.history) == ("", ())


def test_segments_come_largest_first_and_are_capped() -> None:
    channels, owners, crossed = block("lead_conversion_rate").segments
    assert [r.label for r in channels.rows] == ["referral <partner>", "organic", "paid", "(none)"]
    assert channels.has_target
    assert not owners.has_target
    assert crossed.label == "channel × owner"
    (wide,) = block("cac").segments
    assert (len(wide.rows), wide.hidden, wide.rows[0].share) == (12, 3, 100)


def test_other_and_missing_values_come_last() -> None:
    rows = [
        *fakes.rows_of("revenue", Grain.MONTH, [D(1)], last=dt.date(2026, 3, 1)),
        *(
            fakes.rows_of(
                "revenue", Grain.MONTH, [v], last=dt.date(2026, 3, 1), segment=("range",), value=(n,)
            )[0]
            for n, v in {"a": None, "(other)": D(9), "b": D(1), "c": D(2)}.items()
        ),
    ]
    found = context(results=fakes.results(rows=tuple(rows)))
    (table,) = next(b for b in found.kpis if b.name == "revenue").segments
    assert [r.label for r in table.rows] == ["c", "b", "a", "(other)"]


def test_markers_within_the_time_charted() -> None:
    assert [(m.letter, m.text) for m in block("revenue").markers] == [
        ("A", "new crm"),
        ("B", "Price rise"),
    ]
    assert [m.text for m in block("visits").markers] == ["Price rise"]


def test_data_quality_is_told() -> None:
    said = context()
    assert said.quarantined == 6
    assert [(q.dataset, q.age_text) for q in said.quality][:3] == [
        ("leads", "1 day ago"),
        ("orders", "today"),
        ("surveys", "6 days ago"),
    ]
    assert ("2026-04", "open") in [(u.period, u.state) for u in said.unfinished]
    assert [t.count for t in said.tally] == [2, 2, 2, 5, 1]


def test_an_empty_run_is_a_report_too() -> None:
    said = context(results=fakes.results(rows=(), alerts=(), quality=(), warnings=()))
    assert said.period_text == ""
    assert {b.status for b in said.kpis} == {"no_data"}


def test_values_from_the_environment_are_hidden() -> None:
    secret = "ops@example.com"
    found = gather(fakes.results(), fakes.declaration(secrets=frozenset([secret, "1"])), None, "en")
    assert found.kpis[0].owner == "sales-•••"
    assert found.kpis[4].formula.startswith("1 - closing")
    assert hide("1", {"1"}) == "•••"
