"""A read that stops half way goes on where it stopped, with the same window, and nothing of it is seen before it is whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cadran.plugins.connector import (
    AuthError,
    Cancelled,
    Column,
    ConnectorError,
    QuotaExhausted,
    ResumeExpired,
    Transient,
)
from cadran.sync import current
from sync.fake import DEALS, START, world
from sync.syncing import Copy


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    copy = Copy(tmp_path, world())
    for number in range(7):
        copy.of.deal(number)
    return copy


def failing(
    error: BaseException, page: int, times: int = 1, table: str = "deals"
) -> Callable[[str, int], None]:
    left = [times]

    def fault(asked: str, number: int) -> None:
        if asked == table and number == page and left[0]:
            left[0] -= 1
            raise error

    return fault


STOPS = [
    Transient("the server fails"),
    QuotaExhausted("used up"),
    ValueError("a bug"),
    ConnectorError("lost"),
]


@pytest.mark.parametrize("error", STOPS, ids=lambda e: type(e).__name__)
def test_it_goes_on_behind_the_last_page_with_the_same_window(copy: Copy, error: Exception) -> None:
    copy.one()
    copy.of.later(hours=1)
    for number in range(7):
        copy.of.deal(number, "changed")
    copy.of.fault = failing(error, 2)
    asked_at = copy.of.now
    assert copy.sync()["deals"].error is not None
    assert {row["name"] for row in copy.rows()} == {"a"}, "half of it is nothing"
    done = copy.one()
    assert (done.resumed, done.counts.changed) == (True, 7)
    (_, first, none), (_, again, resume) = copy.of.asked[-2:]
    assert (none, resume, first) == (None, {"at": 4}, again)
    assert current.read(copy.places).tables["deals"].synced_at == asked_at, "later changes come with the next"
    assert not copy.places.spool("deals").exists()


def test_without_tokens_it_begins_anew(copy: Copy) -> None:
    copy.of.resumes = False
    copy.of.fault = failing(Transient("no"), 2)
    copy.sync()
    done = copy.one()
    assert (done.resumed, done.counts.rows, copy.of.asked[-1][2]) == (False, 7, None)


def test_what_was_gone_on_with_late_is_asked_again_for_what_came_since(copy: Copy) -> None:
    copy.of.fault = failing(QuotaExhausted("used up"), 2)
    copy.sync()
    copy.of.later(days=1)
    copy.of.deal(99)
    done = copy.one()
    assert done.resumed and done.counts.rows == 8
    assert len(copy.of.asked) == 3


DROPPED: list[tuple[str, Callable[[Copy], object]]] = [
    ("too old", lambda copy: copy.of.later(days=8)),
    ("other columns", lambda copy: copy.of.columns("deals", *DEALS.columns, Column("more", "VARCHAR"))),
    ("other settings", lambda copy: setattr(copy, "config", "other")),
    ("other floor", lambda copy: copy.set(since=dt.date(2020, 1, 1))),
    ("damaged", lambda copy: (copy.places.spool("deals") / "about.json").write_text("{")),
    ("other bytes", lambda copy: (copy.places.spool("deals") / "pages.arrow").write_bytes(b"x" * 9000)),
]


@pytest.mark.parametrize("change", [pytest.param(change, id=name) for name, change in DROPPED])
def test_what_does_not_belong_to_this_read_is_dropped(copy: Copy, change: Callable[[Copy], object]) -> None:
    copy.of.fault = failing(Transient("no"), 3)
    copy.sync()
    change(copy)
    done = copy.one()
    assert (done.resumed, done.counts.rows, copy.of.asked[-1][2]) == (False, 7, None)


def test_a_torn_page_and_all_behind_it_come_again(copy: Copy) -> None:
    copy.of.fault = failing(Transient("no"), 3)
    copy.sync()
    pages = copy.places.spool("deals") / "pages.arrow"
    whole = pages.read_bytes()
    pages.write_bytes(whole[: len(whole) * 2 // 3 + 5] + bytes(len(whole)))
    done = copy.one()
    assert (done.resumed, done.counts.rows) == (True, 7)
    assert copy.of.asked[-1][2] == {"at": 2 * 2}


def test_a_read_that_began_elsewhere_than_the_store_stands_is_not_gone_on_with(copy: Copy) -> None:
    """As where ``lookback`` has been made longer, or a copy of the store from before was put back."""
    copy.one()
    copy.of.later(hours=1)
    for number in range(7):
        copy.of.deal(number)
    copy.of.fault = failing(Transient("no"), 2)
    copy.sync()
    copy.of.fault = lambda _table, _page: None
    copy.set(lookback=dt.timedelta(days=5))
    done = copy.one()
    assert (done.resumed, copy.of.asked[-1][2]) == (False, None)
    assert copy.of.asked[-1][1].since == START - dt.timedelta(days=5)


def test_full_does_not_go_on_with_a_read_of_changes(copy: Copy) -> None:
    copy.one()
    copy.of.later(hours=1)
    for number in range(7):
        copy.of.deal(number, "changed")
    copy.of.fault = failing(Transient("no"), 3)
    copy.sync()
    done = copy.one(full=True)
    assert (done.resumed, done.whole) == (False, True)


def test_a_token_that_is_not_good_any_more(copy: Copy) -> None:
    copy.of.fault = failing(Transient("no"), 2)
    copy.sync()
    real, expired = copy.of.strange, []

    def strange(stream: Iterator[Any]) -> Iterator[Any]:
        if copy.of.asked[-1][2] is not None:
            expired.append(copy.of.asked[-1])
            raise ResumeExpired("too old")
        return stream

    copy.of.strange = strange
    done = copy.one()
    assert real is None and len(expired) == 1
    assert (done.resumed, done.counts.rows) == (False, 7)


def test_a_state_that_is_not_good_any_more_has_all_read(copy: Copy) -> None:
    copy.one()

    def strange(stream: Iterator[Any]) -> Iterator[Any]:
        if not copy.of.asked[-1][1].whole:
            raise ResumeExpired("too old")
        return stream

    copy.of.strange = strange
    assert copy.one().whole

    def never(_: Iterator[Any]) -> Iterator[Any]:
        raise ResumeExpired("always")

    copy.of.strange = never
    assert isinstance(copy.sync()["deals"].error, ResumeExpired), "and no end of it otherwise"


def test_a_state_of_the_sources_own_is_handed_back(copy: Copy) -> None:
    copy.of.tables["deals"].table = replace(DEALS, cursor="")
    number = [0]

    def strange(stream: Iterator[Any]) -> Iterator[Any]:
        number[0] += 1
        for item in stream:
            yield replace(item, state={"link": number[0]}) if hasattr(item, "rows") else item

    copy.of.strange = strange
    for _ in range(3):
        copy.one()
    assert [window.state for _, window, _ in copy.of.asked] == [None, {"link": 1}, {"link": 2}]
    copy.one(full=True)
    assert copy.of.asked[-1][1].state is None


@pytest.mark.parametrize("error, asked", [
    (AuthError("no"), 1),
    (QuotaExhausted("used up"), 1),
    (Transient("no"), 2),
])  # fmt: skip
def test_what_all_tables_would_meet_is_met_once(tmp_path: Path, error: ConnectorError, asked: int) -> None:
    copy = Copy(tmp_path, world(DEALS, replace(DEALS, name="others"), replace(DEALS, name="more")))
    copy.one("deals")
    copy.of.asked.clear()
    copy.of.fault, copy.of.refused = failing(error, -1, table="others"), error
    done = copy.sync(["others", "more"])
    assert done["others"].error is error
    assert (done["more"].error is error) == (asked == 1)
    assert len(copy.of.asked) == asked


def test_rights_that_lack_for_one_table_are_no_reason_to_leave_the_others(tmp_path: Path) -> None:
    """Who asks is known all the same."""
    told = AuthError("you may not see how many there are")
    untold = replace(DEALS, name="untold", problem=told)
    copy = Copy(tmp_path, world(DEALS, untold, replace(DEALS, name="others"), replace(DEALS, name="more")))
    copy.one("deals")
    met = AuthError("you may not see them")
    copy.of.fault = failing(met, -1, table="others")
    done = copy.sync(["untold", "others", "more"])
    assert (done["untold"].error, done["others"].error, done["more"].error) == (told, met, None)


def test_stopped_between_two_pages(copy: Copy) -> None:
    def fault(_: str, page: int) -> None:
        copy.stopped = page == 2

    copy.of.fault = fault
    error = copy.sync()["deals"].error
    assert isinstance(error, Cancelled)
    copy.stopped, copy.of.fault = False, lambda _table, _page: None
    assert copy.one().resumed
    assert copy.of.asked[-1][2] == {"at": 6}


def test_a_whole_read_over_days_loses_no_change_that_came_meanwhile(copy: Copy) -> None:
    copy.of.fault = failing(QuotaExhausted("used up"), 2)
    copy.sync()
    copy.of.later(minutes=10)
    copy.of.deal(0, "changed behind our back")  # on a page that has come already
    copy.of.deal(6, "changed before it came")
    copy.one()
    copy.one()
    assert {r["id"]: r["name"] for r in copy.rows() if r["name"] != "a"} == {
        0: "changed behind our back",
        6: "changed before it came",
    }
    assert copy.of.asked[-1][1].since == START


def test_what_came_before_rows_were_lost_is_no_beginning(copy: Copy) -> None:
    """The connector says in the middle of a read of all rows that it has to begin anew: the next sync does."""
    for number in range(6):
        copy.of.deal(number)

    def lost(_: str, number: int) -> None:
        if number == 2:
            raise ResumeExpired("rows have moved between pages")

    copy.of.fault = lost
    error = copy.sync()["deals"].error
    assert isinstance(error, ResumeExpired) and len(copy.of.asked) == 1
    copy.of.fault = lambda _table, _page: None
    assert not copy.one().resumed
    assert copy.of.asked[-1][2] is None
