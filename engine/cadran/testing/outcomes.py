"""What comes of a test: which expectations were not met, and what stood behind the figures."""

from __future__ import annotations

from dataclasses import dataclass

from cadran.compute.results import Number
from cadran.problems import Position


@dataclass(frozen=True, slots=True)
class Miss:
    """One expectation that was not met. ``what`` is a KPI, or an alert of one, or empty where rows cannot be computed.

    ``expected``, ``got`` and ``difference`` are as people write them. ``measures`` are the parts of the KPI's formula
    with their values in this period, for this segment value.
    """

    message: str
    where: Position | None
    what: str = ""
    period: str = ""
    segment: str = ""
    expected: str = ""
    got: str = ""
    difference: str = ""
    measures: tuple[tuple[str, Number | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """One test that was run; it is passed where nothing was missed."""

    name: str
    where: Position
    seconds: float
    misses: tuple[Miss, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.misses
