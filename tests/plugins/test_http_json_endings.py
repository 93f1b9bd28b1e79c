"""``http_json``: a first page is not taken for the whole table where the answer itself says that more rows follow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from cadran.plugins import DataError, SyncedConnector
from cadran_plugins.http_json.connector import HttpJsonConnector
from simulators.base import Request, Response
from simulators.rest import Rest

from .reading_changes import collect, fails, source


@pytest.fixture
def server() -> Iterator[Rest]:
    with Rest(25, most=10).serving() as served:
        assert isinstance(served, Rest)
        yield served


def api(server: Rest, **table: Any) -> SyncedConnector:
    tables = {"invoices": {"key": "id", "columns": {"id": "bigint"}, **table}}
    return source(HttpJsonConnector, {"url": f"{server.url}/api", "tables": tables})


def gives(server: Rest, content: Any, headers: Mapping[str, str] | None = None) -> None:
    server.answer = lambda _: Response(content, headers=headers or {})  # type: ignore[method-assign]


ROWS = [{"id": 1}, {"id": 2}]


@pytest.mark.parametrize(
    ("table", "says", "way", "where"),
    [
        ({"path": "/links"}, "the header Link", "'link_header: true'", "path"),
        ({"path": "/next", "records": "results"}, "'links.next'", "'next_link: links.next'", "path"),
        ({"path": "/cursor", "records": "data.items"}, "'meta.next'", "'cursor: meta.next'", "path"),
        ({"path": "/last", "records": "data"}, "'has_more'", "how the next page is found", "path"),
        ({"path": "/cursor", "records": "data.items", "pages": {"cursor": "meta.nxt", "param": "cursor"}}, "'meta.next'", "'cursor: meta.next'", "pages.cursor"),
        ({"path": "/next", "records": "results", "pages": {"next_link": "link.next"}}, "'links.next'", "'next_link: links.next'", "pages.next_link"),
        ({"path": "/next", "records": "results", "pages": {"link_header": True}}, "'links.next'", "'next_link: links.next'", "pages.link_header"),
        ({"path": "/links", "pages": {"next_link": "links.next"}}, "the header Link", "'link_header: true'", "pages.next_link"),
    ],
)  # fmt: skip
def test_a_way_to_the_next_page_that_is_not_said_or_misspelt(
    server: Rest, table: dict[str, Any], says: str, way: str, where: str
) -> None:
    error = fails(api(server, **table), "invoices")
    assert isinstance(error, DataError)
    assert error.message.startswith(f"more rows of 'invoices' follow, as {says} says")
    assert way in error.hint
    assert error.setting == ("tables", "invoices", *where.split("."))
    assert ("pages: none" in error.hint) == (where == "path")


@pytest.mark.parametrize(
    "beside",
    [
        {"startAt": 0, "maxResults": 2, "total": 230},  # Jira
        {"total_count": 230},  # GitHub's search
        {"page": {"size": 2, "totalElements": 9, "totalPages": 5, "number": 0}},  # Spring
        {"current_page": 1, "last_page": 4},  # Laravel
        {"isLast": False},
        {"nextPageToken": "CAoQAA"},
        {"next_page": {"offset": "eyJ0", "uri": "https://x/?offset=eyJ0"}},  # Asana
        {"paging": {"next": {"after": "2"}}},  # HubSpot
        {"pageInfo": {"hasNextPage": True, "endCursor": "Y3Vy"}},
        {"@odata.nextLink": "https://x/a?$skiptoken=2"},
    ],
)
def test_what_apis_say_of_more_rows(server: Rest, beside: dict[str, Any]) -> None:
    gives(server, {"items": ROWS, **beside})
    error = fails(api(server, path="/any", records="items"), "invoices")
    assert error.message.startswith("more rows of 'invoices' follow, as ")
    assert collect(api(server, path="/any", records="items", pages="none"), "invoices").column("id") == [1, 2]


@pytest.mark.parametrize("header", ["X-Total-Count", "X-WP-Total"])
def test_a_header_that_counts_more_rows(server: Rest, header: str) -> None:
    gives(server, ROWS, {header: "3"})
    assert f"the header {header.lower()} (3)" in fails(api(server, path="/any"), "invoices").message
    gives(server, ROWS, {header: "2"})
    assert len(collect(api(server, path="/any"), "invoices").rows) == 2


@pytest.mark.parametrize(
    ("beside", "pages"),
    [
        ({}, {"cursor": "paging.next.after", "param": "after"}),  # HubSpot's only page
        ({"paging": {"cursors": {"after": "MTAx"}}}, {"next_link": "paging.next"}),  # Facebook's
        (
            {"has_more": False, "next_page": "behind the last"},
            {"next_link": "links.next", "more": "has_more"},
        ),
        ({"nextSyncToken": "CPDAlvWDx70CEPDAlvWD"}, {"cursor": "nextPageToken", "param": "pageToken"}),
        ({"next": None, "previous": None, "count": 2}, None),
        ({"total": 1999}, None),  # an amount, perhaps
        ({"meta": {"next": ""}, "last": True}, None),
    ],
)
def test_what_says_nothing_of_more_rows(
    server: Rest, beside: dict[str, Any], pages: dict[str, Any] | None
) -> None:
    gives(server, {"items": ROWS, **beside})
    table = {"path": "/any", "records": "items", **({} if pages is None else {"pages": pages})}
    assert collect(api(server, **table), "invoices").column("id") == [1, 2]


def _zendesk(server: Rest, end: str) -> Callable[[Request], Response]:
    """Each page has the address of the next one, the last as well."""

    def answer(request: Request) -> Response:
        at = int(request.query.get("from", 0))
        rows = [{"id": number} for number in range(at + 1, min(at + 10, 25) + 1)]
        last = at + 10 >= 25
        says = {"has_more": not last} if end == "more" else {"end_of_stream": last}
        return Response({"tickets": rows, "links": {"next": f"{server.url}/api/any?from={at + 10}"}, **says})

    return answer


@pytest.mark.parametrize(("end", "path"), [("more", "has_more"), ("last", "end_of_stream")])
def test_a_link_behind_the_last_page(server: Rest, end: str, path: str) -> None:
    server.answer = _zendesk(server, end)  # type: ignore[method-assign]
    pages = {"next_link": "links.next", end: path}
    assert collect(api(server, path="/any", records="tickets", pages=pages), "invoices").column("id") == list(range(1, 26))  # fmt: skip


def test_more_rows_without_a_link_are_an_error(server: Rest) -> None:
    gives(server, {"items": ROWS, "has_more": True})
    pages = {"next_link": "links.next", "more": "has_more"}
    error = fails(api(server, path="/any", records="items", pages=pages), "invoices")
    assert error.message == "more rows are announced, but nothing says where"


def test_what_says_whether_rows_follow_is_said_once(server: Rest) -> None:
    pages = {"next_link": "next", "more": "has_more", "last": "is_last"}
    error = fails(api(server, path="/any", records="items", pages=pages), "invoices")
    assert error.setting == ("tables", "invoices", "pages", "last")
