"""cadran beside SQL written by hand, on the same files: time, memory, and whether all values are equal.

``python -m benchmarks.scale.run --size 1 --rounds 5`` (a million orders) or ``--size 10``. Every round runs each program
once, as a whole process; figures are medians, and ratios are taken within a round. Values that differ end the run with 1;
a figure over its aim is marked and ends nothing.

``--incremental``: cadran once, one more day of rows, cadran again. ``--profile``: where cadran's time goes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks.scale import children, compare
from benchmarks.scale.children import Cost

AS_OF, UNTIL = "2026-01-01", "2025-12-31"
DAY_LATER, UNTIL_LATER = "2026-01-02", "2026-01-31"

# Size → what cadran may cost, as a multiple of the yardstick.
WALL = {1: 1.6, 10: 1.25}
PEAK, NAIVE, AGAIN = 1.2, 4.0, 0.15


def main() -> None:
    parser = argparse.ArgumentParser(description="cadran against SQL written by hand.")
    parser.add_argument("--size", type=int, default=1, help="millions of orders: 1 unless said, or 10")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--incremental", action="store_true", help="a second run, after one more day of rows")
    parser.add_argument("--profile", action="store_true", help="where cadran's time goes")
    parser.add_argument("--without", nargs="*", default=[], choices=["cadran", "fused", "per_kpi"])
    asked = parser.parse_args()
    folder = children.data(asked.size * 1_000_000)
    if asked.profile:
        from benchmarks.scale.profile import profile

        print(profile(folder))
    elif asked.incremental:
        sys.exit(incremental(folder, asked.rounds, asked.size * 1_000_000))
    else:
        sys.exit(side_by_side(folder, asked.size, asked.rounds, set(asked.without)))


# --- from nothing -------------------------------------------------------------------------------------------------------


def side_by_side(folder: Path, size: int, rounds: int, without: set[str]) -> int:
    """The three programs in turn; returns the exit code."""
    children.project(folder)
    costs: dict[str, list[Cost]] = {n: [] for n in ("fused", "cadran", "per_kpi") if n not in without}
    for number in range(rounds):
        for name in costs:
            out = folder / f"{name}.csv"
            if name == "cadran":
                children.forget(folder)
                command = children.cadran(out, AS_OF, UNTIL)
            else:
                command = children.by_hand(name, folder, out, AS_OF)
            cost = children.measure(command, folder)
            costs[name].append(cost)
            _say(f"round {number + 1}: {name:<8} {_cost(cost)}")
    wrong = _wrong(folder, [n for n in costs if n != "fused"]) if "fused" in costs else []
    print(table(costs, size))
    return _verdict(wrong)


def table(costs: Mapping[str, Sequence[Cost]], size: int) -> str:
    """One line a program; the first is the yardstick."""
    lines = [
        f"{size} million orders, {len(next(iter(costs.values())))} rounds, medians; × is a ratio within a round",
        "",
        "| | wall s | wall × | CPU s | CPU × | peak MB | peak × | aims |",
        "|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    fused = costs.get("fused")
    for name, found in costs.items():
        mid = children.medians(found)
        if not fused:
            lines.append(f"| {name} | {mid.wall:.2f} | | {mid.cpu:.2f} | | {mid.peak:.0f} | | |")
            continue
        wall, cpu, peak = (ratio(found, fused, what) for what in ("wall", "cpu", "peak"))
        aims = ""
        if name == "cadran":
            aims = ", ".join(
                [aim("wall", wall, WALL.get(size), most=True), aim("peak", peak, PEAK, most=True)]
            )
        if name == "per_kpi":
            aims = aim("wall", wall, NAIVE, most=False)
        lines.append(
            f"| {name} | {mid.wall:.2f} | {wall:.2f} | {mid.cpu:.2f} | {cpu:.2f} | {mid.peak:.0f} | {peak:.2f} | {aims} |"
        )
    return "\n".join(lines)


def ratio(found: Sequence[Cost], yardstick: Sequence[Cost], what: str) -> float:
    return median(getattr(a, what) / getattr(b, what) for a, b in zip(found, yardstick, strict=True))


def aim(what: str, found: float, bound: float | None, *, most: bool) -> str:
    """What was aimed at, and whether it is kept."""
    if bound is None:
        return f"{what}: no aim at this size"
    kept = found <= bound if most else found >= bound
    return f"{what} {'≤' if most else '≥'} {bound:g}" + ("" if kept else (" OVER" if most else " UNDER"))


# --- one day later --------------------------------------------------------------------------------------------------------


def incremental(folder: Path, rounds: int, orders: int) -> int:
    """cadran over everything, then over one more day: the second run beside the yardstick over all of it."""
    children.project(folder)
    costs: dict[str, list[Cost]] = {n: [] for n in ("fused", "cadran, first run", "cadran, a day later")}
    wrong: list[str] = []
    for number in range(rounds):
        children.forget(folder)
        _day(folder, orders, remove=True)
        out = {n: folder / f"{n}.csv" for n in ("fused", "cadran")}
        costs["cadran, first run"].append(
            children.measure(children.cadran(out["cadran"], AS_OF, UNTIL), folder)
        )
        _day(folder, orders)
        second = children.cadran(out["cadran"], DAY_LATER, UNTIL_LATER)
        costs["cadran, a day later"].append(children.measure(second, folder))
        costs["fused"].append(
            children.measure(children.by_hand("fused", folder, out["fused"], DAY_LATER), folder)
        )
        wrong += _wrong(folder, ["cadran"])
        for name, found in costs.items():
            _say(f"round {number + 1}: {name:<20} {_cost(found[-1])}")
    _day(folder, orders, remove=True)
    again = ratio(costs["cadran, a day later"], costs["fused"], "wall")
    print(table(costs, 0).replace("0 million", f"{orders // 1_000_000} million", 1))
    print(f"\nthe second run: {again:.2f} × the yardstick ({aim('wall', again, AGAIN, most=True)})")
    return _verdict(wrong)


def _day(folder: Path, orders: int, *, remove: bool = False) -> None:
    """By a process of its own: this one stays small."""
    command = [sys.executable, "-m", "benchmarks.scale.generate", "--folder", folder, "--orders", str(orders)]
    import subprocess

    subprocess.run(
        [*map(str, command), "--no-day" if remove else "--day"],
        cwd=children.ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
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


def _cost(cost: Cost) -> str:
    return f"{cost.wall:7.2f} s wall, {cost.cpu:7.2f} s CPU, {cost.peak:6.0f} MB"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
