"""What a report says: which period of which KPI, what comes first, and how it is put."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal as D
from typing import Any

from cadran.calendar import Grain
from cadran.compute.results import Alert, Results
from cadran.declare.document import nowhere
from cadran.declare.model import Report, ReportPart, TargetCase
from cadran.problems import Problem
from cadran.publish.choose import RowIndex
from cadran.publish.context import KpiBlock, ReportContext
from cadran.publish.figures import Figures, hide
from cadran.publish.gather import gather
from cadran.publish.target_words import target_line

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


def test_the_action_is_said_where_there_is_something_to_do() -> None:
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


# --- parts, alerts and segments ------------------------------------------------------------------------------------


def test_parts_have_the_reports_titles_and_each_kpi_stands_once() -> None:
    parts = (
        ReportPart((fakes.text("revenue"), fakes.text("cac")), {"fr": "Argent", "en": "Money"}),
        ReportPart((fakes.text("tag:acquisition"),)),
        ReportPart((fakes.text("nps"),)),
    )
    kpis = tuple(entry for part in parts for entry in part.kpis)
    groups = context(report(parts=parts, kpis=kpis)).groups
    assert [(g.title, [k.name for k in g.kpis]) for g in groups] == [
        ("Money", ["revenue", "cac"]),
        ("Acquisition", ["lead_conversion_rate", "new_customers"]),
        ("Other KPIs", ["nps"]),
    ]


def test_without_parts_kpis_stand_by_their_first_tag() -> None:
    groups = context().groups
    assert [g.title for g in groups] == ["Acquisition", "Other KPIs"]
    assert sorted(k.name for g in groups for k in g.kpis) == sorted(k.name for k in context().kpis)


def test_what_is_at_risk_has_its_action_too() -> None:
    at_risk = block("lead_conversion_rate", report(period="2025-09"))
    assert (at_risk.status, at_risk.action) == ("at_risk", "Review qualification and follow-ups")


def test_alerts_are_said_in_words_where_they_are_simple() -> None:
    low = next(a for a in context().alerts if a.rule == "low")
    assert low.condition_text == "value below 90% of the target and base at least 30"
    assert low.condition == "value < 90% * target and base >= 30"


def test_alerts_later_than_a_fixed_period_stay_out() -> None:
    assert [a.period for a in context(report(period="2026-03")).alerts] == ["2026-03"] * 4
    assert context(report(period="2026-02")).alerts == ()


def test_those_without_a_value_are_judged_as_the_run_judges_them() -> None:
    (channels, *_) = block("lead_conversion_rate").segments
    unknown = next(r for r in channels.rows if r.values == ("(none)",))
    row = next(r for r in fakes.all_rows() if r.segment_value == ("(none)",) and r.period == "2026-03")
    assert (unknown.status, unknown.target.raw) == (row.status, row.target) == ("off_target", D("0.25"))


def standing(rule: str, state: str = "firing", channel: str = "", **changes: Any) -> Alert:
    """An alert of the customers' acquisition cost, of the total or of a channel."""
    where: dict[str, Any] = {"segment": ("channel",), "segment_value": (channel,)} if channel else {}
    alert = Alert(
        "cac", rule, "value > 52", "warning", state, "month", "2026-03", "2026-03", value=53.0, **where
    )  # type: ignore[arg-type]
    return replace(alert, **changes)


def test_a_rule_is_one_entry_however_many_values_it_holds_at() -> None:
    standings = (
        standing("dear", channel="paid"),
        standing("dear", "pending", "organic"),
        standing("dear"),
        standing("dear", channel="(none)", since="2026-01"),
        standing("value > 52", "pending"),
    )
    groups = context(results=fakes.results(alerts=standings)).alert_groups
    assert [(g.rule, g.state, g.count_text, g.since_text) for g in groups] == [
        ("dear", "firing", "2 segment values", "January 2026 at the earliest"),
        ("dear", "pending", "", ""),
        ("", "pending", "", ""),  # a rule without a name is said by its condition
    ]
    (channels,) = groups[0].segments
    assert (channels.name, [line.segment_value for line in channels.lines]) == ("channel", ["paid", "(none)"])
    assert groups[0].total is not None
    assert [line.segment_text for line in channels.lines] == ["channel: paid", "channel: (none)"]


def test_what_is_to_be_done_is_said_once_for_a_kpi() -> None:
    rate = Alert("lead_conversion_rate", "a", "value < 1", "warning", "firing", "month", "2026-03", "2026-03")
    groups = context(results=fakes.results(alerts=(rate, replace(rate, rule="b")))).alert_groups
    assert [bool(group.action) for group in groups] == [True, False]


def test_an_alert_without_data_says_what_it_is_kept_from() -> None:
    kept = standing("dear", value=None, judged="2026-01", since="2026-01")
    told = context(results=fakes.results(alerts=(kept,)))
    assert told.alerts[0].reason == "no data any more: kept as it stood in January 2026"
    assert (told.alert_groups[0].kept, told.alert_groups[0].state_text) == (True, "kept")
    waiting = context(results=fakes.results(alerts=(replace(kept, state="pending"),)))
    assert waiting.alert_groups[0].state_text == "pending"
    beside = context(results=fakes.results(alerts=(kept, standing("dear", channel="paid", judged="2026-03"))))
    assert (beside.alert_groups[0].kept, beside.alert_groups[0].state_text) == (False, "firing")


def test_values_are_sorted_as_in_a_dictionary() -> None:
    values = ["zone", "Été", "etage", "éclair", "Zoé", "(none)", "Eau"]
    rows = [
        r
        for v in values
        for r in fakes.rows_of("revenue", Grain.MONTH, [D(1)], last=dt.date(2026, 3, 1), segment=("range",), value=(v,))
    ]  # fmt: skip
    total = fakes.rows_of("revenue", Grain.MONTH, [D(1)], last=dt.date(2026, 3, 1))
    index = RowIndex(fakes.results(rows=(*rows, *total)))
    (found,) = index.segments(total[0]).values()
    assert [r.segment_value[0] for r in found] == ["Eau", "éclair", "etage", "Été", "Zoé", "zone", "(none)"]


def test_a_days_note_stands_for_its_milestones_name() -> None:
    said = context(locale="fr").events
    assert [(e.date.isoformat(), e.text) for e in said] == [
        ("2019-01-01", "hors champ"),
        ("2025-09-01", "new crm"),
        ("2026-01-15", "Hausse des prix"),
    ]


def test_a_chart_tells_its_first_last_lowest_and_highest_value() -> None:
    chart = block("revenue").chart
    assert chart.said == (
        "First €918,200 (March 2025), last €1,201,456 (March 2026), lowest €876,540 (July 2025), highest €1,254,300 (December 2025)."
    )


def test_what_is_expected_of_data_and_not_met_is_said_with_its_dataset() -> None:
    unmet = Problem("expectation", "orders has 3 row(s), at least 9 are expected", severity="warning")
    told = context(results=fakes.results(warnings=(unmet,)))
    assert told.warnings == ()


def test_a_definition_says_the_targets_and_what_they_are_for() -> None:
    cases = (
        TargetCase(nowhere(), fakes.text("5"), segment={"channel": "(none)"}, since=dt.date(2026, 1, 1)),
        TargetCase(nowhere(), low=fakes.text("1"), high=fakes.text("2"), segment="total", grain=Grain.MONTH),
        TargetCase(nowhere(), fakes.text("110% *\n previous(cac)")),
    )
    said = [str(target_line(case, Figures(fakes.declaration(), "en"))) for case in cases]
    assert said == [
        "5 (channel: (none), since January 1, 2026)",
        "1 – 2 (the total, Monthly)",
        "110% * previous(cac)",
    ]
