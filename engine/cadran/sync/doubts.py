"""Whether what a read of all rows has brought can be the table.

A type that is declared wrongly sets all rows aside; a filter, or rights that were taken away, leave none. Both would be a table that is
empty, and figures that are 0 and look right.
"""

from __future__ import annotations

from cadran.plugins.connector import DataError
from cadran.sync.reading import Read
from cadran.sync.shape import DELETED_AT
from cadran.sync.stage import ASIDE, Staged
from cadran.sync.store import Kept, Store, data

_MANY = 10  # rows: fewer may well be gone, or all be bad


def check(store: Store, made: Staged, read: Read, before: Kept | None, way_out: str) -> None:
    """``way_out`` is the command that takes the table as it is; empty where that was said. Raises DataError."""
    if not read.whole or store.number(f"SELECT count(*) FROM {made.rows} WHERE {ASIDE} IS NULL"):
        return
    found = store.run(f"SELECT {ASIDE} FROM {made.rows} LIMIT {_MANY}")
    reasons = [str(reason) for (reason,) in found] + [reason for _, reason, _ in made.spool.aside]
    if len(reasons) >= _MANY:
        what = "'format:'" if "'format: " in reasons[0] else "the type"
        hint = (
            f"correct {what} of the column where the source's settings name it, or the values at the source"
        )
        raise DataError(f"no row of table '{made.table}' can be taken: {reasons[0]}", hint=hint)
    unseen = read.asked.table.deletes != "never" or not made.shape.key
    if before is None or reasons or not way_out or not unseen or before.config != read.asked.config:
        return
    had = store.number(f"SELECT count(*) FROM {data(made.table)} WHERE {DELETED_AT} IS NULL")
    if had >= _MANY:
        hint = f"see whether the source still shows its rows to whoever asks; if they are gone, '{way_out}' takes it as it is"
        raise DataError(f"table '{made.table}' has no rows any more, and had {had:,}", hint=hint)
