"""The declared sources opened: which tables and columns there are, and their rows loaded into a session."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from cadran.compute.loading import columns_seen
from cadran.compute.loading.columns_seen import Seen, Unreadable
from cadran.declare.model import RATES, Dataset, Declaration, TableRef
from cadran.plugins.connector import (
    ConfigError,
    Connector,
    ConnectorError,
    Context,
    DataError,
    QueryableConnector,
    Table,
)
from cadran.plugins.manager import PluginManager
from cadran.plugins.synced import SyncedConnector
from cadran.problems import Problem, ProblemsFound, errors, listed, suggest

if TYPE_CHECKING:
    from cadran.compute.keeping.tables import Tables
    from cadran.compute.loading.beside import Beside
    from cadran.compute.loading.embedded import Session
    from cadran.compute.placing.remote import Remote

Rejections = dict[str, list[tuple[str, str]]]  # "source.table" → (place, reason) of the records set aside


class Sources:
    """Connectors by source, each table asked for once; ``problems`` collects what they could not do.

    Without ``asking`` no server is connected to: then the tables of remote sources are those last ``seen``, and one
    that was never seen is not known. ``failures`` are what syncs have met, by source or ``source.table``. Whoever makes this closes it.
    """

    def __init__(
        self,
        declaration: Declaration,
        plugins: PluginManager,
        *,
        asking: bool = True,
        seen: Seen | None = None,
        failures: Mapping[str, ConnectorError] = MappingProxyType({}),
    ) -> None:
        self.declaration, self.plugins = declaration, plugins
        self.asking, self.seen, self.failures = asking, seen or {}, failures
        self.problems: list[Problem] = []
        self.apart: frozenset[str] = frozenset()  # datasets (and RATES) that nothing is wanted of
        self.unknown: set[str] = set()  # remote sources with tables that were never seen
        self._connectors: dict[str, Connector] = {}
        self._broken = set(_unresolved(declaration))  # sources that cannot answer, which has been said
        self._tables: dict[tuple[str, str], Table | None] = {}

    def close(self) -> None:
        """Closes every connector, whatever the others do. Raises nothing."""
        for connector in self._connectors.values():
            with suppress(Exception):
                connector.close()
        self._connectors.clear()

    def connector(self, source: str) -> Connector:
        """Raises ConnectorError where its plugin is broken, or its sync failed."""
        if source in self.failures:
            raise self.failures[source]
        if source not in self._connectors:
            declared = self.declaration.sources[source]
            found = self.plugins.connector(declared.connector)
            if isinstance(found, Problem):
                raise _NotThere(found.message, hint=found.hint)
            config = {k: v for k, v in declared.config.items() if k != "connector"}
            allowed = (self.declaration.folder.resolve(), *self.declaration.allow_paths)
            zone = str(self.declaration.calendar.zone)
            compute = self.declaration.compute
            context = Context(source, config, declared.base.resolve(), allowed, zone, compute.memory, compute.threads)  # fmt: skip
            if issubclass(found, SyncedConnector):
                self._connectors[source] = self._reader(source, context, found)
            else:
                self._connectors[source] = found(context)
        return self._connectors[source]

    def _reader(self, source: str, context: Context, kind: type[SyncedConnector]) -> Connector:
        """Of a source that is synced a run sees what lies here."""
        from cadran.sync.places import Places
        from cadran.sync.reader import SyncedReader

        places = Places.of(self.declaration.folder.resolve(), source)
        failures = {t: e for n, e in self.failures.items() for s, _, t in [n.partition(".")] if s == source}
        return SyncedReader(context, places, asking=self.asking, failures=failures, kind=kind)

    def remember(self) -> list[Problem]:
        """Writes down the columns of remote sources, once all have answered; a warning where it cannot be written."""
        if not self.asking or errors(self.problems):
            return []
        seen = _lying_here(self.declaration, self.plugins)
        for (source, name), table in self._tables.items():
            if table is not None and self.connector(source).remote:
                seen.setdefault(source, {})[name] = table
        try:
            if seen:
                columns_seen.write(self.declaration.folder, seen, self.declaration.secrets)
        except OSError as error:
            message = (
                f"{columns_seen.FOLDER}/{columns_seen.NAME} cannot be written: {error.strerror or error}"
            )
            hint = "without it 'cadran check' takes the columns of servers on trust"
            return [Problem("unwritable-columns", message, None, "", hint, "warning")]
        return []

    def columns(self, dataset: Dataset) -> list[str] | None:
        """The columns of a dataset's tables, or None (with a problem) where they cannot be known."""
        out: dict[str, str] = {}
        if not dataset.tables:  # which has been said
            return None
        for ref in dataset.tables:
            table = self._table(ref, f"datasets.{dataset.name}")
            if table is None:
                return None
            for column in table.columns:
                out.setdefault(column.name.casefold(), column.name)
        return list(out.values())

    def types(self, dataset: Dataset) -> dict[str, str]:
        """Column → DuckDB type, as far as the dataset's tables tell without their rows."""
        tables = [self._table(ref, f"datasets.{dataset.name}") for ref in dataset.tables]
        return {c.name: c.type for table in tables if table is not None for c in table.columns if c.type}

    def findings(self, others: Iterable[Problem]) -> list[Problem]:
        """What the sources could not do, and a warning for each whose columns were not asked for.

        That the columns are those last seen is worth saying only where one of the ``others`` may come of it.
        """
        out = list(self.problems)
        for source in sorted(self.unknown):
            message = "its columns are not known yet, so names of columns are taken on trust"
            hint = "'cadran check --data' asks for them and remembers them"
            out.append(self._warning("columns-not-known", source, message, hint))
        if any(p.code in ("unknown-column", "unknown-link") for p in others):
            for source in sorted(self._relied_on() - self.unknown):
                message = "its columns are those last seen"
                hint = "if they have changed since, 'cadran check --data' asks again"
                out.append(self._warning("columns-last-seen", source, message, hint))
        return out

    def _relied_on(self) -> set[str]:
        """Remote sources that were not asked."""
        return set() if self.asking else {s for s, _ in self._tables if self.connector(s).remote}

    def _warning(self, code: str, source: str, message: str, hint: str) -> Problem:
        place = self.declaration.sources[source].place.position()
        return Problem(code, message, place, f"sources.{source}", hint, "warning")

    def check_rates(self) -> None:
        """The rates' table and its columns exist."""
        rates = self.declaration.rates if RATES not in self.apart else None
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
        """A table as its source describes it; None, with a problem where it is one, if that cannot be known."""
        if ref.source not in self.declaration.sources or ref.source in self._broken:
            return None
        key = (ref.source, ref.table)
        try:
            if key not in self._tables:
                self._tables[key] = self._asked(ref)
        except ConnectorError as error:
            self._broken.add(ref.source)
            if isinstance(error, _NotThere) or self._follows(ref.source, error):
                return None  # said where the source is declared
            self.problems += self.problems_of(ref.source, error)
            return None
        table = self._tables[key]
        if table is None and ref.source not in self.unknown:
            self.problems.append(self._no_table(ref, subject))
        if table is not None and table.problem is not None:
            if self._follows(ref.source, table.problem):
                return None
            for problem in self._of_table(ref, subject, table.problem):
                self._note(problem)
            return None
        return table

    def _asked(self, ref: TableRef) -> Table | None:
        """Raises ConnectorError, also for what a plugin raises against its contract."""
        try:
            return self._told(ref)
        except ConnectorError:
            raise
        except Exception as error:
            name = self.declaration.sources[ref.source].connector
            hint = f"this is a bug of the plugin {self.plugins.version(name) or name}: tell its author"
            raise ConnectorError(f"{type(error).__name__}: {error}", hint=hint) from error

    def _told(self, ref: TableRef) -> Table | None:
        connector = self.connector(ref.source)
        if self.asking or not connector.remote:
            return connector.table(ref.table)
        try:
            connector.check(ref.table)
        except ConnectorError as error:
            return Table(ref.table, problem=error)
        found = self.seen.get(ref.source, {}).get(ref.table)
        if found is None:
            self.unknown.add(ref.source)
        return found

    def _of_table(self, ref: TableRef, subject: str, error: ConnectorError) -> list[Problem]:
        """At the setting that is at fault, else where the table is named. Where it is no mistake of the file, it is what the source could not do,
        and of these datasets alone."""
        mistake = isinstance(error, ConfigError)
        if error.setting or error.more:
            problems = self.problems_of(ref.source, error)
        else:
            subject = subject if mistake else f"sources.{ref.source}"
            problems = [Problem("source", error.message, ref.place.position(), subject, error.hint)]
        return problems if mistake else [replace(p, datasets=self._made_of(ref.source, ref.table)) for p in problems]  # fmt: skip

    def _follows(self, source: str, error: ConnectorError) -> bool:
        """Whether an error of the settings comes of a key beside or below, which nobody knows and which has been said."""
        place = self.declaration.sources[source].place
        at = (*place.path, *error.setting)
        where = {path[:-1] for path in place.document.unknown if len(path) - 1 > len(place.path)}
        return isinstance(error, ConfigError) and (at in where or at[:-1] in where)

    def _note(self, problem: Problem) -> None:
        """Once, where several tables of a source have the same."""
        for number, other in enumerate(self.problems):
            if replace(other, datasets=problem.datasets) == problem:
                both = dict.fromkeys((*other.datasets, *problem.datasets)) if other.datasets and problem.datasets else ()  # fmt: skip
                self.problems[number] = replace(other, datasets=tuple(both))
                return
        self.problems.append(problem)

    def _no_table(self, ref: TableRef, subject: str) -> Problem:
        message = f"source '{ref.source}' has no table '{ref.table}'"
        try:
            names = self.connector(ref.source).names()
        except ConnectorError:
            names = []
        hint = suggest(ref.table, names) or f"its tables are {listed(list(names)) or 'none'}"
        return Problem("unknown-table", message, ref.place.position(), subject, hint)

    def load(
        self,
        session: Session,
        datasets: Iterable[str],
        progress: Callable[[str], None],
        tables: Tables | None = None,
    ) -> tuple[Rejections, dict[str, Remote]]:
        """Loads every table of the datasets, and the rates; of a source that answers SQL only the columns' names.

        ``tables`` may know some from an earlier run; what it knows is not read. Raises ProblemsFound with all sources'
        problems.
        """
        refs = [t for d in sorted(datasets) for t in self.declaration.datasets[d].tables]
        if self.declaration.rates is not None and RATES not in self.apart:
            refs.append(self.declaration.rates.table)
        wanted = list(dict.fromkeys((r.source, r.table) for r in refs))
        remotes: dict[str, Remote] = {}
        failed: dict[tuple[str, str], list[Problem]] = {}
        aside: dict[tuple[str, str], list[tuple[str, str]] | None] = {}  # None: to be read
        for source, table in wanted:
            with self._noting(failed, source, table):
                if not self._stays(session, remotes, source, table):
                    aside[source, table] = tables.known(source, table) if tables is not None else None
        with closing(self._reading([key for key, known in aside.items() if known is None])) as streams:
            for source, table in aside:
                with self._noting(failed, source, table):
                    progress(f"loading {source}.{table}")
                    if aside[source, table] is None:
                        aside[source, table] = self.read(session, source, table, streams)
        if failed:
            raise ProblemsFound([p for key in wanted for p in failed.get(key, ())])
        return {f"{source}.{table}": known or [] for (source, table), known in aside.items()}, remotes

    @contextmanager
    def _noting(
        self, failed: dict[tuple[str, str], list[Problem]], source: str, table: str
    ) -> Iterator[None]:
        """What one table cannot do does not keep the others from being read."""
        try:
            yield
        except ConnectorError as error:
            problems = self.problems_of(source, error)
            if isinstance(error, DataError):  # the source answers, and one of its tables is at fault
                problems = [replace(problem, datasets=self._made_of(source, table)) for problem in problems]
            failed[source, table] = problems

    def _made_of(self, source: str, table: str) -> tuple[str, ...]:
        """The datasets that a table is part of."""
        named = {
            name: {(t.source, t.table) for t in d.tables} for name, d in self.declaration.datasets.items()
        }
        rates = self.declaration.rates
        if rates is not None:
            named[RATES] = {(rates.table.source, rates.table.table)}
        return tuple(name for name, tables in named.items() if (source, table) in tables)

    def _stays(self, session: Session, remotes: dict[str, Remote], source: str, table: str) -> bool:
        """Whether a table stays where it is; then an empty one with its columns stands for it in the session."""
        from cadran.compute.placing.remote import remote

        found = self._tables.get((source, table)) or Table(table)
        connector = self.connector(source)
        if not isinstance(connector, QueryableConnector) or not all(c.type for c in found.columns):
            return False
        session.shadow(source, found.name, found.columns)
        beside = remotes.setdefault(source, remote(source, connector))
        beside.types[found.name] = session.columns(source, found.name)
        return True

    def _reading(self, tables: Sequence[tuple[str, str]]) -> Beside:
        """Servers are read in threads, beside each other and beside files, which need the processor that computes."""
        from cadran.compute.loading.beside import Beside, Errand

        several = len({source for source, _ in tables}) > 1
        far = [key for key in tables if several and self.connector(key[0]).remote]
        errands = {key: Errand(key[0], partial(self.connector(key[0]).read, key[1])) for key in far}
        cancel = {source: getattr(self.connector(source), "cancel", lambda: None) for source, _ in far}
        return Beside(errands, cancel, together=False)

    def read(
        self, session: Session, source: str, table: str, streams: Beside | None = None
    ) -> list[tuple[str, str]]:
        """Loads one table; returns the records set aside. Raises ConnectorError."""
        found = self._tables.get((source, table)) or Table(table)
        read = streams is not None and (source, table) in streams
        stream = streams.stream((source, table)) if streams is not None and read else self.connector(source).read(table)  # fmt: skip
        aside = session.load(source, table, stream, found.columns)
        return [(r.place, r.reason) for r in aside]

    def fetch(self, session: Session, source: str, table: str) -> None:
        """Loads one table late. Raises ProblemsFound."""
        try:
            self.read(session, source, table)
        except ConnectorError as error:
            raise ProblemsFound(self.problems_of(source, error)) from error

    def check_unchanged(self, session: Session) -> None:
        """Raises ProblemsFound where a file that is scanned in place is not what it was when the run began."""
        problems: list[Problem] = []
        for source, table, file in session.changed():
            shown = relative(file, self.declaration.folder)
            what = "changed" if file.exists() else "was removed"
            hint = "run again once nothing writes there, so that all numbers are of the same rows"
            error = DataError(f"{shown} {what} while table '{table}' was computed from it", hint=hint)
            problems += self.problems_of(source, error)
        if problems:
            raise ProblemsFound(problems)

    def problems_of(self, source: str, error: ConnectorError) -> list[Problem]:
        """A connector's error as problems that point at the setting which is at fault."""
        where = self.declaration.sources[source].place.at_setting(error.setting)
        subject = f"sources.{source}"
        head = Problem("source", error.message, where, subject, error.hint)
        return [head, *(Problem("source", line, where, subject) for line in error.more)]


class _NotThere(ConnectorError):
    """There is no such connector, or it cannot be loaded."""


def _unresolved(declaration: Declaration) -> Iterator[str]:
    """Sources with a setting that is not set."""
    for name, source in declaration.sources.items():
        place = source.place
        depth = len(place.path)
        if any(path[:depth] == place.path for path in place.document.unresolved):
            yield name


def relative(file: Path, folder: Path) -> str:
    """A file as messages name it: from the project's folder where it lies there."""
    folder = folder.resolve()
    return file.relative_to(folder).as_posix() if file.is_relative_to(folder) else str(file)


def all_columns(sources: Sources, apart: Container[str] = ()) -> dict[str, Sequence[str] | None]:
    """Dataset → columns of its tables, None where they are not known. Those that stand ``apart`` are not asked."""
    datasets = sources.declaration.datasets.items()
    return {name: None if name in apart else sources.columns(dataset) for name, dataset in datasets}


@contextmanager
def opened_sources(
    declaration: Declaration, plugins: PluginManager, *, asking: bool,
    failures: Mapping[str, ConnectorError] = MappingProxyType({}),
) -> Iterator[Sources]:  # fmt: skip
    """The sources of a project, closed behind whoever uses them. What was seen by ``asking`` is remembered.

    ``failures`` are what syncs have met, by source or ``source.table``.
    """
    seen: Seen = {}
    unreadable: Problem | None = None
    if not asking:
        try:
            seen = columns_seen.read(declaration.folder)
        except Unreadable as error:
            unreadable = _unreadable(error)
        here = _lying_here(declaration, plugins)
        seen = {**seen, **{name: {**seen.get(name, {}), **tables} for name, tables in here.items()}}
    sources = Sources(declaration, plugins, asking=asking, seen=seen, failures=failures)
    if unreadable is not None:
        sources.problems.append(unreadable)
    try:
        yield sources
    finally:
        sources.close()


def _lying_here(declaration: Declaration, plugins: PluginManager) -> dict[str, dict[str, Table]]:
    """The tables of sources that are synced, as they lie here."""
    out: dict[str, dict[str, Table]] = {}
    for name, source in declaration.sources.items():
        if plugins.synced(source.connector):
            from cadran.sync.places import Places
            from cadran.sync.reader import known

            if found := known(Places.of(declaration.folder.resolve(), name)):
                out[name] = found
    return out


def _unreadable(error: Unreadable) -> Problem:
    message = f"{columns_seen.FOLDER}/{columns_seen.NAME} cannot be read: {error}"
    hint = "'cadran check --data' writes it anew"
    return Problem("unreadable-columns", message, None, "", hint, "warning")
