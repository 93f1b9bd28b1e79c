"""Odoo's tables: which model each is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Kind:
    """``only`` are the records that belong to the table; ``short``: read whole each time. ``more`` are fields that are not stored with
    the record (a user's name stands with the partner), ``fields`` the only ones that are wanted."""

    model: str
    only: tuple[str, Any] | None = None
    short: bool = False
    more: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    domain: tuple[Any, ...] = ()


LEADS = "crm.lead"
HISTORY = "stage_history"
#: What the amounts of a lead are in: that of its company, which is nowhere else where a database has several.
_COMPUTED = ("company_currency",)

TABLES: Mapping[str, Kind] = {
    "leads": Kind(LEADS, only=("type", "lead"), more=_COMPUTED),
    "opportunities": Kind(LEADS, only=("type", "opportunity"), more=_COMPUTED),
    "leads_and_opportunities": Kind(LEADS, more=_COMPUTED),
    "partners": Kind("res.partner"),
    "orders": Kind("sale.order"),
    "order_lines": Kind("sale.order.line"),
    "activities": Kind("mail.activity"),
    "done_activities": Kind(
        "mail.message",
        fields=("id", "date", "model", "res_id", "author_id", "mail_activity_type_id", "subject", "create_date", "write_date"),
        domain=(("mail_activity_type_id", "!=", False), ("model", "in", ["crm.lead", "res.partner", "sale.order"])),
    ),
    "users": Kind("res.users", short=True, more=("name", "email")),
    "stages": Kind("crm.stage", short=True),
    "teams": Kind("crm.team", short=True),
    "lost_reasons": Kind("crm.lost.reason", short=True),
    "activity_types": Kind("mail.activity.type", short=True),
    "sources": Kind("utm.source", short=True),
    "mediums": Kind("utm.medium", short=True),
    "campaigns": Kind("utm.campaign", short=True),
    "countries": Kind("res.country", short=True),
    "currencies": Kind("res.currency", short=True),
    "products": Kind("product.product", short=True, more=("name", "default_code", "categ_id", "list_price")),
}  # fmt: skip

_ALL_IN_SQL = {kind.model for kind in TABLES.values()} - {"mail.message", "mail.activity"} | {
    "mail.tracking.value"
}


def cut_late(model: str) -> bool:
    """Whether a page may be short though there is more. mail.message and mail.activity look at the records that they stand with, and up
    to Odoo 18 do so after the limit; others may be made in the same way."""
    return model not in _ALL_IN_SQL
