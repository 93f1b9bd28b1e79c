"""Time cut wherever a span begins or ends, so that every span is a run of numbered stretches.

Rows find their stretch by a small table of days (of hours, for timestamps with a zone): joining it is as cheap as
arithmetic on the date, and takes any set of periods. A boundary inside a day splits that day's row in two.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cadran.calendar import Calendar
from cadran.compute.bounds import instant
from cadran.compute.lower import WithZone
from cadran.compute.spans import BEGINNING, Span, midnight

_DAY, _HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MOST_TICKS = 1_000_000
EARLIER = 0  # the stretch before the first boundary


class Unshareable(Exception):
    """These scans cannot share a pass; each keeps its own statement."""


@dataclass(frozen=True, slots=True)
class Ticks:
    """Consecutive days (or hours since 1970) of one stretch; behind ``cut`` the (single) tick belongs to ``later``."""

    stretch: int
    first: dt.date | int
    last: dt.date | int
    cut: dt.datetime | None = None
    later: int | None = None


class Timeline:
    """The boundaries of spans, as values of a date column's type. Stretch ``n`` lies between boundary n-1 and n.

    Of the spans in ``neighbours`` the period before is looked at as well; with ``history`` so is all that came before.
    """

    def __init__(
        self, kind: str, spans: Iterable[Span], calendar: Calendar, *, neighbours: Iterable[Span] = (), history: bool = False
    ) -> None:  # fmt: skip
        self.calendar, self.zoned, self.history = calendar, kind == WithZone, history
        self.spans = list(dict.fromkeys(spans))
        looked_at = [(midnight(span.start), span.stop) for span in self.spans]
        looked_at += [(midnight(span.before), midnight(span.start)) for span in neighbours]
        self.bounds: Sequence[dt.datetime] = sorted(
            {self._value(bound) for pair in looked_at for bound in pair}
        )
        runs = [self._stretches(start, stop) for start, stop in looked_at]
        self.needed = frozenset(n for first, last in runs for n in range(first, last + 1))

    def _value(self, local: dt.datetime) -> dt.datetime:
        return instant(local, self.calendar) if self.zoned else local

    @property
    def count(self) -> int:
        """How many stretches there are at the most, those before the first and behind the last boundary included."""
        return len(self.bounds) + 1

    def _stretches(self, start: dt.datetime, stop: dt.datetime) -> tuple[int, int]:
        """The numbers of the first and the last stretch of ``[start, stop)``; the last is the smaller if it is empty."""
        first, last = (bisect_left(self.bounds, self._value(bound)) for bound in (start, stop))
        return first + 1, last

    def of(self, span: Span) -> tuple[int, int]:
        return self._stretches(midnight(span.start), span.stop)

    def before(self, span: Span) -> tuple[int, int]:
        """The stretches of the period before a span, which ``retained`` and ``lost`` look at."""
        return self._stretches(midnight(span.before), midnight(span.start))

    # --- ticks --------------------------------------------------------------------------------------------------------

    def ticks(self, first: dt.date, last: dt.date) -> list[Ticks]:
        """Which days (hours) between the data's ``first`` and ``last`` day lie in which stretch, as far as it matters.

        Raises Unshareable where a tick is cut twice.
        """
        found = list(self._ticks(*self._extent(first, last)))
        if sum(self._number(t.last) - self._number(t.first) + 1 for t in found) > _MOST_TICKS:
            raise Unshareable
        return found

    def _extent(self, first: dt.date, last: dt.date) -> tuple[int, int]:
        """The first and last tick in question: the data's, and all of the spans' (``all`` begins with the data)."""
        inner = [bound for bound in self.bounds if bound.year > BEGINNING.year + 1]
        if inner:
            first, last = min(first, inner[0].date()), max(last, inner[-1].date())
        if not self.zoned:
            return first.toordinal(), last.toordinal()
        if first.year < 1971:  # DuckDB divides towards zero
            raise Unshareable
        low, high = (dt.datetime(d.year, d.month, d.day, tzinfo=dt.UTC) for d in (first, last))
        return (low - _EPOCH) // _HOUR - 48, (high - _EPOCH) // _HOUR + 72

    def _ticks(self, low: int, high: int) -> Iterator[Ticks]:
        stretch, start, cut = EARLIER, low, None
        for bound in self.bounds:
            tick, inside = self._tick_of(bound)
            if cut is not None and tick < start:  # in the tick that the boundary before has cut already
                raise Unshareable
            if self.history or stretch in self.needed:
                yield from self._run(stretch, max(start, low), min(tick - 1, high))
            cut = bound if inside else None
            if inside and low <= tick <= high:
                yield Ticks(stretch, self._tick(tick), self._tick(tick), bound, stretch + 1)
            stretch, start = stretch + 1, tick + inside

    def _run(self, stretch: int, first: int, last: int) -> Iterator[Ticks]:
        if first <= last:
            yield Ticks(stretch, self._tick(first), self._tick(last))

    def _tick_of(self, bound: dt.datetime) -> tuple[int, bool]:
        """The number of the tick that a boundary lies in, and whether it lies behind the tick's beginning."""
        if self.zoned:
            number, rest = divmod(bound - _EPOCH, _HOUR)
            return number, bool(rest)
        return bound.date().toordinal(), bound.time() != dt.time()

    def _tick(self, number: int) -> dt.date | int:
        return number if self.zoned else dt.date.fromordinal(number)

    def _number(self, tick: dt.date | int) -> int:
        return tick if isinstance(tick, int) else tick.toordinal()


def units(runs: Iterable[tuple[int, int]], cut: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Stretch → number of its unit: stretches are in one unit if a span (a run) holds both, or a tick is cut into both."""
    out: dict[int, int] = {}
    unit = end = 0
    for first, last in sorted([*runs, *cut]):
        if first > end:
            unit += 1
        end = max(end, last)
        out |= dict.fromkeys(range(first, last + 1), unit)
    return out
