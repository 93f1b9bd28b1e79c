"""A value that makes a column text is named, with what to do; DuckDB's own words would blame a good one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import cadran

SOURCE = 'version: 1\nsources: {f: {connector: files, path: ., delimiter: ";"%s}}\n'
REST = """\
datasets: {sales: {from: f.sales, key: id, date: jour}}
kpis: {revenue: {formula: 'sum(sales."Montant HT")', period: month}}
"""
COMMA, DATES = ', decimal: ","', ', date_format: "%d/%m/%Y"'


@pytest.mark.parametrize(
    ("options", "rows", "said"),
    [
        (
            COMMA,
            ["28/11/2025;12,50", "29/11/2025;7,25"],
            ["'28/11/2025'", "'jour'", 'date_format: "%d/%m/%Y"'],
        ),
        (
            COMMA + DATES,
            ["28/11/2025;12,50", "2025-11-29;7,25", "30/11/2025;1,00"],
            ["'2025-11-29'", "is not written like the other dates ('28/11/2025')", "types:"],
        ),
        (
            COMMA + DATES,
            ["28/11/2025;12,50", "29/11/2025;1 234,56", "30/11/2025;1,00"],
            ["'1 234,56' in column 'Montant HT' is not a number", "like '1,00'", "types:"],
        ),
        (
            COMMA + DATES,
            ["28/11/2025;12,50", "9/11/2025;7,25", "30/11/25;1,00"],
            ["'30/11/25' in column 'jour' is not written like the other dates ('28/11/2025')", "types:"],
        ),
        (
            COMMA + DATES,
            ["28/11/2025;12,50", "29/11/2025;1250.50", "30/11/2025;100,25"],
            [
                "'1250.50' in column 'Montant HT' is not written like the other numbers ('100,25')",
                "correct it",
            ],
        ),
        (DATES, ["28/11/2025;12,50", "29/11/2025;7,25"], ["'12,50'", 'decimal: ","']),
    ],
)
def test_the_odd_value_is_named(tmp_path: Path, options: str, rows: list[str], said: list[str]) -> None:
    lines = [f"{number};{row}" for number, row in enumerate(rows)]
    (tmp_path / "sales.csv").write_text("\n".join(["id;jour;Montant HT", *lines]), encoding="utf-8")
    (tmp_path / "kpis.yaml").write_text(SOURCE % options + REST, encoding="utf-8")
    with pytest.raises(cadran.ProblemsFound) as found:
        cadran.open(tmp_path).run(as_of="2026-01-01")
    (problem,) = found.value.problems
    assert problem.where is not None
    for part in said:
        assert part in str(problem)


@pytest.mark.parametrize(
    ("rows", "said", "not_said"),
    [
        (["web;12", "web;7", "télé;1"], ["column 'jour' holds text, not dates", "date_format"], "unlike"),
        (["2026-01-01;12", "web;7", "télé;1"], ["column 'jour' holds text, not dates"], "written like"),
        (
            ["2026-01-01;12", "2026-01-02;7", "web;1"],
            ["'web'", "not written like the other dates"],
            "holds text",
        ),
        (["28 mars 2026;12", "29 avril 2026;7", "web;1"], ["'web'"], "holds text"),
        (
            ["2026-01-01;a", "2026-01-02;b", "2026-01-03;1"],
            ["needs numbers, and this is text"],
            "most are written",
        ),
    ],
)
@pytest.mark.parametrize("database", [False, True])
def test_others_are_dates_only_where_most_are(
    tmp_path: Path, rows: list[str], said: list[str], not_said: str, database: bool
) -> None:
    lines = [f"{number};{row}" for number, row in enumerate(rows)]
    source = SOURCE % ""
    if database:
        with closing(sqlite3.connect(tmp_path / "s.sqlite")) as made:
            made.execute('create table sales (id integer, jour text, "Montant HT" text)')
            made.executemany("insert into sales values (?, ?, ?)", [line.split(";") for line in lines])
            made.commit()
        source = "version: 1\nsources: {f: {connector: sql, url: 'sqlite:///s.sqlite'}}\n"
    (tmp_path / "sales.csv").write_text("\n".join(["id;jour;Montant HT", *lines]), encoding="utf-8")
    (tmp_path / "kpis.yaml").write_text(source + REST, encoding="utf-8")
    with pytest.raises(cadran.ProblemsFound) as found:
        cadran.open(tmp_path).run(as_of="2026-06-01")
    text = str(found.value.problems[0])
    for part in said:
        if not (database and part == "date_format"):
            assert part in text
    assert not_said not in text
    if database and "needs numbers" not in text:
        assert "'sql:'" in text and "types:" not in text and "date_format" not in text
