"""Whether a key that a team has named tells rows apart: of those that it does not, all but one would be lost in silence."""

from __future__ import annotations

from collections.abc import Sequence

from cadran.plugins.connector import DataError
from cadran.problems import listed
from cadran.sync.shape import Shape
from cadran.sync.store import Store, quoted

_MANY = 10  # keys of which rows differ, and a tenth of all: fewer are rows that changed while they were read
_SHARE = 10


def doubt_key(store: Store, table: str, shape: Shape, rows: str, setting: Sequence[str | int]) -> None:
    """Of the rows of one read. Those that are the same, or that say by their cursor which is newer, are in no doubt. Raises DataError."""
    keys = ", ".join(quoted(name) for name in shape.key)
    there = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in shape.key)
    [(came, apart)] = store.run(f"SELECT count(*), count(DISTINCT row({keys})) FROM {rows} WHERE {there}")
    if came - apart < _MANY:
        return
    one = ", ".join(dict.fromkeys([keys, *([quoted(shape.cursor)] if shape.cursor else [])]))
    live = ", ".join(quoted(field.name) for field in shape.live)
    unlike = f"SELECT {keys} FROM {rows} WHERE {there} GROUP BY {one} HAVING count(DISTINCT row({live})) > 1"
    [(many,)] = store.run(f"SELECT count(*) FROM ({unlike})")
    if many < _MANY or many * _SHARE < apart:
        return
    [values] = store.run(f"{unlike} ORDER BY ALL LIMIT 1")
    such = ", ".join(f"{name} {value}" for name, value in zip(shape.key, values, strict=True))
    message = f"key {listed([repr(name) for name in shape.key])} does not tell the rows of table '{table}' apart: {came:,} rows have {apart:,} keys, and those of {such} are not the same"
    raise DataError(message, hint="name all columns that together do, as a list", setting=setting)
