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

_BLOCKS = "▁▂▃▄▅▆▇█"
_GAP = "·"
_INK, _SOFT, _MUTED, _GRID = "#2b4c9b", "#a9b8dc", "#5f6772", "#dfe2e6"


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
    body = _paths(
        [_target_path(points, scale)], "ck-target", _MUTED, height, dash="3 3", width=1
    ) + _line(points, scale, shown, height, dots=False)  # fmt: skip
    return _svg(f"{key}-s", "ck-spark", height, title, _said(points), body)


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
        _paths([_target_path(points, scale)], "ck-target", _MUTED, height, dash="5 4", width=1.5),
        _target_label(points, scale, unit, Formatter(locale), target_word),
        _gaps(points, bottom),
        _shown_label(points, scale, shown, kind),
        _hovers(points, bottom),
    ]
    return _svg(key, "ck-chart", height, title, _said(points), "".join(body))


# --- parts -----------------------------------------------------------------------------------------------------


def _numbers(points: Sequence[Point]) -> list[Decimal]:
    """All that the axis must hold; empty unless there is at least one value."""
    values = [n for p in points if (n := exact(p.value)) is not None]
    targets = [n for p in points for t in (p.target, p.target_high) if (n := exact(t)) is not None]
    return values + targets if values else []


def _x(index: float, count: int) -> float:
    """The middle of a bin, in percent."""
    return round((index + 0.5) * 100 / count, 2)


def _svg(key: str, css: str, height: int, title: str, said: str, body: str) -> str:
    pad = "padding:0 26px 0 50px;" if css == "ck-chart" else "padding:0 4px;"
    style = f"{pad}box-sizing:border-box;overflow:visible;display:block"
    return (
        f'<svg class="{css}" role="img" aria-labelledby="{key}-t {key}-d" width="100%" height="{height}" '
        f'style="{style}" xmlns="http://www.w3.org/2000/svg"><title id="{key}-t">{escape(title)}</title>'
        f'<desc id="{key}-d">{escape(said)}</desc>{body}</svg>'
    )


def _said(points: Sequence[Point]) -> str:
    return " ; ".join(p.title for p in points)


def _stretched(body: str, height: int) -> str:
    """A layer whose x runs from 0 to 100 over the whole width; strokes keep their width."""
    return f'<svg width="100%" height="{height}" viewBox="0 0 100 {height}" preserveAspectRatio="none">{body}</svg>'


def _paths(
    paths: Sequence[str], css: str, colour: str, height: int, *, dash: str = "", width: float = 2
) -> str:
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    drawn = "".join(
        f'<path class="{css}" d="{d}" fill="none" stroke="{colour}" stroke-width="{width}"{dashes} '
        'stroke-linejoin="round" vector-effect="non-scaling-stroke"/>'
        for d in paths
        if d
    )
    return _stretched(drawn, height) if drawn else ""


def _line(points: Sequence[Point], scale: Scale, shown: int, height: int, dots: bool = True) -> str:
    spots = [(_x(i, len(points)), exact(p.value), p.provisional) for i, p in enumerate(points)]
    solid, dashed, marks = [], [], []
    for i, (x, value, provisional) in enumerate(spots):
        if value is None:
            continue
        y = scale.y(value)
        before = spots[i - 1] if i and spots[i - 1][1] is not None else None
        after = i + 1 < len(spots) and spots[i + 1][1] is not None
        if before and before[1] is not None:
            (dashed if provisional else solid).append(f"M{before[0]} {scale.y(before[1])}L{x} {y}")
        if i == shown or provisional or dots or not (before or after):
            marks.append(_dot(x, y, 4 if i == shown else 2.5, provisional))
    return (
        _paths(["".join(solid)], "ck-line", _INK, height)
        + _paths(["".join(dashed)], "ck-line", _INK, height, dash="4 4", width=1.5)
        + "".join(marks)
    )


def _dot(x: float, y: float, radius: float, hollow: bool) -> str:
    css, fill = ("ck-hollow", "#fff") if hollow else ("ck-dot", _INK)
    return (
        f'<circle class="{css}" cx="{x}%" cy="{y}" r="{radius}" fill="{fill}" stroke="{_INK}" '
        'stroke-width="1.5"/>'
    )  # fmt: skip


def _bars(points: Sequence[Point], scale: Scale, shown: int, height: int) -> str:  # noqa: ARG001 (drawn like _line)
    zero, width = scale.y(Decimal(0)), round(62 / len(points), 2)
    out = []
    for i, point in enumerate(points):
        value = exact(point.value)
        if value is None:
            continue
        y = scale.y(value)
        tall = max(abs(zero - y), 1.5)  # zero is a line, no data is nothing
        css, fill = ("ck-now", _INK) if i == shown else ("ck-bar", _SOFT)
        look = f'class="{css}" fill="{fill}"'
        if point.provisional:
            look = f'class="ck-hollow" fill="none" stroke="{_INK}" stroke-dasharray="3 3"'
        x = round(_x(i, len(points)) - width / 2, 2)
        out.append(
            f'<rect {look} x="{x}%" y="{min(y, zero)}" width="{width}%" height="{tall:.1f}" rx="1.5"/>'
        )
    return "".join(out)


def _target_path(points: Sequence[Point], scale: Scale) -> str:
    """A step for every period that has a single target."""
    bin_width = 100 / len(points)
    steps = []
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
                f'<rect class="ck-band" fill="{_GRID}" x="{round(i * width, 2)}%" y="{top}" '
                f'width="{width + 0.05:.2f}%" height="{scale.y(low) - top:.1f}"/>'
            )
    return "".join(out)


def _text(x: str, y: float, text: str, anchor: str, css: str = "ck-text", fill: str = _MUTED) -> str:
    return (
        f'<text class="{css}" x="{x}" y="{y:.1f}" text-anchor="{anchor}" font-size="11.5" '
        f'font-family="system-ui,sans-serif" fill="{fill}">{escape(text)}</text>'
    )


def _axes(points: Sequence[Point], scale: Scale, unit: str, form: Formatter, height: int) -> str:
    out = []
    for tick in scale.ticks:
        y = scale.y(tick)
        css = "ck-zero" if not tick else "ck-grid"
        out.append(f'<line class="{css}" x1="0" x2="100%" y1="{y}" y2="{y}" stroke="{_GRID}"/>')
        out.append(_text("-8", y + 4, form.axis(tick, unit, scale.step), "end"))
    count = len(points)
    every = max(1, -(-(count - 1) // 4))
    for i in range((count - 1) % every, count, every):
        out.append(_text(f"{_x(i, count)}%", height - 8, points[i].label, "middle"))
    return "".join(out)


def _markers(markers: Sequence[Marker], bottom: float) -> str:
    return "".join(
        f'<g><title>{escape(m.title)}</title><line class="ck-marker" x1="{m.place * 100:.2f}%" '
        f'x2="{m.place * 100:.2f}%" y1="16" y2="{bottom}" stroke="{_MUTED}" stroke-dasharray="1 3"/>'
        + _text(f"{m.place * 100:.2f}%", 11, m.letter, "middle", "ck-letter")
        + "</g>"
        for m in markers
    )


def _target_label(points: Sequence[Point], scale: Scale, unit: str, form: Formatter, word: str) -> str:
    """The first target's text, at the left where the line begins."""
    for i, point in enumerate(points):
        upper = exact(point.target if point.target_high is None else point.target_high)
        if upper is not None and word:
            text = f"{word} {form.bounds(point.target, point.target_high, unit)}"
            return _text(f"{100 * i / len(points):.2f}%", scale.y(upper) - 5, text, "start", "ck-halo")
    return ""


def _gaps(points: Sequence[Point], bottom: float) -> str:
    missing = [i for i, p in enumerate(points) if exact(p.value) is None]
    return "".join(_text(f"{_x(i, len(points))}%", bottom - 4, "–", "middle") for i in missing)


def _shown_label(points: Sequence[Point], scale: Scale, shown: int, kind: str) -> str:
    """The value of the report's period: above a rise and every bar, below a fall."""
    value = exact(points[shown].value) if 0 <= shown < len(points) else None
    if value is None:
        return ""
    before = exact(points[shown - 1].value) if shown else None
    below = kind == "line" and before is not None and before > value
    if kind == "bar" and value < 0:
        below = True
    y = scale.y(value) + (18 if below else -9)
    return _text(f"{_x(shown, len(points))}%", y, points[shown].text, "middle", "ck-value", _INK)


def _hovers(points: Sequence[Point], bottom: float) -> str:
    """An invisible column per period that says its value under the mouse."""
    width = 100 / len(points)
    return "".join(
        f'<rect x="{i * width:.2f}%" width="{width:.2f}%" height="{bottom}" fill="none" pointer-events="all">'
        f"<title>{escape(p.title)}</title></rect>"
        for i, p in enumerate(points)
    )
