"""``deliveries:`` and ``state:``: how messages are delivered, and where what outlives a run is remembered."""

from __future__ import annotations

from typing import Any

from cadran.calendar import Duration
from cadran.declare import values
from cadran.declare.destinations import check_blanks, destinations
from cadran.declare.document import Place
from cadran.declare.findings import Findings
from cadran.declare.model import Deliveries, Retention, StateSettings
from cadran.declare.sections import Entry, Sections

_POSTGRES = ("postgresql://", "postgres://", "postgresql+psycopg://")


def deliveries(entry: Entry, sections: Sections, found: Findings) -> Deliveries:
    value, place = entry.value, entry.place
    unknown = value.get("unknown", {})
    failures = destinations(value.get("failures", []), place.child("failures"), sections, found)
    for one in failures:
        check_blanks(one.to, {"owner"}, found)
    deadline = values.long_enough(value.get("deadline"), place.child("deadline"), found)
    return Deliveries(
        deadline or Deliveries().deadline,
        unknown.get("reports", "wait"),
        unknown.get("alerts", "send"),
        failures,
    )


def state(entry: Entry, found: Findings) -> StateSettings:
    value, place = entry.value, entry.place
    url, schema = value.get("url", ""), value.get("schema", "")
    if url and not url.startswith(_POSTGRES):
        hint = "write postgresql://user@host/database; without 'url' it is a file in .cadran"
        found.error("bad-state-url", "the state's url is not that of a PostgreSQL database", place.child("url"), hint)  # fmt: skip
    elif url and not schema:
        hint = "name one that is this project's own: schema: sales_kpis"
        found.error("no-schema", "a database that is shared needs a schema", place.child("url"), hint)
    elif schema and not url:
        hint = "remove it, or give the 'url' of a PostgreSQL database"
        found.error("needless-schema", "a file has no schema", place.child("schema"), hint)
    return StateSettings(url, schema, _keep(value.get("keep"), place.child("keep"), found), place)


def _keep(value: Any, place: Place, found: Findings) -> Retention:
    usual = Retention()
    if not isinstance(value, dict):
        kept = _days(value, place, found)
        return Retention(kept, kept, kept) if kept else usual
    said = {name: _days(part, place.child(name), found) for name, part in value.items()}
    return Retention(
        said.get("runs") or usual.runs,
        said.get("observations") or usual.observations,
        said.get("deliveries") or usual.deliveries,
    )


def _days(value: Any, place: Place, found: Findings) -> Duration | None:
    length = values.duration(value, place, found)
    if length is not None and length.days < 1:
        found.error("too-short", f"'{value}' is too short to be kept", place, "write a day or more")
        return None
    return length
