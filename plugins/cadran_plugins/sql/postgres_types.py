"""PostgreSQL's types: what each is in DuckDB, and how it is asked for so that nothing is lost on the way.

All but numbers, booleans and binary data travel as text in PostgreSQL's own words: so both ways of fetching give the same,
``infinity`` and ``NaN`` arrive as such and are refused, and no decimal passes through a float.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pyarrow as pa

from cadran_plugins.sql.columns import (
    Fetched,
    Field,
    blobs,
    booleans,
    doubles,
    integers,
    iso_dates,
    iso_instants,
    iso_timestamps,
    texts,
)
from cadran_plugins.sql.decimals import declared

_TEXT = "{}::text"  # also drops what pads a char(n)
UNDECIDED = "{}::numeric"  # what is measured where the type does not tell the size


def _plain(type_: str, read: Callable[[Fetched], pa.Array], select: str = "{}") -> Callable[[str], Field]:
    return lambda name: Field(name, type_, read, select)


# By pg_type's own numbers, which never change.
_BY_OID: Mapping[int, Callable[[str], Field]] = {
    16: _plain("BOOLEAN", booleans),
    17: _plain("BLOB", blobs),
    20: _plain("BIGINT", integers),
    21: _plain("BIGINT", integers),
    23: _plain("BIGINT", integers),
    26: _plain("BIGINT", integers, "{}::bigint"),  # oid
    700: _plain("DOUBLE", doubles, "{}::float8"),
    701: _plain("DOUBLE", doubles),
    790: lambda name: declared(name, -1, -1, "{}::numeric::text"),  # money
    1082: _plain("DATE", iso_dates, _TEXT),
    1114: _plain("TIMESTAMP", iso_timestamps, _TEXT),
    1184: _plain("TIMESTAMP WITH TIME ZONE", iso_instants, "({} AT TIME ZONE 'UTC')::text"),
}
_NUMERIC = 1700


def field_of(name: str, oid: int, precision: int | None, scale: int | None) -> Field:
    """A column of an answer by its description. Whatever else there is comes as text: uuid, json, enums, times, arrays."""
    if oid == _NUMERIC:
        return declared(name, precision or -1, scale if precision and scale is not None else -1, _TEXT)
    return _BY_OID.get(oid, _plain("VARCHAR", texts, _TEXT))(name)
