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
    return template.render(pick=pick).replace(
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
    company = simulator.insert("companies", {"name": "C"})
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
