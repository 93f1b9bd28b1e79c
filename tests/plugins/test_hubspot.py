"""The HubSpot connector on a simulated account: tables and types, all rows and changed ones, on from any page, and what goes wrong."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.plugins.reading_hubspot import NOON, Read, column, connecting, read
from tests.simulators.base import Fault
from tests.simulators.hubspot import TOKEN, HubSpot

from cadran.plugins import (
    AuthError,
    ConfigError,
    ConnectorError,
    DataError,
    Page,
    QuotaExhausted,
    ResumeExpired,
    Transient,
    Window,
)

HOUR, MINUTE = dt.timedelta(hours=1), dt.timedelta(minutes=1)
OBJECTS = ("contacts", "companies", "deals", "orders")
CURSORS = {
    "contacts": "lastmodifieddate", "companies": "hs_lastmodifieddate", "deals": "hs_lastmodifieddate",
    "orders": "hs_lastmodifieddate", "deal_stage_history": "modified_at", "activities": "modified_at",
}  # fmt: skip


@pytest.fixture
def account() -> Iterator[HubSpot]:
    simulator = HubSpot()
    simulator.now = lambda: NOON
    with simulator.serving():
        yield simulator


def deals(account: HubSpot, count: int, at: dt.datetime = NOON - 10 * HOUR) -> list[int]:
    return [account.insert("deals", {"dealname": f"D{n}", "amount": f"{n}.10", "dealstage": "contractsent"}, at=at + n * MINUTE) for n in range(count)]  # fmt: skip


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


# --- all rows, and changed ones ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
def test_all_pages(account: HubSpot, count: int) -> None:
    ids = deals(account, count)
    with connecting(account) as source:
        whole = read(source, "deals")
        changed = read(source, "deals", Window(NOON - 24 * HOUR, NOON))
    assert list(whole.rows) == list(changed.rows) == [str(id_) for id_ in ids]
    assert whole.rows == changed.rows


def test_only_what_has_changed_those_at_the_bound_included(account: HubSpot) -> None:
    ids = deals(account, 10)
    since = NOON - 10 * HOUR + 7 * MINUTE
    account.tie("deals", ids[2:4], since)
    with connecting(account) as source:
        assert set(read(source, "deals", Window(since, NOON)).rows) == {str(ids[n]) for n in (2, 3, 7, 8, 9)}
        assert read(source, "deals", Window(NOON + HOUR, NOON)).rows == {}  # a state from the future


def test_more_hits_than_a_search_gives(account: HubSpot) -> None:
    """All of them changed at the same moment, as after an import."""
    account.hits_at_most = 400
    ids = deals(account, 1001)
    account.tie("deals", ids, NOON - HOUR)
    with connecting(account) as source:
        assert len(read(source, "deals", Window(NOON - HOUR, NOON)).rows) == 1001


def test_what_is_archived_is_gone(account: HubSpot) -> None:
    ids = deals(account, 5)
    account.archive("deals", ids[0], at=NOON - 5 * HOUR)
    account.archive("deals", ids[1], at=NOON - HOUR)
    with connecting(account) as source:
        whole = read(source, "deals")
        changed = read(source, "deals", Window(NOON - 2 * HOUR, NOON))
        assert whole.gone == {str(ids[0]), str(ids[1])} and set(whole.rows) == {str(id_) for id_ in ids[2:]}
        assert changed.gone == {str(ids[1])} and changed.rows == {}
        account.restore("deals", ids[1])
        again = read(source, "deals", Window(NOON - 2 * HOUR, NOON))
        assert again.gone == set() and set(again.rows) == {str(ids[1])}


def test_what_is_merged_into_another_is_gone(account: HubSpot) -> None:
    """HubSpot shows it neither as archived nor in any other way but in the record that took it in."""
    ids = deals(account, 3)
    both = account.merge("deals", ids[2], ids[0])
    with connecting(account) as source:
        changed = read(source, "deals", Window(NOON - MINUTE, NOON))
    assert changed.gone == {str(ids[0]), str(ids[2])} and set(changed.rows) == {str(both)}


def test_a_row_that_changes_while_others_are_read_is_not_lost(account: HubSpot) -> None:
    """It goes to the end of what is sorted by time; pages are told by ids, so that none behind it moves up."""
    ids = deals(account, 450)

    def moved(number: int) -> Callable[[], None]:
        return lambda: account.update("deals", ids[number], {"amount": "7"}, at=NOON + MINUTE)

    with connecting(account) as source:
        source.table("deals")
        account.meanwhile = [moved(0), moved(150), moved(449)]
        assert len(read(source, "deals").rows) == 450
        account.tie("deals", ids, NOON - HOUR)
        account.meanwhile = [moved(0), moved(449)]
        first = read(source, "deals", Window(NOON - HOUR, NOON))
        # It changed behind the window's end, and is in the next.
        assert {str(id_) for id_ in ids} - set(first.rows) == {str(ids[449])}
        account.now = lambda: NOON + HOUR
        assert str(ids[449]) in read(source, "deals", Window(NOON - HOUR, NOON + HOUR)).rows


def test_search_that_lags_loses_nothing(account: HubSpot) -> None:
    """What search does not show yet is seen by the next read, which begins again some minutes before."""
    account.lag = 2 * MINUTE
    (old,), now = deals(account, 1), account.clock
    late = account.insert("deals", {}, at=now - MINUTE)
    with connecting(account) as source:
        table = source.table("deals")
        assert table is not None
        assert set(read(source, "deals", Window(NOON - 24 * HOUR, now)).rows) == {str(old)}
        account.now = lambda: NOON + HOUR
        assert set(read(source, "deals", Window(now - table.lookback, NOON + HOUR)).rows) == {str(late)}


@pytest.mark.parametrize("hours", [-3, 3])
def test_clocks_that_differ(account: HubSpot, hours: int) -> None:
    """The window's end is a time of our clock, what it is compared with one of HubSpot's."""
    account.skew = hours * HOUR
    account.insert("deals", {}, at=account.clock - MINUTE)
    with connecting(account) as source:
        assert len(read(source, "deals", Window(account.clock - HOUR, account.now())).rows) == 1


def test_an_account_with_many_properties(account: HubSpot) -> None:
    """Their names do not fit into an address: the records are read by their ids, and no address is too long."""
    for number in range(400):
        account.add_property("deals", f"a_rather_long_name_of_a_property_{number}", f"P{number}")
    ids = deals(account, 130)
    company = account.insert("companies", {})
    account.update("deals", ids[120], {"a_rather_long_name_of_a_property_399": "here"})
    account.associate("deals", ids[120], "companies", company, primary=True)
    account.archive("deals", ids[1])
    with connecting(account) as source:
        found = read(source, "deals")
    assert len(found.rows) == 129 and found.gone == {str(ids[1])}
    assert found.rows[str(ids[120])]["p399"] == "here" and found.rows[str(ids[120])]["company_id"] == str(
        company
    )
    assert max(len(request.query.get("properties", "")) for request in account.asked) < 6_000


# --- on from any page --------------------------------------------------------------------------------------------------------


def world(account: HubSpot) -> None:
    account.links_at_once = 2
    ids = deals(account, 230)
    company = account.insert("companies", {"name": "C"}, at=NOON - 9 * HOUR)
    for n in ids[::3]:
        account.update("deals", n, {"dealstage": "closedwon"}, at=NOON - HOUR)
        account.associate("deals", n, "companies", company)
    for n in (3, 9, 120):
        account.archive("deals", ids[n])
    for kind in ("calls", "notes", "tasks"):
        for n in range(120):
            note = account.insert(
                kind, {"hs_timestamp": "2026-03-01T10:00:00Z"}, at=NOON - 2 * HOUR + n * MINUTE
            )
            account.associate(kind, note, "deals", ids[n])
        account.archive(kind, note)


@pytest.mark.parametrize("table", ["deals", "deal_stage_history", "activities", "deals_companies"])
@pytest.mark.parametrize("window", [Window(), Window(NOON - 24 * HOUR, NOON)], ids=["whole", "changes"])
def test_reading_goes_on_behind_any_page(account: HubSpot, table: str, window: Window) -> None:
    world(account)
    with connecting(account) as source:
        described, items = source.table(table), list(source.changes(table, window))
        assert described is not None
        whole = Read(described, items)
        assert len(whole.resumes) == len({repr(r) for r in whole.resumes}) > 2, "no two pages have the same"
        for cut, item in enumerate(items[:-1]):
            resume = getattr(item, "resume", None)
            if resume is None:
                continue
            rest = list(source.changes(table, window, resume))
            assert rest[-1].rows == sum(item.data.num_rows for item in rest if isinstance(item, Page))  # type: ignore[union-attr,attr-defined]
            joined = Read(described, [*items[: cut + 1], *rest])
            assert (joined.rows, joined.gone) == (whole.rows, whole.gone)


@pytest.mark.parametrize(
    "resume",
    [{}, {"at": "nowhere"}, {"at": 3}, {"at": "live", "after": None}, {"at": "live", "above": "abc"}],
)
@pytest.mark.parametrize("table", ["deals", "activities"])
def test_a_resume_that_is_none(account: HubSpot, resume: dict[str, Any], table: str) -> None:
    with connecting(account) as source, pytest.raises(ResumeExpired):
        window = Window(NOON - HOUR, NOON)
        read(source, table, window, {"kind": "calls", **resume} if table == "activities" else resume)


def test_a_kind_of_activities_that_is_none(account: HubSpot) -> None:
    with connecting(account) as source:
        for resume in ({}, {"kind": "letters", "at": "live"}, {"kind": ["calls"], "at": "live"}):
            with pytest.raises(ResumeExpired):
                read(source, "activities", resume=resume)


def test_a_state_that_is_none(account: HubSpot) -> None:
    with connecting(account) as source, pytest.raises(ResumeExpired):
        read(source, "deals", Window("yesterday", NOON))


def test_a_cursor_that_has_expired(account: HubSpot) -> None:
    deals(account, 250)
    with connecting(account) as source:
        (first, *_) = source.changes("deals")
        assert isinstance(first, Page)
        account.expired = True
        with pytest.raises(ResumeExpired):
            read(source, "deals", resume=first.resume)


@pytest.mark.parametrize("window", [Window(), Window(NOON - 24 * HOUR, NOON)])
def test_pages_that_point_to_themselves_are_no_loop(account: HubSpot, window: Window) -> None:
    deals(account, 450)
    account.stuck = True
    with connecting(account) as source, pytest.raises(DataError):
        read(source, "deals", window)


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


# --- what goes wrong ---------------------------------------------------------------------------------------------------------


def test_who_the_account_is(account: HubSpot) -> None:
    with connecting(account) as source:
        assert source.ping() == "HubSpot account 4242 (app-eu1.hubspot.com)"
        assert source.hosts == [f"127.0.0.1:{account.port}"]
    assert {request.method for request in account.asked} == {"GET"}


def test_a_wrong_token_is_tried_once(account: HubSpot) -> None:
    with connecting(account, token="pat-wrong-one") as source:
        for ask in (source.ping, source.discover, lambda: read(source, "deals")):
            before = len(account.asked)
            with pytest.raises(AuthError) as caught:
                ask()
            assert caught.value.setting == ("token",) and "access token" in caught.value.hint
            assert (
                "pat-wrong-one" not in f"{caught.value!r}{caught.value.hint}"
                and len(account.asked) == before + 1
            )


@pytest.mark.parametrize(
    ("scope", "without"),
    [
        (
            "crm.objects.orders.read",
            {"orders", "order_stages", "orders_contacts", "orders_companies", "orders_deals"},
        ),
        ("sales-email-read", {"activities"}),
        ("crm.objects.owners.read", {"owners"}),
    ],
)
def test_a_missing_scope_is_a_problem_of_its_tables_only(
    account: HubSpot, scope: str, without: set[str]
) -> None:
    account.missing = {scope}
    deals(account, 1)
    with connecting(account) as source:
        problems = {table.name: table.problem for table in source.discover() if table.problem}
        assert set(problems) == without
        assert all(
            scope in f"{p.message}" and scope in p.hint and p.setting == ("token",) for p in problems.values()
        )
        assert len(read(source, "deals").rows) == 1
        with pytest.raises(AuthError, match=scope):
            list(source.changes(sorted(without)[0]))
    with connecting(account, activities=["calls", "notes"]) as source:
        assert source.table("activities").problem is None  # type: ignore[union-attr]


def test_the_requests_of_the_day_come_back_at_midnight_of_the_account(account: HubSpot) -> None:
    deals(account, 250)
    account.faults = [Fault("quota", times=99, path="/objects/deals$", skip=2)]
    with connecting(account) as source:
        source.discover()
        given = source.changes("deals")
        page = next(given)
        assert isinstance(page, Page)
        with pytest.raises(QuotaExhausted) as caught:
            list(given)
        assert caught.value.until == dt.datetime(2026, 3, 3, tzinfo=ZoneInfo("Europe/Paris"))
        account.faults = []
        assert len(read(source, "deals", resume=page.resume).rows) == 150


@pytest.mark.parametrize(
    "fault",
    [
        Fault("limited", times=2), Fault("limited", times=2, retry_after=3), Fault("error", times=2, status=502),
        Fault("error", times=2, status=423), Fault("error", times=2, status=477), Fault("html", times=2), Fault("truncated", times=2),
        Fault("drop", times=2),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)  # fmt: skip
@pytest.mark.parametrize("window", [Window(), Window(NOON - 24 * HOUR, NOON)], ids=["whole", "changes"])
def test_what_passes_is_waited_for(account: HubSpot, fault: Fault, window: Window) -> None:
    deals(account, 250)
    with connecting(account) as source:
        source.table("deals")
        account.faults = [Fault(fault.kind, fault.times, "deals", 1, fault.status, fault.retry_after)]
        assert len(read(source, "deals", window).rows) == 250
        assert account.faults[0].times == 0


def test_what_does_not_pass_is_an_error_without_the_token(account: HubSpot) -> None:
    deals(account, 5)
    with connecting(account) as source:
        source.table("deals")
        account.faults = [Fault("error", times=99, status=500)]
        with pytest.raises(Transient) as caught:
            read(source, "deals")
    assert (
        TOKEN
        not in f"{caught.value!r}{caught.value.hint}{caught.value.__cause__!r}{caught.value.__context__!r}"
    )


def test_an_answer_that_is_not_hubspots(account: HubSpot, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.simulators.base import Response

    with connecting(account) as source:
        source.table("deals")
        monkeypatch.setattr(account, "answer", lambda _: Response({"hello": "world"}))
        with pytest.raises(ConnectorError, match="no results"):
            read(source, "deals")


@pytest.mark.parametrize(
    ("config", "setting"),
    [
        ({"token": "  "}, "token"), ({"token": "pat one"}, "token"), ({"token": "clé"}, "token"), ({"url": "api.hubapi.com"}, "url"),
        ({"url": "https://user:secret@api.hubapi.com"}, "url"), ({"url": "ftp://x"}, "url"),
    ],
)  # fmt: skip
def test_settings_that_cannot_work(account: HubSpot, config: dict[str, str], setting: str) -> None:
    with pytest.raises(ConfigError) as caught, connecting(account, **config):
        pass
    assert caught.value.setting == (setting,) and "secret" not in caught.value.message


def test_a_table_that_is_not_there(account: HubSpot) -> None:
    with connecting(account) as source:
        assert source.table("dealz") is None
        with pytest.raises(ConfigError, match="dealz") as caught:
            source.check("dealz")
        assert "deals" in caught.value.hint and account.asked == []


def test_both_versions_give_the_same(account: HubSpot) -> None:
    world(account)
    found = []
    for version in ("v3", "2026-09"):
        with connecting(account, version=version) as source:
            found.append([read(source, name).rows for name in source.names()])
    assert found[0] == found[1]
    assert any("/crm/objects/2026-09/deals" in request.path for request in account.asked)
