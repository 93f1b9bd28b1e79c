"""Whether the data of a report is what it has to be at its logical time, in words where it isn't."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from cadran.deliver.jobs import length

if TYPE_CHECKING:
    from cadran.calendar import Duration
    from cadran.compute.results import Results
    from cadran.declare.model import Ready


def unready(ready: Ready, results: Results, kpis: Collection[str]) -> list[str]:
    """Of each dataset that the KPIs measure, and that is too old, how old it is, in the words of ``expect:``.

    A dataset without a date has no age. One that has a date and no row is too old, for whatever fills it has not been there.
    Times are local ones of the calendar, as the rows have them.
    """
    if ready.max_age is None:
        return []
    now = results.as_of.replace(tzinfo=None)
    wanted = {dataset for kpi in kpis for dataset in results.measured_on.get(kpi, ())}
    return list(_too_old(results, wanted, now, ready.max_age))


def _too_old(
    results: Results, wanted: Collection[str], now: dt.datetime, expected: Duration
) -> Iterator[str]:
    for one in results.quality:
        declared = results.declaration.datasets[one.dataset]
        if one.dataset not in wanted or declared.date is None:
            continue
        if one.newest is None:
            yield f"{one.dataset} has no dated row, one of the last {expected} is expected"
        elif now - one.newest > length(expected):
            yield f"the newest row of {one.dataset} is of {one.last}, one of the last {expected} is expected"
