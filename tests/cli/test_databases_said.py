"""What is said to somebody who connects a database for the first time and gets it slightly wrong."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from servers import Server

from .user import AS_OF, call

PROJECT = """version: 1
sources:
  wh: %s
datasets:
  orders: {from: %s, key: id, date: day}
kpis:
  revenue: {formula: sum(orders.amount), period: month}
"""


def said(folder: Path, source: str, *args: str, table: str = "wh.orders") -> str:
    """The text of ``check --data``, or of another command, which fails."""
    (folder / "kpis.yaml").write_text(PROJECT % (source, table), encoding="utf-8")
    done = call(folder, *(args or ("check", "--data")))
    assert done.code == 2, done.all
    return done.all


def files(folder: Path) -> None:
    (folder / "data").mkdir()
    with closing(sqlite3.connect(folder / "data" / "shop.sqlite")) as database:
        database.execute("create table orders (id integer, day date, amount integer)")
        database.commit()
    duckdb.connect(str(folder / "data" / "shop.duckdb")).close()


@pytest.mark.parametrize("table", ["wh.orders", "wh.newdb.orders"])
@pytest.mark.parametrize("end", ["", "/"])
def test_a_url_without_a_database(tmp_path: Path, mariadb: Server, end: str, table: str) -> None:
    url = mariadb.url.rpartition("/")[0] + end
    text = said(tmp_path, f'{{connector: sql, url: "{url}"}}', table=table)
    assert (
        "kpis.yaml:3:29: sources.wh: the url names no database; write mysql://…/database, or say 'schema:'"
        in text
    )


def test_a_schema_stands_for_the_database(tmp_path: Path, mariadb: Server) -> None:
    url = mariadb.url.rpartition("/")[0]
    mariadb.run("create table orders (id int, day date, amount int)")
    (tmp_path / "kpis.yaml").write_text(
        PROJECT % (f'{{connector: sql, url: "{url}", schema: {mariadb.name}}}', "wh.orders")
    )
    assert call(tmp_path, "check", "--data").code == 0


def test_a_postgres_url_without_a_database(
    tmp_path: Path, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PGDATABASE", raising=False)
    text = said(tmp_path, f'{{connector: sql, url: "{postgres.url.rpartition("/")[0]}"}}')
    assert "sources.wh: the url names no database; write postgresql://…/database" in text


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (
            "duckdb:///data/shop.sqlite",
            "'data/shop.sqlite' is an SQLite file; write sqlite:///data/shop.sqlite",
        ),
        (
            "sqlite:///data/shop.duckdb",
            "'data/shop.duckdb' is a DuckDB file; write duckdb:///data/shop.duckdb",
        ),
        (
            "sqlite+pysqlite:///data/shop.sqlite",
            "SQLite is read with Python's own driver; write sqlite:///data/shop.sqlite",
        ),
        ("sqlite:///data", "'data' is a folder; name the file in it; there are: shop.duckdb, shop.sqlite"),
        ("postgresq://h/x", "there is no driver here for 'postgresq' databases; did you mean 'postgresql'?"),
    ],
)
def test_urls(tmp_path: Path, url: str, message: str) -> None:
    files(tmp_path)
    assert f"kpis.yaml:3:29: sources.wh: {message}" in said(tmp_path, f'{{connector: sql, url: "{url}"}}')


def test_no_duckdb_fetches_extensions(tmp_path: Path) -> None:
    from cadran.compute.loading.embedded import Session
    from cadran.plugins import Context
    from cadran_plugins.files.footers import _database
    from cadran_plugins.files.workroom import Workroom
    from cadran_plugins.sql.connector import SqlConnector

    files(tmp_path)
    connector = SqlConnector(Context("wh", {"url": "duckdb:///data/shop.duckdb"}, tmp_path))
    opened, session = connector._asked(), Session("UTC")
    asked = "select name, value from duckdb_settings() where name like 'auto%known_extensions'"
    with closing(Workroom()) as room, room.table("t") as staging:
        for one in (opened.connection, session._connection, _database(), staging):  # type: ignore[attr-defined]
            found = one.execute(asked).fetchall()
            assert len(found) == 2 and {value for _, value in found} == {"false"}
    connector.close()
    session.close()


@pytest.mark.parametrize("url", ["postgresql://127.0.0.1:1/x", "mysql://root@127.0.0.1:1/x"])
@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("UPDATE orders SET id = 1", "'sql' must be a SELECT, not UPDATE"),
        ("SELECT 1; SELECT 2", "'sql' holds 2 statements"),
        ("SELECT id, id FROM orders", "table 'orders': two columns are named 'id'"),
        ("SELECT day, amount, 5 AS amount FROM orders", "table 'orders': two columns are named 'amount'"),
    ],
)
def test_a_select_is_checked_without_a_server(tmp_path: Path, url: str, sql: str, message: str) -> None:
    source = f'{{connector: sql, url: "{url}", tables: {{orders: {{sql: "{sql}"}}}}}}'
    text = said(tmp_path, source, "check")
    assert f"sources.wh: {message}" in text and text.count(message) == 1
    assert "kpis.yaml:3:" in text


def test_columns_that_only_the_database_can_tell(tmp_path: Path, postgres: Server) -> None:
    postgres.run("create table orders (id int, day date, amount int)")
    source = f'{{connector: sql, url: "{postgres.url}", tables: {{orders: {{sql: "SELECT *, 5 AS amount FROM orders"}}}}}}'
    assert "table 'orders': two columns are named 'amount'" in said(tmp_path, source)
    files(tmp_path)
    source = source.replace(postgres.url, "sqlite:///data/shop.sqlite")
    assert "table 'orders': two columns are named 'amount'" in said(tmp_path, source, "check")


def test_a_value_that_is_no_number_is_said_with_its_table(tmp_path: Path, postgres: Server) -> None:
    postgres.run(
        "create table orders (id int primary key, day date not null, amount float8)",
        "insert into orders values (1, '2026-05-03', 'NaN'), (2, '2026-05-04', 1)",
    )
    text = said(tmp_path, f'{{connector: sql, url: "{postgres.url}"}}', "run", *AS_OF)
    assert (
        "table 'orders': column 'amount' holds 'nan', which is not a number to compute with; make it NULL"
        in text
    )
    assert "m0" not in text


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        (lambda url: url + "?foo=bar", "check what stands behind the question mark"),
        (lambda url: url + "?sslmode=require", "the server offers no encryption"),
        (lambda url: url.replace(":5432", ":3306"), "check the host, the port"),
    ],
)
def test_a_connection_that_does_not_come_about(
    tmp_path: Path, postgres: Server, change: object, advice: str
) -> None:
    url = change(postgres.url)  # type: ignore[operator]
    text = said(tmp_path, f'{{connector: sql, url: "{url}", pool: {{wait: 3s}}}}')
    assert text.startswith("kpis.yaml:3:29: sources.wh: ") and advice in text


@pytest.mark.parametrize(
    ("behind", "message"),
    [
        ("?foo=bar", "the url holds a parameter that the driver does not know: 'foo'"),
        ("?connect_timeout=abc", "no connection to the server: "),
        ("?ssl_ca=/none.pem", "no connection to the server: "),
    ],
)
def test_a_connection_to_mariadb_that_does_not_come_about(
    tmp_path: Path, mariadb: Server, behind: str, message: str
) -> None:
    text = said(tmp_path, f'{{connector: sql, url: "{mariadb.url}{behind}"}}')
    assert text.startswith(f"kpis.yaml:3:29: sources.wh: {message}") and ";" in text.split("\n")[0]


def test_a_mariadb_url_with_the_port_of_postgres(tmp_path: Path, postgres: Server) -> None:
    url = f"mysql://root@127.0.0.1:{postgres.engine.url.port or 5432}/x"
    text = said(tmp_path, f'{{connector: sql, url: "{url}", pool: {{wait: 1s}}, statement_timeout: 1s}}')
    assert text.startswith("kpis.yaml:3:29: sources.wh: ") and "the port" in text


def test_a_schema_that_is_not_there(tmp_path: Path, postgres: Server, mariadb: Server) -> None:
    text = said(tmp_path, f'{{connector: sql, url: "{postgres.url}", schema: ventes}}')
    assert "sources.wh: there is no schema 'ventes'; there are: " in text
    assert postgres.name in text and "pg_catalog" not in text and "none" not in text
    text = said(tmp_path, f'{{connector: sql, url: "{mariadb.url}", schema: ventes}}')
    assert "sources.wh: there is no schema 'ventes'; " in text and mariadb.name in text
    source = f'{{connector: sql, url: "{postgres.url}", tables: {{orders: {{schema: ventes}}}}}}'
    assert "sources.wh: there is no schema 'ventes'" in said(tmp_path, source)


def test_words_that_are_slightly_wrong(tmp_path: Path) -> None:
    text = said(tmp_path, '{conector: sql, url: "sqlite:///x"}', "check")
    assert "kpis.yaml:3:8: sources.wh: unknown key 'conector'; did you mean 'connector'?" in text
    assert "is missing" not in text
    text = said(tmp_path, '{connector: sqll, url: "sqlite:///x"}', "check")
    assert text.count("sqll'") == 1 + 0 and "1 error" in text
    text = said(tmp_path, '{connector: sql, url: "${WAREHOUSE_URL}"}', "check")
    assert "the setting WAREHOUSE_URL is not set" in text and "1 error" in text
