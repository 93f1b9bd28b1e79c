"""Charts as inline SVG without any dependency, and sparklines for the terminal.

Horizontal places are percentages and vertical ones pixels, so a chart takes the width it is given while its text
keeps its size: readable on a phone without a script. Colours come as attributes, for wherever a chart stands alone,
and are taken over by CSS through the ``ck-…`` classes (light, dark, print). What is provisional is dashed and
hollow, what is missing is a gap: nothing is told by colour alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import Literal

from cadran.publish.formatting import Formatter, Number, exact
from cadran.publish.scales import Scale, nice_scale
from cadran.publish.svg import GRID, INK, MUTED, SOFT, dots, group, label, paths, svg, text

_BLOCKS = "▁▂▃▄▅▆▇█"
_GAP = "·"


@dataclass(frozen=True, slots=True)
class Point:
    """One period of a series. ``label`` stands on the axis, ``title`` says period and value in full."""

    label: str
    title: str
    value: Number | None
    text: str = ""
    provisional: bool = False
    target: Number | None = None
    target_high: Number | None = None


@dataclass(frozen=True, slots=True)
class Marker:
    """A milestone or note at ``place`` (0 is the left edge, 1 the right one), drawn as its letter."""

    letter: str
    title: str
    place: float


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
    known = _numbers(points)
    if not known:
        return ""
    scale = nice_scale(known, height - 4, 4, zero=False, ticks=20)
    body = paths(
        [_target_path(points, scale)], "ck-target", MUTED, height, dash="3 3", width=1
    ) + _line(points, scale, shown, height, all_dots=False)  # fmt: skip
    return svg(f"{key}-s", "ck-spark", height, title, points[shown].title if shown >= 0 else "", body)


def chart(
    points: Sequence[Point],
    *,
    key: str,
    title: str,
    unit: str,
    locale: str,
    shown: int,
    kind: Literal["line", "bar"] = "line",
    markers: Sequence[Marker] = (),
    target_word: str = "",
    height: int = 200,
) -> str:
    """A line or bar chart with axes, targets and markers. ``shown`` is the period that the report is about."""
    known = _numbers(points)
    if not known:
        return ""
    bottom, top = height - 26, 24 if markers else 14
    scale = nice_scale(known, bottom, top, zero=kind == "bar")
    draw = _bars if kind == "bar" else _line
    body = [
        _axes(points, scale, unit, Formatter(locale), height),
        _band(points, scale),
        _markers(markers, bottom),
        draw(points, scale, shown, height),
        paths([_target_path(points, scale)], "ck-target", MUTED, height, dash="5 4", width=1.5),
        _target_label(points, scale, unit, Formatter(locale), target_word),
        _gaps(points, bottom),
        _shown_label(points, scale, shown, kind),
        _hovers(points, bottom),
    ]
    return svg(key, "ck-chart", height, title, _said(points), "".join(body))


# --- parts -----------------------------------------------------------------------------------------------------


def _numbers(points: Sequence[Point]) -> list[Decimal]:
    """All that the axis must hold; empty unless there is at least one value."""
    values = [n for p in points if (n := exact(p.value)) is not None]
    targets = [n for p in points for t in (p.target, p.target_high) if (n := exact(t)) is not None]
    return values + targets if values else []


def _x(index: float, count: int) -> float:
    """The middle of a bin, in percent."""
    return round((index + 0.5) * 100 / count, 2)


def _said(points: Sequence[Point]) -> str:
    return " ; ".join(p.title for p in points)


def _line(points: Sequence[Point], scale: Scale, shown: int, height: int, all_dots: bool = True) -> str:
    spots = [
        (_x(i, len(points)), None if (n := exact(p.value)) is None else scale.y(n))
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
        if i == shown or provisional or all_dots or alone:
            (hollow if provisional else full).append((x, y, 4 if i == shown else 2.5))
    return (
        paths(["".join(solid)], "ck-line", INK, height)
        + paths(["".join(dashed)], "ck-line", INK, height, dash="4 4", width=1.5)
        + dots(full, "ck-dot", INK)
        + dots(hollow, "ck-hollow", "#fff")
    )


def _bars(points: Sequence[Point], scale: Scale, shown: int, height: int) -> str:  # noqa: ARG001 (drawn like _line)
    zero, width = scale.y(Decimal(0)), round(62 / len(points), 2)
    out = []
    for i, point in enumerate(points):
        value = exact(point.value)
        if value is None:
            continue
        y = scale.y(value)
        tall = max(abs(zero - y), 1.5)  # zero is a line, no data is nothing
        css, fill = ("ck-now", INK) if i == shown else ("ck-bar", SOFT)
        look = f'class="{css}" fill="{fill}"'
        if point.provisional:
            look = f'class="ck-hollow" fill="none" stroke="{INK}" stroke-dasharray="3 3"'
        x = round(_x(i, len(points)) - width / 2, 2)
        out.append(
            f'<rect {look} x="{x}%" y="{min(y, zero)}" width="{width}%" height="{tall:.1f}" rx="1.5"/>'
        )
    return "".join(out)


def _target_path(points: Sequence[Point], scale: Scale) -> str:
    """A step for every period that has a single target."""
    bin_width = 100 / len(points)
    steps: list[tuple[str, int]] = []
    for i, point in enumerate(points):
        target = exact(point.target)
        if target is not None and point.target_high is None:
            y, joined = scale.y(target), steps and steps[-1][1] == i - 1
            left, right = round(i * bin_width, 2), round((i + 1) * bin_width, 2)
            steps.append((f"{'L' if joined else 'M'}{left} {y}L{right} {y}", i))
    return "".join(step for step, _ in steps)


def _band(points: Sequence[Point], scale: Scale) -> str:
    """A shaded band where the target is a range."""
    out = []
    for i, point in enumerate(points):
        low, high = exact(point.target), exact(point.target_high)
        if low is not None and high is not None:
            top, width = scale.y(high), round(100 / len(points), 2)
            out.append(
                f'<rect class="ck-band" fill="{GRID}" x="{round(i * width, 2)}%" y="{top}" '
                f'width="{width + 0.05:.2f}%" height="{scale.y(low) - top:.1f}"/>'
            )
    return "".join(out)


def _axes(points: Sequence[Point], scale: Scale, unit: str, form: Formatter, height: int) -> str:
    zero = ' class="ck-zero"'
    ticks = [(scale.y(tick), tick) for tick in scale.ticks]
    lines = "".join(f'<line{zero if not tick else ""} x2="100%" y1="{y}" y2="{y}"/>' for y, tick in ticks)
    most = max(scale.high, -scale.low)
    values = "".join(text("-8", y + 4, form.axis(tick, unit, scale.step, most)) for y, tick in ticks)
    count = len(points)
    every = max(1, -(-(count - 1) // 4))
    labelled = range((count - 1) % every, count, every)
    periods = "".join(text(f"{_x(i, count)}%", height - 8, points[i].label) for i in labelled)
    return (
        group("ck-grid", lines, stroke=GRID)
        + label("ck-text", values, "end")
        + label("ck-text", periods, "middle")
    )


def _markers(markers: Sequence[Marker], bottom: float) -> str:
    drawn = "".join(
        f'<g><title>{escape(m.title)}</title><line x1="{m.place * 100:.2f}%" '
        f'x2="{m.place * 100:.2f}%" y1="16" y2="{bottom}"/>'
        + label("ck-letter", text(f"{m.place * 100:.2f}%", 11, m.letter), "middle", INK)
        + "</g>"
        for m in markers
    )
    return group("ck-marker", drawn, stroke=MUTED, stroke_dasharray="1 3")


def _target_label(points: Sequence[Point], scale: Scale, unit: str, form: Formatter, word: str) -> str:
    """Where the target line begins: its value, or the word alone where the target varies."""
    known = [(i, p) for i, p in enumerate(points) if exact(p.target) is not None]
    if not known or not word:
        return ""
    index, point = known[0]
    upper = exact(point.target if point.target_high is None else point.target_high) or Decimal(0)
    if len({(p.target, p.target_high) for _, p in known}) == 1:
        word = f"{word} {form.bounds(point.target, point.target_high, unit)}"
    return label("ck-halo", text(f"{100 * index / len(points):.2f}%", scale.y(upper) - 5, word), "start")


def _gaps(points: Sequence[Point], bottom: float) -> str:
    missing = [i for i, p in enumerate(points) if exact(p.value) is None]
    return label(
        "ck-text", "".join(text(f"{_x(i, len(points))}%", bottom - 4, "–") for i in missing), "middle"
    )


def _shown_label(points: Sequence[Point], scale: Scale, shown: int, kind: str) -> str:
    """The value of the report's period: above a rise and every bar, below (or, low down, beside) a fall."""
    value = exact(points[shown].value) if 0 <= shown < len(points) else None
    if value is None:
        return ""
    x, y, words = f"{_x(shown, len(points))}%", scale.y(value), points[shown].text
    before = exact(points[shown - 1].value) if shown else None
    falling = value < 0 if kind == "bar" else before is not None and before > value
    if falling and y + 18 > scale.bottom - 2:
        return label("ck-value", text(x, y + 5, words, dx=-9), "end", INK)
    return label("ck-value", text(x, y + (18 if falling else -9), words), "middle", INK)


def _hovers(points: Sequence[Point], bottom: float) -> str:
    """An invisible column per period that says its value under the mouse."""
    width = round(100 / len(points), 2)
    columns = "".join(
        f'<rect x="{round(i * width, 2)}%" width="{width}%" height="{bottom}">'
        f"<title>{escape(p.title)}</title></rect>"
        for i, p in enumerate(points)
    )
    return group("ck-hover", columns, fill="none", pointer_events="all")
