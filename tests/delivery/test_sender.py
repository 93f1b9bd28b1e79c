"""What the sender makes of a notifier's answers, mistakes and silences. The notifier here is a script; a real server comes
in ``test_faults.py``."""

from __future__ import annotations

import datetime as dt
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

import cadran
from cadran.deliver.channels import Channels
from cadran.deliver.sender import Sender, send_due
from cadran.plugins.notifier import Deferred, Message, Notifier, NotifierContext, NotifierError, Unknown
from cadran.state.store import outbox
from cadran.state.store.outbox import Delivery
from cadran.state.store.store import Store
from cadran.state.store.tables import delivery
from cadran.state.store.trouble import StoreError
from cli.user import KPIS, project
from delivery.rows import NOON, a_delivery, an_alert, key_of, minutes, outcomes, row_of, states

Step = Callable[[Callable[[], None]], str]


class Scripted(Notifier):
    """Does for each message what the test says, by its subject."""

    repeatable = False

    def __init__(self, steps: dict[str, Step] | None = None) -> None:
        super().__init__(NotifierContext("mail", {}, Path()))
        self.steps = steps or {}
        self.sent: list[tuple[str, bytes]] = []

    def seal(self, message: Message) -> bytes:
        raise AssertionError("what is sent was sealed before")

    def send(self, sealed: bytes, recipient: str, begin: Callable[[], None]) -> str:
        name = recipient.partition("@")[0]
        if name in self.steps:
            return self.steps[name](begin)
        begin()
        self.sent.append((recipient, sealed))
        return f"to {recipient}"


class Repeatable(Scripted):
    repeatable = True


def put(store: Store, *rows: Delivery) -> None:
    with store.write() as c:
        outbox.enqueue(c, rows)


def send(store: Store, notifier: Notifier, now: dt.datetime = NOON, **more: Any) -> dict[str, int]:
    return dict(send_due(Sender(store, lambda _: notifier, lambda: now, **more)))


def raises(error: Exception, *, begun: bool) -> Step:
    def step(begin: Callable[[], None]) -> str:
        if begun:
            begin()
        raise error

    return step


def test_everything_due_is_sent_once_with_the_sealed_bytes(store: Store) -> None:
    names = [f"r{i}" for i in range(12)]
    put(store, *(a_delivery(name) for name in names), a_delivery("later", due=minutes(1)))
    notifier = Scripted()
    assert send(store, notifier) == {"sent": 12}
    assert sorted(notifier.sent) == sorted((f"{n}@example.com", a_delivery(n).content) for n in names)
    assert states(store, [*names, "later"]) == ["sent"] * 12 + ["waiting"]
    assert row_of(store, "r0").where == "to r0@example.com"
    assert send(store, notifier) == {}
    assert outcomes(store, "r0") == ["began", "sent"]


AFTER_DATA, BEFORE_DATA = True, False


@pytest.mark.parametrize(
    ("error", "begun", "report", "alert", "reason"),
    [
        (Deferred("greylisted", hint="wait"), BEFORE_DATA, "retry", "retry", "greylisted; wait"),
        (Deferred("451 later"), AFTER_DATA, "retry", "retry", "451 later"),  # the server said that it has not taken it
        (NotifierError("no such user"), BEFORE_DATA, "failed", "failed", "no such user"),
        (NotifierError("550 spam"), AFTER_DATA, "failed", "failed", "550 spam"),
        (Unknown("connection lost"), AFTER_DATA, "unknown", "unknown", "connection lost"),
        (ValueError("oops"), BEFORE_DATA, "retry", "retry", "ValueError: oops; the notifier 'email' has a fault, tell its author"),
        (ValueError("oops"), AFTER_DATA, "unknown", "unknown", "ValueError: oops; the notifier 'email' has a fault, tell its author"),
    ],
)  # fmt: skip
def test_an_error_is_an_outcome(
    store: Store, error: Exception, begun: bool, report: str, alert: str, reason: str
) -> None:
    put(store, a_delivery("report"), an_alert("alert"), a_delivery("other"))
    notifier = Scripted({"report": raises(error, begun=begun), "alert": raises(error, begun=begun)})
    send(store, notifier)
    assert states(store, ["report", "alert", "other"]) == [report, alert, "sent"], (
        "the others are not touched"
    )
    assert row_of(store, "report").reason == reason


def test_an_alert_of_unknown_fate_goes_again_with_the_same_bytes_and_a_report_waits(store: Store) -> None:
    put(store, a_delivery("report"), an_alert("alert"))
    lost = raises(Unknown("connection lost"), begun=True)
    send(store, Scripted({"report": lost, "alert": lost}))
    notifier = Scripted()
    send(store, notifier, minutes(60))
    assert notifier.sent == [("alert@example.com", an_alert("alert").content)]
    assert states(store, ["report", "alert"]) == ["unknown", "sent"]
    assert outcomes(store, "alert") == ["began", "unknown", "began", "sent"]


def test_where_the_same_may_go_twice_nothing_is_unknown(store: Store) -> None:
    put(store, a_delivery("one"), a_delivery("two"))
    oops, lost = raises(ValueError("oops"), begun=True), raises(Unknown("lost"), begun=True)
    send(store, Repeatable({"one": oops, "two": lost}))
    assert states(store, ["one", "two"]) == ["retry", "retry"]


def test_a_try_waits_for_as_long_as_it_was_asked_to(store: Store) -> None:
    put(store, a_delivery("one"), a_delivery("two"))
    steps = {"one": raises(Deferred("busy", seconds=7200), begun=False), "two": raises(Deferred("no"), begun=False)}  # fmt: skip
    send(store, Scripted(steps))
    assert row_of(store, "one").due == minutes(120)
    assert minutes(0) < row_of(store, "two").due <= minutes(1)


def test_what_cannot_be_tried_again_before_its_deadline_has_failed(store: Store) -> None:
    put(store, a_delivery("one", deadline=minutes(60)))
    busy = Scripted({"one": raises(Deferred("busy", seconds=7200), begun=False)})
    assert send(store, busy) == {"failed": 1}
    assert states(store) == ["failed"]


def test_a_channel_that_is_not_there_may_come_back(store: Store) -> None:
    put(store, a_delivery("one"), a_delivery("two", channel="chat"))

    def channel(row: Delivery) -> Notifier:
        if row.channel == "chat":
            raise Deferred("channel 'chat' is not declared")
        return Scripted()

    send_due(Sender(store, channel, lambda: NOON))
    assert states(store, ["one", "two"]) == ["sent", "retry"]


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("mail: {notifier: webhook, url: 'https://a.example/'}", "channel 'mail' is now one of 'webhook', and this was sealed for 'email'"),
        ("chat: {notifier: webhook, url: 'https://a.example/'}", "channel 'mail' is not declared"),
    ],
)  # fmt: skip
def test_what_was_sealed_for_another_notifier_is_not_given_to_this_one(
    store: Store, tmp_path: Path, written: str, reason: str
) -> None:
    opened = cadran.open(project(tmp_path / "project", f"{KPIS}channels: {{{written}}}\n"))
    declaration = opened.model()[0]
    put(store, a_delivery("one"))
    send_due(Sender(store, Channels(declaration, opened.plugins.notifier).open, lambda: NOON))
    assert states(store) == ["retry"]
    assert row_of(store).reason.startswith(reason)


def test_no_outcome_shows_a_secret(store: Store) -> None:
    put(store, a_delivery("one"), a_delivery("two"))
    bad = Scripted({
        "one": raises(ValueError("cannot use pass-phrase"), begun=False),
        "two": lambda _: "https://chat.example/pass-phrase",
    })  # fmt: skip
    send(store, bad, hidden=frozenset({"pass-phrase"}))
    assert row_of(store, "one").reason.startswith("ValueError: cannot use ***; ")
    assert row_of(store, "two").where == "https://chat.example/***"


class Away:
    """A store that cannot be written to while ``gone`` is set."""

    def __init__(self, store: Store) -> None:
        self.store, self.gone = store, False

    def write(self) -> Any:
        if self.gone:
            raise StoreError("the store went away", "try again")
        return self.store.write()

    def read(self) -> Any:
        return self.store.read()


def test_nothing_is_sent_that_could_not_be_written_down_before(store: Store) -> None:
    put(store, a_delivery("one"))
    away = Away(store)

    def begins_without_it(begin: Callable[[], None]) -> str:
        away.gone = True
        try:
            begin()
        finally:
            away.gone = False
        raise AssertionError("the message would go now")

    send(away, Scripted({"one": begins_without_it}))  # type: ignore[arg-type]
    assert states(store) == ["retry"]
    assert row_of(store).reason == "the store went away"


def test_what_was_sent_while_the_store_was_away_is_unknown(store: Store) -> None:
    put(store, a_delivery("one"), a_delivery("two", due=minutes(6)))
    away = Away(store)

    def ends_without_it(begin: Callable[[], None]) -> str:
        begin()
        away.gone = True
        return "taken"

    stop = threading.Event()
    with pytest.raises(StoreError, match="the store went away"):
        send(away, Scripted({"one": ends_without_it}), stop=stop)  # type: ignore[arg-type]
    assert not stop.is_set(), "whoever sends may call again"
    away.gone = False
    assert send(store, Scripted(), minutes(6)) == {"sent": 1}
    assert states(store, ["one", "two"]) == ["unknown", "sent"]


# --- telling the owner ---------------------------------------------------------------------------------------------


def told_by(row: Delivery, now: dt.datetime) -> Sequence[Delivery]:
    name = f"failure of {row.subject}"
    return [a_delivery(name, kind="failure", channel="chat", on_unknown="send", created=now, due=now)]


def test_the_owner_hears_of_a_final_failure_once_and_by_another_channel(store: Store) -> None:
    put(store, a_delivery("one"), a_delivery("two"), an_alert("late", deadline=minutes(1), due=minutes(1)))
    no = Scripted({"one": raises(NotifierError("no such user"), begun=False), "two": raises(Deferred("no"), begun=False)})  # fmt: skip
    told = Scripted()
    channels = {"mail": no, "chat": told}

    def sender(now: dt.datetime) -> Sender:
        return Sender(store, lambda row: channels[row.channel], lambda: now, told_by)

    send_due(sender(NOON))
    assert [name for name, _ in told.sent] == ["failure of one@example.com"]
    assert states(store, ["one", "two", "late"]) == ["failed", "retry", "waiting"]
    send_due(sender(minutes(2)))
    assert [name for name, _ in told.sent][1:] == ["failure of late@example.com"]
    assert row_of(store, "late").reason == "not delivered by its deadline"


def test_a_message_about_a_failure_that_fails_is_told_to_nobody(store: Store) -> None:
    put(store, a_delivery("one", kind="failure"))
    send(store, Scripted({"one": raises(NotifierError("no"), begun=False)}), failure=told_by)
    assert states(store) == ["failed"]
    with store.read() as c:
        assert len(c.execute(select(delivery.c.key)).all()) == 1


def test_a_failure_that_cannot_be_told_is_still_written_down(store: Store) -> None:
    def broken(_: Delivery, __: dt.datetime) -> Sequence[Delivery]:
        raise ValueError("no template")

    put(store, a_delivery("one"))
    send(store, Scripted({"one": raises(NotifierError("no such user"), begun=False)}), failure=broken)
    assert states(store) == ["failed"]
    assert row_of(store).reason == "no such user; its owner could not be told: ValueError: no template"


# --- several at once, and ends -------------------------------------------------------------------------------------


def test_a_server_that_hangs_holds_up_nobody_else(store: Store) -> None:
    put(store, a_delivery("stuck", channel="slow"), *(a_delivery(f"r{i}") for i in range(5)))
    free, others = threading.Event(), Scripted()

    def hang(_: Callable[[], None]) -> str:
        assert free.wait(30)
        return "at last"

    def all_but_one_sent() -> None:
        while len(others.sent) < 6:
            threading.Event().wait(0.01)
        free.set()

    watcher = threading.Thread(target=all_but_one_sent)
    watcher.start()
    channels = {"slow": Scripted({"stuck": hang}), "mail": others}
    also = threading.Timer(
        0.3, lambda: put(store, a_delivery("later"))
    )  # comes while the other channel hangs
    also.start()
    counts = send_due(Sender(store, lambda row: channels[row.channel], lambda: NOON))
    watcher.join()
    also.join()
    assert counts == {"sent": 7}


def test_a_server_that_hangs_is_left_alone_until_the_next_call(store: Store) -> None:
    names = [f"slow{i}" for i in range(5)]
    put(
        store, *(a_delivery(name, channel="slow") for name in names), *(a_delivery(f"r{i}") for i in range(5))
    )
    clock = [NOON]

    def hang(_: Callable[[], None]) -> str:
        clock[0] += dt.timedelta(seconds=60)
        raise Deferred("no answer within 60 s")

    others = Scripted()
    channels = {"slow": Scripted(dict.fromkeys(names, hang)), "mail": others}
    for call in (1, 2):
        send_due(Sender(store, lambda row: channels[row.channel], lambda: clock[0], workers=1))
        assert states(store, names).count("retry") == call, "one of them waited in vain, and that was enough"
    assert len(others.sent) == 5


def test_what_is_under_way_comes_to_its_end_and_nothing_more_begins(store: Store) -> None:
    put(store, *(a_delivery(f"r{i}") for i in range(5)))
    stop = threading.Event()

    def last(begin: Callable[[], None]) -> str:
        begin()
        stop.set()
        return "sent, and that was all"

    counts = send(store, Scripted({f"r{i}": last for i in range(5)}), workers=1, stop=stop)
    assert counts == {"sent": 1}
    assert sorted(states(store, [f"r{i}" for i in range(5)])) == ["sent"] + ["waiting"] * 4


def test_an_interrupt_lets_what_is_under_way_come_to_its_end(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"r{i}" for i in range(5)]
    put(store, *(a_delivery(name) for name in names))
    interrupted = threading.Event()

    class Pool(ThreadPoolExecutor):
        def shutdown(self, *given: Any, **named: Any) -> None:
            interrupted.set()
            super().shutdown(*given, **named)

    def slow(begin: Callable[[], None]) -> str:
        begin()
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        assert interrupted.wait(30)
        return "sent, and that was all"

    monkeypatch.setattr("cadran.deliver.sender.ThreadPoolExecutor", Pool)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a worker of pytest ignores it
    try:
        with pytest.raises(KeyboardInterrupt):
            send(store, Scripted(dict.fromkeys(names, slow)), workers=1)
    finally:
        signal.signal(signal.SIGINT, before)
    assert sorted(states(store, names)) == ["sent"] + ["waiting"] * 4


def test_who_lost_the_lease_while_it_waited_sends_nothing(store: Store) -> None:
    put(store, a_delivery("one"))
    went: list[str] = []

    def overtaken(begin: Callable[[], None]) -> str:
        with store.write() as c:
            outbox.expire(c, minutes(10))
            assert outbox.lease(c, minutes(10), "b:2:y", 300)
        try:
            begin()
        except Exception:  # as a notifier may that takes everything for its server's fault
            went.append("begun")
        went.append("sent")
        return "sent"

    assert send(store, Scripted({"one": overtaken})) == {"lost": 1}
    assert went == []
    assert states(store) == ["leased"]
    assert outcomes(store) == ["retry", "lost"]


def test_only_the_named_ones_are_sent(store: Store) -> None:
    put(store, a_delivery("one"), a_delivery("two"))
    assert send(store, Scripted(), keys=(key_of("two"),)) == {"sent": 1}
    assert states(store, ["one", "two"]) == ["waiting", "sent"]
