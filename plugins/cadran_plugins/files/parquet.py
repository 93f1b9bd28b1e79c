"""Parquet: names and types are the file's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from cadran.plugins import Column, DataError, End, InPlace
from cadran_plugins.files.header import agree
from cadran_plugins.files.locate import Source, TableFiles

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

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
    with _opened(source) as file:
        return [Column(f.name, duckdb_type(f.type)) for f in file.schema_arrow]


def read(table: TableFiles) -> Iterator[InPlace | End]:
    """The files themselves, once all are known to be readable and to have the same columns."""
    _schema(table.files)
    rows = 0
    for source in table.files:
        with _opened(source) as file:
            rows += file.metadata.num_rows
    yield InPlace(tuple(source.path for source in table.files))
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
