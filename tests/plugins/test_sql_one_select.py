"""What may stand under ``sql:``, in the SQL of each database."""

from __future__ import annotations

import pytest

from cadran.plugins import ConfigError
from cadran_plugins.sql.one_select import only_reads

SETTING = ("tables", "x", "sql")

GOOD = [
    ("postgres", "select * from orders"),
    ("postgres", "with a as (select 1 as n) select n from a union all (select 2)"),
    ("postgres", "select 1 as \"delete from x; insert\", 'update t set a = 1' as t /* drop table; */"),
    ("postgres", "select distinct on (id) *, row_number() over (partition by id order by at) from o order by id, at desc limit 5"),
    ("postgres", "select a::numeric(10,2), b #>> '{c,d}', date_trunc('month', at at time zone 'UTC') from t tablesample system (10)"),
    ("postgres", "table orders"),
    ("postgres", "values (1, 'a'), (2, 'b')"),
    ("postgres", "select replace(name, 'a', 'b'), lower(x) from t where set_id = 3"),
    ("mysql", "select `order` as a, if(x > 1, 'y', 'n'), group_concat(z separator ';') from `Order Details` straight_join b"),
    ("mysql", "select replace(a, 'x', 'y') from t"),
    ("sqlite", "with recursive n(i) as (select 1 union all select i + 1 from n where i < 9) select i from n"),
    ("sqlite", "select [a b], glob('*x', c), replace(d, 'e', 'f') from t where c glob 'x*'"),
    ("duckdb", "from orders select a, b"),
    ("snowflake", "select $1, data:path.to::string from t, lateral flatten(input => data) qualify row_number() over (order by 1) = 1"),
    ("bigquery", "select * except(a) from `project.dataset.table` where _partitiontime > timestamp('2026-01-01')"),
    ("tsql", "select top 5 [a b] from dbo.orders with (nolock)"),
    ("", "select a from t"),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "sql"), GOOD)
@pytest.mark.parametrize("behind", ["", ";", " ; \n", "\n-- the end", " ; -- the end"])
def test_a_select(dialect: str, sql: str, behind: str) -> None:
    """What follows its last word is cut off, so that it can be put into parentheses."""
    text = only_reads(f"\n  {sql}{behind}", dialect, SETTING)
    assert text == sql.split(" /*")[0]


BAD = [
    ("postgres", "insert into t values (1)", "'sql' must be a SELECT, not INSERT"),
    ("postgres", "update t set a = 1", "'sql' must be a SELECT, not UPDATE"),
    ("postgres", "drop table t", "'sql' must be a SELECT, not DROP"),
    ("postgres", "explain select 1", "'sql' must be a SELECT, not EXPLAIN"),
    ("postgres", "copy t to '/tmp/x'", "'sql' must be a SELECT, not COPY"),
    ("postgres", "call p()", "'sql' must be a SELECT, not CALL"),
    ("postgres", "do $$ begin end $$", "'sql' must be a SELECT, not DO"),
    ("postgres", "set role postgres", "'sql' must be a SELECT, not SET"),
    ("mysql", "show tables", "'sql' must be a SELECT, not SHOW"),
    ("sqlite", "pragma user_version = 5", "'sql' must be a SELECT, not PRAGMA"),
    ("sqlite", "attach 'x.db' as y", "'sql' must be a SELECT, not ATTACH"),
    ("postgres", "", "'sql' holds no statement"),
    ("postgres", " ; -- nothing", "'sql' holds no statement"),
    ("postgres", "select 1; select 2", "'sql' holds 2 statements"),
    ("postgres", "select 1; drop table t", "'sql' holds 2 statements"),
    ("postgres", "select 1; commit", "'sql' holds 2 statements"),
    ("postgres", "select * into copy from t", "the SELECT does more than read: INTO writes its rows somewhere"),
    ("tsql", "select * into #copy from t", "the SELECT does more than read: INTO writes its rows somewhere"),
    ("postgres", "select * from t for update", "the SELECT does more than read: it locks rows (FOR UPDATE, FOR SHARE)"),
    ("mysql", "select * from t lock in share mode", "the SELECT does more than read: it locks rows (FOR UPDATE, FOR SHARE)"),
    ("postgres", "with x as (delete from t returning *) select * from x", "the SELECT does more than read: it holds DELETE"),
    ("postgres", "with x as (insert into t values (1) returning a) select * from x", "the SELECT does more than read: it holds INSERT"),
    ("postgres", "with x as (select 1) insert into t select * from x", "the SELECT does more than read: it is no query"),
    ("postgres", "select nextval('s')", "the SELECT does more than read: the function nextval() is not allowed"),
    ("postgres", "select pg_catalog.SETVAL('s', 1)", "the SELECT does more than read: the function setval() is not allowed"),
    ("postgres", "select * from dblink('host=x', 'drop table t') as t(a int)", "the SELECT does more than read: the function dblink() is not allowed"),
    ("postgres", "select lo_import('/etc/passwd')", "the SELECT does more than read: the function lo_import() is not allowed"),
    ("postgres", "select * from pg_read_file('/etc/passwd')", "the SELECT does more than read: the function pg_read_file() is not allowed"),
    ("postgres", "select 1 where pg_terminate_backend(5)", "the SELECT does more than read: the function pg_terminate_backend() is not allowed"),
    ("mysql", "select load_file('/etc/passwd')", "the SELECT does more than read: the function load_file() is not allowed"),
    ("mysql", "select get_lock('a', 10)", "the SELECT does more than read: the function get_lock() is not allowed"),
    ("mysql", "select @a := 5", "the SELECT does more than read: it sets a variable"),
    ("mysql", "select 1 /*! into outfile '/tmp/x' */", "the SELECT holds a comment that the server runs (/*! … */)"),
    ("mysql", "select 1 /*M!50000 for update */ from t", "the SELECT holds a comment that the server runs (/*! … */)"),
    ("mysql", "select * from t into outfile '/tmp/x'", "the SELECT cannot be read: "),
    ("sqlite", "select load_extension('x')", "the SELECT does more than read: the function load_extension() is not allowed"),
    ("duckdb", "select * from read_csv('/etc/passwd')", "the SELECT does more than read: the function "),
    ("duckdb", "select * from read_text('/etc/passwd')", "the SELECT does more than read: the function read_text() is not allowed"),
    ("tsql", "select * from openrowset('a', 'b', 'c')", "the SELECT does more than read: the function openrowset() is not allowed"),
    ("snowflake", "select system$cancel_all_queries(1)", "the SELECT does more than read: the function system$cancel_all_queries() is not allowed"),
    ("postgres", "select from where", "the SELECT cannot be read: "),
    ("postgres", "select 'open", "the SELECT cannot be read: "),
    ("postgres", "select (1", "the SELECT cannot be read: "),
    ("postgres", "\\d", "'sql' must be a SELECT, not "),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "sql", "said"), BAD)
def test_anything_else(dialect: str, sql: str, said: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        only_reads(sql, dialect, SETTING)
    assert caught.value.message.startswith(said), caught.value.message
    assert caught.value.message.isprintable() and caught.value.hint and caught.value.setting == SETTING
    assert capfd.readouterr() == ("", "")
