"""A writer that is killed at any moment: what it said was written is there, and nothing is there by half."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time

import pytest
from sqlalchemy import func, select

from cadran.state.store.store import Store
from cadran.state.store.tables import delivery, observation, run

from .conftest import Place

WRITER = """
import datetime as dt, sys
from itertools import count
from pathlib import Path
from sqlalchemy import func, insert, select
from cadran.state.store import observations, runs
from cadran.state.store.store import open_store
from cadran.state.store.tables import delivery, run
from state.test_recording import seen
from state.test_retention import message

store = open_store(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
with store.read() as c:
    first = c.execute(select(func.count()).select_from(run)).scalar_one()
for n in count(first):
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + n * dt.timedelta(hours=1)
    with store.write() as c:
        number = runs.claim(c, job="alerts", logical_time=now, state="done", started=now, finished=now)
        assert number is not None
        rows = [seen(n, segment=("channel",), segment_value=(name,)) for name in "abc"]
        observations.record(c, number, rows, now, now)
        c.execute(insert(delivery), [message(f"{n} {name}", "waiting", 0, run=number, content=b"x" * 9000) for name in "ab"])
    print(n, flush=True)
"""
FULL = os.environ.get("CADRAN_FULL") == "1"
SEEDS, ROUNDS = (4, 60) if FULL else (1, 4)


def written(store: Store) -> int:
    """How many runs there are; each with all that it brought."""
    with store.read() as c:
        runs = set(c.execute(select(run.c.id)).scalars())
        for table, each in ((observation, 3), (delivery, 2)):
            counts = c.execute(select(table.c.run, func.count()).group_by(table.c.run)).all()
            assert dict(map(tuple, counts)) == dict.fromkeys(runs, each), table.name
        newest = c.execute(select(func.count()).where(observation.c.until.is_(None))).scalar_one()
        assert newest == (3 if runs else 0)
        if store.file is not None:
            assert c.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    return len(runs)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_what_was_said_to_be_written_is_there_and_nothing_by_half(place: Place, seed: int) -> None:
    chance = random.Random(seed)
    store = place.open()
    command = [sys.executable, "-c", WRITER, str(place.folder), place.url, place.schema]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    before = 0
    for _ in range(ROUNDS):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as writer:
            assert writer.stdout is not None
            first = writer.stdout.readline()
            time.sleep(chance.random() / 10)
            writer.kill()
            said = [first, *writer.stdout]
        whole = [line for line in said if line.endswith("\n")]
        assert whole, "it has written something before it is killed"
        after = written(store)
        assert before + len(whole) <= after <= before + len(whole) + 1
        before = after
    store.close()
