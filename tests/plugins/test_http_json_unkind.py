"""``http_json``: what servers in the wild do, so that rows are neither lost nor kept from, and nothing secret lies on disk."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest

from cadran.plugins import ConfigError, DataError, SyncedConnector, Transient, Window
from cadran.plugins.http import Answer
from cadran_plugins.http_json.connector import HttpJsonConnector
from cadran_plugins.http_json.pages import Spot, following
from cadran_plugins.http_json.settings import Declared, Pages
from simulators.base import Request, Response
from simulators.rest import Rest

from .reading_changes import Got, collect, fails, source

COLUMNS = {"id": "bigint", "updated_at": "timestamptz", "changed": "bigint"}


@pytest.fixture
def server() -> Iterator[Rest]:
    with Rest(25, most=10).serving() as served:
        assert isinstance(served, Rest)
        yield served


def api(server: Rest, table: Mapping[str, Any], path: str = "/api", **config: Any) -> SyncedConnector:
    tables = {"invoices": {"key": "id", "columns": COLUMNS, **table}}
    return source(HttpJsonConnector, {"url": f"{server.url}{path}", "tables": tables, **config})


def gives(server: Rest, content: Any, status: int = 200) -> None:
    server.answer = lambda _: Response(content, status)  # type: ignore[method-assign]


# --- pages ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "pages"),
    [
        ("/offset", {"offset": "offset", "limit": 500, "limit_param": "limit", "until": "short"}),
        ("/pages", {"page": "page", "limit": 500, "limit_param": "per_page", "until": "short"}),
    ],
)
def test_a_short_page_is_no_end_where_the_server_gives_fewer_than_it_is_asked_for(
    server: Rest, path: str, pages: dict[str, Any]
) -> None:
    connector = api(server, {"path": path, "records": "items", "pages": pages})
    whole = collect(connector, "invoices")
    assert whole.column("id") == list(range(1, 26))
    rest = collect(connector, "invoices", Window(), whole.places[0])
    assert rest.column("id") == list(range(11, 26))


def test_a_short_page_is_the_end_behind_a_full_one_also_for_a_read_that_goes_on(server: Rest) -> None:
    pages = {"page": "page", "limit": 10, "limit_param": "per_page", "until": "short"}
    connector = api(server, {"path": "/pages", "records": "items", "pages": pages})
    whole = collect(connector, "invoices")
    assert len(server.asked) == 3
    collect(connector, "invoices", Window(), whole.places[1])
    assert len(server.asked) == 4


def test_a_server_that_says_no_behind_its_last_page(server: Rest) -> None:
    """Django REST framework answers 404 for a page that there is not."""
    answered = server.answer

    def answer(request: Request) -> Response:
        if request.query.get("page") == "4":
            return Response({"detail": "Invalid page."}, 404)
        return answered(request)

    server.answer = answer  # type: ignore[method-assign]
    table = {"path": "/pages", "records": "items", "pages": {"page": "page"}}
    error = fails(api(server, table), "invoices")
    assert error.message.endswith("answered 404: Invalid page.")
    assert "behind its last page, say 'total' or 'more'" in error.hint
    assert error.setting == ("tables", "invoices", "pages")
    assert len(collect(api(server, {**table, "total": "total"}), "invoices").rows) == 25


@pytest.mark.parametrize(
    ("link", "asked"),
    [
        ("http://erp.example.com/api?page=2", "https://erp.example.com/api?page=2"),
        ("http://erp.example.com:8000/api?page=2", "http://erp.example.com:8000/api?page=2"),
        ("http://other.example.com/api?page=2", "http://other.example.com/api?page=2"),
        ("?page=2", "https://erp.example.com/api?page=2"),
    ],
)
def test_a_link_without_tls_to_the_machine_that_was_asked_with_it(link: str, asked: str) -> None:
    """As servers write them that stand behind one which speaks TLS. What leads elsewhere is refused when it is asked."""
    table = Declared("a", "https://erp.example.com/api", pages=Pages("next_link", "next"))
    answer = Answer(200, {}, b"", "https://erp.example.com/api")
    assert following(table, Spot(), answer, {"next": link}, [{}], None, full=False) == Spot(asked)


def test_a_search_that_is_sent_on_would_be_asked_without_its_body(server: Rest) -> None:
    """A redirect makes a GET of it, which some servers answer with all that there is."""
    answered = server.answer

    def answer(request: Request) -> Response:
        if request.path == "/api/find":
            return Response(None, 301, {"location": "/api/plain"})
        return answered(request)

    server.answer = answer  # type: ignore[method-assign]
    error = fails(api(server, {"path": "/find", "method": "POST", "body": {"paid": True}}), "invoices")
    assert isinstance(error, DataError)
    assert error.message == "'invoices' is sent on to another address, where what is asked for is lost"
    assert error.hint == "write the address that it leads to: /api/plain"
    assert error.setting == ("tables", "invoices", "path")


@pytest.mark.parametrize("moves", [False, True])
@pytest.mark.parametrize("grows", [False, True])
def test_an_order_that_changes_between_pages(server: Rest, moves: bool, grows: bool) -> None:
    """A server without an order gives some rows twice and others not at all. One row more while reading loses none of those that were there."""

    def answer(request: Request) -> Response:
        at = int(request.query["offset"])
        rows = [{"id": number, "updated_at": None, "changed": 1} for number in range(1, 31)]
        if moves and at:
            rows.sort(key=lambda row: row["id"] % 7)
        if grows and at:
            rows.insert(0, {"id": 99, "updated_at": None, "changed": 1})
        return Response({"items": rows[at : at + 10], "total": len(rows)})

    server.answer = answer  # type: ignore[method-assign]
    table = {"path": "/any", "records": "items", "total": "total", "pages": {"offset": "offset"}}
    if not moves:
        assert set(collect(api(server, table), "invoices").column("id")) == set(range(1, 31))
        return
    error = fails(api(server, table), "invoices")
    assert isinstance(error, Transient)
    assert error.message.startswith("30 rows of 'invoices' were announced, and ")
    assert error.message.endswith(" different ones came: some twice, others not at all")
    assert "sort: id" in error.hint and error.setting == ("tables", "invoices", "pages")


@pytest.mark.parametrize(("there", "behind"), [(1000, 200), (1000, 404), (1200, 200)])
def test_a_total_that_is_as_far_as_the_server_counts(server: Rest, there: int, behind: int) -> None:
    def answer(request: Request) -> Response:
        at = int(request.query["offset"])
        rows = [{"id": n, "updated_at": None, "changed": 1} for n in range(at, min(at + 500, there))]
        return Response({"items": rows, "total": min(there, 1000)}, 200 if rows else behind)

    server.answer = answer  # type: ignore[method-assign]
    table = {"path": "/any", "records": "items", "pages": {"offset": "offset"}}
    if there == 1000:
        assert len(collect(api(server, {**table, "total": "total"}), "invoices").rows) == 1000
        return
    error = fails(api(server, {**table, "total": "total"}), "invoices")
    assert error.message == "more rows of 'invoices' follow behind the 1,000 that were announced"
    assert "leave 'total' out" in error.hint and error.setting == ("tables", "invoices", "total")
    assert len(collect(api(server, table), "invoices").rows) == 1200


def test_a_server_that_repeats_its_last_page(server: Rest) -> None:
    answered = server.answer

    def answer(request: Request) -> Response:
        page = str(min(int(request.query["page"]), 3))
        return answered(Request("GET", request.path, {"page": page}, request.headers, b""))

    server.answer = answer  # type: ignore[method-assign]
    error = fails(api(server, {"path": "/pages", "records": "items", "pages": {"page": "page"}}), "invoices")
    assert error.message == "the server gives the same 5 rows of 'invoices' again for page=4"
    assert error.hint == "where the API repeats its last page, say 'total' or 'more', or 'until: short'"


# --- answers that look good -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("null_is_empty", [False, True])
@pytest.mark.parametrize(
    "body",
    [
        {"data": {"items": [{"id": 1}]}, "errors": [{"message": "one shard did not answer"}]},
        {"data": None, "errors": [{"message": "one shard did not answer"}]},
        {"error": "one shard did not answer"},
        {"ok": False, "error": {"message": "one shard did not answer"}},
    ],
)
def test_an_error_with_status_200(server: Rest, body: dict[str, Any], null_is_empty: bool) -> None:
    gives(server, body)
    table = {"path": "/any", "records": "data.items", "null_is_empty": null_is_empty}
    error = fails(api(server, table), "invoices")
    assert isinstance(error, Transient)
    assert error.message == "the answer of 'invoices' tells of an error: one shard did not answer"
    assert error.setting == ("tables", "invoices", "path")


@pytest.mark.parametrize("beside", [{"errors": []}, {"errors": None}, {"error": None}, {"error": False}])
def test_no_error(server: Rest, beside: dict[str, Any]) -> None:
    gives(server, {"data": [{"id": 1, "updated_at": None, "changed": 1}], **beside})
    assert len(collect(api(server, {"path": "/any", "records": "data"}), "invoices").rows) == 1


def test_an_answer_without_content(server: Rest) -> None:
    """As Zoho's, where nothing has changed."""
    gives(server, b"", 204)
    error = fails(api(server, {"path": "/any", "records": "data"}), "invoices")
    assert error.message == "the answer of 'invoices' is empty (204)"
    assert "null_is_empty: true" in error.hint
    table = {"path": "/any", "records": "data", "null_is_empty": True, "total": "info.count"}
    assert collect(api(server, table), "invoices").rows == []


def test_the_hint_names_the_list(server: Rest) -> None:
    error = fails(api(server, {"path": "/offset"}), "invoices")
    assert error.hint == "it is a mapping with items (a list), total (a number); say 'records: items'"


# --- cursors --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["changed", "day"])
@pytest.mark.parametrize("declared", [True, False])
def test_a_lookback_needs_a_time(server: Rest, column: str, declared: bool) -> None:
    cursor = {"column": column, "param": "updated_since", "lookback": "1 day"}
    table: dict[str, Any] = {"path": "/plain", "key": "id", "cursor": cursor}
    if declared:
        table["columns"] = {"id": "bigint", "changed": "bigint", "day": "text"}
    tables = {"invoices": table}
    connector = source(HttpJsonConnector, {"url": f"{server.url}/api", "tables": tables})
    if not declared and column == "day":  # it is told to be a date
        assert len(collect(connector, "invoices").rows) == 25
        return
    error = fails(connector, "invoices")
    assert isinstance(error, ConfigError)
    assert error.message.startswith(f"'lookback' needs a time, and '{column}' is ")
    assert error.setting == ("tables", "invoices", "cursor", "lookback")


@pytest.mark.parametrize(
    ("column", "lookback"), [("updated_at", dt.timedelta(seconds=1)), ("changed", dt.timedelta(0))]
)
def test_a_server_that_gives_what_comes_after_a_time(
    server: Rest, column: str, lookback: dt.timedelta
) -> None:
    """Rows that change in the second of the last one would never come."""
    connector = api(server, {"path": "/plain", "cursor": {"column": column, "param": "updated_since"}})
    with closing(connector):
        table = connector.table("invoices")
    assert table is not None and table.lookback == lookback


# --- what is kept on disk -------------------------------------------------------------------------------------------------------

KEY = "k3y-canary"


def _stopped(got: Got) -> bool:
    return bool(got.places)


@pytest.mark.parametrize(
    ("path", "table"),
    [
        ("/api", {"path": "/next", "params": {"api_key": KEY, "kind": "all"}}),
        ("/api", {"path": "/next", "params": {"sig": [KEY, "x"]}}),
        (f"/api/{KEY}", {"path": "/next"}),
    ],
)
def test_what_the_file_says_is_taken_out_of_links_and_put_in_again(
    server: Rest, path: str, table: dict[str, Any]
) -> None:
    answered, asked = server.answer, list[Request]()

    def answer(request: Request) -> Response:
        asked.append(request)
        bare = Request(
            request.method, request.path.replace(f"/{KEY}", ""), request.query, request.headers, b""
        )
        found = answered(bare)
        if isinstance(found.content, dict) and (link := found.content["links"]["next"]) is not None:
            found.content["links"]["next"] = link.replace("/api", path)
        return found

    server.answer = answer  # type: ignore[method-assign]
    said = {"records": "results", "pages": {"next_link": "links.next"}, **table}
    connector = api(server, said, path)
    begun = collect(connector, "invoices", stop=_stopped)
    assert KEY not in json.dumps(begun.places)
    rest = collect(connector, "invoices", Window(), begun.places[0])
    assert rest.column("id") == list(range(11, 26))
    for request in asked:
        assert request.path == f"{path}/next"
        assert request.repeated.keys() - {"from"} == table.get("params", {}).keys()


def test_a_cursor_that_holds_a_secret_is_not_kept(server: Rest) -> None:
    auth = {"header": "X-Key", "value": "k3y/canary"}
    answered = server.answer

    def answer(request: Request) -> Response:
        start = request.query.get("cursor", "").removeprefix("k3y/canary ")
        found = answered(
            Request("GET", request.path, {"cursor": start} if start else {}, request.headers, b"")
        )
        if found.content["meta"]["next"] is not None:
            found.content["meta"]["next"] = f"k3y/canary {found.content['meta']['next']}"
        return found

    server.answer = answer  # type: ignore[method-assign]
    table = {"path": "/cursor", "records": "data.items", "pages": {"cursor": "meta.next", "param": "cursor"}}
    got = collect(api(server, table, auth=auth), "invoices")
    assert got.column("id") == list(range(1, 26))
    assert len(got.places) == 1 and "canary" not in json.dumps(got.places)


def test_a_link_with_a_password_is_neither_kept_nor_asked(server: Rest) -> None:
    gives(server, {"results": [], "links": {"next": "https://reader:k3y-canary@erp.example.com/api?page=2"}})
    got = list[Any]()
    connector = api(server, {"path": "/next", "records": "results", "pages": {"next_link": "links.next"}})
    with pytest.raises(DataError) as caught, closing(connector):
        got.extend(connector.changes("invoices"))
    assert got == [] and "canary" not in str(caught.value) + caught.value.hint
    assert caught.value.setting == ("tables", "invoices", "pages", "next_link")


# --- rows that are gone ---------------------------------------------------------------------------------------------------------


def test_a_mark_that_no_row_holds_is_misspelt_and_would_keep_what_is_gone(server: Rest) -> None:
    table = {"path": "/plain", "deletes": {"column": "is_delted", "value": True}}
    error = fails(api(server, table), "invoices")
    assert error.message == "no row of 'invoices' holds 'is_delted'"
    assert error.hint.startswith("a row is a mapping with ") and "say 'optional: true'" in error.hint
    assert error.setting == ("tables", "invoices", "deletes", "column")
    table["deletes"] = {"column": "deleted_at", "optional": True}
    assert len(collect(api(server, table), "invoices").rows) == 25
    server.rows[4]["deleted_at"] = "2026-03-01"
    table["deletes"] = {"column": "deleted_at"}
    assert collect(api(server, table), "invoices").deleted == [{"id": 4}]


def test_a_mark_may_be_called_by_the_name_of_its_column(server: Rest) -> None:
    server.rows[4]["customer"]["gone"] = True
    columns = {"id": "bigint", "customer.gone": {"name": "left", "type": "boolean", "optional": True}}
    table = {"path": "/plain", "columns": columns, "deletes": {"column": "left"}}
    assert collect(api(server, table), "invoices").deleted == [{"id": 4}]
