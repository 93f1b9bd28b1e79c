"""A large table whose rows all change, killed behind each of its pages and then at each step of the load: in the end it is the source's.

``CADRAN_FULL=1`` takes a million rows in a thousand pages, and every step of the load; without it eight thousand rows and a sample.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import FrameType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cadran.plugins.connector import End, Page
from sync import killing
from sync.fake import DEALS, World, world
from sync.syncing import Copy

FULL = os.environ.get("CADRAN_FULL") == "1"
PAGES = 1_000 if FULL else 8
SIZE = 1_000
STRIDE = 1 if FULL else 31  # of the load's steps
MEMORY = 600  # MB: what a process may have more than one that has only begun


def _batch(start: int, of: World) -> pa.RecordBatch:
    """A page as the source has it at its time: the ids are those of before, all else is not."""
    numbers = range(start, start + SIZE)
    columns = [
        pa.array(numbers, pa.int64()),
        pa.array([f"deal {n} {'x' * 60} {of.now:%H}" for n in numbers]),
        pa.array([Decimal(n * of.now.hour) / 100 for n in numbers], pa.decimal128(18, 2)),
        pa.array([of.now] * SIZE, pa.timestamp("us", "UTC")),
    ]
    return pa.RecordBatch.from_arrays(columns, [c.name for c in DEALS.columns])


def large(hours: int) -> World:
    """Pages are made when they are asked for; reading goes on where it is told to."""
    of = world(DEALS, size=SIZE)
    of.later(hours=hours)

    def strange(_: Any) -> Iterator[Page | End]:
        resume = of.asked[-1][2]
        first = int(resume["page"]) if resume else 0
        for number in range(first, PAGES):
            yield Page(_batch(number * SIZE, of), resume={"page": number + 1})
        yield End((PAGES - first) * SIZE)

    of.strange = strange
    return of


def before() -> World:
    return large(0)


def after() -> World:
    return large(2)


def process(folder: Path, among: str, at: int, note: Path) -> None:
    """Dies ``at`` steps behind the first page that it has taken, or (``among`` is ``all``) at this one of all its steps."""
    copy, pages, steps = Copy(folder, after()), [0], [0]

    def step(frame: FrameType, event: str, what: Any) -> None:
        pages[0] += event == "call"
        steps[0] += among == "all" or pages[0] > 1
        if steps[0] == at:
            note.write_text(f"{_peak()} {killing.named(frame, event, what)}")
            killing.die()

    begun = _peak()
    killing.sync_watched(copy, step)
    note.write_text(f"{_peak()} whole, {_peak() - begun} MB more than at its beginning")


def _peak() -> int:
    """MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def first(folder: Path) -> None:
    assert Copy(folder, before()).one().counts.new == PAGES * SIZE


def in_a_process(of: Any, *given: Any) -> int | None:
    child = killing.forking().Process(target=of, args=given)
    child.start()
    child.join(600)
    try:
        return child.exitcode
    finally:
        child.close()


def pages_taken(copy: Copy) -> int:
    return sum(len(path.read_bytes().splitlines()) for path in copy.places.folder.glob("spool/*/journal*"))


def shows(copy: Copy, of: World) -> bool:
    """Whether runs see the source's rows of this time, to the last value."""
    seen = pq.ParquetFile(copy.file())
    wanted = pa.Table.from_batches(_batch(number * SIZE, of) for number in range(PAGES))
    return bool(seen.read(columns=wanted.column_names).sort_by("id").cast(wanted.schema).equals(wanted))


def test_killed_at_every_page_and_at_every_step_of_the_load(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert in_a_process(first, tmp_path) == 0
    copy, note = Copy(tmp_path, after()), tmp_path / "note"
    assert shows(copy, before())
    was, peaks, died = copy.file(), [], Counter[str]()

    def killed(among: str, at: int) -> bool:
        """Whether it was, and did not come to its end before."""
        code = in_a_process(process, tmp_path, among, at, note)
        peak, where = note.read_text().split(" ", 1)
        peaks.append(int(peak))
        died[where] += 1
        assert code in (0, -signal.SIGKILL), code
        return code != 0

    kills = 0
    while pages_taken(copy) < PAGES - 1:
        assert killed("pages", 1 + kills % 8)
        kills += 1
        assert copy.file() == was, "no page is seen before all are there"
    assert kills >= (PAGES - 1) // 2

    ready = tmp_path_factory.mktemp("ready")
    again(tmp_path, ready)
    step = 1
    while killed("all", step):
        assert copy.file() == was or shows(copy, after())
        assert not killed("all", 0)
        assert shows(copy, after()), note.read_text()
        step += STRIDE
        again(ready, tmp_path)
    assert shows(copy, after())
    print(*(f"{count:4} {at}" for at, count in sorted(died.items())), sep="\n")  # seen with pytest -s
    print(
        f"{PAGES * SIZE} rows: {kills} kills among pages, {step // STRIDE} in the load, at most {max(peaks)} MB"
    )
    assert max(peaks) < MEMORY
    copy.of.now = after().now
    assert copy.one().counts.changed == 0, "the next sync has nothing left to do"


def again(of: Path, into: Path) -> None:
    """One folder as the other is."""
    shutil.rmtree(into)
    shutil.copytree(of, into)
