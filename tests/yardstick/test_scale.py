"""All 49 series of benchmarks/scale, for some thousands of orders: a yardstick that computes something else is none."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.scale import children, compare, run

ROOT = Path(__file__).resolve().parents[2]
ORDERS = 5000

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("yardstick")]


def _call(*command: str | Path) -> None:
    done = subprocess.run([str(c) for c in command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def _generate(folder: Path, *more: str) -> None:
    options = ["--folder", folder, "--orders", str(ORDERS)]
    _call(sys.executable, "-m", "benchmarks.scale.generate", *options, *more)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scale")
    _generate(folder)
    children.project(folder)
    return folder


def _values(folder: Path, name: str, as_of: str, until: str) -> compare.Values:
    out = folder / f"{name}.csv"
    if name == "cadran":
        done = subprocess.run(children.cadran(out, as_of, until), cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    else:
        _call(*children.by_hand(name, folder, out, as_of))
    return compare.read(out)


@pytest.fixture(scope="module")
def fused(folder: Path) -> compare.Values:
    return _values(folder, "fused", run.AS_OF, run.UNTIL)


def test_there_are_49_series_of_20_kpis(fused: compare.Values) -> None:
    assert len({kpi for kpi, *_ in fused}) == 20
    assert len({(kpi, segment) for kpi, _, segment, _ in fused}) == 49
    assert len({period for _, period, *_ in fused}) == 36


def test_cadran_and_the_yardstick_give_the_same_values(folder: Path, fused: compare.Values) -> None:
    assert compare.differences(_values(folder, "cadran", run.AS_OF, run.UNTIL), fused) == []


def test_a_query_for_each_series_gives_the_same_values(folder: Path, fused: compare.Values) -> None:
    plain = _values(folder, "per_kpi", run.AS_OF, run.UNTIL)
    assert compare.differences(plain, fused, sparse=True) == []
    assert {(kpi, segment) for kpi, _, segment, _ in plain} == {
        (kpi, segment) for kpi, _, segment, _ in fused
    }


def test_a_day_later_they_still_do(folder: Path, tmp_path: Path) -> None:
    """Whatever a first run has kept: new rows show, and so do customers who now belong to another range."""
    later = shutil.copytree(folder, tmp_path / "later")
    _values(later, "cadran", run.AS_OF, run.UNTIL)
    for changes in (["--day"], ["--day", "--customers"]):
        _generate(later, *changes)
        fused = _values(later, "fused", run.DAY_LATER, run.UNTIL_LATER)
        assert len({period for _, period, *_ in fused}) == 37
        assert compare.differences(_values(later, "cadran", run.DAY_LATER, run.UNTIL_LATER), fused) == []


def test_the_comparison_finds_what_differs() -> None:
    ours = {
        ("a", "2023-01", "", ""): "1",
        ("a", "2023-02", "", ""): "0.3333333333",
        ("b", "2023-01", "", ""): "12.50",
    }
    same = {**ours, ("b", "2023-01", "", ""): "12.5", ("a", "2023-02", "", ""): "0.33333333331"}
    assert compare.differences(ours, same) == []
    other = {**ours, ("a", "2023-01", "", ""): "2", ("b", "2023-01", "", ""): "12.51"}
    assert compare.differences(ours, other) == ["a 2023-01: 1 and 2", "b 2023-01: 12.50 and 12.51"]
    assert compare.differences({}, {("a", "2023-01", "", ""): "0"}) == ["a 2023-01: no such cell and 0"]
    assert compare.differences({}, {("a", "2023-01", "", ""): "0"}, sparse=True) == []


def test_the_same_call_writes_the_same_rows(folder: Path, tmp_path: Path) -> None:
    _generate(tmp_path / "again")
    for file in sorted((tmp_path / "again").rglob("*.parquet")):
        assert file.read_bytes() == (folder / file.relative_to(tmp_path / "again")).read_bytes(), file.name
