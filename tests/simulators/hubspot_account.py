"""The state of a simulated HubSpot account, and what its people do to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tests.simulators.base import Simulator
from tests.simulators.hubspot_fields import ASSOCIATIONS, KINDS, Property, standard
from tests.simulators.hubspot_rows import Row, Rows, instant

TOKEN = "pat-eu1-0f3a7c1e-canary-token"


class Account(Simulator):
    """``missing`` holds scopes that the token lacks, ``lag`` how far search is behind, ``expired`` whether no cursor is known any more,
    ``stuck`` whether each page points to itself. ``meanwhile`` is called after each page of rows, once each."""

    def __init__(self, token: str = TOKEN) -> None:
        super().__init__()
        self.token, self.zone = token, "Europe/Paris"
        self.rows = {kind: Rows() for kind in KINDS}
        self.properties: dict[str, dict[str, Property]] = {kind: standard(kind) for kind in KINDS}
        self.links: dict[tuple[str, str], dict[int, dict[int, bool]]] = {pair: {} for pair in ASSOCIATIONS}
        self.owners: dict[int, dict[str, Any]] = {}
        self.pipelines: list[dict[str, Any]] = [sales_pipeline()]
        self.missing: set[str] = set()
        self.lag = dt.timedelta(0)
        self.expired = self.stuck = False
        self.meanwhile: list[Callable[[], None]] = []
        self.links_at_once = 100  # of one record, in one answer
        self.hits_at_most = 10_000  # of one search
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

    def merge(self, kind: str, winner: int, loser: int) -> None:
        """The loser is gone at once, without a stay in the recycling bin."""
        with self.lock:
            rows = self.rows[kind]
            parts = [rows[each].values.get("hs_merged_object_ids", "") for each in (winner, loser)]
            rows.remove(loser)
            self.update(kind, winner, {"hs_merged_object_ids": ";".join(filter(None, [*parts, str(loser)]))})

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

    def add_property(self, kind: str, name: str, label: str, type_: str = "string") -> None:
        self.properties[kind][name] = Property(
            name, label, type_, own=True, made=instant(self.clock + dt.timedelta(milliseconds=len(self.properties[kind])))
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
