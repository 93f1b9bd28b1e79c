"""The sample project and real public data, moved into databases: every figure is the embedded run's.

Exactly so for counts and decimals, within 1e-9 for floats; SQLite stores decimals as floats. With CADRAN_FULL=1 (make
test-full) every project runs on every database, with pushdown and without; else a selection.
"""

from __future__ import annotations

import datetime as dt
import math
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import cadran
from cadran.compute.results import Results, Row
from differential.moving import Duckdb, MariaDB, Postgres, Spark, Sqlite, Target, moved, refusals

ROOT = Path(__file__).resolve().parents[2]
PUBLIC = Path(os.environ.get("CADRAN_PUBLIC_DATA", ROOT.parent / "shared" / "acceptance"))
FULL = os.environ.get("CADRAN_FULL") == "1"
EVER = dt.date(1990, 1, 1)
COMPARED = ("value", "base", "previous", "year_ago", "change", "target", "status", "state")

# project → its folder, the clock, since when, and where it runs when not all is run.
PROJECTS = {
    "shipped": (ROOT, dt.date(2026, 7, 1), None, ("postgres", "duckdb")),
    "jaffle_shop": (PUBLIC / "jaffle_shop", dt.date(2026, 1, 1), EVER, ("postgres", "mariadb", "sqlite", "duckdb", "spark")),
    "northwind": (PUBLIC / "northwind", dt.date(2026, 1, 1), EVER, ("postgres", "mariadb", "sqlite", "duckdb")),
    "telco_churn": (PUBLIC / "telco_churn", dt.date(2026, 1, 1), EVER, ("postgres", "mariadb", "sqlite", "duckdb")),
    "chinook": (PUBLIC / "chinook", dt.date(2026, 1, 1), EVER, ("postgres", "mariadb", "duckdb")),
    "cdnow": (PUBLIC / "cdnow", dt.date(2026, 1, 1), EVER, ("sqlite",)),
}  # fmt: skip
DATABASES = ("postgres", "mariadb", "sqlite", "duckdb", "spark")
CASES = [
    pytest.param(
        name, database, pushdown, marks=[pytest.mark.xdist_group("spark")] if database == "spark" else []
    )
    for name, (*_, selected) in PROJECTS.items()
    for database in DATABASES
    for pushdown in ("auto", "off")
    if FULL or (database in selected and (pushdown == "auto" or name in ("jaffle_shop", "telco_churn")))
]


@pytest.fixture
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """An empty database of the kind that the test's parameter names."""
    match request.param:
        case "postgres":
            made: Any = Postgres(request.getfixturevalue("postgres"))
        case "mariadb":
            made = MariaDB(request.getfixturevalue("mariadb"))
        case "spark":
            made = Spark(*request.getfixturevalue("spark"), tmp_path)
        case "sqlite":
            made = Sqlite(tmp_path)
        case _:
            made = Duckdb(tmp_path)
    yield made
    if hasattr(made, "drop"):
        made.drop()


@cache
def embedded(name: str) -> Results:
    folder, clock, since, _ = PROJECTS[name]
    return cadran.open(folder).run(as_of=clock, since=since, analyses="all")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "target", "pushdown"), CASES, indirect=["target"])
def test_the_figures_are_the_same(name: str, target: Target, pushdown: str, tmp_path: Path) -> None:
    folder, clock, since, _ = PROJECTS[name]
    if not folder.is_dir():
        pytest.skip("the public data is not beside this checkout")
    there = cadran.open(moved(cadran.open(folder), target, tmp_path, pushdown=pushdown))
    exact = (
        not isinstance(target, Sqlite) and name != "chinook"
    )  # whose decimals SQLite has made floats already
    with refusals() as refused:
        found = there.run(as_of=clock, since=since, analyses="all")
    assert differences(embedded(name), found, exact=exact) == []
    assert found.answers == embedded(name).answers
    assert refused == []


@pytest.mark.slow
@pytest.mark.parametrize("target", ["postgres"], indirect=True)
def test_sources_are_mixed(target: Target, tmp_path: Path) -> None:
    """The CRM's tables in a database, those of the finance department in files: each part runs where its data is."""
    finance = f"connector: files, path: {ROOT / 'data' / 'finance'}, delimiter: ';', decimal: ',', encoding: cp1252, date_format: '%d/%m/%Y'"
    kpis = ["cac", "acquisition_roi", "revenue"]
    expected = cadran.open(ROOT).run(kpis, as_of=dt.date(2026, 7, 1), full=True)
    file = moved(cadran.open(ROOT), target, tmp_path, beside={"finance": finance})
    there = cadran.open(file, allow_paths=[ROOT])
    assert differences(expected, there.run(kpis, as_of=dt.date(2026, 7, 1)), exact=True) == []
    text = there.explain("cac", as_of=dt.date(2026, 7, 1), analyze=True)
    assert "-- runs at crm" in text  # the customers
    assert re.search(r"^\S*costs\S* +here ", text, re.MULTILINE)  # the costs, over files


def differences(expected: Results, found: Results, *, exact: bool) -> list[str]:
    """One line for each row that only one side has, and for each field that differs."""
    ours, theirs = _by_key(expected), _by_key(found)
    assert ours
    out = [f"{key}: only on one side" for key in ours.keys() ^ theirs.keys()]
    for key in ours.keys() & theirs.keys():
        for field in COMPARED:
            one, other = getattr(ours[key], field), getattr(theirs[key], field)
            if not _same(one, other, exact):
                out.append(f"{key} {field}: embedded {one!r}, there {other!r}")
    return sorted(out)[:20]


def _by_key(results: Results) -> dict[tuple[object, ...], Row]:
    return {(r.kpi, r.grain, r.period, r.segment, r.segment_value): r for r in results}


def _same(one: object, other: object, exact: bool) -> bool:
    if one is None or other is None or isinstance(one, str):
        return one == other
    assert isinstance(other, (int, float)) or hasattr(other, "as_tuple")
    if exact and not isinstance(one, float):
        return one == other and type(one) is type(other)
    return math.isclose(float(one), float(other), rel_tol=1e-9, abs_tol=1e-9)  # type: ignore[arg-type]
