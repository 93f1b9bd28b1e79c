"""The few SVG shapes that sparklines are made of. Places across are percentages, places down are pixels."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

INK, MUTED = "#2b4c9b", "#5f6772"


def svg(key: str, css: str, height: int, title: str, said: str, body: str) -> str:
    style = "padding:0 4px;box-sizing:border-box;overflow:visible;display:block"
    return (
        f'<svg class="{css}" role="img" aria-labelledby="{key}-t {key}-d" width="100%" height="{height}" '
        f'style="{style}" '
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


def dots(spots: Sequence[tuple[float, float, float]], css: str, fill: str) -> str:
    """Circles at (percent, pixel) with a radius."""
    drawn = "".join(f'<circle cx="{x}%" cy="{y}" r="{radius}"/>' for x, y, radius in spots)
    return f'<g class="{css}" fill="{fill}" stroke="{INK}" stroke-width="1.5">{drawn}</g>' if drawn else ""
