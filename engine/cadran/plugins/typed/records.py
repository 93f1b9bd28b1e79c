"""Records of an API as Arrow rows of declared types: nothing is rounded or guessed, and what does not fit is set aside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cadran.plugins.connector import Column, Rejected

if TYPE_CHECKING:
    import pyarrow as pa


class Records:
    """Turns records (name of a column → a value as JSON has it, or its text) into batches.

    Types are DuckDB's: VARCHAR, BIGINT, BOOLEAN, DOUBLE, DECIMAL(p,s), DATE, TIMESTAMP, TIMESTAMP WITH TIME ZONE, JSON. A text is read as
    the ``files`` connector reads it; the empty text is NULL in every column but VARCHAR's. A missing key is NULL.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = tuple(columns)

    def batch(
        self, records: Iterable[Mapping[str, Any]], place: str = ""
    ) -> tuple[pa.RecordBatch, list[Rejected]]:
        """The rows that fit, and those set aside; ``place`` says where they come from (``deals``)."""
        raise NotImplementedError
