"""``reports``: which KPIs they show, in which parts, as what, and where they go."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cadran.calendar import Calendar, Grain
from cadran.declare import schedules, values
from cadran.declare.comparisons import comparison
from cadran.declare.crosschecks import known_kpi
from cadran.declare.destinations import check_blanks, destinations
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
        to=_to(value, place, sections, found),
        schedule=schedules.schedule(value["schedule"], place.child("schedule"), calendar, found)
        if "schedule" in value
        else None,
        ready=schedules.ready(value["ready"], place.child("ready"), found) if "ready" in value else None,
        per=schedules.per(value["per"], place.child("per"), schedules.of_report(wanted, kpis), found)
        if "per" in value
        else None,
        attach=tuple(item for item, _ in values.each(value.get("attach", []), place)),
        owner=value.get("owner", ""),
        formats=tuple(item for item, _ in values.each(value.get("format", []), place.child("format"))),
        blocks=values.texts(value["blocks"], place.child("blocks")) if "blocks" in value else (),
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


def _to(value: dict[str, Any], place: Place, sections: Sections, found: Findings) -> tuple[Destination, ...]:
    """Where it goes; recipients may name its owner, and the value that it is made for."""
    to = destinations(value.get("to", []), place.child("to"), sections, found)
    per = value.get("per")
    segment = per["segment"] if isinstance(per, dict) else per
    names = {"owner", "report", *(("value", "address", segment) if segment else ())}
    for one in to:
        check_blanks(one.to, names, found)
    return to


def _period(value: dict[str, Any], place: Place, calendar: Calendar, found: Findings) -> str:
    if "period" not in value:
        return "last"
    label = values.text(value["period"], place)
    last = _LAST.fullmatch(label.value)
    if last is None:
        hint = "write last, last month, last week …, or one such as 2026-03, 2026-W10, 2026-Q1, FY2026"
        values.label(label.value, label.place, calendar, found, hint)
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
