"""The spark connector against a real Spark Connect server: types, names, what may stand in the settings, and what goes wrong."""

from __future__ import annotations

import datetime as dt
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import cadran
from between import Between
from cadran.plugins import Column, ConfigError, ConnectorError, Context, DataError, QueryRefused
from cadran.problems import ProblemsFound
from cadran_plugins.spark.address import address
from cadran_plugins.spark.connector import SparkConnector
from spark_server import TOKEN, SparkServer

from .reading_sql import collect

SETTINGS = jsonschema.Draft202012Validator(SparkConnector.config_schema)
Place = tuple[SparkServer, str]
with_server = pytest.mark.xdist_group("spark")


@contextmanager
def opened(url: str, *, zone: str = "UTC", **config: Any) -> Iterator[SparkConnector]:
    config = {"url": url, **config}
    SETTINGS.validate(config)
    connector = SparkConnector(Context("lake", config, Path("/nowhere"), (), zone))
    try:
        yield connector
    finally:
        connector.close()


def failure(url: str, table: str = "t", **config: Any) -> ConnectorError:
    """What reading a table raises; nowhere in it the token or the URL."""
    with pytest.raises(ConnectorError) as caught, opened(url, **config) as connector:
        collect(connector.read(table))
    error = caught.value
    assert (
        TOKEN not in f"{error.message} {error.hint} {error!r} {error.__cause__!r}"
        and url not in error.message
    )
    assert "\n" not in error.message
    return error


# --- the url ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["", "localhost:15002", "http://host:15002", "sc://", "sc://:15002", "sc://host:99999", "sc://host:x", "sc://host/db", "sc://host;token=a"],
)  # fmt: skip
def test_a_url_that_names_no_server(url: str) -> None:
    with pytest.raises(ConfigError, match="does not name a Spark Connect server") as caught:
        address(url)
    assert caught.value.setting == ("url",) and "sc://host:15002" in caught.value.hint


def test_parameters_that_are_none() -> None:
    with pytest.raises(ConfigError, match="parameters of the url cannot be understood") as caught:
        address("sc://host/;token=secret=more")
    assert "secret" not in f"{caught.value.message}{caught.value.hint}"


def test_no_message_holds_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_CONNECT_AUTHENTICATE_TOKEN", "from-outside")
    found = address("sc://host:443/;token=a%2Fb%20c;x-databricks-cluster-id=0123-abc;use_ssl=true")
    assert found.token
    assert found.masked("a/b c, a%2Fb%20c, 0123-abc, from-outside, true") == "***, ***, ***, ***, true"
    assert "a/b c" not in repr(found)


def test_the_settings() -> None:
    for wrong in ({}, {"url": "u", "statement_timeout": "soon"}, {"url": "u", "tables": {"t": {}}}, {"url": "u", "more": 1},
                  {"url": "u", "tables": {"t": {"path": "p", "format": "parquet`.x"}}}, {"url": "u", "pushdown": "unverified"}):  # fmt: skip
        assert not SETTINGS.is_valid(wrong), wrong
    assert SparkConnector.config_schema["properties"]["url"]["writeOnly"]


def test_nothing_heavy_is_imported_before_it_is_needed(tmp_path: Path) -> None:
    """A check relies on the columns last seen, and asks no server."""
    (tmp_path / "kpis.yaml").write_text(
        "version: 1\ncalendar: {timezone: UTC}\nsources: {lake: {connector: spark, url: 'sc://127.0.0.1:1'}}\n"
        "datasets: {orders: {from: lake.orders, key: id, date: day}}\nkpis: {n: {formula: count(orders), period: month}}\n"
    )
    program = (
        "import sys, cadran; found = cadran.open(sys.argv[1]).check();"
        "print(sorted(m for m in ('pyspark', 'pandas', 'grpc', 'pyarrow') if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [m for m in sys.modules if m.startswith(("pyspark", "cadran_plugins.spark."))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyspark", None)
    error = failure("sc://127.0.0.1:1")
    assert "pyspark" in error.message and error.hint == "pip install 'cadran[spark]'"


# --- servers that do not answer ----------------------------------------------------------------------------------------


def test_no_server() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        started = time.monotonic()
        error = failure(f"sc://127.0.0.1:{taken.getsockname()[1]}")
    assert error.message == "the Spark Connect server cannot be reached"
    assert error.setting == ("url",) and "host and the port" in error.hint
    assert time.monotonic() - started < 25


def test_something_else_listens() -> None:
    def answer(listening: socket.socket) -> None:
        while True:
            try:
                other, _ = listening.accept()
            except OSError:
                return
            other.recv(1000)
            other.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            other.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer, args=(listening,), daemon=True)
        thread.start()
        error = failure(f"sc://127.0.0.1:{listening.getsockname()[1]}")
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)
    assert error.setting == ("url",) and error.hint


def test_an_unknown_host() -> None:
    assert failure("sc://no-such-host.invalid:15002").message == "the host in the url is not known"


@with_server
def test_a_wrong_token(spark_server: SparkServer) -> None:
    error = failure(f"sc://localhost:{spark_server.port}/;token=wrong-one")
    assert error.message == "the server refuses the token" and error.setting == ("url",)
    error = failure(f"sc://localhost:{spark_server.port}")
    assert error.message == "the server asks for a token" and "token=" in error.hint


@with_server
def test_a_token_is_not_sent_unencrypted(spark_server: SparkServer) -> None:
    error = failure(f"sc://127.0.0.1:{spark_server.port}/;token={TOKEN}")
    assert error.message == "the server and cadran cannot agree on an encrypted connection"
    assert "only sent encrypted" in error.hint


# --- types -----------------------------------------------------------------------------------------------------------


@with_server
def test_types(spark: Place) -> None:
    server, schema = spark
    server.run(
        f"""CREATE TABLE {schema}.t (b TINYINT, s SMALLINT, i INT, l BIGINT, d DECIMAL(12,2), w DECIMAL(38,10), f FLOAT, x DOUBLE,
        t STRING, v VARCHAR(9), y BINARY, day DATE, at TIMESTAMP_NTZ, ts TIMESTAMP, ok BOOLEAN) USING parquet""",
        f"""INSERT INTO {schema}.t VALUES (1, 2, 3, 4, 1.10, 12345678901234567890.0123456789, 1.5, 0.1, 'é', 'v', X'00FF', DATE'2026-01-05',
        TIMESTAMP_NTZ'2026-03-29 02:30:00.000001', TIMESTAMP'2026-03-29 01:30:00+00:00', true)""",
        f"INSERT INTO {schema}.t (b) VALUES (NULL)",
    )  # fmt: skip
    with opened(server.url, schema=schema, zone="Europe/Paris") as connector:
        table = connector.table("t")
        assert table is not None
        assert [c.type for c in table.columns] == [
            "BIGINT", "BIGINT", "BIGINT", "BIGINT", "DECIMAL(12,2)", "DECIMAL(38,10)", "DOUBLE", "DOUBLE", "VARCHAR", "VARCHAR",
            "BLOB", "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "BOOLEAN",
        ]  # fmt: skip
        found = collect(connector.read("t"))
    assert found.types == [
        "int64", "int64", "int64", "int64", "decimal128(12, 2)", "decimal128(38, 10)", "double", "double", "string", "string", "binary",
        "date32[day]", "timestamp[us]", "timestamp[us, tz=UTC]", "bool",
    ]  # fmt: skip
    first, second = sorted(found.rows, key=lambda row: row[0] is None)
    assert first == (
        1, 2, 3, 4, Decimal("1.10"), Decimal("12345678901234567890.0123456789"), 1.5, 0.1, "é", "v", b"\x00\xff",
        dt.date(2026, 1, 5), dt.datetime(2026, 3, 29, 2, 30, 0, 1), dt.datetime(2026, 3, 29, 1, 30, tzinfo=dt.UTC), True,
    )  # fmt: skip
    assert set(second) == {None}


@with_server
def test_texts_that_would_compare_otherwise(spark: Place) -> None:
    """Blanks that pad CHAR(n), and collations without regard to case: compared byte by byte, pulled or pushed."""
    server, schema = spark
    server.run(
        f"CREATE TABLE {schema}.t (c CHAR(5), l STRING COLLATE UTF8_LCASE, f FLOAT) USING parquet",
        f"INSERT INTO {schema}.t VALUES ('a', 'Ann', 0.1), ('b', 'ann', 0.2)",
    )
    with opened(server.url, schema=schema) as connector:
        relation = connector.relation("t")
        assert "UTF8_BINARY" in relation.select and "DOUBLE" in relation.select
        assert {row[:2] for row in collect(connector.read("t")).rows} == {("a", "Ann"), ("b", "ann")}
        assert collect(connector.query(f"SELECT count(*) AS n FROM ({relation.select}) AS t WHERE l = 'ann'")).rows == [(1,)]  # fmt: skip
        assert collect(connector.query(f"SELECT count(*) AS n FROM ({relation.select}) AS t WHERE c = 'a'")).rows == [(1,)]  # fmt: skip


@with_server
def test_nested_columns_matter_to_who_uses_them(spark: Place) -> None:
    server, schema = spark
    server.run(
        f"CREATE TABLE {schema}.t USING parquet AS SELECT 1 AS id, array('a') AS tags, map('k', 1) AS m, named_struct('x', 1, 'y', array(1)) AS s"
    )
    with opened(server.url, schema=schema) as connector:
        table = connector.table("t")
        assert table is not None and table.problem is None
        assert [c.type for c in table.columns] == ["BIGINT", "VARCHAR[]", "MAP(VARCHAR, BIGINT)", 'STRUCT("x" BIGINT, "y" BIGINT[])']  # fmt: skip
        assert collect(connector.pull("t", ["id"])).rows == [(1,)]
        with pytest.raises(DataError, match="column 'tags' is of type array<string>, which cadran does not compute with") as caught:  # fmt: skip
            collect(connector.pull("t", ["id", "tags"]))
        assert "explode" in caught.value.hint


@with_server
def test_numbers_that_are_none(spark: Place) -> None:
    server, schema = spark
    server.run(f"CREATE TABLE {schema}.t USING parquet AS SELECT double('NaN') AS x")
    error = failure(server.url, schema=schema)
    assert error.message == "table 't': column 'x' holds 'nan', which is not a number to compute with"


@with_server
def test_an_empty_table_has_its_columns(spark: Place) -> None:
    server, schema = spark
    server.run(f"CREATE TABLE {schema}.t (id INT, d DECIMAL(5,1), ts TIMESTAMP) USING parquet")
    with opened(server.url, schema=schema) as connector:
        found = collect(connector.read("t"))
    assert found.rows == [] and found.types == ["int64", "decimal128(5, 1)", "timestamp[us, tz=UTC]"]


@with_server
def test_many_rows_come_in_pages(spark: Place) -> None:
    server, schema = spark
    server.run(f"CREATE VIEW {schema}.t AS SELECT id, cast(id AS STRING) AS s FROM range(0, 100000, 1, 3)")
    with opened(server.url, schema=schema) as connector:
        pages = list(connector.read("t"))
        assert len(pages) > 5
        assert len(collect(iter(pages)).rows) == 100_000
        stream = connector.read("t")
        next(stream)
        stream.close()  # type: ignore[attr-defined]
        assert collect(connector.query("SELECT 1 AS one")).rows == [(1,)], (
            "a stream that is left ends nothing else"
        )


# --- names -----------------------------------------------------------------------------------------------------------


@with_server
def test_names(spark: Place, tmp_path: Path) -> None:
    server, schema = spark
    files = tmp_path / "with blank"
    server.run(
        f"CREATE TABLE {schema}.Orders (`Order Date` DATE, `select` INT, `tick``ed` INT, `a.b` INT) USING parquet",
        f"INSERT INTO {schema}.orders VALUES (DATE'2026-01-05', 1, 2, 3)",
        f"INSERT OVERWRITE DIRECTORY '{files}' USING parquet SELECT 7 AS id",
    )
    tables = {
        "mine": {"table": f"{schema}.ORDERS"},
        "whole": {"table": f"spark_catalog.{schema}.orders"},
        "few": {"sql": "SELECT `select` AS n FROM orders WHERE `a.b` = 3 -- the last;\n;"},
        "lake": {"path": str(files)},
    }
    with opened(server.url, schema=schema, tables=tables) as connector:
        assert connector.names() == ["few", "lake", "mine", "orders", "whole"]
        assert {t.name for t in connector.discover()} == set(connector.names())
        for name in (
            "orders",
            "ORDERS",
            f"{schema}.orders",
            f"spark_catalog.{schema}.orders",
            "mine",
            "MINE",
            "whole",
        ):
            found = collect(connector.read(name))
            assert found.columns == ["Order Date", "select", "tick`ed", "a.b"]
            assert found.rows == [(dt.date(2026, 1, 5), 1, 2, 3)]
        assert collect(connector.read("few")).rows == [(1,)]
        assert collect(connector.read("lake")).rows == [(7,)]
        assert collect(connector.pull("orders", ["a.b", "select"], "`tick``ed` = 2")).rows == [(3, 1)]
        assert connector.table("orderz") is None and connector.table("no.such.thing") is None
        assert connector.table("lake") == cadran.plugins.Table("lake", (Column("id", "BIGINT"),))


@with_server
def test_what_is_not_there(spark: Place) -> None:
    server, schema = spark
    server.run(f"CREATE TABLE {schema}.orders (id INT) USING parquet")
    url = server.url
    error = failure(url, "order", schema=schema)
    assert error.message == "there is no table 'order'" and error.hint == "did you mean 'orders'?"
    error = failure(url, schema=schema, tables={"t": {"table": "oders"}})
    assert error.message == "there is no table 'oders'" and error.setting == ("tables", "t", "table")
    assert error.hint == "did you mean 'orders'?"
    error = failure(url, schema="no_such_schema")
    assert error.setting == ("schema",) and "no_such_schema" in error.message
    error = failure(url, catalog="no_such_catalog")
    assert error.setting == ("catalog",) and "no_such_catalog" in error.message
    error = failure(url, tables={"t": {"path": "/no/such/folder"}})
    assert error.setting == ("tables", "t", "path") and "/no/such/folder" in error.message
    error = failure(url, schema=schema, tables={"t": {"sql": "SELECT nothing FROM orders"}})
    assert error.setting == ("tables", "t", "sql") and "`nothing` cannot be resolved" in error.message
    error = failure(url, tables={"t": {"path": "/tmp", "format": "delta"}})
    assert error.setting == ("tables", "t", "path") and "delta" in error.message


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"table": "a", "sql": "SELECT 1"}, "'table' and 'sql' do not go together"),
        ({"table": "a", "format": "orc"}, "'format' and 'table' do not go together"),
    ],
)
@with_server
def test_settings_that_do_not_go_together(
    entry: dict[str, str], said: str, spark_server: SparkServer
) -> None:
    error = failure(spark_server.url, tables={"t": entry})
    assert error.message == said and error.setting == ("tables", "t")


# --- queries -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("DROP TABLE orders", "must be a SELECT, not DROP"),
        ("SELECT 1; SELECT 2", "holds 2 statements"),
        ("WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", "does more than read"),
        ("SELECT reflect('java.lang.System', 'exit', 1)", "reflect"),
        ("SELECT java_method('java.lang.System', 'getenv')", "java_method"),
        ("SELECT TRANSFORM(a) USING 'rm -r /' AS (b) FROM t", "runs a program"),
    ],
)
@with_server
def test_a_select_only_reads(sql: str, said: str, spark_server: SparkServer) -> None:
    error = failure(spark_server.url, tables={"t": {"sql": sql}})
    assert (
        isinstance(error, ConfigError) and said in error.message and error.setting == ("tables", "t", "sql")
    )


@with_server
def test_a_query_cannot_be_a_command(spark: Place) -> None:
    server, schema = spark
    with opened(server.url) as connector, pytest.raises(ConnectorError):
        collect(connector.query(f"CREATE TABLE {schema}.made (a INT)"))
    assert server.session.sql(f"SHOW TABLES IN {schema}").collect() == []


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT id / 0 AS x FROM range(3)", "Spark reports: Division by zero"),
        ("SELECT cast('a0' AS INT) + id AS x FROM range(3)", "The value 'a0' of the type \"STRING\" cannot be cast to \"INT\""),
        ("SELECT sum(cast(9e37 AS DECIMAL(38,0))) AS x FROM range(9)", "Overflow in sum of decimals"),
        ("SELECT cast(id AS DECIMAL(38,20)) * cast(1e15 + id AS DECIMAL(38,20)) AS x FROM range(3)", "Spark reports: "),
        ("SELECT a, a FROM (SELECT 1 AS a)", "two columns are named 'a'"),
        ("SELECT 1 AS a, 2 AS A", "columns 'a' and 'A' differ only in capitals"),
    ],
)  # fmt: skip
@with_server
def test_a_query_that_fails_is_one_line(sql: str, said: str, spark_server: SparkServer) -> None:
    error = failure(spark_server.url, tables={"t": {"sql": sql}})
    assert said in error.message and len(error.message) < 400


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT no_such_function(1) AS x",
        "SELECT FROM WHERE",
        "SELECT no_column FROM range(3)",
        "SELECT id / 0 AS x FROM range(3)",
        "SELECT sum(cast(9e37 AS DECIMAL(38,0))) AS x FROM range(9)",
        "SELECT raise_error('no') AS x",
    ],
)
@with_server
def test_what_spark_refuses_is_told_apart_from_a_lost_connection(sql: str, spark_server: SparkServer) -> None:
    with opened(spark_server.url) as connector:
        with pytest.raises(QueryRefused):
            collect(connector.query(sql))
        assert collect(connector.query("SELECT 1 AS one")).rows == [(1,)], "the session is as good as before"


@with_server
def test_a_late_or_a_lost_query_is_not_refused(spark_server: SparkServer) -> None:
    """Its rows would not come either."""
    slow = "SELECT count(*) AS n FROM range(1000000000000) WHERE hash(id, rand()) = 1"
    with opened(spark_server.url, statement_timeout="1s") as connector:
        with pytest.raises(ConnectorError, match="took longer") as late:
            collect(connector.query(slow))
        assert not isinstance(late.value, QueryRefused)
        connector._session._client.release_session()
        with pytest.raises(ConnectorError, match="was lost") as lost:
            collect(connector.query("SELECT 1 AS one"))
        assert not isinstance(lost.value, QueryRefused)


@with_server
def test_the_session_means_what_the_calendar_says(spark: Place) -> None:
    """Whatever zone the server is in, and whatever its defaults are."""
    server, _ = spark
    with opened(server.url, zone="Asia/Kathmandu") as connector:
        found = collect(
            connector.query(
                "SELECT cast(TIMESTAMP'2026-01-01 20:00:00+00:00' AS DATE) AS day, typeof(cast('2026-01-01' AS TIMESTAMP)) AS kind, current_timezone() AS zone"
            )
        )
    assert found.rows == [(dt.date(2026, 1, 2), "timestamp", "Asia/Kathmandu")]


@with_server
def test_a_query_that_takes_too_long(spark: Place) -> None:
    server, _ = spark
    slow = {"sql": "SELECT count(*) AS n FROM range(1000000000000) WHERE hash(id, rand()) = 1"}
    started = time.monotonic()
    error = failure(server.url, tables={"t": slow}, statement_timeout="2s")
    assert (
        error.message == "a query took longer than 2 seconds and was stopped"
        and "statement_timeout" in error.hint
    )
    assert time.monotonic() - started < 60


@with_server
def test_a_query_is_cancelled_from_another_thread(spark_server: SparkServer) -> None:
    with opened(spark_server.url) as connector:
        assert collect(connector.query("SELECT 1 AS one")).rows == [(1,)]
        timer = threading.Timer(1.5, connector.cancel)
        timer.start()
        with pytest.raises(ConnectorError, match="the query was cancelled"):
            collect(
                connector.query("SELECT count(*) AS n FROM range(1000000000000) WHERE hash(id, rand()) = 1")
            )
        timer.join()


@with_server
def test_closing_ends_the_session_and_not_the_server(spark_server: SparkServer) -> None:
    for _ in range(2):
        with opened(spark_server.url) as connector:
            assert collect(connector.query("SELECT 1 AS one")).rows == [(1,)]
        connector.close()


@pytest.fixture
def between(spark_server: SparkServer) -> Iterator[tuple[Between, str]]:
    """Such a place, and the URL that leads through it."""
    made = Between(spark_server.port)
    yield made, spark_server.url.replace(str(spark_server.port), str(made.port))
    made.close()


MANY_ROWS = "SELECT id, repeat('x', 1000) AS t FROM range(0, 60000, 1, 8)"
LEFT_OPEN = f"""
import sys
from pathlib import Path
from cadran.plugins import Context
from cadran_plugins.spark.connector import SparkConnector
connector = SparkConnector(Context("lake", {{"url": sys.argv[1]}}, Path("/nowhere"), (), "UTC"))
rows = connector.query("{MANY_ROWS}")
next(rows)
print("reading", flush=True)
sys.stdin.readline()
raise SystemExit("something else went wrong")
"""


@pytest.mark.parametrize("answers", [True, False])
@with_server
def test_a_program_ends_that_closes_nothing(answers: bool, between: tuple[Between, str]) -> None:
    proxy, url = between
    program = subprocess.Popen(
        [sys.executable, "-c", LEFT_OPEN, url],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert program.stdout is not None
    program.stdout.readline()
    if not answers:
        proxy.passing.clear()
    try:
        _, said = program.communicate("go on\n", timeout=60)
    finally:
        program.kill()
    assert said == "something else went wrong\n"


@with_server
def test_a_server_that_answers_no_more(between: tuple[Between, str]) -> None:
    proxy, url = between
    started = time.monotonic()
    with opened(url, statement_timeout="3s") as connector, pytest.raises(ConnectorError, match="took longer"):
        rows = connector.query(MANY_ROWS)
        next(rows)
        proxy.passing.clear()
        list(rows)
    assert time.monotonic() - started < 60


# --- a project -----------------------------------------------------------------------------------------------------------

KPIS = """version: 1
calendar: {{timezone: Europe/Paris}}
sources: {{lake: {{connector: spark, url: '{url}', schema: {schema}}}}}
datasets: {{orders: {{from: lake.orders, key: id, date: day}}}}
segments: {{shop: {{orders: shop}}}}
kpis:
  revenue: {{formula: sum(orders.amount), period: month, segment: shop}}
  {more}
"""


@with_server
def test_scans_run_on_the_cluster(spark: Place, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    server, schema = spark
    server.run(
        f"CREATE TABLE {schema}.orders (id INT, day DATE, shop STRING, amount DECIMAL(10,2), tags ARRAY<STRING>) USING parquet",
        f"INSERT INTO {schema}.orders VALUES (1, DATE'2026-01-05', 'Lyon', 1.10, NULL), (2, DATE'2026-01-06', NULL, 2.20, array('a'))",
    )
    (tmp_path / "kpis.yaml").write_text(KPIS.format(url=server.url, schema=schema, more=""))
    project = cadran.open(tmp_path)
    values = {(r.segment_value, r.value) for r in project.run(as_of=dt.date(2026, 2, 1), since=dt.date(2026, 1, 1)) if r.value}  # fmt: skip
    assert ((), Decimal("3.30")) in values and (("Lyon",), Decimal("1.10")) in values
    said = project.explain("revenue", as_of=dt.date(2026, 2, 1))
    assert "-- runs at lake" in said and "`orders`" in said
    written = capfd.readouterr()
    assert TOKEN not in said + written.out + written.err + (tmp_path / ".cadran" / "columns.json").read_text()


@with_server
def test_what_the_cluster_refuses_is_computed_here(
    spark: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, schema = spark
    server.run(
        f"CREATE TABLE {schema}.orders (id INT, day DATE, shop STRING, amount DECIMAL(10,2)) USING parquet",
        f"INSERT INTO {schema}.orders VALUES (1, DATE'2026-01-05', 'Lyon', 1.10), (2, DATE'2026-01-06', NULL, 2.20)",
    )
    (tmp_path / "kpis.yaml").write_text(KPIS.format(url=server.url, schema=schema, more=""))
    asked = SparkConnector.query
    monkeypatch.setattr(
        SparkConnector, "query", lambda self, sql: asked(self, sql.replace("SUM(", "NO_SUCH_FUNCTION("))
    )
    project = cadran.open(tmp_path)
    rows = project.run(as_of=dt.date(2026, 2, 1), since=dt.date(2026, 1, 1))
    assert Decimal("3.30") in {r.value for r in rows}
    assert "-- runs here: lake refused it (Spark refuses the query: " in project.explain("revenue", as_of=dt.date(2026, 2, 1))  # fmt: skip


@with_server
def test_a_problem_points_into_the_file(
    spark: Place, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    server, schema = spark
    server.run(f"CREATE TABLE {schema}.orders (id INT, day DATE, shop STRING, amount DECIMAL(10,2), tags ARRAY<STRING>) USING parquet")  # fmt: skip
    more = "tagged: {formula: count(orders.tags), period: month}"
    (tmp_path / "kpis.yaml").write_text(KPIS.format(url=server.url, schema=schema, more=more))
    with pytest.raises(ProblemsFound) as caught:
        cadran.open(tmp_path).run(as_of=dt.date(2026, 2, 1))
    (problem,) = caught.value.problems
    assert "column 'tags' is of type array<string>" in problem.message and problem.where is not None
    assert "JVM" not in capfd.readouterr().err
