"""Large tables, and readers that nobody waits for any more."""

from __future__ import annotations

import gc
import mmap
import threading
import time
import tracemalloc
from pathlib import Path

import pyarrow as pa

from cadran.plugins.connector import Page
from cadran.testing.contract.check import NotKept, NotShown, check, keeps
from cadran.testing.contract.proxy import Kind
from cadran.testing.contract.reading import Got, reading, stream_of, told
from cadran.testing.contract.rig import Rig

_SMALL, _LARGE = 10_000, 1_000_000
_REQUEST = 6_000  # bytes that stand-ins may remember of each
_SOON = 5.0
_STATM = Path("/proc/self/statm")


@check(needs=("big",))
def memory_stays_bounded(rig: Rig) -> None:
    """A table of a million rows (10,000 unless CADRAN_FULL is set) is given page by page: nothing of a page is kept once it was given."""
    rows = _LARGE if rig.full else _SMALL
    rig.case.big(rows)
    connector = rig.make()
    table = rig.table(connector)
    asked_first = None
    came = given = pages = 0
    marks: list[tuple[int, int, int]] = []  # rows, bytes of pages, bytes held
    traced = not (rig.full and _STATM.exists())  # to trace a million rows takes a quarter of an hour
    if traced:
        tracemalloc.start(1)
    try:
        from cadran.plugins.synced import WHOLE

        for item in stream_of(connector, table.name, WHOLE, None):
            if not isinstance(item, Page):
                continue
            page = pa.table(item.data)
            asked_first = asked_first or len(rig.http.asked) if rig.proxy else 1
            came, given, pages = came + page.num_rows, given + page.nbytes, pages + 1
            # a row may come twice, and a page be empty; neither for ever
            keeps(came <= 2 * rows and pages <= rows, f"{came} rows in {pages} pages have come of a table of {rows}, and reading goes on: where does it end?")  # fmt: skip
            del page, item
            if came >= rows * (len(marks) + 1) // 5:
                gc.collect()
                marks.append((came, given, _held(traced)))
    finally:
        tracemalloc.stop()
    keeps(came >= rows, f"{came} of {rows} rows came")
    if len(marks) < 4:
        raise NotShown(f"{rows} rows came in {len(marks)} pages: too few to see anything")
    if rig.proxy is not None:
        keeps((asked_first or 0) <= len(rig.proxy.asked) // 3, "the first page was given when most had been asked for: give each page as it comes")  # fmt: skip
    (_, bytes_before, before), (_, bytes_after, after) = marks[0], marks[-2]
    between = (len(rig.proxy.asked) * _REQUEST) * 3 // 5 if rig.proxy else 0
    noise = 300_000 if traced else 16_000_000
    grown, allowed = after - before, (bytes_after - bytes_before) // 2 + between + noise
    keeps(grown <= allowed, f"while {bytes_after - bytes_before:,} bytes of pages were given, {grown:,} bytes more were held: keep nothing of a page once it was given")  # fmt: skip


def _held(traced: bool) -> int:
    """Bytes that this process holds: those that Python and Arrow have asked for, or all."""
    if traced:
        return tracemalloc.get_traced_memory()[0] + int(pa.total_allocated_bytes())
    return int(_STATM.read_text().split()[1]) * mmap.PAGESIZE


@check("synced")
def reading_stops_when_nobody_waits(rig: Rig) -> None:
    """Within five seconds after ``context.cancelled()`` says so, reading raises: between pages, while it waits as a server asked, and while a
    server does not answer. cadran.plugins.http does all three."""
    connector = rig.make()

    def cancel(_: Got) -> None:
        rig.cancelled.set()

    got = reading(connector, rig.table(connector), between=cancel)
    keeps(got.error is not None, "nobody waits any more, and reading went on to its End: ask context.cancelled() before each page, and raise Cancelled")  # fmt: skip
    if rig.proxy is None:
        return
    rig.patience.hurry = False
    for kind, what in (("limited", "the server had said to wait a minute"), ("hang", "the server did not answer")):  # fmt: skip
        _cancelled_in(rig, kind, what)  # type: ignore[arg-type]


def _cancelled_in(rig: Rig, kind: Kind, what: str) -> None:
    rig.cancelled.clear()
    rig.http.faults.clear()
    connector = rig.make()
    table = rig.table(connector)
    before = rig.http.fired(kind)
    rig.http.fault(kind, 1, retry_after=60)
    timer = threading.Thread(target=_cancel_later, args=(rig, kind, before), daemon=True)
    timer.start()
    message = f"{what}, nobody waited any more, and after {_SOON:.0f} seconds reading had not stopped: look at context.cancelled() while waiting"  # fmt: skip
    try:
        got = rig.within(_SOON + 2, lambda: reading(connector, table), message)
    finally:
        timer.join()
    if got.error is None:
        raise NotKept(
            f"{what}, nobody waited any more, and reading gave {len(got.rows)} rows: raise Cancelled"
        )
    told(got.error)


def _cancel_later(rig: Rig, kind: Kind, before: int) -> None:
    ends = time.monotonic() + 2
    while rig.http.fired(kind) == before and time.monotonic() < ends:
        rig.cancelled.wait(0.01)
    rig.cancelled.wait(0.1)
    rig.cancelled.set()
