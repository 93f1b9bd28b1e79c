"""What runs see of a source that is synced: its tables as they lie there, without asking anybody."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from cadran.plugins.connector import (
    ConfigError,
    Connector,
    ConnectorError,
    Context,
    DataError,
    End,
    InPlace,
    Page,
    Part,
    Rejected,
    Table,
)
from cadran.plugins.synced import SyncedConnector
from cadran.sync import current
from cadran.sync.current import Current, Shown, Unreadable
from cadran.sync.places import Places

_MARK = b"PAR1"  # that a Parquet file ends with


class SyncedReader(Connector):
    """One version of each table, those that were current when the first was asked for.

    Without ``asking``, tables that lie here are known, and others those last seen. ``failures`` are what the sync before this has
    met, by table. ``kind`` is the connector that is synced: it knows without asking whether settings can work.
    """

    def __init__(
        self, context: Context, places: Places, *, asking: bool, failures: Mapping[str, ConnectorError],
        kind: type[SyncedConnector] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(context)
        self.kind = kind
        self.places, self.asking, self.failures = places, asking, failures
        self.remote = not asking
        self._current: Current | None = None

    @property
    def current(self) -> Current:
        """Raises ConnectorError."""
        if self._current is None:
            try:
                self._current = current.read(self.places)
            except Unreadable as error:
                name = self.context.shown(self.places.current)
                raise DataError(f"{name} cannot be read: {error}", hint=f"'cadran sync {self.context.source}' writes it anew") from None  # fmt: skip
        return self._current

    def discover(self) -> Sequence[Table]:
        return [Table(name, shown.columns) for name, shown in self.current.tables.items()]

    def names(self) -> Sequence[str]:
        return list(self.current.tables)

    def table(self, name: str) -> Table | None:
        if (failed := self.failures.get(name)) is not None:
            return Table(name, problem=failed)
        shown = self.current.tables.get(name)
        if not self.current.tables and not self.failures:  # then it is nothing about this table
            raise self._never()
        return Table(name, problem=self._never(name)) if shown is None else Table(name, shown.columns)

    def check(self, table: str) -> None:
        if self.kind is not None:
            with closing(self.kind(self.context)) as connector:
                connector.check(table)

    def synced_at(self, name: str) -> dt.datetime | None:
        """Up to when all changes of a table are in; None where it was never synced. Raises ConnectorError."""
        shown = self.current.tables.get(name)
        return None if shown is None else shown.synced_at

    def identity(self, table: str, marks: Mapping[str, str]) -> Sequence[Part] | None:  # noqa: ARG002
        shown = self._shown(table)
        return [Part(table, shown.content, file=self.places.tables / shown.file)]

    def read(self, table: str) -> Iterator[Page | InPlace | Rejected | End]:
        shown = self._shown(table)
        file = self.places.tables / shown.file
        try:
            aside = current.read_aside(file) if shown.aside else []
            _check_ends(file)
        except (OSError, ValueError, TypeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is damaged"
            hint = f"'cadran sync {self.context.source}' writes it anew"
            raise DataError(f"table '{table}': {self.context.shown(file)} cannot be read: {reason}", hint=hint) from None  # fmt: skip
        yield InPlace((file,))
        yield from aside
        yield End(shown.rows)

    def _shown(self, table: str) -> Shown:
        shown = self.current.tables.get(table)
        if shown is None:
            raise self._never(table)
        return shown

    def _never(self, table: str = "") -> ConfigError:
        source = self.context.source
        of = f"table '{table}' of " if table else ""
        return ConfigError(f"{of}source '{source}' was never synced", hint=f"run 'cadran sync {source}'")


def _check_ends(file: Path) -> None:
    """Raises ValueError for a Parquet file that was cut off, and OSError."""
    with file.open("rb") as opened:
        opened.seek(-min(len(_MARK), file.stat().st_size), os.SEEK_END)
        if opened.read() != _MARK:
            raise ValueError


def shown(places: Places) -> Mapping[str, Shown]:
    """The tables that lie there; nothing where that cannot be told."""
    try:
        return current.read(places).tables
    except Unreadable:
        return {}


def known(places: Places) -> dict[str, Table]:
    """The same, with their columns, as a connector describes tables."""
    return {name: Table(name, found.columns) for name, found in shown(places).items()}
