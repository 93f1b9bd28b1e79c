"""Start-up, checking many KPIs, a whole run, and a large scan. Not part of ``make test``."""

from __future__ import annotations

import datetime as dt
import gc
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
import yaml

import cadran
from benchmarks.conftest import Action, Measure
from benchmarks.generated import BY_HAND, many_kpis, many_orders

ROOT = Path(__file__).resolve().parents[1]
CADRAN = Path(sys.executable).parent / "cadran"


def _command(*command: str | Path) -> Action:
    def call() -> None:
        subprocess.run([str(c) for c in command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)

    return call


BARE_PYTHON = _command(sys.executable, "-c", "pass")


def test_help_against_bare_python(ratio: Measure) -> None:
    ratio(_command(CADRAN, "--help"), BARE_PYTHON, most=6, rounds=21)


def test_check_of_the_sample_project_against_bare_python(ratio: Measure) -> None:
    ratio(_command(CADRAN, "check"), BARE_PYTHON, most=25, rounds=11)


def test_run_of_the_sample_project_against_its_check(ratio: Measure) -> None:
    run = _command(CADRAN, "run", "--as-of", "2026-07-01", "--format", "csv")
    ratio(run, _command(CADRAN, "check"), most=10, rounds=5)


@pytest.mark.parametrize(
    ("judged", "most"), [(False, 6), (True, 10)], ids=["formulas", "formulas_targets_alerts"]
)
def test_check_of_5000_kpis_against_composing_their_yaml(
    judged: bool, most: float, ratio: Measure, tmp_path: Path
) -> None:
    file = many_kpis(tmp_path, 5000, judged=judged)
    text = file.read_text(encoding="utf-8")

    def compose() -> None:
        gc.disable()
        try:
            yaml.compose(text, Loader=yaml.CSafeLoader)
        finally:
            gc.enable()

    def check() -> None:
        assert cadran.open(file).check() == []

    ratio(check, compose, most=most, rounds=5)


def test_scan_of_a_million_rows_against_sql_by_hand(ratio: Measure, tmp_path: Path) -> None:
    file = many_orders(tmp_path, 1_000_000)
    sql = BY_HAND.format(file=tmp_path / "orders.parquet")
    day = dt.date(2026, 1, 1)

    def by_hand() -> None:
        assert len(duckdb.connect().execute(sql).fetchall()) == 36 * 6

    def run() -> None:
        results = cadran.open(file).run(as_of=day, since=dt.date(2023, 1, 1), until=dt.date(2025, 12, 31))
        assert len(results) == 5 * 36 * 6

    ratio(run, by_hand, most=4, rounds=5)
