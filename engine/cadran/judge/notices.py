"""Which messages about alerts go to whom: a pure function of where alerts stand, of the routes, and of who was told what.

The order is that of Alertmanager's pipeline (``notify/notify.go``): route and group, inhibition, mute times, silences, the
group's wait, then what is new since each recipient was last told. What is held back and still stands afterwards is said then.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from cadran.calendar import Calendar
from cadran.declare.model import Route
from cadran.judge.routes import Labels, Recipient, group_of, is_muted, recipients, routes_of, silenced_by
from cadran.state.alerting import RESTATED, Group, Instance, Silence, Told

_LONGEST = 300  # characters of a group's key

#: Why, and by what: a silence's number, what fails, a route, until when it waits, the name that is missing.
Withheld = tuple[Literal["silenced", "inhibited", "muted", "waiting", "no route", "no recipient"], str]


@dataclass(frozen=True, slots=True)
class Notice:
    """One message about a group of alerts to one recipient.

    ``kind``: firing (something new fires), repeat, resolved, correction (of a period that was restated). A firing one is about
    all that fires in the group; ``fresh`` are the keys of what its recipient has not heard of. A resolved notice, as a
    correction, is about alerts that one earlier message told of; it goes out ``after`` that delivery, and never without it.
    """

    route: str
    group: str  # the group's key
    kind: Literal["firing", "repeat", "resolved", "correction"]
    channel: str
    recipient: str = ""  # empty where the channel is itself the address
    alerts: tuple[Instance, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)  # what it is grouped by
    after: str = ""
    fresh: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Alerted:
    """An alert with what routes compare of it, and by what it is inhibited, if it is: ``source crm``."""

    instance: Instance
    labels: Labels
    inhibited: str = ""

    @property
    def key(self) -> str:
        return self.instance.identity.key

    @property
    def fires(self) -> bool:
        return self.instance.state == "firing"


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of earlier messages, and what people have silenced."""

    told: Sequence[Told] = ()
    groups: Sequence[Group] = ()
    silences: Sequence[Silence] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """``groups`` are all that there are now. ``over`` are alerts whose end is told to nobody, for good. ``withheld`` says, by an
    alert's key, why somebody does not hear that it fires."""

    notices: tuple[Notice, ...] = ()
    groups: tuple[Group, ...] = ()
    over: tuple[Told, ...] = ()
    withheld: Mapping[str, tuple[Withheld, ...]] = field(default_factory=dict)


def decide(
    routes: Sequence[Route], alerts: Iterable[Alerted], known: Known, calendar: Calendar, now: dt.datetime,
    *, sent: dt.datetime | None = None, channels: Container[str] | None = None,
) -> Decision:  # fmt: skip
    """``alerts`` are all that there are, whatever their state; each open one of ``known.told`` is among them.

    ``now`` is the logical time, from which waits and repeats are counted; ``sent`` is when messages go out, where that is
    later: people mean their silences, and quiet times, by it. Nothing is said by a channel that is not one of ``channels``.
    """
    decider = _Decider(routes, list(alerts), known, calendar, now, max(now, sent or now))
    return decider.decide(channels)


def group_key(by: Mapping[str, str]) -> str:
    """What state knows a group by: JSON of what it is grouped by, or the digest of a long one."""
    text = json.dumps(by, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= _LONGEST else hashlib.sha256(text.encode()).hexdigest()


@dataclass(slots=True)
class _Members:
    """What fires in one group of a route."""

    route: Route
    key: str
    labels: Mapping[str, str]
    firing: list[Alerted] = field(default_factory=list)


class _Decider:
    def __init__(
        self, routes: Sequence[Route], alerts: Sequence[Alerted], known: Known, calendar: Calendar, now: dt.datetime, sent: dt.datetime
    ) -> None:  # fmt: skip
        self.routes, self.alerts, self.known, self.calendar = routes, alerts, known, calendar
        self.now, self.sent = now, sent
        self.open = [told for told in known.told if told.ended is None]
        self.groups = {(group.route, group.key): group for group in known.groups}
        self.withheld: dict[str, dict[Withheld, None]] = {}
        self.over: list[Told] = []

    def decide(self, channels: Container[str] | None) -> Decision:
        held = {a.key: why for a in self.alerts if (why := self._held(a))}
        groups = self._members(held)
        quiet = {route.name for route in self.routes if is_muted(route, self.calendar.zone, self.sent)}
        notices: list[Notice] = []
        now: list[Group] = []
        for members in groups:
            group = self.groups.get((members.route.name, members.key))
            group = group or Group(members.route.name, members.key, self.now)
            said = [] if self._is_waiting(members, group) else list(self._of_group(members, quiet, held))
            notices += said
            now.append(replace(group, waiting=None, sent=self.now) if said else group)
        notices += self._ended(quiet, held, channels)
        withheld = {key: tuple(reasons) for key, reasons in self.withheld.items()}
        return Decision(tuple(notices), tuple(now), tuple(self.over), withheld)

    # --- routes and groups ------------------------------------------------------------------------------------------

    def _members(self, held: Mapping[str, Withheld]) -> list[_Members]:
        out: dict[tuple[str, str], _Members] = {}
        for alert in (a for a in self.alerts if a.fires):
            taken = list(routes_of(self.routes, alert.labels))
            if not taken:
                self._withhold(alert, held.get(alert.key) or ("no route", ""))
            for route in taken:
                by = group_of(route, alert.labels)
                key = group_key(by)
                out.setdefault((route.name, key), _Members(route, key, by)).firing.append(alert)
        return list(out.values())

    def _is_waiting(self, members: _Members, group: Group) -> bool:
        """Whether a group that nothing has been said of yet is held back for others to join it."""
        wait = members.route.wait
        if group.sent is not None or group.waiting is None or wait is None:
            return False
        waiting = self.now < self.calendar.after(group.waiting, wait)
        for alert in members.firing if waiting else ():
            self._withhold(alert, ("waiting", self.calendar.after(group.waiting, wait).isoformat()))
        return waiting

    # --- what fires -------------------------------------------------------------------------------------------------

    def _of_group(self, members: _Members, quiet: set[str], held: Mapping[str, Withheld]) -> Iterator[Notice]:
        by_recipient: dict[Recipient, list[Alerted]] = {}
        for alert in members.firing:
            why = held.get(alert.key) or (
                ("muted", members.route.name) if members.route.name in quiet else None
            )
            if why is not None:
                self._withhold(alert, why)
                continue
            to, missing = recipients(members.route, alert.labels)
            for name in missing:
                self._withhold(alert, ("no recipient", name))
            for recipient in to:
                by_recipient.setdefault(recipient, []).append(alert)
        for recipient, alerts in by_recipient.items():
            notice = self._firing(members, recipient, alerts)
            if notice is not None:
                yield notice

    def _firing(self, members: _Members, recipient: Recipient, alerts: Sequence[Alerted]) -> Notice | None:
        mine = [told for told in self.open if _is_to(told, members.route.name, recipient)]
        heard = {(told.identity, told.episode): told for told in mine}
        fresh = [a for a in alerts if (a.key, a.instance.episode) not in heard]
        if not fresh and not self._is_due_again(
            members.route, [heard[a.key, a.instance.episode] for a in alerts]
        ):
            return None
        again = {alert.key for alert in fresh}
        # Whoever hears that an alert fires again needs not hear that it had ended.
        self.over += [told for told in mine if told.identity in again]
        return Notice(
            members.route.name, members.key, "firing" if fresh else "repeat", recipient.channel, recipient.address,
            tuple(a.instance for a in sorted(alerts, key=lambda a: a not in fresh)), members.labels,
            fresh=tuple(a.key for a in fresh),
        )  # fmt: skip

    def _is_due_again(self, route: Route, told: Sequence[Told]) -> bool:
        """To the minute: what looks once a day does so some seconds earlier or later each time."""
        newest = max(one.at for one in told).replace(second=0, microsecond=0)
        return route.repeat is not None and self.now >= self.calendar.after(newest, route.repeat)

    # --- what is over -----------------------------------------------------------------------------------------------

    def _ended(
        self, quiet: set[str], held: Mapping[str, Withheld], channels: Container[str] | None
    ) -> Iterator[Notice]:
        """To those who were told that it fires, after the message that told them."""
        alerts, routes = {a.key: a for a in self.alerts}, {route.name: route for route in self.routes}
        over = set(self.over)
        together: dict[tuple[str, str, str, str, str], list[Alerted]] = {}
        for told in (t for t in self.open if t not in over):
            alert, route = alerts.get(told.identity), routes.get(told.route)
            if (
                alert is not None and alert.fires
            ):  # also where it fires again, which may be held back from this recipient
                continue
            if alert is None or route is None or (channels is not None and told.channel not in channels):
                self.over.append(told)  # nobody knows any more what it was about, or by which way
                continue
            kind = "correction" if alert.instance.reason == RESTATED else "resolved"
            if kind == "resolved" and not route.resolved:
                self.over.append(told)
            elif alert.key not in held and route.name not in quiet:
                key = (route.name, kind, told.channel, told.recipient, told.delivery)
                together.setdefault(key, []).append(alert)
        for (name, kind, channel, address, delivery), some in together.items():
            for labels, alike in _grouped(routes[name], some):
                group = group_key(labels)
                yield Notice(
                    name, group, kind, channel, address, tuple(a.instance for a in alike), labels, delivery  # type: ignore[arg-type]
                )  # fmt: skip

    # --- what is held back ------------------------------------------------------------------------------------------

    def _held(self, alert: Alerted) -> Withheld | None:
        if alert.inhibited:
            return ("inhibited", alert.inhibited)
        silence = silenced_by(self.known.silences, alert.labels, self.sent)
        return None if silence is None else ("silenced", str(silence.number))

    def _withhold(self, alert: Alerted, why: Withheld) -> None:
        self.withheld.setdefault(alert.key, {})[why] = None


def _is_to(told: Told, route: str, recipient: Recipient) -> bool:
    return (told.route, told.channel, told.recipient) == (route, recipient.channel, recipient.address)


def _grouped(route: Route, alerts: Iterable[Alerted]) -> list[tuple[dict[str, str], list[Alerted]]]:
    out: list[tuple[dict[str, str], list[Alerted]]] = []
    for alert in alerts:
        labels = group_of(route, alert.labels)
        known = next((some for by, some in out if by == labels), None)
        if known is None:
            out.append((labels, [alert]))
        else:
            known.append(alert)
    return out
