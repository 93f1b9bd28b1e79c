"""How the HTTP client of connectors paces itself: an account's limits, what servers ask for, and being told to stop."""

from __future__ import annotations

import datetime as dt
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.simulators.base import Fault, Response

from cadran.plugins import Cancelled, QuotaExhausted, RateLimited, Transient
from cadran.plugins.http import Answer, Http, Limit
from cadran.plugins.http.buckets import Bucket
from cadran.plugins.http.waiting import backoff, retry_after

from .asking import NOW, Api, NoTime, asking, context

HTTP_DATE = "Mon, 09 Mar 2026 07:00:00 GMT"


# --- limits ---------------------------------------------------------------------------------------------------------------


@given(
    limits=st.lists(
        st.builds(Limit, st.integers(1, 5), st.sampled_from([0.1, 1.0, 10.0])), min_size=1, max_size=3
    ),
    pauses=st.lists(st.floats(0, 3), min_size=1, max_size=40),
)
def test_all_limits_hold_over_any_stretch_of_time(limits: list[Limit], pauses: list[float]) -> None:
    bucket, now, asked = Bucket(), 0.0, []
    bucket.hold(limits)
    for pause in pauses:
        now += pause
        while wait := bucket.take(now):
            now += wait
        asked.append(now)
    for limit in limits:
        for first, behind in zip(asked, asked[limit.requests :], strict=False):
            assert behind - first >= limit.seconds - 1e-5


def test_a_bucket_does_not_hold_back_what_may_go() -> None:
    bucket = Bucket()
    bucket.hold([Limit(3, 10)])
    assert [bucket.take(now) for now in (0, 1, 2)] == [0, 0, 0]
    assert bucket.take(2) == 8 and bucket.take(10) == 0 and bucket.take(10) == 1


def test_sources_of_one_account_share_its_requests(api: Api) -> None:
    wait = NoTime()
    shared = context(wait).shared
    for account, waits in (("acme", 0), ("acme", 10), ("other", 0), ("", 0), ("", 0)):
        with asking(api, context(shared=shared), limits=[Limit(2, 10)], account=account) as http:
            before = wait.slept
            http.get("/x"), http.get("/x")
            assert wait.slept - before == pytest.approx(waits), account


def test_redirects_are_requests_too(api: Api) -> None:
    wait = NoTime()
    api.faults.append(Fault("redirect", location="/x"))
    with asking(api, context(wait), limits=[Limit(1, 5)]) as http:
        http.get("/x")
    assert wait.slept == pytest.approx(5)


def test_a_connector_tells_what_headers_mean(api: Api) -> None:
    def pace(answer: Answer) -> float | None:
        return 7.0 if answer.headers["X-Remaining"] == "0" else None

    wait, left = NoTime(), iter("10")
    api.said["/x"] = lambda _: Response({}, headers={"x-remaining": next(left, "9")})
    with asking(api, context(wait), pace=pace) as http:
        for waited in (0, 0, 7, 7):
            http.get("/x")
            assert wait.slept == pytest.approx(waited)


# --- what a server asks for ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "-7"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
        # A date is counted from the answer's own, whatever our clock says.
        ({"retry-after": "Mon, 09 Mar 2026 08:00:30 GMT", "date": "Mon, 09 Mar 2026 08:00:00 GMT"}, 30),
        ({"retry-after": "Mon, 09 Mar 2026 07:00:30 GMT"}, 30),
        ({"retry-after": "Mon, 09 Mar 2026 06:00:00 GMT", "date": HTTP_DATE}, 0),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


@pytest.mark.parametrize("status", [429, 503])
def test_it_waits_exactly_as_long_as_the_server_asks(status: int, api: Api) -> None:
    wait, answers = NoTime(), [Response({}, status, {"retry-after": "42"}), Response({})]
    api.said["/x"] = lambda _: answers.pop(0)
    with asking(api, context(wait)) as http:
        http.get("/x")
    assert wait.slept == pytest.approx(42)


def test_all_of_the_account_wait_when_one_is_told_to(api: Api) -> None:
    wait = NoTime()
    shared = context(wait).shared
    api.faults.append(Fault("limited", retry_after=30))
    with (
        asking(api, context(shared=shared), account="acme", tries=1) as one,
        asking(api, context(shared=shared), account="acme") as other,
    ):
        with pytest.raises(RateLimited, match="answered 429: too many requests"):
            one.get("/x")
        assert wait.slept == 0
        other.get("/x")
    assert wait.slept == pytest.approx(30)


def test_without_its_word_the_waits_grow_and_differ(api: Api) -> None:
    found = []
    for _ in range(3):
        wait = NoTime()
        api.faults.append(Fault("limited", times=5))
        with asking(api, context(wait)) as http:
            http.get("/x")
        found.append(wait.slept)
    assert (
        all(15.5 <= slept <= 31 for slept in found) and len(set(found)) == 3
    )  # 1 + 2 + 4 + 8 + 16, at least half of it


@pytest.mark.parametrize("limited", [False, True])
def test_no_wait_of_our_own_is_endless(limited: bool) -> None:
    for tried in range(1, 40):
        assert 0 <= backoff(tried, limited=limited) <= 60


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_nobody_would_sit_through_stops_and_says_until_when(status: int, api: Api) -> None:
    wait = NoTime()
    api.said["/x"] = Response({"message": "come back"}, status, {"retry-after": "3600"})
    with asking(api, context(wait)) as http, pytest.raises(RateLimited) as caught:
        http.get("/x")
    assert caught.value.retry_at == NOW + dt.timedelta(hours=1) and len(api.asked) == 1 and wait.slept == 0
    assert f"answered {status}: come back; it may be asked again from 2026-03-09 08:00 UTC on" in str(
        caught.value
    )


def test_a_limit_of_a_day_stops_as_well(api: Api) -> None:
    with asking(api, limits=[Limit(2, 86400)], account="acme") as http:
        http.get("/x"), http.get("/x")
        with pytest.raises(RateLimited) as caught:
            http.get("/x")
    assert caught.value.retry_at == NOW + dt.timedelta(days=1) and len(api.asked) == 2


def test_a_quota_stops_at_once(api: Api) -> None:
    api.faults.append(Fault("quota", times=9))
    with (
        asking(
            api, judge=lambda a: QuotaExhausted("used up", until=NOW) if b"daily" in a.content else None
        ) as http,
        pytest.raises(QuotaExhausted, match="used up"),
    ):
        http.get("/x")
    assert len(api.asked) == 1


def test_a_connector_says_itself_when_to_come_back(api: Api) -> None:
    wait, answers = NoTime(), [Response({}, 477), Response({"a": 1})]
    api.said["/x"] = lambda _: answers.pop(0)
    until = NOW + dt.timedelta(seconds=20)
    with asking(
        api, context(wait), judge=lambda a: RateLimited("busy", retry_at=until) if a.status == 477 else None
    ) as http:
        assert http.get("/x").json() == {"a": 1}
    assert wait.slept == pytest.approx(20)


# --- being told to stop -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault("limited", times=9, retry_after=200), Fault("error", times=99)])
def test_nobody_waits_any_more_while_it_waits(fault: Fault, api: Api) -> None:
    wait = NoTime()
    api.faults.append(fault)
    with (
        asking(api, context(wait, cancelled=lambda: wait.time > 0.3), tries=99) as http,
        pytest.raises(Cancelled),
    ):
        http.get("/x")
    assert wait.time < 0.61


def _cancelled_after(seconds: float) -> threading.Event:
    told = threading.Event()
    timer = threading.Timer(seconds, told.set)
    timer.daemon = True
    timer.start()
    return told


@pytest.mark.parametrize("kind", ["hang", "drip"])
def test_nobody_waits_any_more_in_the_middle_of_an_answer(kind: str, api: Api) -> None:
    api.faults.append(Fault(kind))
    api.said["/x"] = Response(b" " * 10_000)
    told, started = _cancelled_after(0.1), time.monotonic()
    with asking(api, context(cancelled=told.is_set), timeout=60) as http, pytest.raises(Cancelled):
        http.get("/x")
    assert time.monotonic() - started < 5


def test_nobody_waits_any_more_for_a_connection_that_does_not_come_about() -> None:
    """A machine that takes a connection and never says hello."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        told, started = _cancelled_after(0.1), time.monotonic()
        http = Http(context(cancelled=told.is_set), [address], base=f"https://{address}", timeout=2)
        with pytest.raises(Cancelled):
            http.get("/x")
        assert time.monotonic() - started < 1.9
        http.close()


def test_what_is_cancelled_already_asks_nothing(api: Api) -> None:
    with asking(api, context(cancelled=lambda: True)) as http, pytest.raises(Cancelled):
        http.get("/x")
    assert api.asked == []


# --- time ---------------------------------------------------------------------------------------------------------------------


def test_an_answer_ends_in_time_however_steadily_it_comes(api: Api) -> None:
    api.faults.append(Fault("drip", times=2))
    api.said["/x"] = Response(b" " * 10_000)
    with (
        asking(api, whole=0.4, tries=2) as http,
        pytest.raises(Transient, match=r"did not end in time \(tried 2 times\)"),
    ):
        http.get("/x")


def test_waiting_for_a_turn_is_not_the_answers_time(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from cadran.plugins.http.network import Attention

    attention, begun = Attention(lambda: False, whole=60.0), []
    with attention.in_time():
        first = attention._deadline
        time.sleep(0.001)
        attention.restart()
        assert attention._deadline > first
    attention.restart()
    assert attention._deadline is None
    monkeypatch.setattr(Attention, "restart", lambda told: begun.append(told))
    with asking(api, limits=[Limit(1, 5)]) as http:
        http.get("/x")
        assert begun == []
        http.get("/x")
    assert len(begun) == 1


@pytest.mark.parametrize("hours", [-5, 0, 3])
def test_how_far_the_servers_clock_is_ahead(hours: int, api: Api) -> None:
    api.skew = dt.timedelta(hours=hours)
    with asking(api) as http:
        assert http.skew == dt.timedelta(0)
        http.get("/x")
        assert abs(http.skew - api.skew) <= dt.timedelta(seconds=1)
