"""What cadran's conformance suite needs to know: the settings, and how the fake Acme is changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from fake_acme import TOKEN, FakeAcme

from cadran.testing import Case


class AcmeCase(Case):
    table = "orders"
    secrets = (TOKEN,)
    cannot = {"archive": "Acme puts nothing away: a row is there, or deleted"}

    def start(self, folder: Path) -> str:
        self.fake = FakeAcme()
        return self.fake.start()

    def stop(self) -> None:
        self.fake.stop()

    def config(self, url: str) -> Mapping[str, Any]:
        return {"url": url, "token": TOKEN}

    def wrong_credentials(self, url: str) -> Mapping[str, Any]:
        return {"url": url, "token": "wrong"}

    def rows(self, table: str) -> Sequence[Mapping[str, Any]]:
        fields = self.fake.fields[table]
        return [{name: row.get(name) for name in fields} for row in self.fake.rows[table].values() if not row.get("deleted")]

    def clear(self) -> None:
        self.fake.rows["orders"].clear()

    def insert(self) -> tuple[int]:
        number = max(self.fake.rows["orders"]) + 1
        self.fake.put(self.fake.made(number))
        return (number,)

    def update(self) -> tuple[int]:
        self.fake.put({**self.fake.rows["orders"][3], "customer": "changed"})
        return (3,)

    def tie(self) -> tuple[int]:
        number = max(self.fake.rows["orders"]) + 1
        self.fake.put(self.fake.made(number), at=max(row["changed_at"] for row in self.fake.rows["orders"].values()))
        return (number,)

    def delete(self) -> tuple[int]:
        self.fake.put({**self.fake.rows["orders"][5], "deleted": True})
        return (5,)

    def move(self) -> None:
        self.fake.put(self.fake.rows["orders"][1])  # from the first page, which was read, to the last

    def add_field(self) -> str:
        self.fake.fields["orders"]["channel"] = "text"
        self.fake.rows["orders"][9]["channel"] = "web"
        return "channel"

    def remove_field(self) -> str:
        del self.fake.fields["orders"]["customer"]
        return "customer"

    def retype_field(self) -> str:
        for row in self.fake.rows["orders"].values():
            row["amount"] = "on request"
        return "amount"

    def expire(self) -> None:
        self.fake.salt = "2"

    def exhaust(self) -> None:
        self.fake.quota = True

    def big(self, rows: int) -> None:
        self.fake.big = rows


@pytest.fixture
def cadran_case() -> type[Case]:
    return AcmeCase
