"""Runs, leases and observations: what is written once, who has what, and what was known when."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import threading
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cadran.state.store import leases, observations, runs
from cadran.state.store.observations import Observed, same
from cadran.state.store.store import Store

MORNING = dt.datetime(2026, 6, 1, 6, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)


# --- runs ------------------------------------------------------------------------------------------------------------


def claimed(store: Store, time: dt.datetime, job: str = "alerts") -> int | None:
    with store.write() as c:
        return runs.claim(
            c, job=job, logical_time=time, state="done", started=time, finished=time + HOUR, host="a"
        )


def test_a_job_is_known_since_it_was_first_seen(store: Store) -> None:
    with store.write() as c:
        assert runs.first_seen(c, "alerts", MORNING) == MORNING
        assert runs.first_seen(c, "alerts", MORNING + DAY) == MORNING
        assert runs.first_seen(c, "report:weekly", MORNING + DAY) == MORNING + DAY


def test_a_logical_time_is_claimed_once_whatever_the_zone_it_is_said_in(store: Store) -> None:
    paris = MORNING.astimezone(dt.timezone(dt.timedelta(hours=2)))
    first, other = claimed(store, MORNING), claimed(store, MORNING, "report:weekly")
    assert None not in (first, other)
    assert first != other
    assert claimed(store, paris) is None


def test_of_many_that_claim_at_once_one_has_it(store: Store) -> None:
    found: list[int | None] = []
    threads = [threading.Thread(target=lambda: found.append(claimed(store, MORNING))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([number for number in found if number is not None]) == 1


def test_runs_are_found_by_time(store: Store) -> None:
    times = [MORNING + n * DAY for n in (2, 0, 1)]
    for time in times:
        claimed(store, time)
    claimed(store, MORNING + 9 * DAY, "report:weekly")
    with store.read() as c:
        assert list(runs.ran(c, "alerts")) == sorted(times)
        assert list(runs.ran(c, "alerts", MORNING + DAY)) == sorted(times)[1:]
        newest = runs.newest(c, "alerts")
        assert newest is not None
        assert (newest.logical_time, newest.state, newest.finished) == (times[0], "done", times[0] + HOUR)
        assert runs.newest(c, "nobody") is None
        assert runs.ran(c, "nobody") == {}


# --- leases ----------------------------------------------------------------------------------------------------------


def test_a_lease_is_one_holders_until_it_runs_out_or_is_given_back(store: Store) -> None:
    with store.write() as c:
        assert leases.take(c, "judge", "a", MORNING, 60)
        assert not leases.take(c, "judge", "b", MORNING, 60)
        assert leases.take(c, "send", "b", MORNING, 60)
        assert leases.take(c, "judge", "a", MORNING + dt.timedelta(seconds=50), 60)  # longer
        assert not leases.take(c, "judge", "b", MORNING + dt.timedelta(seconds=109), 60)
        assert leases.take(c, "judge", "b", MORNING + dt.timedelta(seconds=110), 60)  # ran out
        leases.release(c, "judge", "a")  # not a's any more
        assert not leases.take(c, "judge", "a", MORNING + dt.timedelta(seconds=120), 60)
        assert leases.held(c, "judge", MORNING + dt.timedelta(seconds=169))
        assert not leases.held(c, "judge", MORNING + dt.timedelta(seconds=170))
        leases.release(c, "judge", "b")
        assert not leases.held(c, "judge", MORNING)
        assert leases.take(c, "judge", "a", MORNING + dt.timedelta(seconds=120), 60)


# --- observations ----------------------------------------------------------------------------------------------------


def seen(value: object, **more: object) -> Observed:
    base = Observed(
        "revenue", "month", "2026-05", dt.date(2026, 5, 31), (), (), None, None, None, None, "no_target", "final"
    )  # fmt: skip
    return replace(base, value=value, **more)  # type: ignore[arg-type]


def told(
    store: Store, *rows: Observed, at: dt.datetime, renamed: dict[str, str] | None = None
) -> list[tuple[object, object]]:
    """Records, and gives what was restated: the value before, the value after."""
    with store.write() as c:
        found = observations.record(c, None, rows, at, at + HOUR, renamed)
    return [(one.before.value, one.after.value) for one in found]


def revisions(
    store: Store, known_at: dt.datetime | None = None, kpi: str = "revenue"
) -> list[tuple[object, ...]]:
    """Revision, value, state, the days on which it became known and was replaced."""
    with store.read() as c:
        found = observations.history(c, kpi, known_at)
    days = [(o.known and (o.known - MORNING).days, o.until and (o.until - MORNING).days) for o in found]
    return [(o.revision, o.value, o.state, *when) for o, when in zip(found, days, strict=True)]


def test_a_value_is_written_down_when_it_differs(store: Store) -> None:
    steps = [
        (0, seen(Decimal("10.50"), state="settling"), []),
        (1, seen(Decimal("10.5"), state="settling"), []),  # the same
        (2, seen(Decimal(12), state="settling"), []),  # it was not final, so that is no restatement
        (3, seen(Decimal(12)), []),  # final now
        (4, seen(12), []),
        (5, seen(Decimal("11.99")), [(Decimal(12), Decimal("11.99"))]),
        (6, seen(None), [(Decimal("11.99"), None)]),
        (7, seen(0), [(None, 0)]),
    ]
    for day, row, restated in steps:
        assert told(store, row, at=MORNING + day * DAY) == restated, day
    assert revisions(store) == [
        (1, Decimal("10.50"), "settling", 0, 2), (2, Decimal(12), "settling", 2, 3), (3, Decimal(12), "final", 3, 5),
        (4, Decimal("11.99"), "final", 5, 6), (5, None, "final", 6, 7), (6, 0, "final", 7, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "other",
    [{"target": 5}, {"target_high": 9}, {"status": "on_target"}, {"state": "settling"}, {"base": Decimal(3)}],
    ids=lambda other: next(iter(other)),
)
def test_another_target_status_state_or_base_is_a_revision_but_restates_nothing(
    store: Store, other: dict[str, object]
) -> None:
    told(store, seen(10), at=MORNING)
    assert told(store, seen(10, **other), at=MORNING + DAY) == []
    assert [line[0] for line in revisions(store)] == [1, 2]


NUMBERS = [
    (1, Decimal("1.00"), True), (1, 2, False), (Decimal("0.1"), Decimal("0.10"), True), (0.1 + 0.2, 0.3, True),
    (1e15, 1e15 + 1, True), (0.1, 0.1001, False), (1.0, 1, True), (Decimal("0.3"), 0.1 + 0.2, True), (None, None, True), (None, 0, False),
    (0, None, False), (math.nan, math.nan, True), (math.nan, 1.0, False), (math.inf, math.inf, True), (math.inf, 1, False),
    (10**30, 10**30 + 1, False),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other", "equal"), NUMBERS)
def test_which_numbers_are_the_same(one: object, other: object, equal: bool) -> None:
    assert same(one, other) is equal  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value", [0, -7, 10**30, Decimal("12.3400"), Decimal("1E+3"), Decimal("-0.00"), 0.1, 1e300, -1e-300, None]
)
def test_a_number_comes_back_as_it_was(store: Store, value: object) -> None:
    told(store, seen(value), at=MORNING)
    ((_, found, *_rest),) = revisions(store)
    assert (found, type(found), str(found)) == (value, type(value), str(value))


def test_segment_values_and_periods_have_revisions_of_their_own(store: Store) -> None:
    rows = [
        seen(1), seen(2, segment=("channel",), segment_value=("paid",)), seen(3, segment=("channel",), segment_value=("≥ \"é\"",)),
        seen(4, segment=("channel", "range"), segment_value=("paid", "big")), seen(5, period="2026-04", ends=dt.date(2026, 4, 30)),
        seen(6, grain="week", period="2026-W22", ends=dt.date(2026, 5, 31)), seen(7, kpi="margin"),
        seen(8, grain="all", period="all", ends=None),
    ]  # fmt: skip
    told(store, *rows, at=MORNING)
    assert told(store, rows[0], replace(rows[1], value=20), *rows[2:], at=MORNING + DAY) == [(2, 20)]
    with store.read() as c:
        found = observations.history(c, "revenue")
        assert [o.value for o in found] == [8, 5, 1, 2, 20, 3, 4, 6]
        assert [o.value for o in observations.history(c, "revenue", period="2026-05", segment=())] == [1]
        assert [o.value for o in observations.history(c, "revenue", grain="week")] == [6]
        assert [
            o.value for o in observations.history(c, "revenue", segment=("channel",), segment_value=("paid",))
        ] == [2, 20]
        assert observations.history(c, "nothing") == []


def test_what_was_known_at_a_time_is_what_the_newest_run_until_then_saw(store: Store) -> None:
    for day, value in enumerate([10, 11, 12]):
        told(store, seen(value), at=MORNING + day * DAY)
    assert revisions(store, MORNING - HOUR) == []
    assert revisions(store, MORNING) == [(1, 10, "final", 0, None)]
    assert revisions(store, MORNING + DAY + HOUR) == [(1, 10, "final", 0, 1), (2, 11, "final", 1, None)]


def test_a_run_that_comes_late_brings_no_news(store: Store) -> None:
    """It knows less than what a later one has written down already."""
    told(store, seen(11), at=MORNING + DAY)
    assert told(store, seen(10), seen(1, period="2026-04", ends=dt.date(2026, 4, 30)), at=MORNING) == []
    assert revisions(store) == [(1, 1, "final", 0, None), (1, 11, "final", 1, None)]


def test_two_runs_of_one_moment_may_see_different_values(store: Store) -> None:
    told(store, seen(10), at=MORNING)
    assert told(store, seen(11), at=MORNING) == [(10, 11)]
    assert revisions(store, MORNING)[-1] == (2, 11, "final", 0, None)


def test_open_periods_and_those_that_are_not_kept_are_not_recorded() -> None:
    from cadran.compute.results import Row

    def row(period: str, end: dt.date | None, state: str) -> Row:
        return Row("revenue", "month", period, None, end, value=1, state=state)  # type: ignore[arg-type]

    rows = [
        row("2026-06", dt.date(2026, 6, 30), "open"), row("2026-05", dt.date(2026, 5, 31), "settling"),
        row("2026-04", dt.date(2026, 4, 30), "final"), row("2021-04", dt.date(2021, 4, 30), "final"), row("all", None, "maturing"),
    ]  # fmt: skip
    assert [o.period for o in observations.of_rows(rows, dt.date(2021, 6, 1))] == [
        "2026-05",
        "2026-04",
        "all",
    ]
    assert len(observations.of_rows(rows)) == 4


def test_a_segment_value_that_has_no_rows_any_more_has_no_value_any_more(store: Store) -> None:
    """Unless it had none before, its period was not computed, or only some of its segment's values are listed."""
    april = {"period": "2026-04", "ends": dt.date(2026, 4, 30)}

    def of(segment: str, name: str, value: object, **more: object) -> Observed:
        return seen(value, segment=(segment,), segment_value=(name,), **more)

    told(store, seen(9), seen(9, **april), of("channel", "Paid", 5), of("channel", "Paid", 4, **april), of("channel", "old", 0),
         of("channel", "unknown", None), of("shop", "north", 3), at=MORNING)  # fmt: skip
    with store.write() as c:
        rows = [seen(9), of("channel", "paid", 5)]
        found = observations.record(
            c, None, rows, MORNING + DAY, MORNING + DAY, listed={"revenue": [("channel",)]}
        )
        assert [(r.before.segment_value, r.before.value, r.after.value, r.after.revision) for r in found] == [
            (("Paid",), 5, None, 2)
        ]
        again = observations.record(
            c, None, rows, MORNING + 2 * DAY, MORNING, listed={"revenue": [("channel",)]}
        )
        assert again == []
        newest = {(o.period, o.segment_value): o.value for o in observations.history(c, "revenue")}
    assert newest == {
        ("2026-04", ()): 9, ("2026-04", ("Paid",)): 4, ("2026-05", ()): 9, ("2026-05", ("Paid",)): None, ("2026-05", ("paid",)): 5,
        ("2026-05", ("old",)): 0, ("2026-05", ("unknown",)): None, ("2026-05", ("north",)): 3,
    }  # fmt: skip


# --- renamed KPIs ----------------------------------------------------------------------------------------------------

RENAMED = {"revenue": "turnover"}


def test_a_renamed_kpi_keeps_its_history(store: Store) -> None:
    told(store, seen(10, kpi="turnover"), at=MORNING)
    with store.read() as c:  # before any run under the new name
        assert [o.kpi for o in observations.history(c, "revenue", before="turnover")] == ["revenue"]
    assert told(store, seen(10), at=MORNING + DAY, renamed=RENAMED) == []
    assert told(store, seen(11), at=MORNING + 2 * DAY, renamed=RENAMED) == [(10, 11)]
    assert revisions(store) == [(1, 10, "final", 0, 2), (2, 11, "final", 2, None)]
    assert revisions(store, kpi="turnover") == []


def test_a_rename_that_is_said_late_joins_both_histories(store: Store) -> None:
    april = {"period": "2026-04", "ends": dt.date(2026, 4, 30)}
    told(store, seen(10, kpi="turnover"), seen(1, kpi="turnover", **april), at=MORNING)
    told(store, seen(9, kpi="turnover"), at=MORNING + DAY)
    told(store, seen(12), at=MORNING + 2 * DAY)
    assert told(store, seen(13), at=MORNING + 3 * DAY, renamed=RENAMED) == [(12, 13)]
    assert revisions(store) == [
        (1, 1, "final", 0, None),
        (1, 10, "final", 0, 1), (2, 9, "final", 1, 2), (3, 12, "final", 2, 3), (4, 13, "final", 3, None),
    ]  # fmt: skip


# --- against a naive memory ------------------------------------------------------------------------------------------

FRESH = itertools.count()  # each example writes about a KPI of its own
STEPS = st.lists(
    st.tuples(
        st.integers(0, 3),  # days since the run before
        st.dictionaries(
            st.sampled_from(["2026-03", "2026-04", "2026-05"]),
            st.tuples(st.sampled_from([None, 1, 2]), st.sampled_from(["settling", "final"])),
        ),
    ),
    max_size=6,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_comes_what_was_known_is_what_was_seen_last(
    store: Store, steps: list[tuple[int, dict[str, tuple[int | None, str]]]]
) -> None:
    """The naive memory is all that every run saw."""
    kpi, time = f"kpi {next(FRESH)}", MORNING
    memory: list[tuple[dt.datetime, dict[str, tuple[int | None, str]]]] = []
    for days, found in steps:
        time += days * DAY
        memory.append((time, found))
        rows = [
            seen(value, kpi=kpi, period=period, ends=dt.date(2026, int(period[5:]), 28), state=state)
            for period, (value, state) in found.items()
        ]
        told(store, *rows, at=time)
    for moment in {t for t, _ in memory} | {MORNING - DAY, time + DAY}:
        naive: dict[str, tuple[int | None, str]] = {}
        for t, found in memory:
            naive |= found if t <= moment else {}
        with store.read() as c:
            newest = {o.period: (o.value, o.state) for o in observations.history(c, kpi, moment)}
            assert all(o.until is None or o.until <= moment for o in observations.history(c, kpi, moment))
        assert newest == naive


def test_twenty_thousand_rows_are_recorded_and_compared(store: Store) -> None:
    day = dt.date(2025, 1, 1)
    rows = [
        seen(Decimal(n) / 7, kpi=f"kpi_{k}", grain="day", period=str(day + dt.timedelta(n)), ends=day + dt.timedelta(n),
             segment=("channel",), segment_value=(f"value {s}",))
        for k in range(10) for n in range(200) for s in range(10)
    ]  # fmt: skip
    assert told(store, *rows, at=MORNING) == []
    assert told(store, *rows, at=MORNING + DAY) == []
    assert len(told(store, *(replace(r, value=-1) for r in rows[:100]), at=MORNING + 2 * DAY)) == 100
    with store.read() as c:
        assert c.exec_driver_sql("SELECT count(*) FROM observation").scalar() == 20_100
