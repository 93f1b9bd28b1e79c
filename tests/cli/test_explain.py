"""``cadran explain`` on the shipped project: every KPI, and SQL that parses."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
import sqlglot

import cadran
from cadran.resources import folder as shipped_folder

from .user import call, project

ROOT = shipped_folder("templates").parent


@pytest.fixture(scope="module")
def shipped() -> cadran.Project:
    if not (ROOT / "kpis.yaml").is_file():
        pytest.skip("the sample project is part of the repository, not of the package")
    return cadran.open(ROOT, environ={})


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))  # so that several processes can share them
def test_every_kpi_of_the_shipped_project(shipped: cadran.Project, part: int) -> None:
    declaration, found = shipped.declaration()
    assert declaration is not None and not found
    names = [k.name for k in declaration.kpis.values() if k.reported and k.periods]
    assert len(names) > 30
    for name in names[part::4]:
        text = shipped.explain(name, as_of=dt.date(2026, 7, 1))
        assert name in text and declaration.kpis[name].formula.value in text
        statements = sql_in(text)
        assert statements, name
        for statement in statements:
            assert isinstance(sqlglot.parse_one(statement, read="duckdb"), sqlglot.exp.Select), name


def sql_in(text: str) -> list[str]:
    """The statements that an explanation shows: they begin with WITH or SELECT and end before a blank line."""
    return [
        block.strip()
        for block in re.findall(r"^ *(?:WITH|SELECT)\b.*?(?=\n\s*\n|\Z)", text, re.DOTALL | re.MULTILINE)
    ]


def test_a_small_one(tmp_path: Path) -> None:
    done = call(project(tmp_path), "explain", "revenue", "--as-of", "2026-07-01")
    assert done.code == 0
    assert "sum(orders.amount)" in done.out
    assert sql_in(done.out)
    assert done.out == call(tmp_path, "explain", "revenue", "--as-of", "2026-07-01").out
