"""The clock of a test that names none: late enough that all it expects is final."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from cadran.calendar import Duration, Grain, Period
from cadran.compute.spans import LATEST, Clock, span_of
from cadran.declare.model import Declaration
from cadran.formula.measures import Model, leaves_in


def clock_at(instant: dt.date | dt.datetime, declaration: Declaration) -> Clock:
    """A bare date is its first instant; a time without zone is in the calendar's."""
    calendar = declaration.calendar
    if not isinstance(instant, dt.datetime):
        return Clock(calendar.midnight(instant), calendar)
    return Clock(instant if instant.tzinfo else instant.replace(tzinfo=calendar.zone), calendar)


def late_enough(declaration: Declaration, model: Model, wanted: Iterable[tuple[str, Period]]) -> Clock:
    """When the periods of these KPIs are over, their data settled and their cohorts matured; the far future without any."""
    far = Clock(declaration.calendar.midnight(LATEST), declaration.calendar)
    instants = [i for kpi, period in wanted for i in _ends(declaration, model, kpi, period, far)]
    return Clock(max(instants), declaration.calendar) if instants else far


def _ends(
    declaration: Declaration, model: Model, kpi: str, period: Period, far: Clock
) -> Iterator[dt.datetime]:
    calendar = declaration.calendar
    if period.grain is not Grain.ALL:
        yield calendar.midnight(period.end)
    for number in leaves_in(model.kpis[kpi].value):
        leaf = model.leaves[number]
        measure = leaf.measure
        span = span_of(period, leaf.transforms, calendar, far, LATEST)
        if span is None or period.grain is Grain.ALL:
            continue
        names = [measure.dataset, *([measure.other.dataset] if measure.other else [])]
        waits = [declaration.datasets[name].settle or Duration() for name in names]
        waits += [measure.other.window] if measure.other else []
        end = calendar.midnight(period.end if model.datasets[measure.dataset].ahead else span.end)
        yield from (calendar.after(end, wait) for wait in waits)
