"""What a project remembers: its store, and the recorded values in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from cadran.compute.planning.selection import choose
from cadran.declare.model import Declaration
from cadran.declare.settings import masked
from cadran.deliver.history import History, history
from cadran.problems import Problem, ProblemsFound
from cadran.project.clock import AsOf, end_of
from cadran.state.store.store import Store, StoreError, exists, open_store


def store_of(folder: Path, declaration: Declaration) -> Store:
    """The store of the project in ``folder``, made if it is not there. Raises StoreError at the place that declares it, without secrets."""
    settings = declaration.state
    try:
        return open_store(folder, settings.url, settings.schema)
    except StoreError as error:
        (problem,) = masked(error.problems, declaration.unsaid)
        where = settings.place.position() if settings.place is not None else None
        raise StoreError(problem.message, problem.hint, where) from None


@contextmanager
def opened_store(folder: Path, declaration: Declaration, store: Store | None = None) -> Iterator[Store]:
    """The project's store, closed behind it, or the one that is given, which stays open. Raises StoreError."""
    if store is not None:
        yield store
        return
    with closing(store_of(folder, declaration)) as opened:
        yield opened


def recorded(
    folder: Path, declaration: Declaration, kpi: str, period: str, segment: Sequence[str], known_at: AsOf
) -> History:  # fmt: skip
    """Where there is no store none is made. Raises ProblemsFound."""
    name, *others = choose(declaration, [kpi])
    if others:
        hint = f"name one of them, such as {name}"
        raise ProblemsFound([Problem("one-kpi", f"'{kpi}' are several KPIs", None, "", hint)])
    known = None if known_at is None else end_of(declaration, known_at)
    asked = (declaration, declaration.kpis[name], known, period, segment)
    if not exists(folder, declaration.state.url):
        return history(None, *asked)
    with opened_store(folder, declaration) as store:
        return history(store, *asked)
