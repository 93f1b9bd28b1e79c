"""The ``files`` connector: tables, columns and rows of a folder of files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from cadran.plugins import (
    Column,
    ConfigError,
    Connector,
    ConnectorError,
    Context,
    End,
    InPlace,
    Page,
    Part,
    Rejected,
    Table,
    suggest,
)
from cadran_plugins.files import csvfile, excel, identity, jsonl, parquet
from cadran_plugins.files.config import SCHEMA
from cadran_plugins.files.header import agree, known_types
from cadran_plugins.files.locate import Catalog, TableFiles
from cadran_plugins.files.workroom import Workroom

if TYPE_CHECKING:
    from cadran_plugins.files.staging import Place

_READERS: Mapping[str, Any] = {"csv": csvfile, "tsv": csvfile, "jsonl": jsonl, "xlsx": excel}


class FilesConnector(Connector):
    """CSV, TSV, JSON lines, Excel and Parquet files."""

    config_schema: ClassVar[Mapping[str, Any]] = SCHEMA

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._workroom = Workroom(context.memory, context.threads)

    def close(self) -> None:
        self._workroom.close()

    def discover(self) -> Sequence[Table]:
        """All tables by name, from names of files and their headers."""
        catalog = Catalog(self.context)
        tables = [self._described(catalog, name) for name in catalog.names]
        self._check_types(tables)
        return tables

    def identity(self, table: str, marks: Mapping[str, str]) -> Sequence[Part] | None:
        """One part for each file."""
        return identity.parts(Catalog(self.context).table(table), marks)

    def read(self, table: str) -> Iterator[Page | InPlace | Rejected | End]:
        """The rows of one table, in the order of the files and of the rows in them."""
        found = Catalog(self.context).table(table)
        return parquet.read(found) if found.format == "parquet" else _read(found, self._workroom)

    def _check_types(self, tables: Sequence[Table]) -> None:
        """What the source's ``types:`` name must be a column of some table."""
        columns = sorted({column.name for table in tables for column in table.columns})
        folded = {name.casefold() for name in columns}
        for name in self.context.config.get("types", {}):
            if name.casefold() not in folded and not any(table.problem for table in tables):
                hint = suggest(name, columns)
                raise ConfigError(f"no table has a column '{name}'", hint=hint, setting=("types", name))

    @staticmethod
    def _described(catalog: Catalog, name: str) -> Table:
        try:
            table = catalog.table(name)
            return Table(name, tuple(_columns(table)))
        except ConnectorError as e:
            return Table(name, problem=e)


def _columns(table: TableFiles) -> list[Column]:
    if table.format == "parquet":
        return parquet.columns(table.files[0])
    names = _names(table)
    types = known_types(names, table.options)
    return [Column(name, type_) for name, type_ in zip(names, types, strict=True)]


def _names(table: TableFiles) -> list[str]:
    """The columns, which are the same in all files."""
    reader = _READERS[table.format]
    headers: list[list[str]] = [reader.names(table, source) for source in table.files]
    for source, header in zip(table.files, headers, strict=True):
        agree(headers[0], table.files[0].name, header, source.name)
    return headers[0]


def _read(table: TableFiles, workroom: Workroom) -> Iterator[Page | Rejected | End]:
    from cadran_plugins.files.staging import Staging, finish

    reader = _READERS[table.format]
    names = _names(table)
    if table.format not in ("csv", "tsv"):  # their numbers know no other sign than the point
        table = replace(table, options=replace(table.options, decimal=".", thousands=""))
    nulls = reader.NULLS if table.options.nulls is None else table.options.nulls

    place = excel.places(table) if reader is excel else _lines(table)
    with workroom.table(table.name) as con:
        staging = Staging(con, table, names, nulls, place)
        for number, source in enumerate(table.files):
            reader.load(number, source, staging)
        yield from finish(staging)


def _lines(table: TableFiles) -> Place:
    names = [source.name for source in table.files]
    return lambda file, line, _=None: f"{names[file]}:{line}"
