"""Sparklines: the shape of a series in a tile, as a few lines of SVG, and in block characters for the terminal.

Drawn here and not through Vega: a report has as many as charts, a tile shows nothing but the line, and places across
in percent let it take whatever width the tile has. The classes ``ck-…`` give colours (light, dark, print), the
attributes are for wherever it stands alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from cadran.publish.formatting import Number, exact
from cadran.publish.scales import Scale, nice_scale
from cadran.publish.series import Point, numbers
from cadran.publish.svg import INK, MUTED, dots, paths, svg

_BLOCKS = "▁▂▃▄▅▆▇█"
_GAP = "·"


def unicode_sparkline(values: Sequence[Number | None]) -> str:
    """``▁▃▅█`` for the terminal; a period without data is a dot."""
    numbers = [exact(v) for v in values]
    known = [n for n in numbers if n is not None]
    if not known:
        return _GAP * len(numbers)
    low, span = min(known), max(known) - min(known)
    return "".join(_GAP if n is None else _block(n - low, span) for n in numbers)


def _block(above: Decimal, span: Decimal) -> str:
    return _BLOCKS[int(above / span * (len(_BLOCKS) - 1) + Decimal("0.5"))] if span else _BLOCKS[3]


def sparkline(points: Sequence[Point], *, key: str, title: str, shown: int, height: int = 36) -> str:
    """A line without axes; the point ``shown`` has a dot, the targets are dashed. Empty without any value."""
    known = numbers(points)
    if not known:
        return ""
    scale = nice_scale(known, height - 4, 4, zero=False, ticks=20)
    target = paths([_target_path(points, scale)], "ck-target", MUTED, height, dash="3 3", width=1)
    body = target + _line(points, scale, shown, height)
    return svg(f"{key}-s", "ck-spark", height, title, points[shown].title if shown >= 0 else "", body)


def _x(index: float, count: int) -> float:
    """The middle of a bin, in percent."""
    return round((index + 0.5) * 100 / count, 2)


def _line(points: Sequence[Point], scale: Scale, shown: int, height: int) -> str:
    spots = [
        (_x(i, len(points)), None if (n := exact(p.value)) is None else round(scale.y(n), 1))
        for i, p in enumerate(points)
    ]
    solid: list[str] = []
    dashed: list[str] = []
    full: list[tuple[float, float, float]] = []
    hollow: list[tuple[float, float, float]] = []
    for i, (x, y) in enumerate(spots):
        if y is None:
            continue
        provisional, before = points[i].provisional, spots[i - 1][1] if i else None
        if before is not None:
            begin = f"M{spots[i - 1][0]} {before}"
            (dashed if provisional else solid).append(f"{begin}L{x} {y}")
        alone = before is None and (i + 1 == len(spots) or spots[i + 1][1] is None)
        if i == shown or provisional or alone:
            (hollow if provisional else full).append((x, y, 4 if i == shown else 2.5))
    return (
        paths(["".join(solid)], "ck-line", INK, height)
        + paths(["".join(dashed)], "ck-line", INK, height, dash="4 4", width=1.5)
        + dots(full, "ck-dot", INK)
        + dots(hollow, "ck-hollow", "#fff")
    )


def _target_path(points: Sequence[Point], scale: Scale) -> str:
    """A step for every period that has a single target."""
    bin_width = 100 / len(points)
    steps: list[tuple[str, int]] = []
    for i, point in enumerate(points):
        target = exact(point.target)
        if target is not None and point.target_high is None:
            y, joined = round(scale.y(target), 1), steps and steps[-1][1] == i - 1
            left, right = round(i * bin_width, 2), round((i + 1) * bin_width, 2)
            steps.append((f"{'L' if joined else 'M'}{left} {y}L{right} {y}", i))
    return "".join(step for step, _ in steps)
