"""How sure a difference is: 95 % confidence intervals for the difference of two shares and of two means.

Shares: the hybrid score interval without continuity correction, method 10 of R. G. Newcombe, "Interval estimation for the
difference between independent proportions: comparison of eleven methods", Statistics in Medicine 17 (1998), 873-890, from the
score interval of E. B. Wilson, Journal of the American Statistical Association 22 (1927), 209-212.

Means: B. L. Welch, "The generalization of 'Student's' problem when several different population variances are involved",
Biometrika 34 (1947), 28-35, with the degrees of freedom of F. E. Satterthwaite, Biometrics Bulletin 2 (1946), 110-114.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

LEVEL = 0.95
FEWEST_ROWS = (
    30  # of each side of a mean: from about there on the mean of skewed amounts is near enough to normal
)
FEWEST_EXPECTED = (
    5  # hits and misses to be expected on each side of a share (Cochran, Biometrics 10 (1954), 417-451)
)
_Z = NormalDist().inv_cdf((1 + LEVEL) / 2)


@dataclass(frozen=True, slots=True)
class Sample:
    """``number`` values with their mean and standard deviation."""

    number: int
    mean: float
    deviation: float


def shares(hits: int, number: int, other_hits: int, other_number: int) -> tuple[float, float] | None:
    """The interval for ``hits / number - other_hits / other_number``; None where there are too few to tell."""
    pooled = (hits + other_hits) / (number + other_number) if number + other_number else 0.0
    if min(number, other_number) * min(pooled, 1 - pooled) < FEWEST_EXPECTED:
        return None
    return newcombe(hits, number, other_hits, other_number)


def newcombe(hits: int, number: int, other_hits: int, other_number: int) -> tuple[float, float]:
    p, q = hits / number, other_hits / other_number
    (low, high), (other_low, other_high) = wilson(hits, number), wilson(other_hits, other_number)
    return p - q - math.hypot(p - low, other_high - q), p - q + math.hypot(high - p, q - other_low)


def wilson(hits: int, number: int) -> tuple[float, float]:
    share, squared = hits / number, _Z * _Z
    middle = (hits + squared / 2) / (number + squared)
    half = _Z / (number + squared) * math.sqrt(number * share * (1 - share) + squared / 4)
    return middle - half, middle + half


def means(one: Sample, other: Sample) -> tuple[float, float] | None:
    """The interval for ``one.mean - other.mean``; None where there are too few to tell."""
    return welch(one, other) if min(one.number, other.number) >= FEWEST_ROWS else None


def welch(one: Sample, other: Sample) -> tuple[float, float]:
    a, b = (s.deviation**2 / s.number for s in (one, other))
    difference = one.mean - other.mean
    if not a + b:
        return difference, difference
    freedom = (a + b) ** 2 / (a**2 / (one.number - 1) + b**2 / (other.number - 1))
    half = t_quantile((1 + LEVEL) / 2, freedom) * math.sqrt(a + b)
    return difference - half, difference + half


# --- Student's t ------------------------------------------------------------------------------------------------------


def t_quantile(probability: float, freedom: float) -> float:
    """The value below which Student's t lies with a probability of at least one half.

    Newton's method from the normal quantile: it lies below, and above 0 the distribution is concave, so each step stays below.
    """
    t = NormalDist().inv_cdf(probability)
    for _ in range(200):
        step = (probability - t_distribution(t, freedom)) / _t_density(t, freedom)
        t += step
        if abs(step) <= 1e-12 * max(1.0, abs(t)):
            break
    return t


def t_distribution(t: float, freedom: float) -> float:
    """The probability that Student's t lies below ``t >= 0`` (NIST Digital Library of Mathematical Functions, 8.17)."""
    return 1 - _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t)) / 2


def _t_density(t: float, freedom: float) -> float:
    log = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - math.log(freedom * math.pi) / 2
    return math.exp(log - (freedom + 1) / 2 * math.log1p(t * t / freedom))


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularized one: from whichever side its continued fraction converges quickly (DLMF 8.17.4, 8.17.22)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    log = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    if x > (a + 1) / (a + b + 2):
        return 1 - math.exp(log) * _fraction(b, a, 1 - x) / b
    return math.exp(log) * _fraction(a, b, x) / a


def _fraction(a: float, b: float, x: float) -> float:
    """1 / (1 + d1 / (1 + d2 / (1 + …))), by Lentz's method (Applied Optics 15 (1976), 668-671)."""
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d, c = 1 / (1 + term * d), 1 + term / c
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value
