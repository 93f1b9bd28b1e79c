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

from benchmarks.scale import children, variants
from benchmarks.scale.children import Cost

FOUND = children.ROOT / ".benchmarks" / "growth.json"
PICTURE, README = children.HERE / "growth.svg", children.HERE / "README.md"
BEGIN, END = "<!-- growth: written by benchmarks/scale/growth.py -->", "<!-- /growth -->"
MILLION = 1_000_000

ROWS = [1, 3, 10, 30]  # millions of orders
KPIS = [20, 60, 200, 600, 2000]
VALUES = [10, 100, 1000, 10_000]
SEGMENTS = [1, 2, 4, 8, 16]

Point = dict[str, float]  # x; wall, cpu and peak
Lines = dict[str, dict[str, list[Point]]]  # direction → program → points

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
    _write(found)
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


def _write(found: Lines) -> None:
    """The figures as tables, between two marks of the README."""
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    tables = "\n\n".join(_table(direction, found[direction]) for direction in TITLES if direction in found)
    README.write_text(f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}", encoding="utf-8")


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
    """Four small pictures: time above, memory below would be eight, so memory is the dotted line on the right axis."""
    try:
        import matplotlib
    except ImportError:
        sys.exit("the picture needs matplotlib: pip install -e '.[bench]'")
    matplotlib.use("svg")
    matplotlib.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "growth", "font.size": 9}
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 2, figsize=(9, 6), constrained_layout=True)
    for axis, direction in zip(axes.flat, TITLES, strict=True):
        memory = axis.twinx()
        for color, (name, points) in zip(
            ("#1f5fa8", "#b4551d"), sorted(found.get(direction, {}).items()), strict=False
        ):
            xs = [p["x"] for p in points]
            axis.plot(xs, [p["cpu"] for p in points], "-o", color=color, markersize=3, label=f"{name}, CPU s")
            memory.plot(xs, [p["peak"] for p in points], ":", color=color, label=f"{name}, peak MB")
        _finish(axis, memory, TITLES[direction])
    figure.savefig(PICTURE, metadata={"Date": None})


def _finish(axis: object, memory: object, title: str) -> None:
    for each in (axis, memory):
        each.set_xscale("log")  # type: ignore[attr-defined]
        each.set_yscale("log")  # type: ignore[attr-defined]
    axis.set_xlabel(title)  # type: ignore[attr-defined]
    axis.set_ylabel("seconds of CPU")  # type: ignore[attr-defined]
    memory.set_ylabel("peak MB (dotted)")  # type: ignore[attr-defined]
    axis.grid(alpha=0.3)  # type: ignore[attr-defined]
    axis.legend(loc="upper left", frameon=False)  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
