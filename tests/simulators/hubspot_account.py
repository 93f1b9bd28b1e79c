"""The state of a simulated HubSpot account, and what its people do to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tests.simulators.base import Simulator
from tests.simulators.hubspot_fields import ASSOCIATIONS, KINDS, Property, standard
from tests.simulators.hubspot_rows import Row, Rows, instant, millis

TOKEN = "pat-eu1-0f3a7c1e-canary-token"


class Account(Simulator):
    """``missing`` holds scopes that the token lacks, ``lag`` how far search is behind, ``expired`` whether no cursor is known any more,
    ``stuck`` whether each page points to itself. ``meanwhile`` is called after each page of rows, once each."""

    def __init__(self, token: str = TOKEN) -> None:
        super().__init__()
        self.token, self.zone = token, "Europe/Paris"
        self.rows = {kind: Rows() for kind in KINDS}
        self.properties: dict[str, dict[str, Property]] = {kind: standard(kind) for kind in KINDS}
        self.forwarded: dict[str, dict[int, int]] = {kind: {} for kind in KINDS}  # ids that were merged
        self.links: dict[tuple[str, str], dict[int, dict[int, bool]]] = {pair: {} for pair in ASSOCIATIONS}
        self.owners: dict[int, dict[str, Any]] = {}
        self.pipelines: list[dict[str, Any]] = [sales_pipeline()]
        self.order_pipelines: list[dict[str, Any]] = [order_pipeline()]
        self.missing: set[str] = set()
        self.lag = dt.timedelta(0)
        self.expired = self.stuck = False
        self.meanwhile: list[Callable[[], None]] = []
        self.links_at_once = 100  # of one record, in one answer
        self.hits_at_most = 10_000  # of one search
        self.versions_at_most = 20  # of a property, the newest; contacts keep 45
        self._next = 1000

    def insert(
        self, kind: str, values: Mapping[str, str], *, at: dt.datetime | None = None, updated: dt.datetime | None = None,
        id_: int | None = None,
    ) -> int:  # fmt: skip
        with self.lock:
            at = at or self.clock
            self._next = max(self._next + 1, (id_ or 0), self.rows[kind].made + 1)
            row = Row(id_ or self._next, at, updated or at, {})
            row.set(values, at)
            self.rows[kind].add(row)
            return row.id

    def update(
        self, kind: str, id_: int, values: Mapping[str, str], *, at: dt.datetime | None = None
    ) -> None:
        with self.lock:
            row = self.rows[kind][id_]
            row.set(values, at or self.clock)
            row.updated = at or self.clock

    def archive(self, kind: str, id_: int, *, at: dt.datetime | None = None) -> None:
        """Into the recycling bin, where the API still shows it."""
        with self.lock:
            self.rows[kind][id_].archived = at or self.clock

    def restore(self, kind: str, id_: int) -> None:
        with self.lock:
            self.rows[kind][id_].archived = None
            self.rows[kind][id_].updated = self.clock

    def delete(self, kind: str, id_: int) -> None:
        """For good, as the GDPR has it: nothing shows it any more."""
        with self.lock:
            self.rows[kind].remove(id_)

    def merge(self, kind: str, winner: int, loser: int) -> int:
        """Both are gone at once, without a stay in the recycling bin: a record with a new id holds the winner's values, and the links of
        both, whose other ends are not changed (HubSpot's changelog, "Updated merge functionality for contacts and companies").

        Which ids it took in stands in ``hs_merged_object_ids``; in contacts, with the time of each, in ``hs_calculated_merged_vids``.
        """
        with self.lock:
            rows, now = self.rows[kind], self.clock
            both = [rows[each] for each in (winner, loser)]
            noted = "hs_calculated_merged_vids" if kind == "contacts" else "hs_merged_object_ids"
            taken = [str(row.id) + (f":{millis(now)}" if kind == "contacts" else "") for row in both]
            before = [row.values.get(noted, "") for row in both]
            id_ = self.insert(kind, both[0].values | {noted: ";".join(filter(None, [*before, *taken]))}, at=min(row.created for row in both), updated=now)  # fmt: skip
            rows[id_].history = dict(both[0].history)
            for old in (loser, winner):
                rows.remove(old)
                self.forwarded[kind][old] = id_
                for (one, other), links in self.links.items():
                    for linked, primary in links.pop(old, {}).items() if one == kind else ():
                        self.dissociate(kind, old, other, linked)
                        first = primary and (old == winner or not any(links.get(winner, {}).values()))
                        self.associate(kind, id_, other, linked, primary=first)
            return id_

    def tie(self, kind: str, ids: Iterable[int], at: dt.datetime) -> None:
        with self.lock:
            for id_ in ids:
                self.rows[kind][id_].updated = at

    def associate(self, kind: str, id_: int, other: str, other_id: int, *, primary: bool = False) -> None:
        with self.lock:
            for one, first, two, second in ((kind, id_, other, other_id), (other, other_id, kind, id_)):
                if (one, two) in self.links:
                    self.links[one, two].setdefault(first, {})[second] = primary

    def dissociate(self, kind: str, id_: int, other: str, other_id: int) -> None:
        with self.lock:
            for one, first, two, second in ((kind, id_, other, other_id), (other, other_id, kind, id_)):
                self.links.get((one, two), {}).get(first, {}).pop(second, None)

    def add_property(
        self, kind: str, name: str, label: str, type_: str = "string", *, calculated: bool = False
    ) -> None:
        self.properties[kind][name] = Property(
            name, label, type_, own=True, calculated=calculated, made=instant(self.clock + dt.timedelta(milliseconds=len(self.properties[kind])))
        )  # fmt: skip

    def retype_property(self, kind: str, name: str, type_: str) -> None:
        self.properties[kind][name] = self.properties[kind][name].retyped(type_)

    def remove_property(self, kind: str, name: str) -> None:
        del self.properties[kind][name]

    def add_owner(self, id_: int, name: str, team: str = "", *, archived: bool = False) -> None:
        first, _, last = name.partition(" ")
        at = "2020-01-01T00:00:00.000Z"
        owner: dict[str, Any] = {
            "id": str(id_), "email": f"{first.lower()}@belvoir.example", "type": "PERSON", "firstName": first, "lastName": last,
            "createdAt": at, "updatedAt": at, "archived": archived,
        }  # fmt: skip
        if team:
            owner["teams"] = [{"id": str(10 + len(team)), "name": team, "primary": True}]
        self.owners[id_] = owner


def sales_pipeline(
    names: Iterable[tuple[str, str, str]] = (
        ("appointmentscheduled", "Appointment scheduled", "0.2"),
        ("contractsent", "Contract sent", "0.9"),
        ("closedwon", "Closed won", "1.0"),
        ("closedlost", "Closed lost", "0.0"),
    ),
) -> dict[str, Any]:
    """(id, label, probability); those of probability 1 and 0 are closed."""
    made = {
        "createdAt": "2019-01-01T00:00:00.000Z",
        "updatedAt": "2019-01-01T00:00:00.000Z",
        "archived": False,
    }
    stages = [
        {"id": id_, "label": label, "displayOrder": order, **made,
         "metadata": {"isClosed": "true" if float(chance) in (0.0, 1.0) else "false", "probability": chance},
         "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT"}
        for order, (id_, label, chance) in enumerate(names)
    ]  # fmt: skip
    return {"id": "default", "label": "Sales Pipeline", "displayOrder": 0, "stages": stages, **made}


def order_pipeline() -> dict[str, Any]:
    """As each account has it, with HubSpot's own ids; their metadata says ``state`` where those of deals say ``isClosed``."""
    made = {
        "createdAt": "2019-01-01T00:00:00.000Z",
        "updatedAt": "2019-01-01T00:00:00.000Z",
        "archived": False,
    }
    stages = [
        {"id": id_, "label": label, "displayOrder": order, **made, "metadata": {"state": "OPEN" if label == "Open" else "CLOSED"},
         "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT"}
        for order, (id_, label) in enumerate(ORDER_STAGES)
    ]  # fmt: skip
    return {
        "id": "14a2e10e-5471-408a-906e-c51f3b04369e",
        "label": "Order Pipeline",
        "displayOrder": 0,
        "stages": stages,
        **made,
    }


ORDER_STAGES = (
    ("4b27b500-f031-4927-9811-68a0b525cbae", "Open"),
    ("937ea84d-0a4f-4dcf-9028-3f9c2aafbf03", "Processed"),
    ("aa99e8d0-c1d5-4071-b915-d240bbb1aed9", "Shipped"),
    ("3725360f-519b-4b18-a593-494d60a29c9f", "Delivered"),
    ("3c85a297-e9ce-400b-b42e-9f16853d69d6", "Cancelled"),
)
