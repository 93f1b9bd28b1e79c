"""Both stores, empty, for tests of what is kept in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cadran.state.store.store import Store, open_store

STORES = ("sqlite", "postgres")


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store: a file, then a schema of PostgreSQL."""
    made = open_store(tmp_path, *_where(request))
    yield made
    made.close()


@pytest.fixture(params=STORES)
def where(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str, str]:
    """Where a store is to be: what :func:`open_store` takes, for processes that open it themselves."""
    url, schema = _where(request) or ("", "")
    return tmp_path, url, schema


def _where(request: pytest.FixtureRequest) -> tuple[Any, ...]:
    if request.param == "sqlite":
        return ()
    server = request.getfixturevalue("postgres")
    return server.url, server.name
