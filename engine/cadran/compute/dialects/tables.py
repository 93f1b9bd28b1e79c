"""The tables that a statement may name, besides its own steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cadran.plugins.connector import Relation


@dataclass(frozen=True, slots=True)
class Stored:
    """A table of the source: where it stands there, and its columns' DuckDB types."""

    relation: Relation
    types: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Small:
    """A table of the engine's own making (the spans of a scan), which travels inside the statement."""

    types: Mapping[str, str]
    rows: Sequence[Sequence[object]]
