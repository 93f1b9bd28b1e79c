"""The tables of the connector: which there are, and what a kind of table has to say of itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cadran.plugins import Column, Deletes, Page, Rejected, Table, Window
from cadran_plugins.hubspot.api import Api

if TYPE_CHECKING:
    from cadran.plugins.typed.records import Records

Given = Page | Deletes | Rejected


class Kind(ABC):
    """One table."""

    def __init__(self, api: Api, name: str) -> None:
        self.api, self.name = api, name
        self._records: Records | None = None

    @abstractmethod
    def table(self) -> Table:
        """As :meth:`SyncedConnector.discover` gives it; asks HubSpot. Raises what reading would raise."""

    @abstractmethod
    def changes(self, table: Table, window: Window, resume: Mapping[str, Any] | None) -> Iterator[Given]:
        """As :meth:`SyncedConnector.changes` gives it, but for the end."""

    def pages(
        self, table: Table, rows: Sequence[Mapping[str, Any]], resume: Mapping[str, Any] | None = None
    ) -> Iterator[Given]:
        """The rows that fit, and those that do not; nothing where there are none."""
        from cadran.plugins.typed.records import turned

        yield from self.page(table, turned(rows, [column.name for column in table.columns]), resume)

    def page(
        self, table: Table, columns: Sequence[Sequence[Any]], resume: Mapping[str, Any] | None = None
    ) -> Iterator[Given]:
        """The same, of values column by column."""
        import pyarrow as pa

        if self._records is None or self._records.columns != table.columns:
            self._records = records(table.columns, table.key)
        batch, rejected = self._records.columns_batch(columns, self.name)
        yield from rejected
        if batch.num_rows:
            yield Page(pa.Table.from_batches([batch]), resume=resume)

    @staticmethod
    def gone(
        table: Table, keys: Sequence[Mapping[str, Any]], resume: Mapping[str, Any] | None = None
    ) -> Iterator[Given]:
        """Rows that are gone, by their keys; nothing where there are none."""
        import pyarrow as pa

        if keys:
            columns = [column for column in table.columns if column.name in table.key]
            batch, _ = records(columns, table.key).batch(keys, table.name)
            yield Deletes(pa.Table.from_batches([batch]), resume=resume)


def records(columns: Sequence[Column], key: Sequence[str]) -> Records:
    from cadran.plugins.typed.records import Records

    return Records(columns, key=key)


def text(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, "VARCHAR") for name in names)
