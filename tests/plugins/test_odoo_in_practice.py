"""The ``odoo`` connector where Odoo is less kind than its documentation: what rules hide, what versions leave out, what servers do not find."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.simulators.odoo import DATABASE, LOGIN, Odoo

from cadran.plugins import ConfigError, ConnectorError, DataError
from cadran.sync.places import Places
from cadran.sync.source import Hands, Job, SourceSync
from cadran_plugins.odoo.config import settings

from .copying import NOON, closing_
from .odoo_server import VERSIONS, Server, serve


@pytest.fixture(params=VERSIONS)
def any_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    yield from serve(request.param, tmp_path)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    yield from serve(19, tmp_path)


# --- what rules hide -------------------------------------------------------------------------------------------------------


def done(odoo: Odoo, lead: int) -> int:
    """An activity of a lead that is done: a message in its chatter."""
    if not odoo.rows["mail.activity.type"]:
        odoo.insert("mail.activity.type", name="Call")
    return odoo.insert("mail.message", model="crm.lead", res_id=lead, date=dt.datetime(2026, 3, 1, 9), mail_activity_type_id=1)  # fmt: skip


@pytest.mark.parametrize(
    "hidden", [(1,), (1, 2, 3, 4), (1, 2, 3, 4, 5, 6, 7, 8), (2, 3, 10), range(1, 11)], ids=str
)
def test_messages_that_rules_hide_end_no_table_early(any_server: Server, hidden: tuple[int, ...]) -> None:
    """Up to 18 they are taken out of a page after it was cut, so that a page of the middle is short, or empty."""
    odoo, copy = any_server
    messages = {done(odoo, lead): lead for lead in range(1, 11)}
    odoo.hidden.update(("crm.lead", lead) for lead in hidden)
    assert set(copy.sync("done_activities")) == {key for key, lead in messages.items() if lead not in hidden}
    later = done(odoo, 10)
    assert (later in copy.sync("done_activities")) == (10 not in hidden)


def test_reading_on_behind_what_is_hidden_goes_through_each_record_once(tmp_path: Path) -> None:
    for odoo, copy in serve(17, tmp_path):
        for lead in [*range(1, 11)] * 5:
            done(odoo, lead)
        odoo.hidden.update(("crm.lead", lead) for lead in (1, 3, 5))
        odoo.asked.clear()
        assert len(copy.sync("done_activities")) == 35
        asked = [r for r in odoo.asked if b"mail.message" in r.body and b"search_read" in r.body]
        assert len(asked) < 15, "what is left is asked for once, and not behind each page"


def test_all_changes_of_stages_are_read_in_however_many_pages_they_come(any_server: Server) -> None:
    odoo, copy = any_server
    for _ in range(3):
        for lead in range(1, 11):
            copy.clock.later(minutes=1)
            odoo.update("crm.lead", lead, stage_id=3 - odoo.rows["crm.lead"][lead]["stage_id"])
    stays = copy.sync("stage_history")
    assert len(stays) == 10 * 4
    assert all(stays[lead, n]["left_at"] == stays[lead, n + 1]["entered_at"] for lead in range(1, 11) for n in (1, 2, 3))  # fmt: skip


def test_messages_of_leads_are_asked_for_by_lead_and_not_through_each_change(server: Server) -> None:
    """A path through mail.message in the condition has Odoo look through all messages of all leads, for each page."""
    odoo, copy = server
    odoo.update("crm.lead", 2, stage_id=2)
    odoo.asked.clear()
    copy.sync("stage_history")
    conditions = [
        str(r.json.get("domain")) for r in odoo.asked if r.path.endswith("mail.tracking.value/search_read")
    ]
    assert conditions and not [c for c in conditions if "mail_message_id." in c]


def test_what_may_not_be_read_fails_alone(any_server: Server) -> None:
    """Odoo tells the fields of what may not be read, and refuses the records."""
    odoo, copy = any_server
    odoo.denied.update(("sale.order", "mail.tracking.value"))
    with closing_(copy.connect()) as connector:
        assert [t.name for t in connector.discover() if t.problem] == ["stage_history"]
    job = Job(
        "crm",
        ["orders", "stage_history", "opportunities", "users"],
        copy.settings,
        Places.of(copy.folder, "crm"),
    )
    errors = {done.table: done.error for done in SourceSync(job, copy.connect, Hands(copy.clock)).run()}
    assert [name for name, error in errors.items() if error is None] == ["opportunities", "users"]
    assert all("rights" in error.hint for error in errors.values() if error is not None)


# --- what versions leave out --------------------------------------------------------------------------------------------------


def test_a_lost_opportunity_has_left_its_stage_though_odoo_14_takes_the_date_away(any_server: Server) -> None:
    odoo, copy = any_server
    copy.clock.later(hours=1)
    lost = copy.clock()
    odoo.lose(1)
    assert (odoo.rows["crm.lead"][1]["date_closed"] is None) == (odoo.version == 14)
    (stay,) = [row for row in copy.sync("stage_history").values() if row["opportunity_id"] == 1]
    assert (stay["entered_at"], stay["left_at"]) == (NOON, lost)


def test_an_opportunity_has_the_currency_of_its_company(any_server: Server) -> None:
    odoo, copy = any_server
    francs = odoo.insert("res.currency", name="CHF")
    odoo.insert("crm.lead", id=50, name="Swiss", type="opportunity", stage_id=1, company_id=odoo.insert("res.company", name="Suisse", currency_id=francs))  # fmt: skip
    rows = copy.sync("opportunities")
    assert (rows[50]["company_currency"], rows[1]["company_currency"]) == (francs, 1)


# --- numbers ------------------------------------------------------------------------------------------------------------------


def test_an_amount_without_a_currency_that_comes_from_binary_fractions_is_no_reason_to_lose_its_record(server: Server) -> None:  # fmt: skip
    """Odoo rounds an amount by its currency, and keeps the float as it is where the currency's field is empty."""
    odoo, copy = server
    odoo.add_field("crm.lead", "x_studio_fee", "monetary", "Fee")
    odoo.update("crm.lead", 1, x_studio_fee=0.1 + 0.2)
    odoo.update("crm.lead", 2, x_studio_fee=100 / 3)
    odoo.update("crm.lead", 3, x_studio_fee=1.23456)
    rows = copy.sync("opportunities")
    assert (rows[1]["fee"], rows[2]["fee"]) == (Decimal("0.3"), Decimal("33.3333"))
    assert 3 not in rows, "five decimals that somebody wrote are no rounding"


# --- what servers do not find ----------------------------------------------------------------------------------------------------


def ping_error(version: int, folder: Path, config: dict[str, Any], **more: Any) -> ConnectorError:
    for odoo, copy in serve(version, folder):
        vars(odoo).update(more)
        copy.config = {**copy.config, **config}
        with closing_(copy.connect()) as connector, pytest.raises((ConfigError, DataError)) as error:
            connector.ping()
    return error.value


@pytest.mark.parametrize("version", [14, 17])
def test_an_older_server_is_told_as_one(tmp_path: Path, version: int) -> None:
    error = ping_error(version, tmp_path, {"database": "", "login": ""})
    assert error.message == "'database' is missing: Odoo before 19 asks for it"
    error = ping_error(version, tmp_path, {"protocol": "json2"})
    assert error.message == "there is no Odoo API at this address" and "jsonrpc" in error.hint


@pytest.mark.parametrize(("config", "more", "says"), [
    ({}, {"alone": False}, "which database is meant"),
    ({"database": "other"}, {}, "no database 'other'"),
    ({"database": DATABASE}, {"online": True}, "no database 'belvoir'"),
])  # fmt: skip
def test_what_is_not_found_for_the_databases_name_is_said_to_be_so(tmp_path: Path, config: dict[str, Any], more: dict[str, Any], says: str) -> None:  # fmt: skip
    """One of several that is not named, one that is not there, and Odoo Online, where none may be named: 404 and a web page each time."""
    error = ping_error(19, tmp_path, config, **more)
    assert says in error.message and error.setting == ("database",) and "Odoo Online" in error.hint


def test_where_there_is_no_odoo_at_all_the_address_is_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(Odoo, "routes", lambda _: {})
    error = ping_error(19, tmp_path, {})
    assert "no Odoo API" in error.message and error.setting == ("url",)


def test_odoo_online_finds_the_database_by_the_host() -> None:
    told = {"api_key": "x", "database": "belvoir", "login": LOGIN}
    assert not settings({**told, "url": "https://belvoir.odoo.com"}).names_database
    assert settings({**told, "url": "https://erp.belvoir.example"}).names_database
    assert not settings({"api_key": "x", "url": "https://erp.belvoir.example"}).names_database


@pytest.mark.parametrize("version", [17, 19])
def test_a_language_that_is_not_installed_is_named(tmp_path: Path, version: int) -> None:
    error = ping_error(version, tmp_path, {"language": "fr"})
    assert isinstance(error, ConfigError) and error.setting == ("language",) and "fr_FR" in error.hint


def test_a_field_that_another_of_the_same_label_replaces_leaves_no_values_behind(server: Server) -> None:
    odoo, copy = server
    odoo.add_field("crm.lead", "x_studio_segment", "char", "Segment")
    for lead in (1, 2):
        odoo.update("crm.lead", lead, x_studio_segment="old")
    copy.clock.later(days=1)
    odoo.update("crm.lead", 3)
    copy.sync("opportunities")
    odoo.remove_field("crm.lead", "x_studio_segment")
    odoo.add_field("crm.lead", "x_studio_segment_1", "char", "Segment")
    odoo.update("crm.lead", 2, x_studio_segment_1="new")
    rows = copy.sync("opportunities")
    assert (rows[1]["segment"], rows[2]["segment"]) == (None, "new")
    odoo.asked.clear()
    copy.sync("opportunities")
    asked = [r.json["domain"] for r in odoo.asked if r.path.endswith("crm.lead/search_read")]
    assert all(any(term[0] == "write_date" for term in domain) for domain in asked), "once"
