"""MariaDB: types, zero dates, one snapshot, nothing written, nothing left open."""

from __future__ import annotations

import datetime as dt
import socket
import threading
import time
from decimal import Decimal
from typing import Any

import pytest

from cadran.plugins import ConnectorError, Page
from cadran_plugins.sql.connector import SqlConnector
from servers import Server

from .reading_sql import asked, collect, failure, opened, read

EVERYTHING = """
    create table everything (
        flag boolean, tiny tinyint, small smallint unsigned, whole int unsigned, big bigint, huge bigint unsigned,
        amount decimal(10,2), wide decimal(65,30), single float, `double` double, year year,
        name varchar(20), padded char(6), kind enum('a','b'), kinds set('a','b'), doc json, note text,
        raw blob, id binary(4), bit1 bit(1), bits bit(10),
        day date, at datetime(6), moment timestamp(3) null, clock time, `order` int, `With Space` varchar(5)
    )"""
INSERT = """
    insert into everything values (
        true, -128, 65535, 4294967295, -9223372036854775808, 18446744073709551615,
        -12345678.91, 12345678901234567890.5, 0.1, 0.1, 2026,
        'é😀', 'ab  ', 'a', 'a,b', '{"a": 1}', 'n', x'00ff', x'01020304', b'1', b'1000000001',
        '2024-02-29', '2026-03-29 02:30:00.123456', '2026-07-01 12:00:00.5', '-838:59:59', 5, 'x'
    ), (NULL)"""
EXPECTED = {
    "flag": ("bool", True), "tiny": ("int64", -128), "small": ("int64", 65535), "whole": ("int64", 4294967295),
    "big": ("int64", -9223372036854775808), "huge": ("uint64", 18446744073709551615),
    "amount": ("decimal128(10, 2)", Decimal("-12345678.91")),
    "wide": ("decimal128(38, 1)", Decimal("12345678901234567890.5")),
    "single": ("double", 0.10000000149011612), "double": ("double", 0.1), "year": ("int64", 2026),
    "name": ("string", "é😀"), "padded": ("string", "ab"), "kind": ("string", "a"), "kinds": ("string", "a,b"),
    "doc": ("string", '{"a": 1}'), "note": ("string", "n"), "raw": ("binary", b"\x00\xff"),
    "id": ("binary", b"\x01\x02\x03\x04"), "bit1": ("bool", True), "bits": ("uint64", 513),
    "day": ("date32[day]", dt.date(2024, 2, 29)),
    "at": ("timestamp[us]", dt.datetime(2026, 3, 29, 2, 30, 0, 123456)),
    "moment": ("timestamp[us, tz=UTC]", dt.datetime(2026, 7, 1, 12, 0, 0, 500000, tzinfo=dt.UTC)),
    "clock": ("string", "-838:59:59"), "order": ("int64", 5), "With Space": ("string", "x"),
}  # fmt: skip


def everything(server: Server) -> None:
    server.run(
        EVERYTHING,
        INSERT.replace("(NULL)", "(" + ", ".join(["NULL"] * len(EXPECTED)) + ")"),
    )


@pytest.mark.parametrize("fetch", [1, 20_000])
def test_every_type(mariadb: Server, fetch: int) -> None:
    everything(mariadb)
    found = read(mariadb.url, "everything", fetch=fetch)
    assert found.columns == list(EXPECTED)
    assert dict(zip(found.columns, found.types, strict=True)) == {n: t for n, (t, _) in EXPECTED.items()}
    assert found.rows == [tuple(v for _, v in EXPECTED.values()), (None,) * len(EXPECTED)]


def test_what_a_table_says_of_its_columns(mariadb: Server) -> None:
    everything(mariadb)
    with opened(mariadb.url) as connector:
        table = connector.table("everything")
    assert table is not None
    types = {column.name: column.type for column in table.columns}
    assert types["flag"] == "BOOLEAN" and types["huge"] == "UBIGINT" and types["amount"] == "DECIMAL(10,2)"
    assert types["at"] == "TIMESTAMP" and types["moment"] == "TIMESTAMP WITH TIME ZONE"
    assert [name for name, kind in types.items() if not kind] == ["wide"], "only values tell"


def test_types_of_answers(mariadb: Server) -> None:
    everything(mariadb)
    query = """select sum(big) as s, sum(amount) as a, avg(amount) as v, count(*) as n, max(moment) as m, max(day) as d,
               sum(`double`) as f, max(flag) as b, min(name) as t, amount = 1 as e from everything group by amount having n > 0"""
    found = asked(mariadb.url, query)
    assert found.types[:5] == [
        "decimal128(38, 0)",
        "decimal128(32, 2)",
        "decimal128(14, 6)",
        "int64",
        "timestamp[us, tz=UTC]",
    ]
    assert found.types[5:] == ["date32[day]", "double", "bool", "string", "int64"]
    assert found.rows[-1][:4] == (
        Decimal("-9223372036854775808"),
        Decimal("-12345678.91"),
        Decimal("-12345678.910000"),
        1,
    )


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("date", "'0000-00-00'", "holds '0000-00-00', which is no day of the calendar"),
        ("date", "'2026-00-01'", "holds '2026-00-01', which is no day of the calendar"),
        ("date not null", "'0000-00-00'", "holds '0000-00-00', which is no day of the calendar"),
        ("datetime", "'0000-00-00 00:00:00'", "holds '0000-00-00 00:00:00', which is no day of the calendar"),
        ("datetime", "'2026-02-31 10:00:00'", "holds '2026-02-31 10:00:00', which is no day of the calendar"),
        ("timestamp not null default 0", "0", "holds '0000-00-00 00:00:00', which is no day of the calendar"),
        ("boolean", "5", "holds '5', which is neither 0 nor 1"),
        (
            "decimal(65,30)",
            "99999999999999999999.999999999999999999999999",
            "which has more digits than the 38",
        ),
    ],
)
def test_values_that_do_not_fit(mariadb: Server, column: str, value: str, said: str) -> None:
    mariadb.run(
        f"create table t (c {column})",
        f"set statement sql_mode = 'ALLOW_INVALID_DATES' for insert into t values ({value})",
    )
    error = failure(mariadb.url, "t")
    assert error.message.startswith("table 't': column 'c' ") and said in error.message and error.hint, (
        error.message
    )
    if "date" in column or "timestamp" in column:
        mended = asked(mariadb.url, "select nullif(c, '0000-00-00') as c from t where c = 0")
        assert {row[0] for row in mended.rows} <= {None}


def test_names(mariadb: Server) -> None:
    mariadb.run(
        "create table `Order Details` (`select` int, `a``b` int)",
        "create table `my.table` (x int)",
        "create view v as select 1 as one",
    )
    with opened(mariadb.url) as connector:
        assert sorted(connector.names()) == ["Order Details", "my.table", "v"]
        for name in (
            "Order Details",
            "order details",
            f'{mariadb.name}."Order Details"',
            f"{mariadb.name.upper()}.ORDER DETAILS",
        ):
            assert connector.relation(name).path == (mariadb.name, "Order Details"), name
        assert collect(connector.read("Order Details")).columns == ["select", "a`b"]
        assert connector.relation("my.table").path[-1] == "my.table"
        assert collect(connector.read("v")).rows == [(1,)]
        assert connector.table("nothing") is None


def test_another_schema(mariadb: Server) -> None:
    other = f"{mariadb.name}_b"
    mariadb.run(
        f"create database {other}", f"create table {other}.t (x int)", f"insert into {other}.t values (7)"
    )
    try:
        assert read(mariadb.url, f"{other}.t").rows == [(7,)]
        config: dict[str, Any] = {"schema": other, "tables": {"s": {"sql": "select x from t"}}}
        assert read(mariadb.url, "t", **config).rows == read(mariadb.url, "s", **config).rows == [(7,)]
    finally:
        mariadb.run(f"drop database {other}")


def test_two_columns_of_one_name(mariadb: Server) -> None:
    error = failure(mariadb.url, "x", tables={"x": {"sql": "select 1 as a, 2 as A"}})
    assert error.message == "table 'x': columns 'a' and 'A' differ only in capitals"
    assert error.setting == ("tables", "x", "sql")
    error = failure(
        mariadb.url, "x", tables={"x": {"sql": "select * from (select 1 as a) p, (select 2 as a) q"}}
    )
    assert "Duplicate column name" in error.message and error.setting == ("tables", "x", "sql")


# --- the session -----------------------------------------------------------------------------------------------------


def test_one_snapshot_for_all_queries(mariadb: Server) -> None:
    mariadb.run("create table t (a int)", "insert into t values (1)")
    with opened(mariadb.url) as connector:
        connector.names()
        mariadb.run("insert into t values (2)")
        assert collect(connector.query("select count(*) as n from t")).rows == [(1,)]
    assert asked(mariadb.url, "select count(*) as n from t").rows == [(2,)]


@pytest.mark.parametrize(
    "statement", ["insert into t values (9)", "drop table t", "select 1 as a; insert into t values (9)"]
)
def test_nothing_can_be_written(mariadb: Server, statement: str) -> None:
    mariadb.run("create table t (a int)")
    with opened(mariadb.url) as connector:
        with pytest.raises(ConnectorError):
            list(connector.query(statement))
        connector._asked()._inner.driver.cursor()  # type: ignore[attr-defined]
        with pytest.raises(Exception, match="READ ONLY"):
            connector._asked()._inner._run(connector._asked()._inner.driver, "insert into t values (9)")  # type: ignore[attr-defined]
        assert collect(connector.query("select count(*) as n from t")).rows == [(0,)], "and it goes on"
    assert mariadb.rows("select count(*) from t") == [(0,)]


def test_what_a_statement_means_does_not_depend_on_the_servers_settings(mariadb: Server) -> None:
    with opened(mariadb.url) as connector:
        found = collect(
            connector.query(
                r"""select "text" as a, 'a\'b' as b, 1 || 0 as c, cast('0000-00-00' as date) is null as d"""
            )
        )
        assert found.rows == [("text", "a'b", 1, 0)]
        assert "ANSI_QUOTES" not in collect(connector.query("select @@sql_mode as m")).rows[0][0]


def test_a_zone_that_the_server_does_not_know(mariadb: Server) -> None:
    """Named zones are loaded into a server by hand; without them, instants are still right."""
    if mariadb.rows("select count(*) from mysql.time_zone_name where name = 'Europe/Paris'") != [(0,)]:
        pytest.skip("this server knows the zone")
    mariadb.run(
        "create table t (at timestamp)",
        "set statement time_zone = '+00:00' for insert into t values ('2026-10-25 00:30:00')",
    )
    with opened(mariadb.url, zone="Europe/Paris") as connector:
        assert connector.server_zone == "+00:00", "as soon as it is asked"
        assert collect(connector.read("t")).rows == [(dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC),)]
    with opened(mariadb.url, zone="UTC") as connector:
        assert collect(connector.query("select @@time_zone as z")).rows == [("+00:00",)]
        assert connector.server_zone == ""


@pytest.mark.slow
def test_local_times_are_the_calendars(travelled_mariadb: str) -> None:
    """Where the server knows the zone; over both changes of the clock. Instants stay what they are."""
    import pymysql

    host, port = travelled_mariadb.rpartition("@")[2].split("/")[0].split(":")
    with (
        pymysql.connect(host=host, port=int(port), user="root", database="shop", autocommit=True) as other,
        other.cursor() as cursor,
    ):
        cursor.execute("create table t (id int, at timestamp)")
        cursor.execute("set time_zone = '+00:00'")
        cursor.execute(
            "insert into t values (1, '2026-03-29 00:59:59'), (2, '2026-03-29 01:00:00'), (3, '2026-10-25 00:30:00'), (4, '2026-10-25 01:30:00')"
        )
    zone = {"zone": "Europe/Paris"}
    query = "select id, at, cast(at as char) as local, cast(date(at) as char) as day from t order by id"
    expected = ["2026-03-29T00:59:59", "2026-03-29T01:00:00", "2026-10-25T00:30:00", "2026-10-25T01:30:00"]
    found = asked(travelled_mariadb, query, **zone)
    assert [row[1].astimezone(dt.UTC).isoformat()[:19] for row in found.rows] == expected
    assert [row[2][11:16] for row in found.rows] == ["01:59", "03:00", "02:30", "02:30"]
    for same in (
        "select id, at from t union all select 9, null",
        "select * from (select id, at from t order by id limit 4) x",
    ):
        rows = [row for row in asked(travelled_mariadb, same, **zone).rows if row[1]]
        assert [row[1].astimezone(dt.UTC).isoformat()[:19] for row in sorted(rows)] == expected
    with opened(travelled_mariadb, **zone) as connector:
        assert collect(connector.query("select @@time_zone as z")).rows == [("Europe/Paris",)]
        assert connector.server_zone == ""
        assert (
            collect(connector.query("select max(at) as m from t where id < 3"))
            .rows[0][0]
            .astimezone(dt.UTC)
            .hour
            == 1
        )
        # Grouped, this server compares the local texts: id 4 would be an hour early.
        with pytest.raises(ConnectorError, match="an hour that the clocks show twice"):
            list(connector.query("select id, max(at) as m from t group by id"))


_SLOW = "select count(*) as n from seq_1_to_1000000 a, seq_1_to_1000000 b where a.seq + b.seq < 0"


def test_a_query_that_takes_too_long(mariadb: Server) -> None:
    with opened(mariadb.url, statement_timeout="1s") as connector:
        started = time.monotonic()
        with pytest.raises(ConnectorError) as caught:
            list(connector.query(_SLOW))
        assert caught.value.message == "a query took longer than 1 second and was stopped"
        assert time.monotonic() - started < 10
        assert collect(connector.query("select 1 as one")).rows == [(1,)]


def test_a_query_that_is_cancelled(mariadb: Server) -> None:
    with opened(mariadb.url) as connector:
        list(connector.query("select 1 as one"))
        timer = threading.Timer(0.3, connector.cancel)
        timer.start()
        started = time.monotonic()
        with pytest.raises(ConnectorError, match="the query was cancelled"):
            list(connector.query(_SLOW))
        timer.join()
        assert time.monotonic() - started < 5


def test_nothing_stays_open(mariadb: Server) -> None:
    mariadb.run("create table t as select seq as id from seq_1_to_30000")

    def left_in_the_middle(connector: SqlConnector) -> None:
        stream = connector.read("t")
        assert isinstance(next(stream), Page)
        stream.close()  # type: ignore[attr-defined]
        assert collect(connector.query("select 1 as one")).rows == [(1,)], "the connection is usable again"

    def failed(connector: SqlConnector) -> None:
        with pytest.raises(ConnectorError):
            list(connector.query("select nope"))

    for use in (left_in_the_middle, failed, lambda c: c.names(), lambda c: list(c.read("t"))):
        with opened(mariadb.url, fetch=100) as connector:
            use(connector)
            assert mariadb.connections() >= 1
        for _ in range(100):
            if mariadb.connections() == 0:
                break
            time.sleep(0.02)
        assert mariadb.connections() == 0, use


def test_a_connection_that_is_lost(mariadb: Server) -> None:
    with opened(mariadb.url) as connector:
        connector.names()
        ((thread,),) = mariadb.rows(
            "select id from information_schema.processlist where db = database() and id <> connection_id()"
        )
        mariadb.run(f"kill connection {thread}")
        with pytest.raises(ConnectorError) as caught:
            list(connector.query("select 1 as one"))
        assert caught.value.message == "the connection to the server was lost"


def test_passwords_and_rights(mariadb: Server) -> None:
    user = f"u{mariadb.name[-12:]}"
    mariadb.run(
        f"create user {user}@'127.0.0.1' identified by 'r1ght/p@ss word'", "create table t (a int)", "create table hidden (a int)",
        f"grant select on {mariadb.name}.t to {user}@'127.0.0.1'",
    )  # fmt: skip
    try:
        base = mariadb.url.rpartition("@")[2]
        good = f"mysql://{user}:r1ght%2Fp%40ss%20word@{base}"
        assert read(good, "t").rows == []
        with opened(good) as connector:
            assert list(connector.names()) == ["t"], "what may not be read is not listed"
        error = failure(good, "x", tables={"x": {"sql": "select * from hidden"}})
        assert error.message.startswith("the user may not read this: SELECT command denied"), error.message
        wrong = failure(f"mysql://{user}:wr0ng-secret@{base}", "t")
        assert (wrong.message, wrong.setting) == ("the server refuses the user or the password", ("url",))
        assert "wr0ng" not in wrong.message + wrong.hint
    finally:
        mariadb.run(f"drop user {user}@'127.0.0.1'")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("/cadran_", "/no_such_"), "the server has no such database, or the user may not open it"),
        (("127.0.0.1", "no-such-host.invalid"), "the host in the url is not known"),
        (("mysql://", "mysql+mysqldb://"), "MariaDB and MySQL are read with PyMySQL"),
    ],
)
def test_urls_that_lead_nowhere(mariadb: Server, change: tuple[str, str], message: str) -> None:
    if change[0] not in mariadb.url:
        pytest.skip("another server's URL")
    error = failure(mariadb.url.replace(*change), "t")
    assert (error.message, error.setting) == (message, ("url",))
    assert error.hint


def test_where_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error = failure(f"mariadb://u:geheim@127.0.0.1:{taken.getsockname()[1]}/d", "t", pool={"wait": "2s"})
    assert error.message == "the database server cannot be reached"
    assert "geheim" not in str(error) + error.hint


def test_memory_does_not_grow_with_the_rows(mariadb: Server) -> None:
    import tracemalloc

    mariadb.run(
        "create table t as select seq as id, concat('customer number ', seq) as name from seq_1_to_60000"
    )
    peaks = []
    tracemalloc.start()
    with opened(mariadb.url, fetch=2000) as connector:
        for part in connector.read("t"):
            peaks.append(tracemalloc.get_traced_memory()[1])
            del part
    tracemalloc.stop()
    assert len(peaks) == 31
    assert peaks[-1] < 1.2 * peaks[4]
