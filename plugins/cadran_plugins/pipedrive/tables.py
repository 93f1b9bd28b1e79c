"""Pipedrive's tables: which list each is, and the columns that every account has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cadran_plugins.pipedrive.fields import MOMENT, MONEY, NUMBER, Field, Record, choice, custom, own, primary


@dataclass(frozen=True, slots=True)
class Kind:
    """A table of records that change: its list, where its field definitions are, and whose custom fields it has."""

    path: str
    definitions: str
    archived: str = ""
    deleted: bool = False  # whether the list tells of deleted ones
    more: str = ""  # fields that come only where they are asked for


KINDS = {
    "deals": Kind("/api/v2/deals", "/api/v2/dealFields", "/api/v2/deals/archived", deleted=True, more="source_lead_id"),
    "persons": Kind("/api/v2/persons", "/api/v2/personFields"),
    "organizations": Kind("/api/v2/organizations", "/api/v2/organizationFields"),
    "activities": Kind("/api/v2/activities", "/api/v2/activityFields"),
    "leads": Kind("/api/v1/leads", "/api/v2/dealFields", "/api/v1/leads/archived"),
}  # fmt: skip

#: Short tables that are read whole each time.
SHORT = {"users": "/api/v1/users", "pipelines": "/api/v2/pipelines", "stages": "/api/v2/stages"}

HISTORY = "deal_stage_history"
NAMES = (*KINDS, *SHORT, HISTORY)

_TIMES = (("add_time", MOMENT), ("update_time", MOMENT))
_ID = ("id", "BIGINT")


def fields_of(table: str, definitions: Sequence[Record] = ()) -> list[Field]:
    """The columns of a table; ``definitions`` are those that the account tells of, for :data:`KINDS`."""
    fields = _OWN[table]()
    if table == "leads":
        pass  # their labels are not those of deals
    elif table in ("deals", "persons", "organizations"):
        fields.append(choice("labels", "label_ids", definitions))
    if table == "deals":
        fields.append(choice("source_channel", "channel", definitions))
    if table in KINDS:
        fields += custom(definitions, [field.column.name for field in fields], flat=table == "leads")
    return fields


def _deals() -> list[Field]:
    return own(
        _ID, ("title", "VARCHAR"), ("status", "VARCHAR"), ("value", MONEY), ("currency", "VARCHAR"), *_TIMES,
        ("close_time", MOMENT), ("won_time", MOMENT), ("lost_time", MOMENT), ("stage_change_time", MOMENT),
        ("pipeline_id", "BIGINT"), ("stage_id", "BIGINT"), ("owner_id", "BIGINT"), ("creator_user_id", "BIGINT"),
        ("person_id", "BIGINT"), ("org_id", "BIGINT"), ("source_lead_id", "VARCHAR"), ("lost_reason", "VARCHAR"),
        ("probability", NUMBER), ("expected_close_date", "DATE"), ("is_archived", "BOOLEAN"), ("archive_time", MOMENT),
        ("origin", "VARCHAR"), ("source_channel_id", "VARCHAR", "channel_id"), ("arr", NUMBER), ("mrr", NUMBER), ("acv", NUMBER),
    )  # fmt: skip


def _persons() -> list[Field]:
    fields = own(_ID, ("name", "VARCHAR"), ("first_name", "VARCHAR"), ("last_name", "VARCHAR"), ("owner_id", "BIGINT"), ("org_id", "BIGINT"), *_TIMES)  # fmt: skip
    return [*fields, primary("email", "emails"), primary("phone", "phones")]


def _organizations() -> list[Field]:
    parts = [(f"address_{part}", "VARCHAR", f"address.{part}") for part in ("country", "locality", "postal_code")]  # fmt: skip
    return own(_ID, ("name", "VARCHAR"), ("owner_id", "BIGINT"), *_TIMES, ("address", "VARCHAR", "address.value"), *parts,
               ("website", "VARCHAR"), ("annual_revenue", MONEY), ("employee_count", "BIGINT"))  # fmt: skip


def _activities() -> list[Field]:
    return own(
        _ID, ("type", "VARCHAR"), ("subject", "VARCHAR"), ("owner_id", "BIGINT"), ("creator_user_id", "BIGINT"),
        ("deal_id", "BIGINT"), ("lead_id", "VARCHAR"), ("person_id", "BIGINT"), ("org_id", "BIGINT"), *_TIMES,
        ("due_date", "DATE"), ("due_time", "VARCHAR"), ("duration", "VARCHAR"), ("done", "BOOLEAN"), ("marked_as_done_time", MOMENT),
    )  # fmt: skip


def _leads() -> list[Field]:
    return own(
        ("id", "VARCHAR"), ("title", "VARCHAR"), ("owner_id", "BIGINT"), ("creator_id", "BIGINT"), ("person_id", "BIGINT"),
        ("org_id", "BIGINT", "organization_id"), ("value", MONEY, "value.amount"), ("currency", "VARCHAR", "value.currency"), *_TIMES,
        ("expected_close_date", "DATE"), ("source_name", "VARCHAR"), ("origin", "VARCHAR"), ("is_archived", "BOOLEAN"), ("was_seen", "BOOLEAN"),
    )  # fmt: skip


def _users() -> list[Field]:
    return own(_ID, ("name", "VARCHAR"), ("email", "VARCHAR"), ("team", "VARCHAR"), ("active", "BOOLEAN", "active_flag"))  # fmt: skip


def _pipelines() -> list[Field]:
    return own(_ID, ("name", "VARCHAR"), ("order_nr", "BIGINT"), *_TIMES)


def _stages() -> list[Field]:
    return own(_ID, ("name", "VARCHAR"), ("pipeline_id", "BIGINT"), ("order_nr", "BIGINT"), ("deal_probability", NUMBER), *_TIMES)  # fmt: skip


def _history() -> list[Field]:
    return own(
        ("deal_id", "BIGINT"), ("number", "BIGINT"), ("stage_id", "BIGINT"), ("stage_name", "VARCHAR"),
        ("entered_at", MOMENT), ("left_at", MOMENT), ("deal_update_time", MOMENT),
    )  # fmt: skip


_OWN = {
    "deals": _deals, "persons": _persons, "organizations": _organizations, "activities": _activities, "leads": _leads,
    "users": _users, "pipelines": _pipelines, "stages": _stages, HISTORY: _history,
}  # fmt: skip
