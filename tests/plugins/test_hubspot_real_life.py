"""What HubSpot's accounts do once they are lived in: records are merged, meetings are called off, answers come in parts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from tests.plugins.reading_hubspot import NOON, connecting, read
from tests.simulators.base import Request, Response
from tests.simulators.hubspot import HubSpot
from tests.simulators.hubspot_words import lacking, standard_error

from cadran.plugins import AuthError, DataError, Transient, Window

HOUR, MINUTE = dt.timedelta(hours=1), dt.timedelta(minutes=1)
LATELY = Window(NOON - HOUR, NOON + HOUR)


@pytest.fixture
def account() -> Iterator[HubSpot]:
    simulator = HubSpot()
    simulator.now = lambda: NOON
    with simulator.serving():
        yield simulator


# --- merged records ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gone", ["hs_merged_object_ids", "hs_calculated_merged_vids"])
def test_an_account_without_a_property_that_tells_of_merges(account: HubSpot, gone: str) -> None:
    account.remove_property("contacts", gone)
    deal = account.insert("deals", {})
    with connecting(account) as source:
        assert set(read(source, "deals", LATELY).rows) == {str(deal)}


@pytest.mark.parametrize("kind", ["contacts", "companies", "deals"])
@pytest.mark.parametrize("window", [LATELY, Window()], ids=["changes", "whole"])
def test_two_that_are_merged_become_a_third(account: HubSpot, kind: str, window: Window) -> None:
    """Contacts say it in a property of another name and form than all others."""
    one, two = (account.insert(kind, {}, at=NOON - 9 * HOUR) for _ in range(2))
    both = account.merge(kind, one, two)
    with connecting(account) as source:
        found = read(source, kind, window)
    assert set(found.rows) == {str(both)} and found.gone == {str(one), str(two)}


@pytest.mark.parametrize(
    ("kind", "other", "column"),
    [
        ("deals", "contacts", "contact_id"),
        ("deals", "companies", "company_id"),
        ("contacts", "companies", "company_id"),
        ("orders", "companies", "company_id"),
        ("calls", "contacts", "contact_id"),
        ("meetings", "deals", "deal_id"),
    ],
)
def test_rows_name_the_record_that_their_own_was_merged_into(
    account: HubSpot, kind: str, other: str, column: str
) -> None:
    """Nothing changes in them, and the ids that they named are gone: their KPIs would lose the channel, the segment, the owner."""
    long_ago = NOON - 9 * HOUR
    one, two, free = (account.insert(other, {}, at=long_ago) for _ in range(3))
    ids = [str(account.insert(kind, {}, at=long_ago)) for _ in range(4)]
    for id_, linked in zip(ids, (one, two, two, free), strict=True):
        account.associate(kind, int(id_), other, linked)
    both = str(account.merge(other, one, two))
    table = kind if kind in ("deals", "contacts", "orders") else "activities"
    with connecting(account) as source:
        rows = {row["id"]: row[column] for row in read(source, table, LATELY).rows.values()}
        whole = {row["id"]: row[column] for row in read(source, table).rows.values() if row["id"] in ids}
    assert rows == dict.fromkeys(ids[:3], both)
    assert whole == {**rows, ids[3]: str(free)}


def test_many_rows_of_a_merged_record_can_be_gone_on_with(account: HubSpot) -> None:
    one, two = (account.insert("companies", {}, at=NOON - 9 * HOUR) for _ in range(2))
    for _ in range(230):
        account.associate("deals", account.insert("deals", {}, at=NOON - 9 * HOUR), "companies", two)
    account.merge("companies", one, two)
    with connecting(account) as source:
        whole = read(source, "deals", LATELY)
        assert len(whole.rows) == 230
        assert len({repr(resume) for resume in whole.resumes}) == len(whole.resumes) >= 3
        rest = read(source, "deals", LATELY, whole.resumes[-2])
        assert 0 < len(rest.rows) < 230 and rest.rows.items() <= whole.rows.items()


def test_links_are_read_without_the_scope_to_look_for_merged_ones(
    account: HubSpot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HubSpot's description of its API lets a token for either end read the links, and one for each object look into it."""
    deal, contact = account.insert("deals", {}), account.insert("contacts", {})
    account.associate("deals", deal, "contacts", contact)
    answer, lacks = account.answer, lacking(["crm.objects.contacts.read"])
    monkeypatch.setattr(account, "answer", lambda r: lacks if "contacts/search" in r.path else answer(r))
    with connecting(account) as source:
        assert read(source, "deals", LATELY).rows[str(deal)]["contact_id"] == str(contact)


# --- computed values ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "value"),
    [
        ("79.3593248137", "79.35932481"),  # 12345.67 yen at 0.00642811
        ("0.0000000049", "0"),
        ("1.5E-12", "0"),
        ("1.5E7", "15000000"),
        ("-1.123456789E2", "-112.3456789"),
        ("12.5", "12.5"),
        ("33.333333333333336", "33.33333333"),
        ("", None),
    ],
)
def test_what_hubspot_computes_has_more_places_than_anybody_types(
    account: HubSpot, told: str, value: str | None
) -> None:
    """An amount at a rate of exchange: a deal must not be lost for its tenth place."""
    account.add_property("deals", "margin", "Margin", "number", calculated=True)
    account.insert("deals", {"margin": told, "amount_in_home_currency": told})
    with connecting(account) as source:
        found = read(source, "deals")
    (row,) = found.rows.values()
    assert row["margin"] == row["amount_in_home_currency"] == (None if value is None else Decimal(value))


# --- answers that are not whole ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["deals", "deal_stage_history"])
def test_a_part_of_a_batch_that_fails_is_no_record_without_links(
    account: HubSpot, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    """A batch is answered with 207 where some of it fails: that there are no links is one reason, and not the only one."""
    deal, company = account.insert("deals", {"dealstage": "contractsent"}), account.insert("companies", {})
    account.associate("deals", deal, "companies", company, primary=True)
    answer, failing = account.answer, [3]

    def partly(request: Request) -> Response:
        whole = answer(request)
        if request.path.endswith("/batch/read") and failing and failing[0]:
            failing[0] -= 1
            error = {**standard_error("internal error", [str(deal)]), "category": "INTERNAL_ERROR"}
            return Response({**whole.content, "results": [], "numErrors": 1, "errors": [error]}, 207)
        return whole

    monkeypatch.setattr(account, "answer", partly)
    with connecting(account) as source:
        (row,) = read(source, table, LATELY).rows.values()  # asked again until all of it came
        assert row.get("company_id", str(company)) == str(company)
        failing[0] = 99
        with pytest.raises(Transient, match="internal error"):
            read(source, table, LATELY)


def test_a_search_that_says_there_is_more_and_gives_nothing_is_no_loop(
    account: HubSpot, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.insert("deals", {})
    with connecting(account) as source:
        source.table("deals")
        empty = Response({"total": 3, "results": [], "paging": {"next": {"after": "200"}}})
        monkeypatch.setattr(account, "answer", lambda _: empty)
        with pytest.raises((Transient, DataError), match="more"):
            read(source, "deals", LATELY)


def test_what_hubspot_refuses_without_a_word_of_scopes_has_a_hint(
    account: HubSpot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From an address that is locked out comes a page of Cloudflare's, and no JSON."""
    monkeypatch.setattr(
        account, "answer", lambda _: Response(b"<html>blocked</html>", 403, {"content-type": "text/html"})
    )
    with connecting(account) as source, pytest.raises(AuthError) as caught:
        read(source, "deals")
    assert "403" in caught.value.message and "Private apps" in caught.value.hint


def test_what_does_not_look_like_a_token_is_not_asked_for_again_and_again(
    account: HubSpot, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Response(b"<html>Origin DNS error</html>", 530, {"content-type": "text/html"})
    monkeypatch.setattr(account, "answer", lambda _: page)
    with connecting(account, token="0f3a7c1e-an-old-api-key") as source, pytest.raises(AuthError) as caught:
        source.ping()
    assert caught.value.setting == ("token",) and "pat-" in caught.value.hint and len(account.asked) == 1


# --- activities --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "values", "done"),
    [
        ("meetings", {}, True),
        ("meetings", {"hs_meeting_outcome": "COMPLETED"}, True),
        ("meetings", {"hs_meeting_outcome": "SCHEDULED"}, True),  # most teams never say how it went
        ("meetings", {"hs_meeting_outcome": "CANCELED"}, False),
        ("meetings", {"hs_meeting_outcome": "NO_SHOW"}, False),
        ("meetings", {"hs_meeting_outcome": "RESCHEDULED"}, False),  # the new date is another meeting
        ("emails", {"hs_email_status": "SENT"}, True),
        ("emails", {"hs_email_status": "FAILED"}, False),
        ("calls", {"hs_call_status": "NO_ANSWER"}, True),  # somebody did call
    ],
)  # fmt: skip
def test_what_did_not_take_place_is_not_done(
    account: HubSpot, kind: str, values: dict[str, str], done: bool
) -> None:
    account.insert(kind, {"hs_timestamp": "2026-03-01T10:00:00.000Z", **values})
    with connecting(account) as source:
        (row,) = read(source, "activities").rows.values()
    at = dt.datetime(2026, 3, 1, 10, tzinfo=dt.UTC)
    assert (row["planned_at"], row["done_at"]) == (at, at if done else None)


def test_times_of_activities_that_come_as_milliseconds(account: HubSpot) -> None:
    account.insert("tasks", {"hs_timestamp": "1772352550123", "hs_task_completion_date": "1772352550123"})
    with connecting(account) as source:
        found = read(source, "activities")
    (row,) = found.rows.values()
    assert not found.set_aside
    assert row["done_at"] == row["planned_at"] == dt.datetime(2026, 3, 1, 8, 9, 10, 123000, dt.UTC)


# --- stages ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metadata", "closed", "won"),
    [
        ({"probability": "1.0"}, True, True),
        ({"probability": "0.0"}, True, False),
        ({"probability": "0.4"}, False, False),
        ({"probability": "0.0", "isClosed": "false"}, False, False),
        ({"isClosed": "true", "probability": "1.0"}, True, True),
    ],
)
def test_a_stage_that_does_not_say_whether_it_is_closed(
    account: HubSpot, metadata: dict[str, Any], closed: bool, won: bool
) -> None:
    """Only the probability has to be given when a stage is made: 0 is closed lost, 1 closed won (HubSpot's guide to pipelines)."""
    account.pipelines[0]["stages"] = [{**account.pipelines[0]["stages"][0], "metadata": metadata}]
    with connecting(account) as source:
        (row,) = read(source, "stages").rows.values()
    assert (row["is_closed"], row["is_won"]) == (closed, won)


@pytest.mark.parametrize("stages", [("contractsent", "closedwon"), ("closedwon", "contractsent")])
def test_two_stages_of_one_moment_keep_their_order(account: HubSpot, stages: tuple[str, str]) -> None:
    deal = account.insert("deals", {"dealstage": stages[0]})
    account.update("deals", deal, {"dealstage": stages[1]})
    with connecting(account) as source:
        rows = read(source, "deal_stage_history").rows.values()
    assert {row["stage_id"]: row["left_at"] for row in rows} == {stages[0]: NOON, stages[1]: None}


def test_a_deal_that_moved_more_often_than_hubspot_remembers(account: HubSpot) -> None:
    """The oldest stays are missing, and none is made up: what a copy has of them already goes on to hold."""
    began, moves = NOON - 100 * HOUR, 30
    deal = account.insert("deals", {"dealstage": "s0"}, at=began)
    copy: dict[Any, Any] = {}
    for move in range(1, moves):
        account.update("deals", deal, {"dealstage": f"s{move}"}, at=began + move * HOUR)
        if move % 7 == 0:
            with connecting(account) as source:
                copy |= read(source, "deal_stage_history", Window(began, NOON)).rows
    with connecting(account) as source:
        copy |= read(source, "deal_stage_history", Window(began, NOON)).rows
        whole = read(source, "deal_stage_history").rows
    assert [row["stage_id"] for row in whole.values()] == [f"s{move}" for move in range(10, moves)]
    stays = sorted(copy.values(), key=lambda row: row["entered_at"])
    assert [row["stage_id"] for row in stays] == [f"s{move}" for move in range(moves)]
    assert [row["left_at"] for row in stays] == [*(row["entered_at"] for row in stays[1:]), None]


def test_stages_of_orders(account: HubSpot) -> None:
    with connecting(account) as source:
        rows = read(source, "order_stages").rows
    assert {row["label"]: row["is_closed"] for row in rows.values()} == {
        "Open": False, "Processed": True, "Shipped": True, "Delivered": True, "Cancelled": True,
    }  # fmt: skip
