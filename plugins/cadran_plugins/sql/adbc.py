"""ADBC: the same rows several times faster than through psycopg, on a second connection that joins the first one's snapshot."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from typing import Any

from cadran_plugins.sql.database import Chunk


@cache
def installed() -> bool:
    """Whether PostgreSQL's driver is there; nothing is imported for the answer."""
    return find_spec("adbc_driver_manager") is not None and find_spec("adbc_driver_postgresql") is not None


def errors() -> tuple[type[Exception], ...]:
    if not installed():
        return ()
    from adbc_driver_manager import Error

    return (Error, AdbcError)


class AdbcError(Exception):
    """A stream broke off, ``after`` so many seconds."""

    def __init__(self, message: str, after: float) -> None:
        super().__init__(message.partition("ERROR: ")[2].strip() or message)
        self.after = after


class AdbcReader:
    """One connection inside one transaction."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._running: Any = None

    def run(self, statement: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)

    def chunks(self, sql: str) -> Generator[Chunk]:
        """Arrays of a few megabytes each."""
        self.run("SAVEPOINT cadran")
        failed, started = True, time.monotonic()
        try:
            with self._connection.cursor() as cursor:
                self._running = cursor
                cursor.execute(sql)
                with cursor.fetch_record_batch() as batches:
                    for batch in batches:
                        if batch.num_rows:
                            yield batch.columns
            failed = False
        except OSError as error:  # Arrow's way to hand on what the driver says, without the server's code
            raise AdbcError(str(error), time.monotonic() - started) from error
        finally:
            self._running = None
            with suppress(*errors()):  # a lost connection has said so already
                self.run("ROLLBACK TO SAVEPOINT cadran" if failed else "RELEASE SAVEPOINT cadran")

    def cancel(self) -> None:
        running = self._running
        if running is not None:
            running.adbc_cancel()

    def close(self) -> None:
        with suppress(*errors()):
            self._connection.close()


def joined(info: Any, begin: Sequence[str]) -> AdbcReader | None:
    """A reader to the server that psycopg is connected to (its ``info``); None where it cannot join, for any reason."""
    from adbc_driver_postgresql import dbapi
    from psycopg.conninfo import make_conninfo

    settings = info.get_parameters() | {
        "host": info.host,
        "port": info.port,
        "password": info.password or None,
    }
    try:
        reader = AdbcReader(dbapi.connect(make_conninfo(**settings), autocommit=True))
    except errors():
        return None
    try:
        for statement in begin:
            reader.run(statement)
    except errors():
        reader.close()
        return None
    return reader
