"""Whole processes over the sample project: ``cadran run``, once from nothing and once more, beside SQL written by hand.

python -m benchmarks.project.run [--rounds 5] [--profile] [--readme]
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.project import AS_OF, compare, stages
from benchmarks.scale import children, readme
from benchmarks.scale.children import CADRAN, ROOT, Cost
from benchmarks.scale.run import ratio

HERE = Path(__file__).resolve().parent
README = HERE.parent / "README.md"
YARDSTICK = "SQL by hand"
Command = Sequence[str | Path]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--profile", action="store_true", help="where the time of a run goes")
    parser.add_argument("--readme", action="store_true", help="put the table into ../README.md")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = project(Path(made))
        if asked.profile:
            for name, title in (("project-profile", "from nothing"), ("project-profile-again", "once more")):
                _report(name, f"`cadran run`, {title}", stages.profile(folder), keep=asked.readme)
        else:
            costs = measured(folder, asked.rounds)
            _report("project", f"{asked.rounds} rounds", table(costs), keep=asked.readme)
            sys.exit(_verdict(folder))


def project(folder: Path) -> Path:
    """A copy of the sample project, without anything that runs have left there."""
    shutil.copy(ROOT / "kpis.yaml", folder)
    for name in ("kpis", "data"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


def by_hand(folder: Path) -> Command:
    (folder / "by_hand").mkdir(exist_ok=True)
    return [sys.executable, HERE / "by_hand.py", folder / "data", folder / "by_hand"]


def measured(folder: Path, rounds: int) -> dict[str, list[Cost]]:
    """The programs in turn: by hand, all of cadran from nothing, the same once more, and its figures alone from nothing."""
    whole: Command = [CADRAN, "run", "--as-of", AS_OF]
    steps: dict[str, tuple[Command, bool]] = {
        YARDSTICK: (by_hand(folder), False),
        "cadran run": (whole, True),
        "cadran run, once more": (whole, False),
        "cadran run --format csv": ([*whole, "--format", "csv"], True),
    }
    costs: dict[str, list[Cost]] = {name: [] for name in steps}
    for number in range(rounds):
        for name, (command, anew) in steps.items():
            if anew:
                children.forget(folder)
            costs[name].append(children.measure(command, folder))
            cost = costs[name][-1]
            said = f"round {number + 1}: {name:<26} {cost.wall:6.2f} s wall {cost.cpu:6.2f} s CPU {cost.peak:5.0f} MB"
            print(said, file=sys.stderr, flush=True)
    return costs


def table(costs: dict[str, list[Cost]]) -> str:
    """One line a program: medians, and the medians of the ratios to the yardstick of the same round."""
    lines = ["| | wall s | × | CPU s | × | peak MB | × |", "|---|---:|---:|---:|---:|---:|---:|"]
    for name, found in costs.items():
        mid = children.medians(found)
        wall, cpu, peak = (ratio(found, costs[YARDSTICK], what) for what in ("wall", "cpu", "peak"))
        lines.append(
            f"| {name} | {mid.wall:.2f} | {wall:.1f} | {mid.cpu:.2f} | {cpu:.1f} | {mid.peak:.0f} | {peak:.1f} |"
        )
    return "\n".join(lines)


def _verdict(folder: Path) -> int:
    """Whether both say the same; the exit code."""
    ours = folder / "answers"
    ours.mkdir()
    command = [sys.executable, "-m", "benchmarks.project.answers", folder, ours]
    subprocess.run(command, cwd=ROOT, check=True)
    found = {
        name: compare.differences(
            answer, compare.read(ours / f"{name}.csv"), compare.read(folder / "by_hand" / f"{name}.csv")
        )
        for name, answer in compare.ANSWERS.items()
    }
    wrong = [line for lines in found.values() for line in lines]
    print(f"\n{compare.some(wrong) or 'all values are equal'}")
    return 1 if wrong else 0


def _report(name: str, title: str, text: str, *, keep: bool) -> None:
    """Prints the table, leaves it in .benchmarks, and in the README where that is asked for."""
    said = f"{title}\n\n{text}"
    file = ROOT / ".benchmarks" / f"{name}.md"
    file.parent.mkdir(exist_ok=True)
    file.write_text(said + "\n", encoding="utf-8")
    print(f"{said}\n")
    if keep:
        readme.put(name, said, README)


if __name__ == "__main__":
    main()
