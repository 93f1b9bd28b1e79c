"""What starters make of deals that did not go the straight way, against figures that were worked out by hand: a few rows, with what each has to
count for beside it. The accounts have no fields of their own."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.simulators import odoo as odoo_api
from tests.simulators import pipedrive as pipedrive_api
from tests.simulators.odoo import Odoo
from tests.simulators.pipedrive import Pipedrive

import cadran
from cadran.problems import ProblemsFound
from cadran.starting.init import init

from .test_crm_catalogue import Crm, leading_to

AS_OF = "2026-07-01"
BEFORE_19 = f"URL\n    database: {odoo_api.DATABASE}\n    login: {odoo_api.LOGIN}"
ODOO = Crm("odoo", Odoo, {"ODOO_URL": "URL", "ODOO_API_KEY": odoo_api.KEY}, (r"\$\{ODOO_URL\}", BEFORE_19))


def share(part: int, whole: int) -> Any:
    return pytest.approx(part / whole)


class Clock:
    def __init__(self) -> None:
        self.now = dt.datetime(2026, 1, 5, 9, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now

    def to(self, month: int, day: int, hour: int = 9) -> None:
        self.now = dt.datetime(2026, month, day, hour, tzinfo=dt.UTC)


def run(crm: Crm, simulator: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, kpis: list[str]) -> dict[tuple[str, str], Any]:  # fmt: skip
    """Totals of KPIs by the starter's project: (KPI, period) → value."""
    with simulator.serving(), leading_to(crm, simulator.url, monkeypatch):
        environ = {**os.environ, **crm.environ}
        init(folder, crm.connector, environ)
        project = cadran.open(folder, environ=environ)
        synced = project.sync(now=lambda: dt.datetime(2026, 11, 27, tzinfo=dt.UTC))
        assert not [(table.table, table.error) for table in synced if table.error]
        return {
            (row.kpi, row.period): row.value for row in project.run(as_of=AS_OF, kpis=kpis) if not row.segment
        }


# --- Odoo --------------------------------------------------------------------------------------------------------------------


@pytest.fixture(params=[19, 17, 14])
def odoo(request: pytest.FixtureRequest) -> Iterator[tuple[Odoo, Clock]]:
    odoo, clock = Odoo(version=request.param), Clock()
    odoo.now = clock
    for number, name in enumerate(("New", "Offer", "Won"), 1):
        odoo.insert("crm.stage", id=number, name=name, is_won=name == "Won")
    yield odoo, clock


def opportunity(odoo: Odoo, amount: float, stage: int = 1, **more: Any) -> int:
    return odoo.insert("crm.lead", name="x", type="opportunity", stage_id=stage, probability=20, expected_revenue=amount, **more)  # fmt: skip


def test_opportunities_of_odoo_count_where_they_are_decided(odoo: tuple[Odoo, Clock], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    api, clock = odoo
    clock.to(4, 10)
    plain, lost, again, put_away, late, nothing, still = (opportunity(api, amount) for amount in (1000, 90, 80, 70, 600, 0, 0))  # fmt: skip
    clock.to(5, 4)
    made_won = opportunity(api, 500, stage=3)  # an import: Odoo writes no closing date for it
    for won in (plain, put_away, nothing):
        api.write_lead(won, stage_id=3)
    clock.to(5, 20)
    api.lose(lost)
    api.lose(again)
    clock.to(6, 3)
    api.write_lead(again, active=True, probability=30)  # restored: open again
    api.write_lead(late, stage_id=3)
    api.archive_lead(put_away)  # from 19 on it stays won, of May; before, archiving makes it lost, of June
    api.update("crm.lead", still, name="y")
    found = run(
        ODOO, api, tmp_path / "made", monkeypatch, ["transformation_rate", "close_rate", "average_deal_size"]
    )
    may = [1000, 500, 0, *([70] if api.version >= 19 else [])]
    assert found["close_rate", "2026-05"] == share(len(may), 8)  # all of them were in progress in May
    # In June those that were decided in May are over. Before 19, what was put away goes on until it is: its closing date is that of June.
    june = 3 if api.version >= 19 else 4
    assert found["close_rate", "2026-06"] == share(1, june)
    assert found["transformation_rate", "2026-Q2"] == share(len(may) + 1, len(may) + 2 + (api.version < 19))
    assert found["average_deal_size", "2026-Q2"] == Decimal(sum(may) + 600) / (len(may) + 1)
    assert made_won and lost


def test_customers_of_odoo_are_those_who_pay_and_begin_with_their_first_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    api, clock = Odoo(), Clock()
    api.now = clock
    shop = api.insert("res.partner", name="Shop", is_company=True, customer_rank=2)
    ann = api.insert(
        "res.partner", name="Ann of Shop", parent_id=shop, customer_rank=1
    )  # invoices count for both
    new = api.insert("res.partner", name="not invoiced yet", is_company=True, customer_rank=0)
    api.insert("res.partner", name="a prospect", is_company=True, customer_rank=0)
    clock.to(2, 1)
    invoiced = api.insert("res.partner", name="invoiced by hand", is_company=True, customer_rank=1)
    for partner, month, state in (
        (ann, 4, "sale"),
        (shop, 5, "sale"),
        (new, 5, "sale"),
        (invoiced, 6, "draft"),
    ):
        clock.to(month, 15)
        api.insert("sale.order", name="x", state=state, partner_id=partner, date_order=clock().replace(tzinfo=None), currency_id=1, amount_untaxed=Decimal(100))  # fmt: skip
    found = run(
        ODOO, api, tmp_path / "made", monkeypatch, ["new_customers", "upsell_rate_buyers", "new_revenue"]
    )
    assert [found["new_customers", f"2026-0{month}"] for month in (2, 3, 4, 5, 6)] == [1, 0, 1, 1, 0]
    assert found["upsell_rate_buyers", "2026-Q2"] == share(1, 2)  # Shop ordered twice, once through Ann
    assert found["new_revenue", "2026-Q2"] == 300


def test_leads_of_odoo_are_the_same_records_once_they_are_opportunities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    api, clock = Odoo(), Clock()
    api.now = clock
    api.insert("crm.stage", id=1, name="New", is_won=False)
    api.insert("crm.stage", id=3, name="Won", is_won=True)
    clock.to(4, 10)
    one, two, three = (api.insert("crm.lead", name=name, type="lead", stage_id=1, probability=10) for name in ("one", "two", "three"))  # fmt: skip
    shop = api.insert("res.partner", name="Shop", is_company=True)
    ann = api.insert("res.partner", name="Ann of Shop", parent_id=shop)
    clock.to(5, 4)
    for lead in (one, two):
        api.write_lead(lead, type="opportunity", date_conversion=clock().replace(tzinfo=None), partner_id=ann)
    api.lose(three)  # a lead that is lost was one all the same
    opportunity(api, 10)  # one that was never a lead is one of the day when it was made
    clock.to(6, 2)
    api.write_lead(one, stage_id=3)
    api.insert("sale.order", name="x", state="sale", partner_id=ann, date_order=clock().replace(tzinfo=None), currency_id=1, amount_untaxed=Decimal(100))  # fmt: skip
    found = run(ODOO, api, tmp_path / "made", monkeypatch, ["new_leads", "prospect_rate", "lead_conversion_60d", "sales_cycle", "stage_days", "close_rate"])  # fmt: skip
    assert (found["new_leads", "2026-04"], found["new_leads", "2026-05"]) == (3, 1)
    assert found["prospect_rate", "2026-Q2"] == share(3, 4)
    assert found["lead_conversion_60d", "2026-04"] == share(
        2, 3
    )  # both leads of Shop, which ordered within 60 days
    assert found["sales_cycle", "2026-06"] == 53  # from 10 April, when the lead came, to 2 June
    assert found["close_rate", "2026-05"] == 0 and found["close_rate", "2026-06"] == share(1, 3)
    assert found["stage_days", "2026-Q2"] == 29  # as an opportunity, from 4 May on


def test_opportunities_of_a_company_in_another_currency_are_not_added_as_if_they_were_euros(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    api, clock = Odoo(), Clock()
    api.now = clock
    api.insert("crm.stage", id=3, name="Won", is_won=True)
    swiss = api.insert("res.company", name="Suisse", currency_id=api.insert("res.currency", name="CHF"))
    clock.to(5, 4)
    for company in (1, swiss):
        opportunity(api, 500, stage=3, company_id=company)
    with pytest.raises(ProblemsFound, match="CHF"):
        run(ODOO, api, tmp_path / "made", monkeypatch, ["average_deal_size"])


# --- Pipedrive -----------------------------------------------------------------------------------------------------------------


PIPEDRIVE = Crm("pipedrive", Pipedrive, {"PIPEDRIVE_COMPANY": "belvoir", "PIPEDRIVE_TOKEN": pipedrive_api.TOKEN}, (r"company: \$\{PIPEDRIVE_COMPANY\}", "url: URL"))  # fmt: skip


def account() -> tuple[Pipedrive, Clock]:
    api, clock = Pipedrive(), Clock()
    api.now = clock
    api.insert("pipelines", id=1, name="Sales")
    for number, name in enumerate(("New", "Offer"), 1):
        api.insert("stages", id=number, name=name)
    api.users = [
        {"id": 1, "name": "Ann", "active_flag": True},
        {"id": 2, "name": "Bob, who left", "active_flag": False},
    ]
    return api, clock


def test_deals_of_pipedrive_count_where_they_are_decided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, clock = account()
    clock.to(4, 10)
    plain, lost, again, put_away, given_up, imported, nothing, wrong = (
        api.insert("deals", value=value, owner_id=2) for value in (1000, 90, 80, 70, 60, 50, None, 40)
    )
    clock.to(5, 4)
    for won in (plain, put_away, nothing):
        api.close(won, "won")
    api.update(
        "deals", imported, status="won", won_time=api.rows["deals"][plain]["won_time"]
    )  # and no close_time
    api.close(lost, "lost")
    api.close(again, "lost")
    api.delete("deals", wrong)
    clock.to(6, 3)
    api.update(
        "deals", again, status="open"
    )  # reopened: its times of closing stand, whatever Pipedrive makes of them
    api.archive("deals", put_away)  # what was won stays won
    api.archive("deals", given_up)
    found = run(PIPEDRIVE, api, tmp_path / "made", monkeypatch, ["transformation_rate", "close_rate", "average_deal_size", "upsell_rate_buyers"])  # fmt: skip
    assert found["close_rate", "2026-05"] == share(4, 7)  # the deleted one never was
    assert (
        found["close_rate", "2026-06"] == 0
    )  # of two: the reopened one, and the one that was given up on the 3rd
    assert found["transformation_rate", "2026-Q2"] == share(4, 5)
    # What has no amount is none of 0.
    assert found["average_deal_size", "2026-Q2"] == share(1000 + 70 + 50, 3)


def test_an_open_deal_that_is_archived_is_in_progress_until_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    api, clock = account()
    clock.to(3, 10)
    given_up, won = (api.insert("deals", value=100) for _ in range(2))
    clock.to(4, 10)
    api.archive("deals", given_up)
    clock.to(5, 10)
    api.close(won, "won")
    found = run(PIPEDRIVE, api, tmp_path / "made", monkeypatch, ["close_rate"])
    assert [found["close_rate", f"2026-0{month}"] for month in (3, 4, 5)] == [0, 0, 1]


def test_amounts_of_several_currencies_are_not_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api, clock = account()
    clock.to(4, 10)
    for currency in ("EUR", "USD"):
        api.close(api.insert("deals", value=100, currency=currency), "won")
    with pytest.raises(ProblemsFound, match="EUR and USD"):
        run(PIPEDRIVE, api, tmp_path / "made", monkeypatch, ["average_deal_size"])


def test_leads_of_pipedrive_are_persons_also_once_their_deal_has_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    api, clock = account()
    clock.to(4, 10)
    shop = api.insert("organizations", name="Shop")
    one, two, _ = (api.insert("persons", name=name, org_id=shop) for name in ("one", "two", "three"))
    api.insert("leads", title="in the inbox", person_id=two)  # which becomes a deal, and is gone
    clock.to(5, 4)
    won, _, _ = (api.insert("deals", value=10, person_id=person, org_id=shop) for person in (one, one, two))
    clock.to(6, 2)
    api.close(won, "won")
    found = run(PIPEDRIVE, api, tmp_path / "made", monkeypatch, ["new_leads", "prospect_rate", "new_customers", "sales_cycle"])  # fmt: skip
    assert (found["new_leads", "2026-04"], found["new_leads", "2026-05"]) == (3, 0)
    assert found["prospect_rate", "2026-Q2"] == share(2, 3)
    assert (found["new_customers", "2026-Q2"], found["new_customers", "2026-06"]) == (1, 1)
    assert found["sales_cycle", "2026-06"] == 53  # from 10 April, when the person came, to 2 June
