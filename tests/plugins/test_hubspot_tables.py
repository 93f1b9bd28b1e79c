"""Tables of the HubSpot connector on a simulated account: their columns and values, links, and what is no list of records."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from tests.plugins.reading_hubspot import HOUR, NOON, column, connecting, deals, read
from tests.simulators.hubspot import HubSpot

from cadran.plugins import ConfigError, Window

CURSORS = {
    "contacts": "lastmodifieddate", "companies": "hs_lastmodifieddate", "deals": "hs_lastmodifieddate",
    "orders": "hs_lastmodifieddate", "deal_stage_history": "modified_at", "activities": "modified_at",
}  # fmt: skip


# --- tables ------------------------------------------------------------------------------------------------------------------


def test_the_tables_and_what_they_are_told_by(account: HubSpot) -> None:
    with connecting(account) as source:
        found = {table.name: table for table in source.discover()}
        assert list(found) == list(source.names())
    assert {name: t.cursor for name, t in found.items() if t.cursor} == CURSORS
    assert {name: t.key for name, t in found.items()} == {
        **dict.fromkeys(("contacts", "companies", "deals", "orders", "owners", "pipelines"), ("id",)),
        "deal_stage_history": ("deal_id", "stage_id", "entered_at"), "activities": ("kind", "id"), "stages": ("pipeline_id", "stage_id"),
        "order_stages": ("pipeline_id", "stage_id"),
        "contacts_companies": ("contact_id", "company_id"), "deals_contacts": ("deal_id", "contact_id"),
        "deals_companies": ("deal_id", "company_id"), "orders_contacts": ("order_id", "contact_id"),
        "orders_companies": ("order_id", "company_id"), "orders_deals": ("order_id", "deal_id"),
    }  # fmt: skip
    assert {name for name, t in found.items() if t.deletes == "reported"} == set(CURSORS)
    assert not any(table.problem for table in found.values())


def test_properties_are_columns(account: HubSpot) -> None:
    """HubSpot's own by their names, the team's by their labels, which stay when another with the same label comes."""
    account.add_property("deals", "x_17", "Canal de vente", "enumeration")
    account.add_property("deals", "x_20", "Amount", "number")  # as one of HubSpot's own is called
    account.add_property("deals", "zz", "Fin d'essai", "date")
    account.add_property("deals", "aa", "Fin d'essai", "bool")  # younger, though its name comes first
    with connecting(account) as source:
        names = [each.name for each in source.table("deals").columns]  # type: ignore[union-attr]
        types = {each.name: each.type for each in source.table("deals").columns}  # type: ignore[union-attr]
    assert names[0] == "id" and names[-2:] == ["contact_id", "company_id"]
    assert names[-6:-2] == ["canal_de_vente", "amount_2", "fin_d_essai", "fin_d_essai_2"]
    assert types | {
        "dealname": "VARCHAR", "amount": "DECIMAL(28,8)", "closedate": "TIMESTAMP WITH TIME ZONE", "dealstage": "VARCHAR",
        "hs_is_closed": "BOOLEAN", "canal_de_vente": "VARCHAR", "fin_d_essai": "DATE", "fin_d_essai_2": "BOOLEAN",
    } == types  # fmt: skip
    assert not {"hs_object_id", "hs_object_source", "hs_was_imported"} & set(names)


def test_further_properties_by_name(account: HubSpot) -> None:
    account.insert("contacts", {"hs_object_source": "IMPORT", "associatedcompanyid": "7"})
    with connecting(account, properties={"contacts": ["hs_object_source", "associatedcompanyid"]}) as source:
        (row,) = read(source, "contacts").rows.values()
    assert (row["hs_object_source"], row["associatedcompanyid"]) == ("IMPORT", Decimal(7))


def test_a_further_property_that_is_not_there(account: HubSpot) -> None:
    with connecting(account, properties={"deals": ["dealname", "hs_next_stap"]}) as source:
        problem = source.table("deals").problem  # type: ignore[union-attr]
        assert isinstance(problem, ConfigError) and problem.setting == ("properties", "deals", 1)
        assert "hs_next_stap" in problem.message
        assert source.table("contacts").problem is None  # type: ignore[union-attr]


def test_a_property_comes_goes_and_changes_its_type(account: HubSpot) -> None:
    id_ = str(account.insert("contacts", {"score": "12"}))
    account.add_property("contacts", "score", "Score")
    with connecting(account) as source:
        assert column(source.table("contacts"), "score") == "VARCHAR"
        assert read(source, "contacts").rows[id_]["score"] == "12"
    account.retype_property("contacts", "score", "number")
    with connecting(account) as source:
        assert column(source.table("contacts"), "score") == "DECIMAL(28,8)"
        assert read(source, "contacts").rows[id_]["score"] == Decimal(12)
    account.remove_property("contacts", "score")
    with connecting(account) as source:
        assert "score" not in [each.name for each in source.table("contacts").columns]  # type: ignore[union-attr]
        assert id_ in read(source, "contacts").rows


# --- values ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "told", "value"),
    [
        ("number", "602.10", Decimal("602.10")),
        ("number", "12345678901234567890.12345678", Decimal("12345678901234567890.12345678")),
        ("number", "-0.1", Decimal("-0.1")),
        ("number", "1.5E7", Decimal(15_000_000)),
        ("number", "0.30000000000000004", Decimal("0.3")),  # a program's binary fractions
        ("number", "0.200000000000000011102230246251565404236316680908203125", Decimal("0.2")),
        ("number", "33.333333333333336", Decimal("33.33333333")),
        ("number", "", None),
        ("datetime", "2026-03-01T08:09:10.123Z", dt.datetime(2026, 3, 1, 8, 9, 10, 123000, dt.UTC)),
        ("datetime", "2026-03-01T08:09:10Z", dt.datetime(2026, 3, 1, 8, 9, 10, tzinfo=dt.UTC)),
        ("datetime", "1772352550123", dt.datetime(2026, 3, 1, 8, 9, 10, 123000, dt.UTC)),
        ("date", "2026-03-01", dt.date(2026, 3, 1)),
        ("date", "1772323200000", dt.date(2026, 3, 1)),
        ("bool", "true", True),
        ("bool", "false", False),
        ("bool", "", None),
        ("enumeration", "a;b", "a;b"),
        ("string", " Été ", " Été "),
        ("string", "", None),
    ],
)
def test_values(account: HubSpot, type_: str, told: str, value: Any) -> None:
    account.add_property("deals", "x", "X", type_)
    account.insert("deals", {"x": told})
    with connecting(account) as source:
        (row,) = read(source, "deals").rows.values()
    assert row["x"] == value and type(row["x"]) is type(value)


@pytest.mark.parametrize("told", ["0.123456789", "twelve", "123456789012345678901.5"])
def test_a_number_that_does_not_fit_is_set_aside_and_not_rounded(account: HubSpot, told: str) -> None:
    good, bad = account.insert("deals", {"amount": "1"}), account.insert("deals", {"amount": told})
    with connecting(account) as source:
        found = read(source, "deals")
    assert list(found.rows) == [str(good)]
    (aside,) = found.set_aside
    assert str(bad) in aside.place and "amount" in aside.reason


# --- links -------------------------------------------------------------------------------------------------------------------


def test_the_primary_one_stands_in_the_row(account: HubSpot) -> None:
    """The one that HubSpot calls primary, else the oldest; the same in a whole read and in one of changes."""
    (deal,), one, two = deals(account, 1), account.insert("companies", {}), account.insert("companies", {})
    contact, other = account.insert("contacts", {}), account.insert("contacts", {})
    account.associate("deals", deal, "companies", one)
    account.associate("deals", deal, "companies", two, primary=True)
    account.associate("deals", deal, "contacts", other)
    account.associate("deals", deal, "contacts", contact)
    account.associate("contacts", contact, "companies", two)
    with connecting(account) as source:
        for window in (Window(), Window(NOON - 24 * HOUR, NOON)):
            row = read(source, "deals", window).rows[str(deal)]
            assert (row["company_id"], row["contact_id"]) == (str(two), str(contact))
            contacts = read(source, "contacts", window).rows
            assert [contacts[str(c)]["company_id"] for c in (contact, other)] == [str(two), None]
        assert read(source, "deals_companies").rows == {
            (str(deal), str(one)): {"deal_id": str(deal), "company_id": str(one), "is_primary": False},
            (str(deal), str(two)): {"deal_id": str(deal), "company_id": str(two), "is_primary": True},
        }
        assert set(read(source, "deals_contacts").rows) == {
            (str(deal), str(contact)),
            (str(deal), str(other)),
        }


@pytest.mark.parametrize("window", [Window(), Window(NOON - 24 * HOUR, NOON)])
def test_more_links_than_one_answer_holds(account: HubSpot, window: Window) -> None:
    account.links_at_once = 2
    (deal,) = deals(account, 1)
    companies = [account.insert("companies", {}) for _ in range(7)]
    for company in companies:
        account.associate("deals", deal, "companies", company, primary=company == companies[-1])
    with connecting(account) as source:
        assert read(source, "deals", window).rows[str(deal)]["company_id"] == str(companies[-1])
        assert len(read(source, "deals_companies").rows) == 7


# --- the other tables --------------------------------------------------------------------------------------------------------


def test_the_history_of_stages(account: HubSpot) -> None:
    at = NOON - 5 * HOUR
    deal = account.insert("deals", {"dealstage": "appointmentscheduled", "pipeline": "default"}, at=at)
    account.update("deals", deal, {"dealstage": "contractsent"}, at=at + HOUR)
    account.update("deals", deal, {"dealstage": "appointmentscheduled"}, at=at + 2 * HOUR)  # back again
    account.update("deals", deal, {"dealstage": "signed"}, at=at + 3 * HOUR)  # into another pipeline
    account.update("deals", deal, {"pipeline": "renewals"}, at=at + 3 * HOUR + dt.timedelta(milliseconds=40))
    account.insert("deals", {}, at=at)  # a deal without a stage
    with connecting(account) as source:
        for window in (Window(), Window(NOON - 24 * HOUR, NOON)):
            rows = list(read(source, "deal_stage_history", window).rows.values())
            assert [(r["stage_id"], r["pipeline_id"], r["entered_at"] - at, r["left_at"] and r["left_at"] - at) for r in rows] == [
                ("appointmentscheduled", "default", 0 * HOUR, HOUR), ("contractsent", "default", HOUR, 2 * HOUR),
                ("appointmentscheduled", "default", 2 * HOUR, 3 * HOUR), ("signed", "renewals", 3 * HOUR, None),
            ]  # fmt: skip
            assert {r["deal_id"] for r in rows} == {str(deal)}
        account.archive("deals", deal)
        assert len(read(source, "deal_stage_history").gone) == 4


def test_owners_those_who_left_and_those_who_came_back(account: HubSpot) -> None:
    account.add_owner(7, "Chloé Besson", "Nord")
    account.add_owner(8, "Hugo Lemaire", archived=True)
    account.owners[9] = {**account.owners[8], "id": "9", "firstName": "", "lastName": ""}
    with connecting(account) as source:
        rows = read(source, "owners").rows
    assert {k: (r["name"], r["team"], r["archived"]) for k, r in rows.items()} == {
        "7": ("Chloé Besson", "Nord", False), "8": ("Hugo Lemaire", None, True), "9": ("hugo@belvoir.example", None, True),
    }  # fmt: skip


def test_stages(account: HubSpot) -> None:
    with connecting(account) as source:
        rows = read(source, "stages").rows
        assert read(source, "pipelines").rows["default"]["label"] == "Sales Pipeline"
    assert {r["label"]: (r["is_closed"], r["is_won"], r["probability"]) for r in rows.values()} == {
        "Appointment scheduled": (False, False, Decimal("0.2")), "Contract sent": (False, False, Decimal("0.9")),
        "Closed won": (True, True, Decimal(1)), "Closed lost": (True, False, Decimal(0)),
    }  # fmt: skip


def test_activities(account: HubSpot) -> None:
    when, done = "2026-03-01T10:00:00.000Z", "2026-03-01T16:30:00.000Z"
    contact = account.insert("contacts", {})
    call = account.insert("calls", {"hs_timestamp": when, "hs_call_title": "Hello", "hs_call_direction": "OUTBOUND", "hubspot_owner_id": "7"})  # fmt: skip
    account.associate("calls", call, "contacts", contact)
    task = account.insert(
        "tasks", {"hs_timestamp": when, "hs_task_completion_date": done, "hs_task_status": "COMPLETED"}
    )
    open_ = account.insert("tasks", {"hs_timestamp": when})
    account.archive("notes", note := account.insert("notes", {}))
    with connecting(account) as source:
        found = read(source, "activities")
    rows, ten = found.rows, dt.datetime(2026, 3, 1, 10, tzinfo=dt.UTC)
    assert set(rows) == {("call", str(call)), ("task", str(task)), ("task", str(open_))}
    assert found.gone == {("note", str(note))}
    row = rows["call", str(call)]
    assert (row["title"], row["direction"], row["owner_id"], row["contact_id"], row["deal_id"]) == ("Hello", "OUTBOUND", "7", str(contact), None)  # fmt: skip
    assert row["done_at"] == row["planned_at"] == ten
    assert (
        rows["task", str(task)]["done_at"] == ten + 6.5 * HOUR and rows["task", str(open_)]["done_at"] is None
    )
