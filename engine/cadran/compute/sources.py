"""The declared sources opened: which tables and columns there are, and their rows loaded into a session."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cadran.declare.model import Dataset, Declaration, TableRef
from cadran.plugins.connector import Connector, ConnectorError, Context, DataError, Table
from cadran.plugins.manager import PluginManager
from cadran.problems import Problem, ProblemsFound, listed, suggest

if TYPE_CHECKING:
    from cadran.compute.embedded import Session
    from cadran.compute.keeping.tables import Tables

Rejections = dict[str, list[tuple[str, str]]]  # "source.table" → (place, reason) of the records set aside


class Sources:
    """Connectors by source, each asked once; ``problems`` collects what they could not do."""

    def __init__(self, declaration: Declaration, plugins: PluginManager) -> None:
        self.declaration, self.plugins = declaration, plugins
        self.problems: list[Problem] = []
        self._connectors: dict[str, Connector] = {}
        self._tables: dict[str, dict[str, Table] | None] = {}

    def connector(self, source: str) -> Connector:
        """Raises ConnectorError where its plugin is broken."""
        if source not in self._connectors:
            declared = self.declaration.sources[source]
            found = self.plugins.connector(declared.connector)
            if isinstance(found, Problem):
                raise ConnectorError(found.message, hint=found.hint)
            config = {k: v for k, v in declared.config.items() if k != "connector"}
            allowed = (self.declaration.folder.resolve(), *self.declaration.allow_paths)
            zone = str(self.declaration.calendar.zone)
            context = Context(source, config, declared.base.resolve(), allowed, zone)
            self._connectors[source] = found(context)
        return self._connectors[source]

    def tables(self, source: str) -> dict[str, Table] | None:
        """The tables of a source by name; None (and a problem, once) where it cannot say."""
        if source not in self._tables:
            try:
                self._tables[source] = {t.name: t for t in self.connector(source).discover()}
            except ConnectorError as error:
                self._tables[source] = None
                self.problems += self._problems(source, error)
        return self._tables[source]

    def columns(self, dataset: Dataset) -> list[str] | None:
        """The columns of a dataset's tables, or None (with a problem) where they cannot be known."""
        out: dict[str, str] = {}
        for ref in dataset.tables:
            table = self._table(ref, f"datasets.{dataset.name}")
            if table is None:
                return None
            for column in table.columns:
                out.setdefault(column.name.casefold(), column.name)
        return list(out.values())

    def check_rates(self) -> None:
        """The rates' table and its columns exist."""
        rates = self.declaration.rates
        table = self._table(rates.table, "rates") if rates else None
        if rates is None or table is None:
            return
        names = [c.name for c in table.columns]
        for what, name in (("date", rates.date), ("currency", rates.currency), ("rate", rates.rate)):
            if name not in names:
                hint = suggest(name, names) or f"its columns are {listed(names)}"
                where = rates.table.place.position()
                message = f"table '{rates.table.table}' has no column '{name}' for the {what}"
                self.problems.append(
                    Problem("unknown-column", message, where, "rates", f"{hint} (rates: {{{what}: …}})")
                )

    def _table(self, ref: TableRef, subject: str) -> Table | None:
        tables = self.tables(ref.source) if ref.source in self.declaration.sources else None
        if tables is None:
            return None
        if ref.table not in tables:
            hint = suggest(ref.table, tables) or f"its tables are {listed(list(tables)) or 'none'}"
            message = f"source '{ref.source}' has no table '{ref.table}'"
            self.problems.append(Problem("unknown-table", message, ref.place.position(), subject, hint))
            return None
        table = tables[ref.table]
        if table.problem is not None:
            self.problems += self._problems(ref.source, table.problem)
            return None
        return table

    def load(
        self,
        session: Session,
        datasets: Iterable[str],
        progress: Callable[[str], None],
        tables: Tables | None = None,
    ) -> Rejections:
        """Loads every table of the datasets, and the rates. Raises ProblemsFound with all sources' problems.

        ``tables`` may know some from an earlier run; what it knows is not read.
        """
        refs = [t for d in sorted(datasets) for t in self.declaration.datasets[d].tables]
        if self.declaration.rates is not None:
            refs.append(self.declaration.rates.table)
        rejected: Rejections = {}
        problems: list[Problem] = []
        for source, table in dict.fromkeys((r.source, r.table) for r in refs):
            progress(f"loading {source}.{table}")
            try:
                known = tables.known(source, table) if tables is not None else None
                rejected[f"{source}.{table}"] = self.read(session, source, table) if known is None else known
            except ConnectorError as error:
                problems += self._problems(source, error)
        if problems:
            raise ProblemsFound(problems)
        return rejected

    def read(self, session: Session, source: str, table: str) -> list[tuple[str, str]]:
        """Loads one table; returns the records set aside. Raises ConnectorError."""
        found = (self.tables(source) or {}).get(table, Table(table))
        aside = session.load(source, table, self.connector(source).read(table), found.columns)
        return [(r.place, r.reason) for r in aside]

    def fetch(self, session: Session, source: str, table: str) -> None:
        """Loads one table late. Raises ProblemsFound."""
        try:
            self.read(session, source, table)
        except ConnectorError as error:
            raise ProblemsFound(self._problems(source, error)) from error

    def check_unchanged(self, session: Session) -> None:
        """Raises ProblemsFound where a file that is scanned in place is not what it was when the run began."""
        problems: list[Problem] = []
        for source, table, file in session.changed():
            shown = relative(file, self.declaration.folder)
            what = "changed" if file.exists() else "was removed"
            hint = "run again once nothing writes there, so that all numbers are of the same rows"
            error = DataError(f"{shown} {what} while table '{table}' was computed from it", hint=hint)
            problems += self._problems(source, error)
        if problems:
            raise ProblemsFound(problems)

    def _problems(self, source: str, error: ConnectorError) -> list[Problem]:
        """A connector's error as problems that point at the setting which is at fault."""
        place = self.declaration.sources[source].place
        try:
            where = place.child(*error.setting).position()
        except (KeyError, IndexError, TypeError):
            where = place.position()
        subject = f"sources.{source}"
        head = Problem("source", error.message, where, subject, error.hint)
        return [head, *(Problem("source", line, where, subject) for line in error.more)]


def relative(file: Path, folder: Path) -> str:
    """A file as messages name it: from the project's folder where it lies there."""
    folder = folder.resolve()
    return file.relative_to(folder).as_posix() if file.is_relative_to(folder) else str(file)


def all_columns(sources: Sources) -> dict[str, Sequence[str] | None]:
    """Dataset → columns of its tables, None where they are not known."""
    return {name: sources.columns(dataset) for name, dataset in sources.declaration.datasets.items()}
