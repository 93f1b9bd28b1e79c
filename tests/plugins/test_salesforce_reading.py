"""What comes of reading Salesforce: every row once, exact, through either API; changes; what is gone; going on where it stopped."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.simulators.base import Fault

from cadran.plugins import (
    Cancelled,
    ConfigError,
    ConnectorError,
    DataError,
    Page,
    QuotaExhausted,
    ResumeExpired,
    SchemaChanged,
    Transient,
    Window,
)
from cadran_plugins.salesforce.bulk import values_of

from .salesforce_org import DAY, MINUTE, NOW, Kept, Org, whole

BOTH = pytest.mark.parametrize("bulk", ["never", "always"])


@BOTH
@pytest.mark.parametrize(
    ("field", "value", "column"),
    [
        ("Amount", Decimal("602.10"), "amount"),
        ("Amount", Decimal("9999999.99"), "amount"),
        ("Amount", Decimal("12345678.90"), "amount"),  # comes as 1.23456789E7
        ("Amount", Decimal("1234567890123456.78"), "amount"),
        ("Amount", Decimal("-0.01"), "amount"),
        ("Amount", None, "amount"),
        ("Probability", Decimal("75"), "probability"),
        ("FiscalYear", 2026, "fiscal_year"),
        ("CloseDate", dt.date(2026, 3, 31), "close_date"),
        ("LastStageChangeDate", dt.datetime(2026, 3, 29, 0, 59, 59, tzinfo=dt.UTC), "last_stage_change_date"),
        ("Name", 'Café "Zoé", Lyon\nrue d’Alger', "name"),
        ("Name", "null", "name"),
        ("Name", "00123", "name"),
        ("NextStep", None, "next_step"),
        ("IsWon", True, "is_won"),
    ],
)  # fmt: skip
def test_a_value_is_the_same_through_both_apis(
    org: Org, bulk: str, field: str, value: Any, column: str
) -> None:
    id_ = org.insert("Opportunity", StageName="Proposal")
    org.org["Opportunity"].rows[id_][field] = value
    row = whole(org.source(bulk=bulk), "opportunities").rows[id_]
    assert row[column] == value
    assert type(row[column]) in (type(value), dt.datetime)


def test_nul_bytes_that_the_bulk_api_puts_in(org: Org) -> None:
    [id_] = org.leads(1, Title="a\x00b")
    assert whole(org.source(bulk="always")).rows[id_]["title"] == "ab"


@BOTH
@pytest.mark.parametrize("rows", [0, 1, 2, 3, 7, 8])
def test_each_row_comes_once_however_the_pages_fall(
    org: Org, monkeypatch: pytest.MonkeyPatch, bulk: str, rows: int
) -> None:
    org.batch = 3
    monkeypatch.setattr("cadran_plugins.salesforce.bulk.ROWS", 3)
    ids = org.leads(rows)
    org.tie("Lead")  # all in one second: only their ids tell where a page ends
    kept = whole(org.source(bulk=bulk))
    assert set(kept.rows) == set(ids)
    assert kept.sent == rows
    assert kept.pages == -(-rows // 3)


def test_a_row_that_changes_while_it_is_read_is_not_lost(org: Org) -> None:
    org.batch = 2
    ids = []
    for n in range(6):
        ids.append(org.insert("Lead", LastName=str(n)))
        org.later()
    kept = Kept()
    stream = org.source().changes("leads")
    for page, item in enumerate(stream):
        if isinstance(item, Page):
            kept._page(item)
        if page == 0:
            org.update("Lead", ids[3], LastName="moved")  # from the next page to behind the last
            org.update("Lead", ids[0], LastName="again")  # from a page that was read
    assert set(kept.rows) == set(ids)
    assert kept.rows[ids[3]]["last_name"] == "moved"
    assert kept.rows[ids[0]]["last_name"] == "again"


@BOTH
def test_the_next_read_gives_what_has_changed_and_what_is_gone(org: Org, bulk: str) -> None:
    [same] = org.leads(1)
    org.later(DAY)
    changed, deleted, back, purged = org.leads(4)
    org.delete("Lead", back)
    org.later(DAY)
    source = org.source(bulk=bulk)
    first = whole(source)
    assert set(first.rows) == {same, changed, deleted, purged}
    assert not first.gone, "a read of the whole table tells of no deleted rows: they are not in it"
    org.later(DAY)
    org.update("Lead", changed, LastName="Blanc")
    org.delete("Lead", deleted)
    org.undelete("Lead", back)
    org.purge("Lead", purged)
    new = org.leads(1)[0]
    then = first.changes(source, "leads")
    assert set(then.rows) == {changed, back, new}, "and not what is the same as before"
    assert then.rows[changed]["last_name"] == "Blanc"
    assert then.gone == {deleted}
    assert purged not in whole(source).rows


def test_what_was_committed_late_is_read_again(org: Org) -> None:
    """A change is dated when it began: one that is committed after a sync may lie before the last that the sync has seen."""
    org.leads(1)
    source = org.source()
    first = whole(source)
    late = org.leads(1)[0]
    org.org["Lead"].rows[late]["SystemModstamp"] = NOW - 9 * MINUTE
    org.later()
    assert late in first.changes(source, "leads").rows


def test_changes_are_counted_from_when_reading_began_by_salesforces_clock(org: Org) -> None:
    """Reading much takes long: what changed behind its back lies before the last row that it has seen."""
    org.leads(1)
    source = org.source()
    stream = source.changes("leads")
    next(stream)
    moved = org.leads(1)[0]
    began = org.time
    org.later(DAY)
    org.leads(1)
    end = list(stream)[-1]
    then = Kept().take(source, "leads", Window(org.time - 10 * MINUTE, None, end.state))  # type: ignore[union-attr]
    assert moved in then.rows
    assert end.state == {"began": began.strftime("%Y-%m-%dT%H:%M:%SZ")}  # type: ignore[union-attr]


def _busy(org: Org) -> None:
    """Rows of all kinds, some gone, and changes after a first read."""
    leads = org.leads(7)
    deals = [org.insert("Opportunity", Name=str(n), StageName="Qualification") for n in range(5)]
    for n in range(3):
        org.insert("Task", Subject=f"call {n}", IsClosed=True, TaskSubtype="Call", CompletedDateTime=NOW)
        org.insert("Event", Subject=f"visit {n}", EndDateTime=NOW)
    org.later(DAY)
    org.update("Opportunity", deals[0], StageName="Demo")
    org.update("Opportunity", deals[2], StageName="Closed Lost")
    org.delete("Lead", leads[1])
    org.delete("Lead", leads[2])
    org.delete("Opportunity", deals[4])
    for id_ in leads[3:]:
        org.update("Lead", id_, LastName="changed")


@BOTH
@pytest.mark.parametrize("table", ["leads", "opportunities", "activities", "opportunity_stage_history"])
@pytest.mark.parametrize("incremental", [False, True])
def test_killed_after_any_page_it_goes_on_to_the_same_table(
    org: Org, monkeypatch: pytest.MonkeyPatch, bulk: str, table: str, incremental: bool
) -> None:
    org.batch = 2
    monkeypatch.setattr("cadran_plugins.salesforce.bulk.ROWS", 2)
    _busy(org)
    window = Window(NOW, None, {"began": NOW.isoformat()}) if incremental else Window()
    want = Kept().take(org.source(bulk=bulk), table, window)
    assert len(want.tokens) > 1
    secrets = [*org.sessions, org.client_secret]
    for killed in range(1, len(want.tokens) + 1):
        got = Kept().take(org.source(bulk=bulk), table, window, pages=killed)
        token = next((t for t in reversed(got.tokens) if t is not None), None)
        said = json.dumps(token)
        assert not any(secret in said for secret in secrets)
        got.take(org.source(bulk=bulk), table, window, json.loads(said))
        assert got.rows == want.rows
        assert got.gone == want.gone


@pytest.mark.parametrize("bulk", ["never", "always"])
def test_a_token_of_another_shape_is_good_no_more(org: Org, bulk: str) -> None:
    org.batch = 1
    org.leads(3)
    got = Kept().take(org.source(bulk=bulk), "leads", pages=1)
    org.add_field("Lead", "Budget__c:currency(18,2)", "Budget")
    with pytest.raises(ResumeExpired, match="fields of leads"):
        Kept().take(org.source(bulk=bulk), "leads", resume=got.tokens[-1])


def test_a_job_that_salesforce_has_thrown_away(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cadran_plugins.salesforce.bulk.ROWS", 1)
    org.leads(3)
    got = Kept().take(org.source(bulk="always"), "leads", pages=1)
    org.expire_cursors()
    with pytest.raises(ResumeExpired, match="does not keep the results"):
        Kept().take(org.source(bulk="always"), "leads", resume=got.tokens[-1])


def test_the_walk_needs_no_cursor_of_the_server(org: Org) -> None:
    org.batch = 1
    ids = org.leads(3)
    kept = Kept()
    for item in org.source(bulk="never").changes("leads"):
        org.expire_cursors()
        if isinstance(item, Page):
            kept._page(item)
    assert set(kept.rows) == set(ids)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"began": (NOW - 16 * DAY).isoformat()}, "recycle bin"),
        ({"began": "yesterday"}, "none that this connector wrote"),
        ({"bookmark": 7}, "none that this connector wrote"),
    ],
)
def test_a_state_that_changes_cannot_be_told_from(org: Org, state: dict[str, Any], words: str) -> None:
    org.leads(1)
    with pytest.raises(ResumeExpired, match=words):
        Kept().take(org.source(), "leads", Window(NOW, None, state))


def test_a_state_in_the_future_finds_nothing_and_loses_nothing(org: Org) -> None:
    org.leads(2)
    kept = Kept().take(org.source(), "leads", Window(NOW + 365 * DAY, None, {"began": NOW.isoformat()}))
    assert len(kept.rows) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"shape": 1},
        {"source": 7},
        {"source": None},
        {"id": "' OR Id > '"},
        {"stamp": "yesterday"},
        {"job": "../.."},
    ],
)
def test_a_token_that_is_none(org: Org, change: dict[str, Any]) -> None:
    org.leads(1)
    [token] = whole(org.source()).tokens
    assert token is not None
    with pytest.raises(ResumeExpired):
        Kept().take(org.source(), "leads", resume={**token, **change})


@BOTH
@pytest.mark.parametrize("rows", [1, 5])
@pytest.mark.parametrize("quietly", [False, True])
def test_fewer_rows_than_were_counted_are_a_failure(org: Org, bulk: str, rows: int, quietly: bool) -> None:
    org.leads(rows)
    org.lose, org.quietly = 1, quietly
    with pytest.raises(Transient, match=r"Salesforce (counts|says) "):
        whole(org.source(bulk=bulk))


@pytest.mark.parametrize("batch", [1, 10])  # told by the answers together, or by one
def test_lines_of_a_history_that_are_missing_are_a_failure(org: Org, batch: int) -> None:
    deal = org.insert("Opportunity", StageName="Demo")
    org.update("Opportunity", deal, StageName="Proposal")
    answer = org.answer

    def less(request: Any) -> Any:
        history = "OpportunityHistory" in request.query.get("q", "")
        org.lose, org.batch = (1, batch) if history else (0, 2000)
        return answer(request)

    org.answer = less  # type: ignore[method-assign]
    with pytest.raises(Transient, match="Salesforce counts 2 "):
        whole(org.source(), "opportunity_stage_history")


@BOTH
def test_a_session_that_is_over_is_renewed(org: Org, monkeypatch: pytest.MonkeyPatch, bulk: str) -> None:
    monkeypatch.setattr("cadran_plugins.salesforce.bulk.ROWS", 2)
    org.batch, org.session_calls = 2, 3
    ids = org.leads(9)
    source = org.source(bulk=bulk)
    assert set(whole(source).rows) == set(ids)
    logins = org.paths().count("/services/oauth2/token")
    assert logins > 2
    assert len([s for s in source.context.secrets if s.startswith("00D")]) == logins, "each token is masked"


@BOTH
@pytest.mark.parametrize(
    "fault",
    [
        Fault("error", 2, "/v66"), Fault("error", 2, "/v66", status=503), Fault("limited", 2, "/v66", retry_after=3),
        Fault("limited", 1, "/v66"), Fault("html", 1, "query"), Fault("truncated", 1, "/v66"), Fault("drop", 1, "/v66"),
    ],
    ids=lambda fault: f"{fault.kind} {fault.status}",
)  # fmt: skip
def test_what_fails_for_a_moment_is_asked_again(org: Org, bulk: str, fault: Fault) -> None:
    ids = org.leads(3)
    org.faults.append(Fault(fault.kind, fault.times, fault.path, 2, fault.status, fault.retry_after))
    assert set(whole(org.source(bulk=bulk)).rows) == set(ids)


@BOTH
def test_the_days_requests_are_used_up(org: Org, monkeypatch: pytest.MonkeyPatch, bulk: str) -> None:
    """Reading stops at once, and goes on the next day where it stood."""
    monkeypatch.setattr("cadran_plugins.salesforce.bulk.ROWS", 2)
    org.batch = 2
    ids = org.leads(6)
    kept = Kept()
    org.faults.append(Fault("quota", 100, "results" if bulk == "always" else "queryAll", skip=1))
    with pytest.raises(QuotaExhausted, match="24 hours"):
        kept.take(org.source(bulk=bulk), "leads")
    assert len(org.faults) == 1 and org.faults[0].times == 99, "nobody asks again in vain"
    org.faults.clear()
    kept.take(org.source(bulk=bulk), "leads", resume=kept.tokens[-1])
    assert set(kept.rows) == set(ids)
    assert kept.sent == 6


def test_a_field_that_goes_while_reading(org: Org) -> None:
    org.add_field("Lead", "Budget__c:currency(18,2)", "Budget")
    org.leads(1)
    source = org.source()
    source.discover()
    org.remove_field("Lead", "Budget__c")
    with pytest.raises(SchemaChanged, match="Lead has no field Budget__c any more"):
        whole(source)


def test_a_value_that_is_not_of_its_type_is_set_aside(org: Org) -> None:
    good, bad = org.leads(2)
    org.org["Lead"].rows[bad]["AnnualRevenue"] = Decimal("1E30")  # its field has 18 digits
    kept = whole(org.source())
    assert set(kept.rows) == {good}
    [aside] = kept.aside
    assert aside.place == f"leads, id {bad}"
    assert "annual_revenue" in aside.reason


@pytest.mark.parametrize(
    ("bulk", "rows", "jobs"), [("auto", 1999, 0), ("auto", 2000, 1), ("never", 4500, 0), ("always", 1, 1)]
)
def test_which_api_is_asked(org: Org, bulk: str, rows: int, jobs: int) -> None:
    org.make("Campaign", rows)
    kept = whole(org.source(bulk=bulk), "campaigns")
    assert kept.sent == rows
    assert org.paths().count("/jobs/query") == jobs
    assert not org.jobs, "a job that was read is thrown away"


@pytest.mark.parametrize("bulk", ["auto", "always"])
def test_where_the_bulk_api_is_not_to_be_had_the_other_one_is_asked(org: Org, bulk: str) -> None:
    org.no_bulk = True
    org.make("Campaign", 2001)
    said: list[str] = []
    source = org.source(bulk=bulk)
    object.__setattr__(source.context, "log", said.append)
    assert whole(source, "campaigns").sent == 2001
    assert any("FEATURENOTENABLED" in line for line in said)


@pytest.mark.parametrize("bulk", ["auto", "always", "never"])
def test_more_fields_than_an_address_holds(org: Org, bulk: str) -> None:
    for n in range(500):
        org.add_field("Lead", f"A_field_of_a_package_{n}__c", f"Field {n}")
    ids = org.leads(2)
    if bulk == "never":
        with pytest.raises(ConfigError, match="so many fields") as raised:
            whole(org.source(bulk=bulk))
        assert raised.value.setting == ("bulk",)
    else:
        assert set(whole(org.source(bulk=bulk)).rows) == set(ids)


def test_whoever_waits_no_more_is_heard_while_a_job_runs(org: Org) -> None:
    org.polls = 10**9
    org.leads(1)
    source = org.source(bulk="always")
    object.__setattr__(source.context, "cancelled", lambda: len(org.jobs) > 0)
    with pytest.raises(Cancelled):
        whole(source)


def test_a_job_that_fails_says_why(org: Org) -> None:
    told = org._told
    org._told = lambda job: (
        told(job)
        | {"state": "Failed", "errorMessage": "QUERY_TIMEOUT: Your query request was running for too long."}
    )  # type: ignore[method-assign]
    org.leads(1)
    with pytest.raises(Transient, match="QUERY_TIMEOUT"):
        whole(org.source(bulk="always"))


def test_an_answer_that_repeats_itself_is_no_endless_loop(org: Org) -> None:
    org.batch = 1
    org.leads(3)
    answer = org.answer

    def same(request: Any) -> Any:
        if "queryAll" in request.path:
            request = type(request)(request.method, request.path, {"q": "SELECT Id, SystemModstamp, IsDeleted FROM Lead ORDER BY SystemModstamp, Id"}, request.headers, request.body)  # fmt: skip
        return answer(request)

    org.answer = same  # type: ignore[method-assign]
    with pytest.raises(DataError, match="the same rows of Lead again"):
        whole(org.source(bulk="never"))


def test_a_table_that_is_not_there(org: Org) -> None:
    with pytest.raises(ConnectorError, match="no table 'invoices'"):
        whole(org.source(), "invoices")


# --- the results of a job as CSV --------------------------------------------------------------------------------------------

_FIELDS = ["Id", "Name", "SystemModstamp"]
_CELLS = st.lists(st.sampled_from(["a", "é", "😀", '"', ",", "\n", "\r\n", "\r", " ", "null", "NA", "\\", "\t", "\u2028", "0x1F"]), max_size=4).map("".join)  # fmt: skip


@given(rows=st.lists(st.tuples(_CELLS.filter(bool), _CELLS, _CELLS), max_size=4), ends=st.sampled_from(["\n", "\r\n"]), named=st.booleans())  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_csv_is_read_as_the_standard_library_reads_it(
    rows: list[tuple[str, ...]], ends: str, named: bool
) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator=ends).writerows([*([_FIELDS] if named else []), *rows])  # fmt: skip
    found = values_of(written.getvalue().encode(), _FIELDS)
    read = list(csv.reader(io.StringIO(written.getvalue(), newline="")))[int(named) :]
    assert list(zip(*(column.to_pylist() for column in found.values()), strict=True)) == [tuple(cell or None for cell in row) for row in read]  # fmt: skip


@pytest.mark.parametrize(
    "text", ['"1","a"', '"1","a","b"\n"2"\n', '"1","a","b","c"\n', '"1","a","b"\n\n"2","a","b"\n', '"1","a"\n"2","b"\n']
)  # fmt: skip
@pytest.mark.parametrize("head", ["", '"Id","Name","SystemModstamp"\n'])
def test_a_line_with_more_or_fewer_values_breaks_off(head: str, text: str) -> None:
    with pytest.raises(Transient, match="breaks off"):
        values_of((head + text).encode(), _FIELDS)


def test_what_is_no_utf8_costs_one_letter_and_no_part() -> None:
    assert values_of(b'"1","\xff","x"\n', _FIELDS)["Name"].to_pylist() == ["\ufffd"]


def test_a_part_has_a_place_behind_it_however_many_rows_it_has(org: Org) -> None:
    org.leads(4001)
    kept = whole(org.source(bulk="always"))
    assert kept.sent == 4001 and kept.tokens[-1]["rows"] == 4001
