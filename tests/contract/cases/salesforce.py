"""Salesforce's opportunities, a hundred a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from contract.cases.simulated import ROWS, Simulated
from tests.simulators.salesforce import SalesforceSimulator

SECRET = "2F1D8A77C0FFEE"


class SalesforceCase(Simulated):
    connector = "salesforce"
    table = "opportunities"
    secrets = (SECRET,)
    cannot = {"archive": "opportunities are not archived: they are there, or in the recycle bin"}

    def make(self) -> SalesforceSimulator:
        made = SalesforceSimulator()
        made.batch = 100
        return made

    def fill(self, number: int) -> str:
        amount = None if number % 9 == 0 else Decimal(number) + Decimal("0.25")
        made: str = self.api.insert("Opportunity", Name=f"Deal {number}", Amount=amount)
        return made

    def config(self, url: str) -> Mapping[str, Any]:
        return {"url": url, "client_id": self.api.client_id, "client_secret": SECRET}

    def wrong_credentials(self, url: str) -> Mapping[str, Any]:
        return {"url": url, "client_id": self.api.client_id, "client_secret": "wrong"}

    @property
    def _rows(self) -> dict[str, dict[str, Any]]:
        rows: dict[str, dict[str, Any]] = self.api.org["Opportunity"].rows
        return rows

    def _id(self, number: int) -> str:
        return list(self._rows)[number]

    def rows(self, table: str) -> Sequence[Mapping[str, Any]]:
        names = {"id": "Id", "name": "Name", "amount": "Amount", "system_modstamp": "SystemModstamp", "discount": "Discount__c"}
        known = self.api.org["Opportunity"].fields
        here = [row for row in self._rows.values() if not row.get("IsDeleted")]
        return [{n: row.get(field) for n, field in names.items() if field in known} for row in here]

    def clear(self) -> None:
        self._rows.clear()

    def insert(self) -> tuple[str]:
        return (self.fill(ROWS + 1),)

    def update(self) -> tuple[str]:
        self.api.update("Opportunity", self._id(3), Name="Changed")
        return (self._id(3),)

    def tie(self) -> tuple[str]:
        last = max(row["SystemModstamp"] for row in self._rows.values())
        made = self.fill(ROWS + 2)
        self._rows[made]["SystemModstamp"] = last
        return (made,)

    def delete(self) -> tuple[str]:
        self.api.delete("Opportunity", self._id(5))
        return (self._id(5),)

    def move(self) -> None:
        self.api.update("Opportunity", self._id(0), Name="Moved")

    def add_field(self) -> str:
        from tests.simulators.salesforce_objects import Field

        self.api.org["Opportunity"].fields["Discount__c"] = Field("Discount__c", "string", "Discount")
        for row in self._rows.values():
            row.setdefault("Discount__c", None)
        self.api.update("Opportunity", self._id(8), Discount__c="ten")
        return "discount"

    def remove_field(self) -> str:
        self.api.remove_field("Opportunity", "Amount")
        return "amount"

    def retype_field(self) -> str:
        self.api.retype_field("Opportunity", "Amount", "string", lambda value: "on request")
        return "amount"

    def expire(self) -> None:
        self.api.expire_cursors()

    def big(self, rows: int) -> None:
        self.api.batch = 200
        self._rows.clear()
        self.api.make("Opportunity", rows)
