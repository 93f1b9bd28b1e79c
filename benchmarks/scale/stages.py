"""Where the time of ``cadran run`` goes: its main thread is looked at every few milliseconds, from inside the process.

A look counts for the stage of the innermost frame that has one; DuckDB works with the lock of the interpreter released,
so its statements count for whoever asked for them. Processor time is that of all threads since the look before.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType

from benchmarks.scale import children

EVERY = 0.004  # seconds
FILE = "stages.json"

# The end of a frame's "file:function" → stage. A module of cadran that is not named here is a stage of its own name;
# what only carries out others' wishes is none.
STAGES = {
    "compute/engine.py:_scan": "scans",
    "compute/engine.py:_make": "scans",
    "compute/engine.py:_combine": "combining",
    "compute/engine.py:_series": "planning",
    "compute/plan.py": "planning",
    "compute/spans.py": "planning",
    "compute/scan.py": "scans",
    "compute/entities.py": "scans",
    "compute/combine.py": "combining",
    "compute/examine.py": "examining the data",
    "compute/typecheck.py": "types",
    "compute/sources.py": "loading",
    "cadran_plugins/": "loading",
    "cadran/declare/": "reading the declaration",
    "cadran/formula/": "reading the declaration",
    "cadran/judge/": "judging",
    "cadran/publish/": "output",
    "cadran/calendar.py": "",
    "compute/embedded.py": "",
    "compute/lower.py": "",
    "compute/rows.py": "",
    "compute/engine.py": "",
    "cadran/project.py": "",
    "cadran/cli/": "",
}
ORDER = [
    "imports",
    "reading the declaration",
    "loading",
    "types",
    "examining the data",
    "planning",
    "scans",
    "combining",
    "judging",
    "output",
]


def profile(folder: Path) -> str:
    """A table of stages for one run in this folder, by a process of its own."""
    children.project(folder)
    command = [sys.executable, "-m", "benchmarks.scale.stages", folder]
    cost = children.measure(command, children.ROOT)
    found: dict[str, list[float]] = json.loads((folder / FILE).read_text(encoding="utf-8"))
    seen = sum(wall for wall, _ in found.values())
    found["start and end of the process"] = [
        max(cost.wall - seen, 0),
        max(cost.cpu - sum(cpu for _, cpu in found.values()), 0),
    ]
    names = sorted(found, key=lambda n: (ORDER.index(n) if n in ORDER else len(ORDER), n))
    lines = ["| stage | wall s | share | CPU s |", "|---|---:|---:|---:|"]
    for name in names:
        wall, cpu = found[name]
        lines.append(f"| {name} | {wall:.2f} | {wall / cost.wall:.0%} | {cpu:.2f} |")
    lines.append(f"| **all** | {cost.wall:.2f} | | {cost.cpu:.2f} |")
    return "\n".join(lines)


def stage_of(frame: FrameType | None) -> str:
    """The stage of the innermost frame that has one."""
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith("<frozen importlib"):
            return "imports"
        if "/cadran" in file:
            name = _named(f"{file}:{frame.f_code.co_name}")
            if name:
                return name
        frame = frame.f_back
    return "other"


def _named(place: str) -> str:
    for key, stage in STAGES.items():
        if place.endswith(key) if ":" in key else key in place:
            return stage
    return place.split("/cadran/")[-1].split(":")[0]


def _watch(main: int, stop: threading.Event, found: dict[str, Counter[str]]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    while not stop.wait(EVERY):
        stage = stage_of(sys._current_frames().get(main))
        now, used = time.perf_counter(), time.process_time()
        found["wall"][stage] += now - wall  # type: ignore[assignment]
        found["cpu"][stage] += used - cpu  # type: ignore[assignment]
        wall, cpu = now, used


def main() -> None:
    """Runs cadran in the folder named, watched."""
    import os

    folder = Path(sys.argv[1])
    os.chdir(folder)
    found: dict[str, Counter[str]] = {"wall": Counter(), "cpu": Counter()}
    stop = threading.Event()
    watcher = threading.Thread(target=_watch, args=(threading.get_ident(), stop, found), daemon=True)
    watcher.start()
    try:
        from cadran.cli import main as command

        sys.argv = [str(a) for a in children.cadran(folder / "cadran.csv", "2026-01-01", "2025-12-31")]
        command()
    finally:
        stop.set()
        watcher.join()
        stages = {name: [found["wall"][name], found["cpu"][name]] for name in found["wall"]}
        (folder / FILE).write_text(json.dumps(stages), encoding="utf-8")


if __name__ == "__main__":
    main()
