"""``http_json``'s rows: exact values, columns that are told from rows, rows that are gone; Dynamics 365 from its first read on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import closing
from decimal import Decimal
from typing import Any

import pytest

from cadran.plugins import AuthError, Column, ConfigError, DataError, ResumeExpired, SyncedConnector, Window
from cadran_plugins.http_json.columns import told
from cadran_plugins.http_json.connector import HttpJsonConnector
from cadran_plugins.http_json.rows import flat, key, split
from cadran_plugins.http_json.settings import TIMESTAMPTZ, Declared, Field
from simulators.base import Response
from simulators.dynamics import Dynamics, opportunity
from simulators.rest import START, Rest

from .reading_changes import collect, fails, source

PAGES = {"records": "data.items", "pages": {"cursor": "meta.next", "param": "cursor"}}


def rest(server: Rest, **table: Any) -> SyncedConnector:
    tables = {"invoices": {"path": "/cursor", **PAGES, **table}}
    return source(HttpJsonConnector, {"url": f"{server.url}/api", "tables": tables})


@pytest.fixture
def server() -> Iterator[Rest]:
    with Rest(25, most=10).serving() as served:
        assert isinstance(served, Rest)
        yield served


def test_columns_are_told_from_the_first_rows(server: Rest) -> None:
    with closing(rest(server, key="id")) as connector:
        [table] = connector.discover()
    assert table.columns == (
        Column("id", "BIGINT"), Column("amount", "VARCHAR"), Column("customer", "JSON"), Column("paid", "BOOLEAN"), Column("day", "DATE"),
        Column("updated_at", TIMESTAMPTZ), Column("changed", "BIGINT"), Column("is_deleted", "BOOLEAN"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        ([1, 2], "BIGINT"),
        ([1, Decimal("2.5")], "DECIMAL(38,9)"),
        ([1, Decimal("2.5"), Decimal("33.333333333333336")], "DOUBLE"),
        ([2**70], "DECIMAL(38,9)"),
        ([True, None], "BOOLEAN"),
        ([True, 1], "JSON"),
        (["1", "2"], "VARCHAR"),
        (["2026-03-31", None], "DATE"),
        (["2026-03-31", ""], "DATE"),
        (["2026-03-31T10:00:00"], "TIMESTAMP"),
        (["2026-03-31T10:00:00Z", "2026-03-31T10:00:00.123+02:00"], TIMESTAMPTZ),
        (["2026-03-31", "later"], "VARCHAR"),
        (["a", 1], "JSON"),
        ([{"a": 1}, None], "JSON"),
        ([[1]], "JSON"),
        ([None], "VARCHAR"),
    ],
)
def test_the_type_of_a_column_that_is_not_declared(values: list[Any], type_: str) -> None:
    assert told({"x": value} for value in values) == (Field("x", "x", type_),)


def test_a_table_without_rows_tells_no_columns(server: Rest) -> None:
    server.rows.clear()
    with closing(rest(server)) as connector:
        [table] = connector.discover()
    assert table.problem is not None
    assert table.problem.setting == ("tables", "invoices") and "columns" in table.problem.hint


def test_a_key_that_the_rows_do_not_hold(server: Rest) -> None:
    with closing(rest(server, key="uid")) as connector:
        [table] = connector.discover()
    assert isinstance(table.problem, ConfigError)
    assert table.problem.setting == ("tables", "invoices", "key")


def test_numbers_are_exact(server: Rest) -> None:
    server.answer = lambda _: Response(  # type: ignore[method-assign]
        b'{"data": {"items": [{"id": 9007199254740993, "amount": 12345678901234567.89}]}, "meta": {}}'
    )
    got = collect(rest(server, columns={"id": "bigint", "amount": "decimal(20,2)"}), "invoices")
    assert got.rows == [{"id": 9007199254740993, "amount": Decimal("12345678901234567.89")}]


def test_what_does_not_fit_is_set_aside(server: Rest) -> None:
    server.change(4, START, amount="a lot")
    got = collect(rest(server, columns={"id": "bigint", "amount": "decimal(12,2)"}), "invoices")
    assert len(got.rows) == 24 and len(got.rejected) == 1
    assert got.end is not None and got.end.rows == 24


@pytest.mark.parametrize(
    ("value", "format_", "gives"),
    [
        (1_767_225_600, "epoch", "2026-01-01T00:00:00+00:00"),
        ("1767225600", "epoch", "2026-01-01T00:00:00+00:00"),
        (Decimal("1767225600.25"), "epoch", "2026-01-01T00:00:00.250000+00:00"),
        (1_767_225_600_001, "epoch_ms", "2026-01-01T00:00:00.001000+00:00"),
        (-1, "epoch", "1969-12-31T23:59:59+00:00"),
        (1_767_225_600, "epoch_ms", 1_767_225_600),  # seconds: it would be a day of January 1970
        ("1767225600", "epoch_ms", "1767225600"),
        (1_767_225_600_000, "epoch", 1_767_225_600_000),  # milliseconds: a day of the year 57971
        (999_999_999, "epoch_ms", "1970-01-12T13:46:39.999000+00:00"),
        ("2026-01-01 10:00:00", "utc", "2026-01-01 10:00:00Z"),
        ("2026-01-01T10:00:00+02:00", "utc", "2026-01-01T10:00:00+02:00"),
        ("soon", "epoch", "soon"),
        (10**30, "epoch", 10**30),
        (None, "epoch", None),
        (True, "epoch", True),
    ],
)
def test_seconds_since_1970(value: Any, format_: str, gives: Any) -> None:
    assert flat({"x": value}, [Field("x", "x", TIMESTAMPTZ, format_)]) == {"x": gives}


@pytest.mark.parametrize(
    ("value", "type_", "format_", "gives"),
    [
        ("1.234,56", "DECIMAL(12,2)", "comma", "1234.56"),
        ("-1 234,5", "DECIMAL(12,2)", "comma", "-1234.5"),
        ("1234", "DECIMAL(12,2)", "comma", "1234"),
        ("1.234", "DECIMAL(12,2)", "comma", "1234"),
        ("12.50", "DECIMAL(12,2)", "comma", "'12.50'"),
        ("1,234.56", "DECIMAL(12,2)", "comma", "'1,234.56'"),
        (Decimal("12.50"), "DECIMAL(12,2)", "comma", Decimal("12.50")),
        ("", "DECIMAL(12,2)", "comma", ""),
        (None, "DECIMAL(12,2)", "comma", None),
        ("31/03/2026", "DATE", "day:%d/%m/%Y", "2026-03-31"),
        (20260331, "DATE", "day:%Y%m%d", "2026-03-31"),
        ("03/31/2026", "DATE", "day:%d/%m/%Y", "03/31/2026"),
        (None, "DATE", "day:%d/%m/%Y", None),
        ("31.03.2026 14:05", "TIMESTAMP", "%d.%m.%Y %H:%M", "2026-03-31T14:05:00"),
        (
            "Tue, 31 Mar 2026 14:05:00 +0200",
            TIMESTAMPTZ,
            "%a, %d %b %Y %H:%M:%S %z",
            "2026-03-31T14:05:00+02:00",
        ),
    ],
)
def test_other_ways_of_writing(value: Any, type_: str, format_: str, gives: Any) -> None:
    assert flat({"x": value}, [Field("x", "x", type_, format_)]) == {"x": gives}


def test_amounts_with_a_comma_and_days_of_another_form(server: Rest) -> None:
    content = {"data": [{"n": "1.234,56", "d": "31/03/2026"}, {"n": "12.50", "d": "03/31/2026"}]}
    server.answer = lambda _: Response(content)  # type: ignore[method-assign]
    columns = {"n": {"type": "decimal(12,2)", "format": "comma"}, "d": {"type": "date", "format": "%d/%m/%Y"}}
    got = collect(rest(server, records="data", pages="none", columns=columns), "invoices")
    assert got.rows == [{"n": Decimal("1234.56"), "d": dt.date(2026, 3, 31)}]
    assert len(got.rejected) == 1 and "12.50" in got.rejected[0].reason


@pytest.mark.parametrize(
    ("type_", "format_", "message"),
    [
        ("text", "epoch", "'format: epoch' needs the type timestamptz"),
        ("date", "comma", "'format: comma' needs a number"),
        ("bigint", "%Y", "'format: %Y' needs a day or a time"),
        ("date", "dd/mm/yyyy", "unknown format 'dd/mm/yyyy'"),
        ("timestamptz", "%d/%m/%Y", "'format: %d/%m/%Y' holds no offset from UTC, which timestamptz needs"),
    ],
)
def test_a_way_of_writing_that_a_type_does_not_have(
    server: Rest, type_: str, format_: str, message: str
) -> None:
    error = fails(rest(server, columns={"x": {"type": type_, "format": format_}}), "invoices")
    assert isinstance(error, ConfigError) and error.message == message and error.hint
    assert error.setting == ("tables", "invoices", "columns", "x", "format")


def test_a_column_of_seconds_is_one_of_instants(server: Rest) -> None:
    columns = {"id": "bigint", "changed": {"type": "timestamptz", "format": "epoch"}}
    cursor = {"column": "changed", "param": "updated_since"}
    connector = rest(server, columns=columns, key="id", cursor=cursor)
    got = collect(connector, "invoices", Window(since=START + dt.timedelta(minutes=24)))
    assert got.rows == [{"id": n, "changed": START + dt.timedelta(minutes=n)} for n in (24, 25)]
    assert server.asked[0].query["updated_since"] == "1767227040"


@pytest.mark.parametrize(
    ("deletes", "mark", "gone"),
    [
        ({"column": "is_deleted", "value": True}, {"is_deleted": True}, True),
        ({"column": "is_deleted"}, {"is_deleted": True}, True),
        ({"column": "deleted_at"}, {"deleted_at": "2026-03-01"}, True),
        ({"column": "deleted_at"}, {"deleted_at": None}, False),
        ({"column": "deleted_at"}, {"deleted_at": ""}, False),
        ({"column": "status.name", "value": "archived"}, {"status": {"name": "archived"}}, True),
        ({"column": "status.name", "value": "archived"}, {"status": {"name": "open"}}, False),
        ({"column": "gone", "value": 1}, {"gone": "1"}, True),
        ("never", {"is_deleted": True}, False),
    ],
)
def test_rows_that_say_that_they_are_gone(
    server: Rest, deletes: Any, mark: dict[str, Any], gone: bool
) -> None:
    server.change(4, START, **mark)
    connector = rest(server, columns={"id": "bigint"}, key="id", deletes=deletes)
    table = connector.table("invoices")
    assert table is not None and table.deletes == (deletes if deletes == "never" else "reported")
    got = collect(connector, "invoices")
    assert got.deleted == ([{"id": 4}] if gone else [])
    assert len(got.rows) == 25 - len(got.deleted)
    assert len(got.places) == 3  # behind each answer, and not between its rows and what is gone


@pytest.mark.parametrize(
    ("type_", "value", "mark", "gone"),
    [
        ("boolean", True, True, True),
        ("boolean", "true", "yes", True),
        ("boolean", True, 1, True),
        ("boolean", True, None, False),
        ("boolean", False, "no", True),
        ("bigint", "1", 1, True),
        ("decimal(12,2)", 1, "1.00", True),
        ("text", "oui", "Oui", True),
    ],
)
def test_a_mark_is_read_as_its_column_is(server: Rest, type_: str, value: Any, mark: Any, gone: bool) -> None:
    for number in server.rows:
        server.change(
            number, START, cancelled={"boolean": value not in (True, "true"), "text": ""}.get(type_, 0)
        )
    server.change(4, START, cancelled=mark)
    deletes = {"column": "cancelled", "value": value}
    connector = rest(server, columns={"id": "bigint", "cancelled": type_}, key="id", deletes=deletes)
    assert collect(connector, "invoices").deleted == ([{"id": 4}] if gone else [])


@pytest.mark.parametrize("change", [{}, {"customer": {"nom": "x"}}])
def test_a_column_that_no_row_holds(server: Rest, change: dict[str, Any]) -> None:
    for number in server.rows:
        server.change(number, START, **change)
    columns = {"id": "bigint", "customer.nom": "text"}
    if change:
        assert collect(rest(server, columns=columns), "invoices").column("customer_nom")[0] == "x"
        return
    error = fails(rest(server, columns=columns), "invoices")
    assert error.message == "no row of 'invoices' holds 'customer.nom'"
    assert (
        error.setting == ("tables", "invoices", "columns", "customer.nom")
        and "customer (a mapping)" in error.hint
    )
    columns["customer.nom"] = {"type": "text", "optional": True}  # type: ignore[assignment]
    assert set(collect(rest(server, columns=columns), "invoices").column("customer_nom")) == {None}


def test_a_few_changes_may_leave_out_what_is_empty(server: Rest) -> None:
    table = {"columns": {"id": "bigint", "updated_at": "timestamptz", "nom": "text"}, "key": "id"}
    cursor = {"column": "updated_at", "param": "updated_since"}
    got = collect(rest(server, **table, cursor=cursor), "invoices", Window(since=START))
    assert len(got.rows) == 25


def test_what_pages_before_have_held_is_remembered(server: Rest) -> None:
    server.change(1, START, nom="x")
    connector = rest(server, columns={"id": "bigint", "nom": "text"})
    whole = collect(connector, "invoices")
    assert len(collect(connector, "invoices", Window(), whole.places[0]).rows) == 15


def test_a_column_that_no_row_holds_is_missed_also_by_a_read_that_goes_on(server: Rest) -> None:
    connector = rest(server, columns={"id": "bigint", "nom": "text"})
    begun = collect(connector, "invoices", stop=lambda got: bool(got.places))
    assert (
        fails(connector, "invoices", Window(), begun.places[0]).message == "no row of 'invoices' holds 'nom'"
    )


@pytest.mark.parametrize(
    "row",
    [
        {"@removed": {"reason": "deleted"}, "id": "7"},
        {"@odata.context": "https://x/$metadata#a/$deletedEntity", "id": "7"},
    ],
)
def test_both_ways_in_which_odata_says_that_a_row_is_gone(row: dict[str, Any]) -> None:
    table = Declared("a", "https://x", key=("uid",), delta="@odata.deltaLink")
    assert split(table, [row, {"uid": "8"}]) == ([row], [{"uid": "8"}])
    assert key(table, row, [Field("uid", "uid", "VARCHAR")]) == {"uid": "7"}


LABEL = "@OData.Community.Display.V1.FormattedValue"


@pytest.fixture
def crm() -> Iterator[Dynamics]:
    with Dynamics(12).serving() as served:
        assert isinstance(served, Dynamics)
        yield served


def dynamics(crm: Dynamics, secret: str = "s3cret-canary", **changes: Any) -> SyncedConnector:
    """As docs/connectors/http_json.md has it, with pages of five rows."""
    table: dict[str, Any] = {
        "path": "/opportunities",
        "params": {"$select": "name,estimatedvalue,statecode,_ownerid_value,modifiedon"},
        "headers": {"Prefer": 'odata.maxpagesize=5, odata.track-changes, odata.include-annotations="*"'},
        "records": "value",
        "pages": {"next_link": "@odata.nextLink"},
        "delta": "@odata.deltaLink",
        "key": "opportunityid",
        "columns": {
            "opportunityid": "text",
            "name": "text",
            "estimatedvalue": "decimal(19,4)",
            f"statecode{LABEL}": {"name": "state", "type": "text"},
            f"_ownerid_value{LABEL}": {"name": "owner", "type": "text"},
            "modifiedon": "timestamptz",
        },
    }
    oauth = {
        "token_url": f"{crm.url}/tenant/oauth2/v2.0/token", "client_id": "app", "client_secret": secret, "scope": f"{crm.url}/.default",
    }  # fmt: skip
    config = {
        "url": f"{crm.url}/api/data/v9.2",
        "auth": {"oauth": oauth},
        "tables": {"opportunities": {**table, **changes}},
    }
    return source(HttpJsonConnector, config)


def test_dynamics_is_read_whole_and_then_by_its_changes(crm: Dynamics) -> None:
    first = collect(dynamics(crm), "opportunities")
    assert len(first.rows) == 12 and first.deleted == []
    assert first.rows[1] == {
        "opportunityid": opportunity(2)["opportunityid"], "name": "Caisses 2", "estimatedvalue": Decimal("2500.5"), "state": "Lost",
        "owner": "Vendeur 2", "modifiedon": dt.datetime(2026, 1, 1, 2, tzinfo=dt.UTC),
    }  # fmt: skip
    assert first.end is not None and first.end.state is not None
    crm.save({**opportunity(3), "name": "Caisses 3 bis"})
    crm.save(opportunity(13))
    crm.delete(opportunity(5))
    later = collect(dynamics(crm), "opportunities", Window(state=first.end.state))
    assert later.column("name") == ["Caisses 3 bis", "Caisses 13"]
    assert later.deleted == [{"opportunityid": opportunity(5)["opportunityid"]}]
    assert later.end is not None
    last = collect(dynamics(crm), "opportunities", Window(state=later.end.state))
    assert (last.rows, last.deleted) == ([], [])


def test_dynamics_goes_on_behind_each_page_of_both(crm: Dynamics) -> None:
    first = collect(dynamics(crm), "opportunities")
    for number in range(1, 12):
        crm.save({**opportunity(number), "name": "new"})
    assert first.end is not None
    for window in (Window(), Window(state=first.end.state)):
        whole = collect(dynamics(crm), "opportunities", window)
        assert len(whole.places) == 3
        for done, place in enumerate(whole.places, 1):
            rest = collect(dynamics(crm), "opportunities", window, place)
            assert rest.rows == whole.rows[done * 5 :]
            assert rest.end is not None and whole.end is not None and rest.end.state == whole.end.state


def test_a_link_that_has_run_out_means_to_read_anew(crm: Dynamics) -> None:
    first = collect(dynamics(crm), "opportunities")
    assert first.end is not None
    crm.kept = 99
    with pytest.raises(ResumeExpired, match="The change tracking token has expired"):
        collect(dynamics(crm), "opportunities", Window(state=first.end.state))


@pytest.mark.parametrize("state", [{}, {"delta": 5}, {"bookmark": "x"}])
def test_a_state_that_is_none(crm: Dynamics, state: Mapping[str, Any]) -> None:
    assert isinstance(fails(dynamics(crm), "opportunities", Window(state=state)), ResumeExpired)


def test_dynamics_without_its_link_says_how_to_ask_for_it(crm: Dynamics) -> None:
    error = fails(dynamics(crm, headers={"Prefer": "odata.include-annotations=*"}), "opportunities")
    assert isinstance(error, DataError)
    assert error.setting == ("tables", "opportunities", "delta")
    assert "odata.track-changes" in error.hint


def test_a_table_of_dynamics_without_change_tracking_has_a_cursor(crm: Dynamics) -> None:
    table = {
        "headers": {"Prefer": "odata.include-annotations=*"}, "delta": "",
        "cursor": {"column": "modifiedon", "param": "$filter", "template": "modifiedon ge {since}"},
    }  # fmt: skip
    connector = dynamics(crm)
    said = dict(connector.context.config["tables"]["opportunities"]) | table
    del said["delta"]
    config = {**connector.context.config, "tables": {"opportunities": said}}
    got = collect(
        source(HttpJsonConnector, config),
        "opportunities",
        Window(since=dt.datetime(2026, 1, 1, 11, tzinfo=dt.UTC)),
    )
    assert got.column("name") == ["Caisses 11", "Caisses 12"]


def test_a_wrong_secret_is_said_without_it(crm: Dynamics) -> None:
    error = fails(dynamics(crm, secret="wrong-canary"), "opportunities")
    assert isinstance(error, AuthError)
    assert "canary" not in error.message + error.hint and error.setting == ("auth", "oauth")
