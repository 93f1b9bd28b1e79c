"""DuckDB files, and databases that cadran knows nothing of."""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from cadran.plugins import Column, ConnectorError
from cadran_plugins.sql.address import address

from .reading_sql import asked, collect, failure, opened, read

# --- DuckDB files -----------------------------------------------------------------------------------------------------


@pytest.fixture
def duck(tmp_path: Path) -> str:
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as database:
        database.execute("set timezone = 'Europe/Paris'")
        database.execute("""
            create type mood as enum ('good');
            create table everything (flag boolean, tiny tinyint, huge hugeint, u ubigint, single float, amount decimal(10,2),
                name varchar, mood mood, id uuid, list int[], raw blob, day date, local timestamp, nano timestamp_ns,
                moment timestamptz, clock time, "Order" int);
            insert into everything values (true, -5, 170141183460469231731687303715884105, 18446744073709551615, 0.1, 12.50,
                'é', 'good', '123e4567-e89b-12d3-a456-426655440000', [1, 2], '\\x00'::blob, '2024-02-29',
                '2026-03-29 02:30:00.123456', '2026-12-31 23:59:59.999999999', '2026-07-01 12:00:00+02', '23:59:59', 5);
            insert into everything (flag) values (null);
            create schema "Sales"; create table "Sales"."Order Details" (id int); create view v as select 1 as one;
        """)
    return "duckdb:///shop.duckdb"


def test_every_type_of_duckdb(tmp_path: Path, duck: str) -> None:
    found = read(duck, "everything", tmp_path, zone="Europe/Paris")
    assert found.types == [
        "bool", "int64", "decimal128(38, 0)", "uint64", "double", "decimal128(10, 2)", "string", "string", "string", "string",
        "binary", "date32[day]", "timestamp[us]", "timestamp[us]", "timestamp[us, tz=UTC]", "string", "int64",
    ]  # fmt: skip
    assert found.rows[0] == (
        True, -5, Decimal(170141183460469231731687303715884105), 18446744073709551615, 0.10000000149011612, Decimal("12.50"),
        "é", "good", "123e4567-e89b-12d3-a456-426655440000", "[1, 2]", b"\x00", dt.date(2024, 2, 29),
        dt.datetime(2026, 3, 29, 2, 30, 0, 123456), dt.datetime(2026, 12, 31, 23, 59, 59, 999999),
        dt.datetime(2026, 7, 1, 10, tzinfo=dt.UTC), "23:59:59", 5,
    )  # fmt: skip
    assert found.rows[1] == (None,) * 17


def test_names_in_duckdb(tmp_path: Path, duck: str) -> None:
    with opened(duck, tmp_path) as connector:
        assert sorted(connector.names()) == ["everything", "v"]
        assert connector.relation("sales.order details").path == ("Sales", "Order Details")
        assert collect(connector.read("V")).rows == [(1,)]
        assert (connector.dialect, connector.remote) == ("duckdb", False)


@pytest.mark.parametrize(
    "query",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from '/etc/passwd'",
        "insert into everything (flag) values (true)",
        "select 1 as a; drop table everything",
        "set enable_external_access = true",
    ],
)
def test_a_duckdb_file_is_only_read_and_nothing_else_is(tmp_path: Path, duck: str, query: str) -> None:
    before = (tmp_path / "shop.duckdb").read_bytes()
    with opened(duck, tmp_path) as connector:
        with pytest.raises(ConnectorError):
            list(connector.query(query))
        assert len(collect(connector.read("everything")).rows) == 2
    assert (tmp_path / "shop.duckdb").read_bytes() == before


_ENDLESS = "select count(*) as n from range(1000000000) a, range(1000000000) b where a.range + b.range < 0"


def test_a_query_of_duckdb_that_takes_too_long_or_is_cancelled(tmp_path: Path, duck: str) -> None:
    with opened(duck, tmp_path, statement_timeout="1s") as connector:
        with pytest.raises(ConnectorError, match="a query took longer than 1 second and was stopped"):
            list(connector.query(_ENDLESS))
        assert collect(connector.query("select 1 as one")).rows == [(1,)]
    with opened(duck, tmp_path) as connector:
        list(connector.query("select 1 as one"))
        timer = threading.Timer(0.3, connector.cancel)
        timer.start()
        with pytest.raises(ConnectorError, match="the query was cancelled"):
            list(connector.query(_ENDLESS))
        timer.join()


def test_no_duckdb_file(tmp_path: Path) -> None:
    assert failure("duckdb:///none.duckdb", "t", tmp_path).message == "there is no file 'none.duckdb'"
    (tmp_path / "x.duckdb").write_text("nothing of the kind" * 100)
    assert failure("duckdb:///x.duckdb", "t", tmp_path).message.startswith(
        "the file cannot be read as a database"
    )
    assert not (tmp_path / "none.duckdb").exists()


# --- other drivers ----------------------------------------------------------------------------------------------------


class AcmeDialect(SQLiteDialect_pysqlite):
    """A database of which cadran knows nothing: it happens to be an SQLite file, with a driver that gives Python's values."""

    name = "acmedb"
    supports_statement_cache = True

    def create_connect_args(self, url: Any) -> Any:
        return [url.database], {"detect_types": sqlite3.PARSE_DECLTYPES}


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[str]:
    registry.register("acmedb", __name__, "AcmeDialect")
    sqlite3.register_converter("numeric", lambda b: Decimal(b.decode()))
    sqlite3.register_converter("day", lambda b: dt.date.fromisoformat(b.decode()))
    sqlite3.register_converter("moment", lambda b: dt.datetime.fromisoformat(b.decode()))
    try:
        yield f"acmedb:////{tmp_path}/acme.db"
    finally:
        for name in ("NUMERIC", "DAY", "MOMENT"):
            sqlite3.converters.pop(name)


def _fill(folder: Path, script: str) -> None:
    engine = sqlalchemy.create_engine(f"sqlite:////{folder}/acme.db", poolclass=sqlalchemy.NullPool)
    with engine.begin() as connection:
        for statement in script.split(";"):
            connection.exec_driver_sql(statement)


@pytest.mark.parametrize("fetch", [1, 100])
def test_types_as_the_values_tell(tmp_path: Path, acme: str, fetch: int) -> None:
    _fill(
        tmp_path,
        """create table t (id integer, name text, amount numeric(10,2), free numeric, ratio float, day day, at moment, raw blob, empty odd);
        insert into t values (1, 'a%b', '12.50', '1.5', 0.5, '2026-01-05', '2026-01-05T10:00:00', x'00', null);
        insert into t values (2, null, '3', '123456789.125', 2, null, null, null, null)""",
    )
    found = read(acme, "t", tmp_path, fetch=fetch)
    assert found.types == [
        "int64", "string", "decimal128(10, 2)", "decimal128(18, 3)", "double", "date32[day]", "timestamp[us]", "binary", "string",
    ]  # fmt: skip
    assert found.rows[0] == (
        1, "a%b", Decimal("12.50"), Decimal("1.500"), 0.5, dt.date(2026, 1, 5), dt.datetime(2026, 1, 5, 10), b"\x00", None
    )  # fmt: skip
    assert found.rows[1] == (2, None, Decimal("3.00"), Decimal("123456789.125"), 2.0, None, None, None, None)


def test_names_and_queries_of_another_database(tmp_path: Path, acme: str) -> None:
    _fill(
        tmp_path,
        'create table "Order Details" (id integer); insert into "Order Details" values (1); create view v as select 5 as n',
    )
    with opened(
        acme, tmp_path, tables={"x": {"sql": "select id, '50%' as p from \"Order Details\" -- all"}}
    ) as connector:
        assert (connector.dialect, connector.remote) == ("", True)
        assert list(connector.names()) == ["Order Details", "v", "x"]
        table = connector.table("order details")
        assert table is not None and table.columns == (Column("id", "BIGINT"),)
        assert collect(connector.read("x")).rows == [(1, "50%")]
        assert collect(connector.query("select count(*) as n from v")).rows == [(1,)]
        assert connector.table("nothing") is None
    assert failure(acme, "y", tmp_path, tables={"y": {"sql": "select nope"}}).message.startswith(
        "the database reports: no such column"
    )


def test_values_of_several_kinds(tmp_path: Path, acme: str) -> None:
    _fill(tmp_path, "create table t (c odd); insert into t values (1), ('a')")
    assert failure(acme, "t", tmp_path).message == "table 't': column 'c' holds '1', which is not text"
    _fill(
        tmp_path,
        "create table u (at moment); insert into u values ('2026-01-01T10:00:00'), ('2026-01-01T10:00:00+02:00')",
    )
    assert "has no zone, which others have" in failure(acme, "u", tmp_path).message


def test_an_empty_table_of_another_database(tmp_path: Path, acme: str) -> None:
    _fill(tmp_path, "create table t (id integer, c odd)")
    assert read(acme, "t", tmp_path).types == ["int64", "string"]
    assert asked(acme, "select * from t", tmp_path).types == ["string", "string"]


# --- URLs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "dialect"),
    [
        ("postgresql://h/d", "postgres"), ("postgres://h/d", "postgres"), ("postgresql+psycopg://h/d", "postgres"),
        ("cockroachdb://h/d", "postgres"), ("mysql+pymysql://h/d", "mysql"), ("mariadb://h/d", "mysql"),
        ("mssql+pyodbc://h/d", "tsql"), ("awsathena+rest://h/d", "athena"), ("clickhousedb://h/d", "clickhouse"),
        ("sparksql://h/d", "spark"), ("teradatasql://h/d", "teradata"), ("snowflake://u:p@a/d", "snowflake"),
        ("bigquery://p/d", "bigquery"), ("redshift+psycopg2://h/d", "redshift"), ("trino://h/d", "trino"),
        ("databricks://h", "databricks"), ("oracle+oracledb://h/d", "oracle"), ("sqlite:///x.db", "sqlite"),
        ("duckdb:///x.db", "duckdb"), ("firebird://h/d", ""), ("hana://h", ""),
    ],
)  # fmt: skip
def test_the_sql_that_a_url_speaks(url: str, dialect: str) -> None:
    assert address(url).dialect == dialect


@pytest.mark.parametrize(
    ("url", "message", "hint"),
    [
        (
            "snowflake://u:geheim@acme/d",
            "there is no driver here for 'snowflake' databases",
            "pip install 'snowflake-sqlalchemy'",
        ),
        (
            "firebird://u:geheim@h/d",
            "there is no driver here for 'firebird' databases",
            "install the package that makes SQLAlchemy know 'firebird'",
        ),
        (
            "oracle://u:geheim@h/d",
            "the driver for 'oracle' databases cannot be loaded",
            "pip install 'oracledb'",
        ),
        ("postgresql://u:geheim@h:port/d", "the url cannot be understood", "signs such as @"),
        ("nothing", "the url does not name a database", "write postgresql://"),
        ("", "the url does not name a database", "write postgresql://"),
        ("geheim@host/db", "the url does not name a database", "write postgresql://"),
    ],
)
def test_urls_that_cannot_be_used(url: str, message: str, hint: str) -> None:
    error = failure(url, "t")
    assert error.message.startswith(message) and error.hint.startswith(hint) and error.setting == ("url",)
    assert "geheim" not in error.message + error.hint


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("postgresql://bob:s3cret@h/d", 'FATAL: role "bob" with s3cret'),
        ("postgresql://bob:a%40b%2Fc@h/d", "bad a@b/c and a%40b%2Fc"),
        ("mysql://bob:p@ss:w/rd@h/d", "not p@ss:w/rd"),
        ("postgresql://bob:x y@h", "see x y, x%20y and x+y; postgresql://bob:x y@h"),
        (
            "postgresql://bob@db.secret.example:5433/d",
            'connection to server at "db.secret.example", port 5433 failed',
        ),
    ],
)
def test_what_a_driver_says_is_shown_without_the_password(url: str, text: str) -> None:
    shown = address(url).masked(text)
    for secret in ("s3cret", "a@b/c", "a%40b", "p@ss", "x y", "x%20y", "x+y", "secret.example"):
        assert secret not in shown
    assert "***" in shown


def test_a_driver_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    for module, url, extra in (
        ("psycopg", "postgresql://h/d", "postgres"),
        ("pymysql", "mariadb://h/d", "mysql"),
    ):
        for loaded in [
            m
            for m in sys.modules
            if m.startswith(("cadran_plugins.sql.postgres", "cadran_plugins.sql.mysql"))
        ]:
            monkeypatch.delitem(sys.modules, loaded)
        monkeypatch.setitem(sys.modules, module, None)
        error = failure(url, "t")
        assert (
            error.message.endswith("which is not installed")
            and error.hint == f"pip install 'cadran[{extra}]'"
        )
        monkeypatch.undo()


def test_nothing_heavy_is_imported_before_a_source_is_opened() -> None:
    import subprocess
    import sys

    program = """if True:
        import sys
        from pathlib import Path
        from cadran.plugins import Context
        from cadran_plugins.sql.connector import SqlConnector
        connector = SqlConnector(Context("wh", {"url": "postgresql://h/d"}, Path(".")))
        assert connector.remote and connector.dialect == "postgres"
        heavy = {"sqlalchemy", "psycopg", "pymysql", "pyarrow", "duckdb", "adbc_driver_manager"}
        sys.exit(", ".join(heavy & set(sys.modules)) or 0)
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
