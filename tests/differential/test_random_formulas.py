"""The random projects of ``tests/properties`` on real databases, against the naive evaluator in plain Python."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import cadran
from differential.moving import MariaDB, Postgres, Spark, Sqlite, moved, refusals
from properties.compare import answers_of, differences, naive_answers, on_random_project
from properties.render import Project

EXAMPLES = int(os.environ.get("CADRAN_DATABASE_EXAMPLES", "3"))
FIRST = int(os.environ.get("CADRAN_DATABASE_SEED", "1000"))
ON_SPARK = 1  # of the examples that run unless asked for more: each takes Spark a quarter of a minute
CASES = [
    pytest.param(
        FIRST + number,
        database,
        pushdown,
        marks=[pytest.mark.xdist_group("spark")] if database == "spark" else [],
    )
    for number in range(EXAMPLES)
    for database in ("postgres", "mariadb", "sqlite", "spark")
    for pushdown in ("auto", "off")
    if database != "spark"
    or (number < ON_SPARK and pushdown == "auto")
    or "CADRAN_DATABASE_EXAMPLES" in os.environ
]


@pytest.mark.slow
@pytest.mark.parametrize(("number", "database", "pushdown"), CASES)
def test_the_database_agrees_with_the_naive_evaluator(
    number: int, database: str, pushdown: str, request: pytest.FixtureRequest
) -> None:
    server: Any = None if database == "sqlite" else request.getfixturevalue(database)

    def unlike_python(project: Project) -> list[str]:
        with tempfile.TemporaryDirectory() as folder, _target(database, server, Path(folder)) as target:
            there = moved(cadran.open(project.write(Path(folder))), target, Path(folder), pushdown=pushdown)
            with refusals() as refused:
                found = answers_of(there, project)
        return refused + differences(project, found, naive_answers(project), exact=database != "sqlite")

    on_random_project(number, unlike_python)


@contextmanager
def _target(database: str, server: Any, folder: Path) -> Iterator[Any]:
    made: Any = {
        "postgres": lambda: Postgres(server),
        "mariadb": lambda: MariaDB(server),
        "sqlite": lambda: Sqlite(folder),
        "spark": lambda: Spark(*server, folder),
    }[database]()
    try:
        yield made
    finally:
        if database != "sqlite":
            made.drop()
