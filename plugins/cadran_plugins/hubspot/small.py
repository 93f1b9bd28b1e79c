"""What is read whole each time: owners, pipelines, their stages, and which record is linked to which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from cadran.plugins import Column, Table, Window
from cadran_plugins.hubspot.api import Api
from cadran_plugins.hubspot.block import Asked
from cadran_plugins.hubspot.columns import INSTANT, NUMBER
from cadran_plugins.hubspot.tables import Given, Kind, text
from cadran_plugins.hubspot.walk import walk

_BOOL = "BOOLEAN"


class Owners(Kind):
    """The people that records belong to; those who left stay, as their records still name them."""

    def table(self) -> Table:
        self.api.owners()
        columns = (
            *text("id", "user_id", "name", "email", "team", "team_id"),
            Column("archived", _BOOL),
            Column("created_at", INSTANT),
        )
        return Table(self.name, columns, key=("id",))

    def changes(self, table: Table, window: Window, resume: Mapping[str, Any] | None) -> Iterator[Given]:  # noqa: ARG002
        found: dict[str, dict[str, Any]] = {}
        for archived in (True, False):  # who came back is both: what holds is that they are there
            after = ""
            while True:
                owners, after = self.api.owners(after, archived=archived)
                found.update((str(each["id"]), _owner(each, archived)) for each in owners)
                if not after:
                    break
        yield from self.pages(table, [found[each] for each in sorted(found, key=lambda id_: (len(id_), id_))])


class Pipelines(Kind):
    """Of deals."""

    def table(self) -> Table:
        self.api.pipelines()
        return Table(self.name, (*text("id", "label"), Column("position", "BIGINT")), key=("id",))

    def changes(self, table: Table, window: Window, resume: Mapping[str, Any] | None) -> Iterator[Given]:  # noqa: ARG002
        rows = [
            {"id": str(each["id"]), "label": each.get("label"), "position": each.get("displayOrder")}
            for each in self.api.pipelines()
        ]
        yield from self.pages(table, rows)


class Stages(Kind):
    """Of deals' pipelines. A stage that is won counts as sold: it is closed, with a probability of 1."""

    def table(self) -> Table:
        self.api.pipelines()
        columns = (
            *text("stage_id", "label", "pipeline_id", "pipeline"), Column("position", "BIGINT"), Column("probability", NUMBER),
            Column("is_closed", _BOOL), Column("is_won", _BOOL),
        )  # fmt: skip
        return Table(self.name, columns, key=("pipeline_id", "stage_id"))

    def changes(self, table: Table, window: Window, resume: Mapping[str, Any] | None) -> Iterator[Given]:  # noqa: ARG002
        rows = [
            _stage(pipeline, stage)
            for pipeline in self.api.pipelines()
            for stage in pipeline.get("stages") or ()
        ]
        yield from self.pages(table, rows)


class OrderStages(Kind):
    """Of orders' pipelines. HubSpot says which of them are closed, and not which of these are cancelled: that is in the label."""

    def table(self) -> Table:
        self.api.pipelines("orders")
        columns = (*text("stage_id", "label", "pipeline_id", "pipeline"), Column("position", "BIGINT"), Column("is_closed", _BOOL))  # fmt: skip
        return Table(self.name, columns, key=("pipeline_id", "stage_id"))

    def changes(self, table: Table, window: Window, resume: Mapping[str, Any] | None) -> Iterator[Given]:  # noqa: ARG002
        rows = [
            {
                "stage_id": str(stage["id"]),
                "label": stage.get("label"),
                "pipeline_id": str(pipeline["id"]),
                "pipeline": pipeline.get("label"),
                "position": stage.get("displayOrder"),
                "is_closed": (stage.get("metadata") or {}).get("state") == "CLOSED",
            }
            for pipeline in self.api.pipelines("orders")
            for stage in pipeline.get("stages") or ()
        ]
        yield from self.pages(table, rows)


class Links(Kind):
    """All pairs of two objects' records, as the table's name says (``deals_contacts``). HubSpot does not say which of them are new."""

    def __init__(self, api: Api, name: str) -> None:
        super().__init__(api, name)
        self._from, self._to = name.split("_")

    @property
    def _key(self) -> tuple[str, str]:
        return SINGULAR[self._from] + "_id", SINGULAR[self._to] + "_id"

    def table(self) -> Table:
        self.api.peek(self._from)
        self.api.peek(self._to)
        return Table(self.name, (*text(*self._key), Column("is_primary", _BOOL)), key=self._key)

    def changes(self, table: Table, window: Window, resume: Mapping[str, Any] | None) -> Iterator[Given]:  # noqa: ARG002
        one, two = self._key
        for step in walk(self.api, self._from, Asked(linked=(self._to,)), Window(), resume, binned=False):
            rows = [
                {one: id_, two: other, "is_primary": primary}
                for id_, links in zip(step.records.ids, step.records.links[self._to], strict=True)
                for other, primary in links
            ]
            yield from self.pages(table, rows, step.resume)


SINGULAR = {"contacts": "contact", "companies": "company", "deals": "deal", "orders": "order"}
LINKS = (
    "contacts_companies",
    "deals_contacts",
    "deals_companies",
    "orders_contacts",
    "orders_companies",
    "orders_deals",
)


def _owner(each: Mapping[str, Any], archived: bool) -> dict[str, Any]:
    name = " ".join(str(part).strip() for part in (each.get("firstName"), each.get("lastName")) if part)
    teams = each.get("teams") or []
    team: Mapping[str, Any] = next((t for t in teams if t.get("primary")), {})
    return {
        "id": str(each["id"]), "user_id": each.get("userId") or each.get("userIdIncludingInactive"), "name": name or each.get("email"),
        "email": each.get("email"), "team": team.get("name"), "team_id": team.get("id"), "archived": archived,
        "created_at": each.get("createdAt"),
    }  # fmt: skip


def _stage(pipeline: Mapping[str, Any], stage: Mapping[str, Any]) -> dict[str, Any]:
    said = stage.get("metadata") or {}
    try:
        chance = Decimal(str(said.get("probability")))
    except InvalidOperation:
        chance = None
    stated = said.get(
        "isClosed"
    )  # a stage that was made through the API may have nothing but its probability
    closed = chance in (0, 1) if stated is None else str(stated).lower() == "true"
    return {
        "stage_id": str(stage["id"]), "label": stage.get("label"), "pipeline_id": str(pipeline["id"]), "pipeline": pipeline.get("label"),
        "position": stage.get("displayOrder"), "probability": chance, "is_closed": closed, "is_won": closed and chance == 1,
    }  # fmt: skip
