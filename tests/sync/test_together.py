"""Several at once: two processes over one source, several sources in one process, and somebody who stops it all."""

from __future__ import annotations

import os
import resource
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cadran.declare.load import load
from cadran.plugins.connector import Cancelled, ConnectorError, End, Page, Transient
from cadran.sync.places import alone
from cadran.sync.work import Syncs
from sync import killing
from sync.fake import DEALS, Plugins, world
from sync.syncing import Copy

FULL = os.environ.get("CADRAN_FULL") == "1"
TWO = """
version: 1
sources: {one: {connector: fake}, two: {connector: other}}
datasets:
  a: {from: one.deals, date: changed}
  b: {from: two.deals, date: changed}
"""


def _sync(folder: Path, first: bool) -> None:
    """The first does not go on before the second waits for it, which finds everything done."""
    copy = Copy(folder, killing.before())
    waits, reads = folder / "waits", folder / ("first" if first else "second")

    def fault(_: str, __: int) -> None:
        reads.touch()
        until = time.monotonic() + 60
        while first and not waits.exists() and time.monotonic() < until:
            time.sleep(0.02)

    class Noting(list[str]):
        def append(self, text: str) -> None:
            if "waiting" in text:
                waits.touch()

    copy.said, copy.of.fault = Noting(), fault
    if not first:
        while not (folder / "first").exists():
            time.sleep(0.02)
    done = copy.sync()
    assert all(one.error is None and one.fresh is not first for one in done.values()), done


def test_the_second_process_waits_and_finds_it_done(tmp_path: Path) -> None:
    children = [killing.forking().Process(target=_sync, args=(tmp_path, first)) for first in (True, False)]
    for child in children:
        child.start()
    for child in children:
        child.join(120)
    assert [child.exitcode for child in children] == [0, 0]
    assert (tmp_path / "waits").exists() and not (tmp_path / "second").exists()
    assert len(Copy(tmp_path, killing.before()).rows()) == 9


def test_who_waits_can_be_stopped(tmp_path: Path) -> None:
    copy = Copy(tmp_path, world())
    with alone(copy.places, lambda: False, lambda: None):
        copy.stopped = True
        with pytest.raises(Cancelled):
            copy.sync()


def syncs(folder: Path, plugins: Plugins, **options: Any) -> Syncs:
    (folder / "kpis.yaml").write_text(TWO, encoding="utf-8")
    declaration, problems = load(folder / "kpis.yaml", environ={}, plugins=plugins)
    assert declaration is not None and not problems, problems
    return Syncs(declaration, plugins, **options)


def test_sources_are_asked_side_by_side(tmp_path: Path) -> None:
    one, two = world(), world()
    both = threading.Barrier(2, timeout=60)

    def meet(_: str, page: int) -> None:
        if page == 0:
            both.wait()

    for of in (one, two):
        of.deal(1)
        of.fault = meet
    outcomes = syncs(tmp_path, Plugins(one, other=two)).run()
    assert [(o.source, o.error) for o in outcomes] == [("one", None), ("two", None)]


def test_an_interrupt_stops_all_within_seconds_and_keeps_what_came(tmp_path: Path) -> None:
    one, two = world(), world()
    for of in (one, two):
        for number in range(6):
            of.deal(number)
    running: list[Syncs] = []
    reached = threading.Event()

    def patient(_: str, page: int) -> None:
        """As a connector that waits for its turn: it looks whether anybody still waits."""
        until = time.monotonic() + 60
        while page == 2 and time.monotonic() < until:
            reached.set()
            if running[0]._stopped.is_set():
                raise Cancelled("stopped")
            time.sleep(0.01)

    one.fault = patient
    made = syncs(tmp_path, Plugins(one, other=two))
    running.append(made)
    started = time.monotonic()
    import cadran.sync.work as work

    was: Callable[..., None] = work._join

    def join(threads: Any, until: float | None = None) -> None:
        if until is None:
            reached.wait(60)
            raise KeyboardInterrupt
        was(threads, until)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work, "_join", join)
        with pytest.raises(KeyboardInterrupt):
            made.run()
    assert time.monotonic() - started < 30
    one.fault = lambda _table, _page: None
    [first, second] = syncs(tmp_path, Plugins(one, other=two)).run()
    assert (first.resumed, first.counts.rows) == (True, 6)
    assert (second.error, second.counts.rows) == (None, 6)


def test_what_nobody_expects_is_an_error_of_its_source(tmp_path: Path) -> None:
    one, two = world(), world()
    one.failing = RuntimeError("a bug")
    first, second = syncs(tmp_path, Plugins(one, other=two)).run()
    assert isinstance(first.error, ConnectorError) and "RuntimeError: a bug" in first.error.message
    assert second.error is None


# --- memory ---------------------------------------------------------------------------------------------------------------


def _load(folder: Path, rows: int, note: Path) -> None:
    """So many rows in pages of 500, each made when it is asked for; then a tenth of them again, changed."""
    import pyarrow as pa

    of = world(size=500)
    names = [c.name for c in of.tables["deals"].table.columns]

    def strange(_: Any) -> Any:
        amounts = pa.array([Decimal(n) for n in range(500)], pa.decimal128(18, 2))
        since = of.asked[-1][1].since
        last = rows if since is None else rows // 10
        for at in range(0, last, 500):
            ids = pa.array(range(at, at + 500), pa.int64())
            texts = pa.array([f"deal {n} {'x' * 60} {of.now:%H}" for n in range(at, at + 500)])
            moments = pa.array([of.now] * 500, pa.timestamp("us", "UTC"))
            yield Page(pa.RecordBatch.from_arrays([ids, texts, amounts, moments], names), resume={"at": at})
        yield End(last)

    of.strange = strange
    copy = Copy(folder, of, memory="256 MB")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    assert copy.one().counts.new == rows
    first = time.monotonic() - started
    of.later(hours=2)
    assert copy.one().counts.changed == rows // 10
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    note.write_text(f"{grown} {first:.1f} {time.monotonic() - started - first:.1f}")


def test_memory_is_bounded(tmp_path: Path) -> None:
    rows = 1_000_000 if FULL else 20_000
    child = killing.forking().Process(target=_load, args=(tmp_path, rows, tmp_path / "note"))
    child.start()
    child.join(600)
    assert child.exitcode == 0
    grown, first, again = (tmp_path / "note").read_text().split()
    print(f"{rows} rows: {grown} MB more; {first} s, {again} s for a tenth of them")  # seen with pytest -s
    assert int(grown) < 600


@pytest.mark.parametrize("where", ["discover", "changes"])
def test_a_connection_that_a_connector_loses_without_a_word_is_no_fault_of_the_disk(tmp_path: Path, where: str) -> None:  # fmt: skip
    of = world(DEALS, replace(DEALS, name="people"))
    of.deal(1)
    copy = Copy(tmp_path, of)
    refused = ConnectionRefusedError(111, "Connection refused")

    def fault(table: str, _: int) -> None:
        if table == "people":
            raise refused

    if where == "discover":
        of.failing = refused
        with pytest.raises(Transient, match=r"the source cannot be read: ConnectionRefusedError: .*refused"):
            copy.sync()
    else:
        of.fault = fault
        done = copy.sync()
        assert isinstance(done["people"].error, Transient) and done["deals"].error is None
        assert [row["id"] for row in copy.rows()] == [1]


@pytest.mark.parametrize("other", ["deals", "people"])
def test_who_waits_is_done_only_with_what_was_done_meanwhile(tmp_path: Path, other: str) -> None:
    """A process that works on another table of the source leaves this one as old as it was."""
    copy = Copy(tmp_path, world(DEALS, replace(DEALS, name="people")))
    copy.sync()
    copy.of.deal(1)
    with ExitStack() as first:
        first.enter_context(alone(copy.places, lambda: False, lambda: None))

        class Heard(list[str]):
            def append(self, text: str) -> None:
                """The other process ends, and one more has its turn before this one."""
                if "waiting" in text:
                    first.close()
                    Copy(tmp_path, copy.of).sync([other])

        copy.said = Heard()
        [done] = copy.work(["deals"]).run()
    assert done.fresh == (other == "deals")
    assert [row["id"] for row in copy.rows()] == [1]
