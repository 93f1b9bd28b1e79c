"""The store's tables as Parquet files of a version each, and ``current.json`` that says which of them are the tables now.

What a process that died has left half done is done by whoever comes next: everything here is made from what the store says.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import duckdb

from cadran.plugins.connector import ConnectorError
from cadran.state import durable
from cadran.sync import current as currents
from cadran.sync.current import Current, Shown, Unreadable
from cadran.sync.places import Places, safe
from cadran.sync.shape import DELETED_AT, Shape, shown
from cadran.sync.store import Kept, Store, data, one_line, quoted, text

_READ = dt.timedelta(hours=1)  # how long a run may go on reading the version that it began with
_HALF = 3600  # seconds until a file that nobody finishes goes


def publish(store: Store, places: Places, now: dt.datetime, *, keep_deleted: bool, look: bool = False) -> Current:  # fmt: skip
    """Writes what is not written yet; with ``look`` also what is not any more what was written. Raises ConnectorError; then the old
    tables stand."""
    try:
        before = currents.read(places)
    except Unreadable:
        before = Current()  # it is made anew
    try:
        places.tables.mkdir(parents=True, exist_ok=True)
        if look:
            sound = {name: shown for name, shown in before.tables.items() if _is_whole(places, shown)}
            before = replace(before, tables=sound)
        after = _current(store, places, before, now, keep_deleted)
        if after != before:
            currents.write(places, after)
        _sweep(places, after)
    except (OSError, duckdb.Error) as error:
        message = f"the tables cannot be written to {places.tables}: {one_line(error)}"
        hint = f"nothing is lost: the next sync writes them; see whether there is room on the disk; if there is, {places.anew}"
        raise ConnectorError(message, hint=hint) from None
    return after


def _current(store: Store, places: Places, before: Current, now: dt.datetime, keep_deleted: bool) -> Current:
    tables: dict[str, Shown] = {}
    for name, kept in store.kept().items():
        there = before.tables.get(name)
        if there is None or not _holds(places, there, kept, keep_deleted):
            tables[name] = _written(store, places, name, kept, keep_deleted)
        else:
            tables[name] = _dated(there, kept)
    named = {shown.file for shown in tables.values()}
    old = {shown.file: now for shown in before.tables.values() if shown.file not in named}
    old |= {file: when for file, when in before.old.items() if file not in named}
    return Current(tables, {file: when for file, when in old.items() if abs(now - when) < _READ})


def _holds(places: Places, there: Shown, kept: Kept, keep_deleted: bool) -> bool:
    same = (there.version, there.with_deleted) == (kept.version, keep_deleted)
    return same and (places.tables / there.file).exists()


def _is_whole(places: Places, there: Shown) -> bool:
    """Whether a table's files are what they were when they were written."""
    file = places.tables / there.file
    try:
        aside = currents.read_aside(file) if there.aside else []
        return _content(file, [(one.place, one.reason) for one in aside]) == there.content
    except (OSError, ValueError, TypeError):
        return False


def _content(file: Path, aside: Sequence[tuple[str, str]]) -> str:
    rows = durable.checksum(file)
    return hashlib.sha256(json.dumps([rows, aside]).encode()).hexdigest() if aside else rows


def _dated(there: Shown, kept: Kept) -> Shown:
    return replace(there, synced_at=kept.synced_at, cursor=_cursor(kept), config=kept.config)


def _written(store: Store, places: Places, name: str, kept: Kept, keep_deleted: bool) -> Shown:
    # No two files ever have the same name: one process may still read what another replaces.
    file = places.tables / f"{safe(name)}-{kept.version}-{secrets.token_hex(3)}.parquet"
    part = durable.unfinished(file)
    try:
        rows = store.number(f"COPY ({_select(name, kept.shape, keep_deleted)}) TO {text(str(part))} (FORMAT parquet, COMPRESSION zstd)")  # fmt: skip
        aside = store.aside(name)
        if aside:
            durable.write(currents.aside_file(file), json.dumps(aside, ensure_ascii=False).encode())
        content = _content(part, aside)
        durable.settle(part, file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    columns = shown(kept.shape, with_deleted=keep_deleted)
    return Shown(file.name, content, kept.version, rows, kept.synced_at, columns, len(aside), _cursor(kept), keep_deleted, kept.config)  # fmt: skip


def _select(name: str, shape: Shape, keep_deleted: bool) -> str:
    """In the order of the key: what lies close together is asked for together, and the same rows make the same file."""
    columns = [f"{quoted(f.name)}" for f in shape.fields]
    if keep_deleted:
        columns.append(f"{DELETED_AT} AS {quoted(shown(shape, with_deleted=True)[-1].name)}")
    where = "" if keep_deleted else f" WHERE {DELETED_AT} IS NULL"
    order = ", ".join(quoted(name) for name in shape.key) or "ALL"
    return f"SELECT {', '.join(columns)} FROM {data(name)}{where} ORDER BY {order}"


def _cursor(kept: Kept) -> str:
    return "" if kept.state is None else str(kept.state)


def _sweep(places: Places, current: Current) -> None:
    """Takes away files that are no tables any more, and those that nobody has finished."""
    named = _with_aside({*(shown.file for shown in current.tables.values()), *current.old})
    was = dt.datetime.now(dt.UTC).timestamp()
    for path in places.tables.iterdir():
        if path.name in named:
            continue
        with suppress(OSError):
            if not path.name.endswith(durable.UNFINISHED) or was - os.stat(path).st_mtime > _HALF:  # noqa: PTH116
                path.unlink()


def _with_aside(files: set[str]) -> set[str]:
    return files | {currents.aside_file(Path(file)).name for file in files}
