"""A CSV file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from cadran.testing import Case


class FilesCase(Case):
    connector = "files"
    table = "orders"
    cannot = {
        "wrong_credentials": "files ask for no credentials",
        "big": "files are read by DuckDB and Arrow, whose memory the tests of large files watch",
    }

    def start(self, folder: Path) -> str:
        self.file = folder / "data" / "orders.csv"
        self.file.parent.mkdir()
        self.lines = [{"id": n, "customer": f"client {n}", "amount": Decimal(n) + Decimal("0.25"), "day": dt.date(2026, 1, 1 + n % 28)} for n in range(1, 60)]  # fmt: skip
        self.head = ["id", "customer", "amount", "day"]
        self._write()
        return ""

    def _write(self) -> None:
        lines = [",".join(self.head)]
        lines += [",".join(str(row.get(name, "")) for name in self.head) for row in self.lines]
        self.file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def config(self, url: str) -> Mapping[str, Any]:
        return {"path": "data"}

    def rows(self, table: str) -> Sequence[Mapping[str, Any]]:
        return [{name: row.get(name) for name in self.head} for row in self.lines]

    def clear(self) -> None:
        self.lines.clear()
        self._write()

    def insert(self) -> tuple[int]:
        number = len(self.lines) + 1
        self.lines.append({**self.lines[0], "id": number})
        self._write()
        return (number,)

    def add_field(self) -> str:
        self.head.append("channel")
        for row in self.lines:
            row["channel"] = "web"
        self._write()
        return "channel"

    def remove_field(self) -> str:
        self.head.remove("customer")
        self._write()
        return "customer"

    def retype_field(self) -> str:
        for row in self.lines:
            row["amount"] = "on request"
        self._write()
        return "amount"
