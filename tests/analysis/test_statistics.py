"""Student's t against published tables, predictions against textbook formulas and against simulation."""

from __future__ import annotations

import math
import random
from statistics import NormalDist, linear_regression, mean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadran.analysis.statistics import (
    predicted_by_line,
    predicted_mean,
    student_t_below,
    student_t_quantile,
)

# NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2: upper critical values of Student's t.
_PROBABILITIES = (0.90, 0.95, 0.975, 0.99, 0.995, 0.999)
_TABLE = {
    1: (3.078, 6.314, 12.706, 31.821, 63.657, 318.313),
    2: (1.886, 2.920, 4.303, 6.965, 9.925, 22.327),
    3: (1.638, 2.353, 3.182, 4.541, 5.841, 10.215),
    4: (1.533, 2.132, 2.776, 3.747, 4.604, 7.173),
    5: (1.476, 2.015, 2.571, 3.365, 4.032, 5.893),
    10: (1.372, 1.812, 2.228, 2.764, 3.169, 4.143),
    20: (1.325, 1.725, 2.086, 2.528, 2.845, 3.552),
    30: (1.310, 1.697, 2.042, 2.457, 2.750, 3.385),
    60: (1.296, 1.671, 2.000, 2.390, 2.660, 3.232),
    100: (1.290, 1.660, 1.984, 2.364, 2.626, 3.174),
}


@pytest.mark.parametrize("df", _TABLE)
def test_quantiles_are_those_of_the_table(df: int) -> None:
    found = [student_t_quantile(p, df) for p in _PROBABILITIES]
    assert found == pytest.approx(_TABLE[df], rel=2e-5, abs=8e-4)  # some last digits are cut, not rounded


def test_closed_forms() -> None:
    for p in (0.6, 0.8, 0.9, 0.99, 0.9999):
        assert student_t_quantile(p, 1) == pytest.approx(math.tan(math.pi * (p - 0.5)))
        two = (2 * p - 1) / math.sqrt(2 * p * (1 - p))
        assert student_t_quantile(p, 2) == pytest.approx(two)
        assert student_t_quantile(p, math.inf) == NormalDist().inv_cdf(p)
        assert student_t_quantile(p, 1e7) == pytest.approx(NormalDist().inv_cdf(p), rel=1e-5)


@given(st.floats(0.001, 0.999), st.floats(0.5, 500))
def test_quantile_and_distribution_are_inverse_and_symmetric(p: float, df: float) -> None:
    assert student_t_below(student_t_quantile(p, df), df) == pytest.approx(p, abs=1e-9)
    assert student_t_quantile(1 - p, df) == pytest.approx(-student_t_quantile(p, df), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(("p", "df"), [(0, 5), (1, 5), (-0.1, 5), (0.5, 0), (0.5, -1), (0.5, math.nan)])
def test_what_has_no_quantile(p: float, df: float) -> None:
    with pytest.raises(ValueError, match="no quantile"):
        student_t_quantile(p, df)


def test_the_next_of_independent_values() -> None:
    values = [10.0, 12.0, 14.0, 16.0, 18.0]
    made = predicted_mean(values)
    assert (made.value, made.df) == (14, 4)
    assert made.spread == pytest.approx(stdev(values) * math.sqrt(1.2))
    low, high = made.interval(0.95)
    assert (low, high) == (pytest.approx(14 - 2.7764 * made.spread, rel=1e-4), pytest.approx(28 - low))


def test_a_line_by_hand() -> None:
    xs, ys = [1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 5.0, 7.0]
    made = predicted_by_line(xs, ys, 5)
    assert made is not None
    # slope 1.6, intercept 0.5; residuals -0.1, 0.3, -0.3, 0.1: s² = 0.2 / 2
    assert (made.value, made.df) == (pytest.approx(8.5), 2)
    assert made.spread == pytest.approx(math.sqrt(0.1 * (1 + 1 / 4 + 2.5**2 / 5)))


@given(
    st.lists(st.tuples(st.integers(-99, 99), st.integers(-99, 99)), min_size=3, max_size=20),
    st.integers(-99, 99),
)
def test_a_line_is_the_standard_librarys(pairs: list[tuple[int, int]], x: int) -> None:
    xs, ys = [float(a) for a, _ in pairs], [float(b) for _, b in pairs]
    made = predicted_by_line(xs, ys, x)
    if len(set(xs)) == 1:
        assert made is None
        return
    slope, intercept = linear_regression(xs, ys)
    assert made is not None
    assert made.value == pytest.approx(intercept + slope * x, rel=1e-6, abs=1e-6)


def test_intervals_hold_as_often_as_they_say() -> None:
    dice, held = random.Random(7), {0.8: 0, 0.95: 0}
    for _ in range(1500):
        xs = [dice.uniform(0, 10) for _ in range(8)]
        ys = [3 + 2 * x + dice.gauss(0, 4) for x in xs]
        x = dice.uniform(0, 10)
        made, came = predicted_by_line(xs, ys, x), 3 + 2 * x + dice.gauss(0, 4)
        assert made is not None
        for level in held:
            low, high = made.interval(level)
            held[level] += low <= came <= high
    assert {level: n / 1500 for level, n in held.items()} == pytest.approx({0.8: 0.8, 0.95: 0.95}, abs=0.03)
    assert mean(held.values()) < 1500
