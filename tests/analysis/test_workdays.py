"""Working days: weekends, public holidays of countries and their parts, and days named by a team."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys

import pytest

from cadran.analysis.workdays import working_days
from cadran.declare.model import Holidays

D = dt.date


@pytest.mark.parametrize(
    ("first", "end", "holidays", "days"),
    [
        (D(2026, 6, 1), D(2026, 7, 1), Holidays(), 22),
        (D(2026, 5, 1), D(2026, 6, 1), Holidays(), 21),
        # Labour Day, Victory Day, Ascension and Whit Monday; 2026-05-01 and -08 are Fridays
        (D(2026, 5, 1), D(2026, 6, 1), Holidays(("FR",)), 17),
        (D(2026, 5, 1), D(2026, 6, 1), Holidays(("FR",), frozenset({D(2026, 5, 15), D(2026, 5, 16)})), 16),
        (D(2026, 4, 1), D(2026, 5, 1), Holidays(("FR",)), 21),  # Easter Monday
        (D(2026, 4, 1), D(2026, 5, 1), Holidays(("FR-57",)), 20),  # and Good Friday in Moselle
        (D(2025, 12, 25), D(2026, 1, 2), Holidays(("FR",)), 4),  # over the end of a year
        (D(2026, 7, 4), D(2026, 7, 6), Holidays(), 0),
        (D(2026, 7, 5), D(2026, 7, 5), Holidays(), 0),
        (D(2026, 7, 6), D(2026, 7, 5), Holidays(), 0),
    ],
)
def test_working_days(first: dt.date, end: dt.date, holidays: Holidays, days: int) -> None:
    assert working_days(first, end, holidays) == days


def test_the_library_of_holidays_is_loaded_only_for_countries() -> None:
    code = """
import datetime as dt, sys
from cadran.analysis.workdays import working_days
from cadran.declare.model import Holidays
import cadran.declare.load
working_days(dt.date(2026, 1, 1), dt.date(2026, 2, 1), Holidays((), frozenset({dt.date(2026, 1, 1)})))
sys.exit("holidays" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
