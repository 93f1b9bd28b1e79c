"""Axes: round numbers that enclose the data, and where a value falls between them. Exact until a pixel is due."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal

_CONTEXT = Context(prec=40)
_STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))


@dataclass(frozen=True, slots=True)
class Scale:
    """From ``low`` (at pixel ``bottom``) to ``high`` (at pixel ``top``), with a tick at every ``step``."""

    low: Decimal
    high: Decimal
    step: Decimal
    bottom: float
    top: float

    def y(self, value: Decimal) -> float:
        share = _CONTEXT.divide(_CONTEXT.subtract(value, self.low), _CONTEXT.subtract(self.high, self.low))
        return round(self.bottom - float(share) * (self.bottom - self.top), 4)

    @property
    def ticks(self) -> list[Decimal]:
        count = int(_CONTEXT.divide(_CONTEXT.subtract(self.high, self.low), self.step))
        return [_CONTEXT.add(self.low, self.step * i) for i in range(count + 1)]


def nice_scale(values: Iterable[Decimal], bottom: float, top: float, *, zero: bool, ticks: int = 4) -> Scale:
    """Round bounds around ``values`` (not empty). ``zero`` keeps the origin in sight, as bars need it."""
    known = list(values) + [Decimal(0)] * zero
    low, high = min(known), max(known)
    if low == high:  # a flat series still needs some height
        pad = low.copy_abs() / 10 or Decimal(1)
        low, high = (low - pad if low else low), high + pad
    elif not zero:  # a line keeps off the edges, where labels stand
        pad = (high - low) / 12
        low, high = (low if 0 <= low < pad else low - pad), high + pad
    step = nice_step((high - low) / ticks)
    first = (low / step).to_integral_value("ROUND_FLOOR") * step
    last = (high / step).to_integral_value("ROUND_CEILING") * step
    if min(known) >= 0 > first:
        first = Decimal(0)
    return Scale(first, last, step, bottom, top)


def nice_step(rough: Decimal) -> Decimal:
    """The next of 1, 2, 2.5, 5 times a power of ten."""
    power = Decimal(1).scaleb(rough.adjusted())
    return next(step * power for step in _STEPS if step * power >= rough)
