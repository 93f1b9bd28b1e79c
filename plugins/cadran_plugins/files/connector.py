"""The ``files`` connector: tables, columns and rows of a folder of files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from cadran.plugins import Column, Connector, ConnectorError, End, Page, Rejected, Table
from cadran_plugins.files import csvfile, excel, jsonl, parquet
from cadran_plugins.files.config import SCHEMA
from cadran_plugins.files.header import agree, known_types
from cadran_plugins.files.locate import Catalog, TableFiles

_READERS: Mapping[str, Any] = {"csv": csvfile, "tsv": csvfile, "jsonl": jsonl, "xlsx": excel}


class FilesConnector(Connector):
    """CSV, TSV, JSON lines, Excel and Parquet files."""

    config_schema: ClassVar[Mapping[str, Any]] = SCHEMA

    def discover(self) -> Sequence[Table]:
        """All tables by name, from names of files and their headers."""
        catalog = Catalog(self.context)
        return [self._described(catalog, name) for name in catalog.names]

    def read(self, table: str) -> Iterator[Page | Rejected | End]:
        """The rows of one table, in the order of the file."""
        found = Catalog(self.context).table(table)
        return parquet.read(found) if found.format == "parquet" else _read(found)

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
    types = known_types(names, table.options, table.setting)
    return [Column(name, type_) for name, type_ in zip(names, types, strict=True)]


def _names(table: TableFiles) -> list[str]:
    """The columns, which are the same in all files."""
    reader = _READERS[table.format]
    headers: list[list[str]] = [reader.names(table, source) for source in table.files]
    for source, header in zip(table.files, headers, strict=True):
        agree(headers[0], table.files[0].name, header, source.name)
    return headers[0]


def _read(table: TableFiles) -> Iterator[Page | Rejected | End]:
    from cadran_plugins.files.staging import Staging, database, finish

    reader = _READERS[table.format]
    names = _names(table)
    if table.format not in ("csv", "tsv"):  # their numbers know no other sign than the point
        table = replace(table, options=replace(table.options, decimal=".", thousands=""))
    nulls = reader.NULLS if table.options.nulls is None else table.options.nulls

    def place(file: int, line: int, column: int | None = None) -> str:
        source = table.files[file]
        return excel.place(table, source, line, column) if reader is excel else f"{source.name}:{line}"

    with database() as con:
        staging = Staging(con, table, names, nulls, place)
        for number, source in enumerate(table.files):
            reader.load(number, source, staging)
        yield from finish(staging)
