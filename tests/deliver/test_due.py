"""What is due and what was missed: by table, and over a year of machines that sleep."""

from __future__ import annotations

import datetime as dt
import os
import random
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadran.declare.document import Place
from cadran.declare.model import Schedule, Text
from cadran.deliver.due import GRACE, Due, Missed, Plan, following, plan
from deliver import minutes

CatchUp = Literal["latest", "all", "none"]
PARIS = ZoneInfo("Europe/Paris")
NOWHERE = Place((), None)  # type: ignore[arg-type]
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
FULL = bool(os.environ.get("CADRAN_FULL"))


def _schedule(line: str, catch_up: CatchUp = "latest", zone: ZoneInfo = PARIS) -> Schedule:
    return Schedule(Text(line, NOWHERE), zone, catch_up)


def _at(text: str) -> dt.datetime:
    """A time of March 2026 in Paris: ``04 07:00``."""
    return dt.datetime.fromisoformat(f"2026-03-{text}").replace(tzinfo=PARIS).astimezone(dt.UTC)


def _told(found: Plan) -> list[str]:
    due = [f"{one.at.astimezone(PARIS):%d %H:%M} {'late' if one.late else 'due'}" for one in found.due]
    return [*due, *(f"{one.at.astimezone(PARIS):%d %H:%M} {one.reason}" for one in found.missed)]


DAILY = "0 7 * * *"


@pytest.mark.parametrize(
    ("line", "catch_up", "since", "done", "now", "expected"),
    [
        # First seen: nothing before that is due.
        (DAILY, "latest", "04 08:00", [], "04 09:00", []),
        (DAILY, "all", "04 08:00", [], "05 06:59", []),
        (DAILY, "latest", "04 08:00", [], "05 07:00", ["05 07:00 due"]),
        (DAILY, "latest", "04 08:00", ["05 07:00"], "05 07:10", []),
        # Up to an hour is not late.
        (DAILY, "latest", "04 08:00", [], "05 08:00", ["05 07:00 due"]),
        (DAILY, "latest", "04 08:00", [], "05 08:01", ["05 07:00 late"]),
        # Days were missed.
        (DAILY, "latest", "04 08:00", [], "07 09:00", [
            "07 07:00 late", "05 07:00 the one of 2026-03-07 07:00 came before it was made",
            "06 07:00 the one of 2026-03-07 07:00 came before it was made",
        ]),
        (DAILY, "latest", "04 08:00", ["07 07:00"], "07 09:00", [
            "05 07:00 the one of 2026-03-07 07:00 came before it was made",
            "06 07:00 the one of 2026-03-07 07:00 came before it was made",
        ]),
        (DAILY, "all", "04 08:00", ["06 07:00"], "07 09:00", ["05 07:00 late", "07 07:00 late"]),
        (DAILY, "none", "04 08:00", [], "06 07:50", [
            "06 07:00 due", "05 07:00 the one of 2026-03-06 07:00 came before it was made",
        ]),
        (DAILY, "none", "04 08:00", [], "05 08:10", ["05 07:00 nobody was there within an hour of 2026-03-05 07:00, and 'catch_up' is none"]),
        # Right before the next one, what was missed is left to that.
        (DAILY, "latest", "04 08:00", [], "06 05:59", ["05 07:00 late"]),
        (DAILY, "latest", "04 08:00", [], "06 06:01", ["05 07:00 the next one is due at 2026-03-06 07:00"]),
        (DAILY, "all", "04 08:00", [], "06 06:59", ["05 07:00 late"]),
        ("0 */2 * * *", "latest", "04 08:00", [], "04 11:29", ["04 10:00 late"]),
        ("0 */2 * * *", "latest", "04 08:00", [], "04 11:31", ["04 10:00 the next one is due at 2026-03-04 12:00"]),
        ("*/15 * * * *", "latest", "04 08:00", [], "04 08:31", ["04 08:30 due", "04 08:15 the one of 2026-03-04 08:30 came before it was made"]),
    ],
)  # fmt: skip
def test_what_is_due(
    line: str, catch_up: CatchUp, since: str, done: list[str], now: str, expected: list[str]
) -> None:
    found = plan(_schedule(line, catch_up), _at(since), {_at(one) for one in done}, _at(now))
    assert _told(found) == expected


@pytest.mark.parametrize(
    ("line", "catch_up", "wait", "until"),
    [
        (DAILY, "latest", 0, "06 07:00"),
        (DAILY, "latest", 3, "05 10:00"),
        (DAILY, "none", 3, "05 10:00"),
        ("*/30 7 * * *", "latest", 0, "05 07:30"),
        ("*/30 7 * * *", "all", 0, "06 07:00"),
    ],
)
def test_until_when_it_is_tried(line: str, catch_up: CatchUp, wait: int, until: str) -> None:
    found = plan(_schedule(line, catch_up), _at("05 06:59"), (), _at("05 07:00"), wait * HOUR)
    assert found.due == (Due(_at("05 07:00"), _at(until)),)


def test_waiting_for_data_is_not_being_late() -> None:
    made = _schedule(DAILY, "none")
    assert plan(made, _at("04 08:00"), (), _at("05 10:50"), 3 * HOUR).due == (
        Due(_at("05 07:00"), _at("05 10:00")),
    )
    assert not plan(made, _at("04 08:00"), (), _at("05 11:01"), 3 * HOUR).due


def test_the_next_time() -> None:
    assert following(_schedule("0 7 * * MON"), _at("04 08:00")) == _at("09 07:00")


# --- a year ---------------------------------------------------------------------------------------------------------

ZONES = ("Europe/Paris", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
BEGIN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
DAYS = 365 if FULL else 120  # in which each of the clocks that change does so once


def _ticks(chance: random.Random, days: int) -> list[dt.datetime]:
    """When a machine looks: every few minutes, with naps of hours and now and then a week or two of sleep."""
    now, out = BEGIN, []
    while now < BEGIN + days * DAY:
        nap = chance.random()
        if nap < (0.003 if FULL else 0.01):
            now += chance.uniform(1, 15) * DAY
        elif nap < 0.05:
            now += chance.uniform(1, 30) * HOUR
        else:
            now += dt.timedelta(
                minutes=chance.choice([1, 5, 15, 15, 30] if FULL else [1, 15, 60, 90, 240]),
                seconds=chance.randrange(60),
            )
        out.append(now)
    return out


def _expected(times: list[dt.datetime], now: dt.datetime, seen: int, catch_up: CatchUp) -> tuple[list[dt.datetime], list[dt.datetime]]:  # fmt: skip
    """What is done and what is missed of the times that have come since the last look, told without a plan."""
    come = [at for at in times[seen:] if at <= now]
    if catch_up == "all" or not come:
        return come, []
    last, after = come[-1], times[seen + len(come)]
    age, ahead = now - last, after - now
    if age <= HOUR or (catch_up == "latest" and ahead >= min(HOUR, (after - last) / 4)):
        return [last], come[:-1]
    return [], come


@pytest.mark.parametrize("name", ZONES)
def test_a_year_of_schedules(name: str) -> None:
    """Every time is accounted for exactly once, done or skipped, whenever the machine was awake."""
    zone, chance = ZoneInfo(name), random.Random(f"year {name}")
    lines = ["30 2 * * *", *(minutes.random_line(chance) for _ in range(6 if FULL else 1))]
    for line in lines:
        times = list(minutes.times(line, zone, BEGIN, BEGIN + (DAYS + 35) * DAY))
        for catch_up in ("latest", "all", "none"):
            _one_year(_schedule(line, catch_up, zone), times, _ticks(chance, DAYS))


def _one_year(schedule: Schedule, times: list[dt.datetime], ticks: list[dt.datetime]) -> None:
    done: dict[dt.datetime, bool] = {}
    since = BEGIN
    for now in ticks:
        found = plan(schedule, since, done, now)
        since = found.settled
        expected = _expected(times, now, len(done), schedule.catch_up)
        told = [one.at for one in found.due], [one.at for one in found.missed]
        assert told == expected, (schedule, now)
        assert all(one.late == (now - one.at > GRACE) for one in found.due)
        for at in (*told[0], *told[1]):
            assert at not in done
            done[at] = at in told[0]
    assert sorted(done) == [at for at in times if at <= ticks[-1]]


# --- any state -------------------------------------------------------------------------------------------------------


@given(st.data())
@settings(max_examples=300 if FULL else 60, deadline=None)
def test_any_state(data: st.DataObject) -> None:
    """Whatever was done before: all open times are told once, none twice, and nothing that was never due."""
    chance = data.draw(st.randoms(use_true_random=False))
    schedule = _schedule(minutes.random_line(chance), data.draw(st.sampled_from(["latest", "all", "none"])))
    since = BEGIN + chance.random() * 300 * DAY
    now = since + chance.random() * 8 * DAY
    times = list(minutes.times(schedule.cron.value, PARIS, since, now))
    done = {at for at in times if chance.random() < 0.3}
    found = plan(schedule, since, done, now)
    told = [*(one.at for one in found.due), *(one.at for one in found.missed)]
    assert sorted(told) == [at for at in times if at not in done]
    assert schedule.catch_up == "all" or len(found.due) <= 1
    assert all(one.reason for one in found.missed if isinstance(one, Missed))
    assert all(one.until > one.at for one in found.due)
    # What is settled need not be looked at again, before or after what is due has been done.
    missed = {one.at for one in found.missed}
    assert plan(schedule, found.settled, done | missed, now).due == found.due
    after = plan(schedule, found.settled, done | missed | {one.at for one in found.due}, now)
    assert (after.due, after.missed) == ((), ())
