"""The forecast's method said once more, slowly: every figure by looking at all deals again."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, variance

from cadran.analysis.outlook import Moment, Window
from cadran.analysis.pipeline import Deal, Visit

LEAST_DECIDED, LEAST_MOMENTS, MOST_MOMENTS = 10, 6, 12


@dataclass(frozen=True)
class Said:
    won: float
    open: float
    new: float | None
    value: float | None
    spread: float | None
    df: float | None


def of(visits: Sequence[Visit], deal: Deal) -> list[Visit]:
    return sorted((v for v in visits if v.deal == deal.key), key=lambda v: v.entered)


def decided_by(deals: Sequence[Deal], at: dt.datetime) -> list[Deal]:
    return [d for d in deals if d.opened <= at and d.closed is not None and d.closed <= at]


def stay(deal: Deal, visits: Sequence[Visit], stage: str) -> tuple[dt.datetime, dt.datetime] | None:
    """When a decided deal first came into a stage, and when it went on; "" is its whole life."""
    assert deal.closed is not None
    if not stage:
        return deal.opened, deal.closed
    own = [v for v in of(visits, deal) if v.entered <= deal.closed]
    for number, visit in enumerate(own):
        if visit.stage == stage:
            return visit.entered, own[number + 1].entered if number + 1 < len(own) else deal.closed
    return None


def expected(
    deals: Sequence[Deal], visits: Sequence[Visit], at: dt.datetime, window: Window, segment: str | None
) -> tuple[float, float]:
    """The mean and the variance of what the open deals bring."""
    total = own = 0.0
    off: dict[str, float] = {}
    for deal in deals:
        is_open = deal.opened <= at and (deal.closed is None or deal.closed > at)
        if not is_open or (segment is not None and deal.segment != segment):
            continue
        seen = [v for v in of(visits, deal) if v.entered <= at]
        stage, since = (seen[-1].stage, seen[-1].entered) if seen else ("", deal.opened)
        passed = [d for d in decided_by(deals, at) if stay(d, visits, stage)]
        if not stage or len(passed) < LEAST_DECIDED:
            stage, since, passed = "", deal.opened, decided_by(deals, at)
        age = at - since
        longer, won = [], []
        for other in passed:
            came, left = stay(other, visits, stage) or (at, at)
            assert other.closed is not None
            if left - came > age:
                longer.append(max(other.amount, 0.0))
                then = at + (other.closed - came - age)  # when this deal would close if it went as that one
                if other.won and then > at and window.start <= then < window.stop:
                    won.append(max(other.amount, 0.0))
        if sum(longer) > 0:
            chance = sum(won) / sum(longer)
            spread = chance * (1 - chance)
            total += deal.amount * chance
            own += deal.amount**2 * spread
            equal = sum(longer) ** 2 / sum(a * a for a in longer)
            off[stage] = off.get(stage, 0.0) + deal.amount * math.sqrt(spread / equal)
    return total, own + sum(part**2 for part in off.values())


def brought(deals: Sequence[Deal], window: Window, after: dt.datetime, segment: str | None) -> float:
    return sum(
        d.amount
        for d in deals
        if d.won and d.closed is not None and window.start <= d.closed < window.stop and d.opened > after
        if segment is None or d.segment == segment
    )


def forecast(
    deals: Sequence[Deal],
    visits: Sequence[Visit],
    moments: Sequence[Moment],
    back: int,
    segment: str | None = None,
) -> list[Said]:
    """What is said at one of the moments (the newest is 0), window by window."""
    first, at = min(d.opened for d in deals), moments[back].at
    out = []
    for step, window in enumerate(moments[back].windows):
        done = sum(
            d.amount
            for d in deals
            if d.won and d.closed is not None and window.start <= d.closed < window.stop and d.closed <= at
            if segment is None or d.segment == segment
        )
        open_, spread = expected(deals, visits, at, window, segment)
        earlier = [m for n, m in enumerate(moments) if n > back + step and first <= m.at][:MOST_MOMENTS]
        if len(earlier) < LEAST_MOMENTS:
            out.append(Said(done, open_, None, None, None, None))
            continue
        news = [brought(deals, m.windows[step], m.at, segment) for m in earlier]
        future = variance(news) * (1 + 1 / len(news))
        both = spread + future
        df = both**2 / (future**2 / (len(news) - 1)) if future else math.inf
        out.append(Said(done, open_, mean(news), done + open_ + mean(news), math.sqrt(both), df))
    return out
