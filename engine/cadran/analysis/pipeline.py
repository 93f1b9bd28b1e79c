"""A pipeline as it was known at a moment: open deals in their stages, and what became of deals that were there before.

An open deal is judged by the decided deals that entered its stage and were not decided sooner than it has been there
already: of their amounts, how much was won, and how long after. Amounts count and not heads, because large deals are won
less often, or later, than small ones. Nothing that happened after the moment is looked at.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
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


@dataclass(slots=True)
class Stage:
    """The decided deals that entered a stage: after how many seconds each was decided, its amount, and whether it was won."""

    decided: list[tuple[float, float, bool]] = field(default_factory=list)
    _after: list[float] = field(default_factory=list)
    _after_won: list[float] = field(default_factory=list)
    _won: list[float] = field(default_factory=list)  # sums of amounts up to each
    _all: list[float] = field(default_factory=list)
    _squares: list[float] = field(default_factory=list)

    def close(self) -> None:
        """Once all deals are in: sorts them, and adds their amounts up."""
        self.decided.sort()
        won = [(after, amount) for after, amount, is_won in self.decided if is_won]
        self._after = [after for after, _, _ in self.decided]
        self._after_won = [after for after, _ in won]
        self._won = [0.0, *accumulate(amount for _, amount in won)]
        self._all = [0.0, *accumulate(amount for _, amount, _ in self.decided)]
        self._squares = [0.0, *accumulate(amount**2 for _, amount, _ in self.decided)]

    @property
    def rate(self) -> float | None:
        """Which share of the amounts was won; None of nothing."""
        return self._won[-1] / self._all[-1] if self._all[-1] else None

    @property
    def days(self) -> float | None:
        """The median of the days until a deal was won."""
        return median(self._after_won) / _DAY if self._after_won else None

    def chance(self, age: float, start: float, stop: float) -> Chance:
        """Of a deal that has been here for ``age`` seconds: won at least ``start`` and less than ``stop`` seconds from now."""
        still = bisect_right(self._after, age)
        left = self._all[-1] - self._all[still]
        squares = self._squares[-1] - self._squares[still]
        if left <= 0 or squares <= 0:
            return Chance()  # it has been open for longer than any deal before it
        first = max(bisect_right(self._after_won, age), bisect_left(self._after_won, age + start))
        last = max(first, bisect_left(self._after_won, age + stop))
        return Chance((self._won[last] - self._won[first]) / left, left**2 / squares)


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
        self._visits: dict[Hashable, list[Visit]] = defaultdict(list)
        for visit in sorted(visits, key=lambda visit: visit.entered):
            self._visits[visit.deal].append(visit)
        self._won = sorted(
            ((deal.closed, n) for n, deal in enumerate(self.deals) if deal.won and deal.closed is not None)
        )

    def history(self, at: dt.datetime) -> Mapping[str, Stage]:
        """By stage, the deals that had entered it and were decided by then; those of all stages under ``ANY``."""
        stages: dict[str, Stage] = defaultdict(Stage, {ANY: Stage()})
        for deal in self._known(at):
            if deal.closed is not None and deal.closed <= at:
                for name, entered in self._entries(deal, deal.closed).items():
                    after = (deal.closed - entered).total_seconds()
                    stages[name].decided.append((after, max(deal.amount, 0.0), deal.won))
        for stage in stages.values():
            stage.close()
        return stages

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
        entries = self._entries(deal, at)
        stage = next((v.stage for v in reversed(self._visits[deal.key]) if v.entered <= at), ANY)
        enough = stage in history and len(history[stage].decided) >= LEAST_DECIDED
        judged_by = stage if enough else ANY
        return Open(deal, stage, judged_by, (at - entries[judged_by]).total_seconds())

    def _entries(self, deal: Deal, until: dt.datetime) -> dict[str, dt.datetime]:
        """When it first entered each stage, up to a moment."""
        entries = {ANY: deal.opened}
        for visit in self._visits.get(deal.key, ()):
            if visit.entered <= until:
                entries.setdefault(visit.stage, visit.entered)
        return entries
