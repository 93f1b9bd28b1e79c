"""Where the time of ``cadran run`` goes: its main thread is looked at every few milliseconds, from inside the process.

A look counts for the stage of the innermost frame that has one; DuckDB works with the lock of the interpreter released,
so its statements count for whoever asked for them. Processor time is that of all threads since the look before.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

from benchmarks.scale import children
from benchmarks.scale.children import Cost

Stages = Mapping[str, str]

EVERY = 0.004  # seconds
FILE = "stages.json"

# Part of "file:function" → stage, the first that fits. A module of cadran that is not named here is a stage of its own
# name; what only carries out others' wishes is none.
STAGES = {
    "compute/engine.py:_scan": "scans",
    "compute/engine.py:_make": "scans",
    "compute/engine.py:_shared": "scans",
    "compute/engine.py:_fill": "scans",
    "compute/engine.py:_series": "planning",
    "compute/scanning/rows.py": "",
    "compute/scanning/": "scans",
    "compute/shared/": "scans",
    "compute/planning/": "planning",
    "compute/spans.py": "planning",
    "compute/bounds.py": "planning",
    "compute/cells/": "combining",
    "compute/examining/typecheck.py": "types",
    "compute/examining/": "examining the data",
    "compute/loading/embedded.py": "",
    "compute/loading/": "loading",
    "compute/keeping/": "what is kept",
    "cadran/state/": "what is kept",
    "cadran_plugins/": "loading",
    "cadran/declare/": "reading the declaration",
    "cadran/formula/": "reading the declaration",
    "cadran/judge/": "judging",
    "cadran/publish/": "output",
    "compute/results.py": "output",
    "compute/dialects/": "",
    "compute/placing/": "",
    "compute/lower.py": "",
    "compute/engine.py": "",
    "cadran/calendar.py": "",
    "cadran/plugins/": "",
    "cadran/project/": "",
    "cadran/cli/": "",
}
ORDER = [
    "imports", "reading the declaration", "loading", "types", "examining the data", "planning", "scans", "what is kept", "combining",
    "judging", "output",
]  # fmt: skip
LITTLE = 0.01  # of the whole: what takes less is shown together


def profile(folder: Path, as_of: str, until: str) -> str:
    """A table of stages for one run in this folder, by a process of its own."""
    command: list[str | Path] = [sys.executable, "-m", "benchmarks.scale.stages", folder, as_of, until]
    return table(folder, children.measure(command, folder, there=children.ROOT), ORDER)


def table(folder: Path, cost: Cost, order: Sequence[str]) -> str:
    """What a watched process has left in this folder, stage by stage."""
    watched: dict[str, tuple[float, float]] = json.loads((folder / FILE).read_text(encoding="utf-8"))
    seen = [sum(both) for both in zip(*watched.values(), strict=True)]
    watched["start and end of the process"] = (max(cost.wall - seen[0], 0), max(cost.cpu - seen[1], 0))
    stages = {
        n: both
        for n, both in watched.items()
        if n in order or (n != "other" and both[1] >= LITTLE * cost.cpu)
    }
    rest = [both for name, both in watched.items() if name not in stages]
    if rest:
        stages["other"] = (sum(wall for wall, _ in rest), sum(cpu for _, cpu in rest))
    names = sorted(stages, key=lambda n: (order.index(n) if n in order else len(order), n))
    lines = ["| stage | wall s | CPU s | share of CPU |", "|---|---:|---:|---:|"]
    for name in names:
        wall, cpu = stages[name]
        lines.append(f"| {name} | {wall:.2f} | {cpu:.2f} | {cpu / cost.cpu:.0%} |")
    lines.append(f"| **all** | {cost.wall:.2f} | {cost.cpu:.2f} | |")
    return "\n".join(lines)


def stage_of(frame: FrameType | None, stages: Stages) -> str:
    """The stage of the innermost frame that has one."""
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith("<frozen importlib"):
            return "imports"
        if file.startswith(_packages()):
            name = _named(f"{file}:{frame.f_code.co_name}", stages)
            if name:
                return name
        frame = frame.f_back
    return "other"


def _named(place: str, stages: Stages) -> str:
    for part, stage in stages.items():
        if part in place:
            return stage
    return place.rpartition("cadran/")[2].partition(":")[0]


@cache
def _packages() -> tuple[str, ...]:
    """The folders of cadran and its plugins, wherever they are installed."""
    specs = [find_spec(name) for name in ("cadran", "cadran_plugins")]
    return tuple(str(Path(spec.origin).parent) + os.sep for spec in specs if spec and spec.origin)


def _watch(main: int, stop: threading.Event, found: dict[str, Counter[str]], stages: Stages) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    while not stop.wait(EVERY):
        stage = stage_of(sys._current_frames().get(main), stages)
        now, used = time.perf_counter(), time.process_time()
        found["wall"][stage] += now - wall  # type: ignore[assignment]
        found["cpu"][stage] += used - cpu  # type: ignore[assignment]
        wall, cpu = now, used


def watched(folder: Path, command: Sequence[str | Path], stages: Stages) -> None:
    """Runs cadran in a folder, watched, and leaves there what each stage took."""
    os.chdir(folder)
    found: dict[str, Counter[str]] = {"wall": Counter(), "cpu": Counter()}
    stop = threading.Event()
    watcher = threading.Thread(target=_watch, args=(threading.get_ident(), stop, found, stages), daemon=True)
    watcher.start()
    try:
        from cadran.cli import main as cadran

        sys.argv = [str(a) for a in command]
        cadran()
    finally:
        stop.set()
        watcher.join()
        took = {name: [found["wall"][name], found["cpu"][name]] for name in found["wall"]}
        (folder / FILE).write_text(json.dumps(took), encoding="utf-8")


def main() -> None:
    """Runs cadran in the folder named, watched."""
    folder, as_of, until = Path(sys.argv[1]), *sys.argv[2:]
    watched(folder, children.cadran(folder / "cadran.csv", as_of, until), STAGES)


if __name__ == "__main__":
    main()
