"""How long each opportunity was in each stage, from the changes that its chatter keeps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cadran.plugins import Column
from cadran_plugins.odoo.fields import MOMENT
from cadran_plugins.odoo.tables import LEADS

if TYPE_CHECKING:
    from cadran_plugins.odoo.api import Api

TRACKING, MESSAGE = "mail.tracking.value", "mail.message"
OPPORTUNITIES = 200  # in one page
COLUMNS = (
    Column("opportunity_id", "BIGINT"), Column("number", "BIGINT"), Column("stage_id", "BIGINT"), Column("stage_name", "VARCHAR"),
    Column("entered_at", MOMENT), Column("left_at", MOMENT), Column("write_date", MOMENT),
)  # fmt: skip
KEY = ("opportunity_id", "number")
_FIELDS = ("stage_id", "active", "create_date", "date_conversion", "date_closed", "write_date")


def fields_of(known: Mapping[str, Any]) -> list[str]:
    return [name for name in _FIELDS if name in known]


def stays(api: Api, opportunities: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row for each stage that an opportunity has been in."""
    changes: dict[int, list[dict[str, Any]]] = {}
    for change in _changes(api, [int(o["id"]) for o in opportunities]):
        changes.setdefault(int(change["lead"]), []).append(change)
    return [stay for o in opportunities for stay in _of(o, changes.get(int(o["id"]), []))]


def _of(opportunity: Mapping[str, Any], changes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    changes.sort(key=lambda change: (change["date"], change["id"]))
    now = opportunity.get("stage_id") or (None, None)
    first = (changes[0]["old_value_integer"] or None, changes[0]["old_value_char"] or None) if changes else now  # fmt: skip
    begin = opportunity.get("date_conversion") or opportunity["create_date"]
    if changes:
        begin = min(begin, changes[0]["date"])
    entered = [(*first, begin)]
    entered += [(c["new_value_integer"] or None, c["new_value_char"] or None, c["date"]) for c in changes]
    left = [at for _, _, at in entered[1:]] + [_closed(opportunity, entered[-1][2])]
    for number, ((stage, name, at), until) in enumerate(zip(entered, left, strict=True), 1):
        yield {"opportunity_id": opportunity["id"], "number": number, "stage_id": stage, "stage_name": name, "entered_at": at, "left_at": until, "write_date": opportunity["write_date"]}  # fmt: skip


def _closed(opportunity: Mapping[str, Any], entered: str) -> str | None:
    """A lost opportunity has left its last stage; a won one stays in the stage that says so. Where no date says when (up to Odoo 14 the
    button "Lost" takes it away at once) it was the last change at the latest."""
    if opportunity.get("active", True):
        return None
    return max(str(opportunity.get("date_closed") or opportunity["write_date"]), entered)


def _changes(api: Api, leads: list[int]) -> Iterator[dict[str, Any]]:
    """Changes of the stage of these leads, with the lead and the time that their messages have."""
    if not leads:
        return
    told = [["model", "=", LEADS], ["res_id", "in", leads], ["tracking_value_ids", "!=", False]]
    messages = {int(m["id"]): m for page in api.records(MESSAGE, told, ["res_id", "date"]) for m in page}
    if not messages:
        return
    field = "field_id" if "field_id" in api.call(TRACKING, "fields_get", {"attributes": ["type"]}) else "field"  # fmt: skip
    # A path through the message would have Odoo go through all messages of all leads: it looks at each whether the user may see it.
    domain = [["mail_message_id", "in", sorted(messages)], [f"{field}.name", "=", "stage_id"]]
    wanted = ["mail_message_id", "old_value_integer", "old_value_char", "new_value_integer", "new_value_char"]
    for page in api.records(TRACKING, domain, wanted):
        for change in page:
            message = messages[change["mail_message_id"][0]]
            yield {**change, "lead": message["res_id"], "date": message["date"]}
