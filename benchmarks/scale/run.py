"""cadran beside SQL written by hand, on the same files: time, memory, and whether all values are equal.

``python -m benchmarks.scale.run --size 1 --rounds 5`` (a million orders) or ``--size 10``. Every round runs each program
once, as a whole process; figures are medians, ratios are taken within a round. Values that differ end the run with 1; a
figure that misses its aim is marked and ends nothing.

``--incremental``: cadran once, one more day of rows, cadran again. ``--profile``: where cadran's time goes (with
``--incremental``: in the second run). What is printed also lies in ``.benchmarks``; ``--readme`` puts it into README.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks.scale import children, compare, readme, stages
from benchmarks.scale.children import Cost

AS_OF, UNTIL = "2026-01-01", "2025-12-31"
DAY_LATER, UNTIL_LATER = "2026-01-02", "2026-01-31"
FIRST_RUN, SECOND_RUN = "cadran, first run", "cadran, a day later"

# Multiples of the yardstick that are aimed at: at most so much, for plain queries at least.
WALL, PEAK = {1: 1.6, 10: 1.25}, 1.2
PLAIN, AGAIN = 4.0, 0.15

Costs = Mapping[str, Sequence[Cost]]
Aims = Mapping[
    str, Mapping[str, tuple[float | None, bool]]
]  # program → what → bound, and whether it is an upper one


def main() -> None:
    parser = argparse.ArgumentParser(description="cadran against SQL written by hand.")
    parser.add_argument("--size", type=int, default=1, help="millions of orders: 1 unless said, or 10")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without", nargs="*", default=[], choices=["cadran", "per_kpi"])
    parser.add_argument("--incremental", action="store_true", help="a second run, after one more day of rows")
    parser.add_argument(
        "--customers", action="store_true", help="with --incremental: the customers changed, too"
    )
    parser.add_argument("--profile", action="store_true", help="where cadran's time goes")
    parser.add_argument("--readme", action="store_true", help="put the table into README.md")
    asked = parser.parse_args()
    folder = children.data(asked.size * 1_000_000)
    children.day(folder, asked.size * 1_000_000, there=False)
    if asked.profile:
        profiles(folder, asked.size, later=asked.incremental, customers=asked.customers, keep=asked.readme)
    elif asked.incremental:
        sys.exit(incremental(folder, asked.size, asked.rounds, customers=asked.customers, keep=asked.readme))
    else:
        sys.exit(side_by_side(folder, asked.size, asked.rounds, asked.without, keep=asked.readme))


def side_by_side(folder: Path, size: int, rounds: int, without: Sequence[str], *, keep: bool) -> int:
    """The programs in turn, each from nothing; returns the exit code."""
    children.project(folder)
    costs: dict[str, list[Cost]] = {n: [] for n in ("fused", "cadran", "per_kpi") if n not in without}
    wrong: list[str] = []
    for number in range(rounds):
        for name, found in costs.items():
            children.forget(folder)
            found.append(children.measure(_command(name, folder, AS_OF, UNTIL), folder))
            _say(number, name, found[-1])
        wrong += _wrong(folder, [n for n in costs if n != "fused"])
    aims: Aims = {
        "cadran": {"wall": (WALL.get(size), True), "peak": (PEAK, True)},
        "per_kpi": {"wall": (PLAIN, False)},
    }
    _report(f"scale-{size}", f"{size} million orders, {rounds} rounds", table(costs, aims), keep=keep)
    return _verdict(wrong)


def incremental(folder: Path, size: int, rounds: int, *, customers: bool, keep: bool) -> int:
    """cadran over everything, then after one more day of rows: that second run beside the yardstick over all of it."""
    children.project(folder)
    costs: dict[str, list[Cost]] = {n: [] for n in ("fused", FIRST_RUN, SECOND_RUN)}
    wrong: list[str] = []
    for number in range(rounds):
        children.day(folder, size * 1_000_000, there=False)
        children.forget(folder)
        costs[FIRST_RUN].append(children.measure(_command("cadran", folder, AS_OF, UNTIL), folder))
        children.day(folder, size * 1_000_000, there=True, customers=customers)
        again = _command("cadran", folder, DAY_LATER, UNTIL_LATER)
        costs[SECOND_RUN].append(children.measure(again, folder))
        costs["fused"].append(children.measure(_command("fused", folder, DAY_LATER, UNTIL_LATER), folder))
        wrong += _wrong(folder, ["cadran"])
        for name, found in costs.items():
            _say(number, name, found[-1])
    children.day(folder, size * 1_000_000, there=False)
    what = f"{size} million orders, one more day, {rounds} rounds" + ", customers changed" * customers
    aims: Aims = {SECOND_RUN: {"wall": (AGAIN, True)}}
    _report(f"scale-{size}-incremental" + "-customers" * customers, what, table(costs, aims), keep=keep)
    return _verdict(wrong)


def profiles(folder: Path, size: int, *, later: bool, customers: bool, keep: bool) -> None:
    """Where the time of a run from nothing goes, or that of one a day later."""
    children.project(folder)
    text = stages.profile(folder, AS_OF, UNTIL)
    if later:
        children.day(folder, size * 1_000_000, there=True, customers=customers)
        text = stages.profile(folder, DAY_LATER, UNTIL_LATER)
        children.day(folder, size * 1_000_000, there=False)
    name = f"scale-{size}-profile" + "-later" * later
    _report(name, f"{size} million orders" + ", one more day" * later, text, keep=keep)


def _command(name: str, folder: Path, as_of: str, until: str) -> list[str | Path]:
    out = folder / f"{name}.csv"
    return (
        children.cadran(out, as_of, until) if name == "cadran" else children.by_hand(name, folder, out, as_of)
    )


# --- values ---------------------------------------------------------------------------------------------------------------


def _wrong(folder: Path, names: Sequence[str]) -> list[str]:
    """Cells in which a program differs from the yardstick."""
    yardstick = compare.read(folder / "fused.csv")
    out = []
    for name in names:
        found = compare.differences(compare.read(folder / f"{name}.csv"), yardstick, sparse=name == "per_kpi")
        out += [f"{name} and fused differ: {line}" for line in found]
    return out


def _verdict(wrong: Sequence[str]) -> int:
    if not wrong:
        print("\nall values are equal")
        return 0
    print("\n".join([*wrong[:40], f"{len(wrong)} VALUES DIFFER"]), file=sys.stderr)
    return 1


# --- figures --------------------------------------------------------------------------------------------------------------


def table(costs: Costs, aims: Aims) -> str:
    """One line a program: medians, and ratios to the yardstick of the same round."""
    lines = [
        "| | wall s | × | CPU s | × | peak MB | × | aims |",
        "|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for name, found in costs.items():
        mid = children.medians(found)
        ratios = {what: ratio(found, costs["fused"], what) for what in ("wall", "cpu", "peak")}
        said = [
            aim(what, ratios[what], bound, most=most)
            for what, (bound, most) in aims.get(name, {}).items()
            if bound
        ]
        lines.append(
            f"| {name} | {mid.wall:.2f} | {ratios['wall']:.2f} | {mid.cpu:.2f} | {ratios['cpu']:.2f} "
            f"| {mid.peak:.0f} | {ratios['peak']:.2f} | {', '.join(said)} |"
        )
    return "\n".join(lines)


def ratio(found: Sequence[Cost], yardstick: Sequence[Cost], what: str) -> float:
    """The median of the ratios of the rounds."""
    pairs = zip(found, yardstick, strict=True)
    return median([float(getattr(ours, what)) / float(getattr(theirs, what)) for ours, theirs in pairs])


def aim(what: str, found: float, bound: float, *, most: bool) -> str:
    """What was aimed at, and whether it is missed.

    >>> aim("wall", 1.7, 1.6, most=True), aim("wall", 4.5, 4, most=False)
    ('wall ≤ 1.6 OVER', 'wall ≥ 4')
    """
    missed = (" OVER" if found > bound else "") if most else (" UNDER" if found < bound else "")
    return f"{what} {'≤' if most else '≥'} {bound:g}{missed}"


def _report(name: str, title: str, text: str, *, keep: bool) -> None:
    """Prints the table, leaves it in .benchmarks, and in the README where that is asked for."""
    said = f"{title}\n\n{text}"
    file = children.ROOT / ".benchmarks" / f"{name}.md"
    file.parent.mkdir(exist_ok=True)
    file.write_text(said + "\n", encoding="utf-8")
    print(said)
    if keep:
        readme.put(name, said)


def _say(number: int, name: str, cost: Cost) -> None:
    line = f"round {number + 1}: {name:<20} {cost.wall:8.2f} s wall {cost.cpu:8.2f} s CPU {cost.peak:7.0f} MB"
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
