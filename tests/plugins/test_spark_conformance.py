"""``spark`` keeps the contract of connectors, against a real Spark Connect server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest

from cadran.testing import Case
from cadran.testing.contract.check import Check
from cadran.testing.contract.running import all_checks, outcome
from cadran_plugins.spark.connector import SparkConnector
from spark_server import TOKEN, SparkServer

pytestmark = pytest.mark.xdist_group("spark")
ROWS = 60


class Lake(Case):
    """A schema with one table. Spark's own tables know no UPDATE and no DELETE: a change writes the table anew."""

    connector = SparkConnector
    table = "orders"
    secrets = (TOKEN,)
    cannot: ClassVar[Mapping[str, str]] = {}
    server: ClassVar[SparkServer]
    schema: ClassVar[str]

    def start(self, folder: Path) -> str:
        self.held = {
            n: [n, None if n % 10 == 0 else f"client {n}", Decimal(f"{n}.25")] for n in range(1, ROWS)
        }
        self.columns = {"id": "BIGINT", "customer": "STRING", "amount": "DECIMAL(18,2)"}
        self._write()
        return ""

    def stop(self) -> None:
        self.server.run(f"DROP TABLE IF EXISTS {self.schema}.orders")

    def config(self, url: str) -> Mapping[str, Any]:
        return {"url": self.server.url, "schema": self.schema}

    def wrong_credentials(self, url: str) -> Mapping[str, Any]:
        return {"url": f"sc://localhost:{self.server.port}/;token=wrong-{TOKEN}", "schema": self.schema}

    def rows(self, table: str) -> Sequence[Mapping[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.held.values()]

    def _write(self) -> None:
        declared = ", ".join(f"{name} {kind}" for name, kind in self.columns.items())
        self.server.run(
            f"DROP TABLE IF EXISTS {self.schema}.orders",
            f"CREATE TABLE {self.schema}.orders ({declared}) USING parquet",
        )
        if self.held:
            values = ", ".join(f"({', '.join(map(_literal, row))})" for row in self.held.values())
            self.server.run(f"INSERT INTO {self.schema}.orders VALUES {values}")

    def clear(self) -> None:
        self.held = {}
        self._write()

    def insert(self) -> tuple[int]:
        self.held[ROWS] = [ROWS, "late", Decimal("1.00")]
        self._write()
        return (ROWS,)

    def add_field(self) -> str:
        self.columns["channel"] = "STRING"
        self.held = {key: [*row, "web"] for key, row in self.held.items()}
        self._write()
        return "channel"

    def remove_field(self) -> str:
        del self.columns["customer"]
        self.held = {key: [row[0], row[2]] for key, row in self.held.items()}
        self._write()
        return "customer"

    def retype_field(self) -> str:
        self.columns["amount"] = "STRING"
        self.held = {key: [*row[:2], "on request"] for key, row in self.held.items()}
        self._write()
        return "amount"

    def big(self, rows: int) -> None:
        more = (
            f"SELECT id, concat('client ', id), CAST(1.25 AS DECIMAL(18,2)) FROM range(1000, {1000 + rows})"
        )
        self.server.run(f"INSERT INTO {self.schema}.orders {more}")


def _literal(value: Any) -> str:
    return "NULL" if value is None else f"'{value}'" if isinstance(value, str) else str(value)


@pytest.mark.parametrize("check", all_checks(), ids=lambda check: check.name)
def test_it_is_kept(check: Check, spark: tuple[SparkServer, str]) -> None:
    server, schema = spark
    case = type("ThisLake", (Lake,), {"server": server, "schema": schema})
    found = outcome(check, case, SparkConnector)
    if found.state == "not shown":
        pytest.skip(found.why)
    assert found.state == "kept", found.why
