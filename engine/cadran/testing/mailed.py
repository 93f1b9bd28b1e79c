"""What a project's routes would have sent while rules went through history: the pipeline of a run, at the times of its schedule."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cadran.compute.results import Judging
from cadran.declare.model import Declaration
from cadran.judge.alerts import Standing
from cadran.judge.backtested import KINDS, Kind
from cadran.judge.notices import Alerted, Known, Notice, decide
from cadran.judge.routes import is_muted, labels, mute_ends, recipients, routes_of
from cadran.judge.states import identity
from cadran.state.alerting import Group, Instance, Told

_HOUR = dt.timedelta(hours=1)
_MORNING = dt.time(
    6
)  # when rules are judged in a project that has no schedule for it, as cadran.deliver.jobs says


@dataclass(frozen=True, slots=True)
class Course:
    """How one alert stood after each period, when these became final, and at which position the asked range begins."""

    one: Judging
    standings: Sequence[Standing]
    final: Sequence[dt.datetime]
    first: int


def messages(
    declaration: Declaration, courses: Sequence[Course], now: dt.datetime, *, whole: bool = True
) -> dict[Kind, int]:
    """How many of each kind, up to ``now`` (or, unless ``whole``, up to when the last period of the courses had been judged).

    Whoever would have known of what fires at the beginning is taken to know.
    """
    courses = [course for course in courses if course.first < len(course.final)]
    if not courses:
        return dict.fromkeys(KINDS, 0)
    begin = min(course.final[course.first] for course in courses)
    end = now if whole else max(course.final[-1] for course in courses)
    sim = _Simulation(declaration, courses, begin)
    for moment, following in _moments(declaration, begin, end, now):
        sim.tick(moment)
        sim.look(moment, following)
    return sim.sent


def _moments(
    declaration: Declaration, begin: dt.datetime, end: dt.datetime, now: dt.datetime
) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """The times of the schedule, the last one that at which what is final at ``end`` is judged; and until when each is the
    newest."""
    for moment, following in itertools.pairwise(_schedule(declaration, begin)):
        if moment > now:
            return
        yield moment, min(following, now)
        if moment >= end:
            return


def _schedule(declaration: Declaration, begin: dt.datetime) -> Iterator[dt.datetime]:
    if declaration.judging is not None:
        from cronsim import CronSim

        line, zone = declaration.judging.cron.value, declaration.judging.zone
        yield from CronSim(line, begin.astimezone(zone) - dt.timedelta(minutes=1))
        return
    calendar = declaration.calendar
    day = calendar.local_date(begin)
    while True:
        moment = calendar.midnight(day).replace(hour=_MORNING.hour)
        if moment >= begin:
            yield moment
        day += dt.timedelta(days=1)


class _Simulation:
    def __init__(self, declaration: Declaration, courses: Sequence[Course], begin: dt.datetime) -> None:
        self.declaration, self.courses = declaration, courses
        self.calendar, self.routes = declaration.calendar, declaration.routes
        self.sent: dict[Kind, int] = dict.fromkeys(KINDS, 0)
        self.told: dict[
            tuple[str, str, str, str], Told
        ] = {}  # by alert, route and recipient: whose end is not known yet
        self.groups: tuple[Group, ...] = ()
        self.alerts = [self._alerted(course) for course in courses]
        self.at = [course.first for course in courses]  # the position of the next period
        self.last: dt.datetime | None = None
        for number, course in enumerate(courses):
            if course.first:
                self._stand(number, course.standings[course.first - 1])
        for alert in (a for a in self.alerts if a.fires):
            for route in routes_of(self.routes, alert.labels):
                for to in recipients(route, alert.labels)[0]:
                    self._tell(
                        Told(alert.key, alert.instance.episode, route.name, to.channel, to.address, "", begin)
                    )

    def _alerted(self, course: Course) -> Alerted:
        instance = Instance(identity(course.one), "")
        return Alerted(instance, labels(instance, self.declaration))

    def _stand(self, number: int, standing: Standing) -> None:
        before = self.alerts[number].instance
        begins = standing.state == "firing" and before.state != "firing"
        after = replace(before, state=standing.state, since=standing.since, episode=before.episode + begins)
        self.alerts[number] = replace(self.alerts[number], instance=after)

    def tick(self, now: dt.datetime) -> None:
        moved = False
        for number, course in enumerate(self.courses):
            while self.at[number] < len(course.final) and course.final[self.at[number]] <= now:
                self._stand(number, course.standings[self.at[number]])
                self.at[number] += 1
                moved = True
        if moved or self._may_be_due(now):
            self._decide(now)

    def look(self, after: dt.datetime, until: dt.datetime) -> None:
        """Between two judgings, whenever what is held back may be due: messages go out then, and not at the next judging."""
        moment: dt.datetime | None = after
        while moment is not None:
            some = (
                [at for at in self._ends(moment) if moment < at < until] if self.groups or self.told else []
            )
            moment = min(some, default=None)
            if moment is not None:
                self._decide(moment)

    def _ends(self, now: dt.datetime) -> Iterator[dt.datetime]:
        """When the wait of a group is over, a mute time, or the pause before somebody is told again."""
        routes = {route.name: route for route in self.routes}
        for group in self.groups:
            wait = routes[group.route].wait
            if group.sent is None and group.waiting is not None and wait is not None:
                yield self.calendar.after(group.waiting, wait)
        for told in self.told.values():
            repeat = routes[told.route].repeat
            if repeat is not None:
                yield self.calendar.after(told.at, repeat)
        for route in self.routes:
            if is_muted(route, self.calendar.zone, now):
                end = mute_ends(route, self.calendar.zone, now)
                if end is not None:
                    yield end

    def _may_be_due(self, now: dt.datetime) -> bool:
        """Looked at once an hour at most while nothing becomes final."""
        quiet = not self.groups and not self.told
        return not quiet and (self.last is None or now - self.last >= _HOUR)

    def _decide(self, now: dt.datetime) -> None:
        self.last = now
        heard = {told.identity for told in self.told.values()}
        some = [a for a in self.alerts if a.fires or a.key in heard]
        known = Known(list(self.told.values()), self.groups)
        decision = decide(self.routes, some, known, self.calendar, now)
        self.groups = decision.groups
        for over in decision.over:
            del self.told[_who(over)]
        for notice in decision.notices:
            self._send(notice, now)

    def _send(self, notice: Notice, now: dt.datetime) -> None:
        kind: Kind = "resolved" if notice.kind == "correction" else notice.kind
        self.sent[kind] += 1
        for one in notice.alerts:
            told = Told(
                one.identity.key, one.episode, notice.route, notice.channel, notice.recipient, "", now
            )
            if kind == "resolved":
                del self.told[_who(told)]
            else:
                self._tell(told)

    def _tell(self, told: Told) -> None:
        self.told[_who(told)] = told


def _who(told: Told) -> tuple[str, str, str, str]:
    return told.identity, told.route, told.channel, told.recipient
