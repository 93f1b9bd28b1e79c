"""What orgs of Salesforce do once they are lived in: more digits than a field has, more records than one question may ask for, versions
that come and go."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from tests.simulators.base import Response

from cadran.plugins import AuthError, ConfigError, ConnectorError, DataError, QuotaExhausted, Transient

from .salesforce_org import DAY, Org, whole

BOTH = pytest.mark.parametrize("bulk", ["never", "always"])


# --- values ------------------------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    ("stored", "value"),
    [
        ("33.335", "33.335"),  # two more than the field shows: what a program has written is kept as it is
        ("0.12345678", "0.12345678"),
        ("33.333333333333336", "33.33333333"),
        ("0.123456789", "0.12345679"),
        ("1234567890123456.785", "1234567890123456.785"),
        ("-0.000000001", "0"),
        ("1E-14", "0"),
    ],
)
def test_numbers_with_more_digits_than_their_field_lose_no_row(
    org: Org, bulk: str, stored: str, value: str
) -> None:
    """Digits are limited where people type. A program may store more, which Salesforce shows rounded, adds up exactly, and gives whole."""
    id_ = org.insert("Opportunity", StageName="Proposal", Amount=Decimal(stored))
    kept = whole(org.source(bulk=bulk), "opportunities")
    assert not kept.aside
    assert kept.rows[id_]["amount"] == Decimal(value)


@pytest.mark.parametrize(
    ("whole_day", "ends", "done"),
    [
        (False, dt.datetime(2026, 3, 9, 9, 30, tzinfo=dt.UTC), dt.datetime(2026, 3, 9, 9, 30, tzinfo=dt.UTC)),
        (False, dt.datetime(2026, 3, 9, tzinfo=dt.UTC), dt.datetime(2026, 3, 9, tzinfo=dt.UTC)),
        (True, dt.datetime(2026, 3, 9, tzinfo=dt.UTC), dt.datetime(2026, 3, 9, 12, tzinfo=dt.UTC)),
    ],
)
@BOTH
def test_an_event_of_a_whole_day_is_done_on_that_day_wherever_one_is(
    org: Org, bulk: str, whole_day: bool, ends: dt.datetime, done: dt.datetime
) -> None:
    """Its end is midnight UTC, which is no time and must not be moved into a zone: in New York it would be the day before."""
    id_ = org.insert("Event", IsAllDayEvent=whole_day, EndDateTime=ends)
    assert whole(org.source(bulk=bulk), "activities").rows[id_]["done_at"] == done


@BOTH
def test_two_that_were_merged_are_one(org: Org, bulk: str) -> None:
    winner, loser = (org.insert("Account", Name=name) for name in "ab")
    deal = org.insert("Opportunity", StageName="Demo", AccountId=loser)
    source = org.source(bulk=bulk)
    first, deals = whole(source, "accounts"), whole(source, "opportunities")
    org.later(DAY)
    org.merge("Account", winner, loser)
    then = first.changes(source, "accounts")
    assert then.gone == {loser} and set(then.rows) == {winner}
    assert set(whole(source, "accounts").rows) == {winner}
    assert deals.changes(source, "opportunities").rows[deal]["account_id"] == winner


# --- more than one question may ask for --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("bulk", "jobs"), [("auto", 1), ("never", 0)])
def test_a_query_that_runs_too_long_is_asked_in_parts(org: Org, bulk: str, jobs: int) -> None:
    """Sorting millions of rows takes longer than Salesforce lets a query run; a part that its index gives at once does not."""
    org.refuses["Campaign"] = "QUERY_TIMEOUT", "Your query request was running for too long."
    org.make("Campaign", 4500)
    assert whole(org.source(bulk=bulk), "campaigns").sent == 4500
    assert org.paths().count("/jobs/query") == jobs
    assert [p for p in org.paths() if p == "/queryAll"].__len__() <= 2 + 4, "it is not tried again and again"


def test_what_is_about_too_many_people_is_no_question_for_the_bulk_api(org: Org) -> None:
    org.refuses["Campaign"] = "OPERATION_TOO_LARGE", "exceeded 100000 distinct ids"
    org.make("Campaign", 4500)
    assert whole(org.source(), "campaigns").sent == 4500
    assert "/jobs/query" not in org.paths()


@pytest.mark.parametrize("bulk", ["auto", "always"])
def test_activities_about_too_many_people_are_asked_in_parts(org: Org, bulk: str) -> None:
    """Without View All Data, Salesforce looks up who may see each of the people, and not more than 100,000 for one question."""
    org.refuses["Task"] = "OPERATION_TOO_LARGE", "exceeded 100000 distinct who/what's"
    ids = [org.insert("Task", Subject=str(n)) for n in range(5)]
    assert set(whole(org.source(bulk=bulk), "activities").rows) == set(ids)


@pytest.mark.parametrize(
    ("code", "words", "hint"),
    [
        ("OPERATION_TOO_LARGE", "exceeded 100000 distinct who/what's", "View All Data"),
        ("QUERY_TOO_COMPLICATED", "Query is either selecting too many fields or the filter conditions are too complicated.", "formula"),
    ],
)  # fmt: skip
def test_what_salesforce_will_not_answer_at_all_says_what_to_do(
    org: Org, monkeypatch: pytest.MonkeyPatch, code: str, words: str, hint: str
) -> None:
    org.leads(1)
    answer = org.answer
    refused = Response([{"message": words, "errorCode": code}], 400)
    monkeypatch.setattr(org, "answer", lambda r: refused if r.path.endswith("queryAll") else answer(r))
    with pytest.raises(DataError, match=code) as raised:
        whole(org.source(bulk="never"))
    assert hint in raised.value.hint


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("InvalidBatch : Failed to process query: QUERY_TIMEOUT: Your query request was running for too long.", Transient),
        ("InvalidBatch : Failed to process query: INVALID_FIELD: No such column 'X__c' on entity 'Lead'", ConnectorError),
    ],
)  # fmt: skip
def test_a_job_that_fails_may_say_its_code_inside_of_other_words(
    org: Org, said: str, error: type[Exception]
) -> None:
    told = org._told
    org._told = lambda job: told(job) | {"state": "Failed", "errorMessage": said}  # type: ignore[method-assign]
    org.leads(1)
    with pytest.raises(error, match=r"QUERY_TIMEOUT|X__c"):
        whole(org.source(bulk="always"))


@pytest.mark.parametrize("content", [b"", b"\n", b'""\n', b'"Id"\n'])
def test_results_of_a_job_without_rows(org: Org, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    answer = org.answer
    headers = {"content-type": "text/csv", "sforce-numberofrecords": "0", "sforce-locator": "null"}
    empty = Response(content, 200, headers)
    monkeypatch.setattr(org, "answer", lambda r: empty if r.path.endswith("/results") else answer(r))
    assert whole(org.source(bulk="always")).rows == {}


def test_results_that_are_no_csv(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    org.leads(1)
    answer = org.answer

    def odd(request: Any) -> Response:
        got = answer(request)
        return (
            Response(got.content + b"\rmore", 200, got.headers) if request.path.endswith("/results") else got
        )

    monkeypatch.setattr(org, "answer", odd)
    with pytest.raises(Transient):
        whole(org.source(bulk="always"))


# --- versions, editions, limits ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["99.0", "20.0"])
@pytest.mark.parametrize("ask", ["ping", "discover"])
def test_a_version_that_the_org_does_not_speak(org: Org, version: str, ask: str) -> None:
    with pytest.raises(ConfigError, match=version) as raised:
        getattr(org.source(version=version), ask)()
    assert raised.value.setting == ("version",)
    assert "/services/data" in raised.value.hint


def test_an_edition_without_an_api(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = org.answer
    refused = Response([{"message": "The REST API is not enabled for this Organization.", "errorCode": "API_DISABLED_FOR_ORG"}], 403)  # fmt: skip
    monkeypatch.setattr(org, "answer", lambda r: answer(r) if "token" in r.path else refused)
    with pytest.raises(AuthError, match="API_DISABLED_FOR_ORG") as raised:
        org.source().discover()
    assert "edition" in raised.value.hint


def test_an_app_that_its_user_may_not_use(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Response({"error": "invalid_app_access", "error_description": "user is not admin approved to access this app"}, 400)  # fmt: skip
    monkeypatch.setattr(org, "answer", lambda _: refused)
    with pytest.raises(AuthError, match=r"does not let its user in .*not admin approved") as raised:
        org.source().ping()
    assert "Permitted Users" in raised.value.hint


def test_too_much_at_once_is_no_day_that_is_used_up(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    """Salesforce has one status and one code for both, and tells them apart in words."""
    ids, answer, left = org.leads(2), org.answer, [2]
    busy = Response([{"message": "ConcurrentRequests (Concurrent API Requests) Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}], 403)  # fmt: skip

    def sometimes(request: Any) -> Response:
        if "queryAll" in request.path and left[0]:
            left[0] -= 1
            return busy
        return answer(request)

    monkeypatch.setattr(org, "answer", sometimes)
    assert set(whole(org.source()).rows) == set(ids)
    org.used = org.daily
    with pytest.raises(QuotaExhausted):
        whole(org.source())
