"""Small statistics, each with its source, so that no library has to be loaded for them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean

_TINY = 1e-300
_PRECISE = 1e-15


def student_t_quantile(p: float, df: float) -> float:
    """The value that Student's t with ``df`` degrees of freedom stays below with probability ``p`` (0 < p < 1).

    ``df`` may be any positive number; infinite gives the normal distribution. The distribution function is the
    incomplete beta function (Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.1), and is inverted by
    bisection. Raises ValueError outside these ranges.
    """
    if not 0 < p < 1 or not df > 0:
        raise ValueError(f"no quantile {p} of Student's t with {df} degrees of freedom")
    if p == 0.5:
        return 0.0
    if math.isinf(df):
        return NormalDist().inv_cdf(p)
    if p < 0.5:
        return -student_t_quantile(1 - p, df)
    high = 1.0
    while student_t_below(high, df) < p:
        high *= 2
    low = 0.0
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if student_t_below(middle, df) < p else (low, middle)
    return (low + high) / 2


def student_t_below(value: float, df: float) -> float:
    """The probability that Student's t with ``df`` degrees of freedom is at most ``value``."""
    square = value * value
    beyond = 0.5 * _incomplete_beta(df / 2, 0.5, df / (df + square), square / (df + square))
    return 1 - beyond if value > 0 else beyond


def _incomplete_beta(a: float, b: float, x: float, rest: float) -> float:
    """The regularized incomplete beta function at ``x``, of which ``rest`` is 1 − x without loss where x is close to 1.

    By its continued fraction (NIST DLMF 8.17.22).
    """
    if x <= 0 or rest <= 0:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):  # where the fraction converges slowly: the other side of the symmetry
        return 1 - _incomplete_beta(b, a, rest, x)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(front) / a / _fraction(_beta_terms(a, b, x))


def _beta_terms(a: float, b: float, x: float) -> Iterator[float]:
    for m in range(1000):
        if m:
            yield m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        yield -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))


def _fraction(terms: Iterator[float]) -> float:
    """``1 + t1 / (1 + t2 / (1 + …))`` by Lentz's method, as Thompson and Barnett (1986) have it."""
    value, c, d = 1.0, 1.0, 0.0
    for term in terms:
        d = 1 / _not_zero(1 + term * d)
        c = _not_zero(1 + term / c)
        value *= c * d
        if abs(c * d - 1) < _PRECISE:
            break
    return value


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


@dataclass(frozen=True, slots=True)
class Prediction:
    """One value foretold: ``spread`` is the standard error of the prediction, with ``df`` degrees of freedom."""

    value: float
    spread: float
    df: float

    def interval(self, level: float) -> tuple[float, float]:
        """The prediction interval that holds the value with probability ``level``."""
        reach = student_t_quantile((1 + level) / 2, self.df) * self.spread
        return self.value - reach, self.value + reach


def predicted_mean(values: Sequence[float]) -> Prediction:
    """The next of independent values: their mean, with spread ``s · √(1 + 1/n)`` and n − 1 degrees of freedom.

    Source: Montgomery and Runger, Applied Statistics and Probability for Engineers, prediction interval for a future
    observation. Needs two values or more.
    """
    mean, n = fmean(values), len(values)
    variance = math.fsum((value - mean) ** 2 for value in values) / (n - 1)
    return Prediction(mean, math.sqrt(variance * (1 + 1 / n)), n - 1)


def predicted_by_line(xs: Sequence[float], ys: Sequence[float], x: float) -> Prediction | None:
    """What ``y`` is at ``x`` by ordinary least squares, with the prediction interval of a new observation.

    The spread is ``s · √(1 + 1/n + (x − x̄)² / Σ(xᵢ − x̄)²)``, s² the residuals' sum of squares over n − 2. Source: Draper
    and Smith, Applied Regression Analysis, 3rd ed., section 3.1. Needs three pairs or more; None where the xs do not vary.
    """
    n, mean_x, mean_y = len(xs), fmean(xs), fmean(ys)
    sxx = math.fsum((value - mean_x) ** 2 for value in xs)
    if sxx <= (1e-12 * max(map(abs, xs), default=0.0)) ** 2 * n:
        return None
    slope = math.fsum((a - mean_x) * (b - mean_y) for a, b in zip(xs, ys, strict=True)) / sxx
    residuals = (b - mean_y - slope * (a - mean_x) for a, b in zip(xs, ys, strict=True))
    variance = math.fsum(residual**2 for residual in residuals) / (n - 2)
    spread = math.sqrt(variance * (1 + 1 / n + (x - mean_x) ** 2 / sxx))
    return Prediction(mean_y + slope * (x - mean_x), spread, n - 2)
