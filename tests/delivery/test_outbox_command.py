"""``cadran outbox``: what an operator sees and does."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cadran.state.store import outbox
from cadran.state.store.outbox import Delivery
from cadran.state.store.store import Store, open_store
from cli.user import Done, call, project
from delivery.rows import NOON, a_delivery, an_alert, key_of, minutes, row_of, states


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return project(tmp_path)


def put(folder: Path, *rows: Delivery) -> Store:
    store = open_store(folder)
    with store.write() as c:
        outbox.enqueue(c, rows)
    return store


def lines(done: Done) -> list[list[str]]:
    """The table's rows, without title and heads."""
    assert done.code == 0, done.all
    return [line.split() for line in done.out.splitlines()[4:] if line.strip()]


def test_nothing_is_there_and_nothing_is_made(folder: Path) -> None:
    assert call(folder, "outbox", "list").out == "nothing waits, and nothing failed; --all lists everything\n"
    assert call(folder, "outbox", "list", "--format", "json").out == "[]\n"
    assert call(folder, "outbox", "retry", "--failed").out == "there is none\n"
    assert not (folder / ".cadran" / "state.db").exists()


def test_what_is_listed(folder: Path) -> None:
    every = ["waiting", "retry", "sent", "failed", "unknown", "skipped", "suppressed", "dropped"]
    put(folder, *(a_delivery(state, state=state, reason=f"why {state}") for state in every))  # type: ignore[arg-type]
    shown = lines(call(folder, "outbox", "list"))
    assert {line[1] for line in shown} == {"waiting", "retry", "failed", "unknown"}
    assert {line[1] for line in lines(call(folder, "outbox", "list", "--all"))} == set(every)
    [sent] = lines(call(folder, "outbox", "list", "--state", "sent"))
    assert sent[0] == key_of("sent")[:12]
    assert " ".join(sent[1:]) == "sent report: sent mail: sent@example.com 0 2026-07-01 14:00 why sent"
    assert call(folder, "outbox", "list", "--all", "--job", "send:x").out == "nothing\n"
    assert call(folder, "outbox", "list", "--all", "--state", "sent").code == 2


def test_a_line_of_the_table_repeats_nothing(folder: Path) -> None:
    """Labels have spaces that do not break, and their parts may stand elsewhere in the subject."""
    told = replace(a_delivery("one"), subject="Low: revenue · 2 546 €", label="revenue · 2\u202f546\xa0€")
    other = replace(
        a_delivery("two"), subject="Week · Ana · week 48", label="week 48 · Ana · late", reason="x" * 300
    )
    put(folder, told, other)
    table = call(folder, "outbox", "list").out
    assert "report: Low: revenue · 2 546 €  " in table
    assert "report: Week · Ana · week 48 (late)" in table
    assert "x" * 59 + "…" in table
    assert "x" * 300 in call(folder, "outbox", "show", key_of("two")).out


def test_programs_get_the_columns_and_no_content(folder: Path) -> None:
    put(folder, a_delivery("one", label="2026-W26"))
    [row] = json.loads(call(folder, "outbox", "list", "--format", "json").out)
    assert (row["key"], row["state"], row["label"]) == (key_of("one"), "waiting", "2026-W26")
    assert row["due"] == "2026-07-01T12:00:00+00:00"
    assert not {"content", "holder"} & row.keys()


def test_one_delivery_and_its_tries(folder: Path) -> None:
    store = put(folder, a_delivery("one", owner="ana@example.com"))
    with store.write() as c:
        [row] = outbox.lease(c, NOON, "host:1:x", 300)
        outbox.begin(c, row, NOON, 300)
        outbox.finish(c, row, "retry", minutes(1), detail="451 later", due=minutes(2), seconds=3.2)
    done = call(folder, "outbox", "show", key_of("one")[:8])
    assert done.out.splitlines() == [
        f"key         {key_of('one')}",
        "state       retry: 451 later",
        "message     report: one",
        "to          mail: one@example.com",
        "job         report:weekly of 2026-07-01 14:00",
        "owner       ana@example.com",
        "made        2026-07-01 14:00",
        "due         2026-07-01 14:02",
        "until       2026-07-02 14:00",
        "if unknown  it waits for 'cadran outbox retry'",
        f"content     {len(row.content or b'')} bytes, SHA-256 {row.digest}",
        "",
        "history",
        "  2026-07-01 14:00:00  began       host",
        "  2026-07-01 14:01:00  retry       host  3 s  451 later",
    ]
    [told] = json.loads(call(folder, "outbox", "show", key_of("one"), "--format", "json").out)
    assert [each["outcome"] for each in told["history"]] == ["began", "retry"]


def test_the_bytes_that_are_sent(folder: Path) -> None:
    put(folder, a_delivery("one"), a_delivery("two", state="skipped", content=None))
    done = call(folder, "outbox", "show", key_of("one"), "--content")
    assert done.raw == a_delivery("one").content
    call(folder, "outbox", "show", key_of("one"), "--content", "-o", str(folder / "one.eml"))
    assert (folder / "one.eml").read_bytes() == a_delivery("one").content
    assert "is not there" in call(folder, "outbox", "show", key_of("two"), "--content").err
    assert call(folder, "outbox", "show", key_of("one"), "-o", "x").code == 2


@pytest.mark.parametrize(("start", "said"), [("zz", "no delivery's key begins with 'zz'"), ("", "several deliveries' keys")])  # fmt: skip
def test_a_key_that_means_none_or_several(folder: Path, start: str, said: str) -> None:
    put(folder, a_delivery("one"), a_delivery("two"))
    done = call(folder, "outbox", "show", start)
    assert (done.code, said in done.err) == (2, True)


RETRIED = [
    ({"state": "failed"}, "retry", ""),
    ({"state": "unknown"}, "retry", ""),
    ({"state": "unknown", "on_unknown": "send", "finished": NOON}, "retry", ""),
    ({"state": "dropped"}, "retry", ""),
    ({"state": "retry", "due": minutes(60)}, "retry", ""),
    ({"state": "suppressed"}, "retry", ""),
    ({"state": "sent"}, "sent", "it was sent"),
    ({"state": "leased", "lease": minutes(5)}, "leased", "it is just being sent"),
    ({"state": "skipped", "reason": "no rows"}, "skipped", "it was never to be sent: no rows"),
    ({"state": "failed", "content": None}, "failed", "its content is not kept any more"),
    ({"state": "suppressed", "after": "nobody"}, "suppressed", "has not arrived; retry that one"),
]


@pytest.mark.parametrize(("changed", "state", "refused"), RETRIED)
def test_what_is_sent_again(folder: Path, changed: dict[str, object], state: str, refused: str) -> None:
    store = put(folder, a_delivery("one", **changed))
    done = call(folder, "outbox", "retry", key_of("one")[:10])
    assert (done.code, states(store)) == (2 if refused else 0, [state])
    assert refused in done.err
    if not refused:
        row = row_of(store)
        assert (row.finished, row.content) == (None, a_delivery("one").content)
        assert (row.deadline - row.due).days == 1
        assert done.out == f"{key_of('one')[:12]}  one, mail: one@example.com: is sent again\n"


def test_all_that_failed_or_are_unknown(folder: Path) -> None:
    store = put(folder, a_delivery("f", state="failed"), a_delivery("u", state="unknown"), a_delivery("s", state="sent"))  # fmt: skip
    call(folder, "outbox", "retry", "--failed")
    assert states(store, "fus") == ["retry", "unknown", "sent"]
    call(folder, "outbox", "retry", "--unknown")
    assert states(store, "fus") == ["retry", "retry", "sent"]
    assert call(folder, "outbox", "retry").code == 2


def test_the_end_of_an_alert_follows_its_beginning_again(folder: Path) -> None:
    store = put(
        folder, an_alert("firing", state="failed"), an_alert("over", state="suppressed", after="firing")
    )
    call(folder, "outbox", "retry", key_of("firing"))
    assert states(store, ["firing", "over"]) == ["retry", "waiting"]


@pytest.mark.parametrize(
    ("state", "dropped"),
    [("waiting", True), ("retry", True), ("failed", True), ("unknown", True), ("sent", False), ("leased", False), ("skipped", False), ("suppressed", False)],
)  # fmt: skip
def test_what_can_be_dropped(folder: Path, state: str, dropped: bool) -> None:
    store = put(folder, a_delivery("one", state=state))
    done = call(folder, "outbox", "drop", key_of("one"), "--reason", "sent by hand")
    assert (done.code == 0, states(store) == ["dropped"]) == (dropped, dropped)
    if dropped:
        assert row_of(store).reason == "sent by hand"
    assert call(folder, "outbox", "drop", key_of("one")).code == 2, "a reason is asked for"
