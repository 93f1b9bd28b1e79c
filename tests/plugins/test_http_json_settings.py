"""``http_json``'s settings: who asks, what contradicts itself, and with which key each error is said."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import jsonschema
import pytest

from cadran.plugins import AuthError, Column, ConfigError, SyncedConnector
from cadran_plugins.http_json.config import SCHEMA
from cadran_plugins.http_json.connector import HttpJsonConnector
from simulators.rest import PASSWORD, TOKEN, USER, Rest

from .reading_changes import collect, fails, source

URL = "https://erp.example.com/api"
PLAIN = {"path": "/plain", "key": "id", "columns": {"id": "bigint", "updated_at": "timestamptz"}}
CURSOR = {"column": "updated_at", "param": "since"}


def erp(url: str = URL, table: Mapping[str, Any] = PLAIN, **config: Any) -> SyncedConnector:
    return source(HttpJsonConnector, {"url": url, "tables": {"invoices": table}, **config})


def oauth(url: str, **more: str) -> dict[str, Any]:
    said = {"token_url": f"{url}/oauth2/token", "client_id": "app", "client_secret": "s3cret", "scope": "all"}
    return {"oauth": {**said, **more}}


WAYS: Mapping[str, Any] = {
    "bearer": lambda _url: {"bearer": TOKEN},
    "header": lambda _url: {"header": "X-Api-Key", "value": TOKEN},
    "query": lambda _url: {"query": "api_key", "value": TOKEN},
    "basic": lambda _url: {"basic": {"user": USER, "password": PASSWORD}},
    "oauth": oauth,
    "oauth, with basic": lambda url: oauth(url, credentials="basic"),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_say_who_asks(way: str) -> None:
    with Rest(25, auth=way.split(",")[0], most=10).serving() as served:
        table = {**PLAIN, "path": "/next", "records": "results", "pages": {"next_link": "links.next"}}
        got = collect(erp(f"{served.url}/api", table, auth=WAYS[way](served.url)), "invoices")
    assert got.column("id") == list(range(1, 26))
    for place in got.places:  # they are written to disk
        assert TOKEN not in json.dumps(place) and "api_key" not in json.dumps(place)


@pytest.mark.parametrize("way", [w for w in WAYS if "," not in w])
def test_wrong_credentials_are_said_as_such_and_not_tried_again(way: str) -> None:
    with Rest(1, auth=way).serving() as served:
        said = json.loads(json.dumps(WAYS[way](served.url)).replace(TOKEN, "wrong").replace("s3cret", "wrong").replace(PASSWORD, "wrong"))  # fmt: skip
        connector = erp(f"{served.url}/api", auth=said)
        with closing(connector), pytest.raises(AuthError) as caught:
            connector.ping()
        assert len(served.asked) == 1
    assert "wrong" not in str(caught.value) + caught.value.hint


def test_a_token_that_has_run_out_is_fetched_anew() -> None:
    with Rest(25, auth="oauth", most=10).serving() as served:
        table = {**PLAIN, "path": "/next", "records": "results", "pages": {"next_link": "links.next"}}
        connector = erp(f"{served.url}/api", table, auth=oauth(served.url))
        rows = 0
        with closing(connector):
            for item in connector.changes("invoices"):
                rows += getattr(item, "rows", 0)
                served.tokens = {"another"} if not rows else served.tokens
        assert rows == 25
        assert len([r for r in served.asked if r.path == "/oauth2/token"]) == 3


def test_ping_names_the_machine() -> None:
    with Rest(1).serving() as served, closing(erp(f"{served.url}/api")) as connector:
        assert connector.ping() == "127.0.0.1"
        assert {r.method for r in served.asked} == {"GET"}


def test_the_machines_that_are_asked() -> None:
    said = erp(auth=oauth("https://login.example.com"), hosts=["files.example.com"])
    assert said.hosts == ["erp.example.com", "files.example.com", "login.example.com"]
    assert erp("http://[::1]:8080/api").hosts == ["[::1]:8080"]


def test_declared_columns_are_known_without_asking() -> None:
    types = {
        "id": "int", "amount": "numeric(12, 2)", "owner.name": "text", "customer": {"type": "json"},
        "born": {"name": "Born", "type": "timestamptz", "format": "epoch"}, "note@label.x": "text",
    }  # fmt: skip
    [table] = erp(table={"path": "/x", "columns": types}).discover()
    assert table.columns == (
        Column("id", "BIGINT"), Column("amount", "DECIMAL(12,2)"), Column("owner_name", "VARCHAR"), Column("customer", "JSON"),
        Column("Born", "TIMESTAMP WITH TIME ZONE"), Column("note@label_x", "VARCHAR"),
    )  # fmt: skip
    assert (table.key, table.cursor, table.deletes) == ((), "", "unseen")


@pytest.mark.parametrize(
    ("change", "message", "where"),
    [
        ({"pages": {"param": "x"}}, "nothing says how the next page is found", "pages"),
        ({"pages": {"cursor": "next", "param": "c", "page": "page"}}, "two ways to find the next page", "pages.page"),
        ({"pages": {"cursor": "next"}}, "'cursor' needs 'param'", "pages"),
        ({"pages": {"next_link": "next", "param": "c"}}, "'param' means nothing with 'next_link'", "pages.param"),
        ({"pages": {"offset": "skip", "limit": 5}}, "'limit' needs 'limit_param'", "pages.limit"),
        ({"pages": {"offset": "skip", "until": "short"}}, "'until: short' needs 'limit'", "pages.until"),
        ({"body": {"a": 1}}, "'body' is sent with POST only", "body"),
        ({"cursor": CURSOR, "delta": "@odata.deltaLink"}, "'cursor' and 'delta' are two ways to read changes", "delta"),
        ({"cursor": CURSOR, "key": []}, "'cursor' reads changes, and needs to know which row each is of", "cursor"),
        ({"delta": "link", "key": []}, "'delta' reads changes, and needs to know which row each is of", "delta"),
        ({"deletes": {"column": "gone"}, "key": []}, "rows can only be taken away by their key", "deletes"),
        ({"columns": {"id": "bigint", "off": "boolean"}, "deletes": {"column": "off", "value": "yes"}}, "'yes' is no value of column 'off', which is a boolean", "deletes.value"),
        ({"columns": {"id": "bigint", "off": "boolean"}, "deletes": {"column": "off", "value": 1}}, "'1' is no value of column 'off', which is a boolean", "deletes.value"),
        ({"columns": {"id": "bigint", "off": "bigint"}, "deletes": {"column": "off", "value": "oui"}}, "'oui' is no value of column 'off', which is a number", "deletes.value"),
        ({"columns": {"id": "bigint", "off": "bigint"}, "deletes": {"column": "off", "value": True}}, "'true' is no value of column 'off', which is a number", "deletes.value"),
        ({"key": "uid"}, "'uid' is not among the columns", "key"),
        ({"cursor": {"column": "update_at", "param": "since"}}, "'update_at' is not among the columns", "cursor.column"),
        ({"cursor": {**CURSOR, "format": "unix"}}, "unknown format 'unix'", "cursor.format"),
        ({"columns": {"id": "bigint", "n": "double"}, "cursor": {"column": "n", "param": "p"}}, "a double cannot say what has changed", "cursor.column"),
        ({"columns": {"id": "bignt"}}, "unknown type 'bignt'", "columns.id"),
        ({"columns": {"id": "bigint", "a": {"type": "decimal(50,2)"}}}, "'decimal(50,2)' does not exist", "columns.a.type"),
        ({"columns": {"id": "bigint", "a": {"type": "date", "format": "epoch"}}}, "'format: epoch' needs the type timestamptz", "columns.a.format"),
        ({"columns": {"id": "bigint", "a": {"type": "text", "name": "ID"}}}, "two columns are called 'ID': id and a", "columns.a"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_said_with_its_key_before_anything_is_asked(
    change: dict[str, Any], message: str, where: str
) -> None:
    table = {key: value for key, value in {**PLAIN, **change}.items() if value != []}
    with pytest.raises(ConfigError) as caught:
        erp(table=table).check("invoices")
    assert caught.value.message == message
    assert caught.value.setting == ("tables", "invoices", *where.split("."))
    assert caught.value.hint


@pytest.mark.parametrize(
    ("change", "message", "where"),
    [
        ({"url": "erp.example.com"}, "this is no address of the web", "url"),
        ({"url": "https://me:pw@erp.example.com"}, "the address holds a user or a password", "url"),
        ({"url": "https://erp.example.com/api?key=1"}, "the address holds parameters", "url"),
        ({"auth": {"value": "x"}}, "'value' alone says nothing", "auth"),
        ({"auth": {"bearer": "x", "basic": {"user": "u"}}}, "'bearer' and 'basic' are two ways to say who asks", "auth.basic"),
        ({"auth": {"header": "X-Key"}}, "'header' needs 'value'", "auth.header"),
        ({"auth": {"bearer": "x", "value": "y"}}, "'value' means nothing with 'bearer'", "auth.value"),
        ({"auth": oauth("login")}, "this is no address of the web", "auth.oauth.token_url"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_source_itself(change: dict[str, Any], message: str, where: str) -> None:
    with pytest.raises(ConfigError) as caught:
        erp(**change).check("invoices")
    assert caught.value.message == message
    assert caught.value.setting == tuple(where.split("."))
    assert caught.value.hint and "pw" not in str(caught.value)


def test_a_table_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match="there is no table 'invoice'") as caught:
        erp().check("invoice")
    assert caught.value.hint == "did you mean 'invoices'?"
    assert erp().table("invoice") is None


def _leaves(schema: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    out = [(path, schema)] if path else []
    for name, part in schema.get("properties", {}).items():
        out += _leaves(part, (*path, name))
    inner = schema.get("additionalProperties")
    out += _leaves(inner, (*path, "*")) if isinstance(inner, dict) else []
    for part in schema.get("anyOf", []):
        out += _leaves(part, path)[1:]
    return out


def test_every_setting_is_described_and_secrets_are_marked() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    leaves = _leaves(SCHEMA)
    # An alternative is described where it stands; what a free mapping holds is described by the mapping.
    bare = [p for p, s in leaves if "description" not in s and "*" not in p[-1:] and "anyOf" not in s]
    assert bare == []
    secret = {".".join(p) for p, s in leaves if s.get("writeOnly")}
    assert secret == {
        "auth.bearer", "auth.value", "auth.basic.password", "auth.oauth.client_secret", "proxy",
    }  # fmt: skip


def test_two_looks_are_equal() -> None:
    with Rest(25, most=10).serving() as served:
        said = {
            "path": "/cursor",
            "records": "data.items",
            "pages": {"cursor": "meta.next", "param": "cursor"},
        }
        with closing(erp(f"{served.url}/api", said)) as one, closing(erp(f"{served.url}/api", said)) as other:
            assert one.discover() == other.discover()


def test_a_mistake_in_reading_is_an_error_of_the_settings() -> None:
    with Rest(3).serving() as served:
        error = fails(
            erp(
                f"{served.url}/api",
                {
                    **PLAIN,
                    "columns": {**PLAIN["columns"], "customer": "json"},
                    "pages": {"link_header": True},
                    "path": "/next",
                },
            ),
            "invoices",
        )
    assert error.hint.endswith("say 'records: results'")
