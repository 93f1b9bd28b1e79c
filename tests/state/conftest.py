"""Both stores for tests: an SQLite file in a folder of its own, and a PostgreSQL schema that is dropped afterwards."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cadran.state.store.store import Store, open_store


@dataclass(frozen=True)
class Place:
    """Where a store lies: what ``open_store`` takes."""

    folder: Path
    url: str = ""
    schema: str = ""

    def open(self) -> Store:
        return open_store(self.folder, self.url, self.schema)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.xdist_group("postgres"))])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Where nothing lies yet."""
    if request.param == "sqlite":
        yield Place(tmp_path)
        return
    import sqlalchemy

    url: Any = request.getfixturevalue("postgres_database")
    schema = f"cadran_{secrets.token_hex(6)}"
    yield Place(tmp_path, url.render_as_string(hide_password=False), schema)
    engine = sqlalchemy.create_engine(url.set(drivername="postgresql+psycopg"), poolclass=sqlalchemy.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"SET lock_timeout = '10s'; DROP SCHEMA IF EXISTS {schema} CASCADE")


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    """An open store with nothing in it."""
    opened = place.open()
    yield opened
    opened.close()
