"""Whether what a page holds is what a column is declared to hold, in DuckDB's names of types."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from cadran.testing.contract.check import NotKept

if TYPE_CHECKING:
    import pyarrow as pa


def arrow_types(page: pa.Table) -> list[str]:
    """DuckDB's names of the types of a page's columns."""
    return [_named(kind) for kind in page.schema.types]


@cache
def _named(kind: pa.DataType) -> str:
    import duckdb
    import pyarrow as pa

    with duckdb.connect() as connection:
        return str(connection.from_arrow(pa.table({"c": pa.array([], kind)})).types[0])


@cache
def _known(declared: str) -> str:
    import duckdb

    with duckdb.connect() as connection:
        try:
            found = connection.execute(f"select typeof(cast(null as {declared}))").fetchone()
        except duckdb.Error as error:
            raise NotKept(f"'{declared}' is no type that DuckDB knows: {error}") from error
    assert found
    return str(found[0])


def agree(declared: str, held: str) -> bool:
    """Whether a page of one type may be given for the other: JSON, UUID and ENUM travel as text."""
    found = _known(declared)
    return found == held or ((found in ("JSON", "UUID") or found.startswith("ENUM")) and held == "VARCHAR")
