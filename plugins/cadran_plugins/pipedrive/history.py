"""How long each deal was in each stage, from what Pipedrive tells of a deal's changes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cadran.plugins.http import Http
from cadran_plugins.pipedrive.api import Gone, told

#: Deals of one page: each that ever moved costs a request of its own.
DEALS = 50
#: More stages than a deal goes through: of a deleted deal nobody says how many there were.
MOST = 100
#: What is looked at of a deal.
FIELDS = (
    "id",
    "add_time",
    "update_time",
    "stage_change_time",
    "close_time",
    "stage_id",
    "status",
    "is_deleted",
)


def stages_of(http: Http, deal: Mapping[str, Any], names: Mapping[int, str]) -> list[dict[str, Any]]:
    """One row for each stage that a deal has been in: none of one that is deleted meanwhile. One that never moved needs no request.

    That a deal moved may stand with it, and nothing of that in its history: then only the stage that it is in is known, since that time.
    """
    moved = deal.get("stage_change_time")
    moved = moved if moved != deal.get("add_time") else None
    try:
        changes = list(_changes(http, deal["id"])) if moved else []
    except Gone:
        return []
    first = _number(changes[0]["old_value"]) if changes else deal.get("stage_id")
    begin = deal.get("add_time") if changes else moved or deal.get("add_time")
    stays = [(first, _name(names, first, changes[0] if changes else None, "old"), begin)]
    for change in changes:
        stage = _number(change["new_value"])
        stays.append((stage, _name(names, stage, change, "new"), _instant(change["log_time"])))
    if moved and stays[-1][0] != deal.get("stage_id") and moved > str(stays[-1][2]):
        stays.append((deal.get("stage_id"), _name(names, deal.get("stage_id"), None, "new"), moved))
    ends = [entered for _, _, entered in stays[1:]] + [_closed(deal, stays[-1][2])]
    return [
        {"deal_id": deal["id"], "number": n, "stage_id": stage, "stage_name": name, "entered_at": entered, "left_at": left, "deal_update_time": deal.get("update_time")}
        for n, ((stage, name, entered), left) in enumerate(zip(stays, ends, strict=True), 1)
    ]  # fmt: skip


def keys_of(deals: Sequence[Any]) -> list[Sequence[Any]]:
    """The columns of the keys of all stays that these deals may have had."""
    return [[deal for deal in deals for _ in range(MOST)], list(range(1, MOST + 1)) * len(deals)]


def _changes(http: Http, deal: int) -> Iterator[Mapping[str, Any]]:
    """Changes of the stage, oldest first."""
    found: dict[Any, Mapping[str, Any]] = {}
    start: int | None = 0
    while start is not None:
        page = told(http.get(f"/api/v1/deals/{deal}/flow", params={"items": "dealChange", "start": start, "limit": 500}))  # fmt: skip
        for item in page["data"] or ():
            change = item.get("data") or {}
            own = change.get("item_id", deal) == deal  # and not of one that was merged into it
            if item.get("object") == "dealChange" and change.get("field_key") == "stage_id" and own:
                found[change.get("id")] = change
        paging = (page.get("additional_data") or {}).get("pagination") or {}
        start = max(int(paging["next_start"]), start + 1) if paging.get("more_items_in_collection") else None
    yield from sorted(found.values(), key=lambda change: (str(change["log_time"]), int(change["id"])))


def _closed(deal: Mapping[str, Any], entered: str | None) -> str | None:
    """When the last stage was left: as the deal was won or lost. One that is moved afterwards leaves at once."""
    closed = deal.get("close_time") if deal.get("status") in ("won", "lost") else None
    return max(closed, entered) if closed and entered else closed


def _number(text: Any) -> int | None:
    return int(text) if text not in (None, "") else None


def _name(names: Mapping[int, str], stage: int | None, change: Mapping[str, Any] | None, which: str) -> str | None:  # fmt: skip
    """As the stage is called; one that is gone as the change calls it."""
    if stage is not None and stage in names:
        return names[stage]
    beside = (change or {}).get("additional_data")
    return beside.get(f"{which}_value_formatted") if isinstance(beside, Mapping) else None


def _instant(text: str) -> str:
    """v1 writes UTC without saying so."""
    moment = dt.datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
