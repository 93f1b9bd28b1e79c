"""Which route an alert takes, who is behind a recipient, and when a route is quiet."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from cadran.declare.document import nowhere
from cadran.declare.model import Destination, Mute, Route, Text
from cadran.judge.routes import addressed, is_muted, labels, matches, recipients, routes_of, silenced_by
from cadran.state.alerting import Identity, Instance, Silence
from judge.projects import project

PARIS = ZoneInfo("Europe/Paris")
LABELS = {
    "kpi": ("leads",), "rule": ("low",), "severity": ("critical",), "owner": ("zoe@example.com",), "tag": ("sales", "web"),
    "segment": ("channel", "channel=paid"), "value": ("paid",), "channel": ("paid",),
}  # fmt: skip


def text(value: str) -> Text:
    return Text(value, nowhere())


def route(name: str, **more: object) -> Route:
    return replace(Route(name, nowhere(), (Destination(text("mail"), (text("a@example.com"),)),)), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ({}, True),
        ({"kpi": ("leads",)}, True),
        ({"kpi": ("revenue", "leads")}, True),
        ({"kpi": ("revenue",)}, False),
        ({"tag": ("web",), "severity": ("critical",)}, True),
        ({"tag": ("web",), "severity": ("info",)}, False),
        ({"channel": ("paid",)}, True),
        ({"channel": ("organic",)}, False),
        ({"segment": ("channel=paid",)}, True),
        ({"segment": ("channel",)}, True),
        ({"segment": ("total",)}, False),
        ({"country": ("FR",)}, False),
    ],
)
def test_what_matches(wanted: dict[str, tuple[str, ...]], fits: bool) -> None:
    assert matches(wanted, LABELS) is fits


def test_the_first_route_that_matches_unless_it_goes_on() -> None:
    routes = [
        route("info", match={"severity": ("info",)}), route("chat", match={"severity": ("critical",)}, goes_on=True),
        route("sales", match={"tag": ("sales",)}), route("rest"),
    ]  # fmt: skip
    assert [r.name for r in routes_of(routes, LABELS)] == ["chat", "sales"]
    assert [r.name for r in routes_of(routes, {})] == ["rest"]
    assert list(routes_of([], LABELS)) == []


@pytest.mark.parametrize(
    ("template", "addresses", "missing"),
    [
        ("a@example.com", ["a@example.com"], []),
        ("{{ owner }}", ["zoe@example.com"], []),
        ("{{owner}}", ["zoe@example.com"], []),
        ("{{ channel }}-{{ kpi }}@example.com", ["paid-leads@example.com"], []),
        ("{{ tag }}@example.com", ["sales@example.com", "web@example.com"], []),
        ("{{ country }}@example.com", [], ["country"]),
        ("{{ evil }}", [], ["evil"]),
        ("{{ twice }}", ["{{ owner }}"], []),  # what stands there is not filled in again
        (
            "{{ owner.__class__ }}",
            ["{{ owner.__class__ }}"],
            [],
        ),  # no expression; the notifier refuses it as an address
        ("{% for x in y %}", ["{% for x in y %}"], []),
    ],
)
def test_recipients(template: str, addresses: list[str], missing: list[str]) -> None:
    found = {**LABELS, "evil": ("a@example.com\nBcc: b@example.com", " "), "twice": ("{{ owner }}",)}
    assert addressed(template, found) == (addresses, missing)


def test_each_recipient_once() -> None:
    to = (Destination(text("chat")), Destination(text("mail"), (text("{{ owner }}"), text("zoe@example.com"), text("{{ country }}"))))  # fmt: skip
    found, missing = recipients(route("all", to=to), LABELS)
    assert [(r.channel, r.address) for r in found] == [("chat", ""), ("mail", "zoe@example.com")]
    assert missing == ["country"]


NIGHT = Mute(start=dt.time(20), end=dt.time(7))
WEEKEND = Mute(days=frozenset({6, 7}))
FRIDAY_NIGHT = Mute(days=frozenset({5}), start=dt.time(20), end=dt.time(7))
CLOSED = Mute(first=dt.date(2026, 12, 24), last=dt.date(2027, 1, 1))
LUNCH = Mute(start=dt.time(12), end=dt.time(14))
EVENING = Mute(start=dt.time(18), end=dt.time(0))  # written 18:00-24:00
HOUR = Mute(start=dt.time(2), end=dt.time(3))


@pytest.mark.parametrize(
    ("mute", "local", "quiet"),
    [
        (NIGHT, "2026-11-26T19:59:59", False),
        (NIGHT, "2026-11-26T20:00:00", True),
        (NIGHT, "2026-11-27T00:00:00", True),
        (NIGHT, "2026-11-27T06:59:59", True),
        (NIGHT, "2026-11-27T07:00:00", False),
        (LUNCH, "2026-11-26T12:00:00", True),
        (LUNCH, "2026-11-26T14:00:00", False),
        (EVENING, "2026-11-26T23:59:00", True),
        (EVENING, "2026-11-27T00:00:00", False),
        (WEEKEND, "2026-11-27T23:59:00", False),
        (WEEKEND, "2026-11-28T00:00:00", True),
        (WEEKEND, "2026-11-29T23:59:00", True),
        (WEEKEND, "2026-11-30T00:00:00", False),
        # What is over midnight belongs to the day on which it began.
        (FRIDAY_NIGHT, "2026-11-27T21:00:00", True),
        (FRIDAY_NIGHT, "2026-11-28T06:00:00", True),
        (FRIDAY_NIGHT, "2026-11-28T21:00:00", False),
        (FRIDAY_NIGHT, "2026-11-27T06:00:00", False),
        (CLOSED, "2026-12-23T23:59:00", False),
        (CLOSED, "2026-12-24T00:00:00", True),
        (CLOSED, "2027-01-01T23:59:00", True),
        (CLOSED, "2027-01-02T00:00:00", False),
        # The clock goes from 02:00 to 03:00 on 29 March, and from 03:00 back to 02:00 on 25 October.
        (HOUR, "2026-03-29T01:59:00", False),
        (HOUR, "2026-03-29T03:00:00", False),
        (HOUR, "2026-10-25T02:30:00", True),
        (HOUR, "2026-10-25T03:00:00", False),
    ],
)
def test_mute_times(mute: Mute, local: str, quiet: bool) -> None:
    now = dt.datetime.fromisoformat(local).replace(tzinfo=PARIS)
    assert is_muted(route("all", mute=(mute,)), PARIS, now.astimezone(dt.UTC)) is quiet


def test_an_hour_that_comes_twice_is_quiet_twice() -> None:
    both = [dt.datetime(2026, 10, 25, hour, 30, tzinfo=dt.UTC) for hour in (0, 1)]
    assert [is_muted(route("all", mute=(HOUR,)), PARIS, now) for now in both] == [True, True]


def test_a_route_has_a_zone_of_its_own() -> None:
    now = dt.datetime(2026, 11, 26, 12, tzinfo=dt.UTC)
    tokyo = route("tokyo", mute=(NIGHT,), zone=ZoneInfo("Asia/Tokyo"))
    assert is_muted(tokyo, PARIS, now)
    assert not is_muted(replace(tokyo, zone=None), PARIS, now)


def test_silences() -> None:
    now = dt.datetime(2026, 11, 26, tzinfo=dt.UTC)
    day = dt.timedelta(days=1)

    def silence(number: int, first: int, last: int, **more: object) -> Silence:
        return replace(
            Silence({"kpi": ("leads",)}, now + first * day, now + last * day, number=number), **more
        )  # type: ignore[arg-type]

    def held(*some: Silence) -> int | None:
        found = silenced_by(some, LABELS, now)
        return found.number if found else None

    assert held(silence(1, -1, 1)) == 1
    assert held(silence(1, -1, 1), silence(2, -1, 2)) == 2  # the one that lasts longest
    assert held(silence(1, 0, 1)) == 1
    assert held(silence(1, -1, 0)) is None  # just over
    assert held(silence(1, 1, 2)) is None  # not yet
    assert held(silence(1, -1, 1, expired=now)) is None
    assert held(silence(1, -1, 1, matchers={"kpi": ("revenue",)})) is None


def test_what_is_compared_of_alerts() -> None:
    declaration = project()
    paid = Instance(Identity("kpi", "leads", "low", "month", ("channel",), ("paid",)), "")
    assert labels(paid, declaration) == {
        "subject": ("kpi",), "kpi": ("leads",), "was": ("old_leads",), "rule": ("low",), "severity": ("warning",), "owner": ("zoe@example.com",),
        "tag": ("sales",), "grain": ("month",), "segment": ("channel", "channel=paid"), "value": ("paid",), "channel": ("paid",),
    }  # fmt: skip
    source = Instance(Identity("source", "crm", "failed"), "")
    found = labels(source, declaration, ["leads", "revenue", "margin"])
    assert found["owner"] == ("zoe@example.com", "max@example.com")
    assert (found["severity"], found["source"], "kpi" in found) == (("critical",), ("crm",), False)
