"""Which messages follow of where alerts stand: case by case, and against a model that only reads earlier messages."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadran.calendar import Duration
from cadran.declare.model import Destination, Mute, Route
from cadran.judge.notices import Alerted, Known, Notice, decide
from cadran.judge.routes import is_muted
from cadran.state.alerting import RESTATED, AlertState, Group, Identity, Instance, Silence, Told
from judge.examples import EXAMPLES, PARIS
from judge.test_routes import route, text

START = dt.datetime(2026, 3, 2, 7, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def alert(name: str, state: AlertState = "firing", episode: int = 1, **more: object) -> Instance:
    return replace(Instance(Identity("kpi", name, "low", "month"), "", state, episode=episode), **more)  # type: ignore[arg-type]


@dataclass
class World:
    """A store in memory: what was sent, and what is remembered of it."""

    routes: Sequence[Route]
    silences: list[Silence] = field(default_factory=list)
    told: dict[tuple[str, int, str, str, str], Told] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    withheld: Mapping[str, object] = field(default_factory=dict)
    sent: int = 0

    def tick(
        self, *alerts: Instance, hours: float = 0, inhibited: Mapping[str, str] | None = None, restated: bool = False
    ) -> list[Notice]:  # fmt: skip
        now = START + hours * HOUR
        labelled = [
            Alerted(i, {"kpi": (i.identity.name,), "owner": (f"{i.identity.name[0]}@example.com",)}, (inhibited or {}).get(i.identity.name, ""))
            for i in alerts
        ]  # fmt: skip
        decision = decide(
            self.routes, labelled, Known(list(self.told.values()), self.groups, self.silences), PARIS, now
        )
        self.groups, self.withheld = decision.groups, decision.withheld
        for over in decision.over:
            self._put(replace(over, ended=now))
        for notice in decision.notices:
            self._send(notice, now)
        return list(decision.notices)

    def _send(self, notice: Notice, now: dt.datetime) -> None:
        self.sent += 1
        who = (notice.route, notice.channel, notice.recipient)
        for one in notice.alerts:
            if notice.kind in ("firing", "repeat"):
                before = self.told.get((one.identity.key, one.episode, *who))
                first = before.delivery if before else str(self.sent)
                self._put(Told(one.identity.key, one.episode, *who, first, now))
            else:
                for told in list(self.told.values()):
                    same = (
                        told.identity == one.identity.key
                        and (told.route, told.channel, told.recipient) == who
                    )
                    if same and told.delivery == notice.after:
                        self._put(replace(told, ended=now))

    def _put(self, told: Told) -> None:
        self.told[told.identity, told.episode, told.route, told.channel, told.recipient] = told


def said(notices: Sequence[Notice]) -> list[str]:
    """``firing a@example.com: leads*, revenue``; a star for what is new."""
    return [
        f"{n.kind} {n.recipient}: " + ", ".join(a.identity.name + "*" * (a.identity.key in n.fresh) for a in n.alerts)
        + f" after {n.after}" * bool(n.after)
        for n in notices
    ]  # fmt: skip


def held(world: World) -> set[object]:
    return {why for reasons in world.withheld.values() for why in reasons}  # type: ignore[attr-defined]


def test_without_a_route_nothing_is_sent() -> None:
    world = World([])
    assert world.tick(alert("leads")) == []
    assert held(world) == {("no route", "")}


def test_fires_once_and_ends_once() -> None:
    world = World([route("all")])
    assert said(world.tick(alert("leads"))) == ["firing a@example.com: leads*"]
    assert world.tick(alert("leads"), hours=999) == []
    assert said(world.tick(alert("leads", "ok"), hours=1000)) == ["resolved a@example.com: leads after 1"]
    assert world.tick(alert("leads", "ok"), hours=1001) == []
    assert said(world.tick(alert("leads", episode=2), hours=1002)) == ["firing a@example.com: leads*"]


def test_pending_is_nobodys_business() -> None:
    assert World([route("all")]).tick(alert("leads", "pending", 0)) == []


def test_what_fired_and_ended_unheard_stays_unheard() -> None:
    assert World([route("all")]).tick(alert("leads", "ok")) == []


def test_a_group_is_told_whole_when_something_joins_it() -> None:
    world = World([route("all")])
    world.tick(alert("leads"))
    assert said(world.tick(alert("leads"), alert("revenue"), hours=1)) == [
        "firing a@example.com: revenue*, leads"
    ]
    both = alert("leads", "ok"), alert("revenue", "ok")
    assert said(world.tick(*both, hours=2)) == [
        "resolved a@example.com: leads after 1", "resolved a@example.com: revenue after 2"
    ]  # fmt: skip


def test_groups_go_apart() -> None:
    world = World([route("all", group_by=("kpi",))])
    notices = world.tick(alert("leads"), alert("revenue"))
    assert [json.loads(n.group) for n in notices] == [{"kpi": "leads"}, {"kpi": "revenue"}]
    assert [dict(n.labels) for n in notices] == [{"kpi": "leads"}, {"kpi": "revenue"}]


def test_each_owner_hears_of_his_own() -> None:
    to = (Destination(text("mail"), (text("{{ owner }}"),)),)
    world = World([route("all", to=to)])
    assert said(world.tick(alert("leads"), alert("revenue"), alert("lost"))) == [
        "firing l@example.com: leads*, lost*", "firing r@example.com: revenue*"
    ]  # fmt: skip
    assert world.tick(alert("leads"), alert("revenue"), alert("lost"), hours=1) == []


def test_wait() -> None:
    world = World([route("all", wait=Duration(seconds=7200))])
    assert world.tick(alert("leads")) == []
    [(why, until)] = held(world)
    assert (why, dt.datetime.fromisoformat(str(until)) - START) == ("waiting", dt.timedelta(hours=2))
    assert world.tick(alert("leads"), alert("revenue"), hours=1) == []
    assert said(world.tick(alert("leads"), alert("revenue"), hours=2)) == [
        "firing a@example.com: leads*, revenue*"
    ]
    # A group that has been told of once waits no more.
    more = alert("leads"), alert("revenue"), alert("margin")
    assert said(world.tick(*more, hours=2.5)) == ["firing a@example.com: margin*, leads, revenue"]


def test_what_ends_while_its_group_waits_was_never_told() -> None:
    world = World([route("all", wait=Duration(seconds=7200))])
    world.tick(alert("leads"))
    assert world.tick(alert("leads", "ok"), hours=1) == []
    assert world.groups == ()
    assert world.tick(alert("leads", episode=2), hours=2) == []  # and then waits anew


def test_repeat() -> None:
    world = World([route("all", repeat=Duration(days=1))])
    world.tick(alert("leads"))
    assert world.tick(alert("leads"), hours=23) == []
    assert said(world.tick(alert("leads"), hours=24)) == ["repeat a@example.com: leads"]
    assert world.tick(alert("leads"), hours=47) == []
    # What joins the group is told with all of it, so the whole group begins to wait for its repetition anew.
    world.tick(alert("leads"), alert("revenue"), hours=47.5)
    assert world.tick(alert("leads"), alert("revenue"), hours=71) == []
    assert said(world.tick(alert("leads"), alert("revenue"), hours=71.5)) == [
        "repeat a@example.com: leads, revenue"
    ]
    # Its end follows the first message.
    assert said(world.tick(alert("leads", "ok"), alert("revenue"), hours=72)) == [
        "resolved a@example.com: leads after 1"
    ]


def test_a_route_may_keep_the_end_to_itself() -> None:
    world = World([route("all", resolved=False)])
    world.tick(alert("leads"))
    assert world.tick(alert("leads", "ok"), hours=1) == []
    assert all(told.ended for told in world.told.values())
    # But not that what it said was wrong.
    world.tick(alert("leads", episode=2), hours=2)
    assert said(world.tick(alert("leads", "ok", 2, reason=RESTATED), hours=3)) == [
        "correction a@example.com: leads after 2"
    ]


def test_a_correction_to_pending() -> None:
    world = World([route("all")])
    world.tick(alert("leads"))
    assert said(world.tick(alert("leads", "pending", reason=RESTATED), hours=1)) == [
        "correction a@example.com: leads after 1"
    ]


def test_what_is_held_back_is_said_once_it_is_not() -> None:
    until = Silence({"kpi": ("leads",)}, START, START + 5 * HOUR, number=7)
    world = World([route("all")], [until])
    assert world.tick(alert("leads")) == []
    assert held(world) == {("silenced", "7")}
    assert said(world.tick(alert("leads"), alert("revenue"), hours=1)) == ["firing a@example.com: revenue*"]
    assert said(world.tick(alert("leads"), alert("revenue"), hours=5)) == [
        "firing a@example.com: leads*, revenue"
    ]


def test_the_end_of_what_is_silenced_is_told_afterwards() -> None:
    world = World([route("all")])
    world.tick(alert("leads"))
    world.silences.append(Silence({"kpi": ("leads",)}, START, START + 5 * HOUR))
    assert world.tick(alert("leads", "ok"), hours=1) == []
    assert said(world.tick(alert("leads", "ok"), hours=5)) == ["resolved a@example.com: leads after 1"]


def test_what_fires_again_while_it_is_silenced_and_ends() -> None:
    world = World([route("all")])
    world.tick(alert("leads"))
    world.silences.append(Silence({"kpi": ("leads",)}, START, START + 5 * HOUR))
    assert world.tick(alert("leads", episode=2), hours=1) == []
    assert said(world.tick(alert("leads", "ok", 2), hours=5)) == ["resolved a@example.com: leads after 1"]
    assert world.tick(alert("leads", "ok", 2), hours=6) == []


def test_what_fires_again_while_its_group_waits_has_not_ended() -> None:
    world = World([route("all", wait=Duration(seconds=7200))])
    world.tick(alert("leads"))
    world.tick(alert("leads"), hours=2)
    world.silences.append(Silence({}, START, START + 4 * HOUR))
    assert world.tick(alert("leads", "ok"), hours=3) == []
    assert world.tick(alert("leads", episode=2), hours=4) == []
    assert said(world.tick(alert("leads", episode=2), hours=6)) == ["firing a@example.com: leads*"]
    assert said(world.tick(alert("leads", "ok", 2), hours=7)) == ["resolved a@example.com: leads after 2"]


def test_inhibition() -> None:
    world = World([route("all")])
    source = alert("crm")
    assert said(world.tick(alert("leads"), source, inhibited={"leads": "source crm"})) == [
        "firing a@example.com: crm*"
    ]
    assert held(world) == {("inhibited", "source crm")}
    assert said(world.tick(alert("leads"), alert("crm", "ok"), hours=1)) == [
        "firing a@example.com: leads*", "resolved a@example.com: crm after 1"
    ]  # fmt: skip


def test_mute_times() -> None:
    night = Mute(start=dt.time(20), end=dt.time(7))
    world = World([route("all", mute=(night,), zone=None)])
    assert world.tick(alert("leads"), hours=12) == []  # 20:00 in Paris
    assert held(world) == {("muted", "all")}
    assert said(world.tick(alert("leads"), hours=23)) == ["firing a@example.com: leads*"]
    assert world.tick(alert("leads", "ok"), hours=36) == []
    assert said(world.tick(alert("leads", "ok"), hours=47)) == ["resolved a@example.com: leads after 1"]


@pytest.mark.parametrize(
    ("later", "said_then"), [(0, ["firing a@example.com: leads*"]), (2, []), (13, [])]
)  # fmt: skip
def test_a_run_that_comes_late_is_quiet_by_the_clock(later: float, said_then: list[str]) -> None:
    """Silenced after an hour, muted in the evening; the message is of eight in the morning all the same."""
    night = Mute(start=dt.time(20), end=dt.time(7))
    silence = Silence({"kpi": ("leads",)}, START + HOUR, START + 5 * HOUR)
    alerts = [Alerted(alert("leads"), {"kpi": ("leads",)})]
    known = Known(silences=[silence])
    found = decide([route("all", mute=(night,))], alerts, known, PARIS, START, sent=START + later * HOUR)
    assert said(found.notices) == said_then


def test_a_route_that_is_gone_ends_what_it_told() -> None:
    world = World([route("all")])
    world.tick(alert("leads"))
    world.routes = [route("other")]
    assert said(world.tick(alert("leads"), hours=1)) == ["firing a@example.com: leads*"]
    world.tick(alert("leads", "ok"), hours=2)
    assert all(told.ended for told in world.told.values())


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_routes(order: tuple[int, int]) -> None:
    routes = [route("chat", match={"kpi": ("leads",)}, goes_on=True), route("all")]
    world = World([routes[i] for i in order])
    found = [(n.route, n.alerts[0].identity.name) for n in world.tick(alert("leads"))]
    assert found == ([("chat", "leads"), ("all", "leads")] if order == (0, 1) else [("all", "leads")])


# --- against a model ---------------------------------------------------------------------------------------------------

NAMES = ("leads", "lost", "revenue", "margin")
ROUTES = st.lists(
    st.builds(
        lambda kpi, by, wait, repeat, resolved, goes_on, night, owner: (kpi, by, wait, repeat, resolved, goes_on, night, owner),
        st.sampled_from([None, "leads", "revenue"]), st.sampled_from([(), ("kpi",), ("owner",)]), st.sampled_from([None, 3, 5]),
        st.sampled_from([None, 4, 24]), st.booleans(), st.booleans(), st.booleans(), st.booleans(),
    ),
    max_size=3,
)  # fmt: skip
STEPS = st.lists(
    st.tuples(
        st.integers(1, 6), st.lists(st.sampled_from(NAMES), max_size=4), st.sets(st.sampled_from(NAMES), max_size=1),
        st.sets(st.sampled_from(NAMES), max_size=1),
    ),
    max_size=25,
)  # fmt: skip


def made(number: int, spec: tuple[object, ...]) -> Route:
    kpi, by, wait, repeat, resolved, goes_on, night, owner = spec
    to = [text("{{ owner }}"), text("all@example.com")] if owner else [text("all@example.com")]
    return route(
        f"route {number}", to=(Destination(text("mail"), tuple(to)),), match={"kpi": (kpi,)} if kpi else {}, group_by=by,
        wait=Duration(seconds=3600 * wait) if wait else None, repeat=Duration(seconds=3600 * repeat) if repeat else None,  # type: ignore[operator]
        resolved=resolved, goes_on=goes_on, mute=(Mute(start=dt.time(20), end=dt.time(7)),) if night else (),
    )  # fmt: skip


@dataclass
class Model:
    """Works out what is due from all that was sent before, and since when each group fires."""

    routes: Sequence[Route]
    sent: list[tuple[dt.datetime, str, str, str, str, dict[str, int]]] = field(
        default_factory=list
    )  # …, group, kind, alerts
    since: dict[tuple[str, str], dt.datetime] = field(default_factory=dict)

    def tick(self, states: Mapping[str, tuple[bool, int]], held: set[str], now: dt.datetime) -> set[object]:
        due: list[tuple[str, str, str, str, dict[str, int]]] = []
        firing = [name for name, (fires, _) in states.items() if fires]
        groups = {(r.name, self.group(r, n)) for n in firing for r in self.taken(n)}
        self.since = {g: self.since.get(g, now) for g in groups}
        for one in self.routes:
            mine = [n for n in firing if one in self.taken(n)]
            quiet = is_muted(one, PARIS.zone, now)
            for recipient in self.people(one, NAMES):
                heard = self.heard(one.name, recipient)
                for group in sorted({self.group(one, n) for n in mine}):
                    some = [
                        n
                        for n in mine
                        if self.group(one, n) == group
                        and n not in held
                        and recipient in self.people(one, [n])
                    ]
                    begun = self.since[one.name, group]
                    spoken = any(
                        at >= begun and (r, g) == (one.name, group) and k in ("firing", "repeat")
                        for at, r, _, g, k, _ in self.sent
                    )
                    early = (
                        one.wait is not None
                        and not spoken
                        and now < begun + dt.timedelta(seconds=one.wait.seconds)
                    )
                    if quiet or early or not some:
                        continue
                    fresh = [n for n in some if heard.get(n, (0, now))[0] != states[n][1]]
                    newest = max((heard[n][1] for n in some if n in heard), default=now)
                    if fresh:
                        due.append((one.name, recipient, group, "firing", {n: states[n][1] for n in some}))
                    elif one.repeat is not None and now - newest >= dt.timedelta(
                        days=one.repeat.days, seconds=one.repeat.seconds
                    ):
                        due.append((one.name, recipient, group, "repeat", {n: states[n][1] for n in some}))
                over = {n for n in heard if not states[n][0] and n not in held}
                if over and not one.resolved:
                    self.sent.append(
                        (
                            now,
                            one.name,
                            recipient,
                            "",
                            "unsaid",
                            dict.fromkeys({n for n in heard if not states[n][0]}, 0),
                        )
                    )
                elif over and not quiet:
                    due += [(one.name, recipient, self.group(one, n), "resolved", {n: 0}) for n in over]
        self.sent += [(now, *one) for one in due]
        return {(r, p, k, n) for r, p, _, k, names in due for n in names}

    def taken(self, name: str) -> list[Route]:
        out: list[Route] = []
        for one in self.routes:
            if name in one.match.get("kpi", (name,)):
                out.append(one)
                if not one.goes_on:
                    break
        return out

    def group(self, one: Route, name: str) -> str:
        by = {"kpi": name, "owner": f"{name[0]}@example.com"}
        return json.dumps({word: by[word] for word in one.group_by})

    def people(self, one: Route, names: Sequence[str]) -> list[str]:
        return sorted(
            {t.value.replace("{{ owner }}", f"{n[0]}@example.com") for t in one.to[0].to for n in names}
        )

    def heard(self, route: str, recipient: str) -> dict[str, tuple[int, dt.datetime]]:
        out: dict[str, tuple[int, dt.datetime]] = {}
        for at, by, to, _, kind, names in self.sent:
            if (by, to) == (route, recipient):
                for name, episode in names.items():
                    if kind in ("firing", "repeat"):
                        out[name] = (episode, at)
                    else:
                        out.pop(name, None)
        return out


@settings(max_examples=EXAMPLES * 3, deadline=None, derandomize=True, database=None)
@given(ROUTES, STEPS)
def test_as_a_model_that_reads_earlier_messages(specs: list[tuple[object, ...]], steps: list[tuple[int, list[str], set[str], set[str]]]) -> None:  # fmt: skip
    routes = [made(n, spec) for n, spec in enumerate(specs)]
    world, model = World(routes), Model(routes)
    states: dict[str, tuple[bool, int]] = dict.fromkeys(NAMES, (False, 0))
    hours = 0
    for later, turned, silenced, inhibited in steps:
        hours += later
        for name in turned:
            fires, episode = states[name]
            states[name] = (not fires, episode + (not fires))
        now = START + hours * HOUR
        world.silences = [Silence({"kpi": (name,)}, START, now + HOUR) for name in silenced]
        instances = [alert(n, "firing" if fires else "ok", episode) for n, (fires, episode) in states.items()]
        notices = world.tick(*instances, hours=hours, inhibited=dict.fromkeys(inhibited, "source crm"))
        found = [(n.route, n.recipient, n.kind, a.identity.name) for n in notices for a in n.alerts]
        assert set(found) == model.tick(states, silenced | inhibited, now)
        assert len(found) == len(set(found))  # nobody hears one thing twice
        assert not {a.identity.name for n in notices for a in n.alerts} & (silenced | inhibited)
