"""Columns that may hold what their type does not promise: looked through first, and computed at the source where they are clean.

Where one is not, the rows are pulled, so that a run says just what it says with ``pushdown: off``: the error with the
value, or the figures if no row with such a value is needed.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import cadran
from cadran.problems import ProblemsFound
from servers import Server

PROJECT = """\
version: 1
sources: {{wh: {{connector: sql, url: "{url}", pushdown: {pushdown}}}}}
datasets: {{orders: {{from: wh.orders, key: id, date: day}}}}
segments: {{paid: {{orders: paid}}}}
kpis:
  orders: {{formula: count(orders), period: month}}
  paid: {{formula: count(orders) filter (where paid), period: month}}
  open: {{formula: count(orders) filter (where not paid), period: month, segment: paid}}
  known: {{formula: count(orders) filter (where paid is not null and paid = true), period: month}}
"""
CLEAN = [(1, "2026-01-05", 1), (2, "2026-01-06", 0), (3, "2026-02-07", None), (4, "2026-02-08", 1)]
Run = Callable[[str, str], Any]


@pytest.fixture(params=["mariadb", "sqlite"])
def over(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[list[Any]], Run]:
    """Fills the table, and gives a function that calls a method of the project with pushdown or without."""

    def filled(rows: list[Any]) -> Run:
        if request.param == "sqlite":
            url = "sqlite:///shop.sqlite"
            with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as database:
                database.execute("create table orders (id integer, day date, paid boolean)")
                database.executemany("insert into orders values (?, ?, ?)", rows)
                database.commit()
        else:
            server: Server = request.getfixturevalue("mariadb")
            url = server.url
            server.run("create table orders (id int, day date, paid boolean)")
            for i, day, paid in rows:
                server.run(f"insert into orders values ({i}, '{day}', {'null' if paid is None else paid})")
        return lambda pushdown, what: _called(tmp_path, PROJECT.format(url=url, pushdown=pushdown), what)

    return filled


def _called(folder: Path, text: str, what: str) -> Any:
    (folder / "kpis.yaml").write_text(text, encoding="utf-8")
    project = cadran.open(folder)
    if what == "explain":
        return project.explain("paid", as_of=dt.date(2026, 3, 1))
    found = project.run(as_of=dt.date(2026, 3, 1), since=dt.date(2026, 1, 1), full=True)
    return {(r.kpi, r.period, r.segment_value): r.value for r in found}


def test_clean_columns_are_computed_with_at_the_source(over: Callable[[list[Any]], Run]) -> None:
    run = over(CLEAN)
    assert "runs at wh" in run("auto", "explain")
    figures = run("auto", "run")
    assert figures == run("off", "run")
    assert figures["paid", "2026-01", ()] == 1 and figures["open", "2026-01", ("false",)] == 1


def test_another_value_is_the_same_error_as_when_rows_are_pulled(over: Callable[[list[Any]], Run]) -> None:
    run = over([*CLEAN, (5, "2026-02-09", 5)])
    said = []
    for pushdown in ("auto", "off"):
        with pytest.raises(ProblemsFound) as caught:
            run(pushdown, "run")
        said.append([p.message for p in caught.value.problems])
    assert said[0] == said[1]
    assert "column 'paid' holds '5', which is neither 0 nor 1" in said[0][0]
