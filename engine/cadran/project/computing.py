"""From an opened project to values: the engine over its loaded tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from cadran.compute.cells.computed import Computed, Request
from cadran.compute.engine import Engine
from cadran.compute.loading.embedded import Session
from cadran.compute.loading.room import room
from cadran.compute.placing.places import Places, SourceFailed
from cadran.compute.planning.plan import columns_of
from cadran.compute.spans import Clock
from cadran.declare.settings import masked
from cadran.problems import ProblemsFound
from cadran.project.opened import Opened, Progress

if TYPE_CHECKING:
    from cadran.compute.keeping.memory import Memory


def compute(
    opened: Opened, clock: Clock, request: Request, progress: Progress = lambda _: None, *, full: bool = False,
    explained: bool = False, counting: bool = False,
) -> Computed:  # fmt: skip
    """Computes with what earlier runs have kept (unless ``full``), and keeps what is final for later ones."""
    from cadran.compute.keeping.memory import Memory

    memory = Memory(opened.declaration, opened.sources, full=full, taking=not explained)
    behind = {dataset for dataset, _ in columns_of(opened.model, request)}
    with engine(opened, clock, behind, progress, record=explained, counting=counting, memory=memory) as made:
        computed = made.compute(request)
        computed.warnings += memory.end()
        return computed


@contextmanager
def engine(
    opened: Opened, clock: Clock, datasets: Iterable[str], progress: Progress = lambda _: None,
    *, record: bool = False, counting: bool = False, memory: Memory | None = None,
) -> Iterator[Engine]:  # fmt: skip
    """An engine over the loaded tables of the datasets. What is raised inside shows no secret."""
    declaration, sources, functions = opened.declaration, opened.sources, opened.model.functions
    zone = str(declaration.calendar.zone)
    try:
        with room(declaration) as settings, closing(
            Session(zone, record=record, counting=counting, settings=settings, functions=functions)
        ) as session:  # fmt: skip
            tables = memory.tables_in(session) if memory is not None else None
            rejected, remotes = sources.load(session, datasets, progress, tables)
            session.lock(memory.folder if memory is not None else None)
            places = Places(session, remotes)
            try:
                yield Engine(declaration, opened.model, places, clock, rejected, progress, memory)
            finally:
                sources.check_unchanged(session)
    except SourceFailed as failed:
        problems = sources.problems_of(failed.source, failed.error)
        raise ProblemsFound(masked(problems, declaration.unsaid)) from failed
    except ProblemsFound as found:
        raise ProblemsFound(masked(found.problems, declaration.unsaid)) from found.__cause__
