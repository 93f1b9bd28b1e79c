"""Functions of plugins give the same where a database computes them and where rows are fetched; arguments are never text."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import cadran
from servers import Server

FUNCTIONS = """
from cadran.plugins import Function, FunctionEntry, hookimpl
SQL = {
    "half": Function("half(day)", ("date",), "integer", {
        "duckdb": "CASE WHEN month({0}) < 7 THEN 1 ELSE 2 END",
        "postgres": "CASE WHEN extract(month FROM {0}) < 7 THEN 1 ELSE 2 END",
        "mariadb": "CASE WHEN month({0}) < 7 THEN 1 ELSE 2 END",
        "sqlite": "CASE WHEN CAST(strftime('%m', {0}) AS INTEGER) < 7 THEN 1 ELSE 2 END"}),
    "gross": Function("gross(x)", ("number",), "number", {
        "duckdb": "{0} * 1.2", "postgres": "{0} * 1.2", "mysql": "{0} * 1.2"}),
    "initial": Function("initial(text, otherwise)", ("text", "text"), "text", {
        "duckdb": "coalesce(left({0}, 1), {1})", "postgres": "coalesce(left({0}, 1), {1})",
        "mysql": "coalesce(left({0}, 1), {1})", "sqlite": "coalesce(substr({0}, 1, 1), {1})"}),
    "root": Function("root(x)", ("double",), "double", {
        "duckdb": "sqrt(abs({0}))", "postgres": "sqrt(abs({0}))", "mysql": "sqrt(abs({0}))"}),
    "cheap": Function("cheap(x)", ("number",), "boolean", {
        "duckdb": "{0} < 50", "postgres": "{0} < 50", "mysql": "{0} < 50", "sqlite": "{0} < 50"}),
    "local": Function("local(x)", ("integer",), "integer", {"duckdb": "{0} % 3"}),
}
@hookimpl
def cadran_functions(): return [FunctionEntry(name, lambda f=f: f) for name, f in SQL.items()]
"""
PROJECT = """\
version: 1
plugins: ./local_plugins/words.py
sources: {{wh: {{connector: sql, url: "{url}", pushdown: {pushdown}}}}}
datasets:
  orders: {{from: wh.orders, key: id, date: day, columns: {{half: half(day), first: "initial(shop, '-')"}}}}
segments: {{half: {{orders: half}}, first: {{orders: first}}}}
kpis:
  halves: {{formula: count(orders), period: year, segment: [half, first]}}
  gross: {{formula: sum(gross(orders.amount)), period: month, segment: first}}
  quoted: {{formula: "count(orders) filter (where initial(orders.shop, 'it''s {{0}}') = 'it''s {{0}}')", period: month}}
  roots: {{formula: sum(root(orders.id)), period: month}}
  cheap: {{formula: "count(orders) filter (where cheap(orders.amount) and initial(orders.shop, 'x') <> 'a')", period: month}}
  here: {{formula: sum(local(orders.id)), period: month}}
"""
ROWS = [
    (1, "2026-01-05", "Lyon", "120.10"), (2, "2026-02-06", "lille", "49.99"), (3, "2026-02-07", None, "-0.05"),
    (4, "2026-07-08", "Évian", "50.00"), (5, "2026-07-09", "a", None), (6, "2026-12-31", "", "12.00"),
]  # fmt: skip
EVERYWHERE = {
    "halves",
    "cheap",
    "quoted",
}  # what all of them can say; SQLite has no exact decimals, and says nothing of root()


def literal(value: object) -> str:
    return "NULL" if value is None else f"'{value}'"


@pytest.fixture(params=["postgres", "mariadb", "sqlite", "duckdb"])
def over(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], cadran.Project]:
    """A function that gives the project over a filled table, with pushdown or without."""
    rows = ", ".join(f"({i}, '{day}', {literal(shop)}, {literal(amount)})" for i, day, shop, amount in ROWS)
    insert = f"insert into orders values {rows}"
    columns = "id int, day date, shop varchar(20), amount decimal(9, 2)"
    match request.param:
        case "sqlite":
            url = "sqlite:///shop.sqlite"
            with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as database:
                database.execute("create table orders (id integer, day date, shop text, amount real)")
                database.execute(insert)
                database.commit()
        case "duckdb":
            import duckdb

            url = "duckdb:///shop.duckdb"
            with closing(duckdb.connect(str(tmp_path / "shop.duckdb"))) as opened:
                opened.execute(f"create table orders ({columns})")
                opened.execute(insert)
        case _:
            server: Server = request.getfixturevalue(request.param)
            url = server.url
            server.run(f"create table orders ({columns})", insert)
    (tmp_path / "local_plugins").mkdir()
    (tmp_path / "local_plugins" / "words.py").write_text(FUNCTIONS)

    def project(pushdown: str) -> cadran.Project:
        (tmp_path / "kpis.yaml").write_text(PROJECT.format(url=url, pushdown=pushdown))
        return cadran.open(tmp_path)

    return project


def figures(project: cadran.Project) -> dict[Any, Any]:
    found = project.run(as_of=dt.date(2027, 1, 1), since=dt.date(2026, 1, 1), full=True)
    return {(r.kpi, r.period, r.segment, r.segment_value): r.value for r in found}


def test_answers_are_equal(over: Callable[[str], cadran.Project]) -> None:
    pushed, pulled = figures(over("auto")), figures(over("off"))
    assert pushed.keys() == pulled.keys()
    for key, value in pulled.items():
        wanted = pytest.approx(value, rel=1e-12) if isinstance(value, float) else value
        assert type(pushed[key]) is type(value) and pushed[key] == wanted, key
    assert pulled["quoted", "2026-02", (), ()] == 1


TITLES = {"postgres": "PostgreSQL", "mariadb": "MariaDB", "sqlite": "SQLite"}


def test_where_it_ran(over: Callable[[str], cadran.Project], request: pytest.FixtureRequest) -> None:
    where, project = request.node.callspec.params["over"], over("auto")
    assert "runs at wh" in project.explain("halves", as_of=dt.date(2027, 1, 1))
    said = project.explain("here", as_of=dt.date(2027, 1, 1))
    if where == "duckdb":  # what is the engine's own dialect needs no saying
        assert "runs at wh" in said
    else:
        assert "-- runs here: ./local_plugins/words.py" in said
        assert f"does not say local() for {TITLES[where]}" in said
