"""Which tables and columns an org has; how opportunities went through their stages; tasks and events as activities."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from cadran.plugins import ConfigError

from .salesforce_org import DAY, NOW, Kept, Org, whole

HOUR = dt.timedelta(hours=1)


def columns(org: Org, table: str = "leads", **settings: Any) -> dict[str, str]:
    found = org.source(**settings).table(table)
    assert found is not None
    return {column.name: column.type for column in found.columns}


@pytest.mark.parametrize(
    ("table", "column", "type_"),
    [
        ("leads", "id", "VARCHAR"), ("leads", "owner_id", "VARCHAR"), ("leads", "annual_revenue", "DECIMAL(24,6)"),
        ("leads", "number_of_employees", "BIGINT"), ("leads", "is_converted", "BOOLEAN"), ("leads", "converted_date", "DATE"),
        ("leads", "system_modstamp", "TIMESTAMP WITH TIME ZONE"), ("leads", "latitude", "DECIMAL(21,18)"), ("leads", "lead_source", "VARCHAR"),
        ("opportunities", "amount", "DECIMAL(24,8)"), ("opportunities", "probability", "DECIMAL(9,6)"),
        ("opportunities", "close_date", "DATE"), ("order_items", "product2_id", "VARCHAR"), ("accounts", "billing_country", "VARCHAR"),
        ("stages", "master_label", "VARCHAR"), ("activities", "done_at", "TIMESTAMP WITH TIME ZONE"),
    ],
)  # fmt: skip
def test_a_column_has_the_type_that_the_org_says(org: Org, table: str, column: str, type_: str) -> None:
    assert columns(org, table)[column] == type_


def test_what_is_no_column(org: Org) -> None:
    found = columns(org)
    assert "address" not in found, "a compound: its parts are columns"
    assert "is_deleted" not in found, "what is deleted is no row"


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ([("Score__c:double(3,0)", "Score")], ["score"]),
        ([("Canal__c", "Canal d’acquisition")], ["canal_d_acquisition"]),
        ([("Budget__c", "Montant (€ HT)")], ["montant_ht"]),
        # A label that says two fields says neither, whichever came first.
        ([("Z__c", "Score"), ("A__c", "Score")], ["z__c", "a__c"]),
        ([("Mine__c", "Status")], ["mine__c"]),
    ],
)
def test_fields_of_ones_own_are_called_by_their_label(
    org: Org, fields: list[tuple[str, str]], names: list[str]
) -> None:
    before = columns(org)
    for word, label in fields:
        org.add_field("Lead", word, label)
    after = columns(org)
    assert set(after) - set(before) == set(names)
    assert set(before) <= set(after)


@pytest.mark.parametrize(
    ("word", "formula", "type_"),
    [
        ("Rate__c:percent(18,2)", "", "DECIMAL(24,8)"), ("Rate__c:percent(18,2)", "A__c / B__c", "DOUBLE"),
        ("Sum__c:currency(18,2)", "", "DECIMAL(24,8)"), ("Note__c:encryptedstring", "", "VARCHAR"), ("Where__c:location", "", None),
        ("Tags__c:multipicklist", "", "VARCHAR"), ("At__c:time", "", "VARCHAR"), ("N__c:double(18,0)", "", "DECIMAL(24,6)"),
    ],
)  # fmt: skip
def test_types_of_fields_of_ones_own(org: Org, word: str, formula: str, type_: str | None) -> None:
    org.add_field("Lead", word, "Mine", formula)
    assert columns(org).get("mine") == type_


def test_discovery_says_the_same_each_time(org: Org) -> None:
    first, second = org.source().discover(), org.source().discover()
    assert first == second
    assert all(table.key == ("id",) for table in first)
    deletes = {table.name: (table.deletes, table.cursor) for table in first}
    assert deletes["opportunities"] == ("reported", "system_modstamp")
    assert deletes["users"] == ("unseen", ""), "users have no recycle bin: all of them are read each time"


def test_an_org_without_an_object_has_no_such_table(org: Org) -> None:
    del org.org["Order"], org.org["Event"], org.org["OpportunityHistory"]
    names = {table.name for table in org.source().discover()}
    assert {"leads", "activities"} <= names
    assert not {"orders", "opportunity_stage_history"} & names
    assert names == set(org.source().names())


def test_objects_of_ones_own(org: Org) -> None:
    org.add_object("Contrat_Cadre__c", "a01", "Name Montant__c:currency(16,2) LeadId:reference>Lead")
    id_ = org.insert("Contrat_Cadre__c", Name="C-1")
    assert "contrat_cadre" in org.source().names()
    assert "contrat_cadre" not in [t.name for t in org.source().discover()], (
        "only those that are named: an org has hundreds"
    )
    source = org.source(objects=["Contrat_Cadre__c"])
    assert "contrat_cadre" in [t.name for t in source.discover()]
    assert columns(org, "contrat_cadre")["montant"] == "DECIMAL(22,8)"
    assert set(whole(source, "contrat_cadre").rows) == {id_}


def test_an_object_that_is_not_there(org: Org) -> None:
    with pytest.raises(ConfigError, match="no object Invoice__c") as raised:
        org.source(objects=["Contact", "Invoice__c"]).discover()
    assert raised.value.setting == ("objects", 1)


# --- stages ---


def stays(kept: Kept) -> list[tuple[str, int, int | None]]:
    """Stage, hour of entering and of leaving."""

    def hour(when: dt.datetime | None) -> int | None:
        return None if when is None else int((when - NOW) / HOUR)

    rows = sorted(kept.rows.values(), key=lambda r: r["entered_at"])
    return [(r["stage_name"], hour(r["entered_at"]) or 0, hour(r["left_at"])) for r in rows]


@pytest.mark.parametrize(
    ("events", "want"),
    [
        ([], [("Qualification", 0, None)]),
        ([{"StageName": "Demo"}], [("Qualification", 0, 1), ("Demo", 1, None)]),
        # A line is written for an amount or a date as well: the stay goes on.
        ([{"Amount": 5}, {"StageName": "Demo"}, {"CloseDate": dt.date(2026, 5, 1)}], [("Qualification", 0, 2), ("Demo", 2, None)]),
        ([{"StageName": "Closed Lost"}], [("Qualification", 0, 1), ("Closed Lost", 1, None)]),
        # Opened again: twice in one stage.
        ([{"StageName": "Closed Lost"}, {"StageName": "Qualification"}, {"StageName": "Closed Won"}],
         [("Qualification", 0, 1), ("Closed Lost", 1, 2), ("Qualification", 2, 3), ("Closed Won", 3, None)]),
        ([{"NextStep": "call"}], [("Qualification", 0, None)]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("how", ["whole", "changes"])
def test_stays_in_stages(org: Org, how: str, events: list[dict[str, Any]], want: list[Any]) -> None:
    deal = org.insert("Opportunity", Name="Café Zoé", StageName="Qualification")
    source = org.source()
    kept = whole(source, "opportunity_stage_history")
    for event in events:
        org.later(HOUR)
        org.update("Opportunity", deal, **event)
        if how == "changes":  # after each event a sync
            then = kept.changes(source, "opportunity_stage_history")
            then.rows = kept.rows | then.rows
            kept = then
    if how == "whole":
        kept = whole(source, "opportunity_stage_history")
    assert stays(kept) == want
    assert {row["opportunity_id"] for row in kept.rows.values()} == {deal}


def test_stages_of_a_deal_that_is_deleted_are_gone(org: Org) -> None:
    gone, stays_ = (org.insert("Opportunity", Name=n, StageName="Demo") for n in "ab")
    org.later(DAY)
    source = org.source()
    first = whole(source, "opportunity_stage_history")
    org.delete("Opportunity", gone)
    then = first.changes(source, "opportunity_stage_history")
    assert then.gone == {id_ for id_, row in first.rows.items() if row["opportunity_id"] == gone}
    assert {r["opportunity_id"] for r in whole(source, "opportunity_stage_history").rows.values()} == {stays_}


def test_many_histories_come_in_many_answers(org: Org) -> None:
    org.batch = 50
    deals = [
        org.insert("Opportunity", Name=str(n), StageName="Demo") for n in range(320)
    ]  # more than one query's ids
    for deal in deals:
        org.update("Opportunity", deal, StageName="Proposal")
    assert len(whole(org.source(), "opportunity_stage_history").rows) == 640


# --- activities ---

LEAD, CONTACT, ACCOUNT, DEAL = (
    "00Q5g0000000001AAA",
    "0035g0000000001AAA",
    "0015g0000000001AAA",
    "0065g0000000001AAA",
)
FREE = {"lead_id": None, "contact_id": None, "account_id": None, "opportunity_id": None}


@pytest.mark.parametrize(
    ("sobject", "values", "want"),
    [
        ("Task", {"TaskSubtype": "Call", "IsClosed": True, "CompletedDateTime": NOW}, {"kind": "call", "done_at": NOW, **FREE}),
        ("Task", {"TaskSubtype": "Email", "IsClosed": False}, {"kind": "email", "done_at": None}),
        ("Task", {"IsClosed": False, "CompletedDateTime": NOW}, {"kind": "task", "done_at": None}),
        ("Task", {"IsClosed": True, "IsArchived": True, "CompletedDateTime": NOW}, {"done_at": NOW}),  # older than a year
        ("Event", {"EndDateTime": NOW}, {"kind": "meeting", "done_at": NOW}),
        ("Task", {"WhoId": LEAD}, {**FREE, "lead_id": LEAD}),
        ("Task", {"WhoId": CONTACT, "WhatId": DEAL, "AccountId": ACCOUNT}, {"lead_id": None, "contact_id": CONTACT, "opportunity_id": DEAL, "account_id": ACCOUNT}),
        ("Event", {"WhatId": ACCOUNT}, {**FREE, "account_id": ACCOUNT}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("bulk", ["never", "always"])
def test_an_activity(org: Org, bulk: str, sobject: str, values: dict[str, Any], want: dict[str, Any]) -> None:
    id_ = org.insert(sobject, Subject="Relance", **values)
    row = whole(org.source(bulk=bulk), "activities").rows[id_]
    assert {name: row[name] for name in want} == want


@pytest.mark.parametrize(
    ("sobject", "field"), [("Task", "IsRecurrence"), ("Event", "IsRecurrence"), ("Event", "IsChild")]
)
@pytest.mark.parametrize("bulk", ["never", "always"])
def test_a_series_and_the_copies_of_guests_are_no_activities(
    org: Org, bulk: str, sobject: str, field: str
) -> None:
    org.add_field(sobject, f"{field}:boolean", value=False)
    real = org.insert(sobject, Subject="real")
    org.insert(sobject, Subject="not", **{field: True})
    assert set(whole(org.source(bulk=bulk), "activities").rows) == {real}
