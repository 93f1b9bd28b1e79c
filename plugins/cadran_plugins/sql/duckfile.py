"""DuckDB files: opened read-only with the duckdb package itself, shut off from all other files.

While it is open nobody can write to it, so that all queries see one state without a transaction.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from cadran.plugins import Context
from cadran_plugins.sql.address import Address
from cadran_plugins.sql.columns import (
    Field,
    Read,
    blobs,
    booleans,
    doubles,
    integers,
    iso_dates,
    iso_instants,
    iso_timestamps,
    texts,
    unsigned,
)
from cadran_plugins.sql.config import Settings
from cadran_plugins.sql.database import Chunk, Database
from cadran_plugins.sql.decimals import declared
from cadran_plugins.sql.trouble import Kind

_OFFLINE: dict[str, Any] = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
_TEXT = "{}::VARCHAR"
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_TYPES: dict[str, tuple[str, Read, str]] = {
    **dict.fromkeys(_WHOLE, ("BIGINT", integers, "{}::BIGINT")),
    "UBIGINT": ("UBIGINT", unsigned, "{}"),
    "FLOAT": ("DOUBLE", doubles, "{}::DOUBLE"),
    "DOUBLE": ("DOUBLE", doubles, "{}"),
    "BOOLEAN": ("BOOLEAN", booleans, "{}"),
    "BLOB": ("BLOB", blobs, "{}"),
    "DATE": ("DATE", iso_dates, _TEXT),
    "TIMESTAMP": ("TIMESTAMP", iso_timestamps, _TEXT),
    "TIMESTAMP_S": ("TIMESTAMP", iso_timestamps, _TEXT),
    "TIMESTAMP_MS": ("TIMESTAMP", iso_timestamps, _TEXT),
    "TIMESTAMP_NS": (
        "TIMESTAMP",
        iso_timestamps,
        "left({}::VARCHAR, 26)",
    ),  # cut, never rounded into another day
    "TIMESTAMP WITH TIME ZONE": (
        "TIMESTAMP WITH TIME ZONE",
        iso_instants,
        "({} AT TIME ZONE 'UTC')::VARCHAR",
    ),
}


class DuckdbDatabase(Database):
    """``path`` has been checked to lie inside the project."""

    product = "DuckDB"
    errors = (duckdb.Error,)

    def __init__(self, address: Address, settings: Settings, context: Context, path: Path) -> None:
        super().__init__(address, settings, context.zone)
        self.path, self.context = path, context
        self._open: duckdb.DuckDBPyConnection | None = None
        self._timed_out = False

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        if self._open is None:
            self._open = duckdb.connect(str(self.path), read_only=True, config=_OFFLINE)
            for statement in (
                f"SET TimeZone = '{self.zone}'",
                *([f"SET memory_limit = '{self.context.memory}'"] if self.context.memory else []),
                *([f"SET threads = {self.context.threads}"] if self.context.threads else []),
                "SET python_enable_replacements = false",
                "SET enable_external_access = false",
                "SET lock_configuration = true",
            ):
                self._open.execute(statement)
        return self._open

    def connect(self) -> None:
        assert self.connection is not None

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    # --- names -------------------------------------------------------------------------------------------------------

    @property
    def default_schema(self) -> str:
        return self.settings.schema or "main"

    def names(self, schema: str) -> list[str]:
        asked = "SELECT table_name FROM information_schema.tables WHERE table_catalog = current_database() AND table_schema = ?"
        return [n for (n,) in self.connection.execute(asked, [schema or self.default_schema]).fetchall()]

    def schemas(self) -> list[str]:
        asked = "SELECT schema_name FROM information_schema.schemata WHERE catalog_name = current_database()"
        return [n for (n,) in self.connection.execute(asked).fetchall()]

    def quoted(self, path: Sequence[str]) -> str:
        return ".".join(f'"{part.replace(chr(34), chr(34) * 2)}"' for part in path)

    # --- queries -----------------------------------------------------------------------------------------------------

    def describe(self, sql: str) -> list[Field]:
        rows = self.connection.execute(f"DESCRIBE SELECT * FROM ({sql}\n)").fetchall()
        return [_field(name, kind) for name, kind, *_ in rows]

    def settled(self, sql: str, fields: Sequence[Field]) -> list[Field]:  # noqa: ARG002
        return list(fields)  # DuckDB's own types fit DuckDB

    def chunks(self, sql: str, fields: Sequence[Field]) -> Generator[Chunk]:
        selected = ", ".join(f.select.format(f"c{n}") for n, f in enumerate(fields))
        columns = ", ".join(f"c{n}" for n in range(len(fields)))
        relation = self.connection.sql(f"SELECT {selected} FROM ({sql}\n) AS q({columns})")
        reader: Any = self._within(lambda: relation.to_arrow_reader(self.settings.rows_per_page))
        while (batch := self._within(lambda: next(reader, None))) is not None:
            yield batch.columns

    def _within(self, work: Callable[[], Any]) -> Any:
        with self._clock():
            return work()

    @contextmanager
    def _clock(self) -> Iterator[None]:
        """DuckDB keeps no time itself."""
        timer = threading.Timer(self.settings.timeout, self._late)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()

    def _late(self) -> None:
        self._timed_out = True
        self.connection.interrupt()

    def cancel(self) -> None:
        self.cancelled = True
        if self._open is not None:
            self._open.interrupt()

    def classify(self, error: BaseException) -> Kind:
        text = str(error)
        if isinstance(error, duckdb.InterruptException) or "Interrupted" in text:
            return Kind.TIMEOUT if self._timed_out else Kind.CANCELLED
        if "lock on file" in text:
            return Kind.LOCKED
        if isinstance(error, duckdb.IOException):
            return Kind.NOT_A_DATABASE
        if isinstance(error, duckdb.PermissionException):
            return Kind.DENIED
        if "read-only" in text:
            return Kind.WRITING
        return (
            Kind.GONE if isinstance(error, duckdb.CatalogException | duckdb.BinderException) else Kind.OTHER
        )


def _field(name: str, kind: str) -> Field:
    if found := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", kind):
        return declared(name, int(found[1]), int(found[2]), _TEXT)
    if kind in ("HUGEINT", "UHUGEINT"):
        return declared(name, 38, 0, _TEXT)
    type_, read, select = _TYPES.get(kind, ("VARCHAR", texts, _TEXT))
    return Field(name, type_, read, select)
