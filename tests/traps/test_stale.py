"""Data that stopped: zeros of periods after the newest row look like nothing happened."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from .small import run

TEXT = """\
datasets: {orders: {from: files.orders, key: id, date: day}}
kpis: {number: {formula: count(orders), period: %s}}
"""
ROWS = "id,day\n1,2026-03-02\n2,2026-04-29\n"


@pytest.mark.parametrize(
    ("period", "clock", "said"),
    [
        ("month", dt.date(2026, 5, 20), False),  # April is the newest final month, and it has rows
        ("month", dt.date(2026, 6, 1), True),  # May has none
        ("week", dt.date(2026, 5, 11), False),  # one empty week
        ("week", dt.date(2026, 5, 18), True),
        ("day", dt.date(2026, 5, 4), False),  # a long weekend
        ("day", dt.date(2026, 5, 6), True),
    ],
)
def test_a_source_that_stopped_is_said(tmp_path: Path, period: str, clock: dt.date, said: bool) -> None:
    warnings = run(tmp_path, TEXT % period, {"orders": ROWS}, as_of=clock).warnings
    assert [w.code for w in warnings] == ["stale-data"] * said
    if said:
        assert warnings[0].message.startswith("the newest row of 'orders' is of 2026-04-29: ")


def test_what_lies_ahead_or_is_valid_is_not_taken_for_stale(tmp_path: Path) -> None:
    text = """\
    datasets: {customers: {from: files.customers, key: id, date: begins, valid: [begins, ends]}}
    kpis: {customers_there: {formula: closing(count(customers)), period: month}}
    """
    rows = "id,begins,ends\n1,2025-03-02,\n"
    assert run(tmp_path, text, {"customers": rows}, as_of=dt.date(2026, 6, 1)).warnings == ()
