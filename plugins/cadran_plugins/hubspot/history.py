"""Which deal was in which stage from when to when: a row for each stay, as HubSpot remembers what ``dealstage`` was before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from cadran.plugins import Column, Table, Window
from cadran_plugins.hubspot.block import Asked, Record
from cadran_plugins.hubspot.columns import INSTANT
from cadran_plugins.hubspot.tables import Given, Kind, text
from cadran_plugins.hubspot.walk import cursor, lookback, walk

_COLUMNS = (
    *text("deal_id", "stage_id", "pipeline_id"),
    Column("entered_at", INSTANT),
    Column("left_at", INSTANT),
    Column("modified_at", INSTANT),
)
#: A deal that is moved to another pipeline changes its stage as well, though not at the very same moment.
_TOGETHER = dt.timedelta(seconds=1)


class StageHistory(Kind):
    """A deal that changes is read with its whole history."""

    def table(self) -> Table:
        self.api.peek("deals")
        return Table(
            self.name, _COLUMNS, key=("deal_id", "stage_id", "entered_at"), cursor="modified_at", lookback=lookback(self.api), deletes="reported",
        )  # fmt: skip

    def changes(self, table: Table, window: Window, resume: Mapping[str, Any] | None) -> Iterator[Given]:
        asked = Asked((cursor("deals"),), history=("dealstage", "pipeline"))
        for step in walk(self.api, "deals", asked, window, resume):
            rows = [row for each in step.records for row in stays(each)]
            yield from (self.gone if step.gone else self.pages)(table, rows, step.resume)


def stays(deal: Record) -> list[dict[str, Any]]:
    """From HubSpot's versions of two properties. The last stay has no end: whether a deal is closed is for its stage to say."""
    stages = _versions(deal.history.get("dealstage", ()))
    pipelines = _versions(deal.history.get("pipeline", ()))
    out = []
    for (at, stage), following in zip_longest(stages, stages[1:]):
        if stage:
            before = [pipeline for since, pipeline in pipelines if since <= at + _TOGETHER]
            out.append({
                "deal_id": deal.id, "stage_id": stage, "pipeline_id": (before[-1] if before else _oldest(pipelines)) or None,
                "entered_at": at.isoformat(), "left_at": following[0].isoformat() if following else None,
                "modified_at": deal.values.get(cursor("deals")),
            })  # fmt: skip
    return out


def _versions(found: Sequence[Mapping[str, Any]]) -> list[tuple[dt.datetime, str]]:
    """The oldest first, without those that change nothing. HubSpot gives the newest first, also of those of one moment."""
    out: list[tuple[dt.datetime, str]] = []
    told = [
        (dt.datetime.fromisoformat(str(each["timestamp"])), str(each.get("value") or ""))
        for each in reversed(found)
    ]
    for at, value in sorted(told, key=lambda version: version[0]):
        if not out or out[-1][1] != value:
            out.append((at, value))
    return out


def _oldest(versions: Sequence[tuple[dt.datetime, str]]) -> str:
    return versions[0][1] if versions else ""
