"""What can be wrong with a store, said so that somebody can do something about it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from cadran.problems import Position, Problem, ProblemsFound

PATIENCE = 30  # seconds for which a writer waits for another one
_BUSY = f"is busy: another process has been writing to it for {PATIENCE} seconds"
_FULL = "make room on the disk; nothing of what was written before is lost"


class StoreError(ProblemsFound):
    """The store cannot be opened, read or written: a problem with the store's place in ``message`` and a way out in ``hint``."""

    def __init__(self, message: str, hint: str = "", where: Position | None = None) -> None:
        self.message, self.hint = message, hint
        super().__init__([Problem("state-store", message, where, "state", hint)])


@contextmanager
def told(place: str) -> Iterator[None]:
    """What the database says, as a StoreError about ``place``. Refused rows (IntegrityError) and mistakes of cadran's own pass."""
    try:
        yield
    except exc.TimeoutError as error:
        raise StoreError(f"{place}: no connection became free", "try again later") from error
    except exc.DBAPIError as error:
        if isinstance(error, exc.IntegrityError | exc.ProgrammingError | exc.DataError):
            if (found := _refused(place, error)) is not None:
                raise found from error
            raise
        raise trouble(place, error.orig) from error


def trouble(place: str, error: BaseException | None) -> StoreError:
    """What a driver's error means. Never quotes a URL: drivers name the host and the user, not the password."""
    said = _said(error)
    embedded = isinstance(error, sqlite3.Error)
    for pattern, message, hint in _SQLITE if embedded else _POSTGRES:
        if re.search(pattern, said):
            return StoreError(f"{place} {message}" if embedded else f"{place} {message}: {said}", hint)
    return StoreError(f"{place}: {said}", "see that the database is whole and reachable, then try again")


def _said(error: BaseException | None) -> str:
    """The first line of what the driver says; it may be about several addresses."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(":") if lines else type(error).__name__


def _refused(place: str, error: exc.DBAPIError) -> StoreError | None:
    """What the server or the driver does not accept of the settings; None where a statement of cadran's is wrong."""
    said = _said(error.orig)
    for pattern, message, hint in _SETTINGS:
        if re.search(pattern, said):
            return StoreError(f"{place} {message}: {said}", hint)
    return None


_SETTINGS = [
    (
        r"permission denied|no schema has been selected",
        "may not be used",
        "let the user of state.url use its schema and make tables there, or name a schema that it owns",
    ),
    (
        r"relation .* does not exist",
        "has lost its tables",
        "put a backup in their place; once the whole schema is dropped, cadran begins a new one",
    ),
    (
        r"invalid connection option|invalid URI|missing \"=\"",
        "cannot be reached",
        "check what stands behind the question mark of state.url, or leave it out",
    ),
]
_SQLITE = [
    (
        r"file is not a database|malformed|file is encrypted",
        "is damaged: SQLite cannot read it",
        "put a backup in its place, or try 'sqlite3 state.db .recover'; moved away, cadran begins a new one and no longer "
        "knows what it sent and which alerts fire",
    ),
    (
        r"database is locked|database table is locked|database schema is locked",
        _BUSY,
        "wait until that one is done, or end it; on a network share SQLite's locks do not work, so set state.url to PostgreSQL there",
    ),
    (
        r"readonly database|read-only|attempt to write",
        "cannot be written",
        "let this user write the file and its folder, or set state.url to a PostgreSQL database",
    ),
    (
        r"unable to open database file|disk I/O error",
        "cannot be opened",
        "let this user write the file and the folder .cadran that it lies in; on a network share set state.url to PostgreSQL",
    ),
    (r"database or disk is full", "cannot grow: the disk is full", _FULL),
]
_POSTGRES = [
    (
        r"password authentication failed|no password supplied|role .* does not exist|no pg_hba.conf entry",
        "does not let us in",
        "check the user and the password in state.url",
    ),
    (r"database .* does not exist", "is not there", "create the database, or name another one in state.url"),
    (
        r"[Cc]onnection (timeout|refused)|could not translate|failed to resolve|[Nn]ame or service|Network is unreachable|"
        r"No route to host|connection failed|timeout expired|SSL",
        "cannot be reached",
        "see that the server runs and that the host and the port in state.url are right",
    ),
    (
        r"closed the connection|terminating connection|connection is lost|connection was lost|consuming input failed",
        "went away in the middle: this step is done as a whole or not at all",
        "try again",
    ),
    (r"lock timeout", _BUSY, "try again later"),
    (r"read-only transaction|recovery", "cannot be written", "name the primary server in state.url, not a copy"),
]  # fmt: skip
