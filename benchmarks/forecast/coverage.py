"""Coverage of the intervals of paces and forecasts on simulated data: the figures of docs/forecast.md.

python -m benchmarks.forecast.coverage            # the same figures every time
python -m benchmarks.forecast.coverage --runs 200 # quicker, and rougher
"""

from __future__ import annotations

import argparse
import datetime as dt
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cadran.analysis.outlook import LOOKED_BACK, Forecaster, Moment, Window
from cadran.analysis.pace import LEVELS
from cadran.analysis.pipeline import Deal, Pipeline, Visit
from cadran.analysis.projection import FITTED, Past, project

SEED = 20260701
DAYS = 30
ELAPSED = (0.2, 0.5, 0.8)
STEPS = 3
_DAY = dt.timedelta(days=1)
_START = dt.datetime(2020, 1, 1)

Process = Callable[[random.Random], Iterator[list[float]]]  # one list of daily values a period, without end


# --- pace ------------------------------------------------------------------------------------------------------------


def _days(dice: random.Random, level: float, weights: Sequence[float], noise: float = 0.3) -> list[float]:
    return [max(0.0, level * weight * dice.gauss(1, noise)) for weight in weights]


FLAT = [1.0] * DAYS
LATE = [0.4 + 1.2 * day / (DAYS - 1) for day in range(DAYS)]  # most comes at the end of a period


def independent(dice: random.Random) -> Iterator[list[float]]:
    """Every day alike, and independent of each other."""
    while True:
        yield _days(dice, 100, FLAT)


def levels(dice: random.Random) -> Iterator[list[float]]:
    """Good and bad periods: a level of their own, 20 % around the mean."""
    while True:
        yield _days(dice, 100 * dice.lognormvariate(0, 0.2), FLAT)


def trend(dice: random.Random) -> Iterator[list[float]]:
    """3 % more each period, and levels 10 % around that."""
    level = 100.0
    while True:
        level *= 1.03
        yield _days(dice, level * dice.lognormvariate(0, 0.1), FLAT)


def late_days(dice: random.Random) -> Iterator[list[float]]:
    """Most comes late in a period, as orders do; levels 20 % around the mean."""
    while True:
        yield _days(dice, 100 * dice.lognormvariate(0, 0.2), LATE)


def seasons(dice: random.Random) -> Iterator[list[float]]:
    """A yearly wave of 40 %."""
    period = dice.randrange(12)
    while True:
        period += 1
        yield _days(
            dice, 100 * (1 + 0.4 * math.sin(period * math.pi / 6)) * dice.lognormvariate(0, 0.1), FLAT
        )


def few(dice: random.Random) -> Iterator[list[float]]:
    """Counts: eight a period, each on a day of its own."""
    while True:
        yield [float(sum(dice.random() < 8 / DAYS / 4 for _ in range(4))) for _ in range(DAYS)]


PROCESSES: Mapping[str, Process] = {
    "independent days": independent,
    "levels": levels,
    "trend": trend,
    "late days": late_days,
    "seasons": seasons,
    "few": few,
}


@dataclass(slots=True)
class Tally:
    runs: int = 0
    foretold: float = 0.0
    came: float = 0.0
    held: tuple[int, ...] = (0,) * len(LEVELS)
    off: float = 0.0
    percents: int = 0

    def add(self, value: float, came: float, intervals: Sequence[tuple[float, float]]) -> None:
        self.runs += 1
        self.foretold, self.came = self.foretold + value, self.came + came
        self.held = tuple(
            n + (low <= came <= high) for n, (low, high) in zip(self.held, intervals, strict=True)
        )
        if came:
            self.off, self.percents = self.off + abs(value - came) / came, self.percents + 1

    def text(self) -> str:
        held = "  ".join(f"{n / self.runs:6.1%}" for n in self.held)
        return f"{held}  {self.off / self.percents:6.1%}  {self.foretold / self.came - 1:+6.1%}"


def pace(process: Process, elapsed: float, runs: int, seed: int = SEED) -> Tally:
    """A period projected after a part of it, from the twelve before."""
    tally, dice, cut = Tally(), random.Random(seed), round(elapsed * DAYS)
    for _ in range(runs):
        periods = process(dice)
        past = [
            Past(math.fsum(days[:cut]), math.fsum(days)) for days in (next(periods) for _ in range(FITTED))
        ]
        running = next(periods)
        so_far = math.fsum(running[:cut])
        made = project(past, so_far)
        assert made is not None
        ends = [tuple(max(end, so_far) for end in made.interval(level)) for level in LEVELS]
        tally.add(max(made.value, so_far), math.fsum(running), [(low, high) for low, high in ends])
    return tally


# --- pipelines -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sales:
    """How deals come and go: so many a period, growing by ``growth`` each; ``slow`` makes large ones slower."""

    deals: float
    growth: float = 0.0
    slow: float = 0.0
    waves: float = 0.0  # periods better and worse than usual for all deals at once


STAGES = (
    ("first", 8.0, 0.7),
    ("second", 10.0, 0.75),
    ("third", 15.0, 0.85),
)  # days there, and share that goes on
PIPELINES: Mapping[str, Sales] = {
    "40 deals a period": Sales(40),
    "8 deals a period": Sales(8),
    "large deals are slow": Sales(40, slow=0.5),
    "2 % more each period": Sales(40, growth=0.02),
    "good and bad periods": Sales(40, waves=0.25),
}
PERIODS = LOOKED_BACK + 18  # before the one at which it is forecast


def simulated(sales: Sales, dice: random.Random, periods: int) -> tuple[list[Deal], list[Visit]]:
    deals: list[Deal] = []
    visits: list[Visit] = []
    for period in range(periods):
        wave = dice.lognormvariate(0, sales.waves)
        for _ in range(_poisson(dice, sales.deals * (1 + sales.growth) ** period * wave)):
            opened = _START + (period * DAYS + dice.uniform(0, DAYS)) * _DAY
            size = dice.lognormvariate(0, 0.8)
            at, key, won = opened, len(deals), True
            for stage, days, goes_on in STAGES:
                visits.append(Visit(key, stage, at))
                at += dice.gammavariate(2, days / 2) * size**sales.slow * _DAY
                if dice.random() > goes_on:
                    won = False
                    break
            deals.append(Deal(key, opened, at, won, round(1000 * size, 2)))
    return deals, visits


def _poisson(dice: random.Random, mean: float) -> int:
    """By counting exponential waits (mean below some hundreds)."""
    count, waited = -1, 0.0
    while waited < mean:
        waited += dice.expovariate(1)
        count += 1
    return count


def _moment(period: int, elapsed: dt.timedelta) -> Moment:
    def window(number: int) -> Window:
        start = _START + number * DAYS * _DAY
        return Window(start, start + DAYS * _DAY)

    windows = tuple(window(period + step) for step in range(STEPS))
    return Moment(windows[0].start + elapsed, windows, window(period - 1))


def pipelines(sales: Sales, elapsed: float, runs: int, seed: int = SEED) -> list[Tally]:
    """Forecasts of the running period and the next ones, each from a history of its own."""
    tallies, dice = [Tally() for _ in range(STEPS)], random.Random(seed)
    moments = [_moment(PERIODS - back, elapsed * DAYS * _DAY) for back in range(PERIODS - 1)]
    for _ in range(runs):
        pipeline = Pipeline(*simulated(sales, dice, PERIODS + STEPS))
        for tally, window, made in zip(
            tallies, moments[0].windows, Forecaster(pipeline, moments).now(), strict=True
        ):
            assert made.total is not None
            came = math.fsum(deal.amount for deal in pipeline.won(window.start, window.stop))
            intervals = [made.interval(level) or (math.nan, math.nan) for level in LEVELS]
            tally.add(made.total.value, came, intervals)
    return tallies


# --- printing --------------------------------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=2000)
    runs = parser.parse_args().runs
    print(f"pace, {runs} runs each            {'80%':>6}  {'95%':>6}  {'error':>6}  {'bias':>6}")
    for name, process in PROCESSES.items():
        for elapsed in ELAPSED:
            print(f"{name:<22}{elapsed:>8.0%}  {pace(process, elapsed, runs).text()}")
    print(
        f"\nforecasts, {max(runs // 4, 1)} runs each       {'80%':>6}  {'95%':>6}  {'error':>6}  {'bias':>6}"
    )
    for name, sales in PIPELINES.items():
        for elapsed in (0.0, 0.5):
            for step, tally in enumerate(pipelines(sales, elapsed, max(runs // 4, 1))):
                print(f"{name:<22}{elapsed:>5.0%} +{step}  {tally.text()}")


if __name__ == "__main__":
    main()
