"""Every expression that Spark's dialect can say, over rows with edges in them: Spark's answer is DuckDB's.

All are columns of one statement, since a statement costs far more than a column. What the dialect refuses is pulled, and
listed here too, so that a refusal that comes or goes is seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
import sqlglot
from sqlglot import exp

from cadran.compute.dialects.kinds import Unsupported
from cadran.compute.dialects.spark import Spark
from cadran.compute.dialects.statements import Statement, Stored
from cadran.plugins import Context, Page
from cadran_plugins.spark.connector import SparkConnector
from spark_server import SparkServer

ZONE = "Europe/Paris"
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("spark")]

COLUMNS = """
    id bigint, i integer, b bigint, d decimal(12,2), w decimal(38,4), f double, s varchar, k varchar, day date, moment timestamp,
    ts timestamptz, ok boolean
"""
# Clock changes in Paris: 2026-03-29 01:00 and 2026-10-25 01:00 UTC.
ROWS = """
    (1, 7, 2, '1.10', '12345678901234.5678', 0.1, 'Ann', 'a', '2026-01-31', '2026-01-31 10:00:00.123456', '2026-03-29 00:30:00+00', true),
    (2, -7, 3, '2.25', '-0.0001', -2.5, 'ann', 'a', '2024-02-29', '2024-02-29 23:59:59.999999', '2026-03-29 01:30:00+00', false),
    (3, 2147483647, 9, '-2.25', '0', 1e300, 'ann ', 'b', '2026-03-29', '2026-03-29 02:30:00', '2026-10-25 00:30:00+00', null),
    (4, null, null, null, null, null, null, null, null, null, null, null),
    (5, 0, 1, '0.00', '99999999999999999999999999.9999', 0.0, '', 'b', '0001-01-01', '0001-01-01 00:00:00', '1970-01-01 00:00:00+00', true),
    (6, -2147483648, -5, '9999999999.99', '1.5000', -0.0, 'Émile 😀 x', 'c', '9999-12-01', '9999-12-01 23:59:59', '2026-10-25 01:30:00+00', false),
    (7, 5, -2, '0.05', '2.5', 3.5, ' pad', 'c', '2021-01-03', '2021-01-03 12:00:00', '2021-01-01 00:00:00+00', true),
    (8, 5, 7, '0.15', '-2.5', 2.5, 'it''s %_', 'd', '2020-12-31', '2020-12-31 00:00:00', '1900-01-01 00:00:00+00', true),
    (9, 1, 1, '1.00', '1', 1.0, 'x', 'e', '2026-10-24', '2026-10-24 02:30:00', '2026-10-24 00:30:00+00', true),
    (10, 1, 1, '1.00', '1', 1.0, 'y', 'e', '2026-10-26', '2026-10-25 02:30:00', '2026-10-26 01:30:00+00', true),
    (11, 1, 1, '1.00', '1', 1.0, 'z', 'e', '2026-03-28', '2026-03-28 02:30:00', '2026-03-28 01:30:00+00', true),
    (12, 1, 1, '1.00', '1', 1.0, 'z', 'e', '2026-09-25', '2026-03-28 02:30:00', '2026-09-25 00:30:00+00', true),
    (13, 1, 1, '1.00', '1', 1.0, 'z', 'e', '2026-02-28', '2026-03-28 02:30:00', '2026-02-28 01:30:00+00', true)
"""
NUMBERS = """
    t.i * t.i | t.i + t.i | t.i * 1000000 | -t.i | abs(t.i) | t.i - t.b * t.i | coalesce(t.i, 0) * t.i | t.b * t.d | t.d + t.w
    t.w * t.d | t.d - 1 | t.d * 0.01 | t.d * 1.5 | t.i * 0.01 | t.f * t.d | t.i / t.b | t.d / t.b | t.i / 3 | mod(t.i, 3)
    -t.d | abs(t.d) | round(t.d, 1) | round(t.w, 2) | round(t.d) | round(t.w) | t.d > 0.1 | t.f = 0.1 | t.f > t.d | t.i = t.d
    greatest(t.d, t.b) | least(t.d, 1) | coalesce(t.d, 0) | coalesce(t.i, t.d, 0.5) | nullif(t.i, 5) | nullif(t.d, 0)
    case when t.ok then t.d else 0 end | case when t.ok then t.i else t.f end | if(t.ok, 1, 2) | t.i between 0 and 10 | t.i in (5, 7)
    cast(t.d as double) | cast(t.i as double)
"""
TEXTS = """
    t.s = 'ann' | t.s < 'a' | t.s <> 'Ann' | t.s in ('ann', '') | t.s like 'A%' | t.s like 'it''s %' | t.s like '_nn' | t.s || t.k
    t.s || t.i | t.s || t.day | t.s || t.d | t.s || t.ok | concat(t.s, t.k) | length(t.s) | trim(t.s) | ltrim(t.s) | substring(t.s, 2, 3)
    substring(t.s, 1) | left(t.s, 2) | right(t.s, 2) | left(t.s, 0) | strpos(t.s, 'n') | contains(t.s, '%_') | starts_with(t.s, 'A')
    replace(t.s, 'n', 'm') | greatest(t.s, 'b') | coalesce(t.s, '?') | cast(t.d as varchar) | cast(t.w as varchar) | cast(t.i as varchar)
    cast(t.day as varchar) | case t.k when 'a' then 1 when 'b' then 2 end | t.s is not distinct from 'ann' | t.i is distinct from t.b
    t.ok and t.i > 0 | t.ok or t.i > 0 | not t.ok | t.ok is null | t.ok is true | t.ok = true
"""
TIMES = """
    cast(t.moment as date) | cast(t.ts as date) | cast(t.ts as timestamp) | cast(t.day as timestamp) | t.day + 30 | t.day - 1
    t.day + interval '1' month | t.day + interval '1' day | t.day - interval '1' week | t.day - interval '1' quarter
    t.day - interval '1' year | t.day + interval '12' hour | t.moment - interval '1' month | t.moment + interval '1' day
    t.moment + interval '36' hour | t.moment - interval '90' minute | t.ts + interval '1' day | t.ts + interval '1' month
    t.ts - interval '1' day | t.ts - interval '1' month | t.ts - interval '1' week | t.ts + interval '24' hour | t.ts + interval '25' hour
    t.ts - interval '26' hour | t.ts + interval '90' minute | cast(t.ts - interval '1' day as date)
    date_diff('day', t.day, date '2026-03-01') | date_diff('month', t.day, date '2026-03-01') | date_diff('quarter', t.day, date '2026-03-01')
    date_diff('year', t.day, date '2026-03-01') | date_diff('day', t.moment, timestamp '2026-03-01 12:00:00')
    date_diff('hour', t.moment, timestamp '2026-03-01 12:30:00') | date_diff('minute', t.moment, timestamp '2026-03-01 12:30:00')
    date_diff('second', t.moment, timestamp '2026-03-01 12:30:00') | date_diff('day', t.ts, t.moment) | t.day - date '2020-01-01'
    date_diff('day', t.day, t.moment) * t.i
    extract(year from t.day) | extract(quarter from t.day) | extract(month from t.day) | extract(week from t.day) | extract(day from t.day)
    extract(doy from t.day) | extract(dow from t.day) | extract(isodow from t.day) | extract(isoyear from t.day)
    extract(hour from t.moment) | extract(minute from t.moment) | extract(second from t.moment) | extract(hour from t.ts)
    extract(day from t.ts) | isodow(t.day) | date_trunc('week', t.day) | date_trunc('month', t.day) | date_trunc('quarter', t.day)
    date_trunc('year', t.day) | date_trunc('day', t.moment) | date_trunc('week', t.moment) | greatest(t.day, date '2025-01-01')
    cast(date_trunc('month', cast(t.ts as timestamp)) as date) | case when t.ok then t.day else t.moment end
    t.day between '2020-01-01' and '2026-01-31' | t.moment >= '2026-01-31 10:00:00' | t.moment < t.day
    t.ts >= timestamptz '2026-03-29 01:00:00+00' | t.ts < timestamptz '2026-10-25 01:30:00+00' | t.day in ('2026-01-31')
"""
ROWS_BESIDE = """
    exists (select 1 from src.t as u where u.id = t.id + 1)
    row_number() over (partition by t.k order by t.id) | rank() over (order by t.k) | dense_rank() over (order by t.k)
    lag(t.id) over (order by t.day, t.id) | lead(t.id) over (partition by t.k order by t.moment desc, t.id) | lag(t.id, 2, 0) over (order by t.id)
    sum(t.d) over (partition by t.k order by t.id) | sum(t.b) over (partition by t.k) | max(t.s) over (partition by t.k)
    sum(t.d) over (partition by t.k order by t.id rows between 1 preceding and current row)
    first_value(t.id) over (partition by t.k order by t.s, t.id)
"""
AGGREGATES = """
    sum(t.d) | sum(t.w) | sum(t.i) | sum(t.f) | count(*) | count(t.d) | count(distinct t.s) | avg(t.d) | avg(t.i) | min(t.s) | max(t.day)
    min(t.ts) | max(t.moment) | sum(t.d * t.b) | sum(case when t.ok then t.d else 0 end) | sum(t.w * 1.5)
    bool_or(t.ok) | quantile_cont(cast(t.d as double), 0.5) | quantile_cont(cast(t.i as double), 0.9) | stddev_samp(t.d)
    sum(t.d) filter (where t.ok) | count(*) filter (where t.i > 0) | count(distinct t.s) filter (where t.ok) | avg(t.d) filter (where t.ok)
    quantile_cont(cast(t.d as double), 0.5) filter (where t.ok) | min(t.day) filter (where t.ok) | stddev_samp(t.d) filter (where t.ok)
"""
REFUSED = """
    upper(t.s) | lower(t.s) | cast(t.moment as varchar) | cast(t.f as varchar) | date_diff('week', t.day, date '2026-03-01')
    date_diff('hour', t.ts, t.ts) | extract(epoch from t.moment) | extract(century from t.moment) | date_trunc('hour', t.moment)
    t.s like '\\_%' | (select max(u.d) from src.t as u where u.k = t.k)
"""


@pytest.fixture(scope="module")
def local() -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with the same rows; ``i`` is what the engine sees of Spark's INT."""
    connection = duckdb.connect()
    connection.execute(f"SET TimeZone = '{ZONE}'")
    connection.execute(f"CREATE TABLE stored ({COLUMNS}); INSERT INTO stored VALUES {ROWS}")
    connection.execute(
        "CREATE SCHEMA src; CREATE TABLE src.t AS SELECT * REPLACE (i::BIGINT AS i) FROM stored"
    )
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def connector(
    spark_server: SparkServer, local: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SparkConnector]:
    folder = tmp_path_factory.mktemp("rows")
    pq.write_table(local.sql("SELECT * FROM stored").to_arrow_table(), folder / "rows.parquet")
    config = {"url": spark_server.url, "tables": {"t": {"path": str(folder)}}}
    opened = SparkConnector(Context("src", config, Path("/nowhere"), (), ZONE))
    yield opened
    opened.close()


@pytest.mark.parametrize("expressions", [NUMBERS, TEXTS, TIMES, ROWS_BESIDE], ids=["numbers", "texts", "times", "rows"])  # fmt: skip
def test_expressions(expressions: str, connector: SparkConnector, local: duckdb.DuckDBPyConnection) -> None:
    columns = ", ".join(f"{e} AS x{n}" for n, e in enumerate(_listed(expressions)))
    assert _differences(f"SELECT t.id AS id, {columns} FROM src.t AS t", expressions, connector, local) == []


@pytest.mark.parametrize("rows", ["true", "t.id < 0", "t.id = 1"], ids=["all", "none", "one"])
def test_aggregates(rows: str, connector: SparkConnector, local: duckdb.DuckDBPyConnection) -> None:
    """Over nothing and over one row, too, where a spread is not known."""
    columns = ", ".join(f"{e} AS x{n}" for n, e in enumerate(_listed(AGGREGATES)))
    for statement in (
        f"SELECT coalesce(t.k, '-') AS id, {columns} FROM src.t AS t WHERE {rows} GROUP BY coalesce(t.k, '-')",
        f"SELECT 'all' AS id, {columns} FROM src.t AS t WHERE {rows}",
    ):
        assert _differences(statement, AGGREGATES, connector, local) == []


def test_what_is_not_said_there(connector: SparkConnector, local: duckdb.DuckDBPyConnection) -> None:
    for expression in _listed(REFUSED):
        with pytest.raises(Unsupported):
            _there(f"SELECT {expression} AS x FROM src.t AS t", connector, local)


# --- both sides ------------------------------------------------------------------------------------------------------


def _listed(expressions: str) -> list[str]:
    return [e.strip() for line in expressions.strip().splitlines() for e in line.split(" | ")]


def _there(select: str, connector: SparkConnector, local: duckdb.DuckDBPyConnection) -> str:
    """The statement in Spark's SQL."""
    tree = sqlglot.parse_one(select, read="duckdb").transform(_as_the_engine_writes)
    kinds = [row[1] for row in local.execute(f"DESCRIBE {select}").fetchall()]
    table = connector.table("t")
    assert table is not None
    types = {c.name: c.type for c in table.columns}
    return Statement(Spark(), lambda *_: Stored(connector.relation("t"), types)).translate(tree, kinds)


def _as_the_engine_writes(node: exp.Expr) -> exp.Expr:
    """Parsing knows more classes than the engine builds."""
    names = {exp.PercentileCont: "quantile_cont", exp.StddevSamp: "stddev_samp", exp.LogicalOr: "bool_or"}
    name = names.get(type(node))
    if name is None:
        return node
    return exp.Anonymous(this=name, expressions=[node.this, *([node.expression] if node.args.get("expression") else [])])  # fmt: skip


def _differences(
    select: str, expressions: str, connector: SparkConnector, local: duckdb.DuckDBPyConnection
) -> list[str]:
    kinds = [(row[0], row[1]) for row in local.execute(f"DESCRIBE {select}").fetchall()]
    listed = ", ".join(f'"{n}" {t}' for n, t in kinds)
    local.execute(f"CREATE OR REPLACE TEMP TABLE answer ({listed})")
    for page in connector.query(_there(select, connector, local)):
        if isinstance(page, Page):
            local.register("incoming", page.data)
            local.execute("INSERT INTO answer SELECT * FROM incoming")
            local.unregister("incoming")
    ours = {row[0]: row[1:] for row in local.execute(select).fetchall()}
    theirs = {row[0]: row[1:] for row in local.execute("SELECT * FROM answer").fetchall()}
    assert ours.keys() == theirs.keys()
    named = _listed(expressions)
    return [
        f"{named[n]} of {key}: DuckDB {one!r}, Spark {other!r}"
        for key in ours
        for n, (one, other) in enumerate(zip(ours[key], theirs[key], strict=True))
        if not _same(one, other)
    ]


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return one == other or math.isclose(one, other, rel_tol=1e-9)
    return bool(one == other) and type(one) is type(other)
