"""How many different rows have come, where pages are counted off: an order that changes between two pages shows some twice, and others not
at all, and the sum is right."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cadran.plugins import DataError, ResumeExpired, Transient
from cadran_plugins.http_json.paths import find
from cadran_plugins.http_json.settings import Declared, Field


class Moved(Transient, ResumeExpired):
    """Rows have moved while they were read: what has come is no beginning of anything."""


class Lacking(DataError, ResumeExpired):
    """What has come lacks something: going on behind it would lack it, too."""


@dataclass(slots=True)
class Seen:
    """Eight bytes a row. ``first`` is the total that the first page has said: so many rows were there when reading began."""

    table: Declared
    paths: tuple[str, ...]
    first: int | None = None
    _keys: array[int] = field(default_factory=lambda: array("q"))

    @classmethod
    def of(cls, table: Declared, fields: Sequence[Field]) -> Seen | None:
        """None where it cannot be told, or says nothing."""
        counted = table.pages.kind in ("offset", "page") and (table.total or table.total_header)
        if not counted or not table.key or table.each:
            return None
        return cls(table, tuple(f.path for f in fields if f.name in table.key))

    def add(self, rows: Iterable[Mapping[str, Any]], total: int | None) -> None:
        if self.first is None:
            self.first = total
        for row in rows:
            key = [row.get(path) if path in row else find(row, path) for path in self.paths]
            self._keys.append(hash(json.dumps(key, default=str)))

    def check(self) -> None:
        """Raises Moved, behind the last page."""
        import pyarrow as pa
        import pyarrow.compute as pc

        count = len(self._keys)
        apart = pc.count_distinct(pa.Array.from_buffers(pa.int64(), count, [None, pa.py_buffer(self._keys)]))
        if self.first is None or apart.as_py() >= self.first:
            return
        name, where = self.table.name, self.table.where
        message = f"{self.first:,} rows of '{name}' were announced, and {apart.as_py():,} different ones came: some twice, others not at all"
        hint = (
            "ask for an order that stays (such as params: {sort: id}); and see whether 'key' tells rows apart"
        )
        raise Moved(message, hint=hint, setting=(*where, "pages"))
