"""What the store promises whatever happens: all of a transaction or nothing, one writer, readers that see one moment."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update

from cadran.state.store.store import Store, StoreError, exists
from cadran.state.store.tables import about

from .conftest import Place

OPEN = """
import sys
from pathlib import Path
from sqlalchemy import insert
from cadran.state.store.store import open_store
from cadran.state.store.tables import about
folder, url, schema = sys.argv[1:4]
"""


@contextmanager
def process(place: Place, code: str, *more: str) -> Iterator[subprocess.Popen[str]]:
    """One that runs ``code`` with the place at hand; it does not outlive the block."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", OPEN + code, str(place.folder), place.url, place.schema, *more]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as started:
        try:
            yield started
        finally:
            started.kill()


def names(store: Store) -> set[str]:
    with store.read() as c:
        return set(c.execute(select(about.c.name)).scalars())


def test_what_is_written_is_there_for_the_next_one(place: Place) -> None:
    first = place.open()
    with first.write() as c:
        c.execute(insert(about).values(name="é", value="ß"))
    first.close()
    again = place.open()
    assert names(again) == {"cadran", "é"}
    again.close()


def test_a_file_is_its_owners_and_survives_power_cuts(tmp_path: Path) -> None:
    store = Place(tmp_path).open()
    assert store.file is not None
    with store.write() as c:
        c.execute(insert(about).values(name="a", value=""))
        modes = {path.name: path.stat().st_mode & 0o777 for path in store.file.parent.iterdir()}
        pragmas = {
            name: c.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "auto_vacuum", "busy_timeout")
        }
    store.close()
    assert modes.pop("state.db") == 0o600
    assert set(modes.values()) == {0o600}
    full, incremental = 2, 2
    assert pragmas == {
        "journal_mode": "wal", "synchronous": full, "foreign_keys": 1, "auto_vacuum": incremental, "busy_timeout": 30_000,
    }  # fmt: skip


def test_a_store_that_is_up_to_date_is_opened_without_alembic(place: Place) -> None:
    place.open().close()
    code = "open_store(Path(folder), url, schema); print('alembic' in sys.modules)"
    with process(place, code) as opened:
        assert opened.communicate()[0] == "False\n"


def test_whether_there_is_anything_to_read_is_told_without_making_it(tmp_path: Path) -> None:
    assert not exists(tmp_path)
    assert list(tmp_path.iterdir()) == []
    Place(tmp_path).open().close()
    assert exists(tmp_path)


# --- transactions ----------------------------------------------------------------------------------------------------


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    with pytest.raises(ValueError, match="in the middle"), store.write() as c:
        c.execute(insert(about).values(name="a", value=""))
        raise ValueError("in the middle")
    assert names(store) == {"cadran"}


def test_a_reader_sees_one_moment(store: Store) -> None:
    with store.read() as c:
        before = c.execute(select(about.c.name)).scalars().all()
        with store.write() as other:
            other.execute(insert(about).values(name="later", value=""))
        assert c.execute(select(about.c.name)).scalars().all() == before
    assert "later" in names(store)


def test_a_reader_changes_nothing_and_the_next_writer_does(store: Store) -> None:
    with pytest.raises(StoreError, match="cannot be written"), store.read() as c:
        c.execute(delete(about))
    with store.write() as c:
        c.execute(delete(about))
    assert names(store) == set()


def test_what_a_writer_reads_no_other_changes_before_it_is_done(store: Store) -> None:
    with store.write() as c:
        c.execute(insert(about).values(name="count", value="0"))

    def count() -> None:
        for _ in range(20):
            with store.write() as c:
                before = int(c.execute(select(about.c.value).where(about.c.name == "count")).scalar_one())
                c.execute(update(about).where(about.c.name == "count").values(value=str(before + 1)))

    threads = [threading.Thread(target=count) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as c:
        assert c.execute(select(about.c.value).where(about.c.name == "count")).scalar_one() == "120"


# --- several processes -----------------------------------------------------------------------------------------------


def test_eight_processes_that_open_a_new_store_at_once_all_have_it(place: Place) -> None:
    code = """
print("ready", flush=True)
input()
store = open_store(Path(folder), url, schema)
with store.write() as c:
    c.execute(insert(about).values(name=f"process {sys.argv[4]}", value=""))
"""
    with ExitStack() as stack:
        started = [stack.enter_context(process(place, code, str(n))) for n in range(8)]
        for one in started:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        for one in started:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        assert [one.communicate()[1] for one in started] == [""] * 8
    store = place.open()
    assert names(store) == {"cadran", *(f"process {n}" for n in range(8))}
    store.close()


def test_a_process_that_is_killed_in_the_middle_leaves_nothing_and_holds_nobody_up(place: Place) -> None:
    place.open().close()
    code = """
store = open_store(Path(folder), url, schema)
with store.write() as c:
    c.execute(insert(about), [{"name": f"half {n}", "value": "x" * 5000} for n in range(2000)])
    print("in the middle", flush=True)
    input()
"""
    with process(place, code) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == "in the middle\n"
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        store = place.open()
        with store.write() as c:
            c.execute(insert(about).values(name="next", value=""))
        assert names(store) == {"cadran", "next"}
        store.close()


def test_a_process_that_is_killed_while_tables_are_made_leaves_none(place: Place) -> None:
    code = """
import os, signal
from cadran.state.store import migrate
migrate._sign = lambda connection: os.kill(os.getpid(), signal.SIGKILL)
open_store(Path(folder), url, schema)
"""
    with process(place, code) as killed:
        killed.communicate()
        assert killed.returncode == -signal.SIGKILL
    store = place.open()
    assert names(store) == {"cadran"}
    store.close()
