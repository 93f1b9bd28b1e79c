"""The project that starts from Salesforce computes what the sample does over its files, to the last digit; with an org's standard
fields alone it computes as well."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.simulators.salesforce_fill import fill

import cadran
from cadran.starting import starter

from .salesforce_org import Org

ROOT = Path(__file__).parents[2]
STARTER = ROOT / "plugins/cadran_plugins/salesforce/starter"
AS_OF = "2026-07-01"
SINCE = "2023-07-01" if os.environ.get("CADRAN_FULL") else "2025-10-01"

KPIS = """
kpis:
  new_leads: {formula: count(leads), period: month, segment: [owner, channel, campaign, range]}
  qualified: {formula: count(leads) filter (where qualified), period: month, segment: channel}
  prospects: {formula: count(leads) filter (where first_deal_at is not null), period: month}
  score: {formula: avg(leads.score), period: quarter, segment: range}
  won: {formula: sum(deals.amount) filter (where stage = 'won'), period: month, unit: EUR, segment: [owner, channel, sales_channel, range]}
  close_rate: {formula: count(deals) filter (where stage = 'won') / count(deals), period: month, unit: percent}
  open_deals: {formula: during(count(deals)), period: month, segment: owner}
  cycle: {formula: "avg(date_diff('day', deals.first_contact, deals.closed_at)) filter (where stage = 'won')", period: month}
  stage_days: {formula: "avg(date_diff('day', stages.entered_at, stages.left_at))", period: month, segment: stage}
  churn: {formula: lost(count(customers)) / during(count(customers)), period: month, unit: percent, segment: [channel, campaign]}
  loyal: {formula: count(customers) filter (where order_count >= 2), period: quarter}
  revenue: {formula: sum(orders.amount), period: month, unit: EUR, segment: [channel, campaign, sales_channel, range]}
  swiss: {formula: count(orders) filter (where customers.country = 'CH'), period: month}
"""
BARE = """
kpis:
  new_leads: {formula: count(leads), period: month, segment: [owner, channel]}
  prospects: {formula: count(leads) filter (where first_deal_at is not null), period: quarter}
  won: {formula: sum(deals.amount) filter (where stage = 'won'), period: month, unit: EUR, segment: [owner, channel]}
  stage_days: {formula: "avg(date_diff('day', stages.entered_at, stages.left_at))", period: month}
  revenue: {formula: sum(orders.amount), period: month, unit: EUR}
"""
RATES = """
rates: {from: finance.rates, date: day}
"""
FINANCE = 'finance: {connector: files, path: finance, delimiter: ";", decimal: ",", encoding: cp1252, date_format: "%d/%m/%Y"}'


def project(folder: Path, text: str, kpis: str) -> Path:
    (folder / "kpis").mkdir(parents=True)
    (folder / "kpis/all.yaml").write_text(kpis, encoding="utf-8")
    (folder / "kpis.yaml").write_text(text, encoding="utf-8")
    for name in ("crm", "finance"):
        shutil.copytree(ROOT / "data" / name, folder / name)
    return folder


def started(org: Org, folder: Path, kpis: str, *, bare: bool = False) -> Path:
    """The starter as 'cadran init' renders it: with the columns that the account has, or those that every account has."""
    tables = None if bare else {table.name: table for table in org.source().discover()}
    text = starter.render(STARTER, tables)
    assert "domain: ${SALESFORCE_DOMAIN}" in text
    text = text.replace("domain: ${SALESFORCE_DOMAIN}", f"url: {org.url}")
    return project(folder, text.replace("\nsources:\n", f"{RATES}\nsources:\n  {FINANCE}\n"), kpis)


def over_files(folder: Path) -> Path:
    """The sample's own datasets."""
    import yaml

    said: dict[str, Any] = yaml.safe_load((ROOT / "kpis.yaml").read_text(encoding="utf-8"))
    said = {
        name: said[name]
        for name in ("version", "currency", "locale", "sources", "rates", "datasets", "segments")
    }
    said |= {"include": ["kpis/*.yaml"], "calendar": {"timezone": "Europe/Paris"}}
    said["sources"]["crm"]["path"], said["sources"]["finance"]["path"] = "crm", "finance"
    return project(folder, yaml.safe_dump(said, allow_unicode=True, sort_keys=False), KPIS)


def computed(folder: Path, org: Org | None, *commands: Sequence[str]) -> list[str]:
    settings = (
        {}
        if org is None
        else {"SALESFORCE_CLIENT_ID": org.client_id, "SALESFORCE_CLIENT_SECRET": org.client_secret}
    )
    for command in (
        *commands,
        ["run", "--as-of", AS_OF, "--since", SINCE, "--format", "csv", "-o", "out.csv"],
    ):
        done = subprocess.run([sys.executable, "-m", "cadran", *command], cwd=folder, env={**os.environ, **settings}, capture_output=True, text=True, check=False)  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    return (folder / "out.csv").read_text(encoding="utf-8").splitlines()


def cells(line: str) -> list[Any]:
    """Amounts of a deal come in the currency that it states, so they are converted, and written with more digits: the same number."""
    return [Decimal(cell) if re.fullmatch(r"-?\d+[.]\d+", cell) else cell for cell in line.split(",")]


@pytest.mark.slow
def test_the_sample_over_salesforce_is_the_sample(org: Org, tmp_path: Path) -> None:
    fill(org, ROOT / "data/crm")
    over_api = computed(started(org, tmp_path / "api", KPIS), org)
    files = computed(over_files(tmp_path / "files"), None)
    assert len(files) > 700
    assert list(map(cells, over_api)) == list(map(cells, files))


@pytest.mark.slow
def test_an_org_with_standard_fields_alone(org: Org, tmp_path: Path) -> None:
    fill(org, ROOT / "data/crm")
    folder = started(org, tmp_path / "bare", BARE, bare=True)
    rows = computed(folder, org, ["check"])
    assert {row.split(",")[0] for row in rows[1:]} == {
        "new_leads",
        "prospects",
        "won",
        "stage_days",
        "revenue",
    }


def test_deals_as_they_go_are_counted_as_by_hand(org: Org, tmp_path: Path) -> None:
    """Won, lost, opened again, without an amount, entered once it was over, won on the day on which it was entered; all of one who has left."""
    left = org.insert("User", Name="Ann Old", IsActive=False)

    def deal(began: str, amount: str | None, *ways: tuple[str, str, str]) -> None:
        """``ways``: when it came to which stage, and the close date from then on."""
        id_ = org.insert("Opportunity", StageName="Qualification", CreatedDate=dt.datetime.fromisoformat(began), Amount=amount and Decimal(amount), CloseDate=dt.date(2026, 6, 1), OwnerId=left)  # fmt: skip
        for at, stage, close in ways:
            org.update("Opportunity", id_, at=dt.datetime.fromisoformat(at), StageName=stage, CloseDate=dt.date.fromisoformat(close))  # fmt: skip

    deal("2026-01-05T10:00Z", "100.50", ("2026-02-10T09:00Z", "Closed Won", "2026-02-10"))
    deal("2026-01-06T10:00Z", "70", ("2026-02-11T09:00Z", "Closed Lost", "2026-02-11"))
    deal("2026-01-07T10:00Z", None, ("2026-02-12T09:00Z", "Closed Won", "2026-02-12"))
    deal("2026-01-08T10:00Z", "5", ("2026-01-20T09:00Z", "Closed Lost", "2026-01-20"), ("2026-02-01T09:00Z", "Proposal", "2026-05-01"))  # fmt: skip
    deal("2026-03-01T10:00Z", "1000", ("2026-03-01T10:00Z", "Closed Won", "2026-01-15"))
    deal("2026-02-15T10:00Z", "33.335", ("2026-02-15T12:00Z", "Closed Won", "2026-02-15"))
    account = org.insert("Account", Name="Boutique")
    for status, amount in (("Activated", 10), ("Draft", 20), ("Canceled", 40)):
        org.insert("Order", AccountId=account, EffectiveDate=dt.date(2026, 2, 10), Status=status, StatusCode=status, TotalAmount=Decimal(amount))  # fmt: skip
    org.insert("Event", IsAllDayEvent=True, EndDateTime=dt.datetime(2026, 2, 1, tzinfo=dt.UTC))
    kpis = {
        "won_amount": "sum(deals.amount) filter (where stage = 'won')",
        "won_deals": "count(deals) filter (where stage = 'won')",
        "lost_deals": "count(deals) filter (where stage = 'lost')",
        "open_deals": "during(count(deals))",
        "left_a_stage": "count(stages)",
        "revenue": "sum(orders.amount)",
        "done": "count(activities)",
    }
    said = {"kpis": {name: {"formula": formula, "period": "month"} for name, formula in kpis.items()}}
    folder = started(org, tmp_path / "by_hand", json.dumps(said))
    text = (folder / "kpis.yaml").read_text("utf-8").replace("Europe/Paris", "America/New_York")
    for name, value in (("ID", org.client_id), ("SECRET", org.client_secret)):
        text = text.replace(f"${{SALESFORCE_CLIENT_{name}}}", value)
    (folder / "kpis.yaml").write_text(text, "utf-8")
    project = cadran.open(folder / "kpis.yaml")
    assert [table.error for table in project.sync() if table.error] == []
    rows = list(project.run(as_of="2026-04-01", since=dt.date(2026, 1, 1), until=dt.date(2026, 3, 1)))
    found = {name: {str(r.period): float(r.value) for r in rows if r.kpi == name and r.value} for name in kpis}  # fmt: skip
    assert found == {
        "won_amount": {"2026-01": 1000, "2026-02": 133.835},
        "won_deals": {"2026-01": 1, "2026-02": 3},
        "lost_deals": {"2026-02": 1},
        "open_deals": {
            "2026-01": 5,
            "2026-02": 5,
            "2026-03": 1,
        },  # one that was over at once counts on its day
        "left_a_stage": {"2026-01": 1, "2026-02": 4, "2026-03": 1},
        "revenue": {"2026-02": 10},
        "done": {"2026-02": 1},
    }
