"""How sure a difference is, against published values, and by simulation."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadran.analysis.intervals import (
    Sample,
    means,
    newcombe,
    shares,
    t_distribution,
    t_quantile,
    welch,
    wilson,
)


@pytest.mark.parametrize(
    ("freedom", "p90", "p95", "p975", "p995"),
    [  # the table that every textbook prints
        (1, 3.078, 6.314, 12.706, 63.657),
        (2, 1.886, 2.920, 4.303, 9.925),
        (3, 1.638, 2.353, 3.182, 5.841),
        (5, 1.476, 2.015, 2.571, 4.032),
        (10, 1.372, 1.812, 2.228, 3.169),
        (20, 1.325, 1.725, 2.086, 2.845),
        (30, 1.310, 1.697, 2.042, 2.750),
        (60, 1.296, 1.671, 2.000, 2.660),
        (120, 1.289, 1.658, 1.980, 2.617),
        (1e9, 1.282, 1.645, 1.960, 2.576),
    ],
)
def test_students_t(freedom: float, p90: float, p95: float, p975: float, p995: float) -> None:
    found = [t_quantile(p, freedom) for p in (0.90, 0.95, 0.975, 0.995)]
    assert [round(t, 3) for t in found] == [p90, p95, p975, p995]


@given(st.floats(0.5, 0.9999), st.floats(1, 1e6))
def test_the_quantile_is_where_the_distribution_says(probability: float, freedom: float) -> None:
    assert t_distribution(t_quantile(probability, freedom), freedom) == pytest.approx(probability, abs=1e-7)


@pytest.mark.parametrize(
    ("counts", "interval"),
    [  # R. G. Newcombe (1998), table II, method 10
        ((56, 70, 48, 80), (0.0524, 0.3339)),
        ((9, 10, 3, 10), (0.1705, 0.8090)),
        ((5, 56, 0, 29), (-0.0381, 0.1926)),
        ((0, 10, 0, 20), (-0.1611, 0.2775)),
        ((10, 10, 0, 20), (0.6791, 1.0000)),
        ((10, 10, 0, 10), (0.6075, 1.0000)),
    ],
)
def test_newcombes_examples(counts: tuple[int, int, int, int], interval: tuple[float, float]) -> None:
    low, high = newcombe(*counts)
    assert (round(low, 4), round(high, 4)) == interval


def test_wilsons_interval_lies_within_0_and_1() -> None:
    assert [round(x, 4) for x in wilson(81, 263)] == [
        0.2553,
        0.3662,
    ]  # Newcombe (1998), single proportion, method 3
    assert wilson(0, 20)[0] == pytest.approx(0, abs=1e-12) and wilson(20, 20)[1] == pytest.approx(1)


def test_welch_by_hand() -> None:
    """The worked example of docs/before-and-after.md: 40 deals, then 50."""
    before, after = Sample(40, 2000.0, 600.0), Sample(50, 2300.0, 700.0)
    # 600²/40 = 9000, 700²/50 = 9800; 18800² / (9000²/39 + 9800²/49) = 87.6; t = 1.987; √18800 = 137.1
    low, high = welch(after, before)
    assert (round(low, 1), round(high, 1)) == (27.5, 572.5)
    assert welch(before, after) == (-high, -low)
    assert welch(Sample(3, 5.0, 0.0), Sample(3, 4.0, 0.0)) == (1.0, 1.0)


def test_too_few_to_tell() -> None:
    assert shares(3, 10, 4, 10) is None  # 3.5 hits are to be expected on a side
    assert shares(198, 200, 199, 200) is None  # 1.5 misses
    assert shares(0, 0, 5, 10) is None
    assert shares(30, 100, 40, 100) == newcombe(30, 100, 40, 100)
    assert means(Sample(29, 1, 1), Sample(500, 1, 1)) is None
    assert means(Sample(30, 1, 1), Sample(30, 1, 1)) is not None


@pytest.mark.parametrize(("p", "q", "n", "m"), [(0.4, 0.3, 90, 120), (0.1, 0.1, 60, 400), (0.9, 0.7, 50, 50)])
def test_of_shares_95_in_100_intervals_hold_the_truth(p: float, q: float, n: int, m: int) -> None:
    chance, trials = random.Random(20), 3000
    held = 0
    for _ in range(trials):
        hits, others = (sum(chance.random() < share for _ in range(size)) for share, size in ((p, n), (q, m)))
        low, high = newcombe(hits, n, others, m)
        held += low <= p - q <= high
    assert 0.93 <= held / trials <= 0.97


@pytest.mark.parametrize(("spread", "n", "m"), [(1.0, 30, 30), (3.0, 30, 80)])
def test_of_means_95_in_100_intervals_hold_the_truth(spread: float, n: int, m: int) -> None:
    chance, trials = random.Random(21), 2000
    held = 0
    for _ in range(trials):
        one = sample([chance.gauss(10, 1) for _ in range(n)])
        other = sample([chance.gauss(12, spread) for _ in range(m)])
        low, high = welch(one, other)
        held += low <= -2 <= high
    assert 0.93 <= held / trials <= 0.97


def test_of_skewed_amounts_too() -> None:
    """Amounts are skewed; from 30 on each side the interval is near enough to what it says."""
    chance, trials = random.Random(22), 2000
    held = 0
    for _ in range(trials):
        one = sample([chance.expovariate(1 / 100) for _ in range(40)])
        other = sample([chance.expovariate(1 / 120) for _ in range(50)])
        low, high = welch(one, other)
        held += low <= -20 <= high
    assert 0.93 <= held / trials <= 0.97


def sample(values: list[float]) -> Sample:
    mean = math.fsum(values) / len(values)
    deviation = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1))
    return Sample(len(values), mean, deviation)
