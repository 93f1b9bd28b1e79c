"""Odoo's opportunities, a hundred a page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from contract.cases.simulated import ROWS, Simulated
from tests.simulators.odoo import KEY, Odoo, opportunity_of


class OdooCase(Simulated):
    connector = "odoo"
    table = "opportunities"
    secrets = (KEY,)
    cannot = {"expire": "reading goes on behind an id, which does not run out", "exhaust": "an Odoo server counts no requests of a day"}

    def make(self) -> Odoo:
        return Odoo()

    def fill(self, number: int) -> int:
        made: int = self.api.insert("crm.lead", name=f"Deal {number}", expected_revenue=number + 0.25, type="opportunity")
        return made

    def config(self, url: str) -> Mapping[str, Any]:
        return {"url": url, "api_key": KEY, "database": "belvoir", "page": 100}

    def wrong_credentials(self, url: str) -> Mapping[str, Any]:
        return {"url": url, "api_key": "wrong", "database": "belvoir"}

    @property
    def _rows(self) -> dict[int, dict[str, Any]]:
        rows: dict[int, dict[str, Any]] = self.api.rows["crm.lead"]
        return rows

    def _id(self, number: int) -> int:
        return list(self._rows)[number]

    def rows(self, table: str) -> Sequence[Mapping[str, Any]]:
        fields = self.api.fields["crm.lead"]
        return [
            {
                "id": row["id"], "name": row["name"], "active": row["active"], "write_date": row["write_date"].replace(tzinfo=dt.UTC, microsecond=0),
                **({"expected_revenue": Decimal(str(row["expected_revenue"]))} if "expected_revenue" in fields else {}),
                **({"discount": row.get("x_discount") or None} if "x_discount" in fields else {}),
            }
            for row in self._rows.values()
        ]  # fmt: skip

    def clear(self) -> None:
        self._rows.clear()

    def insert(self) -> tuple[int]:
        return (self.fill(ROWS + 1),)

    def update(self) -> tuple[int]:
        self.api.update("crm.lead", self._id(3), name="Changed")
        return (self._id(3),)

    def tie(self) -> tuple[int]:
        last = max(row["write_date"] for row in self._rows.values())
        made = self.fill(ROWS + 2)
        self._rows[made]["write_date"] = last
        return (made,)

    def delete(self) -> tuple[int]:
        key = self._id(5)
        self.api.delete("crm.lead", key)
        return (key,)

    def archive(self) -> tuple[int]:
        key = self._id(6)
        self.api.archive("crm.lead", key)
        return (key,)

    def move(self) -> None:
        self.api.update("crm.lead", self._id(0), name="Moved")

    def add_field(self) -> str:
        self.api.add_field("crm.lead", "x_discount", "char", "Discount")
        self.api.update("crm.lead", self._id(8), x_discount="ten")
        return "discount"

    def remove_field(self) -> str:
        self.api.remove_field("crm.lead", "expected_revenue")
        return "expected_revenue"

    def retype_field(self) -> str:
        for row in self._rows.values():
            row["expected_revenue"] = "on request"
        return "expected_revenue"

    def big(self, rows: int) -> None:
        self._rows.clear()
        self.api.made = (rows, opportunity_of)
