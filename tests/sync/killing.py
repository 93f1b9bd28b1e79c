"""What the kill test's processes do: one sync of a source that has changed, killed on the way.

The code that runs is the product's. A process counts the steps that it is seen to do from outside, statements of the database, files that are
opened, written, moved and taken away, pages that come, each as it begins and as it ends, and ends itself at the chosen one with SIGKILL: no
``finally`` runs, nothing is flushed.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.context import ForkServerContext
from pathlib import Path
from types import FrameType
from typing import Any

from cadran.plugins.connector import Column
from sync.fake import DEALS, World, world
from sync.syncing import Copy

HEAVY = ["duckdb", "pyarrow", "pyarrow.parquet", "pytest", "sync.syncing", "cadran.sync.source"]
LIST = replace(DEALS, name="list", key=(), cursor="")
_STEPS = {
    "execute",
    "executemany",
    "open",
    "write",
    "truncate",
    "replace",
    "rename",
    "unlink",
    "rmdir",
    "mkdir",
    "fsync",
    "flock",
    "close",
}


def forking() -> ForkServerContext:
    """New processes are forked from a server that has imported everything already, and has no threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(HEAVY)
    return context


def before(rows: int = 9) -> World:
    of = world(DEALS, LIST)
    for number in range(rows):
        of.deal(number)
    of.tables["list"].rows = [dict(row) for row in of.tables["deals"].rows]
    return of


def after(rows: int = 9) -> World:
    """The same an hour later: rows more, less and changed, a column more, one that cannot be taken."""
    of = before(rows)
    of.size = max(2, rows // 5)
    of.later(hours=1)
    for number in range(0, rows, 2):
        of.deal(number, "changed", f"{number}.50", owner="ann")
    of.deal(rows, "new")
    of.deal(rows + 1, "bad", amount="17.001")
    of.tables["deals"].rows = [row for row in of.tables["deals"].rows if row["id"] != 3]
    of.tables["deals"].gone = [((3,), of.now)]
    of.columns(
        "deals",
        *DEALS.columns[:2],
        Column("amount", "DECIMAL(18,4)"),
        DEALS.columns[3],
        Column("owner", "VARCHAR"),
    )
    of.tables["list"].rows = of.tables["list"].rows[2:]
    of.later(hours=1)
    return of


Step = Callable[[FrameType, str, Any], None]


def process(folder: Path, made: Callable[[], World], events: int, note: Path | None) -> None:
    """Dies at its ``events``-th step, and at none if that is 0; then it notes how many there were."""
    copy, counted = Copy(folder, made()), [0]

    def step(frame: FrameType, event: str, what: Any) -> None:
        counted[0] += 1
        if counted[0] == events:
            if note is not None:
                note.write_text(named(frame, event, what))
            die()

    sync_watched(copy, step)
    if note is not None:
        note.write_text(str(counted[0]))


def sync_watched(copy: Copy, step: Step) -> None:
    """A sync that goes well, with ``step`` called at each of its steps."""

    def watch(frame: FrameType, event: str, what: Any) -> None:
        paged = event == "call" and frame.f_code.co_name == "add"
        if paged or (event in ("c_call", "c_return") and _a_step(what)):
            step(frame, event, what)

    sys.setprofile(watch)
    try:
        done = copy.sync()
    finally:
        sys.setprofile(None)
    assert all(one.error is None for one in done.values()), done


def named(frame: FrameType, event: str, what: Any) -> str:
    return f"{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_name} {event} {getattr(what, '__name__', '')}"


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _a_step(function: Any) -> bool:
    of = getattr(function, "__self__", None)
    return getattr(function, "__name__", "") in _STEPS and not isinstance(of, str | bytes | dt.date | dt.time)


def run(folder: Path, made: Callable[[], World], events: int = 0, note: Path | None = None) -> int | None:
    """In a new process; gives its exit code."""
    child = forking().Process(target=process, args=(folder, made, events, note))
    child.start()
    child.join(120)
    try:
        return child.exitcode
    finally:
        child.close()
