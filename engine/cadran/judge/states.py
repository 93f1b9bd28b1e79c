"""Alerts from run to run: what one stands at, given where it stood and what has become final since. A pure function.

Where there is nothing to go on from, the whole history is replayed, silently. Otherwise only periods that are new are
judged, in order; and those whose answers are not what they were when they were judged are judged again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass, replace

from cadran.calendar import Calendar, Grain
from cadran.compute.results import Judging
from cadran.declare.model import AlertRule
from cadran.judge.alerts import Answers, Standing, step
from cadran.state.alerting import CHANGED, NO_DATA, RESTATED, Identity, Instance, Judged, Transition

TRAIL = 40  # judged periods that are remembered of an alert; what lies further back is not judged again

_REMEMBERED = 10  # changes of an alert that its first run writes down


def identity(one: Judging) -> Identity:
    return Identity("kpi", one.kpi, one.rule.name, one.grain, one.segment, one.segment_value)


def condition(rule: AlertRule) -> str:
    """The digest of what an alert's state rests on: its condition and its ``clear``, however these are spaced.

    Not ``for``, ``keep``, ``on_missing``, the severity or the rule's place: with another of these it goes on from where it was.
    """
    parts = [" ".join(text.value.split()) if text is not None else None for text in (rule.when, rule.clear)]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


def advance(
    one: Judging, prior: Instance | None, calendar: Calendar, now: dt.datetime
) -> tuple[Instance, list[Transition]]:
    """The alert after all periods of ``one``, and what changed about it. ``now`` is the run's logical time."""
    found = _Walk(one, prior or Instance(identity(one), condition(one.rule)), calendar, now)
    if prior is None:
        found.build()
    elif prior.condition != condition(one.rule):
        found.begin_anew()
    elif one.grain == Grain.ALL:
        found.look_again()
    else:
        found.go_on()
    return replace(found.instance, seen=now), found.transitions


def kept_from(instance: Instance, rule: AlertRule | None) -> str:
    """The period as which an alert stands, where the ones after it have no data and ``on_missing`` is ``keep``; else empty."""
    if rule is None or rule.on_missing != "keep" or instance.state == "ok" or not instance.trail:
        return ""
    if instance.trail[-1].breach is not None:
        return ""
    return next((judged.period for judged in reversed(instance.trail) if judged.breach is not None), "")


def end(prior: Instance, reason: str, period: str, now: dt.datetime) -> tuple[Instance, list[Transition]]:
    """An alert that nothing is judged about any more, for a ``reason``. ``period`` is the newest that there is."""
    if prior.state == "ok":
        return replace(prior, period=period, seen=now), []
    ended = replace(
        prior, state="ok", since="", held=0, cleared=0, reason=reason, period=period, changed=now, seen=now, trail=()
    )  # fmt: skip
    return ended, [Transition(ended, prior.state, period)]


@dataclass(slots=True)
class _Walk:
    """One alert on its way through the periods of a history."""

    one: Judging
    instance: Instance
    calendar: Calendar
    now: dt.datetime
    transitions: list[Transition]

    def __init__(self, one: Judging, instance: Instance, calendar: Calendar, now: dt.datetime) -> None:
        self.one, self.instance, self.calendar, self.now = one, instance, calendar, now
        self.transitions = []

    # --- where it starts from ---------------------------------------------------------------------------------------

    def build(self) -> None:
        """From nothing: nobody is told of what happened before, and only the end of it is written down."""
        self._over(range(len(self.one.periods)), silent=True)
        self.transitions = self.transitions[-_REMEMBERED:]

    def begin_anew(self) -> None:
        """As if there had been nothing, under the new condition; one that fires then fires for the first time."""
        before = self.instance
        fresh = Instance(before.identity, condition(self.one.rule), episode=before.episode)
        built = _Walk(self.one, fresh, self.calendar, self.now)
        built.build()
        fires = built.instance.state == "firing"
        self.instance = replace(
            built.instance, episode=before.episode + fires, changed=before.changed,
            fired=built.instance.fired if fires else before.fired,
        )  # fmt: skip
        if fires or built.instance.state != before.state:
            self.instance = replace(self.instance, reason=CHANGED, changed=self.now)
            self.transitions.append(Transition(self.instance, before.state, self.instance.period))

    def look_again(self) -> None:
        """Over all that is covered there is one period, which every run judges anew."""
        fires = self.instance.state == "firing"
        before = self._stood(self.instance) if fires and self.instance.seen != self.now else Standing()
        self._take(0, step(self.one.rule, before, self.one.periods[0], *self.one.answers[0]))

    def go_on(self) -> None:
        first = self._first_new()
        self._judge_again(first)
        self._promote()
        self._over(range(first, len(self.one.periods)))

    def _first_new(self) -> int:
        """The position of the first period behind the newest that was judged."""
        newest = self.instance.period
        if not newest:
            return 0
        if newest in self.one.periods:
            return self.one.periods.index(newest) + 1
        start = self.calendar.parse(newest).start
        return sum(self.calendar.parse(label).start <= start for label in self.one.periods)

    # --- periods, one after the other -------------------------------------------------------------------------------

    def _over(self, positions: range, *, silent: bool = False) -> None:
        rule, periods, answers = self.one.rule, self.one.periods, self.one.answers
        before = self._stood(self.instance)
        for position in positions:
            after = step(rule, before, periods[position], *answers[position])
            # What changes nothing leaves no trace, except in the trail.
            if (
                after.state != before.state
                or after.reason != before.reason
                or position >= positions.stop - TRAIL
            ):
                self._take(position, after, silent=silent)
            before = after

    def _take(
        self, position: int, standing: Standing, *, silent: bool = False, correction: bool = False
    ) -> None:
        """Stands there after the period at a position."""
        before, period = self.instance, self.one.periods[position]
        value, target = self.one.figures[position]
        moved = before.state != standing.state
        reason = standing.reason or (_lasting(before) if not moved else RESTATED if correction else "")
        fires = standing.state == "firing"
        self.instance = replace(
            before, state=standing.state, since=standing.since, held=standing.held, cleared=standing.cleared, reason=reason,
            period=period, value=value, target=target, episode=before.episode + (moved and fires),
            fired=standing.since if fires else before.fired, changed=self.now if moved else before.changed,
            trail=self._trail(period, position, standing),
        )  # fmt: skip
        if moved:
            self.transitions.append(Transition(self.instance, before.state, period, correction, silent))

    def _trail(self, period: str, position: int, standing: Standing) -> tuple[Judged, ...]:
        if self.one.grain == Grain.ALL:
            return ()
        return (*self.instance.trail, _judged(period, self.one.answers[position], standing))[-TRAIL:]

    def _stood(self, instance: Instance) -> Standing:
        reason = NO_DATA if instance.reason == NO_DATA else ""
        return Standing(instance.state, instance.since, instance.held, instance.cleared, reason)

    def _promote(self) -> None:
        """Where ``for`` has been lowered, what has held for long enough fires at once. Raising it takes nothing back."""
        instance = self.instance
        if instance.state == "pending" and instance.held >= self.one.rule.hold:
            self.instance = replace(
                instance, state="firing", episode=instance.episode + 1, fired=instance.since, changed=self.now
            )
            self.transitions.append(Transition(self.instance, "pending", instance.period))

    # --- what has been judged otherwise -----------------------------------------------------------------------------

    def _judge_again(self, first: int) -> None:
        """From the first period on whose answers are not what they were, up to the newest that has been judged."""
        trail = self.instance.trail
        start = max(first - 2 * TRAIL, 0)
        at = {label: start + n for n, label in enumerate(self.one.periods[start:first])}
        wrong = next((n for n, judged in enumerate(trail) if self._is_restated(judged, at)), None)
        if wrong is None:
            return
        standing = _after(trail[wrong - 1]) if wrong else self._replayed(at[trail[wrong].period])
        again: list[Judged] = []
        for position in range(at[trail[wrong].period], first):
            period, answers = self.one.periods[position], self.one.answers[position]
            standing = step(self.one.rule, standing, period, *answers)
            again.append(_judged(period, answers, standing))
        if self._only_held_longer(standing):
            standing = replace(standing, state="firing")
            again[-1] = replace(again[-1], state="firing")
        self.instance = replace(self.instance, trail=(*trail[:wrong], *again[:-1])[-TRAIL:])
        self._take(first - 1, standing, correction=True)

    def _is_restated(self, judged: Judged, at: dict[str, int]) -> bool:
        position = at.get(judged.period)
        return position is not None and self.one.answers[position] != (judged.breach, judged.clear)

    def _replayed(self, end: int) -> Standing:
        standing = Standing()
        for position in range(end):
            standing = step(self.one.rule, standing, self.one.periods[position], *self.one.answers[position])
        return standing

    def _only_held_longer(self, standing: Standing) -> bool:
        """Whether it would be pending only because ``for`` has been raised since it fired."""
        before = self.instance
        return before.state == "firing" and standing.state == "pending" and standing.since == before.since


def _lasting(instance: Instance) -> str:
    """The reason that stays as long as the state does; that of a breach is said anew by each."""
    return "" if instance.reason == NO_DATA and instance.state != "ok" else instance.reason


def _judged(period: str, answers: Answers, standing: Standing) -> Judged:
    return Judged(
        period, *answers, standing.state, standing.since, standing.held, standing.cleared, standing.reason
    )


def _after(judged: Judged) -> Standing:
    return Standing(judged.state, judged.since, judged.held, judged.cleared, judged.reason)
