"""A SQLite database."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from cadran.testing import Case


class SqlCase(Case):
    connector = "sql"
    table = "orders"
    cannot = {
        "wrong_credentials": "SQLite asks for no credentials: the tests of PostgreSQL and MariaDB do",
        "secrets": "the address of an SQLite file holds no password",
    }

    def start(self, folder: Path) -> str:
        self.file = folder / "shop.db"
        self._do("create table orders (id integer primary key, customer text, amount real)")
        with closing(sqlite3.connect(self.file)) as database:
            rows = [(n, None if n % 10 == 0 else f"client {n}", f"{n}.25") for n in range(1, 60)]
            database.executemany("insert into orders values (?, ?, ?)", rows)
            database.commit()
        return ""

    def _do(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.file)) as database:
            for statement in statements:
                database.execute(statement)
            database.commit()

    def config(self, url: str) -> Mapping[str, Any]:
        return {"url": f"sqlite:///{self.file}"}

    def rows(self, table: str) -> Sequence[Mapping[str, Any]]:
        with closing(sqlite3.connect(self.file)) as database:
            cursor = database.execute("select * from orders")
            names = [one[0] for one in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def clear(self) -> None:
        self._do("delete from orders")

    def insert(self) -> tuple[int]:
        self._do("insert into orders values (60, 'late', '1.00')")
        return (60,)

    def add_field(self) -> str:
        self._do("alter table orders add column channel text", "update orders set channel = 'web'")
        return "channel"

    def remove_field(self) -> str:
        self._do("alter table orders drop column customer")
        return "customer"

    def retype_field(self) -> str:
        self._do("update orders set amount = 'on request'")
        return "amount"

    def big(self, rows: int) -> None:
        numbers = (
            f"with recursive n(i) as (select 1000 union all select i + 1 from n where i < {1000 + rows})"
        )
        self._do(f"insert into orders {numbers} select i, 'client ' || i, '1.25' from n")
