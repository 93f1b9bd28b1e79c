"""No message, hint, log line or error behind an error of the HTTP client says a secret; what servers say helps and is kept."""

from __future__ import annotations

import base64
import html
import json
import re
import traceback
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.simulators.base import Fault, Request, Response

from cadran.plugins import Connector, ConnectorError, Context, DataError, End, Page, Table
from cadran.plugins.http import Http
from cadran.plugins.secret import marked, masked

from .asking import CANARY, Api, asking, context

_BASIC = base64.b64encode(f"me:{CANARY}".encode()).decode()


class Crm(Connector):
    config_schema: ClassVar = {
        "type": "object",
        "properties": {"token": {"type": "string", "writeOnly": True}, "url": {"type": "string"}},
    }

    def discover(self) -> list[Table]:
        return []

    def read(self, table: str) -> Iterator[Page | End]:
        yield End(0)


def _echo(request: Request) -> Response:
    """A server that says back whatever it was sent."""
    all_of_it = f"refused: {dict(request.headers)} {request.query} {request.body.decode()} {request.path}"
    return Response({"message": all_of_it[:280]}, 400)


def _asks() -> Mapping[str, Any]:
    """Every place that a secret may stand in."""
    bearer = {"Authorization": f"Bearer {CANARY}"}
    return {
        "client header": lambda http: http.get("/x"),
        "header of one request": lambda http: http.get("/x", headers={"X-Api-Token": CANARY}),
        "parameter": lambda http: http.get("/x", params={"api_key": CANARY}),
        "form": lambda http: http.post("/x", data={"client_secret": CANARY}),
        "json of a setting": lambda http: http.post("/x", json={"whatever": CANARY}),
        "path of a setting": lambda http: http.get(f"/hook/{quote(CANARY, safe='')}"),
        "query of a next link": lambda http: http.get(f"/x?cursor={quote_plus(CANARY)}", headers=bearer),
        "basic": lambda http: http.get("/x", headers={"Authorization": f"Basic {_BASIC}"}),
        "stream": lambda http: list(http.stream("/x", headers=bearer)),
    }


@pytest.mark.parametrize("where", _asks())
@pytest.mark.parametrize("kind", ["echo", "error", "drop", "truncated", "html", "redirect", "renamed"])
def test_a_secret_shows_nowhere(where: str, kind: str, api: Api) -> None:
    lines: list[str] = []
    told = context(config={"token": CANARY, "url": api.url}, log=lines.append)
    Crm(told)  # which tells the context what its schema marks
    api.said |= {"/x": _echo, "/hook/" + CANARY: _echo}
    if kind == "redirect":
        api.faults.append(Fault(kind, 9, location=f"http://127.0.0.1:1/?token={CANARY}"))
    elif kind != "echo":
        api.faults.append(Fault("error" if kind == "renamed" else kind, 9))
    own = DataError(f"{CANARY} is bad", hint=f"not {CANARY}", more=[CANARY])
    judge = (lambda _: own) if kind == "renamed" else None
    ask = _asks()[where]
    with (
        asking(api, told, headers={"X-Key": f"key {CANARY}"}, tries=2, judge=judge) as http,
        pytest.raises(ConnectorError) as caught,
    ):
        ask(http)
    error = caught.value
    assert error.__cause__ is None and error.__context__ is None
    written = "\n".join(
        [str(error), error.hint, *error.more, *map(str, error.args), *lines, repr(http), repr(told)]
    )
    written += "".join(traceback.format_exception_only(error))
    assert lines and api.asked
    for form in (CANARY, quote(CANARY, safe=""), quote_plus(CANARY), _BASIC):
        assert form not in written


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("before", range(280, 303, 2))
def test_no_half_of_a_secret_is_left_where_a_message_is_cut(before: int, status: int, api: Api) -> None:
    api.said["/x"] = Response(b"x" * before + CANARY.encode(), status)
    told = context(config={"token": CANARY})
    Crm(told)
    with asking(api, told, tries=1) as http, pytest.raises(ConnectorError) as caught:
        http.get("/x")
    assert CANARY[:3] not in str(caught.value)


def test_a_query_is_not_logged_and_a_path_is(api: Api) -> None:
    lines: list[str] = []
    with asking(api, context(log=lines.append)) as http:
        http.get("/x", params={"email": "ann@example.com"})
    [line] = lines
    assert line.startswith(f"GET 127.0.0.1:{api.port}/x: 200 in ") and "ann" not in line


def test_why_it_waits_is_logged(api: Api) -> None:
    lines: list[str] = []
    api.faults.append(Fault("limited", retry_after=4))
    with asking(api, context(log=lines.append)) as http:
        http.get("/x")
    assert lines[1] == f"waits 4.0 s: 127.0.0.1:{api.port} answered 429: too many requests"


def test_a_token_that_a_connector_hides_is_masked_too(api: Api) -> None:
    hidden: list[str] = []
    told = context(hide=hidden.append)
    told.hide("tok-of-a-server")
    api.said["/x"] = Response({"message": "tok-of-a-server has run out"}, 400)
    with asking(api, told) as http, pytest.raises(DataError, match=r"answered 400: \*\*\* has run out"):
        http.get("/x")
    assert hidden == ["tok-of-a-server"]


@pytest.mark.parametrize("secret", ["a\"b'c<d>&e-1234", "tøken/é+1234", "back\\slash1234"])
def test_signs_that_are_written_in_many_ways_hide_no_secret(secret: str) -> None:
    quoted = quote(secret, safe="")
    lower = re.sub("%..", lambda found: found[0].lower(), quoted)
    for shown in (secret, repr(secret), json.dumps(secret), html.escape(secret), quoted, lower):
        text = masked(f"refused: {shown}!", [secret])
        assert text.replace('"', "").replace("'", "") == "refused: ***!"


def test_what_headers_say_that_is_no_secret_is_not_masked(api: Api) -> None:
    told = context()
    with asking(
        api, told, headers={"Accept": "application/json", "Prefer": "odata.maxpagesize=5000", "X-V": "2"}
    ) as http:
        http.get("/x", headers={"Authorization": "Bearer t0ken"}, params={"limit": 100})
    assert told.secrets == {"Bearer t0ken", "t0ken"}


@pytest.mark.parametrize(
    ("schema", "value", "secrets"),
    [
        (
            {"properties": {"token": {"writeOnly": True}, "url": {}}},
            {"token": "t", "url": "u", "more": "m"},
            {"t"},
        ),
        (
            {"properties": {"auth": {"properties": {"pin": {"writeOnly": True}}}}},
            {"auth": {"pin": 1234, "id": "i"}},
            {"1234"},
        ),
        (
            {"properties": {"auth": {"writeOnly": True}}},
            {"auth": {"a": "x", "b": ["y", True, None]}},
            {"x", "y"},
        ),
        ({"properties": {"keys": {"items": {"writeOnly": True}}}}, {"keys": ["k", "l"]}, {"k", "l"}),
        ({"additionalProperties": {"writeOnly": True}}, {"any": "v"}, {"v"}),
        (
            {"oneOf": [{"properties": {"a": {"writeOnly": True}}}, {"properties": {"b": {}}}]},
            {"a": "x", "b": "y"},
            {"x"},
        ),
        ({"additionalProperties": False, "properties": {"a": True}}, {"a": "x", "b": "y"}, set()),
    ],
)
def test_what_a_schema_marks(schema: Mapping[str, Any], value: Any, secrets: set[str]) -> None:
    assert set(marked(schema, value)) == secrets


@given(secrets=st.lists(st.text("ab/+ é", min_size=1), max_size=4), text=st.text("ab/+ é*", max_size=30))
def test_no_secret_is_left_in_a_text(secrets: list[str], text: str) -> None:
    real = [secret for secret in secrets if secret.strip()]
    found = masked(text, secrets)
    assert all(secret not in found.split("***") for secret in real)
    assert real or found == text


def test_a_client_and_its_context_do_not_show_what_they_hold() -> None:
    told = Context("crm", {"token": CANARY}, context().base)
    told.hide("other-secret")
    http = Http(told, ["a.example"], headers={"Authorization": CANARY})
    assert "other-secret" not in repr(told) and CANARY not in repr(http)
