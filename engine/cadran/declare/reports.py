"""``reports``: which KPIs they show, in which parts, as what, and where they go."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cadran.calendar import Calendar, Grain
from cadran.declare import values
from cadran.declare.comparisons import comparison
from cadran.declare.crosschecks import known_kpi
from cadran.declare.document import Place
from cadran.declare.findings import Findings
from cadran.declare.model import Destination, Kpi, Report, ReportPart, Text
from cadran.declare.names import check_file_name
from cadran.declare.sections import Entry, Sections
from cadran.problems import listed, suggest

_LAST = re.compile(r"last(?: ([a-z_]+))?")


def report(
    name: str, entry: Entry, kpis: Mapping[str, Kpi], calendar: Calendar, sections: Sections, found: Findings
) -> Report:
    value, place = entry.value, entry.place
    check_file_name("report", name, entry.key, found)
    parts = tuple(_part(item, at) for item, at in values.each(value.get("kpis", []), place.child("kpis")))
    wanted = tuple(entry for part in parts for entry in part.kpis)
    tags = {tag for kpi in kpis.values() for tag in kpi.tags}
    pace = values.texts(value["pace"], place.child("pace")) if "pace" in value else None
    for item in (*wanted, *(pace or ())):
        if item.value.startswith("tag:"):
            _known_tag(item.value[4:], item.place, tags, found)
        elif known_kpi(item.value, item.place, sections, found):
            _reported(item.value, item.place, kpis, found)
    return Report(
        name=name,
        place=place,
        title=values.localized(value.get("title")),
        kpis=wanted,
        parts=parts,
        template=values.text(value["template"], place.child("template")) if "template" in value else None,
        period=_period(value, place.child("period"), calendar, found),
        locale=value.get("locale", ""),
        include_open="include" in value,
        **{
            part: _declared(value, part, place, sections, found)
            for part in ("scores", "funnels", "cohorts", "forecasts")
        },
        compare=comparison(value["compare"], place.child("compare"), sections, found)
        if "compare" in value
        else None,
        pace=pace,
        to=_destinations(value.get("to", []), place.child("to"), sections, found),
        formats=tuple(item for item, _ in values.each(value.get("format", []), place.child("format"))),
    )


def _part(value: Any, place: Place) -> ReportPart:
    """An entry of a report's list: a KPI or a tag by itself, or several under a title."""
    if isinstance(value, dict):
        return ReportPart(values.texts(value["kpis"], place.child("kpis")), values.localized(value["title"]))
    return ReportPart((values.text(value, place),))


def _declared(
    value: dict[str, Any], part: str, place: Place, sections: Sections, found: Findings
) -> tuple[Text, ...] | None:
    """The scores, funnels, cohorts or forecasts that a report names; None where it says nothing about them."""
    if part not in value:
        return None
    named = values.texts(value[part], place.child(part))
    for item in named:
        if not sections.exists(part, item.value):
            names = sections.names(part)
            hint = f"there are: {listed(names)}" if names else f"declare it under '{part}'"
            message = f"unknown {part[:-1]} '{item.value}'"
            found.error(f"unknown-{part[:-1]}", message, item.place, suggest(item.value, names) or hint)
    return named


def _destinations(value: Any, place: Place, sections: Sections, found: Findings) -> tuple[Destination, ...]:
    """The channels that a report goes to, each once."""
    named: dict[str, Destination] = {}
    for item, at in values.each(value, place):
        name = values.text(item["channel"], at.child("channel"))
        to = values.texts(item["to"], at.child("to")) if "to" in item else ()
        first = named.setdefault(name.value, Destination(name, to))
        if not sections.exists("channels", name.value):
            names = sections.names("channels")
            hint = f"there are: {listed(names)}" if names else "declare it under 'channels'"
            message = f"unknown channel '{name.value}'"
            found.error("unknown-channel", message, name.place, suggest(name.value, names) or hint)
        elif first.channel is not name:
            message = f"the channel '{name.value}' is named twice"
            found.error("repeated-item", message, name.place, "keep one of them")
    return tuple(named.values())


def _period(value: dict[str, Any], place: Place, calendar: Calendar, found: Findings) -> str:
    if "period" not in value:
        return "last"
    label = values.text(value["period"], place)
    last = _LAST.fullmatch(label.value)
    if last is None:
        values.period(label, calendar, found)
    elif last[1] and last[1] not in (grains := [g.value for g in Grain if g is not Grain.ALL]):
        hint = suggest(last[1], grains) or f"write 'last' or 'last' and one of {', '.join(grains)}"
        found.error("bad-period", f"'{label.value}' is not a period", place, hint)
    return label.value


def _reported(name: str, place: Place, kpis: Mapping[str, Kpi], found: Findings) -> None:
    if name in kpis and not kpis[name].reported:
        message = f"'{name}' is a building block without a period, so a report cannot show it"
        found.error("not-reported", message, place, "give it a 'period', or take it out of the report")


def _known_tag(tag: str, place: Place, tags: set[str], found: Findings) -> None:
    if tag not in tags:
        hint = suggest(tag, tags) or (f"tags in use: {listed(sorted(tags))}" if tags else "no KPI has a tag")
        found.error("unknown-tag", f"no KPI has the tag '{tag}'", place, hint)
