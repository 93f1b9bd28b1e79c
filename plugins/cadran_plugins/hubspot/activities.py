"""Calls, emails, meetings, notes and tasks as one table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cadran.plugins import Column, ResumeExpired, Table, Window
from cadran_plugins.hubspot.api import Api, first
from cadran_plugins.hubspot.block import Asked, Record
from cadran_plugins.hubspot.columns import INSTANT, instant
from cadran_plugins.hubspot.tables import Given, Kind, text
from cadran_plugins.hubspot.walk import lookback, walk

_COLUMNS = (
    *text("kind", "id"),
    Column("planned_at", INSTANT),
    Column("done_at", INSTANT),
    *text("owner_id", "contact_id", "company_id", "deal_id", "title", "status", "direction"),
    Column("created_at", INSTANT),
    Column("modified_at", INSTANT),
)
_SINGULAR = {"calls": "call", "emails": "email", "meetings": "meeting", "notes": "note", "tasks": "task"}
_LINKED = {"contacts": "contact_id", "companies": "company_id", "deals": "deal_id"}
_OWN = {
    "calls": {"title": "hs_call_title", "status": "hs_call_status", "direction": "hs_call_direction"},
    "emails": {"title": "hs_email_subject", "status": "hs_email_status", "direction": "hs_email_direction"},
    "meetings": {"title": "hs_meeting_title", "status": "hs_meeting_outcome"},
    "notes": {},
    "tasks": {"title": "hs_task_subject", "status": "hs_task_status", "done_at": "hs_task_completion_date"},
}
_SHARED = {
    "planned_at": "hs_timestamp", "done_at": "hs_timestamp", "owner_id": "hubspot_owner_id", "created_at": "hs_createdate",
    "modified_at": "hs_lastmodifieddate",
}  # fmt: skip
_TIMES = ("planned_at", "done_at", "created_at", "modified_at")
#: What HubSpot calls those that never took place: a meeting that is put off has another record for its new date.
_NOT_DONE = {"meetings": ("CANCELED", "NO_SHOW", "RESCHEDULED"), "emails": ("FAILED", "SCHEDULED")}


class Activities(Kind):
    """``kinds`` one after the other. A task is done when it was completed, all others when they took place, if they did."""

    def __init__(self, api: Api, name: str, kinds: Sequence[str]) -> None:
        super().__init__(api, name)
        self._kinds = tuple(kinds)

    def table(self) -> Table:
        for kind in self._kinds:
            self.api.peek(kind)
        return Table(
            self.name, _COLUMNS, key=("kind", "id"), cursor="modified_at", lookback=lookback(self.api), deletes="reported",
        )  # fmt: skip

    def changes(self, table: Table, window: Window, resume: Mapping[str, Any] | None) -> Iterator[Given]:
        at = dict(resume) if resume is not None else {"kind": self._kinds[0], "at": "live"}
        begun = at.pop("kind", None)
        if begun not in self._kinds:
            raise ResumeExpired("activities: this is no place to go on from")
        for kind in self._kinds[self._kinds.index(begun) :]:
            sources = {**_SHARED, **_OWN[kind]}
            asked = Asked(tuple(dict.fromkeys(sources.values())), linked=tuple(_LINKED))
            for step in walk(self.api, kind, asked, window, at):
                step = replace(step, resume={"kind": kind, **step.resume})
                if step.gone:
                    keys = [{"kind": _SINGULAR[kind], "id": id_} for id_ in step.records.ids]
                    yield from self.gone(table, keys, step.resume)
                else:
                    yield from self.pages(
                        table, [_row(kind, sources, each) for each in step.records], step.resume
                    )
            at = {"at": "live"}


def _row(kind: str, sources: Mapping[str, str], each: Record) -> dict[str, Any]:
    row: dict[str, Any] = {column: each.values.get(name) or None for column, name in sources.items()}
    row |= {column: instant(row[column]) for column in _TIMES if row.get(column)}
    if row.get("status") in _NOT_DONE.get(kind, ()):
        row["done_at"] = None
    row |= {column: first(each.links.get(other, ())) for other, column in _LINKED.items()}
    return {**row, "kind": _SINGULAR[kind], "id": each.id}
