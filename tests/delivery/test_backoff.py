"""When a message is tried again."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadran.deliver.backoff import BASE, CAP, LEAST, delay, next_try

NOW = dt.datetime(2026, 7, 1, 12, 0, tzinfo=dt.UTC)
DAY = NOW + dt.timedelta(days=1)
keys, attempts = st.text(max_size=64), st.integers(1, 10_000)


@given(keys, attempts)
def test_a_delay_lies_between_nothing_and_twice_as_much_as_before_up_to_an_hour(
    key: str, attempts: int
) -> None:
    most = min(CAP, BASE * 2.0 ** (attempts - 1) if attempts < 50 else CAP)
    assert LEAST <= delay(key, attempts) <= most
    assert delay(key, attempts) == delay(key, attempts), "the same try waits as long, wherever it is asked"


def test_those_that_failed_together_do_not_come_back_together() -> None:
    delays = sorted(delay(f"key {i}", 5) for i in range(1000))
    quarters = [sum(at * 240 <= each < (at + 1) * 240 for each in delays) for at in range(4)]
    assert all(200 < count < 300 for count in quarters), quarters


@given(keys, attempts, st.none() | st.floats(0, 200_000), st.integers(-10, 100_000))
def test_nothing_is_tried_before_it_is_asked_for_or_at_its_deadline(
    key: str, attempts: int, asked: float | None, left: int
) -> None:
    deadline = NOW + dt.timedelta(seconds=left)
    due = next_try(key, attempts, NOW, deadline, asked)
    if due is not None:
        assert due < deadline
        assert (due - NOW).total_seconds() >= (asked or 0) - 1e-6
    else:
        assert max(delay(key, attempts), asked or 0) >= left


@pytest.mark.parametrize(("asked", "minutes"), [(7200, 120), (86_399, 1439.98), (86_400, None)])
def test_retry_after_is_respected_beyond_the_cap(asked: float, minutes: float | None) -> None:
    due = next_try("key", 1, NOW, DAY, asked)
    found = None if due is None else round((due - NOW).total_seconds() / 60, 2)
    assert found == minutes
