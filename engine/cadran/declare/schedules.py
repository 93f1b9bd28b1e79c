"""When something is due, what the data has to be like by then, and for whom it is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cadran import cron
from cadran.calendar import Calendar, Duration
from cadran.declare import values
from cadran.declare.document import Place
from cadran.declare.findings import Findings
from cadran.declare.model import Kpi, Per, Ready, Schedule, Text
from cadran.declare.zones import zone
from cadran.problems import listed, suggest


def schedule(value: Any, place: Place, calendar: Calendar, found: Findings) -> Schedule | None:
    """A cron line, or a mapping with one; None where it cannot be understood."""
    if isinstance(value, str):
        value, line = {}, values.text(value, place)
    else:
        line = values.text(value["cron"], place.child("cron"))
    named = value.get("timezone")
    clock = zone(named, place.child("timezone"), found) if named else calendar.zone
    wrong = cron.problem(line.value)
    if wrong is not None:
        found.error("bad-cron", wrong.message, line.place, wrong.hint)
        return None
    return Schedule(line, clock, value.get("catch_up", "latest"))


def ready(value: dict[str, Any], place: Place, found: Findings) -> Ready:
    wait = values.duration(value.get("wait"), place.child("wait"), found)
    if "max_age" not in value and "else" not in value:
        message = "'wait' alone waits for nothing but a source that fails"
        found.warn(
            "nothing-to-wait-for", message, place.child("wait"), "say how old data may be: max_age: 26h"
        )
    return Ready(
        values.duration(value.get("max_age"), place.child("max_age"), found),
        wait or Duration(),
        value.get("else", "banner"),
    )


def per(value: Any, place: Place, kpis: Sequence[Kpi], found: Findings) -> Per | None:
    """``kpis`` are those of the report; at least one of them has the segment by itself."""
    plain = isinstance(value, str)
    segment = values.text(value, place) if plain else values.text(value["segment"], place.child("segment"))
    addresses = {} if plain else dict(value.get("addresses", {}))
    names = sorted({name for kpi in kpis for names in kpi.segments if len(names) == 1 for name in names})
    if segment.value not in names:
        message = f"no KPI of this report has the segment '{segment.value}'"
        hint = suggest(segment.value, names) or (f"they have: {listed(names)}" if names else "give one a 'segment'")  # fmt: skip
        found.error("unknown-segment", message, segment.place, hint)
        return None
    return Per(segment, addresses)


def of_report(wanted: Iterable[Text], kpis: Mapping[str, Kpi]) -> list[Kpi]:
    """The KPIs that a report shows, as far as they exist: those named, by name or tag, or all that are reported."""
    names = [text.value for text in wanted]
    if not names:
        return [kpi for kpi in kpis.values() if kpi.reported]
    tags = {name[4:] for name in names if name.startswith("tag:")}
    return [kpi for kpi in kpis.values() if kpi.reported and (kpi.name in names or tags & {*kpi.tags})]
