"""Where tests compute: one database in memory, filled with the rows of a test, and emptied for the next.

Nothing else is within reach of it: no source, no file, no network; and nothing of it is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from cadran.compute.engine import Engine
from cadran.compute.loading.embedded import Session
from cadran.compute.placing.places import Places
from cadran.compute.planning.plan import columns_behind, measures_of
from cadran.compute.spans import Clock
from cadran.declare.expectations import KpiTest
from cadran.declare.model import Declaration
from cadran.formula.graph import Node
from cadran.formula.measures import Measure, Model, ref_of
from cadran.plugins.connector import Column, End, Page
from cadran.problems import Problem, ProblemsFound, listed, suggest
from cadran.testing.cut import GIVEN, RATES, of_rows
from cadran.testing.rows import Rows, Texts, Typing, texts, typing

if TYPE_CHECKING:
    from cadran.compute.loading.sources import Sources

_SMALL = {"temp_directory": "", "threads": "1"}  # a few rows: another thread would only cost time


class Bench:
    """``model`` is that of the whole project."""

    def __init__(
        self, declaration: Declaration, model: Model, sources: Sources, session: Session, typing: Typing
    ) -> None:
        self.declaration, self.model = of_rows(declaration), model
        self.session, self.typing = session, typing
        self.allowed = declaration.allow_paths
        self.types = {n: sources.types(d) for n, d in declaration.datasets.items()}
        self._used: dict[str, set[str]] = {}
        self._computed = False  # something, over the rows that are there

    @contextmanager
    def filled(
        self, test: KpiTest, model: Model, measures: Sequence[Measure], more: Sequence[Node] = ()
    ) -> Iterator[None]:
        """Holds the tables that these measures and columns need. Raises ProblemsFound where rows are not what they should be."""
        problems: list[Problem] = []
        rows: dict[str, Rows] = {}
        for name, given in test.given.items():
            try:
                found = texts(given, self.declaration.folder, self.allowed)
                if found.names:
                    rows[name] = self._typed(name, found)
            except ProblemsFound as raised:
                problems += raised.problems
        if problems:
            raise ProblemsFound(problems)
        try:
            for dataset, columns in self._needed(model, measures, more).items():
                self._load(GIVEN, dataset, columns, self.types[dataset], rows.get(dataset))
            if self.declaration.rates is not None and any(m.convert for m in measures):
                rates = self.declaration.rates
                types = {rates.date: "DATE", rates.currency: "VARCHAR", rates.rate: "DECIMAL(18,6)"}
                own = None if "rates" in self.declaration.datasets else rows.get("rates")
                self._load(RATES, "rates", list(types), types, own)
            self._computed = False
            yield
        finally:
            self.session.clear()

    def engine(self, model: Model, clock: Clock) -> Engine:
        """An engine over the rows that are there, as if nothing had been computed yet."""
        if self._computed:
            self.session.clear(loaded=False)
        self._computed = True
        return Engine(self.declaration, model, Places(self.session, {}), clock, {})

    # --- tables --------------------------------------------------------------------------------------------------

    def _needed(
        self, model: Model, measures: Sequence[Measure], more: Sequence[Node]
    ) -> dict[str, list[str]]:
        """Dataset → columns of its table, for all datasets that are walked to."""
        nodes = columns_behind(model, measures, more)
        keys = [(d, key) for d in {d for d, _ in nodes} for key in model.datasets[d].key]
        nodes = columns_behind(model, measures, [*more, *keys])
        nodes |= {
            (m.dataset, ref_of(m.money.column)[1])
            for m in measures
            if m.money is not None and m.money.column is not None
        }
        out: dict[str, list[str]] = {}
        for dataset in sorted({d for d, _ in nodes}):
            found = model.datasets[dataset]
            used = sorted(c for d, c in nodes if d == dataset and c and c not in found.derived)
            out[dataset] = list(found.raw) if found.raw is not None else used
        return out

    def _load(
        self, source: str, table: str, columns: Sequence[str], types: Mapping[str, str], rows: Rows | None
    ) -> None:
        """The rows, and a column of NULLs for each that they do not give."""
        given = dict(rows.types) if rows is not None else {}
        kinds = {name: given.get(name) or types.get(name) or "VARCHAR" for name in [*given, *columns]}
        kinds = kinds or {"nothing": "VARCHAR"}
        texts = [name for name, kind in kinds.items() if kind == "VARCHAR"]
        stream: list[Page | End] = [End(0)]
        empty = texts
        if rows is not None and rows.data.num_rows:
            stream = [Page(self.typing.widened(rows, kinds)), End(rows.data.num_rows)]
            empty = [name for name in texts if name not in given or name in rows.empty]
        self.session.load(source, table, stream, [Column(n, k) for n, k in kinds.items()], empty)

    # --- rows ----------------------------------------------------------------------------------------------------

    def _typed(self, name: str, found: Texts) -> Rows:
        if name not in self.declaration.datasets:
            rates = self.declaration.rates
            known = [rates.date, rates.currency, rates.rate] if rates is not None else []
            return self.typing.typed(found, self._named(known, found, name), {})
        names = self._named(self._known(name), found, name)
        return self.typing.typed(found, names, self.types[name])

    def _known(self, dataset: str) -> list[str]:
        """The columns of its table, or where these are not known, those that anything in the project uses."""
        raw = self.model.datasets[dataset].raw
        if raw is not None:
            return list(raw)
        if not self._used:
            measures = measures_of(self.model, list(self.model.kpis.values()))
            every: list[Node] = [
                (d.name, name) for d in self.model.datasets.values() for name in ("", *d.key, *d.derived)
            ]
            for name, columns in self._needed(self.model, measures, every).items():
                self._used[name] = set(columns)
        return sorted(self._used[dataset])

    def _derived(self, dataset: str) -> Collection[str]:
        return self.model.datasets[dataset].derived if dataset in self.model.datasets else ()

    def _named(self, known: Sequence[str], found: Texts, dataset: str) -> list[str]:
        """The given columns as the table names them. Raises ProblemsFound for one that it does not have."""
        folded = {name.casefold(): name for name in known}
        problems = []
        for name in found.names:
            if name.casefold() not in folded:
                hint = suggest(name.strip(), known) or f"its columns are {listed(known)}"
                message = f"'{dataset}' has no column '{name}'"
                if name in self._derived(dataset):
                    message, hint = (
                        f"'{name}' of '{dataset}' is derived",
                        "give the columns that it is made of",
                    )
                problems.append(Problem("unknown-column", message, found.where(0), hint=hint))
        if problems:
            raise ProblemsFound(problems)
        return [folded[name.casefold()] for name in found.names]


@contextmanager
def bench(declaration: Declaration, model: Model, sources: Sources) -> Iterator[Bench]:
    """Raises nothing of its own."""
    with (
        closing(
            Session(str(declaration.calendar.zone), settings=_SMALL, functions=model.functions)
        ) as session,
        typing() as rows,
    ):
        session.lock()
        yield Bench(declaration, model, sources, session, rows)
