"""Parquet: names and types are the file's own.

Files of plain types are left where they lie, and the engine scans them there. What only Arrow knows how to read
(durations, dictionaries, timestamps finer or coarser than microseconds, nested values) is read and sent in pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from cadran.plugins import Column, DataError, End, InPlace, Page
from cadran_plugins.files import footers
from cadran_plugins.files.header import agree
from cadran_plugins.files.locate import Source, TableFiles

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_PAGE = 500_000  # rows
_TYPES = {
    "bool": "BOOLEAN",
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "uint8": "UTINYINT",
    "uint16": "USMALLINT",
    "uint32": "UINTEGER",
    "uint64": "UBIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "large_string": "VARCHAR",
    "date32[day]": "DATE",
}


def columns(source: Source) -> list[Column]:
    """Names and, where they have one of DuckDB's plain types, types."""
    found = footers.plain([source.path])
    if found is not None:
        return [Column(name, type_) for name, type_ in found.columns[0]]
    with _opened(source) as file:
        return [Column(f.name, duckdb_type(f.type)) for f in file.schema_arrow]


def read(table: TableFiles) -> Iterator[Page | InPlace | End]:
    """All rows, in the order of the files and of the rows in them."""
    found = footers.plain([source.path for source in table.files])
    if found is not None and all(columns == found.columns[0] for columns in found.columns):
        yield InPlace(tuple(source.path for source in table.files))
        yield End(found.rows)
    else:
        yield from _pages(table)


def _pages(table: TableFiles) -> Iterator[Page | End]:
    import pyarrow as pa

    schema = _schema(table.files)
    rows = 0
    for source in table.files:
        yield Page(schema.empty_table(), source.part)
        with _opened(source) as file:
            rows += file.metadata.num_rows
            try:
                for batch in file.iter_batches(_PAGE):
                    yield Page(pa.Table.from_batches([batch]), source.part)
            except (pa.ArrowException, OSError) as e:
                raise _unreadable(source, e) from None
    yield End(rows)


def _schema(files: Sequence[Source]) -> pa.Schema:
    """That of the first file, if all others have the same."""
    schemas = []
    for source in files:
        with _opened(source) as file:
            schemas.append(file.schema_arrow.remove_metadata())
    for source, schema in zip(files, schemas, strict=True):
        agree(_shown(schemas[0]), files[0].name, _shown(schema), source.name)
    return schemas[0]


def _shown(schema: pa.Schema) -> list[str]:
    return [f"{field.name} ({field.type})" for field in schema]


def _opened(source: Source) -> pq.ParquetFile:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(source.path)
    except (pa.ArrowException, OSError) as e:
        raise _unreadable(source, e) from None


def _unreadable(source: Source, error: Exception) -> DataError:
    return DataError(f"{source.name}: not a readable Parquet file: {error}")


def duckdb_type(type_: pa.DataType) -> str:
    """DuckDB's name of an Arrow type; empty for what is nested or rare."""
    import pyarrow.types as pt

    if pt.is_decimal(type_):
        return f"DECIMAL({type_.precision},{type_.scale})"
    if pt.is_timestamp(type_):
        return "TIMESTAMP WITH TIME ZONE" if type_.tz else "TIMESTAMP"
    return _TYPES.get(str(type_), "")
