"""Pipedrive's deals."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from contract.cases import simulated
from contract.cases.simulated import Simulated
from tests.simulators.pipedrive import TOKEN, Pipedrive


class PipedriveCase(Simulated):
    connector = "pipedrive"
    table = "deals"
    secrets = (TOKEN,)
    many = 1100

    def make(self) -> Pipedrive:
        made = Pipedrive()
        made.add_field("deals", "Budget", "varchar")
        begin = (simulated.utc() - 2 * simulated.LONG_AGO).replace(microsecond=0)
        made.now = lambda: begin
        for number in range(simulated.ROWS + 1, self.many + 1):
            made.insert("deals", title=f"Deal {number}", value=number + 0.25)
        return made

    def fill(self, number: int) -> int:
        made: int = self.api.insert("deals", title=f"Deal {number}", value=number + 0.25)
        return made

    def config(self, url: str) -> Mapping[str, Any]:
        return {"token": TOKEN, "url": url}

    def wrong_credentials(self, url: str) -> Mapping[str, Any]:
        return {"token": "0" * 40, "url": url}

    @property
    def _rows(self) -> dict[Any, dict[str, Any]]:
        rows: dict[Any, dict[str, Any]] = self.api.rows["deals"]
        return rows

    def _id(self, number: int) -> int:
        return [key for key, row in self._rows.items() if not row.get("is_deleted") and row.get("status") != "deleted"][number]

    def rows(self, table: str) -> Sequence[Mapping[str, Any]]:
        return [
            {
                "id": row["id"], "title": row["title"], "value": Decimal(str(row["value"])), "is_archived": bool(row.get("is_archived")),
                "update_time": dt.datetime.fromisoformat(row["update_time"]),
            }
            for row in self._rows.values()
            if not row.get("is_deleted") and row.get("status") != "deleted"
        ]  # fmt: skip

    def clear(self) -> None:
        self._rows.clear()

    def insert(self) -> tuple[int]:
        return (self.fill(5001),)

    def update(self) -> tuple[int]:
        self.api.update("deals", self._id(3), title="Changed")
        return (self._id(3),)

    def tie(self) -> tuple[int]:
        last = max(dt.datetime.fromisoformat(row["update_time"]) for row in self._rows.values())
        made = self.fill(5002)
        self.api.tie("deals", [made], last)
        return (made,)

    def delete(self) -> tuple[int]:
        key = self._id(5)
        self.api.delete("deals", key)
        return (key,)

    def archive(self) -> tuple[int]:
        key = self._id(6)
        self.api.archive("deals", key)
        return (key,)

    def move(self) -> None:
        self.api.update("deals", self._id(0), title="Moved")

    def add_field(self) -> str:
        self.api.add_field("deals", "Discount", "varchar")
        self.api.update("deals", self._id(8), custom={"Discount": "ten"})
        return "discount"

    def remove_field(self) -> str:
        self.api.remove_field("deals", "Budget")
        return "budget"

    def retype_field(self) -> str:
        for row in self._rows.values():
            row["value"] = "on request"
        return "value"

    def expire(self) -> None:
        self.api.expire_cursors()

    def big(self, rows: int) -> None:
        from tests.simulators import pipedrive

        self._rows.clear()
        self.api.made = (rows, pipedrive.deal_of)
