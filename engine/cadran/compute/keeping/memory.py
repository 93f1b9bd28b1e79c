"""What a run knows of earlier ones, and what it leaves for later ones: all of it in one hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cadran import resources
from cadran.compute.keeping.changes import Changes
from cadran.compute.keeping.definition import Definitions, TypesOf
from cadran.compute.keeping.examined import Examined
from cadran.compute.keeping.narrow import Narrowing
from cadran.compute.keeping.parts import Parts
from cadran.compute.keeping.planned import Planning
from cadran.compute.keeping.reaching import Reaching
from cadran.compute.keeping.scans import Keeper
from cadran.compute.keeping.settings import Settings
from cadran.compute.keeping.tables import Tables
from cadran.compute.keeping.tokens import Tokens
from cadran.compute.loading.embedded import QueryError, Session
from cadran.compute.placing.places import Places
from cadran.compute.planning.plan import Series
from cadran.compute.results import Note, Reuse
from cadran.compute.scanning.rows import RowsBuilder
from cadran.declare.model import Declaration
from cadran.formula.measures import Measure, Model
from cadran.problems import Problem
from cadran.state.kept import Kept

if TYPE_CHECKING:
    from cadran.compute.loading.sources import Sources

Aside = Mapping[str, Sequence[tuple[str, str]]]  # table → records set aside
FOLDER = Path(".cadran") / "kept"


class Memory:
    """One run's. ``full`` takes nothing from earlier runs, and still leaves what it makes; without ``taking`` nothing of
    it is used or left, and it is only said what could be used."""

    def __init__(
        self, declaration: Declaration, sources: Sources, *, full: bool = False, taking: bool = True,
        now: dt.datetime | None = None,
    ) -> None:  # fmt: skip
        """``now`` is the wall clock: rows change while it runs, whatever the run's own clock is."""
        self.now = now or dt.datetime.now(dt.UTC)
        self.declaration, self.sources, self.taking = declaration, sources, taking
        self.folder = (declaration.folder / FOLDER).absolute()
        self.kept = open_kept(self.folder, full=full)
        self.settings = Settings(declaration, self.kept.salt, sources.plugins)
        self.rejected: Aside = {}

    def tables_in(self, session: Session) -> Tables:
        """What is known of tables, for loading only the others."""
        self.tables = Tables(self.sources, session, self.kept, self.settings)
        return self.tables

    def begin(
        self, model: Model, session: Places, rows: RowsBuilder, types: TypesOf, rejected: Aside
    ) -> None:
        """To be called once tables are loaded."""
        self.rejected = rejected
        definitions = Definitions(self.declaration, model, rows, types, self.settings)
        self.changes = Changes(self.declaration, session, rows, self.now)
        self.parts = Parts(self.declaration, model, session, rows, self.tables, definitions, self.changes)
        reaching = Reaching(rows, self.parts)
        tokens = Tokens(self.declaration, reaching)
        self.examined = Examined(self.parts, tokens)
        planning = Planning(self.declaration, rows.clock, self.kept, definitions, tokens)
        narrowing = Narrowing(self.declaration, session, reaching)
        self.keeper = Keeper(session, planning, narrowing, taking=self.taking)

    def whose(self, series: Iterable[Series]) -> None:
        """Notes which KPIs the results of scans belong to."""
        for one in series:
            for placed in [*one.leaves.values(), *one.presence]:
                measure: Measure | None = placed.leaf.measure if placed.index >= 0 else None
                self.keeper.kpis.setdefault((placed.scan.name, measure), set()).add(one.kpi.said)

    def notes(self) -> list[Note]:
        return self.keeper.notes()

    def reuse(self) -> list[Reuse]:
        return self.keeper.reuse()

    def end(self) -> list[Problem]:
        """Keeps what the run has made, unless the data changed meanwhile. A failure is a warning."""
        try:
            if not self.taking or not self.tables.unchanged():
                return self.changes.problems
            for name, aside in self.rejected.items():
                source, _, table = name.partition(".")
                self.tables.learn(source, table, aside)
            self.keeper.keep()
            self.kept.prune(self.declaration.cache.days, self.declaration.cache.megabytes * 1_000_000)
            self.kept.save()
        except (OSError, QueryError) as error:
            reason = (error.strerror or str(error)) if isinstance(error, OSError) else error.message
            hint = f"everything is computed again in the next run; let cadran write to {FOLDER.as_posix()}"
            return [
                *self.changes.problems,
                Problem("nothing-kept", f"results cannot be kept: {reason}", None, "", hint, "warning"),
            ]
        return self.changes.problems


def open_kept(folder: Path, *, full: bool = False) -> Kept:
    import duckdb

    engine = f"cadran {resources.code()}, duckdb {duckdb.__version__}"
    return Kept.open(folder, engine, dt.date.today(), full=full)
