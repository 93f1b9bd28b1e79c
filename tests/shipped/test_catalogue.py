"""The shipped KPIs as a catalogue: complete, in two languages, each with an example that comes out, and on a page of docs."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import cadran
from cadran.cli import cli
from cadran.declare.model import Declaration, Kpi
from cadran.publish.catalogue import catalogue
from cadran.testing.outcomes import Outcome
from shipped.sample import ROOT

#: What the catalogue of the product promises, row by row; what is told by figures of the sample data alone is no example.
ROWS = {
    "1 conversion of leads, both readings": ["lead_conversion_rate", "lead_conversion_60d"],
    "2 channels: customers, cost, revenue, ROI": ["new_customers", "acquisition_cost", "new_revenue", "acquisition_roi", "campaign_roi"],
    "3 sales cycle, mean, median, by phase": ["sales_cycle", "sales_cycle_median", "stage_days"],
    "4 retention, both readings": ["retention", "repeat_retention"],
    "5 cross-selling and up-selling, of revenue and of orders": ["cross_selling", "cross_selling_orders", "up_selling", "up_selling_orders"],
    "6 upsell rate, both readings": ["upsell_rate", "upsell_rate_buyers"],
    "7 lifetime value": ["clv", "clv_to_cac"],
    "8 satisfaction": ["csat"],
    "9 acquisition cost": ["cac"],
    "10 engagement": ["logins_per_customer", "minutes_per_customer", "comments_per_customer", "active_share"],
    "11 churn, and after the first purchase": ["churn_rate", "lost_after_first_order"],
    "12 net churn": ["net_churn"],
    "13 close rate": ["close_rate"],
    "14 deal size": ["average_deal_size"],
    "15 new revenue": ["new_revenue"],
    "16 qualified leads": ["qualified_leads"],
    "17 transformation, by channel each with its own": ["transformation_rate", "transformation_web", "transformation_shop"],
    "18 revenue": ["revenue", "revenue_per_customer"],
    "19 recommendation": ["nps"],
    "22 retention, revenue and upsell by satisfaction": ["retention", "revenue", "revenue_per_customer", "upsell_rate_buyers"],
}  # fmt: skip
SEGMENTS = {
    "new_customers": {("channel",), ("campaign",)},
    "acquisition_cost": {("channel",), ("campaign",)},
    "new_revenue": {("channel",), ("campaign",)},
    "campaign_roi": {("campaign",), ("channel", "campaign")},
    "stage_days": {("stage",)},
    "cross_selling": {("days_of_month",)},
    "cross_selling_orders": {("days_of_month",)},
    "up_selling": {("days_of_month",)},
    "up_selling_orders": {("days_of_month",)},
    "qualified_leads": {("channel",), ("owner",)},
    "transformation_rate": {("sales_channel",)},
    "revenue": {("range",), ("satisfaction",)},
    "retention": {("satisfaction",)},
    "upsell_rate_buyers": {("satisfaction",)},
}
PAGES = {"en": ROOT / "docs" / "catalogue.md", "fr": ROOT / "docs" / "catalogue.fr.md"}


def _declaration() -> Declaration:
    declaration, problems = cadran.open(ROOT / "kpis.yaml").declaration()
    assert declaration is not None and problems == []
    return declaration


DECLARATION = _declaration()
REPORTED = [kpi for kpi in DECLARATION.kpis.values() if kpi.periods]


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    return {outcome.name: outcome for outcome in cadran.open(ROOT / "kpis.yaml").test()}


@pytest.mark.parametrize("name", DECLARATION.tests)
def test_a_worked_example_comes_out(name: str, outcomes: dict[str, Outcome]) -> None:
    assert [miss.message for miss in outcomes[name].misses] == []


def test_the_command_runs_them_all() -> None:
    done = CliRunner().invoke(cli, ["-C", str(ROOT), "test", "--kpi", "net_churn"])
    assert done.exit_code == 0, done.output
    assert "✓ 99 customers, 3 come in January and 3 in February, 10 leave in March" in done.output


@pytest.mark.parametrize("row", ROWS)
def test_every_row_of_the_catalogue_is_a_kpi_with_an_example(row: str) -> None:
    for name in ROWS[row]:
        assert DECLARATION.kpis[name].periods, name
        assert any(
            expected.kpi == name for test in DECLARATION.tests.values() for expected in test.expected
        ), name
        assert set(DECLARATION.kpis[name].segments) >= SEGMENTS.get(name, set()), name


def test_the_funnel_and_the_scores_of_the_catalogue_are_there() -> None:
    """Rows 20 and 21, which are no KPIs: steps from lead to customer within a window, and bands from rules."""
    assert DECLARATION.funnels["lead_to_customer"].dataset == "leads"
    scored = {score.dataset: list(score.bands) for score in DECLARATION.scores.values()}
    assert scored.keys() == {"leads", "customers"}
    assert scored["leads"] == ["hot", "warm", "cold"]


@pytest.mark.parametrize("kpi", REPORTED, ids=lambda kpi: kpi.name)
def test_a_kpi_says_all_that_there_is_to_say_in_two_languages(kpi: Kpi) -> None:
    for texts in (kpi.label, kpi.description, kpi.action, kpi.pitfalls):
        assert texts.keys() == {"fr", "en"}
        assert all(text.strip() for text in texts.values())
    assert kpi.unit and kpi.targets and kpi.alerts and kpi.owner and kpi.tags
    assert kpi.place.document.written((*kpi.place.path, "good")) in ("up", "down")


def test_the_shipped_tests_cover_figures_alerts_and_problems_in_every_file() -> None:
    kinds: dict[str, set[str]] = {}
    for test in DECLARATION.tests.values():
        found = kinds.setdefault(test.place.document.shown_as, set())
        found |= {name for name in ("expected", "alerts", "problems") if getattr(test, name)}
    assert set(kinds) == {
        f"kpis/{name}.yaml" for name in ("acquisition", "sales", "retention", "satisfaction")
    }
    assert all(found == {"expected", "alerts", "problems"} for found in kinds.values())


@pytest.mark.parametrize("locale", PAGES)
def test_the_page_of_the_docs_is_what_the_command_makes(locale: str, golden: bool) -> None:
    said, page = catalogue(DECLARATION, locale), PAGES[locale]
    if golden:
        page.write_text(said, encoding="utf-8")
    assert said == page.read_text(encoding="utf-8")


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        cli, ["-C", str(ROOT), "catalogue", "--locale", "fr", "-o", str(tmp_path / "page.md")]
    )
    assert (done.exit_code, done.output) == (0, "")
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == PAGES["fr"].read_text(encoding="utf-8")


def test_the_page_names_every_kpi_in_both_languages_with_its_pitfalls() -> None:
    for page in PAGES.values():
        text = page.read_text(encoding="utf-8").replace("\\", "")
        for kpi in REPORTED:
            assert f"`{kpi.name}`" in text
            assert all(label in text for label in kpi.label.values())
