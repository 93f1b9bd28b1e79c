"""The store of one project's state: an SQLite file in its folder, or a schema in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import Connection, Engine

from cadran.state.store import engines, migrate
from cadran.state.store.trouble import StoreError, told

__all__ = ["Store", "StoreError", "exists", "open_store"]


@dataclass(frozen=True, slots=True)
class Store:
    """``place`` is how messages call it: the file, or the server, database and schema. Threads may share it."""

    engine: Engine = field(repr=False)
    place: str
    file: Path | None = None  # of SQLite
    node: int | None = None  # which file that was when it was opened

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, the only one that writes while it lasts; all of it happens or nothing. Raises StoreError."""
        with told(self.place), engines.writing(self.engine).begin() as connection:
            self._check_file()
            migrate.check(connection, self.place)
            yield connection

    def _check_file(self) -> None:
        """What is written to a file that has no name any more is lost with this process. Raises StoreError."""
        if self.file is not None and _node(self.file) != self.node:
            hint = "start this process again, once the file is in its place"
            raise StoreError(f"{self.place} was taken away or replaced while it was in use", hint)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One transaction that sees one state of the store and can change nothing. Raises StoreError."""
        with told(self.place), engines.reading(self.engine).begin() as connection:
            yield connection

    def close(self) -> None:
        self.engine.dispose()


def _node(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except OSError:
        return None


def file_of(folder: Path) -> Path:
    """Where a project's SQLite file lies."""
    return folder / ".cadran" / "state.db"


def exists(folder: Path, url: str = "") -> bool:
    """Whether there may be something to read, told without making or asking anything."""
    return bool(url) or file_of(folder).exists()


def open_store(folder: Path, url: str = "", schema: str = "") -> Store:
    """The store of the project in ``folder``, made if it is not there, its tables brought to this version of cadran.

    With ``url`` (``postgresql://…``) it lies in ``schema`` there. Raises StoreError.
    """
    return _in_postgres(url, schema) if url else _in_file(file_of(folder))


def _in_file(path: Path) -> Store:
    store = Store(engines.sqlite_engine(path), str(path), path)
    try:
        with told(store.place):
            if not (path.exists() and migrate.current(store.engine, store.place)):
                with engines.alone(path):
                    engines.make_file(path)
                    migrate.upgrade(store.engine, store.place)
    except TimeoutError:
        store.close()
        hint = "wait until that one is done, or end it"
        raise StoreError(f"{path} is being prepared by another process, for a long time", hint) from None
    except BaseException:
        store.close()
        raise
    return replace(store, node=_node(path))


def _in_postgres(url: str, schema: str) -> Store:
    made = engines.postgres_url(url)
    engines.check_schema(schema)
    server = f"{made.host or 'localhost'}:{made.port}" if made.port else made.host or "localhost"
    store = Store(
        engines.postgres_engine(made, schema), f"PostgreSQL {server}/{made.database}, schema {schema},"
    )
    try:
        with told(store.place):
            if not migrate.current(store.engine, store.place):
                migrate.upgrade(store.engine, store.place, schema)
    except BaseException:
        store.close()
        raise
    return store
