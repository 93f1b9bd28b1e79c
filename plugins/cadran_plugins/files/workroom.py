"""The DuckDB in which a source's files become typed tables: one for all of them, since opening one takes longer than reading
a small file."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

from cadran.plugins import DataError
from cadran.plugins.typed.shapes import literal

if TYPE_CHECKING:
    import duckdb


class Workroom:
    """A DuckDB in memory that is opened for the first table, and spills into a folder which vanishes with it."""

    def __init__(self, memory: str = "", threads: int | None = None) -> None:
        self.memory, self.threads = memory, threads
        self._database: duckdb.DuckDBPyConnection | None = None
        self._emptied: weakref.finalize[..., Any] | None = None
        self._opening = Lock()

    def close(self) -> None:
        if self._database is not None and self._emptied is not None:
            self._database.close()
            self._emptied()
            self._database = None

    @contextmanager
    def table(self, name: str) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection for one table; its temporary tables are seen by no other. Raises DataError where memory does not suffice."""
        import duckdb

        with self._opening:
            con = self._opened().cursor()
        try:
            con.execute("SET TimeZone = 'UTC'")
            yield con
        except duckdb.OutOfMemoryException as error:
            message = f"table '{name}': reading it takes more than the {self.memory or '80% of memory'} that it may use, or more disk than there is"
            hint = "raise 'compute: {memory: …}', lower 'threads', or store it as Parquet"
            raise DataError(message, hint=hint) from error
        finally:
            con.close()

    def _opened(self) -> duckdb.DuckDBPyConnection:
        if self._database is None:
            import duckdb

            folder = tempfile.mkdtemp(prefix="cadran-")
            self._emptied = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            offline: dict[str, Any] = {
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            }
            self._database = duckdb.connect(":memory:", config=offline)
            self._database.execute(f"SET temp_directory = {literal(folder)}")
            if self.memory:
                self._database.execute(f"SET memory_limit = {literal(self.memory)}")
            if self.threads:
                self._database.execute(f"SET threads = {self.threads}")
        return self._database
