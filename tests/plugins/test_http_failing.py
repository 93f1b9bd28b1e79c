"""What the HTTP client of connectors makes of servers that misbehave: what it asks again, what it gives up, what it says."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Mapping

import pytest
from tests.simulators.base import Fault, Request, Response

from cadran.plugins import AuthError, ConfigError, ConnectorError, DataError, RateLimited, Transient
from cadran.plugins.http import Answer, Http

from .asking import Api, NoTime, asking, context

GOOD = {"amount": 12.5}


# --- what is asked again -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        Fault("limited", 3),
        Fault("limited", 3, retry_after=2),
        *(Fault("error", 3, status=status) for status in (408, 425, 500, 502, 503, 504, 520)),
        Fault("truncated", 3),
        Fault("unended", 3),
        Fault("drop", 3),
        Fault("html", 3),
        Fault("hang", 1),
    ],
    ids=lambda fault: f"{fault.kind}{fault.status if fault.kind == 'error' else ''}",
)
def test_it_is_asked_again(fault: Fault, api: Api) -> None:
    wait = NoTime()
    wanted = fault.times + 1
    api.faults.append(fault)
    with asking(api, context(wait), timeout=2 if fault.kind == "hang" else 5) as http:
        assert http.get("/x").json() == GOOD
    assert len(api.asked) == wanted and wait.slept > 0


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault("error", 9), "HOST answered 500: internal error (tried 3 times)"),
        (Fault("error", 9, status=503), "HOST answered 503: internal error (tried 3 times)"),
        (Fault("truncated", 9), "HOST: the answer breaks off (tried 3 times)"),
        (Fault("unended", 9), "HOST: the answer breaks off (tried 3 times)"),
        (Fault("drop", 9), "HOST: the connection was lost (tried 3 times)"),
        (
            Fault("html", 9),
            "HOST answered, but the answer is no JSON: a web page: Down for maintenance (tried 3 times)",
        ),
        (Fault("hang", 9), "HOST: no answer within 0.5 s (tried 3 times)"),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
def test_what_it_says_when_it_gives_up(fault: Fault, message: str, api: Api) -> None:
    api.faults.append(fault)
    with (
        asking(api, timeout=0.5 if fault.kind == "hang" else 30, tries=3) as http,
        pytest.raises(Transient) as caught,
    ):
        http.get("/x")
    assert str(caught.value) == message.replace("HOST", f"127.0.0.1:{api.port}") and len(api.asked) == 3


def test_too_many_requests_to_the_end(api: Api) -> None:
    api.faults.append(Fault("limited", 9, retry_after=2))
    with (
        asking(api, tries=2) as http,
        pytest.raises(RateLimited, match=r"answered 429: too many requests \(tried 2 times\)"),
    ):
        http.get("/x")


def test_one_call_may_have_tries_of_its_own(api: Api) -> None:
    api.faults.append(Fault("error", 9))
    with asking(api) as http, pytest.raises(Transient, match=r"answered 500: internal error$"):
        http.get("/x", tries=1)
    assert len(api.asked) == 1


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        host = f"127.0.0.1:{taken.getsockname()[1]}"
    http = Http(context(), [host], base=f"http://{host}", tries=2)
    with pytest.raises(Transient, match=f"{host}: no connection") as caught:
        http.get("/x")
    assert "check the address" in caught.value.hint
    http.close()


# --- what is not --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "content", "kind", "message"),
    [
        (400, {"message": "no such field"}, DataError, "answered 400: no such field"),
        (401, {"error": "invalid_grant", "error_description": "expired"}, AuthError, "answered 401: expired"),
        (403, {"errors": [{"detail": "scope\nmissing"}]}, AuthError, "answered 403: scope missing"),
        (404, b"", DataError, "answered 404"),
        (409, [{"message": "from a list", "errorCode": "X"}], DataError, "answered 409: from a list"),
        (418, b"<html><style>p{}</style><body><h1>Tea</h1> pot</body></html>", DataError, "answered 418: a web page: Tea pot"),
        (422, b"\x00\x01\x02", DataError, "answered 422"),
        (301, b"", DataError, "answered 301"),
    ],
)  # fmt: skip
def test_an_answer_that_will_not_change(
    status: int, content: object, kind: type, message: str, api: Api
) -> None:
    api.said["/x"] = Response(content, status)
    with asking(api, credential=("token",)) as http, pytest.raises(kind) as caught:
        http.get("/x")
    assert str(caught.value) == f"127.0.0.1:{api.port} {message}" and len(api.asked) == 1
    assert caught.value.setting == (("token",) if kind is AuthError else ())


def test_a_long_answer_is_cut(api: Api) -> None:
    api.said["/x"] = Response({"message": "x" * 5000}, 400)
    with asking(api) as http, pytest.raises(DataError) as caught:
        http.get("/x")
    assert len(str(caught.value)) < 350 and str(caught.value).endswith("x…")


@pytest.mark.parametrize("kind", ["error", "hang", "drop", "truncated"])
def test_what_must_not_be_asked_twice_is_not(kind: str, api: Api) -> None:
    api.faults.append(Fault(kind, 9))
    with asking(api, timeout=0.5 if kind == "hang" else 30) as http, pytest.raises(Transient):
        http.post("/x", json={"query": "SELECT"}, repeatable=False)
    assert len(api.asked) == 1


def test_what_must_not_be_asked_twice_is_asked_again_where_nothing_was_done(api: Api) -> None:
    api.faults.append(Fault("limited", 2))
    with asking(api) as http:
        assert http.post("/x", json={}, repeatable=False).json() == GOOD
    wait = NoTime()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        host = f"127.0.0.1:{taken.getsockname()[1]}"
    http = Http(context(wait), [host], base=f"http://{host}", tries=3)
    with pytest.raises(Transient, match="tried 3 times"):
        http.post("/x", repeatable=False)
    http.close()


# --- an API's own words ---------------------------------------------------------------------------------------------------------


def _judge(answer: Answer) -> ConnectorError | None:
    said = answer.json()
    if said.get("code") == "BUSY":
        return Transient("the account is busy")
    return None if said.get("success", True) else DataError(f"it says {said['code']}", hint="ask for less")


@pytest.mark.parametrize("status", [200, 403, 500])
def test_a_connector_reads_what_an_answer_means(status: int, api: Api) -> None:
    api.said["/x"] = Response({"success": False, "code": "TOO_MUCH"}, status)
    with asking(api, judge=_judge) as http, pytest.raises(DataError, match="it says TOO_MUCH") as caught:
        http.get("/x")
    assert caught.value.hint == "ask for less" and len(api.asked) == 1


def test_what_a_connector_calls_transient_is_asked_again(api: Api) -> None:
    answers = [Response({"code": "BUSY"}, 423, {"retry-after": "2"}), Response(GOOD)]
    api.said["/x"] = lambda _: answers.pop(0)
    wait = NoTime()
    with asking(api, context(wait), judge=_judge) as http:
        assert http.get("/x").json() == GOOD
    assert wait.slept == pytest.approx(2)


def test_a_mistake_of_a_program_is_no_lost_connection(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    with asking(api) as http:
        monkeypatch.setattr(http._bucket, "take", lambda now: now / 0)
        with pytest.raises(ZeroDivisionError):
            http.get("/x")


def test_a_web_page_where_it_looks_for_words_is_judged_by_its_status(api: Api) -> None:
    api.said["/x"] = Response(b"<html>blocked</html>", 403)
    with (
        asking(api, judge=_judge) as http,
        pytest.raises(AuthError, match="answered 403: a web page: blocked"),
    ):
        http.get("/x")
    assert len(api.asked) == 1


# --- an access token that has run out ----------------------------------------------------------------------------------------------


def _guarded(request: Request) -> Response:
    good = request.headers.get("authorization") == "Bearer second"
    return Response(GOOD) if good else Response({"message": "expired"}, 401)


def test_a_token_that_has_run_out_is_renewed_once(api: Api) -> None:
    api.said["/x"], api.said["/token"] = _guarded, Response({"access_token": "second"})
    told = context()

    def renew() -> Mapping[str, str]:
        return {
            "Authorization": "Bearer " + http.post("/token", data={"grant_type": "x"}).json()["access_token"]
        }

    with asking(api, told, headers={"Authorization": "Bearer first"}, renew=renew) as http:
        assert http.get("/x").json() == GOOD and http.get("/x").json() == GOOD
    assert [asked.path for asked in api.asked] == ["/x", "/token", "/x", "/x"]
    assert {"first", "second"} <= told.secrets


@pytest.mark.parametrize("guarded", ["/x", "/token"])
def test_a_token_that_is_refused_again_is_an_error(guarded: str, api: Api) -> None:
    api.said["/x"], api.said["/token"] = (
        Response({"message": "expired"}, 401),
        Response({"access_token": "third"}),
    )
    api.said[guarded] = Response({"message": "never"}, 401)

    def renew() -> Mapping[str, str]:
        return {"Authorization": "Bearer " + http.post("/token").json()["access_token"]}

    with (
        asking(api, headers={"Authorization": "Bearer first"}, renew=renew) as http,
        pytest.raises(AuthError, match="401: never"),
    ):
        http.get("/x")
    assert len(api.asked) <= 3


# --- what comes and goes ------------------------------------------------------------------------------------------------------------


def test_what_is_sent(api: Api) -> None:
    with asking(api, headers={"Authorization": "Bearer t", "Accept": "text/csv"}) as http:
        http.get("/x?a=1", params={"b": "é&", "c": None, "d": True}, headers={"accept": "x/y"})
        http.post("/x", json={"é": [1, None]})
        http.post("/x", data={"a": "b c", "d": "é"})
    first, second, third = api.asked
    assert first.query == {"a": "1", "b": "é&", "d": "true"} and first.headers["accept"] == "x/y"
    assert first.headers["authorization"] == "Bearer t" and first.headers["user-agent"] == "cadran"
    assert second.json == {"é": [1, None]} and second.headers["content-type"] == "application/json"
    assert (
        third.body == b"a=b+c&d=%C3%A9"
        and third.headers["content-type"] == "application/x-www-form-urlencoded"
    )


def test_one_connection_serves_many_requests(api: Api) -> None:
    with asking(api) as http:
        for _ in range(3):
            http.get("/x")
        assert [len(pool.connections) for pool in http._opened._pools.values()] == [1]


def test_packed_answers_are_unpacked(api: Api) -> None:
    api.packed("/x", b'{"a": 1}')
    with asking(api) as http:
        assert http.get("/x").json() == {"a": 1}
    api.said["/x"] = Response(gzip.compress(b"{}")[:12], headers={"content-encoding": "gzip"})
    with asking(api, tries=2) as http, pytest.raises(Transient, match="no JSON"):
        http.get("/x")
    api.said["/x"] = Response(b"not packed", headers={"content-encoding": "gzip"})
    with asking(api, tries=2) as http, pytest.raises(Transient, match="cannot be unpacked"):
        http.get("/x")


def test_what_is_packed_more_than_once_is_not_unpacked(api: Api) -> None:
    """A few hundred bytes of it may hold a gigabyte."""
    twice = gzip.compress(gzip.compress(b"{}"))
    api.said["/x"] = Response(twice, headers={"content-encoding": "gzip, gzip"})
    with asking(api, tries=1) as http, pytest.raises(Transient, match="packed in a way that cannot be unpacked"):  # fmt: skip
        http.get("/x")
    with asking(api, tries=1) as http, pytest.raises(Transient, match="packed in a way"):
        list(http.stream("/x"))


def test_whoever_expects_no_json_says_so(api: Api) -> None:
    api.said["/x"] = Response(b"a;b\n1;2\n", headers={"content-type": "text/csv"})
    with asking(api) as http:
        assert http.get("/x", expect="any").text == "a;b\n1;2\n"
        assert http.get("/x", expect="any").headers["Content-Type"] == "text/csv"
    api.said["/x"] = Response(b"", 204)
    with asking(api) as http:
        assert http.get("/x").content == b""


@pytest.mark.parametrize("value", ["token\n", "token\r\nX-Other: 1", "to\x00ken"])
def test_a_header_that_none_may_hold(value: str, api: Api) -> None:
    with (
        asking(api, headers={"x-api-token": value}) as http,
        pytest.raises(ConfigError, match="a header holds") as caught,
    ):
        http.get("/x")
    assert "token" not in str(caught.value).replace("a token", "") and api.asked == []
