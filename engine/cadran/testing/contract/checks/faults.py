"""Servers that fail: whatever happens, all rows come or an error does, and never fewer rows that look whole."""

from __future__ import annotations

from typing import Any

from cadran.plugins.connector import AuthError, ConfigError, QuotaExhausted, RateLimited, Transient
from cadran.testing.contract.check import NotKept, check, keeps
from cadran.testing.contract.proxy import Kind
from cadran.testing.contract.reading import Got, reading, told
from cadran.testing.contract.rig import Rig

_MOST_TRIES = 15
_PATIENCE = 7  # seconds that a server asks to wait; nobody really does


def _failing(rig: Rig, kind: Kind, times: int, *, late: bool, **more: Any) -> Got:
    """A read in which the first request fails, or the one behind the first page."""
    rig.http.faults.clear()
    connector = rig.make()
    table = rig.table(connector)
    began = False

    def between(_: Got) -> None:
        nonlocal began
        if not began and late:
            rig.http.fault(kind, times, **more)
        began = True

    if not late:
        rig.http.fault(kind, times, **more)
    before = rig.http.fired(kind)
    got = rig.within(
        60.0,
        lambda: reading(connector, table, between=between),
        f"a minute after the fault '{kind}' reading still goes on",
    )
    keeps(
        rig.http.fired(kind) > before,
        "nothing more was asked after the first page had come: give pages as they come, and the case's table rows for three",
    )
    return got


def _nothing_lost(rig: Rig, got: Got, what: str) -> None:
    if got.error is None:
        keeps(got.end, f"{what}, and the stream stopped without an End and without an error")
        rig.still_holds(got, f"{what}, and reading ended as if all were well")


def _told(got: Got, what: str, *kinds: type[Exception]) -> None:
    keeps(got.error is not None and not isinstance(got.error, AuthError | ConfigError), f"{what}, and reading gave {_outcome(got)}: raise Transient")  # fmt: skip
    keeps(not kinds or isinstance(got.error, kinds), f"{what}, and reading gave {_outcome(got)}: raise {' or '.join(k.__name__ for k in kinds)}")  # fmt: skip


def _outcome(got: Got) -> str:
    return told(got.error) if got.error is not None else f"{len(got.rows)} rows and its End"


@check("http", "synced")
def a_page_that_comes_again_is_an_error(rig: Rig) -> None:
    """A server that gives the same page and the same next cursor again and again is an error, and no loop that nobody notices."""
    rig.read().whole()
    rig.http.most = len(rig.http.asked) * 20 + 200

    def read() -> Got:
        connector = rig.make()
        table = rig.table(connector)
        pages = 0

        def between(_: Got) -> None:
            nonlocal pages
            pages += 1
            if pages == 2:
                rig.http.fault("repeat", 1_000_000)

        return reading(connector, table, between=between)

    if "repeat" in rig.case.cannot:
        from cadran.testing.contract.check import NotShown

        raise NotShown(rig.case.cannot["repeat"])
    loop = "the same page came again and again, and reading went on: remember the cursor, and raise DataError where it does not change"
    try:
        got = rig.within(30.0, read, loop)
    except NotKept as error:
        raise NotKept(loop) from error
    keeps(rig.http.fired("repeat"), "nothing was asked after the second page: the case's table needs rows for three pages")  # fmt: skip
    keeps(not rig.http.overrun(), loop)
    keeps(
        got.error is not None, f"the same page came again, and reading gave {_outcome(got)}: raise DataError"
    )


@check("http")
def an_answer_that_breaks_off_is_no_end(rig: Rig) -> None:
    """Where an answer breaks off, in its connection or in its text, it is asked for again or reading fails: half of it is nothing."""
    for kind, what in (
        ("truncated", "the connection broke off"), ("shortened", "half of an answer came"), ("drop", "the connection was cut"),
    ):  # fmt: skip
        for late in (False, True):
            _nothing_lost(rig, _failing(rig, kind, 1, late=late), what)  # type: ignore[arg-type]
    _told(_failing(rig, "truncated", 10_000, late=True), "each answer broke off")


@check("http")
def a_server_error_loses_nothing(rig: Rig) -> None:
    """After a 500, 502 or 503 all rows come, or an error does; a server that stays down is Transient, after a few tries."""
    for status in (500, 502, 503):
        _nothing_lost(rig, _failing(rig, "error", 1, late=True, status=status), f"the server answered {status} once")  # fmt: skip
    got = _failing(rig, "error", 10_000, late=True, status=503)
    _told(got, "the server answered 503 each time", Transient, RateLimited)
    keeps(rig.http.fired("error") <= _MOST_TRIES + 3, f"a server that is down was asked {rig.http.fired('error')} times: stop after six or so")  # fmt: skip


@check("http")
def a_web_page_is_no_answer(rig: Rig) -> None:
    """A page of HTML with status 200, as firewalls and servers under maintenance give, is an error and no empty table."""
    for late in (False, True):
        _nothing_lost(rig, _failing(rig, "html", 1, late=late), "a web page came with status 200")
        _told(_failing(rig, "html", 10_000, late=late), "only web pages came, with status 200")


@check("http")
def another_answer_is_no_end(rig: Rig) -> None:
    """JSON that is no page, such as ``{"errors": […]}`` or ``{}`` with status 200, is an error, and neither an empty page nor the last one."""
    for body in (b'{"errors": [{"message": "try later"}]}', b"{}"):
        what = f"{body.decode()} came with status 200 in the place of a page"
        for late in (False, True):
            _nothing_lost(rig, _failing(rig, "odd", 1, late=late, body=body), what)
            _told(_failing(rig, "odd", 10_000, late=late, body=body), what)


@check("http")
def too_many_requests_are_waited_out(rig: Rig) -> None:
    """After a 429 with ``Retry-After`` nothing is asked until then, and all rows come; or reading stops with RateLimited."""
    got = _failing(rig, "limited", 1, late=True, retry_after=_PATIENCE)
    _nothing_lost(rig, got, "the server answered 429")
    asked = rig.http.asked
    at = next(n for n, one in enumerate(asked) if one.fault == "limited")
    if len(asked) > at + 1:
        gap = asked[at + 1].at - asked[at].at
        keeps(gap >= _PATIENCE - 0.5, f"the server said to wait {_PATIENCE} seconds, and was asked again after {gap:.1f}: wait as Retry-After says")  # fmt: skip
    if got.error is not None:
        keeps(
            isinstance(got.error, RateLimited | Transient), f"429 gave {told(got.error)}: raise RateLimited"
        )


@check("http")
def too_many_requests_without_a_word_are_waited_out(rig: Rig) -> None:
    """After a 429 that does not say how long, one waits a little longer each time; one that stays is RateLimited, after a few tries."""
    got = _failing(rig, "limited", 1, late=True)
    _nothing_lost(rig, got, "the server answered 429 without Retry-After")
    asked = rig.http.asked
    at = next(n for n, one in enumerate(asked) if one.fault == "limited")
    if len(asked) > at + 1:
        keeps(asked[at + 1].at - asked[at].at >= 0.05, "after a 429 the server was asked again at once: wait, longer each time")  # fmt: skip
    got = _failing(rig, "limited", 10_000, late=True)
    _told(got, "the server answered 429 each time", RateLimited, QuotaExhausted, Transient)
    keeps(rig.http.fired("limited") <= _MOST_TRIES + 1, f"a server that answers 429 was asked {rig.http.fired('limited')} times: stop after six or so")  # fmt: skip


@check("http", needs=("exhaust",))
def a_used_up_quota_stops(rig: Rig) -> None:
    """Where the day's requests are used up, reading stops with QuotaExhausted and asks nothing more: what has come is kept until then."""
    at = 0

    def between(_: Got) -> None:
        nonlocal at
        if not at:
            at = len(rig.http.asked)
            rig.change("exhaust")

    got = rig.within(60.0, lambda: rig.read(between=between), "a minute after the quota was used up reading still goes on")  # fmt: skip
    keeps(isinstance(got.error, QuotaExhausted), f"the day's requests are used up, and reading gave {_outcome(got)}: raise QuotaExhausted")  # fmt: skip
    keeps(len(rig.http.asked) - at <= 2, f"the day's requests are used up, and {len(rig.http.asked) - at} more were made: stop at the first such answer")  # fmt: skip
