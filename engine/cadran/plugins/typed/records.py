"""Records of an API as Arrow rows of declared types: nothing is rounded or guessed, and what does not fit is set aside."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from operator import itemgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from cadran.plugins.connector import Column, Rejected
from cadran.plugins.typed import columns as fast
from cadran.plugins.typed.values import Kind, Misfit, Unlike, exact, kind

if TYPE_CHECKING:
    import pyarrow as pa

_SHOWN = 60


class Records:
    """Turns records (name of a column → a value as JSON has it, or its text) into batches.

    Types are DuckDB's: VARCHAR, BIGINT, BOOLEAN, DOUBLE, DECIMAL(p,s), DATE, TIMESTAMP, TIMESTAMP WITH TIME ZONE, JSON. A text is read as
    the ``files`` connector reads it, a number as its text; the empty text is NULL in every column but VARCHAR's. A missing key is NULL.

    DECIMAL alone is DECIMAL(38,9). A number with more digits than its type is set aside, never rounded: what an API computes in
    floats (33.333333333333336) is a DOUBLE. A VARCHAR holds numbers and nested values in JSON's words, a JSON column any value in
    canonical JSON, a text in quotes.

    ``epoch`` names columns of days and times whose numbers are milliseconds since 1970 in UTC. ``utc``: times that say no offset are UTC,
    in columns of TIMESTAMP WITH TIME ZONE. ``key`` names the columns that tell which record was set aside. ``formats``: column → how its values
    are declared to be written, which is said of one that is not.
    """

    def __init__(
        self, columns: Sequence[Column], *, epoch: Collection[str] = (), utc: bool = False, key: Sequence[str] = (),
        formats: Mapping[str, str] = MappingProxyType({}),
    ) -> None:  # fmt: skip
        self.columns, self.key, self._formats = tuple(columns), tuple(key), dict(formats)
        self._kinds = tuple((column.name, kind(column.type, epoch=column.name in epoch, utc=utc)) for column in columns)  # fmt: skip

    @cached_property
    def schema(self) -> pa.Schema:
        import pyarrow as pa

        return pa.schema([(name, fast.arrow_type(kind)) for name, kind in self._kinds])

    def batch(
        self, records: Iterable[Mapping[str, Any]], place: str = ""
    ) -> tuple[pa.RecordBatch, list[Rejected]]:
        """The rows that fit, and those set aside; ``place`` says where they come from (``deals``)."""
        rows = records if isinstance(records, list) else list(records)
        values = turned(rows, [name for name, _ in self._kinds])
        return self._typed(values, len(rows), lambda number: self._place(place, number, rows[number]))

    def columns_batch(
        self, values: Sequence[Sequence[Any]], place: str = ""
    ) -> tuple[pa.RecordBatch, list[Rejected]]:
        """As :meth:`batch`, of values that lie column by column already, all of the same length: a sequence for each of ``columns``, or
        Arrow's texts, of which empty ones are NULL. Raises ValueError where they are no such columns."""
        names = [name for name, _ in self._kinds]
        if len(values) != len(names):
            raise ValueError(f"{len(values)} columns came for {len(names)}: give one for each of {', '.join(names)}, in this order")  # fmt: skip
        lengths = [len(column) for column in values]
        if len(set(lengths)) > 1:
            each = ", ".join(f"{name} {length}" for name, length in zip(names, lengths, strict=True))
            raise ValueError(f"the columns are of different lengths: {each}")

        def told(number: int) -> str:
            record = {name: _at(found, number) for name, found in zip(names, values, strict=True)}
            return self._place(place, number, record)

        return self._typed(values, len(values[0]) if values else 0, told)

    def _typed(
        self, values: Sequence[Sequence[Any]], count: int, told: Callable[[int], str]
    ) -> tuple[pa.RecordBatch, list[Rejected]]:
        import pyarrow as pa

        bad: dict[int, list[str]] = {}
        arrays = [
            self._array(name, kind, arrow, found, bad)
            for (name, kind), arrow, found in zip(self._kinds, self.schema.types, values, strict=True)
        ]
        batch = pa.RecordBatch.from_arrays(arrays, schema=self.schema)
        if bad:
            batch = batch.filter(pa.array([number not in bad for number in range(count)]))
        return batch, [Rejected(told(number), "; ".join(bad[number])) for number in sorted(bad)]

    def _array(
        self, name: str, kind: Kind, arrow: pa.DataType, values: Sequence[Any], bad: dict[int, list[str]]
    ) -> pa.Array:
        """A column; what does not fit is NULL in it, and told in ``bad``."""
        import pyarrow as pa

        if isinstance(values, pa.Array):
            if (found := fast.of_texts(kind, arrow, values)) is not None:
                return found
            values = [value or None for value in values.to_pylist()]
        if (found := fast.column(kind, arrow, values)) is not None:
            return found
        out = []
        for number, value in enumerate(values):
            try:
                out.append(exact(kind, value))
            except Misfit as misfit:
                declared = self._formats.get(name) if isinstance(misfit, Unlike) else None
                why = f"is not written as 'format: {declared}' says" if declared else str(misfit)
                bad.setdefault(number, []).append(f"{name}: {_shown(value)} {why}")
                out.append(None)
        return pa.array(out, arrow)

    def _place(self, place: str, number: int, record: Mapping[str, Any]) -> str:
        """The record by its key, or by where it stands in what came with it."""
        if self.key:
            which = ", ".join(f"{name} {record.get(name)}" for name in self.key)
        else:
            which = f"record {number + 1}"
        return f"{place}, {which}" if place else which


def turned(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[Sequence[Any]]:
    """What rows hold under each name, column by column; None where they hold nothing. A name may stand there more than once."""
    if not rows or not names:
        return [[] for _ in names]
    first = rows[0]
    there = [name for name in names if name in first]
    if len(there) < 2:
        return [[row.get(name) for row in rows] for name in names]
    try:
        found = dict(zip(there, zip(*map(itemgetter(*there), rows), strict=True), strict=True))
    except KeyError:  # some have no word of one of them
        return [[row.get(name) for row in rows] for name in names]
    return [found[name] if name in found else [row.get(name) for row in rows] for name in names]


def _at(values: Sequence[Any], number: int) -> Any:
    found = values[number]
    return found.as_py() if hasattr(found, "as_py") else found


def _shown(value: Any) -> str:
    try:
        text = repr(value) if isinstance(value, str) else str(value)
    except ValueError:
        text = "a number"  # of thousands of digits, which Python does not write
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
