"""What all groups of scans of a run work with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlglot import exp

from cadran.calendar import Calendar
from cadran.compute.placing.places import Places
from cadran.compute.scanning.scan import ScanBuilder
from cadran.formula.measures import Measure


@dataclass(slots=True)
class Run:
    """``extent`` gives the first and last day of a dataset's date (or of another one), ``rows`` how many rows it has."""

    builder: ScanBuilder
    session: Places
    calendar: Calendar
    extent: Callable[[str, exp.Expr | None], tuple[dt.date | None, dt.date | None]]
    rows: Callable[[str], int]
    numbers: Iterator[int]  # of the tables that are made, over the whole run

    def name(self, what: str) -> str:
        return f"{what}_{next(self.numbers)}"

    def kind(self, measure: Measure) -> str:
        """The type of what is aggregated, where it is a column."""
        if isinstance(measure.argument, exp.Column):
            return self.builder.rows.kind(measure.dataset, measure.argument)
        return ""
