"""Intervals hold about as often as they say, on data whose laws are known; the exact figures are in docs/forecast.md."""

from __future__ import annotations

import pytest
from benchmarks.forecast import coverage


@pytest.mark.parametrize("process", [name for name in coverage.PROCESSES if name != "trend"])
@pytest.mark.parametrize("elapsed", coverage.ELAPSED)
def test_projections(process: str, elapsed: float) -> None:
    tally = coverage.pace(coverage.PROCESSES[process], elapsed, 300)
    assert [held / tally.runs for held in tally.held] == pytest.approx([0.8, 0.95], abs=0.06)


@pytest.mark.slow
@pytest.mark.parametrize("elapsed", [0.0, 0.5])
def test_forecasts(elapsed: float) -> None:
    for tally in coverage.pipelines(coverage.PIPELINES["8 deals a period"], elapsed, 150):
        assert [held / tally.runs for held in tally.held] == pytest.approx([0.8, 0.95], abs=0.1)
        assert tally.foretold / tally.came == pytest.approx(1, abs=0.15)
