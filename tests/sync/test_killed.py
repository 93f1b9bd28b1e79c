"""Syncs that are killed between any two steps: runs see the tables of before or those of after, and the next sync makes it good.

The same steps are killed under the same seed; ``CADRAN_FULL=1`` kills at every step, and loads a million rows in bounded memory.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sync import killing
from sync.syncing import Copy

FULL = os.environ.get("CADRAN_FULL") == "1"
KILLS = 12


def shown(copy: Copy) -> dict[str, list[Any]]:
    """What runs see of each table."""
    return {name: [sorted(copy.rows(name), key=str), copy.aside(name)] for name in ("deals", "list")}


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy as it is before."""
    folder = tmp_path_factory.mktemp("begun")
    assert killing.run(folder, killing.before) == 0
    return folder


@pytest.fixture(scope="module")
def expected(
    begun: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], dict[str, Any], int]:
    """What is seen before and after, and in how many steps the sync does it."""
    folder = tmp_path_factory.mktemp("expected") / "copy"
    shutil.copytree(begun, folder)
    was = shown(Copy(folder, killing.before()))
    assert killing.run(folder, killing.after, note=folder / "note") == 0
    return was, shown(Copy(folder, killing.after())), int((folder / "note").read_text())


def test_the_two_differ_as_they_should(expected: tuple[dict[str, Any], dict[str, Any], int]) -> None:
    was, now, steps = expected
    deals = {row["id"]: row for row in now["deals"][0]}
    assert 3 not in deals and deals[0]["name"] == "changed" and deals[9]["name"] == "new" and 10 not in deals
    assert [place for place, _ in now["deals"][1]] == ["deals, id 10"]
    assert len(was["deals"][0]) == len(deals) == 9
    assert len(was["list"][0]) == len(now["list"][0]) + 2
    assert steps > 200


def _steps(steps: int) -> list[int]:
    """All of them, or a sample with some out of each part of the way."""
    if FULL:
        return list(range(1, steps + 1))
    chance, part = random.Random(7), steps / KILLS
    return [1 + int(number * part + chance.random() * part) for number in range(KILLS)]


def test_killed_once_anywhere(
    begun: Path, expected: tuple[dict[str, Any], dict[str, Any], int], tmp_path: Path
) -> None:
    was, now, steps = expected
    died: Counter[str] = Counter()
    for step in _steps(steps):
        folder, note = tmp_path / f"killed-{step}", tmp_path / "died"
        shutil.copytree(begun, folder)
        assert killing.run(folder, killing.after, step, note) == -signal.SIGKILL
        died[note.read_text()] += 1
        copy = Copy(folder, killing.after())
        assert shown(copy) in (was, now), f"step {step}: {note.read_text()}"
        done = copy.sync()
        assert [one.error for one in done.values()] == [None, None]
        assert shown(copy) == now, f"step {step}: {note.read_text()}"
        left = sorted(path.name for path in copy.places.tables.iterdir() if path.suffix == ".parquet")
        assert len(left) <= 4, left
        assert not any(path.is_dir() for path in (copy.places.folder / "spool").iterdir())
        shutil.rmtree(folder)
    print(*(f"{count:3} {at}" for at, count in sorted(died.items())), sep="\n")  # seen with pytest -s


@pytest.mark.parametrize("seed", range(20) if FULL else range(1))
def test_killed_again_and_again(
    begun: Path, expected: tuple[dict[str, Any], dict[str, Any], int], tmp_path: Path, seed: int
) -> None:
    was, now, steps = expected
    chance, folder = random.Random(seed), tmp_path / "copy"
    shutil.copytree(begun, folder)
    for _ in range(5):
        assert killing.run(folder, killing.after, chance.randint(1, steps // 2)) in (0, -signal.SIGKILL)
        assert shown(Copy(folder, killing.after())) in (was, now)
    copy = Copy(folder, killing.after())
    copy.sync()
    assert shown(copy) == now
