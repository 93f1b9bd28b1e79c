"""Ratios instead of seconds: machines differ and drift, so each round times a yardstick beside what is measured."""

from __future__ import annotations

import gc
import platform
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

Action = Callable[[], object]
Measure = Callable[..., None]
RESULTS = Path(__file__).resolve().parents[1] / ".benchmarks" / "ratios.txt"
_lines: list[str] = []


@pytest.fixture
def ratio(benchmark: BenchmarkFixture, request: pytest.FixtureRequest) -> Measure:
    """``ratio(action, yardstick, most=6)``: medians of interleaved rounds; above ``most``, the aim, it says OVER."""

    def measure(action: Action, yardstick: Action, *, most: float, rounds: int = 11) -> None:
        beside: list[float] = []

        def setup() -> None:
            gc.collect()
            started = time.perf_counter()
            yardstick()
            beside.append(time.perf_counter() - started)

        yardstick()
        benchmark.pedantic(action, setup=setup, rounds=rounds, warmup_rounds=1)
        ours, theirs = benchmark.stats.stats.median, median(beside[1:])
        found = ours / theirs
        benchmark.extra_info["ratio"] = round(found, 2)
        name = request.node.name.removeprefix("test_").replace("_", " ")
        verdict = "" if found <= most else "   OVER"
        _lines.append(f"{name:<58} {found:6.1f} x  (at most {most:g})  {ours * 1000:8.0f} ms{verdict}")

    return measure


@pytest.fixture(scope="session", autouse=True)
def _written() -> Iterator[None]:
    """Leaves the results as text."""
    yield
    head = f"Ratios to the yardstick named in each benchmark; medians. Python {platform.python_version()}, {platform.machine()}."
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text("\n".join([head, "", *_lines, ""]), encoding="utf-8")
