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
from differential.moving import MariaDB, Postgres, Sqlite, moved
from properties.compare import answers_of, differences, naive_answers, on_random_project
from properties.render import Project

EXAMPLES = int(os.environ.get("CADRAN_DATABASE_EXAMPLES", "3"))


@pytest.mark.slow
@pytest.mark.parametrize("pushdown", ["auto", "off"])
@pytest.mark.parametrize("database", ["postgres", "mariadb", "sqlite"])
@pytest.mark.parametrize("number", range(EXAMPLES))
def test_the_database_agrees_with_the_naive_evaluator(
    number: int, database: str, pushdown: str, request: pytest.FixtureRequest
) -> None:
    server: Any = None if database == "sqlite" else request.getfixturevalue(database)

    def unlike_python(project: Project) -> list[str]:
        with tempfile.TemporaryDirectory() as folder, _target(database, server, Path(folder)) as target:
            there = moved(cadran.open(project.write(Path(folder))), target, Path(folder), pushdown=pushdown)
            found = answers_of(there, project)
        return differences(project, found, naive_answers(project), exact=database != "sqlite")

    on_random_project(1000 + number, unlike_python)


@contextmanager
def _target(database: str, server: Any, folder: Path) -> Iterator[Any]:
    made: Any = {"postgres": lambda: Postgres(server), "mariadb": lambda: MariaDB(server), "sqlite": lambda: Sqlite(folder)}[database]()  # fmt: skip
    try:
        yield made
    finally:
        if database != "sqlite":
            made.drop()
