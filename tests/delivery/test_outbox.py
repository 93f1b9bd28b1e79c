"""The outbox's rows: who may send what, and what each outcome leads to. On both stores."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from cadran.state.store import outbox
from cadran.state.store.outbox import Delivery
from cadran.state.store.store import Store
from delivery.rows import (
    NOON,
    a_delivery,
    an_alert,
    key_of,
    minutes,
    outcomes,
    row_of,
    states,
)

LEASE = 300


def put(store: Store, *rows: Delivery) -> int:
    with store.write() as c:
        return outbox.enqueue(c, rows)


def lease(store: Store, now: dt.datetime = NOON, holder: str = "a:1:x", **more: Any) -> list[Delivery]:
    with store.write() as c:
        return outbox.lease(c, now, holder, LEASE, **more)


def begin(store: Store, row: Delivery, now: dt.datetime = NOON, **more: Any) -> bool:
    with store.write() as c:
        return outbox.begin(c, row, now, LEASE, **more)


def finish(store: Store, row: Delivery, came: Any, now: dt.datetime = NOON, **more: Any) -> bool:
    with store.write() as c:
        return outbox.finish(c, row, came, now, **more)


def pass_time(store: Store, now: dt.datetime) -> None:
    with store.write() as c:
        outbox.expire(c, now)
        outbox.suppress(c, now)


def test_a_key_is_enqueued_once(store: Store) -> None:
    assert put(store, a_delivery("one"), a_delivery("two")) == 2
    assert put(store, a_delivery("two", subject="another"), a_delivery("three")) == 1
    assert row_of(store, "two").subject == "two", "what was there stays"


def test_a_delivery_comes_back_as_it_was(store: Store) -> None:
    put(store, a_delivery("one", owner="ana@example.com", label="2026-W26"))
    (row,) = lease(store)
    assert (row.state, row.attempts, row.holder, row.lease) == ("leased", 1, "a:1:x", minutes(5))
    assert (row.content, row.logical_time) == (a_delivery("one").content, NOON)


def test_a_lease_is_one_holder_s(store: Store) -> None:
    put(store, a_delivery("one"))
    assert len(lease(store, holder="a:1:x")) == 1
    assert lease(store, holder="b:2:y") == []


@pytest.mark.parametrize(
    ("changed", "sendable"),
    [
        ({}, True),
        ({"due": minutes(1)}, False),
        ({"deadline": NOON}, False),
        ({"state": "retry"}, True),
        ({"state": "sent"}, False),
        ({"state": "failed"}, False),
        ({"state": "skipped"}, False),
        ({"state": "suppressed"}, False),
        ({"state": "dropped"}, False),
        ({"state": "unknown", "on_unknown": "wait"}, False),
        ({"state": "unknown", "on_unknown": "send"}, True),
        ({"state": "unknown", "on_unknown": "send", "finished": NOON}, False),
        ({"channel": "chat"}, False),
        ({"after": "nobody"}, False),
    ],
)  # fmt: skip
def test_what_can_be_sent(store: Store, changed: dict[str, Any], sendable: bool) -> None:
    put(store, a_delivery("one", **changed))
    assert bool(lease(store, channel="mail")) is sendable


def test_the_longest_waiting_goes_first(store: Store) -> None:
    put(store, a_delivery("late", due=minutes(2)), a_delivery("first"), a_delivery("second", due=minutes(1)))
    rows = [lease(store, minutes(3), f"a:1:{i}")[0].subject for i in range(3)]
    assert rows == ["first", "second", "late"]


def test_only_some_are_asked_for(store: Store) -> None:
    put(store, a_delivery("one"), a_delivery("two", channel="chat"))
    with store.read() as c:
        assert outbox.channels(c, NOON) == ["chat", "mail"]
        assert outbox.channels(c, NOON, [key_of("two")]) == ["chat"]
        assert outbox.channels(c, NOON, []) == []
    assert [row.subject for row in lease(store, limit=5, keys=[key_of("two")])] == ["two"]


# --- outcomes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on_unknown", "came", "due", "state", "over"),
    [
        ("wait", "sent", None, "sent", True),
        ("wait", "retry", minutes(2), "retry", False),
        ("wait", "retry", None, "failed", True),  # there is no time left before its deadline
        ("wait", "failed", None, "failed", True),
        ("wait", "unknown", None, "unknown", False),  # a person decides
        ("send", "unknown", minutes(2), "unknown", False),
        ("send", "unknown", None, "unknown", True),
    ],
)
def test_what_an_outcome_leads_to(
    store: Store, on_unknown: Any, came: Any, due: Any, state: str, over: bool
) -> None:
    put(store, a_delivery("one", on_unknown=on_unknown))
    (row,) = lease(store)
    begin(store, row)
    assert finish(store, row, came, minutes(1), detail="said so", due=due, seconds=1.4)
    found = row_of(store)
    assert (found.state, found.holder, found.lease, found.begun) == (state, "", None, False)
    assert found.finished == (minutes(1) if over else None)
    assert found.due == (due or NOON)
    assert outcomes(store) == ["began", came]


def test_what_may_have_arrived_never_counts_as_failed(store: Store) -> None:
    put(store, an_alert("one"))
    for at, came, due in [(0, "unknown", minutes(2)), (2, "retry", minutes(4)), (4, "failed", None)]:
        (row,) = lease(store, minutes(at), f"a:1:{at}")
        finish(store, row, came, minutes(at), due=due)
    assert states(store) == ["unknown"]
    assert row_of(store).finished == minutes(4)


def test_a_failure_is_told_with_it_and_once(store: Store) -> None:
    put(store, a_delivery("one"))
    (row,) = lease(store)
    finish(store, row, "failed", telling=[a_delivery("failure", kind="failure")])
    assert states(store, ["one", "failure"]) == ["failed", "waiting"]
    with store.write() as c:
        outbox.tell(c, row.key, [a_delivery("another", kind="failure")])
    assert states(store, ["another"]) == [""]
    assert row_of(store).told


# --- leases that end -----------------------------------------------------------------------------------------------


def test_a_lease_that_ends_before_data_leads_to_another_try(store: Store) -> None:
    put(store, a_delivery("one"))
    (row,) = lease(store)
    pass_time(store, minutes(4))
    assert states(store) == ["leased"]
    pass_time(store, minutes(5))
    assert states(store) == ["retry"]
    assert not begin(store, row, minutes(5)), "who lost it may not send"
    assert len(lease(store, minutes(5), "b:2:y")) == 1


@pytest.mark.parametrize("on_unknown", ["wait", "send"])
def test_a_lease_that_ends_after_data_had_begun_is_unknown(store: Store, on_unknown: Any) -> None:
    put(store, a_delivery("one", on_unknown=on_unknown))
    (row,) = lease(store)
    assert begin(store, row, minutes(4)), "it holds the lease for longer"
    pass_time(store, minutes(5))
    assert states(store) == ["leased"]
    pass_time(store, minutes(9))
    assert states(store) == ["unknown"]
    assert bool(lease(store, minutes(9), "b:2:y")) is (on_unknown == "send")


def test_what_may_be_sent_twice_is_never_unknown(store: Store) -> None:
    put(store, a_delivery("one"))
    (row,) = lease(store)
    begin(store, row, doubtful=False)
    pass_time(store, minutes(5))
    assert states(store) == ["retry"]


def test_who_lost_a_lease_does_not_overwrite_what_the_next_one_found(store: Store) -> None:
    put(store, an_alert("one"))
    (slow,) = lease(store, holder="a:1:x")
    begin(store, slow)
    pass_time(store, minutes(5))
    (quick,) = lease(store, minutes(5), "b:2:y")
    assert not finish(store, slow, "failed", minutes(6))
    assert states(store) == ["leased"]
    assert finish(store, quick, "sent", minutes(7))
    assert not finish(store, slow, "failed", minutes(8))
    assert states(store) == ["sent"]
    assert outcomes(store) == ["began", "unknown", "failed", "sent", "failed"], "all of it is written down"


def test_who_was_merely_slow_knows_best(store: Store) -> None:
    put(store, a_delivery("one"))
    (row,) = lease(store)
    begin(store, row)
    pass_time(store, minutes(5))
    assert finish(store, row, "sent", minutes(6))
    assert states(store) == ["sent"]


# --- messages that follow another, and deadlines ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "state", "sendable"),
    [
        ("waiting", "waiting", False),
        ("leased", "waiting", False),
        ("retry", "waiting", False),
        ("unknown", "waiting", False),
        ("sent", "waiting", True),
        ("failed", "suppressed", False),
        ("dropped", "suppressed", False),
        ("skipped", "suppressed", False),
        ("suppressed", "suppressed", False),
    ],
)
def test_the_end_of_an_alert_is_told_to_who_got_its_beginning(
    store: Store, first: Any, state: str, sendable: bool
) -> None:
    more = {"lease": minutes(5), "holder": "a:1:x"} if first == "leased" else {}
    put(store, an_alert("firing", state=first, due=minutes(1), **more), an_alert("resolved", after="firing"))
    pass_time(store, NOON)
    assert states(store, ["resolved"]) == [state]
    assert bool(lease(store)) is sendable


def test_at_its_deadline_what_waits_for_another_is_suppressed(store: Store) -> None:
    put(store, an_alert("firing", state="unknown", finished=NOON), an_alert("resolved", after="firing"))
    pass_time(store, minutes(24 * 60))
    assert states(store, ["resolved"]) == ["suppressed"]
    assert row_of(store, "resolved").reason == "the message that it follows is unknown"


@pytest.mark.parametrize(
    ("changed", "late"),
    [
        ({}, True),
        ({"state": "retry"}, True),
        ({"state": "unknown", "on_unknown": "send"}, True),
        ({"state": "unknown", "on_unknown": "wait"}, False),
        ({"state": "leased", "lease": minutes(2000)}, False),
        ({"state": "sent"}, False),
        ({"state": "failed"}, False),
    ],
)
def test_what_is_given_up_at_its_deadline(store: Store, changed: dict[str, Any], late: bool) -> None:
    put(store, a_delivery("one", **changed))
    before = states(store)
    end = minutes(24 * 60)
    with store.read() as c:
        assert outbox.overdue(c, minutes(24 * 60 - 1)) == []
        found = outbox.overdue(c, end)
    assert bool(found) is late
    with store.write() as c:
        given_up = outbox.give_up(c, a_delivery("one"), end, "too late", [a_delivery("failure")])
    assert given_up is late
    assert states(store, ["one", "failure"]) == (["failed", "waiting"] if late else [*before, ""])
