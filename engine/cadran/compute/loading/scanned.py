"""What statements read of the sources' tables, as DuckDB counts it while it runs them, and what sources sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import duckdb
from sqlglot import exp

from cadran.compute.placing.used import SMALL
from cadran.compute.results import Scanned

_FILES = "READ_PARQUET("  # files that are read where they lie, without a name as a table


@dataclass(slots=True)
class Read:
    """Of one statement: ``rows`` that its scans gave on, once by each; ``bytes`` of the chunks of files that they read."""

    rows: int = 0
    bytes: int = 0


class Tally:
    """One session's. ``source_of`` tells the source of a file that is read where it lies, by how DuckDB names a list of files.

    Without ``counting`` only what came is known: to watch its statements takes DuckDB a few hundredths of a run.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, source_of: Callable[[str], str | None], *, counting: bool
    ) -> None:
        self._connection, self._source_of, self._counting = connection, source_of, counting
        self._marks: list[str] = [_FILES]
        self._sources: dict[str, str | None] = {}  # table, as DuckDB names it → its source
        self._totals: dict[str, Scanned] = {}
        if counting:
            connection.execute("PRAGMA enable_profiling = 'no_output'")
            connection.disable_profiling()

    def know(self, source: str) -> None:
        """Statements over the tables of this source are to be watched."""
        self._marks.append(f"{exp.to_identifier(source, quoted=True).sql('duckdb')}.")

    def came(self, source: str, rows: int, size: int) -> None:
        """A source has sent rows."""
        self._add(source, Scanned(source, came=rows, bytes_came=size))

    @property
    def totals(self) -> list[Scanned]:
        """By source, in the order of their names."""
        return [self._totals[source] for source in sorted(self._totals)]

    @contextmanager
    def watching(self, sql: str) -> Iterator[Read]:
        """Inside, a statement runs; behind it, it is known what it read. One that reads no source's table costs nothing."""
        read = Read()
        if not self._counting or not any(mark in sql for mark in self._marks):
            yield read
            return
        self._connection.enable_profiling()
        try:
            yield read
            self._count(json.loads(self._connection.get_profiling_information("json")), read)
        finally:
            self._connection.disable_profiling()

    def _count(self, profile: Any, read: Read) -> None:
        steps = list(profile.get("operator", []))
        while steps:
            step = steps.pop()
            steps += step.get("children", [])
            source = self._source(step.get("extra_info", {})) if "rows_scanned" in step else None
            if source is not None:
                rows, size = int(step["rows_scanned"]), int(step.get("bytes_scanned") or 0)
                read.rows, read.bytes = read.rows + rows, read.bytes + size
                self._add(source, Scanned(source, rows, size))

    def _source(self, about: Any) -> str | None:
        """Whose table a scan reads; None for the engine's own, and for what earlier runs have kept."""
        if "Table" not in about:
            return self._source_of(str(about.get("Filename(s)", "")))
        name = str(about["Table"])
        if name not in self._sources:
            schema = exp.to_table(name, dialect="duckdb").db
            self._sources[name] = None if schema in (SMALL, "main") else schema
        return self._sources[name]

    def _add(self, source: str, more: Scanned) -> None:
        there = self._totals.get(source, Scanned(source))
        self._totals[source] = replace(
            there,
            rows=there.rows + more.rows,
            bytes=there.bytes + more.bytes,
            came=there.came + more.came,
            bytes_came=there.bytes_came + more.bytes_came,
        )
