"""What HubSpot's search finds: groups of filters, any of which may hold, all of whose filters do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from tests.simulators.hubspot_fields import Property
from tests.simulators.hubspot_rows import Row, millis


def matches(
    kind: str,
    row: Row,
    groups: list[list[dict[str, Any]]],
    types: Mapping[str, Property],
    *,
    blind: bool = False,
) -> bool:
    """``blind``: as if no filter of ids were there, so that the same page comes again."""
    return not groups or any(all(_holds(kind, row, each, types, blind) for each in group) for group in groups)


def _holds(
    kind: str, row: Row, condition: dict[str, Any], types: Mapping[str, Property], blind: bool
) -> bool:
    name, operator = condition["propertyName"], condition["operator"]
    value, type_ = row.value(kind, name), types[name].type
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        return bool(value) == (operator == "HAS_PROPERTY")
    if not value:
        return False
    if blind and name == "hs_object_id":
        return True
    if operator in ("IN", "NOT_IN"):
        return (value in condition["values"]) == (operator == "IN")
    have, want = comparable(value, type_), comparable(condition["value"], type_)
    return {
        "EQ": have == want, "NEQ": have != want, "GT": have > want, "GTE": have >= want, "LT": have < want, "LTE": have <= want,
        "BETWEEN": want <= have <= comparable(condition.get("highValue"), type_),
    }[operator]  # fmt: skip


def comparable(value: str | None, type_: str) -> Any:
    if type_ == "number":
        return float(value or 0)
    if type_ == "datetime":
        if value and value.lstrip("-").isdigit():
            return int(value)
        return millis(dt.datetime.fromisoformat(value)) if value else 0
    return value or ""
