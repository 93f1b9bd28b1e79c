"""Where the time of a whole ``cadran run`` goes, report and all: the watching of ../scale with finer stages for publishing."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.project import AS_OF
from benchmarks.scale import children, stages

PUBLISHING = {
    "publish/terminal.py": "the table on the terminal",
    "cli/run.py:_table": "the table on the terminal",
    "publish/drawing.py": "charts",
    "publish/specs.py": "charts",
    "publish/series.py": "charts",
    "publish/scales.py": "charts",
    "publish/sparkline.py": "charts",
    "publish/svg.py": "charts",
    "publish/report.py": "templates",
    "publish/sandbox.py": "templates",
    "publish/deliver.py": "writing",
    "publish/documents.py": "writing",
    "plugins/writing.py": "writing",
    "compute/results.py": "what a report shows, numbers and texts",
    "cadran/publish/": "what a report shows, numbers and texts",
    "cadran/analysis/": "funnels, cohorts, scores",
}
STAGES = {**PUBLISHING, **stages.STAGES, **PUBLISHING}  # the finer ones first, and as they are named here
ORDER = [
    *(s for s in stages.ORDER if s != "output"), "funnels, cohorts, scores", "the table on the terminal",
    "what a report shows, numbers and texts", "charts", "templates", "writing",
]  # fmt: skip


def profile(folder: Path) -> str:
    """A table of stages for one run in this folder, by a process of its own."""
    command: list[str | Path] = [sys.executable, "-m", "benchmarks.project.stages", folder]
    return stages.table(folder, children.measure(command, folder, there=children.ROOT), ORDER)


if __name__ == "__main__":
    stages.watched(Path(sys.argv[1]), [children.CADRAN, "run", "--as-of", AS_OF], STAGES)
