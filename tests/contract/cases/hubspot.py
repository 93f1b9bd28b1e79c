"""HubSpot's deals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from contract.cases.simulated import ROWS, Simulated
from tests.simulators.hubspot import HubSpot
from tests.simulators.hubspot_account import TOKEN
from tests.simulators.hubspot_rows import deal


class HubSpotCase(Simulated):
    connector = "hubspot"
    table = "deals"
    secrets = (TOKEN,)
    cannot = {"archive": "what HubSpot archives is in its recycling bin: delete() does that"}

    def make(self) -> HubSpot:
        return HubSpot()

    def fill(self, number: int) -> int:
        values = {"dealname": f"Deal {number}", "amount": f"{number}.25" if number % 9 else ""}
        made: int = self.api.insert("deals", values)
        return made

    def config(self, url: str) -> Mapping[str, Any]:
        return {"token": TOKEN, "url": url}

    def wrong_credentials(self, url: str) -> Mapping[str, Any]:
        return {"token": "pat-eu1-wrong", "url": url}

    def _all(self) -> list[Any]:
        return [self.api.rows["deals"][id_] for id_ in list(self.api.rows["deals"]._ids)]

    def rows(self, table: str) -> Sequence[Mapping[str, Any]]:
        own = "discount" in self.api.properties["deals"]
        found = []
        for row in self._all():
            if row.archived is None:
                amount = row.values.get("amount") or None
                one = {"id": str(row.id), "dealname": row.values.get("dealname"), "hs_lastmodifieddate": row.updated.replace(microsecond=row.updated.microsecond // 1000 * 1000)}  # fmt: skip
                if "amount" in self.api.properties["deals"]:
                    one["amount"] = Decimal(amount) if amount else None
                if own:
                    one["discount"] = row.values.get("discount")
                found.append(one)
        return found

    def clear(self) -> None:
        for row in self._all():
            self.api.delete("deals", row.id)

    def insert(self) -> tuple[str]:
        return (str(self.fill(ROWS + 1)),)

    def update(self) -> tuple[str]:
        row = self._all()[3]
        self.api.update("deals", row.id, {"dealname": "Changed"})
        return (str(row.id),)

    def tie(self) -> tuple[str]:
        made = self.fill(ROWS + 2)
        self.api.tie("deals", [made], max(row.updated for row in self._all() if row.id != made))
        return (str(made),)

    def delete(self) -> tuple[str]:
        row = self._all()[5]
        self.api.archive("deals", row.id)
        return (str(row.id),)

    def move(self) -> None:
        self.api.update("deals", self._all()[0].id, {"dealname": "Moved"})

    def add_field(self) -> str:
        self.api.add_property("deals", "discount", "Discount")
        self.api.update("deals", self._all()[8].id, {"discount": "ten"})
        return "discount"

    def remove_field(self) -> str:
        self.api.remove_property("deals", "amount")
        return "amount"

    def retype_field(self) -> str:
        for row in self._all():
            row.values["amount"] = "on request"
        return "amount"

    def expire(self) -> None:
        self.api.expired = True

    def big(self, rows: int) -> None:
        self.api.rows["deals"].make(rows, deal)
