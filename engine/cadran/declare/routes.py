"""``routes:``: which alerts go where, grouped how, and when that is quiet."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from cadran.declare import values
from cadran.declare.destinations import blanks, check_blanks, destinations
from cadran.declare.document import Place
from cadran.declare.findings import Findings, line_and_column
from cadran.declare.model import AlertRule, Kpi, Mute, Route
from cadran.declare.sections import Entry, Sections
from cadran.declare.zones import zone
from cadran.problems import listed, suggest

WORDS = (
    "kpi",
    "rule",
    "severity",
    "owner",
)  # what every alert of a KPI has, beside the values of its segments
DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
SEVERITIES = ("info", "warning", "critical")
_LONGEST = 200  # characters of a name that is made
_HOURS = re.compile(r"(\d\d):(\d\d) ?- ?(\d\d):(\d\d)")


def routes(entry: Entry, kpis: Mapping[str, Kpi], sections: Sections, found: Findings) -> tuple[Route, ...]:
    """In the order of the file. Two that match the same and go to the same place need names."""
    made: dict[str, Route] = {}
    for value, place in values.each(entry.value, entry.place):
        one = _route(value, place, kpis, sections, found)
        first = made.setdefault(one.name, one)
        if first is not one:
            message = f"this route takes and sends the same as the one at {line_and_column(first.place)}"
            hint = "remove it, or give each a 'name' of its own"
            found.error("same-route", message, place, hint)
        elif (
            before := next((r for r in made.values() if r is not one and _takes_all(r, one)), None)
        ) is not None:
            message = (
                f"no alert comes to this route: the one at {line_and_column(before.place)} takes them all"
            )
            found.warn("unreached-route", message, place, "put it before that one, or write 'continue: true' there")  # fmt: skip
    _all_taken(tuple(made.values()), entry.place, kpis, found)
    return tuple(made.values())


def _takes_all(before: Route, after: Route) -> bool:
    """Whether what the later one matches has ended at the earlier one."""
    wanted = {name: set(after.match.get(name, ())) for name in before.match}
    return not before.goes_on and all(
        found and found <= set(before.match[name]) for name, found in wanted.items()
    )


def _route(
    value: dict[str, Any], place: Place, kpis: Mapping[str, Kpi], sections: Sections, found: Findings
) -> Route:
    segments = {name for kpi in kpis.values() for names in kpi.segments for name in names}
    match = {key: tuple(str(v) for v, _ in values.each(part, place)) for key, part in value.get("match", {}).items()}  # fmt: skip
    to = destinations(value["to"], place.child("to"), sections, found)
    for one in to:
        check_blanks(one.to, {*WORDS, *segments}, found)
    _check_match(match, place.child("match"), kpis, segments, sections, found)
    group_by = values.texts(value["group_by"], place.child("group_by")) if "group_by" in value else ()
    for word in group_by:
        _known(word.value, word.place, {*WORDS, *segments}, "alerts are not told apart by '{}'", found)
    if any("owner" in blanks(text.value) for one in to for text in one.to):
        _all_owned(match, place, kpis, found)
    named = value.get("timezone")
    return Route(
        name=value.get("name") or _made_name(value),
        place=place,
        to=to,
        match=match,
        group_by=tuple(word.value for word in group_by),
        wait=values.duration(value.get("wait"), place.child("wait"), found),
        repeat=values.long_enough(value.get("repeat"), place.child("repeat"), found),
        mute=tuple(_mutes(value, place, found)),
        zone=zone(named, place.child("timezone"), found) if named else None,
        resolved=value.get("resolved", True),
        goes_on=value.get("continue", False),
    )


def _made_name(value: dict[str, Any]) -> str:
    """What it matches and where it goes: a route without a name is another one once that changes."""
    parts = [value.get("match", {}), value["to"]]
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else hashlib.sha256(text.encode()).hexdigest()


def _check_match(
    match: Mapping[str, tuple[str, ...]], place: Place, kpis: Mapping[str, Kpi], segments: set[str],
    sections: Sections, found: Findings,
) -> None:  # fmt: skip
    known: dict[str, set[str]] = {
        "kpi": {*kpis, *sections.names("kpis")},
        "rule": {rule.name for kpi in kpis.values() for rule in kpi.alerts},
        "severity": {*SEVERITIES},
        "owner": {kpi.owner for kpi in kpis.values() if kpi.owner},
        "tag": {tag for kpi in kpis.values() for tag in kpi.tags},
    }
    for key, wanted in match.items():
        at = place.child(key)
        if not _known(key, at, {*known, *segments}, "alerts have no '{}'", found) or key not in known:
            continue
        for value in wanted:
            _known(value, at, known[key], f"no alert has the {key} '{{}}'", found)


def _known(word: str, place: Place, names: set[str], message: str, found: Findings) -> bool:
    if word in names:
        return True
    hint = suggest(word, names) or (f"there are: {listed(sorted(names))}" if names else "there are none")
    found.error("unknown-name", message.format(word), place, hint)
    return False


def _all_owned(
    match: Mapping[str, tuple[str, ...]], place: Place, kpis: Mapping[str, Kpi], found: Findings
) -> None:
    """Alerts that go to their KPI's owner go nowhere where it has none."""
    names = [
        kpi.name
        for kpi in kpis.values()
        if kpi.alerts and not kpi.owner and "owner" not in match and may_match(kpi, match)
    ]
    if names:
        message = f"alerts of {listed(names)} have no owner, and go nowhere by this route"
        found.warn("no-owner", message, place.child("to"), "give the KPI an 'owner'")


def _all_taken(made: tuple[Route, ...], place: Place, kpis: Mapping[str, Kpi], found: Findings) -> None:
    """Where there are routes, an alert that none takes is a surprise; one that is merely information is not."""
    names = [
        f"{kpi.name} ({rule.name})"
        for kpi in kpis.values()
        for rule in kpi.alerts
        if rule.severity != "info" and not any(_may_take(route.match, kpi, rule) for route in made)
    ]
    if made and names:
        message = f"no route takes the alerts of {listed(names, 5)}, so nobody is told of them"
        found.warn(
            "no-route", message, place, "add a last route without 'match', or make them 'severity: info'"
        )


def may_match(kpi: Kpi, match: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether some alert of the KPI may go this way."""
    return any(_may_take(match, kpi, rule) for rule in kpi.alerts)


def _may_take(match: Mapping[str, tuple[str, ...]], kpi: Kpi, rule: AlertRule) -> bool:
    """What a route matches beyond these, an alert has for some value of a segment."""
    return (
        kpi.name in match.get("kpi", (kpi.name,))
        and rule.name in match.get("rule", (rule.name,))
        and rule.severity in match.get("severity", (rule.severity,))
        and kpi.owner in match.get("owner", (kpi.owner,))
        and ("tag" not in match or not {*kpi.tags}.isdisjoint(match["tag"]))
    )


# --- when it is quiet ------------------------------------------------------------------------------------------------


def _mutes(value: dict[str, Any], place: Place, found: Findings) -> Iterator[Mute]:
    for part, at in values.each(value["mute"], place.child("mute")) if "mute" in value else ():
        yield _mute(part, at, found)


def _mute(value: dict[str, Any], place: Place, found: Findings) -> Mute:
    start, end = _times(value.get("hours", ""))
    if start is not None and start == end:
        hint = "leave 'hours' out for whole days"
        found.error("no-hours", f"{value['hours']} is no time at all", place.child("hours"), hint)
    first, last = (
        values.date(value[key], place.child(key), found) if key in value else None
        for key in ("from", "until")
    )
    if first and last and last < first:
        found.error("bad-dates", f"{last} is before {first}", place.child("until"), "exchange them")
    days = (DAYS.index(day) + 1 for day, _ in values.each(value.get("days", []), place))
    return Mute(frozenset(days), start, end, first, last)


def _times(hours: str) -> tuple[dt.time | None, dt.time | None]:
    """``20:00-07:00``; 24:00 is the midnight at which a day ends."""
    match = _HOURS.fullmatch(hours)
    if match is None:
        return None, None
    begin, begin_minute, end, end_minute = map(int, match.groups())
    return dt.time(begin, begin_minute), dt.time(end % 24, end_minute)
