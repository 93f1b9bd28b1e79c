"""Whole processes, cold start included: how long they take and how much memory they need at most."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CADRAN = Path(sys.executable).parent / "cadran"
SINCE = "2023-01-01"


@dataclass(frozen=True, slots=True)
class Cost:
    """Wall-clock seconds, seconds of processor time over all threads, and the peak of resident memory in megabytes."""

    wall: float
    cpu: float
    peak: float


def measure(command: Sequence[str | Path], folder: Path, there: Path | None = None) -> Cost:
    """Runs a command in a folder (or elsewhere, ``there``); raises RuntimeError with what it said where it fails.

    The starter stays small on purpose: a child's peak is never less than its parent's size when it was started.
    """
    _compile()
    log = folder / "benchmark.log"
    with log.open("w") as said:
        started = time.perf_counter()
        child = subprocess.Popen([str(c) for c in command], cwd=there or folder, stdout=said, stderr=said)
        _, status, used = os.wait4(child.pid, 0)
        wall = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(
            f"{' '.join(map(str, command))} ended with {child.returncode}:\n{log.read_text()[-3000:]}"
        )
    kilo = 1 if sys.platform == "darwin" else 1024  # macOS counts in bytes
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * kilo / 2**20)


@cache
def _compile() -> None:
    """cadran's modules compiled, as pip leaves those that it installs: a checkout may be run where Python keeps none."""
    folders = [str(ROOT / name) for name in ("engine", "plugins")]
    subprocess.run([sys.executable, "-m", "compileall", "-q", *folders], check=True)


def medians(costs: Sequence[Cost]) -> Cost:
    return Cost(median(c.wall for c in costs), median(c.cpu for c in costs), median(c.peak for c in costs))


def data(orders: int) -> Path:
    """The folder with the data of a size, made by a process of its own where it is not there yet."""
    return Path(_generate("--orders", str(orders)))


def day(folder: Path, orders: int, *, there: bool, customers: bool = False) -> None:
    """Puts one more day of rows there, or takes it away."""
    options = ["--day", *["--customers"] * customers] if there else ["--no-day"]
    _generate("--folder", str(folder), "--orders", str(orders), *options)


def _generate(*options: str) -> str:
    command = [sys.executable, "-m", "benchmarks.scale.generate", *options]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def project(folder: Path) -> None:
    """Puts kpis.yaml beside the data, and takes away what earlier runs of cadran have kept there."""
    shutil.copy(HERE / "kpis.yaml", folder / "kpis.yaml")
    forget(folder)


def forget(folder: Path) -> None:
    """Away with everything that a run of cadran has kept."""
    shutil.rmtree(folder / ".cadran", ignore_errors=True)


def cadran(out: Path, as_of: str, until: str) -> list[str | Path]:
    span = ["--as-of", as_of, "--since", SINCE, "--until", until]
    return [CADRAN, "run", *span, "--format", "csv", "-o", out]


def by_hand(script: str, folder: Path, out: Path, as_of: str) -> list[str | Path]:
    return [sys.executable, HERE / f"{script}.py", folder, out, "--as-of", as_of]
