"""The declared sources opened: which tables and columns there are, and their rows loaded into a session."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from cadran.declare.model import Dataset, Declaration, TableRef
from cadran.compute.remote import Remote, remote
from cadran.plugins.connector import Connector, ConnectorError, Context, QueryableConnector, Table
from cadran.plugins.manager import PluginManager
from cadran.problems import Problem, ProblemsFound, listed, suggest

if TYPE_CHECKING:
    from cadran.compute.embedded import Session

Rejections = dict[str, list[tuple[str, str]]]  # "source.table" → (place, reason) of the records set aside


class Sources:
    """Connectors by source, each asked once; ``problems`` collects what they could not do."""

    def __init__(self, declaration: Declaration, plugins: PluginManager) -> None:
        self.declaration, self.plugins = declaration, plugins
        self.problems: list[Problem] = []
        self._connectors: dict[str, Connector] = {}
        self._tables: dict[str, dict[str, Table] | None] = {}

    def close(self) -> None:
        """Closes every connector that was opened."""
        for connector in self._connectors.values():
            connector.close()

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
                self.problems += self.problems_of(source, error)
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
            self.problems += self.problems_of(ref.source, table.problem)
            return None
        return table

    def load(
        self, session: Session, datasets: Iterable[str], progress: Callable[[str], None]
    ) -> tuple[Rejections, dict[str, Remote]]:
        """Loads every table of the datasets, and the rates; of a source that answers SQL only the columns' names.

        Raises ProblemsFound with all sources' problems.
        """
        refs = [t for d in sorted(datasets) for t in self.declaration.datasets[d].tables]
        if self.declaration.rates is not None:
            refs.append(self.declaration.rates.table)
        rejected: Rejections = {}
        remotes: dict[str, Remote] = {}
        problems: list[Problem] = []
        for source, table in dict.fromkeys((r.source, r.table) for r in refs):
            try:
                found = (self.tables(source) or {}).get(table, Table(table))
                connector = self.connector(source)
                if isinstance(connector, QueryableConnector):
                    session.shadow(source, table, found.columns)
                    beside = remotes.setdefault(source, remote(source, connector))
                    beside.types[table] = session.columns(source, table)
                    continue
                progress(f"loading {source}.{table}")
                aside = session.load(source, table, connector.read(table), found.columns)
                rejected[f"{source}.{table}"] = [(r.place, r.reason) for r in aside]
            except ConnectorError as error:
                problems += self.problems_of(source, error)
        if problems:
            raise ProblemsFound(problems)
        return rejected, remotes

    def problems_of(self, source: str, error: ConnectorError) -> list[Problem]:
        """A connector's error as problems that point at the setting which is at fault."""
        place = self.declaration.sources[source].place
        try:
            where = place.child(*error.setting).position()
        except (KeyError, IndexError, TypeError):
            where = place.position()
        subject = f"sources.{source}"
        head = Problem("source", error.message, where, subject, error.hint)
        return [head, *(Problem("source", line, where, subject) for line in error.more)]


def all_columns(sources: Sources) -> dict[str, Sequence[str] | None]:
    """Dataset → columns of its tables, None where they are not known."""
    return {name: sources.columns(dataset) for name, dataset in sources.declaration.datasets.items()}
