"""Funnels: how many of those who entered in a period reached each step, and how long it took them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cadran.analysis.answers import FunnelAnswer, FunnelFigures, StepFigures
from cadran.analysis.asking import Asking, Found
from cadran.compute.results import Number, Row
from cadran.declare.funnels import kpi_name
from cadran.declare.model import Funnel, Step

PERIODS = 13  # as many as a KPI shows unless told otherwise


@dataclass(frozen=True, slots=True)
class FunnelAnalysis:
    funnel: Funnel
    periods: int = PERIODS

    def ask(self, asking: Asking) -> None:
        for number, step in enumerate(self.funnel.steps):
            for what in ("count", "days", "skipped")[: 3 if number else 1]:
                asking.need(kpi_name(self.funnel.name, what, step), self.periods)

    def answer(self, found: Found) -> FunnelAnswer:
        entered = found.rows(kpi_name(self.funnel.name, "count", self.funnel.steps[0]))
        return FunnelAnswer(self.funnel.name, tuple(self._figures(row, found) for row in entered))

    def _figures(self, entered: Row, found: Found) -> FunnelFigures:
        return FunnelFigures(
            entered.grain, entered.period, entered.period_start, entered.period_end, entered.state,
            entered.segment, entered.segment_value, tuple(self._steps(entered, found)),
        )  # fmt: skip

    def _steps(self, entered: Row, found: Found) -> Iterator[StepFigures]:
        first = before = int(entered.value or 0)
        for number, step in enumerate(self.funnel.steps):
            count = int(self._value("count", step, entered, found) or 0)
            days = self._value("days", step, entered, found) if number else None
            skipped = self._value("skipped", step, entered, found) if number else None
            yield StepFigures(
                step.name, count,
                share(count, before) if number else None, share(count, first),
                None if days is None else float(days), int(skipped or 0),
            )  # fmt: skip
            before = count

    def _value(self, what: str, step: Step, at: Row, found: Found) -> Number | None:
        name = kpi_name(self.funnel.name, what, step)
        row = found.row(name, at.grain, at.period, at.segment, at.segment_value)
        return row.value if row is not None else None


def share(part: int, whole: int) -> float | None:
    """None of nothing is no data, not 0."""
    return part / whole if whole else None
