"""Alert rules, committed or not, replayed over history: one pass over the data for all of them, with the state machine of a run.

Figures are those of today's data. A segment value is looked at if it has rows in the asked range.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace

from cadran.calendar import Calendar, Grain
from cadran.compute.cells.computed import Computed
from cadran.compute.planning.selection import choose
from cadran.compute.planning.settling import Settling
from cadran.compute.results import Judging
from cadran.compute.spans import BEGINNING, Clock
from cadran.declare.model import AlertRule, Declaration
from cadran.formula.measures import Model
from cadran.judge.alerts import Standing, standings
from cadran.judge.backtested import Backtest, Episode, Tried
from cadran.judge.histories import answers, judging
from cadran.testing.mailed import Course, messages

_SOON = 2  # periods within which a new episode counts as flapping


def with_rules(declaration: Declaration, kpi: str, rules: Sequence[AlertRule]) -> Declaration:
    """The project with these rules at a KPI, instead of its own. Raises ProblemsFound where there is no such KPI."""
    choose(declaration, [kpi])
    kpis = {**declaration.kpis, kpi: replace(declaration.kpis[kpi], alerts=tuple(rules))}
    return replace(declaration, kpis=kpis)


def backtested(
    declaration: Declaration, model: Model, computed: Computed, clock: Clock, kpi: str,
    *, since: dt.date | None = None, until: dt.date | None = None, given: Sequence[str] = (), name: str = "",
) -> Backtest:  # fmt: skip
    """What the rules of ``kpi`` would have done in the periods that begin between two days; ``given`` names them in a sweep."""
    calendar = declaration.calendar
    of_kpi = [one for series in computed.alerts for one in judging(series, calendar) if one.kpi == kpi]
    wait = Settling(declaration, model, clock).wait(model.kpis[kpi])
    range_ = _Range(calendar, clock, since or BEGINNING, until or clock.today, wait)
    tried = []
    for number, rule in enumerate(declaration.kpis[kpi].alerts):
        some = [one for one in of_kpi if one.rule is rule]
        tried.append(replace(_tried(rule, some, range_, declaration), given=given[number] if given else ""))
    ranges = {one.grain: range_.labels(one) for one in of_kpi}
    return Backtest(kpi, tuple(tried), ranges, name)


class _Range:
    """Which periods are asked for, and when each became final."""

    def __init__(
        self, calendar: Calendar, clock: Clock, since: dt.date, until: dt.date, wait: dt.timedelta
    ) -> None:
        self.calendar, self.clock, self.wait = calendar, clock, wait
        self.since, self.until = since, until

    def positions(self, one: Judging) -> range:
        """Of the asked periods among those of a history."""
        if one.grain == Grain.ALL:
            return range(len(one.periods))
        starts = [self.calendar.parse(label).start for label in one.periods]
        first = sum(start < self.since for start in starts)
        return range(first, sum(start <= self.until for start in starts))

    def labels(self, one: Judging) -> tuple[str, str]:
        asked = self.positions(one)
        return (one.periods[asked[0]], one.periods[asked[-1]]) if asked else ("", "")

    def final(self, label: str) -> dt.datetime:
        if label == Grain.ALL:
            return self.clock.instant
        return self.calendar.midnight(self.calendar.parse(label).end) + self.wait


def _tried(rule: AlertRule, some: Sequence[Judging], range_: _Range, declaration: Declaration) -> Tried:
    episodes: list[Episode] = []
    again = judged = known = 0
    courses = []
    for one in some:
        asked = range_.positions(one)
        found = [standing for _, standing in standings(rule, answers(one))][: asked.stop]
        mine = list(_episodes(one, found, asked))
        again += _again(one, mine)
        judged += len(asked)
        known += sum(rule.on_missing != "keep" or one.answers[at][0] is not None for at in asked)
        episodes += mine
        final = [range_.final(label) for label in one.periods[: asked.stop]]
        courses.append(Course(one, tuple(found), tuple(final), asked.start))
    whole = range_.until >= range_.clock.today
    sent = messages(declaration, courses, range_.clock.instant, whole=whole) if declaration.routes else None
    grain = some[0].grain if some else str(rule.grain or "")
    ordered = sorted(episodes, key=lambda e: (e.segment, e.segment_value))
    return Tried(rule, "", grain, len(some), judged, tuple(ordered), sent, again, known)


def _episodes(one: Judging, found: Sequence[Standing], asked: range) -> Iterable[Episode]:
    """Those that fire in the asked range, and those that stand at its beginning."""
    for first, end in _stretches(found):
        last = min(end, asked.stop)
        if last > asked.start:
            value, target = one.figures[first]
            yield Episode(
                one.segment, one.segment_value, found[first].since, one.periods[first], one.periods[end] if end < len(found) else "",
                last - max(first, asked.start), value, target, first < asked.start,
            )  # fmt: skip


def _stretches(found: Sequence[Standing]) -> Iterable[tuple[int, int]]:
    """From the position at which it fires to the one at which that is over."""
    first = None
    for position, standing in enumerate(found):
        if standing.state == "firing":
            first = position if first is None else first
        elif first is not None:
            yield first, position
            first = None
    if first is not None:
        yield first, len(found)


def _again(one: Judging, episodes: Sequence[Episode]) -> int:
    at = {label: position for position, label in enumerate(one.periods)}
    return sum(
        at[later.fired] - at[earlier.ended] <= _SOON for earlier, later in itertools.pairwise(episodes)
    )
