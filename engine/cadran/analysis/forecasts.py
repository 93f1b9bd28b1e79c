"""Forecasts: what the open deals of a pipeline, and those still to come, will bring, and how good such forecasts were."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from cadran.analysis.answers import (
    ForecastAnswer,
    ForecastFigures,
    ForecastStage,
    ForecastTest,
    Interval,
    PastForecast,
)
from cadran.analysis.asking import Asking, Found
from cadran.analysis.outlook import LOOKED_BACK, TESTED, Forecaster, Moment, Outlook, Tried, Window
from cadran.analysis.pace import LEVELS
from cadran.analysis.pipeline import Deal, Pipeline, Stage, Visit
from cadran.analysis.projection import error
from cadran.calendar import Calendar, Period
from cadran.compute.cells.computed import Listing
from cadran.compute.spans import midnight
from cadran.declare.forecasts import kpi_name
from cadran.declare.model import Forecast
from cadran.formula.measures import Measure, leaves_in

_NONE = "(none)"


@dataclass(slots=True)
class ForecastAnalysis:
    forecast: Forecast
    _asking: Asking = field(init=False)

    def ask(self, asking: Asking) -> None:
        self._asking = asking
        made, model = self.forecast, asking.model
        asking.need(kpi_name(made.name), 1)
        by = [model.dimensions[made.segment, made.dataset]] if made.segment else []
        deals = Listing(
            made.dataset, (*model.datasets[made.dataset].key, made.won_column), times=("from", "to"),
            bound=tuple(exp.cast(node.copy(), "VARCHAR") for node in by),
            amount=self._measure if made.amount_column is not None else None,
        )  # fmt: skip
        asking.list(self._named("deals"), deals)
        columns, _ = model.datasets[made.stages].links[made.link]
        stage = exp.cast(exp.column(made.stage_column, quoted=True), "VARCHAR")
        visits = Listing(made.stages, (), times=("from",), bound=(stage, *(node.copy() for node in columns)))
        asking.list(self._named("visits"), visits)

    @property
    def _measure(self) -> Measure:
        model = self._asking.model
        (number,) = leaves_in(model.kpis[kpi_name(self.forecast.name)].value)
        return model.leaves[number].measure

    def _named(self, what: str) -> str:
        return f"forecasts.{self.forecast.name}.{what}"

    # --- rows ---------------------------------------------------------------------------------------------------------

    def _deals(self, rows: Sequence[Sequence[Any]]) -> Iterator[Deal]:
        keys = len(self._asking.model.datasets[self.forecast.dataset].key)
        for row in rows:
            won, opened, closed, *rest = row[keys:]
            if opened is None:
                continue  # nobody knows since when
            segment = (rest.pop(0) or _NONE) if self.forecast.segment else ""
            amount = 1.0 if self.forecast.amount_column is None else float(rest[0] or 0.0)
            end = None if closed is None else self._local(closed)
            yield Deal(tuple(row[:keys]), self._local(opened), end, bool(won), amount, segment)

    def _visits(self, rows: Sequence[Sequence[Any]]) -> Iterator[Visit]:
        for entered, stage, *key in rows:
            if entered is not None and stage:
                yield Visit(tuple(key), stage, self._local(entered))

    def _local(self, value: dt.date) -> dt.datetime:
        """A date as its first instant, an instant as local time."""
        if not isinstance(value, dt.datetime):
            return midnight(value)
        return (
            value
            if value.tzinfo is None
            else value.astimezone(self._asking.calendar.zone).replace(tzinfo=None)
        )

    # --- answering ----------------------------------------------------------------------------------------------------

    def answer(self, found: Found) -> ForecastAnswer:
        deals = list(self._deals(found.listed[self._named("deals")]))
        visits = self._visits(found.listed[self._named("visits")])
        periods = [*_periods(self._asking.calendar, self.forecast, self._asking.clock.today)]
        forecaster = Forecaster(Pipeline(deals, visits), [*_moments(periods, self.forecast, self._asking)])
        tries = list(forecaster.tests())
        return ForecastAnswer(
            self.forecast.name,
            str(self.forecast.grain),
            self._unit(),
            tuple(self._figures(forecaster, deals, periods)),
            tuple(self._stages(forecaster)),
            tuple(_tests(tries, self.forecast.horizon)),
            tuple(self._past(tries, periods)),
        )

    def _unit(self) -> str:
        """The currency of the amounts, where it is known."""
        money = self._measure.money
        if money is None:
            return ""
        return self._asking.declaration.currency if self._measure.convert else money.code

    def _figures(
        self, forecaster: Forecaster, deals: Sequence[Deal], periods: Sequence[Period]
    ) -> Iterator[ForecastFigures]:
        values = sorted({deal.segment for deal in deals}) if self.forecast.segment else []
        for value in (None, *values):
            segment = () if value is None else (self.forecast.segment,)
            at = () if value is None else (value,)
            for period, outlook in zip(self._ahead(periods), forecaster.now(value), strict=True):
                yield ForecastFigures(
                    self._label(period), period.start, period.last_day, segment, at,
                    outlook.won, outlook.open, outlook.new,
                    None if outlook.total is None else outlook.total.value, _intervals(outlook),
                )  # fmt: skip

    def _ahead(self, periods: Sequence[Period]) -> Sequence[Period]:
        """Those that it is made for; ``periods`` begin with the last of them and go back."""
        return list(reversed(periods[: self.forecast.horizon]))

    def _label(self, period: Period) -> str:
        return self._asking.calendar.label(period)

    def _stages(self, forecaster: Forecaster) -> Iterator[ForecastStage]:
        """Where the open deals stand, in the order in which deals usually come there."""
        stages: dict[str, list[float]] = {}
        for one, _ in forecaster.standing.open:
            stages.setdefault(one.stage, []).append(one.deal.amount)
        histories = {name: forecaster.standing.history.get(name, Stage()) for name in stages}
        for name, history in sorted(histories.items(), key=lambda item: (-(item[1].days or 0), item[0])):
            yield ForecastStage(
                name, len(stages[name]), math.fsum(stages[name]), history.rate, history.days, len(history.decided)
            )  # fmt: skip

    def _past(self, tries: Sequence[Tried], periods: Sequence[Period]) -> Iterator[PastForecast]:
        for tried in tries:
            assert tried.made.total is not None
            ahead = self.forecast.horizon - 1
            made, period = periods[ahead + tried.at], periods[ahead + tried.at - tried.step]
            yield PastForecast(
                self._label(made), self._label(period), tried.step, tried.made.total.value, tried.came,
                _intervals(tried.made),
            )  # fmt: skip


def _periods(calendar: Calendar, forecast: Forecast, today: dt.date) -> Iterator[Period]:
    """From the last one that is foretold back to the first that anything is known from."""
    period = calendar.shift(calendar.period(forecast.grain, today), forecast.horizon - 1)
    for _ in range(2 * forecast.horizon + LOOKED_BACK + TESTED + 1):
        yield period
        period = calendar.shift(period, -1)


def _moments(periods: Sequence[Period], forecast: Forecast, asking: Asking) -> Iterator[Moment]:
    """Now, and the same elapsed part of each period before."""
    ahead = forecast.horizon - 1
    elapsed = asking.clock.local - midnight(periods[ahead].start)
    for at in range(ahead, len(periods) - 1):
        windows = [_window(period) for period in reversed(periods[at - ahead : at + 1])]
        moment = min(windows[0].start + elapsed, windows[0].stop)
        yield Moment(moment, tuple(windows), _window(periods[at + 1]))


def _window(period: Period) -> Window:
    return Window(midnight(period.start), midnight(period.end))


def _intervals(outlook: Outlook) -> tuple[Interval, ...]:
    found = [(level, outlook.interval(level)) for level in LEVELS]
    return tuple(Interval(level, *ends) for level, ends in found if ends is not None)


def _tests(tries: Sequence[Tried], horizon: int) -> Iterator[ForecastTest]:
    """By how many periods ahead: how far off it was, and how often its intervals held what came."""
    for step in range(horizon):
        own = [(t, t.made.total.value) for t in tries if t.step == step and t.made.total is not None]
        if not own:
            continue
        came = math.fsum(t.came for t, _ in own)
        yield ForecastTest(
            step,
            len(own),
            (math.fsum(value for _, value in own) - came) / came if came else None,
            error([(value, t.came) for t, value in own]),
            error([(t.naive, t.came) for t, _ in own]),
            {level: sum(_held(t, level) for t, _ in own) / len(own) for level in LEVELS},
        )


def _held(tried: Tried, level: float) -> bool:
    low, high = tried.made.interval(level) or (math.inf, -math.inf)
    return low <= tried.came <= high
