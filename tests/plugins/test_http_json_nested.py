"""``http_json``: rows that stand under their ids, and rows in lists that records hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import cadran
from cadran.plugins import ConfigError, DataError, SyncedConnector
from cadran_plugins.http_json.connector import HttpJsonConnector
from simulators.base import Request, Response
from simulators.rest import Rest

from .reading_changes import collect, fails, source

TEXT = (Path(__file__).resolve().parents[2] / "docs/connectors/http_json.md").read_text(encoding="utf-8")


@pytest.fixture
def server() -> Iterator[Rest]:
    with Rest().serving() as served:
        assert isinstance(served, Rest)
        yield served


def api(server: Rest, content: Any, **table: Any) -> SyncedConnector:
    server.answer = lambda _: Response(content)  # type: ignore[method-assign]
    tables = {
        "sales": {"path": "/sales", "records": "data", "columns": {"id": "bigint", "n": "bigint"}, **table}
    }
    return source(HttpJsonConnector, {"url": f"{server.url}/api", "tables": tables})


def test_rows_under_their_ids(server: Rest) -> None:
    connector = api(server, {"data": {"17": {"n": 1}, "18": {"n": 2, "id": "x"}}}, keyed="id", key="id")
    assert collect(connector, "sales").rows == [{"id": 17, "n": 1}, {"id": 18, "n": 2}]


def test_the_answer_itself_is_keyed(server: Rest) -> None:
    connector = api(server, {"17": {"n": 1, "next": "x"}, "18": {"n": 2}}, keyed="id", records="")
    assert collect(connector, "sales").column("id") == [17, 18]


def test_an_empty_list_where_there_are_none(server: Rest) -> None:
    """As PHP writes a mapping without keys."""
    assert collect(api(server, {"data": []}, keyed="id"), "sales").rows == []


def test_the_hint_says_that_keys_may_be_ids(server: Rest) -> None:
    error = fails(api(server, {"data": {"17": {"n": 1}, "18": {"n": 2}}}), "sales")
    assert error.hint.endswith("; if its keys (17, 18, …) are ids, say 'keyed: id'")


def test_what_is_no_row_under_its_id(server: Rest) -> None:
    error = fails(api(server, {"data": {"17": 1}}, keyed="id"), "sales")
    assert error.message == "a row of 'sales' is a number"


ORDERS = [
    {"id": 1, "lines": [{"id": 10, "n": 2}, {"id": 11, "n": 3}]},
    {"id": 2, "lines": []},
    {"id": 3, "lines": None},
    {"id": 4, "lines": [{"id": 10, "n": 5}]},
]
LINES = {"each": "lines", "key": ["parent_id", "id"], "columns": {"parent.id": "bigint", "id": "bigint", "n": "bigint"}}  # fmt: skip


def test_rows_in_records(server: Rest) -> None:
    got = collect(api(server, {"data": ORDERS, "total": 4}, total="total", **LINES), "sales")
    assert [tuple(row.values()) for row in got.rows] == [(1, 10, 2), (1, 11, 3), (4, 10, 5)]
    assert got.end is not None and got.end.rows == 3


def test_columns_are_told_from_rows_in_records(server: Rest) -> None:
    connector = api(server, {"data": ORDERS}, each="lines")
    del connector.context.config["tables"]["sales"]["columns"]
    assert [c.name for c in connector.discover()[0].columns] == ["id", "n", "parent"]
    connector.close()


def test_values_in_records(server: Rest) -> None:
    connector = api(server, {"data": [{"id": 1, "tags": ["a", "b"]}]}, each="tags", columns={"parent.id": "bigint", "value": "text"})  # fmt: skip
    assert [tuple(row.values()) for row in collect(connector, "sales").rows] == [(1, "a"), (1, "b")]


@pytest.mark.parametrize(("each", "what"), [("line", "nothing"), ("id", "a number")])
def test_a_record_without_the_list(server: Rest, each: str, what: str) -> None:
    error = fails(api(server, {"data": ORDERS}, **{**LINES, "each": each}), "sales")
    assert isinstance(error, DataError)
    assert error.message == f"a record of 'sales' holds {what} at '{each}', and no list"
    assert error.hint == "a record is a mapping with id (a number), lines (a list)"
    assert error.setting == ("tables", "sales", "each")


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"cursor": {"column": "n", "param": "since"}}, "cursor"),
        ({"delta": "link"}, "delta"),
        ({"deletes": {"column": "gone"}}, "deletes"),
    ],
)
def test_what_would_leave_rows_behind(server: Rest, more: dict[str, Any], where: str) -> None:
    error = fails(api(server, {"data": ORDERS}, **LINES, **more), "sales")
    assert isinstance(error, ConfigError) and error.hint
    assert error.setting == ("tables", "sales", where)


def test_the_example_reads_lines(server: Rest, tmp_path: Path) -> None:
    [example] = [
        e for e in re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL) if "each:" in e
    ]
    text = "version: 1\n" + example.replace("https://shop.example.com", server.url)
    (tmp_path / "kpis.yaml").write_text(text, encoding="utf-8")
    declaration, _ = cadran.open(tmp_path / "kpis.yaml", environ={"SHOP_KEY": "k3y-canary"}).declaration()
    assert declaration is not None

    def answer(request: Request) -> Response:
        line = {"sku": "A", "quantity": 2, "price": "9.50"}
        page = int(request.query.get("page", 1))
        order = {"id": page, "created_at": "2026-03-01T10:00:00+01:00", "line_items": [line, {**line, "sku": "B"}]}  # fmt: skip
        more = {"link": '</api/orders?page=2>; rel="next"'} if page == 1 else {}
        return Response({"orders": [order]}, headers=more)

    server.answer = answer  # type: ignore[method-assign]
    [declared] = declaration.sources.values()
    got = collect(source(HttpJsonConnector, declared.config), "lines")
    assert [(r["parent_id"], r["sku"], r["price"]) for r in got.rows] == [
        (n, sku, Decimal("9.50")) for n in (1, 2) for sku in "AB"
    ]
