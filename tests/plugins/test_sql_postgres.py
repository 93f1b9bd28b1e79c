"""PostgreSQL, through psycopg and through ADBC: the same types and values, one snapshot, nothing written, nothing left open."""

from __future__ import annotations

import datetime as dt
import socket
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from cadran.plugins import AuthError, Column, ConnectorError, Page
from cadran_plugins.sql import adbc
from cadran_plugins.sql.address import address
from cadran_plugins.sql.config import Settings
from cadran_plugins.sql.connector import SqlConnector
from cadran_plugins.sql.postgres import PostgresDatabase
from cadran_plugins.sql.trouble import Kind
from servers import Server

from .reading_sql import asked, collect, failure, opened, read

# With one connection, rows come through psycopg; with two, ADBC joins the snapshot.
WAYS = pytest.mark.parametrize("pool", [{"size": 1}, {"size": 2}], ids=["psycopg", "adbc"])

EVERYTHING = """
    create type mood as enum ('good', 'bad'); create domain price as numeric(8,3);
    create table everything (
        flag boolean, small smallint, whole integer, big bigint, single real, double double precision,
        amount numeric(10,2), price price, free numeric, huge numeric(50,5), cash money,
        name text, code varchar(10), padded char(6), mood mood, id uuid, doc jsonb, raw bytea, list integer[],
        day date, at timestamp, moment timestamptz, clock time, span interval, address inet, "Order" text, "select" int
    );
    insert into everything values (
        true, -32768, 2147483647, 9223372036854775807, 0.1, 0.1,
        12345678.90, 12345.678, 1234567890123456789.12345, 1.50000, 12.34,
        'é', 'x', 'ab', 'good', '123e4567-e89b-12d3-a456-426655440000', '{"a": 1}', '\\x00ff', '{1,2}',
        '2024-02-29', '2026-03-29 02:30:00.123456', '2026-10-25 02:30:00+01', '23:59:59', '1 month 2 days', '::1', 'o', 5
    );
    insert into everything (flag) values (null);
"""
EXPECTED = {
    "flag": ("bool", True), "small": ("int64", -32768), "whole": ("int64", 2147483647),
    "big": ("int64", 9223372036854775807), "single": ("double", 0.10000000149011612), "double": ("double", 0.1),
    "amount": ("decimal128(10, 2)", Decimal("12345678.90")), "price": ("decimal128(8, 3)", Decimal("12345.678")),
    "free": ("decimal128(38, 5)", Decimal("1234567890123456789.12345")),
    "huge": ("decimal128(18, 5)", Decimal("1.50000")), "cash": ("decimal128(18, 2)", Decimal("12.34")),
    "name": ("string", "é"), "code": ("string", "x"), "padded": ("string", "ab"), "mood": ("string", "good"),
    "id": ("string", "123e4567-e89b-12d3-a456-426655440000"), "doc": ("string", '{"a": 1}'),
    "raw": ("binary", b"\x00\xff"), "list": ("string", "{1,2}"), "day": ("date32[day]", dt.date(2024, 2, 29)),
    "at": ("timestamp[us]", dt.datetime(2026, 3, 29, 2, 30, 0, 123456)),
    "moment": ("timestamp[us, tz=UTC]", dt.datetime(2026, 10, 25, 1, 30, tzinfo=dt.UTC)),
    "clock": ("string", "23:59:59"), "span": ("string", "1 mon 2 days"), "address": ("string", "::1/128"),
    "Order": ("string", "o"), "select": ("int64", 5),
}  # fmt: skip


@WAYS
@pytest.mark.parametrize("fetch", [1, 20_000])
def test_every_type(postgres: Server, pool: dict[str, int], fetch: int) -> None:
    postgres.run(EVERYTHING)
    found = read(postgres.url, "everything", pool=pool, fetch=fetch)
    assert found.columns == list(EXPECTED)
    assert dict(zip(found.columns, found.types, strict=True)) == {n: t for n, (t, _) in EXPECTED.items()}
    assert found.rows == [tuple(v for _, v in EXPECTED.values()), (None,) * len(EXPECTED)]


def test_what_a_table_says_of_its_columns(postgres: Server) -> None:
    postgres.run(EVERYTHING)
    with opened(postgres.url) as connector:
        table = connector.table("everything")
    assert table is not None
    types = {column.name: column.type for column in table.columns}
    assert types["amount"] == "DECIMAL(10,2)" and types["moment"] == "TIMESTAMP WITH TIME ZONE"
    assert [name for name, kind in types.items() if not kind] == ["free", "huge", "cash"], "only values tell"


@WAYS
def test_both_ways_give_the_same(postgres: Server, pool: dict[str, int]) -> None:
    """Thousands of rows on several pages, hashed by the server itself."""
    postgres.run(
        "create table many as select g::int as id, (g * 7919 % 100000) * 0.01 as amount, date '2024-01-01' + g % 900 as day,"
        " timestamptz '2026-10-25 00:00:00Z' + g * interval '1 second' as at, nullif('n' || g % 10, 'n3') as name"
        " from generate_series(1, 5000) g"
    )
    with opened(postgres.url, zone="Europe/Paris", pool=pool, fetch=700) as connector:
        found = collect(connector.read("many"))
        used = connector._asked()._inner._adbc is not None  # type: ignore[attr-defined]
    assert used == (pool["size"] > 1), "this is what is tested"
    assert found.types == ["int64", "decimal128(18, 2)", "date32[day]", "timestamp[us, tz=UTC]", "string"]
    expected = postgres.rows("select id, amount, day, at at time zone 'UTC', name from many")
    assert found.rows == [(i, a, d, t.replace(tzinfo=dt.UTC), n) for i, a, d, t, n in expected]


@WAYS
@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("'infinity'::date", "column 'c' holds 'infinity', which lies outside of the years 1 to 9999"),
        ("'-infinity'::timestamp", "column 'c' holds '-infinity', which lies outside of the years 1 to 9999"),
        ("'infinity'::timestamptz", "column 'c' holds 'infinity', which lies outside of the years 1 to 9999"),
        ("'12000-01-01'::date", "column 'c' holds '12000-01-01', which lies outside of the years 1 to 9999"),
        (
            "'0044-03-15 BC'::date",
            "column 'c' holds '0044-03-15 BC', which lies outside of the years 1 to 9999",
        ),
        ("'NaN'::numeric", "column 'c' holds 'NaN', which is not a number to compute with"),
        ("'Infinity'::numeric", "column 'c' holds 'Infinity', which is not a number to compute with"),
        ("'NaN'::float8", "column 'c' holds 'nan', which is not a number to compute with"),
        ("'-Infinity'::real", "column 'c' holds '-inf', which is not a number to compute with"),
        ("10::numeric ^ 40", "which has more digits than the 38 that a decimal can have"),
        ("100000 + 1e-38::numeric", "which has more digits than the 38 that a decimal can have"),
    ],
)
def test_values_that_cannot_be_held(postgres: Server, pool: dict[str, int], value: str, said: str) -> None:
    error = failure(postgres.url, "x", pool=pool, tables={"x": {"sql": f"select {value} as c"}})
    assert said in error.message and error.hint, error.message


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        ("(1.50), (2)", "decimal128(18, 2)"),
        ("(null::numeric)", "decimal128(18, 0)"),
        ("(123456789012345678.5)", "decimal128(38, 1)"),
        ("(0.00000000000000000001)", "decimal128(38, 20)"),
        ("(12345678901234567890.5::numeric(50,30))", "decimal128(38, 1)"),
        ("(1e37::numeric)", "decimal128(38, 0)"),
    ],
)
@WAYS
@pytest.mark.parametrize("fetch", [1, 100])
def test_decimals_of_no_declared_size(
    postgres: Server, pool: dict[str, int], values: str, type_: str, fetch: int
) -> None:
    found = asked(postgres.url, f"select * from (values {values}) as v(c)", pool=pool, fetch=fetch)
    assert found.types == [type_]
    exact = [row[0] for row in postgres.rows(f"select * from (values {values}) as v(c)")]
    assert found.column("c") == exact


def test_names(postgres: Server) -> None:
    other = f"{postgres.name}_Other"
    postgres.run(
        f'create schema "{other}"', f'create table "{other}"."Order Details" ("A""b" int)',
        'create table "Orders" (id int)', 'create table "my.table" (x int)', "create view v as select 1 as one",
        "create materialized view m as select 2 as two", "create table p (a int) partition by range (a)",
    )  # fmt: skip
    try:
        with opened(postgres.url) as connector:
            assert list(connector.names()) == ["Orders", "m", "my.table", "p", "v"]
            assert connector.relation("orders").path == (postgres.name, "Orders")
            assert connector.relation("my.table").path == (postgres.name, "my.table")
            for name in (
                f'{other}."Order Details"',
                f"{other.upper()}.order details",
                f'"{other}"."Order Details"',
            ):
                assert connector.relation(name).path == (other, "Order Details"), name
            table = connector.table(f"{other}.Order Details")
            assert table is not None and table.columns == (Column('A"b', "BIGINT"),)
            assert collect(connector.read("m")).rows == [(2,)]
            assert connector.table("nothing") is None and connector.table(f"{other}.nothing") is None
            with pytest.raises(ConnectorError, match="there is no table 'ordres'") as caught:
                connector.relation("ordres")
            assert caught.value.hint == "did you mean 'Orders'?"
        with opened(
            postgres.url,
            schema=other,
            tables={"d": {"table": "order details"}, "s": {"sql": 'select 1 as n from "Order Details"'}},
        ) as connector:
            assert connector.relation("d").path == (other, "Order Details")
            assert collect(connector.read("s")).rows == [], "the schema holds for a SELECT as well"
    finally:
        postgres.run(f'drop schema "{other}" cascade')


def test_tables_that_differ_only_in_capitals(postgres: Server) -> None:
    postgres.run(
        'create table "Orders" (a int)', "create table orders (b int)", 'create table c (id int, "ID" int)'
    )
    with opened(postgres.url) as connector:
        assert connector.relation("orders").path[-1] == "orders"
        assert connector.relation("Orders").path[-1] == "Orders"
        table = connector.table("ORDERS")
        assert table is not None and table.problem is not None
        assert table.problem.message == "table 'ORDERS' could be 'Orders' or 'orders'"
    assert failure(postgres.url, "c").message == "table 'c': columns 'id' and 'ID' differ only in capitals"


# --- the session -----------------------------------------------------------------------------------------------------


@WAYS
def test_one_snapshot_for_all_queries(postgres: Server, pool: dict[str, int]) -> None:
    postgres.run("create table t (a int)", "insert into t values (1)")
    with opened(postgres.url, pool=pool) as connector:
        connector.names()  # from the first question on
        postgres.run("insert into t values (2)")
        assert collect(connector.query("select count(*) as n from t")).rows == [(1,)]
        postgres.run("delete from t")
        assert collect(connector.query("select 1 as one")).rows == [(1,)]
    assert asked(postgres.url, "select count(*) as n from t", pool=pool).rows == [(0,)]


@WAYS
@pytest.mark.parametrize(
    "statement",
    [
        "with x as (insert into t values (9) returning a) select * from x",
        "select nextval('s') as n",
        "insert into t values (9)",
        "select 1 as a; insert into t values (9); select 2",
    ],
)
def test_nothing_can_be_written(postgres: Server, pool: dict[str, int], statement: str) -> None:
    postgres.run("create table t (a int)", "create sequence s")
    with opened(postgres.url, pool=pool) as connector:
        with pytest.raises(ConnectorError):
            list(connector.query(statement))
        assert collect(connector.query("select count(*) as n from t")).rows == [(0,)], "and it goes on"
    assert postgres.rows("select count(*) from t") == [(0,)]
    assert postgres.rows("select is_called from s") == [(False,)]


@WAYS
def test_local_times_are_the_calendars(postgres: Server, pool: dict[str, int]) -> None:
    """Whatever the server's zone is; over both changes of the clock."""
    postgres.run(
        f"alter database {postgres.rows('select current_database()')[0][0]} set timezone = 'Pacific/Auckland'",
        "create table t (at timestamptz)",
        "insert into t values ('2026-03-29 00:59:59Z'), ('2026-03-29 01:00:00Z'), ('2026-10-25 00:30:00Z'), ('2026-10-25 01:30:00Z')",
    )
    query = "select at, at::timestamp as local, date_trunc('day', at) as day from t order by at"
    found = asked(postgres.url, query, zone="Europe/Paris", pool=pool)
    assert [row[0].astimezone(dt.UTC).isoformat()[:16] for row in found.rows] == [
        "2026-03-29T00:59", "2026-03-29T01:00", "2026-10-25T00:30", "2026-10-25T01:30"
    ]  # fmt: skip
    assert [row[1].isoformat()[11:16] for row in found.rows] == ["01:59", "03:00", "02:30", "02:30"]
    assert {row[2].astimezone(dt.UTC).isoformat()[:16] for row in found.rows} == {
        "2026-03-28T23:00", "2026-10-24T22:00"
    }  # fmt: skip


def test_a_zone_that_the_server_does_not_know(postgres: Server) -> None:
    with opened(postgres.url, zone="Mars/Olympus") as connector:
        assert collect(connector.query("select current_setting('TimeZone') as z")).rows == [("UTC",)]
        assert connector.server_zone == "UTC"
    with opened(postgres.url, zone="Europe/Paris") as connector:
        assert collect(connector.query("select current_setting('TimeZone') as z")).rows == [("Europe/Paris",)]
        assert connector.server_zone == ""


@WAYS
def test_a_query_that_takes_too_long(postgres: Server, pool: dict[str, int]) -> None:
    with opened(postgres.url, pool=pool, statement_timeout="1s", fetch=10) as connector:
        for query in (
            "select pg_sleep(9)::text as c",
            "select g, pg_sleep(0.01)::text as c from generate_series(1, 999) g",
        ):
            with pytest.raises(ConnectorError) as caught:
                started = time.monotonic()
                list(connector.query(query))
            assert caught.value.message == "a query took longer than 1 second and was stopped"
            assert time.monotonic() - started < 8
        assert collect(connector.query("select 1 as one")).rows == [(1,)]


@WAYS
def test_a_query_that_is_cancelled(postgres: Server, pool: dict[str, int]) -> None:
    with opened(postgres.url, pool=pool) as connector:
        list(connector.query("select 1 as one"))
        timer = threading.Timer(0.3, connector.cancel)
        timer.start()
        started = time.monotonic()
        with pytest.raises(ConnectorError, match="the query was cancelled"):
            list(connector.query("select pg_sleep(20)::text as c"))
        timer.join()
        assert time.monotonic() - started < 5


@WAYS
def test_nothing_stays_open(postgres: Server, pool: dict[str, int]) -> None:
    postgres.run("create table t as select g as id from generate_series(1, 50000) g")

    def left_in_the_middle(connector: SqlConnector) -> None:
        stream = connector.read("t")
        assert isinstance(next(stream), Page)

    def failed(connector: SqlConnector) -> None:
        with pytest.raises(ConnectorError):
            list(connector.query("select 1 / 0 as c"))

    for use in (left_in_the_middle, failed, lambda c: c.names(), lambda c: list(c.read("t"))):
        with opened(postgres.url, pool=pool, fetch=100) as connector:
            use(connector)
            assert postgres.connections() >= 1
        assert _eventually(lambda: postgres.connections() == 0), use


def _eventually(done: Any) -> bool:
    """The server notices a closed connection a moment later."""
    for _ in range(100):
        if done():
            return True
        time.sleep(0.02)
    return False


def test_a_connection_that_is_lost(postgres: Server) -> None:
    postgres.run("create table t (a int)")
    with opened(postgres.url, pool={"size": 1}) as connector:
        connector.names()
        postgres.rows(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'cadran' and datname = current_database()"
        )
        with pytest.raises(ConnectorError) as caught:
            list(connector.query("select 1 as one"))
        assert caught.value.message == "the connection to the server was lost"
        assert caught.value.setting == ("url",)


def test_a_table_that_may_not_be_read(postgres: Server) -> None:
    role = f"{postgres.name}_reader"
    postgres.run(
        f"create role {role} login", f"grant usage on schema {postgres.name} to {role}",
        "create table open_to_all (a int)", "create table secret (a int)", f"grant select on open_to_all to {role}",
    )  # fmt: skip
    try:
        url = postgres.url.replace("postgres@", f"{role}@").replace("postgres:", f"{role}:")
        with opened(url) as connector:
            table = connector.table("secret")
            assert table is not None and table.problem is not None
            assert table.problem.message == "the user may not read this: permission denied for table secret"
            assert "GRANT SELECT" in table.problem.hint
            assert collect(connector.read("open_to_all")).rows == []
    finally:
        postgres.run(f"drop owned by {role}", f"drop role {role}")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("/cadran_", "/no_such_"), "the server has no such database, or the user may not open it"),
        (("postgres@", "nobody_such@"), "the server refuses the user or the password"),
        (("127.0.0.1", "no-such-host.invalid"), "the host in the url is not known"),
        (("postgresql://", "postgresql+asyncpg://"), "PostgreSQL is read with psycopg"),
    ],
)
def test_urls_that_lead_nowhere(postgres: Server, change: tuple[str, str], message: str) -> None:
    if change[0] not in postgres.url:
        pytest.skip("another server's URL")
    error = failure(postgres.url.replace(*change), "t")
    assert (error.message, error.setting) == (message, ("url",))
    assert error.hint


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ('failed: FATAL:  password authentication failed for user "bob"', Kind.PASSWORD),
        ("failed: fe_sendauth: no password supplied", Kind.PASSWORD),
        ('failed: FATAL:  role "bob" does not exist', Kind.PASSWORD),
        (
            'failed: FATAL:  no pg_hba.conf entry for host "10.0.0.9", user "bob", database "d", no encryption',
            Kind.NOT_FROM_HERE,
        ),
        ('failed: FATAL:  database "d" does not exist', Kind.NO_DATABASE),
        ("failed: FATAL:  the database system is starting up", Kind.UNREACHABLE),
        ("failed: FATAL:  sorry, too many clients already", Kind.FULL),
        ("failed: Connection refused", Kind.UNREACHABLE),
        ("connection timeout expired", Kind.UNREACHABLE),
        ("failed to resolve host 'db': [Errno -2] Name or service not known", Kind.UNKNOWN_HOST),
        ("server closed the connection unexpectedly", Kind.LOST),
        ("something else", Kind.OTHER),
    ],
)
def test_what_the_library_says_without_a_code(words: str, kind: Kind) -> None:
    """Where it cannot connect, libpq gives no code, only words."""
    database = PostgresDatabase(address("postgresql://h/d"), Settings(), "UTC")
    assert (
        database.classify(psycopg.OperationalError(f'connection to server at "h", port 5432 {words}')) is kind
    )


@pytest.mark.slow
def test_a_wrong_password(guarded_postgres: str) -> None:
    assert asked(f"postgresql://keeper:right@{guarded_postgres}/postgres", "select 1 as one").rows == [(1,)]
    for password in ("wr0ng-secret", ""):
        error = failure(f"postgresql://keeper:{password}@{guarded_postgres}/postgres", "t")
        assert (error.message, error.setting) == ("the server refuses the user or the password", ("url",))
        assert isinstance(error, AuthError) and "wr0ng" not in error.message + error.hint


@pytest.mark.slow
@WAYS
def test_a_password_with_strange_signs(guarded_postgres: str, pool: dict[str, int]) -> None:
    from urllib.parse import quote

    password = "a@b:c/d e'f%25\\ü"
    with psycopg.connect(f"postgresql://keeper:right@{guarded_postgres}/postgres", autocommit=True) as other:
        other.execute("create role strange login password " + "'" + password.replace("'", "''") + "'")
    url = f"postgresql://strange:{quote(password, safe='')}@{guarded_postgres}/postgres"
    with opened(url, pool=pool) as connector:
        assert collect(connector.query("select 1.5 as a")).rows == [(Decimal("1.5"),)]
        assert (connector._asked()._inner._adbc is None) == (pool["size"] == 1)  # type: ignore[attr-defined]
    with psycopg.connect(f"postgresql://keeper:right@{guarded_postgres}/postgres", autocommit=True) as other:
        other.execute("drop role strange")


def test_where_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error = failure(
            f"postgresql://u:geheim@127.0.0.1:{taken.getsockname()[1]}/d", "t", pool={"wait": "2s"}
        )
    assert error.message == "the database server cannot be reached"
    assert "geheim" not in str(error) + error.hint


def test_a_snapshot_that_cannot_be_joined(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a proxy, the second connection may meet another server: then psycopg brings the rows."""
    real = adbc.joined

    def elsewhere(info: Any, begin: Any) -> Any:
        return real(info, [s.replace("SNAPSHOT '", "SNAPSHOT 'F") for s in begin])

    monkeypatch.setattr(adbc, "joined", elsewhere)
    with opened(postgres.url) as connector:
        assert collect(connector.query("select 1.5 as a")).rows == [(Decimal("1.5"),)]
        assert connector._asked()._inner._adbc is None  # type: ignore[attr-defined]


@pytest.fixture
def million(postgres: Server) -> Iterator[Server]:
    postgres.run(
        "create table million as select g as id, 'customer number ' || g as name, g / 100.0 as amount from generate_series(1, 1000000) g"
    )
    yield postgres


@WAYS
@pytest.mark.slow
def test_a_million_rows_need_little_memory(million: Server, pool: dict[str, int]) -> None:
    """Arrow's memory while the pages pass by; the whole table would be more than 60 MB."""
    import pyarrow as pa

    before, most, rows = pa.total_allocated_bytes(), 0, 0
    with opened(million.url, pool=pool) as connector:
        for part in connector.read("million"):
            if isinstance(part, Page):
                rows += part.data.num_rows  # type: ignore[attr-defined]
            most = max(most, pa.total_allocated_bytes() - before)
    assert rows == 1_000_000
    assert most < 48 * 2**20, f"{most / 2**20:.0f} MB"
