"""A value against its target."""

from __future__ import annotations

from decimal import Decimal

from cadran.compute.results import Number, State, Status
from cadran.declare.model import Good


def status(
    value: Number | None,
    low: Number | None,
    high: Number | None,
    *,
    good: Good,
    tolerance: Decimal,
    state: State,
) -> Status:
    """``at_risk`` is a miss by at most ``tolerance`` of the target; only final values are judged.

    With ``high`` the target is the range from ``low`` to ``high``, both ends included.
    """
    if state != "final":
        return "not_judged"
    if value is None:
        return "no_data"
    if low is None:
        return "no_target"
    miss, against = _miss(
        Decimal(str(value)), Decimal(str(low)), None if high is None else Decimal(str(high)), good
    )
    if miss <= 0:
        return "on_target"
    return "at_risk" if miss <= tolerance * abs(against) else "off_target"


def _miss(value: Decimal, low: Decimal, high: Decimal | None, good: Good) -> tuple[Decimal, Decimal]:
    """By how much the target is missed (negative: exceeded), and the bound that it is measured against."""
    if high is not None:
        return max((low - value, low), (value - high, high), key=lambda pair: pair[0])
    return (low - value, low) if good == "up" else (value - low, low)
