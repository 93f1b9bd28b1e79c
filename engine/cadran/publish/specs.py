"""Charts as Vega-Lite: small pure functions from points, already in the reader's words, to a specification.

Places are worked out here, exactly, and not by the drawing: a value is its share of the axis' height, a period a step
of one across, so a number of any size can be drawn and every label is what the table beside it says. What is provisional
is dashed and hollow, what is missing is a gap with a dash: nothing is told by colour alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import groupby, pairwise
from typing import Any

from cadran.publish.formatting import Formatter, exact
from cadran.publish.scales import Scale
from cadran.publish.series import PAGE, WIDE, Palette, Point, Series, Size, numbers

Spec = dict[str, Any]
Spot = tuple[int, float | None]  # a period and its value's share of the height
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_AS_IT_IS: Spec = {"scale": None, "legend": None}

_LETTER = 0.6  # the width of a letter, of its height; generous, since digits have some 0.55
_DOTTED = 26  # with more periods than that, only those dots that tell something


def chart(series: Series, palette: Palette = PAGE, size: Size = WIDE) -> Spec:
    """The specification; empty without any value."""
    if not numbers(series.points):
        return {}
    scale = series.scale
    if size.bare:
        size = _roomy(series, scale, size)
    layers = [
        *_values(series, scale, palette),
        *_periods(series, size),
        _band(series, scale, palette),
        *_markers(series, palette, size),
        *(_bars if series.kind == "bar" else _lines)(series, scale, palette),
        _targets(series, scale, palette),
        *(() if size.bare else _target_label(series, scale, size)),
        _gaps(series, palette, size),
        *(() if size.bare else _shown_label(series, scale, palette, size)),
        _hovers(series) if size.hovers else {},
    ]
    return {
        "$schema": SCHEMA,
        "width": size.width,
        "height": size.height,
        "autosize": "none",
        "padding": {"left": size.left, "right": size.right, "top": size.top, "bottom": size.bottom},
        "background": None,
        "config": {
            "view": {"stroke": None},
            "mark": {"aria": False},
            "text": {"fontSize": size.font, "fill": palette.muted},
        },
        "encoding": {"x": _across(len(series.points)), "y": _across(1)},
        "layer": [layer for layer in layers if layer],
    }


def _across(most: int) -> Spec:
    """A scale from 0. Without Vega's axes: places and labels are worked out here."""
    return {"type": "quantitative", "scale": {"domain": [0, most], "nice": False}, "axis": None}


# --- axes --------------------------------------------------------------------------------------------------------


def _periods(series: Series, size: Size) -> Iterator[Spec]:
    """Some of the periods' names, the last one among them."""
    count = len(series.points)
    every = max(1, -(-(count - 1) // (size.labels - 1)))
    rows = [
        {"x": i + 0.5, "y": 0, "text": series.points[i].label}
        for i in range((count - 1) % every, count, every)
    ]
    yield _layer({"type": "text", "baseline": "top", "dy": 9}, rows, "x", "y", "text")


def _values(series: Series, scale: Scale, palette: Palette) -> Iterator[Spec]:
    """A line and a label at every tick; zero has a darker line."""
    for ticks, colour in (
        ([t for t in scale.ticks if t], palette.hair),
        ([t for t in scale.ticks if not t], palette.muted),
    ):
        rows: list[Spec] = [{"y": scale.y(tick)} for tick in ticks]
        ends = {"x": {"datum": 0}, "x2": {"datum": len(series.points)}}
        yield _layer({"type": "rule", "stroke": colour}, rows, "y", **ends)
    named: list[Spec] = [
        {"x": 0, "y": scale.y(tick), "text": text}
        for tick, text in zip(scale.ticks, _ticks(series, scale), strict=True)
    ]
    yield _layer({"type": "text", "align": "right", "baseline": "middle", "dx": -8}, named, "x", "y", "text")


def _ticks(series: Series, scale: Scale) -> list[str]:
    form, most = Formatter(series.locale), max(scale.high, -scale.low)
    return [form.axis(tick, series.unit, scale.step, most) for tick in scale.ticks]


def _roomy(series: Series, scale: Scale, size: Size) -> Size:
    """The plot takes what the widest label of a value leaves of the same picture."""
    widest = max(len(text) for text in _ticks(series, scale))
    left = min(size.left, round(widest * size.font * _LETTER) + 18)
    return replace(size, left=left, width=size.width + size.left - left)


# --- marks -------------------------------------------------------------------------------------------------------


def _layer(mark: Spec, rows: list[Spec], *channels: str, **encoding: Any) -> Spec:
    """A layer over rows whose fields are named as the channels that they are drawn on; nothing without rows."""
    fields = {channel: {"field": channel} for channel in channels}
    return {"mark": mark, "data": {"values": rows}, "encoding": {**fields, **encoding}} if rows else {}


def _spots(series: Series, scale: Scale) -> list[Spot]:
    return [(i, None if (n := exact(p.value)) is None else scale.y(n)) for i, p in enumerate(series.points)]


def _lines(series: Series, scale: Scale, palette: Palette) -> Iterator[Spec]:
    """Between neighbours with values; dashed towards what is provisional, whose dot is hollow."""
    spots = _spots(series, scale)
    pairs = [(a, b) for a, b in pairwise(spots) if a[1] is not None and b[1] is not None]
    solid = [pair for pair in pairs if not series.points[pair[1][0]].provisional]
    dashes: list[Spec] = [{}, {"strokeDash": [4, 4]}]
    for found, dash in zip((solid, [p for p in pairs if p not in solid]), dashes, strict=True):
        mark: Spec = {
            "type": "line",
            "stroke": palette.accent,
            "strokeWidth": 2,
            "strokeJoin": "round",
            **dash,
        }
        yield _layer(mark, _runs(found), "x", "y", detail={"field": "run"}, order={"field": "x"})
    yield _dots(series, spots, palette)


def _runs(pairs: Sequence[tuple[Spot, Spot]]) -> list[Spec]:
    """Rows whose ``run`` says which belong to one line."""
    rows: list[Spec] = []
    for (i, y), (j, y2) in pairs:
        if not rows or rows[-1]["x"] != i + 0.5:
            rows.append({"x": i + 0.5, "y": y, "run": i})
        rows.append({"x": j + 0.5, "y": y2, "run": rows[-1]["run"]})
    return rows


def _dots(series: Series, spots: Sequence[Spot], palette: Palette) -> Spec:
    alone = {i for i, y in spots if y is not None and not any(_at(spots, i + step) for step in (-1, 1))}
    rows = [
        {"x": i + 0.5, "y": y, "size": 60 if i == series.shown else 22, "fill": palette.paper if provisional else palette.accent}
        for i, y in spots
        if y is not None
        and ((provisional := series.points[i].provisional) or i == series.shown or i in alone or len(spots) <= _DOTTED)
    ]  # fmt: skip
    mark = {"type": "point", "stroke": palette.accent, "strokeWidth": 1.5, "opacity": 1}
    size = {"field": "size", "type": "quantitative", **_AS_IT_IS}
    return _layer(mark, rows, "x", "y", size=size, fill={"field": "fill", "type": "nominal", **_AS_IT_IS})


def _at(spots: Sequence[Spot], place: int) -> bool:
    return 0 <= place < len(spots) and spots[place][1] is not None


def _bars(series: Series, scale: Scale, palette: Palette) -> Iterator[Spec]:
    zero = scale.y(Decimal(0))
    looks: dict[str, Spec] = {
        "past": {"fill": palette.soft},
        "shown": {"fill": palette.accent},
        "provisional": {"fill": None, "stroke": palette.accent, "strokeDash": [3, 3]},
    }
    for look, style in looks.items():
        rows = [
            {"x": i + 0.19, "x2": i + 0.81, "y": zero, "y2": y if abs(y - zero) > 0.008 else zero + 0.008}
            for i, y in _spots(series, scale)
            if y is not None and _look(series, i) == look
        ]  # zero is a thin bar, no data is nothing
        yield _layer({"type": "rect", "cornerRadius": 1.5, **style}, rows, "x", "x2", "y", "y2")


def _look(series: Series, index: int) -> str:
    if series.points[index].provisional:
        return "provisional"
    return "shown" if index == series.shown else "past"


def _targets(series: Series, scale: Scale, palette: Palette) -> Spec:
    """A dashed step for every period that has a single target."""
    rows: list[Spec] = []
    for run, (known, found) in enumerate(groupby(enumerate(series.points), lambda pair: _single(pair[1]))):
        for i, point in found if known else ():
            y = scale.y(exact(point.target) or Decimal(0))
            rows += [{"x": i, "y": y, "run": run}, {"x": i + 1, "y": y, "run": run}]
    mark = {"type": "line", "stroke": palette.muted, "strokeWidth": 1.5, "strokeDash": [5, 4]}
    return _layer(mark, rows, "x", "y", detail={"field": "run"}, order=None)


def _single(point: Point) -> bool:
    return exact(point.target) is not None and exact(point.target_high) is None


def _band(series: Series, scale: Scale, palette: Palette) -> Spec:
    """A shaded band where the target is a range."""
    rows = [
        {"x": i, "x2": i + 1, "y": scale.y(low), "y2": scale.y(high)}
        for i, point in enumerate(series.points)
        if (low := exact(point.target)) is not None and (high := exact(point.target_high)) is not None
    ]
    return _layer({"type": "rect", "fill": palette.hair, "opacity": 0.75}, rows, "x", "x2", "y", "y2")


def _target_label(series: Series, scale: Scale, size: Size) -> Iterator[Spec]:
    """The last target, in the margin right of the plot: there it can lie on nothing."""
    point = next((p for p in reversed(series.points) if exact(p.target) is not None), None)
    if point is None or not series.target_word:
        return
    low, high = exact(point.target) or Decimal(0), exact(point.target_high)
    middle = scale.y(low) if high is None else (scale.y(low) + scale.y(high)) / 2
    row = [{"x": len(series.points), "y": middle}]
    for line, shift in ((series.target_word, -3), (point.target_text, size.font - 1)):
        text = {"type": "text", "align": "left", "baseline": "alphabetic", "dx": 7, "dy": shift, "text": line}
        yield _layer(text, row, "x", "y")


def _markers(series: Series, palette: Palette, size: Size) -> Iterator[Spec]:
    """A line for each, its letter above; a letter that would touch the one before it stands higher."""
    rows: list[Spec] = []
    for marker in series.markers:
        near = bool(rows) and (marker.place - rows[-1]["place"]) * size.width < size.font
        higher = near and not rows[-1]["higher"]
        rows.append(
            {
                "x": marker.place * len(series.points),
                "letter": marker.letter,
                "place": marker.place,
                "higher": higher,
            }
        )
    rule = {"type": "rule", "stroke": palette.muted, "strokeDash": [1, 3]}
    yield _layer(rule, rows, "x", y={"datum": 0}, y2={"datum": 1})
    for higher in (False, True):
        text = {"type": "text", "dy": -20 if higher else -9, "fontWeight": "bold", "fill": palette.ink}
        found = [{**row, "y": 1, "text": row["letter"]} for row in rows if row["higher"] == higher]
        yield _layer(text, found, "x", "y", "text")


def _gaps(series: Series, palette: Palette, size: Size) -> Spec:
    rows = [{"x": i + 0.5, "y": 0} for i, p in enumerate(series.points) if exact(p.value) is None]
    return _layer({"type": "text", "text": "–", "dy": -6, "fontSize": size.font, "fill": palette.muted}, rows, "x", "y")  # fmt: skip


def _shown_label(series: Series, scale: Scale, palette: Palette, size: Size) -> Iterator[Spec]:
    """The value of the report's period: above a rise and every bar, below (or, low down, beside) a fall."""
    points, shown = series.points, series.shown
    value = exact(points[shown].value) if 0 <= shown < len(points) else None
    if value is None:
        return
    y, before = scale.y(value), exact(points[shown - 1].value) if shown else None
    falling = value < 0 if series.kind == "bar" else before is not None and before > value
    place: Spec = {"align": "center", "dy": 15 if falling else -11}
    x = shown + 0.5
    if falling and y * size.height < 20:
        place = {"align": "right", "dx": -9, "dy": 1}
    elif shown == len(points) - 1:  # not into the margin, where the target stands
        place, x = {**place, "align": "right"}, shown + 1
    text = {
        "type": "text",
        "baseline": "middle",
        "fontWeight": "bold",
        "fontSize": size.font + 1,
        "text": points[shown].text,
        **place,
    }
    halo = {"stroke": palette.paper, "strokeWidth": 4, "strokeJoin": "round", "fill": palette.paper}
    for look in (halo, {"fill": palette.ink}):  # readable also over a line
        yield _layer({**text, **look}, [{"x": x, "y": y}], "x", "y")


def _hovers(series: Series) -> Spec:
    """An invisible column per period that says its value under the mouse."""
    rows = [{"x": i, "x2": i + 1, "said": p.title} for i, p in enumerate(series.points)]
    mark = {"type": "rect", "fill": "transparent", "aria": True}
    return _layer(mark, rows, "x", "x2", y={"datum": 0}, y2={"datum": 1}, description={"field": "said"})
