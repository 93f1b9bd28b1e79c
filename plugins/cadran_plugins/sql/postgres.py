"""PostgreSQL: one read-only transaction that sees one state, asked through psycopg, and through ADBC where it can join."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy

from cadran.plugins import ConfigError
from cadran_plugins.sql.alchemy import AlchemyDatabase, needed
from cadran_plugins.sql.columns import Field
from cadran_plugins.sql.database import Chunk
from cadran_plugins.sql.decimals import sized
from cadran_plugins.sql.postgres_types import UNDECIDED, field_of
from cadran_plugins.sql.trouble import Kind

if TYPE_CHECKING:
    from cadran_plugins.sql.adbc import AdbcReader

psycopg = needed("psycopg", "psycopg", "postgres")

_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_NAMES = """
    SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY c.relname
"""


class PostgresDatabase(AlchemyDatabase):
    """All names given out are qualified with their schema."""

    product = "PostgreSQL"
    _adbc: AdbcReader | None = None
    _snapshot = ""  # by which ADBC's connection sees the same; empty where it cannot
    _setup: Sequence[str] = ()

    def _make_engine(self) -> sqlalchemy.Engine:
        if self.address.driver not in ("", "psycopg"):
            hint = "write postgresql:// without another driver"
            raise ConfigError("PostgreSQL is read with psycopg", hint=hint, setting=("url",))
        url = self.url()
        if not ({"dbname", "service"} & url.query.keys() or {"PGDATABASE", "PGSERVICE"} & os.environ.keys()):
            url = self._named(url)
        return sqlalchemy.create_engine(
            url.set(drivername="postgresql+psycopg"),
            poolclass=sqlalchemy.NullPool,
            pool_reset_on_return=None,  # nothing is given back to be used again
            use_native_hstore=False,
            connect_args={
                "connect_timeout": max(2, round(self.settings.wait)),
                "application_name": "cadran",
                "prepare_threshold": None,  # proxies that share connections lose prepared statements
            },
        )

    def _begin(self, connection: sqlalchemy.Connection) -> None:
        from cadran_plugins.sql.adbc import installed

        driver: Any = connection.connection.driver_connection
        driver.rollback()
        driver.autocommit = True  # transactions are begun here, not by the driver
        driver.execute(_BEGIN)
        if self.settings.connections > 1 and installed():
            try:
                self._snapshot = driver.execute("SELECT pg_export_snapshot()").fetchone()[0]
            except psycopg.Error:  # some proxies and services do not allow it
                driver.execute("ROLLBACK")
                driver.execute(_BEGIN)
        self._setup = self._session(driver)

    def _session(self, driver: Any) -> Sequence[str]:
        """Settings for this transaction alone, so that a proxy hands none of them to somebody else."""
        zone = self.zone
        try:
            with driver.transaction():
                driver.execute(f"SET LOCAL TIME ZONE {_text(zone)}")
        except psycopg.Error:
            zone = self.server_zone = "UTC"
        path = f"SET LOCAL search_path = {self._preparer().quote_identifier(self.settings.schema)}, public"
        settings = [
            f"SET LOCAL TIME ZONE {_text(zone)}",
            f"SET LOCAL statement_timeout = {round(self.settings.timeout * 1000)}",
            "SET LOCAL idle_in_transaction_session_timeout = 0",  # it waits while rows are worked on
            "SET LOCAL DateStyle = 'ISO, YMD'",
            "SET LOCAL IntervalStyle = 'postgres'",
            "SET LOCAL bytea_output = 'hex'",
            *([path] if self.settings.schema else []),
        ]
        for setting in settings:
            driver.execute(setting)
        return settings

    def close(self) -> None:
        if self._adbc is not None:
            self._adbc.close()
            self._adbc = None
        super().close()

    # --- names -------------------------------------------------------------------------------------------------------

    @property
    def default_schema(self) -> str:
        if self.settings.schema:
            return self.settings.schema
        with self._kept_alive() as driver:
            return str(driver.execute("SELECT current_schema()").fetchone()[0] or "")

    def names(self, schema: str) -> list[str]:
        """Tables, views, materialized views and foreign tables."""
        with self._kept_alive() as driver:
            return [name for (name,) in driver.execute(_NAMES, (schema or self.default_schema,)).fetchall()]

    def schemas(self) -> list[str]:
        with self._kept_alive() as driver:
            return [n for (n,) in driver.execute("SELECT nspname FROM pg_catalog.pg_namespace").fetchall()]

    # --- queries -----------------------------------------------------------------------------------------------------

    @contextmanager
    def _kept_alive(self) -> Iterator[Any]:
        """A failed statement ends the transaction, and the snapshot with it, unless a savepoint stands before it."""
        driver = self.driver
        with driver.transaction():
            yield driver

    def describe(self, sql: str) -> list[Field]:
        with self._kept_alive() as driver:
            cursor = driver.execute(f"SELECT * FROM ({sql}\n) AS q LIMIT 0")
            return [field_of(c.name, c.type_code, c.precision, c.scale) for c in cursor.description]

    def settled(self, sql: str, fields: Sequence[Field]) -> list[Field]:
        open_ = [f for f in fields if not f.type]
        asked = []
        for value in (UNDECIDED.format(f"c{n}") for n, f in enumerate(fields) if not f.type):
            asked += [
                f"max(length(trunc(abs({value}))::text))",
                f"max(scale({value}))",
                f"max(min_scale({value}))",
            ]
        with self._kept_alive() as driver:
            row = driver.execute(f"SELECT {', '.join(asked)} FROM {_aliased(sql, fields)}").fetchone()
        found = {f.name: sized(f.name, row[3 * n : 3 * n + 3], f.select) for n, f in enumerate(open_)}
        return [found.get(f.name, f) for f in fields]

    def chunks(self, sql: str, fields: Sequence[Field]) -> Generator[Chunk]:
        selected = ", ".join(f"{f.select.format(f'c{n}')} AS c{n}" for n, f in enumerate(fields))
        cast = f"SELECT {selected} FROM {_aliased(sql, fields)}"
        reader = self._reader()
        yield from reader.chunks(cast) if reader is not None else self._streamed(cast)

    def _streamed(self, sql: str) -> Generator[Chunk]:
        """Through a cursor of the server, so that only one page is held here."""
        spent = 0.0  # the server's own timeout is for each page
        with self._kept_alive() as driver, driver.cursor(name="cadran") as cursor:
            cursor.execute(sql)
            while True:
                started = time.monotonic()
                rows = cursor.fetchmany(self.settings.rows_per_page)
                spent += time.monotonic() - started
                if spent > self.settings.timeout:
                    raise psycopg.errors.QueryCanceled
                if not rows:
                    return
                yield list(zip(*rows, strict=True))

    def _reader(self) -> AdbcReader | None:
        driver = self.driver
        if self._adbc is None and self._snapshot:
            from cadran_plugins.sql import adbc

            begin = (_BEGIN, f"SET TRANSACTION SNAPSHOT {_text(self._snapshot)}", *self._setup)
            self._adbc = adbc.joined(driver.info, begin)
            if self._adbc is None:
                self._snapshot = ""  # asked once; psycopg gives the same rows
        return self._adbc

    def cancel(self) -> None:
        self.cancelled = True
        if self._adbc is not None:
            self._adbc.cancel()
        if self._open is not None:
            self.driver.cancel_safe(timeout=2)

    # --- errors ------------------------------------------------------------------------------------------------------

    @property
    def errors(self) -> tuple[type[Exception], ...]:  # type: ignore[override]
        from cadran_plugins.sql import adbc

        return (psycopg.Error, sqlalchemy.exc.SQLAlchemyError, *adbc.errors())

    def classify(self, error: BaseException) -> Kind:
        state = getattr(error, "sqlstate", None) or ""
        late = getattr(error, "after", 0) >= self.settings.timeout
        if self.cancelled and (state in ("", "57014") or late):
            return Kind.CANCELLED
        if "user request" in str(error) and state in ("", "57014"):  # as servers say it in English
            return Kind.STOPPED
        if state == "57014" or late:
            return Kind.TIMEOUT
        if not state and getattr(error, "status_code", None) == _CANCELLED:
            return Kind.STOPPED  # whoever it was, the server has not refused the query
        for begin, kind in _STATES.items():
            if state.startswith(begin):
                return kind
        if not state:  # libpq gives no code where it could not connect
            text = str(error)
            return next((kind for words, kind in _WORDS.items() if words in text), Kind.OTHER)
        return Kind.OTHER


_CANCELLED = 11  # AdbcStatusCode.CANCELLED
_STATES = {
    "08": Kind.LOST, "57P": Kind.LOST, "28": Kind.PASSWORD, "3D": Kind.NO_DATABASE, "53300": Kind.FULL,
    "42501": Kind.DENIED, "25006": Kind.WRITING, "42P01": Kind.GONE, "42703": Kind.GONE, "3F": Kind.GONE,
    "42": Kind.SYNTAX, "55P03": Kind.TIMEOUT,
}  # fmt: skip
_WORDS = {
    "system is": Kind.UNREACHABLE,  # … starting up, shutting down
    "password": Kind.PASSWORD, "authentication failed": Kind.PASSWORD, "role": Kind.PASSWORD,
    "pg_hba.conf": Kind.NOT_FROM_HERE, "database": Kind.NO_DATABASE, "too many": Kind.FULL,
    "resolve host": Kind.UNKNOWN_HOST, "translate host name": Kind.UNKNOWN_HOST,
    "refused": Kind.UNREACHABLE, "timeout": Kind.UNREACHABLE, "unreachable": Kind.UNREACHABLE, "timed out": Kind.UNREACHABLE,
    "closed": Kind.LOST, "lost": Kind.LOST, "terminat": Kind.LOST,
}  # fmt: skip


def _aliased(sql: str, fields: Sequence[Field]) -> str:
    """The query as a table whose columns are c0, c1 …: whatever their names are, they need no quoting and are unique."""
    return f"({sql}\n) AS q({', '.join(f'c{n}' for n in range(len(fields)))})"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
