"""What every database does for the connector: list names, describe a query, stream its rows. Engines fill in the rest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from contextlib import closing

import pyarrow as pa

from cadran.plugins import ConnectorError, DataError, listed
from cadran_plugins.sql.address import Address
from cadran_plugins.sql.columns import Fetched, Field, Unfit
from cadran_plugins.sql.config import Settings
from cadran_plugins.sql.names import same_but_for_capitals
from cadran_plugins.sql.trouble import Kind

Chunk = Sequence[Fetched]  # one item for each column


class Database(ABC):
    """One opened database: one snapshot, read by one connection. Queries run one after the other."""

    errors: tuple[type[Exception], ...] = ()  # what the driver raises
    product = ""  # as the contract lists them
    interleaves = True  # whether a query can be asked while the rows of another still come
    server_zone = ""  # where the server reads and gives local times in another zone than it was asked to

    def __init__(self, address: Address, settings: Settings, zone: str) -> None:
        self.address, self.settings, self.zone = address, settings, zone
        self.cancelled = False
        self.connecting = False  # whether it has failed before there was a connection

    # --- what an engine does -----------------------------------------------------------------------------------------

    @abstractmethod
    def connect(self) -> None:
        """Done by the first question as well."""

    @property
    @abstractmethod
    def default_schema(self) -> str:
        """Where names without a schema are looked for; empty where there are no schemas."""

    @abstractmethod
    def names(self, schema: str) -> list[str]:
        """Tables and views of a schema (empty: the default one)."""

    @abstractmethod
    def schemas(self) -> list[str]: ...

    @abstractmethod
    def quoted(self, path: Sequence[str]) -> str:
        """A path of names as the database writes it in a FROM clause."""

    @abstractmethod
    def describe(self, sql: str) -> list[Field]:
        """The columns of a query, without running it."""

    def describe_table(self, path: Sequence[str]) -> list[Field]:
        """The columns of a table."""
        return self.describe(f"SELECT * FROM {self.quoted(path)}")

    @abstractmethod
    def chunks(self, sql: str, fields: Sequence[Field]) -> Generator[Chunk]:
        """The answer's columns a page at a time; ends early where nothing came."""

    @abstractmethod
    def settled(self, sql: str, fields: Sequence[Field]) -> list[Field]:
        """The fields with those types decided, by a query over all rows, that only the values tell."""

    @abstractmethod
    def cancel(self) -> None: ...

    @abstractmethod
    def close(self) -> None: ...

    def sever(self) -> None:  # noqa: B027 - files have nothing to cut
        """Cuts the connection under a thread that waits at it, without asking the server. Raises nothing."""

    @abstractmethod
    def classify(self, error: BaseException) -> Kind:
        """What a driver's error is about."""

    def row_of(self, path: Sequence[str], column: str, value: object) -> str:  # noqa: ARG002 - only some can tell
        """Where in a table a value stands, such as ``rowid 17``, for a message; empty where that cannot be told."""
        return ""

    # --- what follows from it ----------------------------------------------------------------------------------------

    def pages(
        self, sql: str, fields: Sequence[Field], subject: str, path: Sequence[str] = ()
    ) -> Generator[pa.Table]:
        """The rows in pages, at least one, so that an empty answer has its columns and types as well.

        ``subject`` is what messages call it, ``path`` the table, if it is one. Raises the driver's errors, and DataError.
        """
        check_names(fields, subject)
        if not self.interleaves and any(not f.type for f in fields):
            fields = self.settled(sql, fields)
        with closing(self.chunks(sql, fields)) as chunks:
            first = next(chunks, None)
            second = next(chunks, None)
            if any(not f.type for f in fields):
                fields = _by_values(fields, first) if second is None else self.settled(sql, fields)
            if first is None:
                yield _page(fields, [f.read([]) for f in fields])
            for chunk in filter(None, (first, second)):
                yield self._read(fields, chunk, subject, path)
            first = second = None  # nothing is held that was given on
            for chunk in chunks:
                if self.cancelled:
                    raise ConnectorError("the query was cancelled")
                yield self._read(fields, chunk, subject, path)

    def _read(self, fields: Sequence[Field], chunk: Chunk, subject: str, path: Sequence[str]) -> pa.Table:
        arrays = []
        for field, values in zip(fields, chunk, strict=True):
            try:
                arrays.append(field.read(values))
            except Unfit as unfit:
                row = self.row_of(path, field.name, unfit.value) if path else ""
                raise misfit(unfit, field, subject, row) from None
        return _page(fields, arrays)


def misfit(unfit: Unfit, field: Field, subject: str, row: str) -> DataError:
    """The message for a value that is not of its column's type."""
    value = unfit.value if isinstance(unfit.value, bytes) else str(unfit.value)
    shown = f"{value[:40]!r}{'…' if len(value) > 40 else ''}"
    place = f" ({row})" if row else ""
    hint = (
        unfit.hint
        or "correct it in the database, or leave it out or convert it with a SELECT of your own under 'tables:' ('sql:')"
    )
    return DataError(f"{subject}: column '{field.name}' holds {shown}, which {unfit.why}{place}", hint=hint)


def check_names(fields: Sequence[Field], subject: str) -> None:
    """Columns of an answer must be told apart without regard to case, as everywhere in formulas."""
    names = [f.name for f in fields]
    if two := same_but_for_capitals(names):
        both = (
            f"two columns are named '{two[0]}'"
            if two[0] == two[1]
            else f"columns '{two[0]}' and '{two[1]}' differ only in capitals"
        )
        hint = (
            f"name them with a SELECT of your own under 'tables:' ('sql:'); its columns are {listed(names)}"
        )
        raise DataError(f"{subject}: {both}", hint=hint)


def _by_values(fields: Sequence[Field], chunk: Chunk | None) -> list[Field]:
    columns = chunk if chunk is not None else [[] for _ in fields]
    return [
        f if f.type or f.settle is None else f.settle(values)
        for f, values in zip(fields, columns, strict=True)
    ]


def _page(fields: Sequence[Field], arrays: Sequence[pa.Array]) -> pa.Table:
    return pa.Table.from_arrays(list(arrays), names=[f.name for f in fields])
