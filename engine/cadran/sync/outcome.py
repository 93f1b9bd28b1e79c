"""What became of a sync, table by table, as values."""

from __future__ import annotations

from dataclasses import dataclass

from cadran.plugins.connector import ConnectorError
from cadran.problems import Problem


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows that a load has made, changed, taken away; ``aside`` are those that the table lacks because they could not be taken."""

    new: int = 0
    changed: int = 0
    deleted: int = 0
    aside: int = 0
    rows: int = 0  # in the table now


@dataclass(frozen=True, slots=True)
class Synced:
    """One table's sync. ``resumed``: it went on where an earlier one had stopped; ``whole``: all rows were asked for, not only changes.

    With an ``error`` the table is as it was before. ``fresh``: nothing was asked, it was young enough.
    """

    source: str
    table: str
    counts: Counts = Counts()
    seconds: float = 0.0
    resumed: bool = False
    whole: bool = False
    fresh: bool = False
    error: ConnectorError | None = None
    problems: tuple[Problem, ...] = ()  # the error, with its place in the YAML
