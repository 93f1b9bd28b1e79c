"""The change of a sum or a ratio split over the values of a segment, exactly.

A sum's change is the sum of its parts' changes. A ratio's is split into what came from each part's own rate and what came
from its weight, by the symmetric (midpoint) form of

    E. M. Kitagawa, "Components of a Difference Between Two Rates", Journal of the American Statistical Association 50
    (1955), 1168-1194 (rates and composition; the combined term is shared equally), and
    T. L. Bennet, "The Theory of Measurement of Changes in Cost of Living", Journal of the Royal Statistical Society 83
    (1920), 455-462 (each difference is weighed by the mean of the two states).

With weights ``w = D_s / D``, rates ``r = N_s / D_s``, the ratio ``R = N / D``, and ``M`` the mean of its two values:

    rate effect = (w1 + w0) / 2 * (r1 - r0)
    mix effect  = (w1 - w0) * ((r1 + r0) / 2 - M)

so that a part which grows adds as much as its rate lies above the whole's. Together they are
``N_s1 / D1 - N_s0 / D0 - M * (w1 - w0)``, which over all parts gives ``R1 - R0``, as weights add up to 1. Where they do not
(somebody is counted under two values), the rest is a part of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

NOISE = Fraction(1, 10**9)  # relative: what sums of floats are off by


@dataclass(frozen=True, slots=True)
class State:
    """Numerator and denominator, of the whole or of one part, at one time."""

    numerator: Fraction = Fraction(0)
    denominator: Fraction = Fraction(0)

    @property
    def rate(self) -> Fraction | None:
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True, slots=True)
class Effect:
    """What a part brought to a change. Of a sum all of it is ``rate``."""

    rate: Fraction
    mix: Fraction = Fraction(0)

    @property
    def total(self) -> Fraction:
        return self.rate + self.mix


def of_sum(then: Fraction, now: Fraction) -> Effect:
    return Effect(now - then)


def of_ratio(then: State, now: State, whole_then: State, whole_now: State) -> Effect:
    """The effect of one part. The whole's denominators are not 0.

    A part that appears or vanishes (its denominator is 0 at one time) is all mix, with the one rate that is known; what
    stands in a numerator without a denominator of its own counts as rate.
    """
    w0, w1 = then.denominator / whole_then.denominator, now.denominator / whole_now.denominator
    mean = (whole_then.numerator / whole_then.denominator + whole_now.numerator / whole_now.denominator) / 2
    both = now.numerator / whole_now.denominator - then.numerator / whole_then.denominator - mean * (w1 - w0)
    r0, r1 = then.rate, now.rate
    if r0 is not None and r1 is not None:
        rate = (w1 + w0) / 2 * (r1 - r0)
        return Effect(rate, both - rate)
    known = r1 if r0 is None else r0
    mix = (w1 - w0) * (known - mean) if known is not None else Fraction(0)
    return Effect(both - mix, mix)


def is_noise(rest: Fraction, scale: Sequence[Fraction]) -> bool:
    """Whether a rest comes from adding floats in another order, and not from the data."""
    return abs(rest) <= NOISE * max((abs(x) for x in scale), default=Fraction(0))


def rounded(values: Sequence[Fraction], unit: Fraction, total: Fraction | None = None) -> list[Fraction]:
    """Multiples of ``unit`` that add up to the rounded sum, by the largest remainder: no value is off by a whole unit.

    ``total`` is the sum where it was rounded before, as one of several."""
    floors = [math.floor(value / unit) for value in values]
    remainders = [value / unit - floor for value, floor in zip(values, floors, strict=True)]
    wanted = half_up((sum(values, Fraction(0)) if total is None else total) / unit) - sum(floors)
    up = sorted(range(len(values)), key=lambda i: (-remainders[i], i))[:wanted]
    return [(floor + (i in up)) * unit for i, floor in enumerate(floors)]


def half_up(value: Fraction) -> int:
    """To the nearest whole number, halves away from zero, as figures are rounded everywhere else."""
    whole = math.floor(abs(value) + Fraction(1, 2))
    return whole if value >= 0 else -whole


def stands_out(effects: Iterable[tuple[Effect, Fraction]], change: Fraction) -> Fraction:
    """How much the two largest parts brought beyond what they would have, had all moved alike.

    ``effects`` come with each part's mean weight. A segment whose values all moved alike explains nothing, however
    large its parts are; two parts, so that many small values do not win by their noise.
    """
    excess = sorted((abs(e.total - weight * change) for e, weight in effects), reverse=True)
    return sum(excess[:2], Fraction(0))
