"""Which objects of an org are which tables, and how their records become rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cadran.plugins import Column
from cadran_plugins.salesforce.fields import Field, all_rounded, snake

Row = dict[str, Any]
#: What records hold, column by column: the values of each field, by its name in Salesforce. From CSV they are Arrow's texts.
Values = Mapping[str, Any]
Described = Sequence[Mapping[str, Any]]

STAGE_HISTORY = "opportunity_stage_history"
ACTIVITIES = "activities"

#: Tables that every project may have, where the org has the object.
TABLES = {
    "leads": "Lead",
    "contacts": "Contact",
    "accounts": "Account",
    "opportunities": "Opportunity",
    "opportunity_items": "OpportunityLineItem",
    "stages": "OpportunityStage",
    "orders": "Order",
    "order_items": "OrderItem",
    "products": "Product2",
    "campaigns": "Campaign",
    "campaign_members": "CampaignMember",
    "users": "User",
}

STAMP, ID, DELETED = "SystemModstamp", "Id", "IsDeleted"
LOOKBACK = dt.timedelta(minutes=10)  # a change is dated when it begins, and seen when it is committed


@dataclass(frozen=True, slots=True)
class Source:
    """An object that a table's rows come from. ``columns`` gives the table's columns from the values of records, some of which may be no
    rows; ``stamped`` and ``binned`` say whether the object tells of changes, and of rows in the recycle bin."""

    object: str
    fields: tuple[str, ...]
    columns: Callable[[Values], list[Sequence[Any]]]
    stamped: bool
    binned: bool

    @property
    def asked(self) -> tuple[str, ...]:
        """What a query asks for."""
        return (*self.fields, DELETED) if self.binned else self.fields


def plain(name: str, described: Described, fields: Sequence[Field]) -> Source:
    """An object whose records are rows as they are."""
    asked, names = tuple(f.api for f in fields), {f["name"] for f in described}
    places = {f.api: f.places for f in fields if f.places is not None}

    def columns(values: Values) -> list[Sequence[Any]]:
        return [all_rounded(values[api], places[api]) if api in places else values[api] for api in asked]

    return Source(name, asked, columns, STAMP in names, DELETED in names)


_WHEN = "TIMESTAMP WITH TIME ZONE"
ACTIVITY_COLUMNS = (
    *(Column(name, "VARCHAR") for name in ("id", "kind", "subject", "status", "owner_id", "lead_id", "contact_id", "account_id", "opportunity_id")),
    Column("activity_date", "DATE"), Column("done_at", _WHEN), Column("created_date", _WHEN), Column("system_modstamp", _WHEN),
)  # fmt: skip
STAGE_COLUMNS = (
    Column("id", "VARCHAR"), Column("opportunity_id", "VARCHAR"), Column("stage_name", "VARCHAR"), Column("entered_at", _WHEN),
    Column("left_at", _WHEN), Column("system_modstamp", _WHEN),
)  # fmt: skip

_OF_BOTH = (
    "Id",
    "Subject",
    "OwnerId",
    "WhoId",
    "WhatId",
    "AccountId",
    "ActivityDate",
    "CreatedDate",
    "SystemModstamp",
    "IsRecurrence",
)
_OF_TASKS = ("Status", "IsClosed", "TaskSubtype", "CompletedDateTime")
_OF_EVENTS = ("EndDateTime", "IsChild", "IsAllDayEvent")


def activity(name: str, described: Described) -> Source:
    """Tasks or events as activities. A series' own record is none, nor are the copies of an event that its guests have."""
    names = {f["name"] for f in described}
    wanted = (*_OF_BOTH, *(_OF_TASKS if name == "Task" else _OF_EVENTS))
    return Source(name, tuple(f for f in wanted if f in names), _activities, True, DELETED in names)


def _activities(values: Values) -> list[Sequence[Any]]:
    from cadran.plugins.typed.records import turned

    columns = (column if isinstance(column, Sequence) else column.to_pylist() for column in values.values())
    records = (dict(zip(values, record, strict=True)) for record in zip(*columns, strict=True))
    rows = [row for record in records if (row := _activity(record)) is not None]
    return turned(rows, [column.name for column in ACTIVITY_COLUMNS])


def _activity(record: Mapping[str, Any]) -> Row | None:
    if is_true(record.get("IsRecurrence")) or is_true(record.get("IsChild")):
        return None
    who, what = record.get("WhoId") or "", record.get("WhatId") or ""
    task = "IsClosed" in record
    row: Row = {snake(f): record.get(f) for f in ("Id", "Subject", "Status", "OwnerId", "AccountId", "ActivityDate", "CreatedDate", "SystemModstamp")}  # fmt: skip
    return row | {
        "kind": str(record.get("TaskSubtype") or "task").lower() if task else "meeting",
        "lead_id": who if who.startswith("00Q") else None,
        "contact_id": who if who.startswith("003") else None,
        "account_id": row["account_id"] or (what if what.startswith("001") else None),
        "opportunity_id": what if what.startswith("006") else None,
        "done_at": (record.get("CompletedDateTime") if is_true(record["IsClosed"]) else None)
        if task
        else _ended(record),
    }


def _ended(event: Mapping[str, Any]) -> Any:
    """An event of a whole day ends on a day, which Salesforce writes as its midnight UTC. Noon is on that day nearly everywhere on earth."""
    ended = event.get("EndDateTime")
    if is_true(event.get("IsAllDayEvent")) and isinstance(ended, str):
        return ended.replace("T00:00:00", "T12:00:00")
    return ended


def is_true(value: Any) -> bool:
    return value is True or value == "true"
