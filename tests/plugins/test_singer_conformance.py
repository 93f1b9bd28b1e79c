"""``singer`` keeps the contract of connectors, with a tap that writes a state now and then."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest

from cadran.testing import Case
from cadran.testing.contract.check import Check
from cadran.testing.contract.running import all_checks, outcome
from cadran_plugins.singer import read
from cadran_plugins.singer.connector import SingerConnector

TAP = Path(__file__).resolve().parents[1] / "simulators" / "tap.py"
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
ROWS = 350  # a state behind every hundred


class Tap(Case):
    connector = SingerConnector
    table = "orders"
    secrets = ("pa55word-canary",)
    cannot: ClassVar[Mapping[str, str]] = {
        "wrong_credentials": "a tap says in words of its own what is wrong",
        "archive": "that is the tap's business",
        "move": "that is the tap's business",
        "expire": "that is the tap's business",
        "exhaust": "that is the tap's business",
    }

    def start(self, folder: Path) -> str:
        self.file = folder / "rows.json"
        self.held = {number: _row(number) for number in range(1, ROWS + 1)}
        self.more: dict[str, Any] = {"more": {}, "less": [], "many": 0}
        self._write()
        return ""

    def stop(self) -> None: ...

    def config(self, url: str) -> Mapping[str, Any]:
        config = {
            "rows_file": str(self.file),
            "password": self.secrets[0],
            "states_every": 100,
            "marks": True,
        }
        return {
            "command": [sys.executable, "-I", "-S", str(TAP)],
            "config": config,
            "tables": {"orders": {"cursor": "changed"}},
        }

    def _write(self) -> None:
        rows = sorted(self.held.values(), key=lambda row: row["changed"])
        self.file.write_text(json.dumps({**self.more, "rows": rows}))

    def rows(self, table: str) -> Sequence[Mapping[str, Any]]:
        def typed(name: str, value: Any) -> Any:
            if name == "amount" and not isinstance(value, str):
                return Decimal(str(value))
            return dt.datetime.fromisoformat(value) if name == "changed" else value

        return [
            {name: typed(name, value) for name, value in row.items()}
            for row in self.held.values()
            if "_sdc_deleted_at" not in row
        ]

    def _put(self, number: int, later: int = 1, **values: Any) -> tuple[int]:
        newest = max(dt.datetime.fromisoformat(row["changed"]) for row in self.held.values())
        row = self.held.get(number) or _row(number)
        self.held[number] = {**row, "changed": (newest + dt.timedelta(minutes=later)).isoformat(), **values}
        self._write()
        return (number,)

    def clear(self) -> None:
        self.held.clear()
        self._write()

    def insert(self) -> tuple[int]:
        return self._put(max(self.held) + 1)

    def tie(self) -> tuple[int]:
        return self._put(max(self.held) + 1, later=0)

    def update(self) -> tuple[int]:
        return self._put(3, note="changed")

    def delete(self) -> tuple[int]:
        return self._put(5, _sdc_deleted_at="2026-02-01T00:00:00Z")

    def add_field(self) -> str:
        self.more["more"] = {"channel": {"type": ["null", "string"]}}
        self._put(9, channel="web")
        return "channel"

    def remove_field(self) -> str:
        self.more["less"] = ["note"]
        for row in self.held.values():
            del row["note"]
        self._write()
        return "note"

    def retype_field(self) -> str:
        for row in self.held.values():
            row["amount"] = "on request"
        self._write()
        return "amount"

    def big(self, rows: int) -> None:
        self.held.clear()
        self.more["many"] = rows
        self._write()


def _row(number: int) -> dict[str, Any]:
    changed = START + dt.timedelta(minutes=number)
    return {"id": number, "amount": number + 0.25, "changed": changed.isoformat(), "note": f"note {number}"}


@pytest.mark.parametrize("check", all_checks(), ids=lambda check: str(check.name))
def test_it_keeps_the_contract(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "_FEW", 100)  # so that few rows are several pages
    found = outcome(check, Tap, SingerConnector)
    if found.state == "not shown":
        pytest.skip(found.why)
    assert found.state == "kept", found.why
