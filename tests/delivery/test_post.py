"""The one transaction of a run: all of it, or nothing; and who comes second writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from cadran.calendar import Duration
from cadran.declare.model import Deliveries
from cadran.deliver.post import Alerts, Claim, Posted, post
from cadran.judge.notices import Notice
from cadran.plugins.notifier import Message
from cadran.state.store import runs
from cadran.state.store.store import Store
from cadran.state.store.tables import delivery, job, run
from delivery.rows import NOON, Outgoing, key_of, minutes, row_of, states

CLAIM = Claim("report:weekly", NOON, NOON, minutes(1), host="here")
SETTINGS = Deliveries(deadline=Duration(days=1, seconds=3600))


def outgoing(name: str, kind: Any = "report", **more: Any) -> Any:
    return Outgoing(Message(key_of(name), kind, NOON, f"about {name}", f"{name}@example.com"), **more)


def count(store: Store, table: Any) -> int:
    with store.read() as c:
        return int(c.execute(select(func.count()).select_from(table)).scalar_one())


def test_a_run_and_its_messages_are_there_together(store: Store) -> None:
    posted = post(store, CLAIM, [outgoing("one"), outgoing("two", skipped="no rows")], settings=SETTINGS)
    assert posted == Posted(1, 2)
    one, two = row_of(store, "one"), row_of(store, "two")
    assert (one.state, one.content, one.run, one.job) == ("waiting", b"sealed", 1, "report:weekly")
    assert (one.due, one.deadline, one.on_unknown) == (minutes(1), minutes(1 + 25 * 60), "wait")
    assert (two.state, two.reason, two.content, two.finished) == ("skipped", "no rows", None, minutes(1))


def test_who_comes_second_writes_nothing(store: Store) -> None:
    post(store, CLAIM, [outgoing("one")], settings=SETTINGS)
    again = post(
        store, replace(CLAIM, started=minutes(5)), [outgoing("two")], settings=SETTINGS, record=fails
    )
    assert again == Posted(None)
    assert states(store, ["one", "two"]) == ["waiting", ""]


def test_the_next_run_does_not_collide(store: Store) -> None:
    post(store, CLAIM, [outgoing("one")], settings=SETTINGS)
    assert post(store, replace(CLAIM, logical_time=minutes(60)), [outgoing("two")], settings=SETTINGS).run


def fails(*_: object) -> None:
    raise ValueError("here it ends")


@dataclass
class Judged:
    """Alerts that leave a row behind and tell these notices."""

    notices: list[Notice]
    told: Callable[..., None] = lambda *_: None
    rounds: int = 0

    def __call__(self, c: Connection, number: int) -> list[Notice]:
        self.rounds += 1
        runs.first_seen(c, "judged", NOON)
        return self.notices


def a_notice(group: str = "g") -> Notice:
    return Notice("sales", group, "firing", "mail", "ana@example.com")


@pytest.mark.parametrize("where", ["record", "judge", "compose", "told"])
def test_a_step_that_fails_leaves_nothing_behind(store: Store, where: str) -> None:
    judge: Any = fails if where == "judge" else Judged([a_notice()])
    compose: Any = fails if where == "compose" else lambda _: outgoing("firing", "alert")
    alerts = Alerts(judge, compose, fails if where == "told" else lambda *_: None)
    record: Any = fails if where == "record" else lambda *_: None
    with pytest.raises(ValueError, match="here it ends"):
        post(store, CLAIM, [outgoing("one")], settings=SETTINGS, record=record, alerts=alerts)
    assert [count(store, table) for table in (run, delivery, job)] == [0, 0, 0]


def test_messages_of_alerts_are_rendered_while_others_may_write(store: Store) -> None:
    judge, told = Judged([a_notice()]), []

    def compose(_: Notice) -> Any:
        with store.write() as c:
            runs.first_seen(c, "another", NOON)
        return outgoing("firing", "alert")

    alerts = Alerts(judge, compose, lambda _, notice, key: told.append((notice.group, key)))
    posted = post(store, CLAIM, settings=SETTINGS, alerts=alerts)
    assert (posted.deliveries, posted.notices) == (1, 1)
    assert judge.rounds == 2, "once to see what there is to tell, once to keep it"
    assert told == [("g", key_of("firing"))]
    assert row_of(store, "firing").on_unknown == "send"


def test_what_moved_in_between_is_rendered_again(store: Store) -> None:
    """Other runs change what there is to tell while messages are being rendered."""
    judge = Judged([a_notice("0")])
    composed: list[str] = []

    def compose(notice: Notice) -> Any:
        composed.append(notice.group)
        judge.notices = [a_notice(str(len(composed)))]
        return outgoing(f"firing {notice.group}", "alert")

    told: list[str] = []
    alerts = Alerts(judge, compose, lambda _, notice, __: told.append(notice.group))
    post(store, CLAIM, settings=SETTINGS, alerts=alerts)
    assert (composed, told) == (["0", "1", "2"], ["2"]), "what was judged last is what is told"
    assert states(store, ["firing 0", "firing 1", "firing 2"]) == ["", "", "waiting"]
    assert count(store, job) == 1


def test_without_notices_alerts_are_judged_once(store: Store) -> None:
    judge: Any = Judged([])
    post(store, CLAIM, settings=SETTINGS, alerts=Alerts(judge, fails, fails))  # type: ignore[arg-type]
    assert (judge.rounds, count(store, job)) == (1, 1)


def test_a_message_is_enqueued_once_whoever_makes_it(store: Store) -> None:
    post(store, CLAIM, [outgoing("one")], settings=SETTINGS)
    again = post(store, replace(CLAIM, job="send:weekly"), [outgoing("one")], settings=SETTINGS)
    assert (again.run, again.deliveries) == (2, 0)
    assert row_of(store, "one").run == 1
