"""The few SVG shapes that charts are made of. Places across are percentages, places down are pixels."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

INK, SOFT, MUTED, GRID = "#2b4c9b", "#a9b8dc", "#5f6772", "#dfe2e6"


def svg(key: str, css: str, height: int, title: str, said: str, body: str) -> str:
    pad = "padding:0 26px 0 50px;" if css == "ck-chart" else "padding:0 4px;"
    style = f"{pad}box-sizing:border-box;overflow:visible;display:block"
    return (
        f'<svg class="{css}" role="img" aria-labelledby="{key}-t {key}-d" width="100%" height="{height}" '
        f'font-family="system-ui,sans-serif" font-size="11.5" style="{style}" '
        f'xmlns="http://www.w3.org/2000/svg"><title id="{key}-t">{escape(title)}</title>'
        f'<desc id="{key}-d">{escape(said)}</desc>{body}</svg>'
    )


def stretched(body: str, height: int) -> str:
    """A layer whose x runs from 0 to 100 over the whole width; strokes keep their width."""
    return f'<svg width="100%" height="{height}" viewBox="0 0 100 {height}" preserveAspectRatio="none">{body}</svg>'


def paths(
    shapes: Sequence[str], css: str, colour: str, height: int, *, dash: str = "", width: float = 2
) -> str:
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    drawn = "".join(
        f'<path class="{css}" d="{d}" fill="none" stroke="{colour}" stroke-width="{width}"{dashes} '
        'stroke-linejoin="round" vector-effect="non-scaling-stroke"/>'
        for d in shapes
        if d
    )
    return stretched(drawn, height) if drawn else ""


def group(css: str, body: str, **attributes: str) -> str:
    """Shapes that share their looks (``text_anchor="end"``); empty for nothing."""
    shared = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f'<g class="{css}"{shared}>{body}</g>' if body else ""


def dots(spots: Sequence[tuple[float, float, float]], css: str, fill: str) -> str:
    """Circles at (percent, pixel) with a radius."""
    drawn = "".join(f'<circle cx="{x}%" cy="{y}" r="{radius}"/>' for x, y, radius in spots)
    return group(css, drawn, fill=fill, stroke=INK, stroke_width="1.5")


def text(x: str, y: float, words: str, dx: int = 0) -> str:
    shift = f' dx="{dx}"' if dx else ""
    return f'<text x="{x}" y="{y:g}"{shift}>{escape(words)}</text>'


def label(css: str, body: str, anchor: str, fill: str = MUTED) -> str:
    """Texts of one look."""
    return group(css, body, text_anchor=anchor, fill=fill)
