"""What a sync tells the listeners of the project's plugins: of each source that was asked, what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cadran.declare.model import Declaration
from cadran.declare.settings import mask
from cadran.plugins.listeners import SourceSynced
from cadran.plugins.telling import Telling
from cadran.sync.outcome import Synced


def tell(declaration: Declaration, outcomes: Sequence[Synced]) -> None:
    """Tells of sources, in their order; a source whose tables were all young enough is none that was synced."""
    if not declaration.added.listeners:
        return
    telling = Telling(declaration.added.listeners, lambda text: mask(text, declaration.unsaid))
    for event in _events(str(declaration.file), outcomes):
        telling.log(event)


def _events(project: str, outcomes: Sequence[Synced]) -> Iterator[SourceSynced]:
    asked = [one for one in outcomes if not one.fresh]
    for source in dict.fromkeys(one.source for one in asked):
        tables = [one for one in asked if one.source == source]
        yield SourceSynced(
            project,
            source,
            sum(one.seconds for one in tables),
            tuple(one.table for one in tables if one.table),
            sum(one.counts.new + one.counts.changed for one in tables),
            sum(one.counts.deleted for one in tables),
            "; ".join(dict.fromkeys(one.error.message for one in tables if one.error is not None)),
        )
