"""SQLite files: what may be opened, what columns become, and values that do not fit."""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

import cadran
from cadran.plugins import Column, ConfigError, ConnectorError, Context
from cadran_plugins.sql.connector import SqlConnector

from .reading_sql import asked, collect, failure, opened, read, sqlite

ORDERS = """
    create table orders (id integer primary key, day date, at datetime, amount numeric(10,2), paid boolean, shop varchar(20), note);
    insert into orders values
      (1, '2026-01-05', '2026-01-05 09:30:00', 12.5, 1, 'Lyon', 7),
      (2, '2026-01-06 00:00:00', '2026-01-06T10:00:00.123456789', 3, 0, 'Paris', 8),
      (3, null, '2026-01-07', null, null, null, null);
"""


def test_declared_types_decide(tmp_path: Path) -> None:
    url = sqlite(tmp_path, ORDERS)
    with opened(url, tmp_path) as connector:
        table = connector.table("orders")
        assert table is not None
        assert table.columns == (
            Column("id", "BIGINT"), Column("day", "DATE"), Column("at", "TIMESTAMP"), Column("amount", "DOUBLE"),
            Column("paid", "BOOLEAN"), Column("shop", "VARCHAR"), Column("note", ""),
        )  # fmt: skip
        found = collect(connector.read("orders"))
    assert found.types == ["int64", "date32[day]", "timestamp[us]", "double", "bool", "string", "int64"]
    assert found.rows == [
        (1, dt.date(2026, 1, 5), dt.datetime(2026, 1, 5, 9, 30), 12.5, True, "Lyon", 7),
        (2, dt.date(2026, 1, 6), dt.datetime(2026, 1, 6, 10, 0, 0, 123456), 3.0, False, "Paris", 8),
        (3, None, dt.datetime(2026, 1, 7), None, None, None, None),
    ]


@pytest.mark.parametrize(
    ("kind", "values", "type_"),
    [
        ("", "(1), (2)", "int64"),
        ("", "(1), (2.5)", "double"),
        ("", "('a'), (null)", "string"),
        ("", "(x'00')", "binary"),
        ("", "(null)", "string"),
        ("STRING", "('a')", "string"),  # not a word that SQLite knows
        ("JSON", "('{}')", "string"),
        ("UNSIGNED BIG INT", "(5)", "int64"),
        ("FLOAT", "(5)", "double"),
        ("TEXT", "(5)", "string"),
        ("timestamp", "('2026-01-01 10:00')", "timestamp[us]"),
        ("timestamp without time zone", "('2026-01-01 10:00')", "timestamp[us]"),
        ("timestamptz", "('2026-01-01 10:00Z'), (null)", "timestamp[us, tz=UTC]"),
        ("timestamp with time zone", "(null)", "timestamp[us, tz=UTC]"),
    ],
)
def test_other_declarations(tmp_path: Path, kind: str, values: str, type_: str) -> None:
    url = sqlite(tmp_path, f"create table t (c {kind}); insert into t values {values};")
    assert read(url, "t", tmp_path).types == [type_]
    assert read(url, "t", tmp_path, fetch=1).types == [type_], "also where the values come on several pages"


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("integer", "'abc'", "column 'c' holds 'abc', which is not a whole number (rowid 2)"),
        ("integer", "1.5", "column 'c' holds '1.5', which is not a whole number (rowid 2)"),
        ("integer", "x'41'", "column 'c' holds b'A', which is not a whole number (rowid 2)"),
        ("real", "'12,50'", "column 'c' holds '12,50', which is not a number (rowid 2)"),
        ("real", "9e999", "column 'c' holds 'inf', which is not a number to compute with (rowid 2)"),
        ("text", "x'41'", "column 'c' holds b'A', which is not text (rowid 2)"),
        ("boolean", "2", "column 'c' holds '2', which is neither 0 nor 1 (rowid 2)"),
        ("boolean", "'yes'", "column 'c' holds 'yes', which is neither 0 nor 1 (rowid 2)"),
        ("date", "'2026-02-30'", "column 'c' holds '2026-02-30', which is not a date (rowid 2)"),
        ("date", "'05/01/2026'", "column 'c' holds '05/01/2026', which is not a date (rowid 2)"),
        ("date", "'2026-01-05 13:00:00'", "column 'c' holds '2026-01-05 13:00:00', which is not a date (rowid 2)"),
        ("date", "1767225600", "column 'c' holds '1767225600', which is not a date (rowid 2)"),
        ("datetime", "'2026-01-05 10:00:00+02:00'", "which is not a timestamp without a zone (rowid 2)"),
        ("timestamptz", "'2026-01-05 10:00:00'", "which is not a timestamp with a zone (rowid 2)"),
        ("timestamptz", "'2026-01-05T10:00:00+25:00'", "which is not a timestamp with a zone (rowid 2)"),
        ("timestamptz", "'2026-01-05T10:00:00.1234567Z'", "which is not a timestamp with a zone (rowid 2)"),
        ("timestamptz", "'2026-01-05 10:00:00 Europe/Paris'", "which is not a timestamp with a zone (rowid 2)"),
        ("timestamptz", "'0001-01-01 00:00:00+02:00'", "which lies outside of the years 1 to 9999 in UTC (rowid 2)"),
        ("timestamptz", "1767225600", "which is not a timestamp with a zone (rowid 2)"),
        ("datetime", "''", "column 'c' holds '', which is not a timestamp without a zone (rowid 2)"),
        ("", "'a'", "column 'c' holds '1', which is not text (rowid 1)"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("fetch", [1, 100])
def test_a_value_that_does_not_fit_its_column(
    tmp_path: Path, kind: str, value: str, said: str, fetch: int
) -> None:
    good = {
        "timestamptz": "'2026-01-01 00:00Z'",
        "date": "'2026-01-01'",
        "datetime": "'2026-01-01'",
        "text": "'x'",
    }.get(kind, "1")
    url = sqlite(tmp_path, f"create table t (c {kind}); insert into t values ({good}), ({value});")
    error = failure(url, "t", tmp_path, fetch=fetch)
    assert error.message.startswith("table 't': column 'c' holds ") and error.message.endswith(said), (
        error.message
    )
    assert error.hint


@pytest.mark.parametrize(
    "written",
    [
        "2024-01-02T03:04:05+02:00", "2024-01-02T01:04:05Z", "2024-01-02 03:04:05+02", "2024-01-02 03:04:05+0200",
        "2024-01-02 00:34:05.000000-00:30", "2024-01-02T03:04:05.0000000+02:00", "2024-01-02 03:04:05 +02:00",
    ],
)  # fmt: skip
def test_instants(tmp_path: Path, written: str) -> None:
    """Whatever its offset, the moment is exact; it is the calendar's zone that says which day it is."""
    url = sqlite(tmp_path, f"create table t (c timestamptz); insert into t values ('{written}'), (null);")
    assert read(url, "t", tmp_path).rows == [(dt.datetime(2024, 1, 2, 1, 4, 5, tzinfo=dt.UTC),), (None,)]


def test_instants_in_a_project(tmp_path: Path) -> None:
    rows = "('a', '2026-01-31T23:30:00Z'), ('b', '2026-01-31T23:30:00+01:00'), ('c', '2026-02-01T00:30:00+01:00')"
    sqlite(
        tmp_path,
        f"create table visits (id text, at timestamp with time zone); insert into visits values {rows};",
    )
    (tmp_path / "kpis.yaml").write_text(
        "version: 1\ncalendar: {timezone: Europe/Paris}\nsources: {db: {connector: sql, url: 'sqlite:///shop.sqlite'}}\n"
        "datasets: {visits: {from: db.visits, key: id, date: at}}\nkpis: {visits: {formula: count(visits), period: month}}\n"
    )
    project = cadran.open(tmp_path)
    found = project.run(as_of=dt.date(2026, 3, 1), since=dt.date(2026, 1, 1))
    assert {r.period: r.value for r in found if r.state == "final"} == {"2026-01": 1, "2026-02": 2}
    assert "runs here: SQLite has no instant of the same meaning" in project.explain(
        "visits", as_of=dt.date(2026, 3, 1)
    )


def test_a_text_that_is_no_text(tmp_path: Path) -> None:
    url = sqlite(tmp_path, "create table t (c text); insert into t values (cast(x'ff' as text));")
    assert "UTF-8" in failure(url, "t", tmp_path).message


def test_where_there_is_no_rowid(tmp_path: Path) -> None:
    url = sqlite(tmp_path, "create table t (c date primary key) without rowid; insert into t values ('x');")
    assert failure(url, "t", tmp_path).message == "table 't': column 'c' holds 'x', which is not a date"


def test_names(tmp_path: Path) -> None:
    url = sqlite(
        tmp_path,
        """create table "Order Details" ("order" int, "select" int, "With Space" text, "a""b" int);
        insert into "Order Details" values (1, 2, 'x', 3);
        create view "select" as select "order" as n from "Order Details"; create table Orders (id int);
        create table "main.orders" (dotted int);""",
    )
    with opened(url, tmp_path) as connector:
        assert set(connector.names()) == {"Order Details", "select", "Orders", "main.orders"}
        for name in (
            "Order Details",
            '"Order Details"',
            "order details",
            'main."Order Details"',
            "MAIN.order details",
        ):
            assert collect(connector.read(name)).rows == [(1, 2, "x", 3)], name
            assert connector.relation(name).path[-1] == "Order Details"
        assert collect(connector.read("select")).rows == [(1,)]
        assert connector.relation("ORDERS").path == ("Orders",)
        assert connector.relation("main.orders").path == ("main.orders",), "the exact name comes first"
        assert connector.relation('"main"."orders"').path == ("main", "Orders")
        assert connector.table("nothing") is None and connector.table("main.nothing") is None


def test_the_only_one_but_for_capitals(tmp_path: Path) -> None:
    url = sqlite(tmp_path, "create table orders (a int);")
    config = {"tables": {"Orders": {"table": "orders"}, "oRDERS": {"sql": "select 1 as one"}}}
    with opened(url, tmp_path, **config) as connector:
        assert collect(connector.read("oRDERS")).rows == [(1,)]
        assert connector.relation("orders").path == ("orders",)
        table = connector.table("ORDERS")
        assert table is not None and table.problem is not None
        assert table.problem.message == "table 'ORDERS' could be 'Orders' or 'oRDERS' or 'orders'"


def test_columns_that_differ_only_in_capitals(tmp_path: Path) -> None:
    url = sqlite(tmp_path, "create table t (a int);")
    error = failure(url, "x", tmp_path, tables={"x": {"sql": 'select a, a as "A" from t'}})
    assert error.message == "table 'x': columns 'a' and 'A' differ only in capitals"


def test_an_empty_table_has_its_types(tmp_path: Path) -> None:
    url = sqlite(tmp_path, "create table t (id integer, day date, free);")
    found = read(url, "t", tmp_path)
    assert (found.columns, found.types, found.rows) == (
        ["id", "day", "free"],
        ["int64", "date32[day]", "string"],
        [],
    )


def test_a_select_of_ones_own(tmp_path: Path) -> None:
    url = sqlite(tmp_path, ORDERS)
    tables = {
        "big": {
            "sql": "with x as (select * from orders where amount > 5) select id, at, amount * 2 as twice from x; -- all"
        }
    }
    with opened(url, tmp_path, tables=tables) as connector:
        assert connector.relation("big").select.endswith("from x")
        assert collect(connector.read("big")).rows == [(1, dt.datetime(2026, 1, 5, 9, 30), 25.0)]
        assert collect(connector.query("select count(*) as n from orders")).rows == [(3,)]
        table = connector.table("big")
        assert table is not None and [c.type for c in table.columns] == ["BIGINT", "TIMESTAMP", ""]


def test_a_select_that_the_database_refuses(tmp_path: Path) -> None:
    url = sqlite(tmp_path, ORDERS)
    with opened(url, tmp_path, tables={"x": {"sql": "select nope from orders"}}) as connector:
        table = connector.table("x")
        assert table is not None and table.problem is not None
        assert table.problem.message == "the database refuses the query: no such column: nope"
        assert table.problem.setting == ("tables", "x", "sql")
        assert collect(connector.query("select 1 as one")).rows == [(1,)], "the others can still be read"


# --- the file --------------------------------------------------------------------------------------------------------


def test_a_file_is_never_created(tmp_path: Path) -> None:
    sqlite(tmp_path, "create table t (a int);")
    error = failure("sqlite:///shap.sqlite", "t", tmp_path)
    assert (error.message, error.hint, error.setting) == (
        "there is no file 'shap.sqlite'", "did you mean 'shop.sqlite'?", ("url",)
    )  # fmt: skip
    assert not (tmp_path / "shap.sqlite").exists()


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///file:x?mode=rwc&uri=true",
        "sqlite:///x.db?mode=rwc",
    ],
)
def test_urls_that_name_no_file(tmp_path: Path, url: str) -> None:
    assert isinstance(failure(url, "t", tmp_path), ConfigError)
    assert list(tmp_path.iterdir()) == []


def test_a_file_outside_the_project(tmp_path: Path) -> None:
    project, outside = tmp_path / "project", tmp_path / "outside"
    project.mkdir()
    outside.mkdir()
    sqlite(outside, ORDERS)
    (project / "link.sqlite").symlink_to(outside / "shop.sqlite")
    for url in (
        "sqlite:///../outside/shop.sqlite",
        f"sqlite:///{outside}/shop.sqlite",
        "sqlite:///link.sqlite",
    ):
        error = failure(url, "orders", project)
        assert error.message.endswith("lies outside the project"), url
        assert error.hint == f"add '{outside}' to 'allow_paths:', or pass it with --allow-path"
        connector = SqlConnector(Context("wh", {"url": url}, project, (outside,)))
        assert len(collect(connector.read("orders")).rows) == 3
        connector.close()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite").write_text(
        "nothing of the kind, but long enough to look like a page of something" * 20
    )
    error = failure("sqlite:///x.sqlite", "t", tmp_path)
    assert error.message == "the file cannot be read as a database: file is not a database"


def test_nothing_can_be_written(tmp_path: Path) -> None:
    url = sqlite(tmp_path, ORDERS)
    before = (tmp_path / "shop.sqlite").read_bytes()
    with opened(url, tmp_path) as connector:
        list(connector.read("orders"))
        for statement in (
            "insert into orders values (9)",
            "drop table orders",
            "create table x (a)",
            "select 1; drop table orders",
        ):
            with pytest.raises(ConnectorError):
                list(connector.query(statement))
        assert len(collect(connector.read("orders")).rows) == 3
    assert (tmp_path / "shop.sqlite").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["shop.sqlite"]


# --- a run -----------------------------------------------------------------------------------------------------------


def test_all_queries_see_one_state(tmp_path: Path) -> None:
    url = sqlite(tmp_path, "pragma journal_mode = wal; create table t (a int); insert into t values (1);")
    with opened(url, tmp_path) as connector:
        assert collect(connector.query("select count(*) as n from t")).rows == [(1,)]
        with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as other:
            other.execute("insert into t values (2)")
            other.commit()
        assert collect(connector.query("select count(*) as n from t")).rows == [(1,)]
    assert asked(url, "select count(*) as n from t", tmp_path).rows == [(2,)]


_SLOW = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) as c from n"


def test_a_query_that_takes_too_long(tmp_path: Path) -> None:
    url = sqlite(tmp_path, ORDERS)
    with opened(url, tmp_path, statement_timeout="1s") as connector:
        with pytest.raises(ConnectorError) as caught:
            list(connector.query(_SLOW))
        assert caught.value.message == "a query took longer than 1 second and was stopped"
        assert caught.value.setting == ("statement_timeout",)
        assert len(collect(connector.read("orders")).rows) == 3


def test_a_query_that_is_cancelled(tmp_path: Path) -> None:
    url = sqlite(tmp_path, ORDERS)
    with opened(url, tmp_path) as connector:
        list(connector.query("select 1 as one"))
        timer = threading.Timer(0.2, connector.cancel)
        timer.start()
        with pytest.raises(ConnectorError, match="the query was cancelled"):
            list(connector.query(_SLOW))
        timer.join()


def test_pages_are_bounded(tmp_path: Path) -> None:
    numbers = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 1001) insert into t select i from n;"
    url = sqlite(tmp_path, f"create table t (i integer); {numbers}")
    with opened(url, tmp_path, fetch=100) as connector:
        sizes = [part.data.num_rows for part in connector.read("t") if hasattr(part, "data")]  # type: ignore[attr-defined]
    assert sizes == [100] * 10 + [1]


def test_closing_in_the_middle(tmp_path: Path) -> None:
    url = sqlite(tmp_path, ORDERS)
    with opened(url, tmp_path, fetch=1) as connector:
        stream = connector.read("orders")
        next(stream)
        stream.close()  # type: ignore[attr-defined]
        assert len(collect(connector.read("orders")).rows) == 3
    connector.close()  # once more does no harm
