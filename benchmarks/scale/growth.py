"""How time and memory of ``cadran run`` grow: with rows, with KPIs, with the values of a segment, with segments.

``python -m benchmarks.scale.growth`` measures all four (``--only rows`` one of them, ``--most 10`` up to ten million
orders), keeps what it found in ``.benchmarks/growth.json``, draws growth.svg and writes the figures into README.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.scale import children, readme, variants
from benchmarks.scale.children import Cost

FOUND = children.ROOT / ".benchmarks" / "growth.json"
PICTURE = children.HERE / "growth.svg"
MILLION = 1_000_000

ROWS = [1, 3, 10, 30]  # millions of orders
KPIS = [20, 60, 200, 600, 2000]
VALUES = [10, 100, 1000, 10_000]
SEGMENTS = [1, 2, 4, 8, 16]

Point = dict[str, float]  # x; wall, cpu and peak
Lines = dict[str, dict[str, list[Point]]]  # direction → program → points

COLORS = {"cadran": "#1f5fa8", "fused": "#b4551d"}
TITLES = {
    "rows": "million orders",
    "kpis": "KPIs, a million orders",
    "values": "values of one segment, a million orders",
    "segments": "segments of ten values, a million orders",
}


def main() -> None:
    parser = argparse.ArgumentParser(description="How cadran grows.")
    parser.add_argument("--only", choices=TITLES, action="append")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--most", type=int, default=30, help="millions of orders, at most (30 unless said)")
    parser.add_argument("--most-kpis", type=int, default=KPIS[-1], help="KPIs, at most (2000 unless said)")
    parser.add_argument("--draw", action="store_true", help="measure nothing, draw what was found before")
    asked = parser.parse_args()
    found: Lines = json.loads(FOUND.read_text(encoding="utf-8")) if FOUND.exists() else {}
    for direction in [] if asked.draw else asked.only or TITLES:
        found[direction] = (
            _rows(asked.most, asked.rounds)
            if direction == "rows"
            else _project(direction, asked.rounds, asked.most_kpis if direction == "kpis" else None)
        )
        FOUND.parent.mkdir(exist_ok=True)
        FOUND.write_text(json.dumps(found, indent=1), encoding="utf-8")
    readme.put("growth", "\n\n".join(_table(d, found[d]) for d in TITLES if d in found))
    _draw(found)


# --- measuring ----------------------------------------------------------------------------------------------------------


def _rows(most: int, rounds: int) -> dict[str, list[Point]]:
    """The yardstick and cadran over the same files, from one million orders on."""
    lines: dict[str, list[Point]] = {"fused": [], "cadran": []}
    for size in [s for s in ROWS if s <= most]:
        folder = children.data(size * MILLION)
        children.project(folder)
        for name, points in lines.items():
            points.append(_point(size, name, folder, rounds))
    return lines


def _project(direction: str, rounds: int, most: int | None) -> dict[str, list[Point]]:
    """cadran over a million orders, with a project that grows."""
    text: Callable[[int], str]
    text, counts = {
        "kpis": (variants.many_kpis, KPIS),
        "values": (variants.many_values, VALUES),
        "segments": (variants.many_segments, SEGMENTS),
    }[direction]
    folder = children.data(MILLION)
    points = []
    for count in [c for c in counts if most is None or c <= most]:
        (folder / "kpis.yaml").write_text(text(count), encoding="utf-8")
        points.append(_point(count, "cadran", folder, rounds))
    children.project(folder)
    return {"cadran": points}


def _point(x: int, name: str, folder: Path, rounds: int) -> Point:
    costs: list[Cost] = []
    for _ in range(rounds):
        children.forget(folder)
        out = folder / f"{name}.csv"
        command = (
            children.cadran(out, "2026-01-01", "2025-12-31")
            if name == "cadran"
            else children.by_hand(name, folder, out, "2026-01-01")
        )
        costs.append(children.measure(command, folder))
    mid = children.medians(costs)
    print(
        f"{name} at {x}: {mid.wall:.2f} s wall, {mid.cpu:.2f} s CPU, {mid.peak:.0f} MB",
        file=sys.stderr,
        flush=True,
    )
    return {"x": x, "wall": mid.wall, "cpu": mid.cpu, "peak": mid.peak}


# --- showing --------------------------------------------------------------------------------------------------------------


def _table(direction: str, lines: dict[str, list[Point]]) -> str:
    """One line a point; multiples are of the first point of the same program."""
    out = [
        f"| {TITLES[direction]} | | wall s | CPU s | CPU × the first | peak MB |",
        "|---:|---|---:|---:|---:|---:|",
    ]
    for name, points in lines.items():
        for p in points:
            times = p["cpu"] / points[0]["cpu"]
            out.append(
                f"| {p['x']:g} | {name} | {p['wall']:.1f} | {p['cpu']:.1f} | {times:.1f} | {p['peak']:.0f} |"
            )
    return "\n".join(out)


def _draw(found: Lines) -> None:
    """A column for each direction: time above, memory below, all axes logarithmic, so that a straight rise is a power."""
    try:
        import matplotlib
    except ImportError:
        sys.exit("the picture needs matplotlib: pip install -e '.[bench]'")
    matplotlib.use("svg")
    matplotlib.rcParams |= {
        "svg.fonttype": "none",
        "svg.hashsalt": "growth",
        "font.size": 8,
        "font.sans-serif": ["DejaVu Sans"],
    }
    from matplotlib import pyplot

    size = (2.9 * len(TITLES), 4.8)
    figure, axes = pyplot.subplots(2, len(TITLES), figsize=size, constrained_layout=True, squeeze=False)
    for column, (direction, title) in enumerate(TITLES.items()):
        lines = found.get(direction, {})
        for row, (what, unit) in enumerate({"cpu": "CPU seconds", "peak": "peak MB"}.items()):
            axis = axes[row][column]
            for name, points in lines.items():
                xs, ys = [p["x"] for p in points], [p[what] for p in points]
                axis.plot(xs, ys, "-o", color=COLORS[name], markersize=3, linewidth=1.2, label=name)
            _finish(axis, title.replace(", ", "\n") if row else "", unit if column == 0 else "", lines)
    figure.savefig(PICTURE, metadata={"Date": None})


def _finish(axis: Any, below: str, beside: str, lines: dict[str, list[Point]]) -> None:
    """Plain numbers on the axes, and at least a decade of height, lest small changes look large."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axis.set_xscale("log")
    axis.set_yscale("log")
    low, high = axis.get_ylim()
    middle = (low * high) ** 0.5
    axis.set_ylim(min(low, middle / 4), max(high, middle * 4))
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xticks(
        xs := sorted({p["x"] for points in lines.values() for p in points}), [f"{x:g}" for x in xs]
    )
    axis.set_xlabel(below)
    axis.set_ylabel(beside)
    axis.grid(alpha=0.3)
    if len(lines) > 1:
        axis.legend(frameon=False)


if __name__ == "__main__":
    main()
