"""What a chart shows and how large it is: points in the reader's words, markers, colours, sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from cadran.publish.formatting import Number, exact
from cadran.publish.scales import Scale, nice_scale


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
    target_text: str = ""


@dataclass(frozen=True, slots=True)
class Marker:
    """A milestone or note at ``place`` (0 is the left edge, 1 the right one), drawn as its letter."""

    letter: str
    title: str
    place: float


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of a chart: CSS variables where a page's style has them, with a plain colour for where there is none."""

    ink: str
    accent: str
    soft: str
    muted: str
    hair: str
    paper: str


PAGE = Palette(
    "var(--ink,#1a1d21)", "var(--accent,#2b4c9b)", "var(--accent-soft,#b3c1e2)", "var(--muted,#5b636d)",
    "var(--hair,#e2e5e9)", "var(--bg,#fff)",
)  # fmt: skip
PLAIN = Palette("#1a1d21", "#2b4c9b", "#b3c1e2", "#5b636d", "#e2e5e9", "#ffffff")


@dataclass(frozen=True, slots=True)
class Size:
    """Pixels: the plot, and what is left free around it for labels.

    ``bare`` is for where value and target stand beside the chart, as text: they are not drawn, and the plot has all the room
    that the axis' labels leave.
    """

    width: int
    height: int
    left: int = 54
    right: int = 84
    top: int = 24
    bottom: int = 24
    font: int = 12
    labels: int = 5  # periods that are named below
    hovers: bool = True
    bare: bool = False

    @property
    def total(self) -> tuple[int, int]:
        return self.left + self.width + self.right, self.top + self.height + self.bottom


WIDE = Size(582, 160)
PAPER = Size(340, 140, right=76, hovers=False)
MAIL = Size(500, 140, left=76, right=14, top=30, bottom=32, font=16, labels=6, hovers=False, bare=True)
NARROW = Size(230, 146, left=54, right=72, labels=3, hovers=False)


@dataclass(frozen=True, slots=True)
class Series:
    """What a chart shows. ``shown`` is the place of the report's period, -1 for none."""

    points: tuple[Point, ...]
    unit: str
    locale: str
    shown: int
    kind: Literal["line", "bar"] = "line"
    markers: tuple[Marker, ...] = ()
    target_word: str = ""

    @property
    def scale(self) -> Scale:
        """Round bounds around all values and targets, for places from 0 (bottom) to 1 (top)."""
        return nice_scale(numbers(self.points), 0, 1, zero=self.kind == "bar")


def numbers(points: Sequence[Point]) -> list[Decimal]:
    """All that the axis must hold; empty unless there is at least one value."""
    values = [n for p in points if (n := exact(p.value)) is not None]
    targets = [n for p in points for t in (p.target, p.target_high) if (n := exact(t)) is not None]
    return values + targets if values else []
