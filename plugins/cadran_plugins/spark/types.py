"""Spark's types: what DuckDB calls them, and how their Arrow arrays become those of every other source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from pyspark.sql import types as spark

from cadran_plugins.sql.columns import Unfit, arrow_type, booleans, doubles, integers, texts

BINARY = "UTF8_BINARY"  # the collation that compares bytes
_PADDED = "__CHAR_VARCHAR_TYPE_STRING"  # where Spark keeps the type of a column that it calls a string
_UNPADDED = "RTRIM(CAST({} AS STRING))"  # CHAR(n) is padded with blanks, and compared as if it were not
_WHOLE = (spark.ByteType, spark.ShortType, spark.IntegerType, spark.LongType)


@dataclass(frozen=True, slots=True)
class Field:
    """One column. ``select`` is how it is asked for where its name alone would compare or compute otherwise."""

    name: str
    type: str
    read: Callable[[Any], Any] | None = field(repr=False)  # None: cadran computes nothing with such a type
    select: str = ""
    what: str = ""  # Spark's name of the type


def field_of(column: spark.StructField) -> Field:
    """A column as Spark describes it."""
    type_, name = column.dataType, column.name
    what = type_.simpleString()
    kind, read, select = _known(type_)
    if (column.metadata or {}).get(_PADDED, "").startswith("char("):
        select = _UNPADDED
    if read is None:
        return Field(name, _nested(type_), None, what=what)
    return Field(name, kind, read, select.format(quoted(name)) if select else "", what)


def quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"


def _known(type_: spark.DataType) -> tuple[str, Callable[[Any], Any] | None, str]:
    """DuckDB's name, a reader, and how such a column is asked for, if not by its name alone."""
    if isinstance(type_, _WHOLE):
        return "BIGINT", integers, ""
    if isinstance(type_, spark.DecimalType):
        name = f"DECIMAL({type_.precision},{type_.scale})"
        return name, _cast(name), ""
    if isinstance(type_, spark.FloatType):
        return "DOUBLE", doubles, "CAST({} AS DOUBLE)"  # sums of floats are not those of doubles
    if isinstance(type_, spark.DoubleType):
        return "DOUBLE", doubles, ""
    if isinstance(type_, spark.CharType):
        return "VARCHAR", texts, _UNPADDED
    if isinstance(type_, (spark.StringType, spark.VarcharType)):
        other = getattr(type_, "collation", BINARY) != BINARY
        return "VARCHAR", texts, f"COLLATE({{}}, '{BINARY}')" if other else ""
    if isinstance(type_, spark.BooleanType):
        return "BOOLEAN", booleans, ""
    if isinstance(type_, spark.BinaryType):
        return "BLOB", _cast("BLOB"), ""
    if isinstance(type_, spark.DateType):
        return "DATE", _cast("DATE"), ""
    if isinstance(type_, spark.TimestampNTZType):
        return "TIMESTAMP", _cast("TIMESTAMP"), ""
    if isinstance(type_, spark.TimestampType):
        return "TIMESTAMP WITH TIME ZONE", _cast("TIMESTAMP WITH TIME ZONE"), ""
    if isinstance(type_, spark.NullType):
        return "VARCHAR", _cast("VARCHAR"), "CAST({} AS STRING)"
    return "", None, ""


def _cast(name: str) -> Callable[[Any], Any]:
    to = arrow_type(name)

    def read(values: Any) -> Any:
        try:
            return values.cast(to)
        except pa.ArrowInvalid as error:
            raise Unfit("a value", str(error)) from None

    return read


def _nested(type_: spark.DataType) -> str:
    """A DuckDB type for what nothing is computed with, so that whoever uses the column is told."""
    if isinstance(type_, spark.ArrayType):
        return f"{_inner(type_.elementType)}[]"
    if isinstance(type_, spark.MapType):
        return f"MAP({_inner(type_.keyType)}, {_inner(type_.valueType)})"
    if isinstance(type_, spark.StructType) and type_.fields and len({f.name.casefold() for f in type_}) == len(type_.fields):  # fmt: skip
        inner = ", ".join('"' + f.name.replace('"', '""') + '" ' + _inner(f.dataType) for f in type_)
        return f"STRUCT({inner})"
    return "INTERVAL" if "interval" in type_.simpleString() else "BLOB"


def _inner(type_: spark.DataType) -> str:
    return _known(type_)[0] or _nested(type_)
