"""The project that the connector begins with: it fits any account, and the sample's KPIs come out of HubSpot as out of its files."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml
from tests.plugins.reading_hubspot import NoWait, connecting
from tests.simulators.hubspot import HubSpot
from tests.simulators.hubspot_account import ORDER_STAGES
from tests.simulators.hubspot_fill import fill

import cadran
from cadran.plugins.http import client
from cadran_plugins.hubspot.connector import HubSpotConnector

ROOT = Path(__file__).resolve().parents[2]
#: KPIs of the sample that rest on what a CRM does not hold: lines of orders, visits, sessions, the pipeline of every Monday.
ELSEWHERE = {
    "cross_selling", "cross_selling_orders", "up_selling", "up_selling_orders", "transformation_web", "transformation_shop",
    "pipeline_coverage",
}  # fmt: skip
FINANCE = """\
  finance:
    {connector: files, path: finance, delimiter: ";", decimal: ",", encoding: cp1252, date_format: "%d/%m/%Y"}

rates: {from: finance.rates, date: day}

datasets:
  costs: {from: finance.costs, key: id, date: day, money: {amount: EUR}}
"""


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "Wait", NoWait)


def rendered(simulator: HubSpot, columns: Mapping[str, set[str]] | None) -> str:
    """As ``cadran init`` writes it; ``columns`` are those of the account, None where nobody has asked it."""

    def pick(table: str, *choices: str) -> str:
        if columns is None:
            return choices[-1]
        return next((name for name in choices if name in columns[table]), "null")

    starter = HubSpotConnector.starter
    assert starter is not None
    template = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True).from_string(
        (starter / "kpis.yaml.jinja").read_text("utf-8")
    )

    def has(table: str, name: str) -> bool:
        return columns is None or name in columns[table]

    return template.render(pick=pick, has=has).replace(
        'token: "${HUBSPOT_TOKEN}"', f'token: "{simulator.token}", url: "{simulator.url}"'
    )


def columns_of(simulator: HubSpot) -> Mapping[str, set[str]]:
    with connecting(simulator) as source:
        return {table.name: {each.name for each in table.columns} for table in source.discover()}


def written(folder: Path, text: str, kpis: Mapping[str, Any]) -> cadran.Project:
    (folder / "kpis").mkdir()
    (folder / "kpis.yaml").write_text(text, "utf-8")
    (folder / "kpis" / "all.yaml").write_text(yaml.safe_dump({"kpis": kpis}, allow_unicode=True), "utf-8")
    return cadran.open(folder / "kpis.yaml")


def synced(project: cadran.Project, now: dt.datetime | None = None) -> None:
    for table in project.sync(now=(lambda: now) if now is not None else None):
        assert table.error is None, f"{table.table}: {table.error}"


@pytest.fixture
def plain() -> Iterator[HubSpot]:
    """An account as HubSpot makes it, with nobody's own properties, and hardly anything in it."""
    simulator = HubSpot()
    company = simulator.insert("companies", {"name": "C", "lifecyclestage": "customer"})
    deal = simulator.insert(
        "deals", {"dealstage": "contractsent", "amount": "12.50", "closedate": "2030-01-01T00:00:00Z"}
    )
    simulator.associate("deals", deal, "companies", company, primary=True)
    simulator.insert("contacts", {"email": "a@x.example"})
    with simulator.serving():
        yield simulator


@pytest.mark.parametrize("asked", [False, True], ids=["nobody asked", "its columns"])
def test_it_fits_an_account_without_properties_of_its_own(
    plain: HubSpot, tmp_path: Path, asked: bool
) -> None:
    text = rendered(plain, columns_of(plain) if asked else None)
    kpis = {
        "open_deals": {"formula": "count(deals) filter (where stage = 'contract sent')"},
        "leads_without_source": {"formula": "count(leads) filter (where channel is null and not coalesce(qualified, false))"},
        "customers_all": {"formula": "count(customers)"},
        "in_stage": {"formula": "count(stages)"},
        "bought": {"formula": "sum(orders.amount)"},
        "calls": {"formula": "count(activities) filter (where kind = 'call')"},
    }  # fmt: skip
    project = written(tmp_path, text, {name: {"period": "year", **kpi} for name, kpi in kpis.items()})
    synced(project)
    found = {row.kpi: row.value for row in project.run(since=dt.date.today())}
    assert found["customers_all"] == found["leads_without_source"] == 1


def sample_kpis() -> Mapping[str, Any]:
    """Formulas, periods and segments of the sample's KPIs; a target may rest on anything."""
    out: dict[str, Any] = {}
    for name in ("acquisition", "sales", "retention"):
        found = yaml.load((ROOT / "kpis" / f"{name}.yaml").read_text("utf-8"), yaml.BaseLoader)["kpis"]
        out |= {name: kpi if isinstance(kpi, str) else _plain(kpi) for name, kpi in found.items()}
    return {name: kpi for name, kpi in out.items() if name not in ELSEWHERE}


def _plain(kpi: Mapping[str, Any]) -> Mapping[str, Any]:
    kept = {key: kpi[key] for key in ("formula", "period", "segment", "unit") if key in kpi}
    segments = kept.pop("segment", [])
    if left := [
        each for each in (segments if isinstance(segments, list) else [segments]) if each != "satisfaction"
    ]:
        kept["segment"] = left
    return kept


def test_the_samples_kpis_are_the_same_out_of_hubspot(tmp_path: Path) -> None:
    """To the last digit: leads without a channel, owners whom nobody knows, open deals, Swiss orders, all are there."""
    since = dt.date(2021, 1, 1) if os.environ.get("CADRAN_FULL") else dt.date(2025, 9, 1)
    here, files = tmp_path / "hubspot", tmp_path / "files"
    here.mkdir()
    shutil.copytree(ROOT / "data", files / "data")
    shutil.copytree(ROOT / "data" / "finance", here / "finance")
    with fill(HubSpot(), ROOT / "data" / "crm").serving() as simulator:
        assert isinstance(simulator, HubSpot)
        text = rendered(simulator, columns_of(simulator)).replace("starts: january", "starts: april")
        project = written(here, text.replace("\ndatasets:\n", FINANCE), sample_kpis())
        synced(project)
        ours = figures(project, since)
    sample = (ROOT / "kpis.yaml").read_text("utf-8").split("\nforecasts:")[0]
    include = next(line for line in sample.splitlines() if line.startswith("include:"))
    theirs = figures(
        written(files, sample.replace(include, "include: [kpis/all.yaml]"), sample_kpis()), since
    )
    assert len(ours) > 2000 and set(ours) == set(theirs)
    assert {key: (ours[key], theirs[key]) for key in ours if ours[key] != theirs[key]} == {}


def figures(project: cadran.Project, since: dt.date) -> dict[Any, Any]:
    rows = project.run(as_of="2026-07-01", since=since)
    return {(row.kpi, row.period, row.segment, row.segment_value): (row.value, row.base) for row in rows}


def test_deals_as_they_go_are_counted_as_by_hand(tmp_path: Path) -> None:
    """Won, lost, opened again, without an amount, entered once it was over, without a close date, in a stage that was taken away; all of one who has left."""
    account = HubSpot()
    account.add_owner(7, "Ann Old", archived=True)

    def deal(began: str, ways: list[tuple[str, str, str]], **values: str) -> None:
        """``ways``: when it came to which stage, and the close date from then on."""
        id_ = account.insert("deals", {"dealstage": "contractsent", "pipeline": "default", "hubspot_owner_id": "7", **values}, at=dt.datetime.fromisoformat(began))  # fmt: skip
        for at, stage, close in ways:
            account.update("deals", id_, {"dealstage": stage, "closedate": close}, at=dt.datetime.fromisoformat(at))  # fmt: skip

    deal("2026-01-05T10:00Z", [("2026-02-10T09:00Z", "closedwon", "2026-02-10T09:00:00Z")], amount="100.50")
    deal("2026-01-06T10:00Z", [("2026-02-11T09:00Z", "closedlost", "2026-02-11T09:00:00Z")], amount="70")
    deal("2026-01-07T10:00Z", [("2026-02-12T09:00Z", "closedwon", "2026-02-12T09:00:00Z")])
    deal("2026-01-08T10:00Z", [("2026-01-20T09:00Z", "closedlost", "2026-01-20T09:00:00Z"), ("2026-02-01T09:00Z", "contractsent", "2026-05-01T00:00:00Z")], amount="5")  # fmt: skip
    deal("2026-03-01T10:00Z", [("2026-03-01T10:00Z", "closedwon", "2026-01-15T00:00:00Z")], amount="1000")
    deal("2026-03-01T10:00Z", [("2026-03-02T10:00Z", "closedwon", "")], amount="3", hs_v2_date_entered_current_stage="2026-03-02T10:00:00Z")  # fmt: skip
    deal("2026-02-01T10:00Z", [("2026-02-15T10:00Z", "taken away", "2026-02-15T00:00:00Z")], amount="9", hs_is_closed="true", hs_is_closed_won="true")  # fmt: skip
    kpis = {
        "won_amount": {"formula": "sum(deals.amount) filter (where stage = 'won')", "unit": "EUR"},
        "won_deals": {"formula": "count(deals) filter (where stage = 'won')"},
        "lost_deals": {"formula": "count(deals) filter (where stage = 'lost')"},
        "open_deals": {"formula": "during(count(deals))"},
        "left_a_stage": {"formula": "count(stages)"},
        "close_rate": {"formula": "count(deals) filter (where stage = 'won') / count(deals)"},
        "by_owner": {"formula": "count(deals)", "segment": "owner"},
    }
    with account.serving():
        project = written(tmp_path, rendered(account, columns_of(account)), {name: {"period": "month", **kpi} for name, kpi in kpis.items()})  # fmt: skip
        synced(project)
        rows = list(project.run(as_of="2026-04-01", since=dt.date(2026, 1, 1)))
    found = {name: [float(r.value or 0) for r in rows if r.kpi == name and str(r.period) != "2026-04" and (name != "by_owner" or r.segment_value)]
             for name in kpis}  # fmt: skip
    assert found == {
        "won_amount": [1000, 109.5, 3],
        "won_deals": [1, 3, 1],
        "lost_deals": [0, 1, 0],
        # The one that was entered once it was over counts on the day on which it ended.
        "open_deals": [5, 5, 2],
        "left_a_stage": [1, 4, 2],
        "close_rate": [1, 0.75, 1],
        "by_owner": [1, 4, 1],
    }


@pytest.mark.parametrize(
    "missing",
    [{"crm.objects.orders.read"}, {"sales-email-read"}, {"crm.objects.orders.read", "sales-email-read"}],
)
def test_a_token_that_may_not_read_all_computes_the_rest(tmp_path: Path, missing: set[str]) -> None:
    account = HubSpot()
    account.missing = missing
    account.insert("companies", {"lifecyclestage": "customer"}, at=dt.datetime(2026, 2, 1, tzinfo=dt.UTC))
    closed = {"dealstage": "closedwon", "amount": "10", "closedate": "2026-02-10T09:00:00Z"}
    account.insert("deals", closed, at=dt.datetime(2026, 2, 1, tzinfo=dt.UTC))
    kpis = {"won": "sum(deals.amount)", "customers_new": "count(customers)", "by_owner": "count(deals)"}
    more = {"by_owner": {"segment": "owner"}}
    with account.serving():
        project = written(tmp_path, rendered(account, columns_of(account)), {name: {"formula": formula, "period": "month", **more.get(name, {})} for name, formula in kpis.items()})  # fmt: skip
        synced(project)
        rows = project.run(as_of="2026-03-01", since=dt.date(2026, 2, 1), until=dt.date(2026, 2, 1))
    assert {row.kpi: row.value for row in rows if not row.segment_value} == {
        "won": 10,
        "customers_new": 1,
        "by_owner": 1,
    }


def test_cancelled_orders_are_no_revenue(tmp_path: Path) -> None:
    account = HubSpot()
    for stage, cancelled in ((1, ""), (4, ""), (2, "true"), (3, "false"), (None, "")):
        values = {"hs_total_price": "10", "hs_external_created_date": "2026-02-10T09:00:00Z", "hs_is_canceled": cancelled}  # fmt: skip
        account.insert(
            "orders", values | ({} if stage is None else {"hs_pipeline_stage": ORDER_STAGES[stage][0]})
        )
    with account.serving():
        kpis = {"revenue": {"formula": "sum(orders.amount)", "period": "month", "unit": "EUR"}}
        project = written(tmp_path, rendered(account, columns_of(account)), kpis)
        synced(project)
        (row,) = project.run(as_of="2026-03-01", since=dt.date(2026, 2, 1), until=dt.date(2026, 2, 1))
    assert row.value == 30


def test_companies_that_were_entered_once_they_had_left(tmp_path: Path) -> None:
    account = HubSpot()
    account.add_property("companies", "left_on", "Churned at", "date")
    account.insert("companies", {"left_on": "2026-01-31"}, at=dt.datetime(2026, 3, 1, tzinfo=dt.UTC))
    account.insert("companies", {}, at=dt.datetime(2026, 3, 1, tzinfo=dt.UTC))
    with account.serving():
        kpis = {"gone": {"formula": "lost(count(customers))", "period": "month"}}
        project = written(tmp_path, rendered(account, columns_of(account)), kpis)
        synced(project)
        rows = project.run(as_of="2026-04-01", since=dt.date(2026, 1, 1), until=dt.date(2026, 3, 1))
    assert [row.value for row in rows] == [0, 0, 0], "since when it was one, nobody has said"


@pytest.mark.parametrize(
    ("churns", "since", "began"),
    [
        (False, False, {"2026-02": 1, "2026-03": 1, "2026-04": 1}),
        (True, False, {"2026-01": 1, "2026-02": 1, "2026-03": 1, "2026-04": 1}),
        (True, True, {"2026-05": 1}),
    ],
)
def test_customers_are_who_bought_and_not_every_company(
    churns: bool, since: bool, began: dict[str, int], tmp_path: Path
) -> None:
    """A prospect is none, nor who has only lost deals; where a field says since when somebody is one, that is what counts."""
    account = HubSpot()
    if churns:
        account.add_property("companies", "left_on", "Churned at", "date")
    if since:
        account.add_property("companies", "won_on", "Customer since", "date")

    def company(**values: str) -> int:
        return account.insert("companies", values, at=dt.datetime(2026, 1, 1, 9, tzinfo=dt.UTC))

    company(lifecyclestage="lead")
    bought, ordered, lost = company(), company(), company(won_on="2026-05-05")
    marked = account.insert("companies", {"lifecyclestage": "customer"}, at=dt.datetime(2026, 4, 5, tzinfo=dt.UTC))  # fmt: skip
    company(left_on="2026-06-01")
    for who, stage, close in ((bought, "closedwon", "2026-02-10"), (bought, "closedwon", "2026-03-01"), (lost, "closedlost", "2026-02-11"), (lost, "contractsent", "2026-09-01")):  # fmt: skip
        deal = account.insert("deals", {"dealstage": stage, "pipeline": "default", "closedate": f"{close}T09:00:00Z"}, at=dt.datetime(2026, 1, 5, tzinfo=dt.UTC))  # fmt: skip
        account.associate("deals", deal, "companies", who, primary=True)
    order = account.insert("orders", {"hs_total_price": "10", "hs_external_created_date": "2026-03-10T09:00:00Z"})  # fmt: skip
    account.associate("orders", order, "companies", ordered)
    assert marked
    with account.serving():
        kpis = {"new_customers": {"formula": "count(customers)", "period": "month"}}
        project = written(tmp_path, rendered(account, columns_of(account)), kpis)
        synced(project)
        rows = project.run(as_of="2026-07-01", since=dt.date(2026, 1, 1))
    assert {str(row.period): row.value for row in rows if row.value} == began


def test_fields_that_are_not_there_stand_for_nothing() -> None:
    account = HubSpot()
    with account.serving():
        columns = columns_of(account)
        plain = rendered(account, columns)
        without = rendered(account, {**columns, "contacts": columns["contacts"] - {"hubspotscore"}})
    assert "range:" not in plain and "industry" not in plain, (
        "a contact's company and a company's trade are no range"
    )
    assert "# - The range or plan: no field of yours looks like it" in plain
    assert "qualified: score >= 50" in plain and "qualified:" not in without


@pytest.mark.parametrize("label", ["Canal d’acquisition", "Canal d'acquisition", "Canal dʼacquisition"])
def test_a_channel_in_french_with_any_apostrophe(label: str) -> None:
    account = HubSpot()
    for table in ("contacts", "companies"):
        account.add_property(table, "own_channel", label, "enumeration")
    with account.serving():
        text = rendered(account, columns_of(account))
    assert text.count("channel: canal_d_acquisition") == 2
    assert (
        "# - The channel that won a lead, a customer: contacts.canal_d_acquisition, companies.canal_d_acquisition."
        in text
    )


def test_the_documents_examples_are_right(plain: HubSpot, tmp_path: Path) -> None:
    """docs/connectors/hubspot.md: a project, and how a deal's end and stage are told."""
    page = (ROOT / "docs" / "connectors" / "hubspot.md").read_text("utf-8")
    first, second = (block.split("```")[0] for block in page.split("```yaml\n")[1:])
    project = yaml.safe_load(first)
    project["sources"]["crm"] |= {"token": plain.token, "url": plain.url}
    project["datasets"] = yaml.safe_load(second)["datasets"]
    project["kpis"]["closed_deals"] = {
        "formula": "count(deals) filter (where stage = 'won')",
        "period": "month",
    }
    (tmp_path / "kpis.yaml").write_text(yaml.safe_dump({"version": 1, **project}), "utf-8")
    opened = cadran.open(tmp_path / "kpis.yaml")
    synced(opened)
    assert {row.kpi for row in opened.run()} == {"new_deals", "closed_deals"}


def test_the_document_names_every_table_and_setting(plain: HubSpot) -> None:
    page = (ROOT / "docs" / "connectors" / "hubspot.md").read_text("utf-8")
    with connecting(plain) as source:
        names = [*source.names(), *source.config_schema["properties"]]
    assert [name for name in names if f"`{name}`" not in page] == []
