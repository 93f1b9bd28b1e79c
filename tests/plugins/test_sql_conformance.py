"""``sql`` keeps the contract of connectors, against a real PostgreSQL and a real MariaDB; ``tests/contract`` holds it to SQLite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from cadran.testing import Case
from cadran.testing.contract.check import Check
from cadran.testing.contract.running import all_checks, outcome
from cadran_plugins.sql.connector import SqlConnector
from servers import Server

PASSWORD = "pa55word-canary"


class Database(Case):
    connector = SqlConnector
    table = "orders"
    server: ClassVar[Server]

    def start(self, folder: Path) -> str:
        self.server.run(
            "create table orders (id bigint primary key, customer varchar(40), amount decimal(18,2))"
        )
        self.columns = ["id", "customer", "amount"]
        self._insert(f"({n}, nullif('client {n}', 'client {n // 10}0'), {n}.25)" for n in range(1, 60))
        return ""

    def stop(self) -> None:
        self.server.run("drop table orders")

    def config(self, url: str) -> Mapping[str, Any]:
        return {"url": self.server.url}

    def rows(self, table: str) -> Sequence[Mapping[str, Any]]:
        rows = self.server.rows(f"select {', '.join(self.columns)} from orders")
        return [dict(zip(self.columns, row, strict=True)) for row in rows]

    def clear(self) -> None:
        self.server.run("delete from orders")

    def insert(self) -> tuple[int]:
        self.server.run("insert into orders values (60, 'late', 1.00)")
        return (60,)

    def add_field(self) -> str:
        self.server.run(
            "alter table orders add column channel varchar(9)", "update orders set channel = 'web'"
        )
        self.columns.append("channel")
        return "channel"

    def remove_field(self) -> str:
        self.server.run("alter table orders drop column customer")
        self.columns.remove("customer")
        return "customer"

    def retype_field(self) -> str:
        self.server.run(
            "alter table orders drop column amount",
            "alter table orders add column amount varchar(20)",
            "update orders set amount = 'on request'",
        )
        return "amount"

    def big(self, rows: int) -> None:
        for start in range(1000, 1000 + rows, 5000):
            numbers = range(start, min(start + 5000, 1000 + rows))
            self._insert(f"({n}, 'client {n}', 1.25)" for n in numbers)

    def _insert(self, values: Iterable[str]) -> None:
        self.server.run(f"insert into orders values {', '.join(values)}")


class Postgres(Database):
    cannot: ClassVar[Mapping[str, str]] = {
        "wrong_credentials": "this server lets everybody in: the tests of PostgreSQL have one that does not",
        "secrets": "this server asks for no password",
    }


class MariaDb(Database):
    secrets = (PASSWORD,)

    @property
    def user(self) -> str:
        return f"u{self.server.name[-12:]}"

    def start(self, folder: Path) -> str:
        at = f"{self.user}@'127.0.0.1'"
        self.server.run(f"create user {at} identified by '{PASSWORD}'", f"grant select on *.* to {at}")
        return super().start(folder)

    def stop(self) -> None:
        super().stop()
        self.server.run(f"drop user {self.user}@'127.0.0.1'")

    def config(self, url: str) -> Mapping[str, Any]:
        return self._as(PASSWORD)

    def wrong_credentials(self, url: str) -> Mapping[str, Any]:
        return self._as(f"wrong-{PASSWORD}")

    def _as(self, password: str) -> Mapping[str, Any]:
        return {"url": f"mysql://{self.user}:{password}@{self.server.url.rpartition('@')[2]}"}


@pytest.mark.parametrize("check", all_checks(), ids=lambda check: check.name)
def test_postgres_keeps_it(check: Check, postgres: Server) -> None:
    _held(check, type("ThisDatabase", (Postgres,), {"server": postgres}))


@pytest.mark.parametrize("check", all_checks(), ids=lambda check: check.name)
def test_mariadb_keeps_it(check: Check, mariadb: Server) -> None:
    _held(check, type("ThisDatabase", (MariaDb,), {"server": mariadb}))


def _held(check: Check, case: type[Case]) -> None:
    found = outcome(check, case, SqlConnector)
    if found.state == "not shown":
        pytest.skip(found.why)
    assert found.state == "kept", found.why
