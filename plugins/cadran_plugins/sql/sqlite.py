"""SQLite files: opened read-only, never created, one snapshot for the whole run."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Generator, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy

from cadran_plugins.sql.address import Address
from cadran_plugins.sql.alchemy import AlchemyDatabase
from cadran_plugins.sql.columns import Field
from cadran_plugins.sql.config import Settings
from cadran_plugins.sql.database import Chunk
from cadran_plugins.sql.sqlite_types import by_storage, declared
from cadran_plugins.sql.trouble import Kind

_STEPS = 20_000  # of SQLite's machine between two looks at the clock
_SHAPE = "cadran_shape"


class SqliteDatabase(AlchemyDatabase):
    """``path`` has been checked to lie inside the project."""

    product = "SQLite"
    errors = (sqlite3.Error, sqlalchemy.exc.SQLAlchemyError)

    def __init__(self, address: Address, settings: Settings, zone: str, path: Path) -> None:
        super().__init__(address, settings, zone)
        self.path = path
        self.timed_out = False
        self._left = settings.timeout  # seconds that the running query still has
        self._since: float | None = None  # when it was last asked to go on

    def _make_engine(self) -> sqlalchemy.Engine:
        return sqlalchemy.create_engine("sqlite://", creator=self._connect, poolclass=sqlalchemy.NullPool)

    def _connect(self) -> sqlite3.Connection:
        made = sqlite3.connect(
            f"{self.path.as_uri()}?mode=ro",
            uri=True,
            isolation_level=None,  # transactions are begun here, not by the driver
            timeout=self.settings.wait,
            check_same_thread=False,
        )
        made.set_progress_handler(self._stop, _STEPS)
        return made

    def _begin(self, connection: sqlalchemy.Connection) -> None:
        driver: Any = connection.connection.driver_connection
        driver.execute("BEGIN")
        driver.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # from here on it sees one state

    def _stop(self) -> bool:
        """Asked by SQLite from time to time while it works."""
        self.timed_out = self._since is not None and time.monotonic() - self._since > self._left
        return self.cancelled or self.timed_out

    # --- names -------------------------------------------------------------------------------------------------------

    @property
    def default_schema(self) -> str:
        return ""

    def schemas(self) -> list[str]:
        return ["main"]

    # --- queries -----------------------------------------------------------------------------------------------------

    def describe(self, sql: str) -> list[Field]:
        """A view of the query knows which column of which table each of its columns is, and so the declared type."""
        driver = self.driver
        driver.execute(f"CREATE TEMP VIEW {_SHAPE} AS {sql}")
        try:
            columns = driver.execute(f"PRAGMA temp.table_xinfo({_SHAPE})").fetchall()
        finally:
            driver.execute(f"DROP VIEW temp.{_SHAPE}")
        names = {name.casefold() for _, name, *_ in columns}
        return [declared(_as_written(name, names), kind or "") for _, name, kind, *_ in columns]

    def settled(self, sql: str, fields: Sequence[Field]) -> list[Field]:
        open_ = [f for f in fields if not f.type]
        kinds = ("integer", "real", "text", "blob")
        asked = ", ".join(f"max(typeof({self.quoted([f.name])}) = '{k}')" for f in open_ for k in kinds)
        row = self._timed(lambda: self.driver.execute(f"SELECT {asked} FROM ({sql})").fetchone())
        found = {
            f.name: by_storage(
                f.name, {k for k, is_ in zip(kinds, row[4 * i : 4 * i + 4], strict=True) if is_}
            )
            for i, f in enumerate(open_)
        }
        return [found.get(f.name, f) for f in fields]

    def chunks(self, sql: str, fields: Sequence[Field]) -> Generator[Chunk]:  # noqa: ARG002 - nothing is cast
        self._left, self.timed_out = self.settings.timeout, False
        cursor = self._timed(lambda: self.driver.execute(sql))
        try:
            while rows := self._timed(lambda: cursor.fetchmany(self.settings.rows_per_page)):
                yield list(zip(*rows, strict=True))
        finally:
            cursor.close()

    def _timed(self, work: Any) -> Any:
        """Only the time that SQLite itself takes counts, not what is done with the rows between two pages."""
        self._since = time.monotonic()
        try:
            return work()
        finally:
            self._left -= time.monotonic() - self._since
            self._since = None

    def row_of(self, path: Sequence[str], column: str, value: object) -> str:
        asked = f"SELECT rowid FROM {self.quoted(path)} WHERE {self.quoted([column])} IS ? LIMIT 1"
        try:
            row = self.driver.execute(asked, (value,)).fetchone()
        except sqlite3.Error:
            return ""  # a view, or a table without one
        return f"rowid {row[0]}" if row and row[0] is not None else ""

    def cancel(self) -> None:
        self.cancelled = True
        if self._open is not None:
            self.driver.interrupt()

    def classify(self, error: BaseException) -> Kind:
        text = str(error)
        if "interrupted" in text:
            return Kind.CANCELLED if self.cancelled else Kind.TIMEOUT
        for words, kind in _WORDS.items():
            if words in text:
                return kind
        return Kind.OTHER


_WORDS = {
    "locked": Kind.LOCKED,
    "readonly": Kind.WRITING,
    "no such table": Kind.GONE,
    "no such column": Kind.GONE,
    "syntax error": Kind.SYNTAX,
    "not a database": Kind.NOT_A_DATABASE,
    "malformed": Kind.NOT_A_DATABASE,
    "unable to open": Kind.NOT_A_DATABASE,
    "UTF-8": Kind.OTHER,
}


def _as_written(name: str, names: Collection[str]) -> str:
    """The second of two columns of one name is called ``name:1`` in a view; that there are two has to be said."""
    first, _, number = name.rpartition(":")
    return first if number.isdigit() and first.casefold() in names else name
