"""Answers that are too large to be held, piece by piece."""

from __future__ import annotations

import gzip
import threading
import tracemalloc
from collections.abc import Iterator

import pytest
from tests.simulators.base import Fault, Response

from cadran.plugins import AuthError, Cancelled, DataError, Transient
from cadran.plugins.http import Pieces, stream

from .asking import Api, NoTime, asking, context

LINES = b"id,amount\n" + b"".join(b"%d,12.50\n" % number for number in range(100_000))


def test_the_content_and_the_headers(api: Api) -> None:
    api.said["/x"] = Response(LINES, headers={"Sforce-Locator": "MTAwMDA"})
    with asking(api) as http:
        pieces = http.stream("/x", params={"maxRecords": 50})
        assert pieces.headers["sforce-locator"] == "MTAwMDA" and pieces.status == 200
        assert b"".join(pieces) == LINES
        assert http.get("/x", expect="any").content == LINES  # the connection is good for more
    assert api.asked[0].query == {"maxRecords": "50"}


def test_packed(api: Api) -> None:
    api.packed("/x", LINES)
    with asking(api) as http:
        assert b"".join(http.stream("/x")) == LINES


def test_only_a_piece_is_held(api: Api) -> None:
    api.packed("/x", b"x" * 50_000_000)
    with asking(api, timeout=60) as http:
        list(http.stream("/x"))  # once for all that is imported
        tracemalloc.start()
        assert sum(map(len, http.stream("/x"))) == 50_000_000
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert most < 16_000_000  # 50 MB of one letter: nothing is packed more tightly


def test_whoever_has_enough_leaves(api: Api) -> None:
    api.said["/x"] = Response(LINES)
    with asking(api) as http:
        with http.stream("/x") as pieces:
            next(pieces)
        assert http.get("/x", expect="any").content == LINES


@pytest.mark.parametrize("kind", ["truncated", "unended"])
def test_what_breaks_off_is_no_end(kind: str, api: Api) -> None:
    api.faults.append(Fault(kind))
    api.said["/x"] = Response(LINES)
    came = []
    with asking(api) as http, pytest.raises(Transient, match="the answer breaks off"):
        came.extend(http.stream("/x"))
    assert 0 < len(b"".join(came)) <= len(LINES) and len(api.asked) == 1


def test_packed_content_that_breaks_off(api: Api) -> None:
    api.faults.append(Fault("truncated"))
    api.said["/x"] = Response(gzip.compress(LINES), headers={"content-encoding": "gzip"})
    with asking(api) as http, pytest.raises(Transient):
        list(http.stream("/x"))


@pytest.mark.parametrize(
    "fault", [Fault("error", 3), Fault("limited", 2), Fault("drop", 2)], ids=lambda fault: fault.kind
)
def test_until_it_begins_it_is_asked_again(fault: Fault, api: Api) -> None:
    wait = NoTime()
    api.faults.append(fault)
    with asking(api, context(wait)) as http:
        assert b"".join(http.stream("/x")) == b'{"amount": 12.50}'
    assert wait.slept > 0


def test_a_web_page_is_not_taken_for_rows(api: Api) -> None:
    api.faults.append(Fault("html", 1))
    with asking(api) as http:
        assert b"".join(http.stream("/x")) == b'{"amount": 12.50}'
    api.faults.append(Fault("html", 9))
    with (
        asking(api, tries=2) as http,
        pytest.raises(Transient, match="no JSON: a web page: Down for maintenance"),
    ):
        http.stream("/x")


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (404, DataError, "404: gone"),
        (403, AuthError, "403: gone"),
        (204, DataError, "204, without what was asked for"),
    ],
)
def test_what_is_no_content(status: int, kind: type, message: str, api: Api) -> None:
    api.said["/x"] = Response({"message": "gone"} if status > 299 else b"", status)
    with asking(api) as http, pytest.raises(kind, match=message):
        http.stream("/x")


def test_a_letter_now_and_then_is_no_answer(api: Api) -> None:
    api.faults.append(Fault("drip"))
    api.said["/x"] = Response(LINES)
    with asking(api, timeout=0.3) as http, pytest.raises(Transient, match="too slowly to end"):
        list(http.stream("/x"))


def test_slow_and_steady_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """600 bytes in 0.6 of the time that a server may say nothing."""

    class Opened:
        status, headers = 200, {}

        def pieces(self) -> Iterator[bytes]:
            for _ in range(50):
                clock[0] += 0.6
                yield b"x" * 600

        def close(self) -> None: ...

    clock = [0.0]
    monkeypatch.setattr(stream.time, "monotonic", lambda: clock[0])
    assert len(b"".join(Pieces(Opened(), lambda error: error, timeout=1.0))) == 30_000


def test_whoever_takes_time_over_each_piece_is_not_the_servers_fault(api: Api) -> None:
    api.said["/x"] = Response(LINES)
    with asking(api, timeout=1) as http:
        pieces = http.stream("/x")
        for _ in pieces:
            threading.Event().wait(0.1)
    assert stream._SLOWEST < 65_536


def test_nobody_waits_any_more(api: Api) -> None:
    api.faults.append(Fault("drip"))
    api.said["/x"] = Response(LINES)
    told = threading.Event()
    with asking(api, context(cancelled=told.is_set), timeout=60) as http:
        pieces = http.stream("/x")
        next(pieces)
        told.set()
        with pytest.raises(Cancelled):
            list(pieces)
