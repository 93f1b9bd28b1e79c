"""A run's figures, written down as what was known at its logical time."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from cadran.state.store import observations
from cadran.state.store.retention import observed_since

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from cadran.compute.results import Results
    from cadran.declare.model import Declaration, Kpi
    from cadran.state.store.observations import Restated


def observe(c: Connection, results: Results, run: int | None, recorded: dt.datetime) -> list[Restated]:
    """Records what differs from what was known; gives the periods that were final and have another value now.

    Open periods are not recorded, nor those that ended before observations are kept. ``recorded`` is the time by the clock,
    ``results`` those of a run that was not narrowed to some segment values.
    """
    declaration = results.declaration
    rows = observations.of_rows(results.rows, observed_since(declaration.state.keep, recorded))
    listed = {kpi.name: _listed(kpi, declaration) for kpi in declaration.kpis.values()}
    return observations.record(c, run, rows, results.as_of, recorded, declaration.renamed, listed)


def _listed(kpi: Kpi, declaration: Declaration) -> frozenset[tuple[str, ...]]:
    """The segments of which results hold every value: not those of which only the largest are shown."""
    cut = {segment.name for segment in declaration.segments.values() if segment.top is not None}
    return frozenset(names for names in kpi.segments if not cut & set(names))
