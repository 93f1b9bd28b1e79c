"""A pipeline as it was known at a moment: open deals in their stages, and what became of deals that were there before.

An open deal is judged by the decided deals that stayed in its stage for longer than it has been there already: of their
amounts, how much was won, and how long after. Amounts count and not heads, because large deals may be won less often, or
later, than small ones. Nothing that happened after the moment is looked at.
"""

from __future__ import annotations

import datetime as dt
import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import zip_longest
from statistics import median

LEAST_DECIDED = (
    10  # deals that a stage's own history needs; with fewer, all deals since they were opened are the history
)
ANY = ""  # the stage of deals that are in none, and the history that all deals share
_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Deal:
    """``closed`` is None while it is open; whether it is ``won`` counts from then on. Times are local, without zone."""

    key: Hashable
    opened: dt.datetime
    closed: dt.datetime | None
    won: bool
    amount: float
    segment: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """A deal that entered a stage."""

    deal: Hashable
    stage: str
    entered: dt.datetime


@dataclass(frozen=True, slots=True)
class Chance:
    """That an open deal is won in a window; ``rests_on`` is how many decided deals of equal amounts that is known from."""

    share: float = 0.0
    rests_on: float = 0.0


@dataclass(frozen=True, slots=True)
class Passed:
    """A decided deal that was in a stage: for how many seconds, and after how many seconds since it came it was decided."""

    stayed: float
    after: float
    amount: float
    won: bool


@dataclass(slots=True)
class Stage:
    """The decided deals that were in a stage."""

    decided: list[Passed] = field(default_factory=list)

    @property
    def rate(self) -> float | None:
        """Which share of the amounts was won; None of nothing."""
        total = math.fsum(deal.amount for deal in self.decided)
        return math.fsum(deal.amount for deal in self.decided if deal.won) / total if total else None

    @property
    def days(self) -> float | None:
        """The median of the days until a deal was won."""
        won = [deal.after for deal in self.decided if deal.won]
        return median(won) / _DAY if won else None

    def chances(self, ages: Sequence[float], windows: Sequence[tuple[float, float]]) -> list[list[Chance]]:
        """Of deals that have been here for so many seconds, in each window ``[start, stop)`` of seconds from now.

        A deal that has been here for longer than any before it has no chance.
        """
        ends = sorted({deal.after for deal in self.decided if deal.won})
        won, sums = (
            Sums(len(ends)),
            [0.0, 0.0],
        )  # of those that stayed for longer: all amounts, and their squares
        out: list[list[Chance]] = [[] for _ in ages]
        waiting = sorted(self.decided, key=lambda deal: deal.stayed)
        for at in sorted(range(len(ages)), key=lambda at: -ages[at]):
            while waiting and waiting[-1].stayed > ages[at]:
                deal = waiting.pop()
                sums = [sums[0] + deal.amount, sums[1] + deal.amount**2]
                if deal.won:
                    won.add(bisect_left(ends, deal.after), deal.amount)
            out[at] = [self._chance(won, ends, ages[at], window, sums) for window in windows]
        return out

    def _chance(
        self, won: Sums, ends: list[float], age: float, window: tuple[float, float], sums: Sequence[float]
    ) -> Chance:
        total, squares = sums
        if total <= 0 or squares <= 0:
            return Chance()
        first, last = (bisect_left(ends, age + bound) for bound in window)
        first = max(first, bisect_right(ends, age))
        share = (won.below(last) - won.below(first)) / total if last > first else 0.0
        return Chance(min(max(share, 0.0), 1.0), total**2 / squares)


class Sums:
    """Sums over the first so many of a row of numbers, which may change: Fenwick, A New Data Structure for Cumulative
    Frequency Tables, Software: Practice and Experience 24 (1994)."""

    def __init__(self, size: int) -> None:
        self._parts = [0.0] * (size + 1)

    def add(self, at: int, value: float) -> None:
        at += 1
        while at < len(self._parts):
            self._parts[at] += value
            at += at & -at

    def below(self, at: int) -> float:
        total = 0.0
        while at:
            total += self._parts[at]
            at -= at & -at
        return total


@dataclass(frozen=True, slots=True)
class Open:
    """An open deal: the stage that it is in, whose history it is judged by, and for how many seconds it has been there."""

    deal: Deal
    stage: str
    judged_by: str
    age: float


class Pipeline:
    """All deals and visits of stages; every question is asked as of a moment."""

    def __init__(self, deals: Iterable[Deal], visits: Iterable[Visit]) -> None:
        self.deals: Sequence[Deal] = sorted(deals, key=lambda deal: deal.opened)
        self._opened = [deal.opened for deal in self.deals]
        self._visits = defaultdict[Hashable, list[Visit]](list)
        for visit in sorted(visits, key=lambda visit: visit.entered):
            self._visits[visit.deal].append(visit)
        self._won = sorted(
            ((deal.closed, n) for n, deal in enumerate(self.deals) if deal.won and deal.closed is not None)
        )

    def history(self, at: dt.datetime) -> Mapping[str, Stage]:
        """By stage, the deals that had been in it and were decided by then; all decided deals under ``ANY``."""
        stages = {
            name: Stage([deal for closed, deal in passed if closed <= at])
            for name, passed in self._passed.items()
        }
        return {ANY: Stage(), **{name: stage for name, stage in stages.items() if stage.decided}}

    @cached_property
    def _passed(self) -> Mapping[str, Sequence[tuple[dt.datetime, Passed]]]:
        """By stage, every deal that ever went through it and when it was decided, those that stayed the shortest first."""
        out: dict[str, list[tuple[dt.datetime, Passed]]] = defaultdict(list)
        for deal in self.deals:
            if deal.closed is not None:
                for name, entered, left in self._stays(deal, deal.closed):
                    stayed, after = ((end - entered).total_seconds() for end in (left, deal.closed))
                    passed = Passed(stayed, after, max(deal.amount, 0.0), deal.won)
                    out[name].append((deal.closed, passed))
        for stage in out.values():
            stage.sort(key=lambda item: item[1].stayed)
        return out

    def open(self, at: dt.datetime, history: Mapping[str, Stage]) -> list[Open]:
        """The deals that were open then, each in the stage that it had entered last."""
        return [
            self._standing(deal, at, history)
            for deal in self._known(at)
            if deal.closed is None or deal.closed > at
        ]

    def won(self, start: dt.datetime, stop: dt.datetime) -> Iterator[Deal]:
        """The deals won in ``[start, stop)``."""
        first = bisect_left(self._won, start, key=lambda won: won[0])
        for closed, number in self._won[first:]:
            if closed >= stop:
                return
            yield self.deals[number]

    def _known(self, at: dt.datetime) -> Sequence[Deal]:
        return self.deals[: bisect_right(self._opened, at)]

    def _standing(self, deal: Deal, at: dt.datetime, history: Mapping[str, Stage]) -> Open:
        last = next((v for v in reversed(self._visits.get(deal.key, ())) if v.entered <= at), None)
        stage = ANY if last is None else last.stage
        if last is not None and stage in history and len(history[stage].decided) >= LEAST_DECIDED:
            return Open(deal, stage, stage, (at - last.entered).total_seconds())
        return Open(deal, stage, ANY, (at - deal.opened).total_seconds())

    def _stays(self, deal: Deal, closed: dt.datetime) -> Iterator[tuple[str, dt.datetime, dt.datetime]]:
        """Each stage that a decided deal was in, when it first came there, and when it went on or was decided."""
        yield ANY, deal.opened, closed
        visits = [visit for visit in self._visits.get(deal.key, ()) if visit.entered <= closed]
        seen = {ANY}
        for visit, following in zip_longest(visits, visits[1:]):
            if visit.stage not in seen:
                seen.add(visit.stage)
                yield visit.stage, visit.entered, closed if following is None else following.entered
