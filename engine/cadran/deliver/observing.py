"""A run's figures, written down as what was known at its logical time."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from cadran.state.store import observations
from cadran.state.store.retention import observed_since

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from cadran.compute.results import Results
    from cadran.state.store.observations import Restated


def observe(c: Connection, results: Results, run: int | None, recorded: dt.datetime) -> list[Restated]:
    """Records what differs from what was known; gives the periods that were final and have another value now.

    Open periods are not recorded, nor those that ended before observations are kept. ``recorded`` is the time by the clock.
    """
    declaration = results.declaration
    rows = observations.of_rows(results.rows, observed_since(declaration.state.keep, recorded))
    return observations.record(c, run, rows, results.as_of, recorded, declaration.renamed)
