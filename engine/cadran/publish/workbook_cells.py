"""What a spreadsheet is made of before it is written: sheets of cells, each a value and its number format."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cadran.publish.context_parts import Change, Figure
from cadran.publish.figures import Figures
from cadran.publish.formatting import Number, exact
from cadran.publish.number_formats import number_format, points_format

_LARGEST = 10**300


@dataclass(frozen=True, slots=True)
class Cell:
    """A value to write, and the number format that it is shown in."""

    value: str | float | int | dt.date | None
    shown: str = ""


@dataclass(slots=True)
class Sheet:
    """A table with a head that stays in sight; ``above`` are lines of text over it."""

    name: str
    head: Sequence[str]
    rows: list[list[Cell]] = field(default_factory=list)
    above: Sequence[str] = ()


def figure(value: Figure | Change | Number | None, unit: str, figures: Figures) -> Cell:
    """A value in its KPI's unit."""
    raw = value.raw if isinstance(value, Figure | Change) else value
    return Cell(as_double(raw), number_format(unit, raw, figures.locale))


def count(value: Figure | Number | None, figures: Figures) -> Cell:
    return figure(value, "", figures)


def difference(value: Change | Number | None, unit: str, figures: Figures) -> Cell:
    """A difference; of percentages in points, since ``-4.5%`` of a percentage says something else."""
    raw = exact(value.raw if isinstance(value, Change) else value)
    if unit != "percent" or raw is None:
        return figure(value, unit, figures)
    return Cell(as_double(raw.scaleb(2)), points_format(raw, figures.gettext("pt")))


def as_double(value: Any) -> float | int | None:
    """A number as a cell holds it; None for no data, and for what is too large."""
    number = exact(value)
    if number is None or abs(number) > _LARGEST:
        return None
    return int(number) if isinstance(value, int) and abs(value) < 2**53 else float(number)
