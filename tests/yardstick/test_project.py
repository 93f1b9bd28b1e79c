"""benchmarks/project: what is measured beside the sample project computes what that project computes, all of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from benchmarks.project import compare, run

ROOT = Path(__file__).resolve().parents[2]
Answers = Mapping[str, list[compare.Record]]

pytestmark = pytest.mark.xdist_group("project-yardstick")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run.project(tmp_path_factory.mktemp("project"))


def _said(out: Path, *command: str | Path) -> Answers:
    out.mkdir(exist_ok=True)
    done = subprocess.run([str(c) for c in command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return {name: compare.read(out / f"{name}.csv") for name in compare.ANSWERS}


@pytest.fixture(scope="module")
def ours(folder: Path) -> Answers:
    return _said(folder / "ours", sys.executable, "-m", "benchmarks.project.answers", folder, folder / "ours")


@pytest.fixture(scope="module")
def by_hand(folder: Path) -> Answers:
    return _said(folder / "by_hand", *run.by_hand(folder))


@pytest.mark.parametrize("name", compare.ANSWERS)
def test_sql_by_hand_says_what_a_run_says(name: str, ours: Answers, by_hand: Answers) -> None:
    wrong = compare.differences(compare.ANSWERS[name], ours[name], by_hand[name])
    assert not wrong, (
        f"benchmarks/project/by_hand.py and the project say different things:\n{compare.some(wrong)}"
    )


def test_nothing_is_compared_with_nothing(ours: Answers) -> None:
    filled = [r for r in ours["kpis"] if all(r[c] for c in ("value", "previous", "year_ago", "target"))]
    assert len(filled) > 2000
    assert all(len(ours[name]) > 300 for name in compare.ANSWERS)


def _kpi(name: str, value: str, state: str = "final") -> compare.Record:
    row = {
        "kpi": name,
        "period": "2026-06",
        "segment": "",
        "segment_value": "",
        "value": value,
        "state": state,
    }
    return {**row, "previous": value, "year_ago": "", "target": ""}


@pytest.mark.parametrize(
    ("ours", "by_hand", "said"),
    [
        ([_kpi("cac", "1")], [_kpi("cac", "1.0")], []),
        ([_kpi("cac", "1"), _kpi("new", "2")], [_kpi("cac", "1")], ["new: by_hand.py does not compute it"]),
        ([_kpi("cac", "1")], [_kpi("cac", "1"), _kpi("old", "2")], ["old: by_hand.py computes it, and the project has no such thing"]),
        ([_kpi("cac", "1.01")], [_kpi("cac", "1.02")], ["cac 2026-06 value: cadran says 1.01, by_hand.py 1.02", "cac 2026-06 previous: cadran says 1.01, by_hand.py 1.02"]),
        ([_kpi("cac", "1", "open")], [{**_kpi("cac", "1"), "previous": "7"}], []),
        ([_kpi("cac", "1")], [{**_kpi("cac", "1"), "period": "2026-05"}], ["cac 2026-05: only by_hand.py has this line", "cac 2026-06: only cadran has this line"]),
    ],
    ids=["equal", "a_new_kpi", "a_kpi_that_went", "another_cent", "a_period_that_is_not_over", "another_period"],
)  # fmt: skip
def test_a_difference_is_said(
    ours: list[compare.Record], by_hand: list[compare.Record], said: list[str]
) -> None:
    assert compare.differences(compare.ANSWERS["kpis"], ours, by_hand) == said
