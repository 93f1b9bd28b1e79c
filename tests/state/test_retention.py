"""What goes after its time, and what never goes whatever its age."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from cadran.calendar import Duration
from cadran.declare.model import Retention
from cadran.state.store import leases, observations, retention, runs
from cadran.state.store.store import Store
from cadran.state.store.tables import (
    alert,
    attempt,
    delivery,
    lease,
    notice_group,
    observation,
    run,
    silence,
    told,
    transition,
)

from .test_recording import seen

NOW = dt.datetime(2026, 6, 1, 6, tzinfo=dt.UTC)
KEEP = Retention(runs=Duration(days=100), observations=Duration(days=1000), deliveries=Duration(days=30))


def ago(days: float) -> dt.datetime:
    return NOW - dt.timedelta(days=days)


def message(key: str, state: str, days: float, **more: Any) -> dict[str, Any]:
    finished = ago(days) if state in retention.FINISHED else None
    return {
        "key": key, "run": None, "job": "alerts", "kind": "alert", "channel": "mail", "notifier": "email", "recipient": "a@b.example",
        "subject": "", "logical_time": ago(days), "content": b"x", "state": state, "due": ago(days), "deadline": ago(days),
        "on_unknown": "send", "created": ago(days), "finished": finished, "after": None,
    } | more  # fmt: skip


def instance(identity: str, state: str, days: float) -> dict[str, Any]:
    return {
        "identity": identity, "subject": "kpi", "name": "revenue", "rule": "low", "grain": "month", "segment": (), "segment_value": (),
        "condition": "", "state": state, "since": "", "held": 0, "cleared": 0, "reason": "", "period": "", "episode": 1,
        "changed": ago(days), "seen": ago(days),
    }  # fmt: skip


def change(identity: str, days: float, of: int | None = None) -> dict[str, Any]:
    return {
        "identity": identity, "run": of, "at": ago(days), "period": "", "before": "ok", "after": "firing", "reason": ""
    }  # fmt: skip


def heard(identity: str, key: str, days: float, ended: float | None = None) -> dict[str, Any]:
    return {
        "identity": identity, "episode": 1, "route": "", "channel": "mail", "recipient": "", "delivery": key, "at": ago(days),
        "ended": None if ended is None else ago(ended),
    }  # fmt: skip


def pruned(store: Store) -> retention.Tidied:
    with store.write() as c:
        return retention.prune(c, KEEP, NOW)


def left(store: Store, column: Any) -> list[Any]:
    with store.read() as c:
        return sorted(c.execute(select(column)).scalars())


# --- deliveries ------------------------------------------------------------------------------------------------------

STATES = ("waiting", "leased", "retry", "sent", "failed", "unknown", "skipped", "suppressed", "dropped")


@pytest.mark.parametrize("state", STATES)
def test_what_is_finished_goes_and_what_is_not_stays_however_old(store: Store, state: str) -> None:
    finished = state in retention.FINISHED
    with store.write() as c:
        c.execute(insert(delivery), [message("old", state, 400), message("new", state, 29)])
        c.execute(insert(attempt).values(delivery="old", at=ago(400), outcome="began"))
        c.execute(insert(attempt).values(delivery="new", at=ago(29), outcome="began"))
    assert pruned(store).deliveries == finished
    assert left(store, delivery.c.key) == ["new"] + ["old"] * (not finished)
    assert left(store, attempt.c.delivery) == ["new"] + ["old"] * (not finished)


def test_what_was_given_up_in_doubt_goes_and_what_waits_for_a_person_stays(store: Store) -> None:
    with store.write() as c:
        rows = [message("given up", "unknown", 400, finished=ago(399)), message("waits", "unknown", 400)]
        c.execute(insert(delivery), rows)
    assert pruned(store).deliveries == 1
    assert left(store, delivery.c.key) == ["waits"]


@pytest.mark.parametrize("state", STATES)
def test_bytes_go_earlier_unless_they_may_still_be_sent(store: Store, state: str) -> None:
    with store.write() as c:
        c.execute(insert(delivery), [message("a", state, 20), message("b", state, 13)])
    gone = state in ("sent", "skipped", "suppressed", "dropped")
    assert pruned(store).contents == gone
    with store.read() as c:
        kept = c.execute(select(delivery.c.key).where(delivery.c.content.is_not(None))).scalars()
        assert sorted(kept) == ["b"] if gone else ["a", "b"]


def test_a_message_that_another_one_waits_for_stays(store: Store) -> None:
    with store.write() as c:
        c.execute(
            insert(delivery),
            [message("first", "sent", 400), message("then", "retry", 1, after="first"),
             message("other", "sent", 400), message("done", "sent", 1, after="other")],
        )  # fmt: skip
    pruned(store)
    assert left(store, delivery.c.key) == ["done", "first", "then"]


# --- alerts ----------------------------------------------------------------------------------------------------------


def test_an_alert_that_goes_on_keeps_all_that_was_said_of_it(store: Store) -> None:
    states = {"firing": "firing", "pending": "pending", "over": "ok"}
    with store.write() as c:
        c.execute(insert(alert), [instance(name, state, 400) for name, state in states.items()])
        c.execute(insert(transition), [change(name, 400) for name in states])
        c.execute(insert(delivery), [message(f"of {name}", "sent", 400) for name in states])
        c.execute(insert(told), [heard(name, f"of {name}", 400) for name in states])
    pruned(store)
    assert left(store, alert.c.identity) == ["firing", "pending"]
    assert left(store, transition.c.identity) == ["firing", "pending"]
    assert left(store, told.c.identity) == ["firing", "pending"]
    assert left(store, delivery.c.key) == ["of firing", "of pending"]
    assert pruned(store) == retention.Tidied()


def test_what_is_over_but_not_long_ago_stays(store: Store) -> None:
    with store.write() as c:
        c.execute(insert(alert), [instance("over", "ok", 99)])
        c.execute(insert(transition), [change("over", 99), change("over", 101)])
        c.execute(insert(told), [heard("over", "k", 99, ended=98)])
        c.execute(
            insert(silence),
            [{"matchers": "{}", "starts": ago(300), "until": ago(days), "reason": str(days), "author": "", "created": ago(300)}
             for days in (101, 99, -1)],
        )  # fmt: skip
        c.execute(
            insert(notice_group),
            [{"route": "r", "group": "sent long ago", "waiting": None, "sent": ago(101)},
             {"route": "r", "group": "waiting", "waiting": ago(101), "sent": ago(101)},
             {"route": "r", "group": "sent", "waiting": None, "sent": ago(99)}],
        )  # fmt: skip
    pruned(store)
    assert left(store, alert.c.identity) == left(store, transition.c.identity) == ["over"]
    assert left(store, told.c.identity) == ["over"]
    assert left(store, silence.c.reason) == ["-1", "99"]
    assert left(store, notice_group.c.group) == ["sent", "waiting"]


# --- runs and observations -------------------------------------------------------------------------------------------


def _claim(store: Store, job: str, days: float) -> int:
    with store.write() as c:
        number = runs.claim(
            c, job=job, logical_time=ago(days), state="done", started=ago(days), finished=ago(days)
        )
    assert number is not None
    return number


def test_runs_go_but_for_the_newest_of_a_job_and_what_points_to_them_stays(store: Store) -> None:
    ids = {
        (job, days): _claim(store, job, days)
        for job, days in [("a", 300), ("a", 200), ("a", 99), ("b", 300), ("b", 200)]
    }
    with store.write() as c:
        observations.record(c, ids["a", 300], [seen(1)], ago(300), ago(300))
        c.execute(insert(delivery), [message("open", "unknown", 300, run=ids["a", 300])])
        c.execute(insert(alert), [instance("x", "firing", 300)])
        c.execute(insert(transition), [change("x", 300, ids["a", 200])])
    assert pruned(store).runs == 3
    assert left(store, run.c.id) == sorted([ids["a", 99], ids["b", 200]])
    with store.read() as c:
        for table in (observation, delivery, transition):
            assert c.execute(select(table.c.run)).scalars().all() == [None]


def test_the_newest_revision_of_a_period_stays_as_long_as_the_period(store: Store) -> None:
    old, kept = dt.date(2023, 9, 4), dt.date(2023, 9, 5)
    assert retention.observed_since(KEEP, NOW) == kept
    with store.write() as c:
        for days, value in ((1200, 1), (1100, 2)):
            rows = [
                seen(value, grain="day", period=str(old), ends=old), seen(value, grain="day", period=str(kept), ends=kept),
                seen(value, grain="all", period="all", ends=None),
            ]  # fmt: skip
            observations.record(c, None, rows, ago(days), ago(days))
    assert pruned(store).observations == 4
    with store.read() as c:
        found = observations.history(c, "revenue")
    assert [(o.period, o.value) for o in found] == [("all", 2), (str(kept), 2)]


def test_revisions_of_a_kept_period_stay_until_they_were_replaced_long_ago(store: Store) -> None:
    with store.write() as c:
        for days, value in ((999, 1), (900, 2), (1, 3)):
            observations.record(c, None, [seen(value)], ago(days), ago(days))
    assert pruned(store).observations == 0
    assert len(left(store, observation.c.revision)) == 3


# --- once a day ------------------------------------------------------------------------------------------------------


def test_it_is_done_once_a_day(store: Store) -> None:
    with store.write() as c:
        c.execute(insert(delivery), [message("a", "sent", 31)])
        leases.take(c, "long gone", "x", ago(9), 60)
        leases.take(c, "held", "x", NOW, 60)
    hour = dt.timedelta(hours=1)
    assert retention.tidy(store, KEEP, NOW) == retention.Tidied(deliveries=1, contents=1)
    assert retention.tidy(store, KEEP, NOW + hour) is None
    assert retention.tidy(store, KEEP, NOW + 19 * hour) is None
    assert retention.tidy(store, KEEP, NOW + 23 * hour) == retention.Tidied()
    assert left(store, lease.c.name) == ["held", "retention"]


def test_a_file_gives_its_room_back(tmp_path: Any) -> None:
    from .conftest import Place

    store = Place(tmp_path).open()
    assert store.file is not None
    with store.write() as c:
        content = b"x" * 1_000_000
        c.execute(insert(delivery), [message(f"{n}", "sent", 400, content=content) for n in range(10)])
    assert sum(p.stat().st_size for p in store.file.parent.iterdir()) > 10_000_000
    assert retention.tidy(store, KEEP, NOW) == retention.Tidied(deliveries=10, contents=10)
    assert sum(p.stat().st_size for p in store.file.parent.iterdir()) < 1_000_000
    with store.write() as c:  # it can be used as before
        c.execute(insert(delivery), [message("next", "sent", 1)])
        assert c.execute(select(func.count()).select_from(delivery)).scalar() == 1
    store.close()


def test_a_file_that_somebody_reads_shrinks_another_day(tmp_path: Any) -> None:
    from .conftest import Place

    store = Place(tmp_path).open()
    with store.write() as c:
        c.execute(insert(delivery), [message("old", "sent", 400, content=b"x" * 100_000)])
    with store.read() as c:
        assert len(c.execute(select(delivery.c.content)).scalar_one()) == 100_000
        assert retention.tidy(store, KEEP, NOW) == retention.Tidied(deliveries=1, contents=1)
        assert len(c.execute(select(delivery.c.content)).scalar_one()) == 100_000
    with store.write() as c:
        assert c.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000
    store.close()


def test_a_year_of_days_keeps_the_file_as_it_was(tmp_path: Any) -> None:
    """Each day a message, a run and a restated value; after the time that all is kept for, the file grows no more."""
    from .conftest import Place

    store = Place(tmp_path).open()
    assert store.file is not None
    keep = Retention(Duration(days=20), Duration(days=20), Duration(days=20))
    sizes = []
    for day in range(120):
        now = ago(-day)
        with store.write() as c:
            number = runs.claim(c, job="a", logical_time=now, state="done", started=now, finished=now)
            rows = [
                seen(day, grain="day", period=str(d := (now - dt.timedelta(n)).date()), ends=d)
                for n in range(20)
            ]
            observations.record(c, number, rows, now, now)
            c.execute(insert(delivery), [message(f"{day}", "sent", -day, content=b"x" * 10_000)])
        assert retention.tidy(store, keep, now) is not None
        sizes.append(store.file.stat().st_size)
    assert max(sizes[60:]) <= 1.05 * max(sizes[:60])
    store.close()
