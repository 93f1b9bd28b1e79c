"""Data that stopped: periods that are over and begin after the newest row show nothing, which looks like nothing happened."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from cadran.calendar import Grain
from cadran.compute.cells.computed import ComputedSeries
from cadran.compute.planning.settling import Settling
from cadran.declare.model import Declaration
from cadran.problems import Problem

# So many final periods in a row without any row are taken for a source that stopped, and not for a quiet weekend.
_IN_A_ROW: Mapping[Grain, int] = {Grain.DAY: 5, Grain.WEEK: 2}


def stale(
    series: Sequence[ComputedSeries],
    settling: Settling,
    last: Mapping[str, dt.date | None],
    declaration: Declaration,
) -> Iterator[Problem]:
    """A warning for each dataset whose rows end before the newest final periods of a KPI; ``last`` is its newest day."""
    told: set[str] = set()
    for one in series:
        begin = _begin(one)
        for measure in settling.measures(one.kpi) if begin is not None else ():
            day = last.get(measure.dataset)
            if (
                measure.timing != "flow"
                or measure.date is not None
                or day is None
                or begin is None
                or day >= begin
            ):
                continue
            if measure.dataset not in told:
                told.add(measure.dataset)
                yield _problem(measure.dataset, day, declaration)


def _begin(series: ComputedSeries) -> dt.date | None:
    """Where the newest final periods begin that would be empty."""
    if series.grain is Grain.ALL:
        return None
    pairs = zip(series.periods, series.states, strict=True)
    final = [period for period, state in pairs if state == "final"]
    number = _IN_A_ROW.get(series.grain, 1)
    return final[-number].start if len(final) >= number else None


def _problem(dataset: str, day: dt.date, declaration: Declaration) -> Problem:
    message = (
        f"the newest row of '{dataset}' is of {day}: periods after it show what is missing, not what happened"
    )
    hint = "see whether the source is up to date; 'expect: {max_age: 2 days}' tells sooner"
    place = declaration.datasets[dataset].place.position()
    return Problem("stale-data", message, place, f"datasets.{dataset}", hint, "warning")
