"""What the aggregate functions give for a list of values, nothing for none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from naive.tree import Number, Value


def aggregate(func: str, values: Sequence[Any], distinct: bool = False, q: float = 0.5) -> Number | None:
    """``values`` may hold NULLs, which no aggregate sees.

    "A count, or a sum, over no rows of a covered period is 0, and so is a sum over NULLs alone; every other
    aggregate is no data."
    """
    seen = [value for value in values if value is not None]
    if distinct:
        seen = list(set(seen))
    if func == "count":
        return len(seen)
    if func == "sum":
        return _number(sum(seen))
    if not seen:
        return None
    match func:
        case "min":
            return _number(min(seen))
        case "max":
            return _number(max(seen))
        case "avg":  # "other divisions, averages, medians and quantiles are floats"
            return float(_mean(seen))
        case "median":
            return float(_quantile(seen, Fraction(1, 2)))
        case "quantile":  # "quantile interpolates"
            return float(_quantile(seen, Fraction(str(q))))
        case "stddev":  # "stddev is the sample's"
            if len(seen) < 2:
                return None
            mean = _mean(seen)
            return math.sqrt(sum((Fraction(v) - mean) ** 2 for v in seen) / (len(seen) - 1))
    raise ValueError(func)


def _mean(values: Sequence[Number]) -> Fraction:
    return sum((Fraction(v) for v in values), Fraction(0)) / len(values)


def _quantile(values: Sequence[Number], q: Fraction) -> Fraction:
    ordered = sorted(Fraction(v) for v in values)
    place = q * (len(ordered) - 1)
    below = math.floor(place)
    above = math.ceil(place)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _number(value: Value) -> Number:
    assert isinstance(value, int | Decimal | float)
    return value
