"""The four operations, with nothing and with exactness."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

from naive.tree import Node, Num, Number


def arithmetic(op: str, left: Number | None, right: Number | None, written: Node) -> Number | None:
    """The text: "No data spreads through arithmetic", "`x / 0` is no data", "integers and decimals stay exact through sums,
    differences, products and division by a power of ten; other divisions … are floats"."""
    if left is None or right is None:
        return None
    exact = not isinstance(left, float) and not isinstance(right, float)
    a: Any = Fraction(left) if exact else float(left)
    b: Any = Fraction(right) if exact else float(right)
    match op:
        case "+":
            result = a + b
        case "-":
            result = a - b
        case "*":
            result = a * b
        case _:
            if right == 0:
                return None
            result = a / b
            exact = exact and isinstance(written, Num) and power_of_ten(right)
    return as_decimal(result) if exact else float(result)


def power_of_ten(number: Number) -> bool:
    return number > 0 and math.log10(number) == round(math.log10(number))


def as_decimal(exact: Fraction) -> Decimal | int:
    if exact.denominator == 1:
        return exact.numerator
    with localcontext() as context:
        context.prec = 100
        return Decimal(exact.numerator) / Decimal(exact.denominator)
