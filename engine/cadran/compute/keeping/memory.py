"""What a run knows of earlier ones, and what it leaves for later ones: all of it in one hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cadran import resources
from cadran.compute.embedded import QueryError, Session
from cadran.compute.keeping.definition import Definitions
from cadran.compute.keeping.examined import Examined
from cadran.compute.keeping.parts import Parts
from cadran.compute.keeping.scans import Keeper
from cadran.compute.keeping.settings import Settings
from cadran.compute.keeping.tables import Tables
from cadran.compute.keeping.tokens import Tokens
from cadran.compute.plan import Series
from cadran.compute.results import Note, Reuse
from cadran.compute.rows import RowsBuilder
from cadran.compute.spans import Clock
from cadran.declare.model import Declaration
from cadran.formula.measures import Measure, Model
from cadran.problems import Problem
from cadran.state.kept import Kept

if TYPE_CHECKING:
    from cadran.compute.sources import Rejections, Sources

FOLDER = Path(".cadran") / "kept"


class Memory:
    """One run's. ``full`` takes nothing from earlier runs, and still leaves what it makes."""

    def __init__(self, declaration: Declaration, session: Session, sources: Sources, *, full: bool) -> None:
        self.declaration, self.session = declaration, session
        self.folder = (declaration.folder / FOLDER).absolute()
        self.kept = open_kept(self.folder, full=full)
        self.settings = Settings(declaration, self.kept.salt, sources.plugins)
        self.tables = Tables(sources, session, self.kept, self.settings)
        self.keeper: Keeper | None = None

    def begin(
        self, model: Model, rows: RowsBuilder, types: Callable[[str], Mapping[str, str]], clock: Clock
    ) -> None:
        """To be called once tables are loaded."""
        definitions = Definitions(self.declaration, model, rows, types, self.settings)
        self.parts = Parts(self.declaration, model, self.session, rows, self.tables, definitions)
        tokens = Tokens(self.declaration, rows, self.parts)
        self.examined = Examined(self.parts, tokens)
        self.keeper = Keeper(self.declaration, self.session, clock, self.kept, definitions, tokens)

    def whose(self, series: Iterable[Series]) -> None:
        """Notes which KPIs the results of scans belong to."""
        assert self.keeper is not None
        for one in series:
            for placed in [*one.leaves.values(), *one.presence]:
                measure: Measure | None = placed.leaf.measure if placed.index >= 0 else None
                self.keeper.kpis.setdefault((placed.scan.name, measure), set()).add(one.kpi.kpi.name)

    def notes(self) -> list[Note]:
        return self.keeper.notes() if self.keeper is not None else []

    def reuse(self) -> list[Reuse]:
        return self.keeper.reuse() if self.keeper is not None else []

    def end(self, rejected: Rejections) -> list[Problem]:
        """Keeps what the run has made, unless the data changed meanwhile. A failure is a warning."""
        assert self.keeper is not None
        try:
            if not self.tables.unchanged():
                return []
            for name, aside in rejected.items():
                source, _, table = name.partition(".")
                self.tables.learn(source, table, aside)
            self.keeper.keep()
            self.kept.prune(90, 500_000_000)
            self.kept.save()
        except (OSError, QueryError) as error:
            reason = (error.strerror or str(error)) if isinstance(error, OSError) else error.message
            hint = f"everything is computed again in the next run; let cadran write to {FOLDER.as_posix()}"
            return [Problem("nothing-kept", f"results cannot be kept: {reason}", None, "", hint, "warning")]
        return []


def open_kept(folder: Path, *, full: bool = False) -> Kept:
    import duckdb

    engine = f"cadran {resources.code()}, duckdb {duckdb.__version__}"
    return Kept.open(folder, engine, dt.date.today(), full=full)
