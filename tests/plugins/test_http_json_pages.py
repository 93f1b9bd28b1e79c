"""``http_json``: every way of paging reads all rows once, goes on where it was stopped, and notices what would lose rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest

from cadran.plugins import ConnectorError, DataError, ResumeExpired, SyncedConnector, Transient, Window
from cadran.plugins.http import Wait
from cadran_plugins.http_json.connector import HttpJsonConnector
from cadran_plugins.http_json.seen import Lacking, Moved
from simulators.base import Fault, Request, Response
from simulators.rest import START, Rest

from .reading_changes import Got, NoWait, collect, fails, source

ROWS = 25
COLUMNS = {
    "id": "bigint",
    "amount": "decimal(12,2)",
    "customer.name": {"name": "customer", "type": "text"},
    "updated_at": "timestamptz",
}
# Each way of paging: the table's settings, and how many requests 25 rows take at 10 a page.
WAYS: Mapping[str, tuple[dict[str, Any], int]] = {
    "cursor": ({"path": "/cursor", "records": "data.items", "pages": {"cursor": "meta.next", "param": "cursor"}, "total": "meta.total"}, 3),
    "next_link": ({"path": "/next", "records": "results", "pages": {"next_link": "links.next"}, "total": "count"}, 3),
    "link_header": ({"path": "links", "pages": {"link_header": True}, "total": {"header": "X-Total-Count"}}, 3),
    "offset": ({"path": "/offset", "records": "items", "pages": {"offset": "offset", "limit": 10, "limit_param": "limit"}}, 4),
    "offset, with a total": ({"path": "/offset", "records": "items", "total": "total", "pages": {"offset": "offset"}}, 3),
    "offset, until a short page": (
        {"path": "/offset", "records": "items", "pages": {"offset": "offset", "limit": 10, "limit_param": "limit", "until": "short"}}, 3,
    ),
    "offset, of a server that gives fewer": (
        {"path": "/offset", "records": "items", "pages": {"offset": "offset", "limit": 500, "limit_param": "limit"}}, 4,
    ),
    "page": ({"path": "/pages", "records": "items", "pages": {"page": "page", "limit": 10, "limit_param": "per_page"}}, 4),
    "page, more": ({"path": "/pages", "records": "items", "pages": {"page": "page", "more": "has_more"}}, 3),
    "last_row": ({"path": "/last", "records": "data", "pages": {"last_row": "id", "param": "starting_after", "more": "has_more"}}, 3),
    "POST": (
        {"path": "/search", "method": "POST", "body": {"kind": "all"}, "records": "rows", "pages": {"cursor": "paging.after", "param": "page.after"}},
        3,
    ),
    "none": ({"path": "/plain"}, 1),
}  # fmt: skip


@pytest.fixture
def server() -> Iterator[Rest]:
    with Rest(ROWS, most=10).serving() as served:
        assert isinstance(served, Rest)
        yield served


def api(server: Rest, table: Mapping[str, Any], **config: Any) -> SyncedConnector:
    tables = {"invoices": {"key": "id", "columns": COLUMNS, **table}}
    return source(HttpJsonConnector, {"url": f"{server.url}/api", "tables": tables, **config})


@pytest.mark.parametrize("way", WAYS)
def test_every_way_reads_all_rows_once(server: Rest, way: str) -> None:
    table, requests = WAYS[way]
    got = collect(api(server, table), "invoices")
    assert got.column("id") == list(range(1, ROWS + 1))
    assert got.end is not None and got.end.rows == ROWS
    assert len(server.asked) == requests
    assert got.rows[0]["customer"] == "Client 1" and str(got.rows[1]["amount"]) == "74.02"


@pytest.mark.parametrize("way", WAYS)
def test_every_way_goes_on_behind_each_page(server: Rest, way: str) -> None:
    connector = api(server, WAYS[way][0])
    whole = collect(connector, "invoices")
    for page in range(1, len(whole.places) + 1):

        def stopped(got: Got, page: int = page) -> bool:
            return len(got.places) == page

        begun = collect(connector, "invoices", stop=stopped)
        rest = collect(api(server, WAYS[way][0]), "invoices", Window(), begun.places[-1])
        assert begun.rows + rest.rows == whole.rows
        assert rest.end is not None and rest.end.rows == len(rest.rows)


@pytest.mark.parametrize("way", [way for way in WAYS if way not in ("none", "POST")])
def test_an_empty_table(server: Rest, way: str) -> None:
    server.rows.clear()
    got = collect(api(server, WAYS[way][0]), "invoices")
    assert got.rows == [] and got.end is not None and got.end.rows == 0


@pytest.mark.parametrize("way", ["cursor", "next_link", "link_header"])
def test_a_page_that_leads_to_itself_is_an_error(server: Rest, way: str) -> None:
    server.circle = True
    error = fails(api(server, WAYS[way][0]), "invoices")
    assert isinstance(error, DataError)
    assert error.message == "the server names a page of 'invoices' as the next that was read already"
    assert error.setting == ("tables", "invoices", "pages")
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("path", "pages", "said"),
    [
        ("/pages", {"page": "pge", "limit": 10, "limit_param": "per_page"}, "the server gives the same 10 rows of 'invoices' again for pge=2"),
        ("/offset", {"offset": "start", "limit": 10, "limit_param": "limit"}, "the server gives the same 10 rows of 'invoices' again for start=10"),
    ],
)  # fmt: skip
def test_a_word_for_the_page_that_the_server_does_not_know_is_an_error_and_no_circle(
    server: Rest, path: str, pages: dict[str, Any], said: str
) -> None:
    error = fails(api(server, {"path": path, "records": "items", "pages": pages}), "invoices")
    assert isinstance(error, DataError)
    assert error.message == said and "what does the server call it" in error.hint
    assert error.setting == ("tables", "invoices", "pages", next(iter(pages)))


@pytest.mark.parametrize("way", ["cursor", "next_link", "link_header", "offset, with a total"])
def test_a_page_that_lacks_rows_is_an_error(server: Rest, way: str) -> None:
    table, _ = WAYS[way]
    server.short = 1
    error = fails(api(server, table), "invoices")
    assert isinstance(error, Transient)
    assert error.setting == ("tables", "invoices", "total")


def test_rows_that_go_while_they_are_counted_off_are_noticed(server: Rest) -> None:
    connector = api(server, WAYS["offset, with a total"][0])
    with (
        closing(connector),
        pytest.raises(Transient, match="1 rows of 'invoices' have gone while it was read"),
    ):
        for _ in connector.changes("invoices"):
            server.rows.pop(1, None)


@pytest.mark.parametrize(
    ("way", "change", "error"),
    [
        ("offset, with a total", lambda server: server.rows.pop(1), Moved),
        ("cursor", lambda server: setattr(server, "short", 1), Moved),
        ("cursor", lambda server: [row.pop("amount") for row in server.rows.values()], Lacking),
    ],
)
def test_what_came_before_rows_were_lost_is_no_beginning(
    server: Rest, way: str, change: Callable[[Rest], object], error: type[ConnectorError]
) -> None:
    """Else each sync would go on behind it, and meet the same again."""
    connector = api(server, WAYS[way][0])
    if error is Lacking:
        change(server)
        assert isinstance(fails(connector, "invoices"), error)
        return
    begun = collect(connector, "invoices", stop=lambda got: bool(got.places))
    change(server)
    assert isinstance(fails(connector, "invoices", Window(), begun.places[0]), error)
    assert issubclass(error, ResumeExpired)


@pytest.mark.parametrize(
    ("table", "message", "where"),
    [
        ({"path": "/cursor"}, "the answer of 'invoices' is no list by itself", "records"),
        ({"path": "/cursor", "records": "data.rows"}, "the answer of 'invoices' is no list at 'data.rows'", "records"),
        ({"path": "/cursor", "records": "data"}, "the answer of 'invoices' is no list at 'data'", "records"),
        ({"path": "/nothing", "records": "data"}, "the answer of 'invoices' is no list at 'data'", "records"),
        ({**WAYS["cursor"][0], "total": "meta.count"}, "the answer does not say how many rows there are", "total"),
        ({**WAYS["link_header"][0], "total": {"header": "X-Count"}}, "the answer does not say how many rows there are", "total"),
        ({**WAYS["last_row"][0], "pages": {"last_row": "uid", "param": "after"}}, "the last row holds nothing at 'uid'", "pages.last_row"),
        ({**WAYS["page"][0], "pages": {"page": "page", "more": "total"}}, "'total' holds a number, and not true or false", "pages.more"),
        ({**WAYS["cursor"][0], "pages": {"cursor": "meta", "param": "c"}}, "the cursor at 'meta' is a mapping", "pages.cursor"),
        ({**WAYS["next_link"][0], "pages": {"next_link": "count"}}, "the next page's address is a number", "pages.next_link"),
    ],
)  # fmt: skip
def test_what_is_not_where_the_settings_say_is_said(
    server: Rest, table: dict[str, Any], message: str, where: str
) -> None:
    error = fails(api(server, table), "invoices")
    assert error.message == message
    assert error.hint
    assert error.setting == ("tables", "invoices", *where.split("."))


def test_the_hint_says_what_is_there_instead(server: Rest) -> None:
    error = fails(api(server, {"path": "/cursor", "records": "rows"}), "invoices")
    assert error.hint == "it is a mapping with data (a mapping), meta (a mapping)"


def test_null_is_no_list_unless_it_is_said(server: Rest) -> None:
    table = {"path": "/nothing", "records": "data", "null_is_empty": True}
    assert collect(api(server, table), "invoices").rows == []


@pytest.mark.parametrize(
    ("cursor", "asked"),
    [
        ({"param": "updated_since"}, "2026-01-01T00:20:00Z"),
        ({"param": "updated_since", "format": "epoch"}, "1767226800"),
        ({"param": "updated_since", "format": "%Y-%m-%dT%H:%M"}, "2026-01-01T00:20"),
    ],
)
def test_later_only_changes_are_asked_for(server: Rest, cursor: dict[str, Any], asked: str) -> None:
    connector = api(
        server, {**WAYS["cursor"][0], "cursor": {"column": "updated_at", "lookback": "1 day", **cursor}}
    )
    table = connector.table("invoices")
    assert table is not None
    assert (table.cursor, table.lookback, table.key) == ("updated_at", dt.timedelta(days=1), ("id",))
    server.change(3, START + dt.timedelta(hours=5), amount="1.00")
    got = collect(connector, "invoices", Window(since=START + dt.timedelta(minutes=20)))
    assert got.column("id") == [3, *range(20, ROWS + 1)]
    assert {r.query["updated_since"] for r in server.asked} == {asked}


def test_a_template_says_the_rest(server: Rest) -> None:
    cursor = {"column": "updated_at", "param": "$filter", "template": "modifiedon ge {since}"}
    collect(api(server, {**WAYS["page"][0], "cursor": cursor}), "invoices", Window(since=START))
    assert server.asked[0].query["$filter"] == "modifiedon ge 2026-01-01T00:00:00Z"


def test_a_post_takes_it_in_its_body(server: Rest) -> None:
    cursor = {"column": "updated_at", "param": "updated_since"}
    got = collect(
        api(server, {**WAYS["POST"][0], "cursor": cursor}),
        "invoices",
        Window(since=START + dt.timedelta(minutes=10)),
    )
    assert got.column("id") == list(range(10, ROWS + 1))
    assert [r.json for r in server.asked] == [
        {"kind": "all", "updated_since": "2026-01-01T00:10:00Z"},
        {"kind": "all", "updated_since": "2026-01-01T00:10:00Z", "page": {"after": 10}},
    ]


def test_parameters_are_written_as_they_are_meant(server: Rest) -> None:
    collect(
        api(server, {**WAYS["next_link"][0], "params": {"all": True, "kind": ["a", "b&c"], "n": 5}}),
        "invoices",
    )
    first = server.asked[0].query
    assert (first["all"], first["kind"], first["n"]) == ("true", "b&c", "5")
    assert all(request.query["n"] == "5" for request in server.asked)


@pytest.mark.parametrize("place", [{}, {"params": {"cursor": "bm90aGluZw=="}}, {"link": "/api/gone"}])
def test_a_place_that_is_not_known_any_more(server: Rest, place: dict[str, Any]) -> None:
    server.faults.append(Fault("error", status=400))
    if "link" in place:
        place = {"link": f"{server.url}{place['link']}"}
    with pytest.raises(ResumeExpired):
        collect(api(server, WAYS["cursor"][0]), "invoices", Window(), place)


def test_what_the_server_says_is_in_the_error(server: Rest) -> None:
    error = fails(api(server, {"path": "/nowhere"}), "invoices")
    assert error.message == f"127.0.0.1:{server.port} answered 404: there is no GET /api/nowhere"
    assert error.setting == ("tables", "invoices", "path") and error.hint


def test_a_token_that_the_server_writes_into_its_links_is_not_kept(server: Rest, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """The places that reading goes on with are written to disk."""
    answered = server.answer

    def answer(request: Request) -> Response:
        found = answered(request)
        links = found.content["links"]
        links["next"] = links["next"] and f"{links['next']}&access_token=pat-1234-secret"
        return found

    monkeypatch.setattr(server, "answer", answer)
    got = collect(api(server, WAYS["next_link"][0], auth={"bearer": "pat-1234-secret"}), "invoices")
    assert len(got.rows) == ROWS and "secret" not in str(got.places)
    assert got.places[0]["link"] == "?from=10"


def test_a_link_to_another_machine_is_not_followed_unless_it_is_named(server: Rest) -> None:
    server._here = lambda _, **__: "http://127.0.0.2:9/x"  # type: ignore[method-assign]
    error = fails(api(server, WAYS["next_link"][0]), "invoices")
    assert error.setting == ("tables", "invoices", "pages")
    assert error.hint.endswith("if the machine belongs to the API, name it under 'hosts'")


def test_no_more_is_asked_than_the_rate_says(server: Rest) -> None:
    wait = NoWait()
    rate = {"requests": 1, "seconds": 30}
    connector = source(
        HttpJsonConnector,
        {
            "url": f"{server.url}/api",
            "rate": rate,
            "tables": {"invoices": {"columns": COLUMNS, **WAYS["cursor"][0]}},
        },
        shared={Wait: wait},
    )
    collect(connector, "invoices")
    assert wait.waited > 50


@pytest.mark.parametrize("kind", ["html", "truncated"])
def test_what_is_no_whole_answer_is_no_end(server: Rest, kind: str) -> None:
    server.faults.append(Fault(kind, times=9, skip=1))
    connector = api(server, WAYS["cursor"][0])
    with pytest.raises(ConnectorError):
        collect(connector, "invoices")
