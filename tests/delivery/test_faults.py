"""A mail server that refuses, defers, hangs or hangs up at every step: what it has, message by message, and what the outbox
says of it."""

from __future__ import annotations

import datetime as dt
import os

import pytest

from cadran.deliver.sender import Sender, send_due
from cadran.state.store import outbox
from cadran.state.store.outbox import Delivery
from cadran.state.store.store import Store
from delivery.conftest import STORES
from delivery.mailserver import MailServer, serving
from delivery.rows import NOON, a_delivery, an_alert, minutes, outcomes, row_of, states
from delivery.smtp import mail

FULL = os.environ.get("CADRAN_FULL") == "1"
NAMES = ("first", "second", "third")


def send(store: Store, office: MailServer, now: dt.datetime = NOON, timeout: float = 30) -> dict[str, int]:
    """``timeout`` in seconds: short only where the server hangs, and then long enough for what a busy machine delays."""
    return dict(send_due(Sender(store, lambda _: mail(office.port, timeout=timeout), lambda: now)))


def put(store: Store, *rows: Delivery) -> None:
    with store.write() as c:
        outbox.enqueue(c, rows)


# What goes wrong for one of three recipients → the outbox's word for it, and how many copies the server has taken.
FAULTS = [
    ("connect", "554 go away", "retry", 0),
    ("connect", "421 busy", "retry", 0),
    ("connect", "drop", "retry", 0),
    ("connect", "hang", "retry", 0),
    ("mail", "550 not you", "failed", 0),
    ("mail", "451 later", "retry", 0),
    ("mail", "drop", "retry", 0),
    ("rcpt", "550 no such user", "failed", 0),
    ("rcpt", "450 greylisted", "retry", 0),
    ("rcpt", "drop", "retry", 0),
    ("rcpt", "hang", "retry", 0),
    ("data", "554 no", "failed", 0),
    ("data", "451 later", "retry", 0),
    ("data", "drop", "retry", 0),
    ("during", "drop", "unknown", 0),
    ("during", "hang", "unknown", 0),
    ("dot", "554 spam", "failed", 0),
    ("dot", "452 full", "retry", 0),
    ("dot", "drop", "unknown", 0),
    ("dot", "hang", "unknown", 0),
    ("reply", "drop", "unknown", 1),
    ("reply", "hang", "unknown", 1),
]


@pytest.mark.parametrize("store", STORES if FULL else STORES[:1], indirect=True)
@pytest.mark.parametrize(("step", "fault", "state", "copies"), FAULTS)
def test_what_the_outbox_says_is_what_the_server_has(
    store: Store, step: str, fault: str, state: str, copies: int
) -> None:
    """Where the fault comes before the recipient is known, it meets everybody."""
    everybody = step in ("connect", "mail")
    put(store, *(a_delivery(name) for name in NAMES))
    with serving(lambda at, to: fault if at == step and (everybody or to.startswith("second")) else "") as office:  # fmt: skip
        send(store, office, timeout=3 if fault == "hang" else 30)
        taken = {name: len(office.to(f"{name}@example.com")) for name in NAMES}
    spared = ("sent", 1) if not everybody else (state, copies)
    assert list(zip(states(store, NAMES), taken.values(), strict=True)) == [spared, (state, copies), spared]


def test_what_was_deferred_arrives_once(store: Store) -> None:
    put(store, *(a_delivery(name) for name in NAMES))
    with serving(lambda step, to: "450 later" if step == "rcpt" and "second" in to else "") as office:
        send(store, office)
        office.fault = lambda _, __: ""
        send(store, office, minutes(1))
        assert office.by_recipient() == {f"{n}@example.com": [a_delivery(n).content] for n in NAMES}
    assert states(store, NAMES) == ["sent"] * 3
    assert outcomes(store, "second") == ["retry", "began", "sent"]


@pytest.mark.parametrize(("step", "copies"), [("during", 1), ("dot", 1), ("reply", 2)])
def test_an_alert_of_unknown_fate_arrives_at_least_once_with_equal_bytes(
    store: Store, step: str, copies: int
) -> None:
    put(store, an_alert("one"), a_delivery("report"))
    with serving(lambda at, _: "drop" if at == step else "") as office:
        send(store, office)
        office.fault = lambda _, __: ""
        send(store, office, minutes(2))
        assert office.to("one@example.com") == [an_alert("one").content] * copies
        assert len(office.to("report@example.com")) == copies - 1, "a report waits for a person"
    assert states(store, ["one", "report"]) == ["sent", "unknown"]


def test_a_refusal_that_does_not_end_fails_at_the_deadline(store: Store) -> None:
    put(store, a_delivery("one"))
    with serving(lambda step, _: "450 later" if step == "rcpt" else "") as office:
        for hour in range(26):
            send(store, office, minutes(60 * hour))
        assert office.taken == []
    assert states(store) == ["failed"]
    assert row_of(store).reason.startswith(
        "not delivered by its deadline; at last: 127.0.0.1: the recipient was refused: 450 later"
    )
    tries = outcomes(store)
    assert (tries[-1], len(tries)) == ("failed", 25)


def test_nobody_hears_that_an_alert_is_over_who_did_not_hear_of_it(store: Store) -> None:
    put(store, *(an_alert(f"{n} fires", recipient=f"{n}@example.com") for n in NAMES))
    put(store, *(an_alert(f"{n} over", recipient=f"{n}@example.com", after=f"{n} fires") for n in NAMES))
    with serving(lambda step, to: "550 no" if step == "rcpt" and "second" in to else "") as office:
        send(store, office)
        got = {n: [row.splitlines()[0] for row in office.to(f"{n}@example.com")] for n in NAMES}
    assert got == {
        "first": [b"Subject: first fires", b"Subject: first over"],
        "second": [],
        "third": [b"Subject: third fires", b"Subject: third over"],
    }
    assert states(store, [f"{n} over" for n in NAMES]) == ["sent", "suppressed", "sent"]
