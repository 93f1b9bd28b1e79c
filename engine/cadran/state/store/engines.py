"""Connections to both kinds of stores, made to behave alike: one writer at a time, readers that see one moment.

SQLite says what it needs in https://www.sqlite.org/wal.html and pragma.html. On PostgreSQL a lock that ends with the
transaction (https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS) stands for SQLite's one writer, and
READ COMMITTED shows each statement behind it all that earlier writers have left. So what holds on one store holds on the other.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from contextlib import closing, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, make_url, text

from cadran.state import durable
from cadran.state.store.trouble import PATIENCE, StoreError, trouble

_WRITES = "cadran_writes"
_WAL_KEPT = 64 * 1024 * 1024  # bytes that the log beside the file may keep once it is empty
_URL = "postgresql://user:password@host/database"


def writing(engine: Engine) -> Engine:
    """The same engine, whose transactions hold the write lock from their first moment."""
    return engine.execution_options(**{_WRITES: True})


def reading(engine: Engine) -> Engine:
    """The same engine, whose transactions see one state of the store and can change nothing."""
    if engine.dialect.name == "sqlite":
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _writes(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get(_WRITES))


# --- SQLite ----------------------------------------------------------------------------------------------------------


def sqlite_engine(path: Path) -> Engine:
    """Of a file that is there, or that :func:`make_file` makes."""
    engine = create_engine(
        URL.create("sqlite", database=str(path)), hide_parameters=True, connect_args={"timeout": PATIENCE},
        pool_size=4, max_overflow=12, pool_timeout=PATIENCE,
    )  # fmt: skip
    event.listen(engine, "connect", _sqlite_connected)
    event.listen(engine, "begin", _sqlite_begins)
    return engine


def _sqlite_connected(connection: Any, _: object) -> None:
    # The driver begins no transaction by itself: it would do so too late, and not for tables that are made.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    # A power cut takes back nothing that was promised, such as that a message is on its way.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_KEPT}")


def _sqlite_begins(connection: Connection) -> None:
    writes = _writes(connection)
    connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if writes else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def make_file(path: Path) -> None:
    """An empty file that only its owner may read, with a write-ahead log, and able to shrink. Raises StoreError.

    For one process at a time; what is there already stays as it is.
    """
    try:
        # Closing a file that is there would take away the locks that this process has on it.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with closing(sqlite3.connect(path, timeout=PATIENCE)) as connection:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # has to come before the first table
            connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.Error as error:
        raise trouble(str(path), error) from error


def shrink(engine: Engine) -> None:
    """Gives the room of what was taken away back to the disk; left for another day where somebody reads or writes."""
    with closing(engine.raw_connection()) as connection:
        driver: Any = connection.driver_connection
        driver.execute("PRAGMA busy_timeout = 100")
        try:
            with suppress(sqlite3.OperationalError):
                # Each step gives back a page; a script is run to its last step, a statement only to its first.
                driver.executescript("PRAGMA query_only = OFF; PRAGMA incremental_vacuum;")
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            driver.execute(f"PRAGMA busy_timeout = {PATIENCE * 1000}")


def lock_of(path: Path) -> Path:
    """The file that :func:`durable.alone` locks while tables are made or changed, in a folder that is then there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_suffix(".lock")
        lock.touch(0o600)
    except OSError as error:
        raise _unwritable(path, error) from None
    return lock


def alone(path: Path) -> Any:
    """A context in which this process is the only one that makes or changes the store's tables."""
    return durable.alone(lock_of(path))


def _unwritable(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{path} cannot be written: {error.strerror or error}",
        "let this user write the project's folder, or set state.url to a PostgreSQL database",
    )


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


def postgres_url(url: str) -> URL:
    """The URL for psycopg. Raises StoreError, which never quotes it."""
    try:
        made = make_url(url)
    except (exc.ArgumentError, ValueError):
        hint = f"write {_URL}; signs such as @ : / in a password are written %40 %3A %2F"
        raise StoreError("state.url cannot be understood", hint) from None
    backend = made.drivername.partition("+")[0]
    if backend == "sqlite":
        hint = "leave it out: the SQLite file is .cadran/state.db in the project's folder"
        raise StoreError("state.url names an SQLite file", hint)
    if backend not in ("postgresql", "postgres"):
        hint = f"write {_URL}, or leave it out for an SQLite file in the project's folder"
        raise StoreError(f"state.url names a database that keeps no state: '{backend}'", hint)
    if not made.database:
        raise StoreError("state.url names no database", f"write {_URL}")
    return made.set(drivername="postgresql+psycopg")


def check_schema(schema: str) -> None:
    """Raises StoreError."""
    example = "write for instance 'schema: cadran_sales' beside url; it is made if it is not there"
    if not schema:
        raise StoreError("state.url is set, but no state.schema of the project's own", example)
    if len(schema.encode()) > 63 or schema.startswith("pg_") or "\0" in schema:
        raise StoreError(f"'{schema}' cannot be a schema of PostgreSQL", example)


def postgres_engine(url: URL, schema: str) -> Engine:
    """Connections that see the project's schema alone."""
    if find_spec("psycopg") is None:
        raise StoreError(
            "state in PostgreSQL needs psycopg, which is not installed", "pip install 'cadran[postgres]'"
        )
    defaults = {
        "connect_timeout": 10, "application_name": "cadran", "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3,
    }  # fmt: skip
    engine = create_engine(
        url, hide_parameters=True, connect_args={k: v for k, v in defaults.items() if k not in url.query},
        pool_size=4, max_overflow=12, pool_timeout=PATIENCE, pool_pre_ping=True, pool_recycle=1800,
    )  # fmt: skip
    quoted = engine.dialect.identifier_preparer.quote_identifier(schema)

    def connected(connection: Any, _: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET search_path = {quoted}")
            cursor.execute(f"SET lock_timeout = '{PATIENCE}s'")
        connection.commit()

    def begins(connection: Connection) -> None:
        if _writes(connection):
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key(schema)})

    event.listen(engine, "connect", connected, insert=True)  # before SQLAlchemy asks for the default schema
    event.listen(engine, "begin", begins)
    return engine


def lock_key(schema: str) -> int:
    """The number of the write lock of a schema, in the database's own numbering: 64 bits with a sign."""
    digest = hashlib.sha256(f"cadran state {schema}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)
