"""What operators set: where state lies and for how long, what is kept, what of the machine may be used."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from cadran.calendar import Duration
from cadran.declare.document import Place


@dataclass(frozen=True, slots=True)
class Retention:
    """For how long state is kept."""

    runs: Duration = field(default_factory=lambda: Duration(days=400))
    observations: Duration = field(default_factory=lambda: Duration(days=1826))
    deliveries: Duration = field(default_factory=lambda: Duration(days=90))


@dataclass(frozen=True, slots=True)
class StateSettings:
    """Where runs, alerts and deliveries are remembered: a SQLite file in ``.cadran`` unless ``url`` says PostgreSQL."""

    url: str = ""
    schema: str = ""  # of PostgreSQL, the project's own
    keep: Retention = field(default_factory=Retention)
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Cache:
    """For how many days kept results may go unused, and how much room they may take."""

    days: int = 90
    megabytes: int = 500


@dataclass(frozen=True, slots=True)
class Compute:
    """What computing may use of the machine; what is empty is left to DuckDB: 80 % of the memory, every core, 90 % of
    the free disk. ``memory`` is a size (``4 GB``) or a share (``50%``), ``spill_limit`` a size."""

    memory: str = ""
    threads: int | None = None
    spilling: bool = True
    spill: Path | None = None  # the folder in which rows are spilled; None: the project's .cadran
    spill_limit: str = ""
    place: Place | None = None
