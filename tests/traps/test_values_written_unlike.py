"""A value that makes a column text is named, with what to do; DuckDB's own words would blame a good one."""

from __future__ import annotations

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
