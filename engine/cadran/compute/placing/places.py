"""Where each statement of the engine runs: at the source that holds all its tables and can say it, else here.

To the engine it looks like the :class:`Session`: the tables of a remote source stand there as empty shadows, which
give statements their types. A statement that its source cannot answer with the same meaning finds its rows pulled,
only the columns that it reads and, where that is safe, only the rows in reach of its spans.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from cadran.compute.dialects.kinds import Unsupported, kind_of
from cadran.compute.dialects.tables import Small
from cadran.compute.loading.beside import Beside, Errand, Stream
from cadran.compute.loading.embedded import Session
from cadran.compute.loading.extents import Extent, Extents
from cadran.compute.lower import cast, text
from cadran.compute.placing.used import SMALL, Where, columns_of, tables_of
from cadran.compute.results import Measured, Scanned
from cadran.plugins.connector import ConnectorError, QueryRefused

if TYPE_CHECKING:
    from cadran.compute.placing.remote import Remote


@dataclass(frozen=True, slots=True)
class Reach:
    """The rows of a table that a scan can see: ``low <= column < high``, in local days."""

    column: str
    low: dt.date
    high: dt.date

    def hull(self, other: Reach | None) -> Reach | None:
        if other is None or other.column != self.column:
            return None
        return Reach(self.column, min(self.low, other.low), max(self.high, other.high))

    def holds(self, other: Reach | None) -> bool:
        return other is not None and self.hull(other) == self


@dataclass(slots=True)
class Pulled:
    """What lies here of a remote table. ``reach`` None: all its rows."""

    columns: set[str]
    reach: Reach | None = None


@dataclass(frozen=True, slots=True)
class Fetch:
    """Rows to be pulled: some columns of a table, those that meet a condition in the source's SQL."""

    where: Where
    need: Pulled
    names: Sequence[str]
    condition: str


@dataclass(frozen=True, slots=True)
class Pushed:
    """A statement that its source answers."""

    remote: Remote
    sql: str
    columns: tuple[tuple[str, str], ...]  # name, DuckDB type

    @property
    def key(self) -> tuple[str, str]:
        return self.remote.source, self.sql


class Probed(Exception):
    """What a probe asks is known now."""


class SourceFailed(Exception):
    """A source could not answer."""

    def __init__(self, source: str, error: ConnectorError) -> None:
        super().__init__(error.message)
        self.source, self.error = source, error


@dataclass(slots=True)
class Places:
    """A session and the remote sources beside it."""

    session: Session
    remotes: Mapping[str, Remote] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)  # name of a statement → why it ran here
    refusals: list[tuple[str, str]] = field(default_factory=list)  # source, in its words
    _not_again: set[str] = field(default_factory=set)  # names of statements that were refused
    _pulled: dict[Where, Pulled] = field(default_factory=dict)
    _small: dict[str, Small] = field(default_factory=dict)
    _beside: Beside | None = None  # what sources are asked right now
    _probing: bool = False  # statements are not run, but noted
    _foretold: dict[str, Pushed] = field(default_factory=dict)  # what will be asked, by its text here
    _extents: Extents | None = None

    @property
    def statements(self) -> dict[str, str]:
        return self.session.statements

    @property
    def recording(self) -> bool:
        """Whether statements are kept for people to see."""
        return self.session.recording

    @property
    def measured(self) -> dict[str, Measured]:
        return self.session.measured

    @property
    def scanned(self) -> list[Scanned]:
        return self.session.scanned

    # --- what a session does ----------------------------------------------------------------------------------------------

    def columns(self, source: str, table: str) -> dict[str, str]:
        return self.session.columns(source, table)

    def empty_columns(self, source: str, table: str) -> list[str]:
        return self.session.empty_columns(source, table)

    def table(self, source: str, table: str) -> exp.Expr:
        """A loaded table, its columns without any value as plain NULLs: such a column has no type to be wrong."""
        loaded = exp.table_(table, db=source, quoted=True)
        empty = self.empty_columns(source, table)
        if not empty:
            return loaded
        nothing = [exp.alias_(exp.null(), name, quoted=True) for name in empty]
        star = exp.Star(replace=nothing)
        return exp.Subquery(this=exp.Select(expressions=[star]).from_(loaded, copy=False))

    def types(self, select: exp.Expr) -> dict[str, str]:
        return self.session.types(select)

    def files(self, source: str, table: str) -> tuple[Path, ...]:
        return self.session.files(source, table)

    def extents(self, source: str, table: str, column: str) -> Mapping[Path, Extent] | None:
        """What Parquet files that lie here state of a column, file by file (see Extents)."""
        if self._extents is None:
            self._extents = Extents(self.session)
        return self._extents.of(source, table, column)

    def begins(self, source: str, table: str) -> Mapping[str, int]:
        return self.session.begins(source, table)

    def write(self, select: exp.Expr, file: Path) -> None:
        self.session.write(select, file)

    def drop(self, tables: Iterable[str]) -> None:
        self.session.drop(tables)

    def fill(
        self, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[object]], shown: Container[str] | None = None
    ) -> None:  # fmt: skip
        self._small[table] = Small(columns, rows)
        self.session.fill(table, columns, rows, shown)

    def rows(self, select: exp.Expr, name: str = "") -> list[tuple[Any, ...]]:
        found = self._sent(select, name)
        if found is not None:
            self._note(name, found)
            try:
                with _of(found.remote):
                    types, (stream, _) = [t for _, t in found.columns], self._answered(found)
                    return self.session.answer(types, stream, found.remote.source)
            except SourceFailed as failed:
                self._refused(name, failed)
        self.pull([(select, None)])
        out = self.session.rows(select, name)
        self._say_why(name)
        return out

    def create(self, table: str, select: exp.Expr) -> None:
        found = self._sent(select, table)
        if found is None or not self.take(table, found):
            self.pull([(select, None)])
            self.session.create(table, select)
            self._say_why(table)

    def _say_why(self, name: str) -> None:
        if name in self.reasons:
            self.session.remark(name, f"-- runs here: {self.reasons[name]}")

    def lies_here(self, node: exp.Expr) -> bool:
        """Whether no table in it belongs to a remote source."""
        return all(t.db not in self.remotes for t in tables_of(node))

    # --- at the source --------------------------------------------------------------------------------------------------------

    @contextmanager
    def asking(self, wanted: Mapping[str, Pushed]) -> Iterator[None]:
        """Inside, all sources work at these statements, side by side; :meth:`take` takes up each answer, in their order."""
        for name, found in wanted.items():
            self._note(name, found)
        with self._side_by_side(_errands(wanted.values())):
            yield

    @contextmanager
    def ahead(self, probes: Iterable[Callable[[], object]]) -> Iterator[None]:
        """Inside, sources work at what these will ask first, each of the probes called in their order.

        A probe is called once before, to hear what that is; it is stopped where it asks, so nothing may come of it until then.
        """
        self._probing = True
        for probe in probes:
            with suppress(Exception):  # what is wrong is said when it is asked in earnest
                probe()
        self._probing = False
        try:
            with self._side_by_side(_errands(self._foretold.values())):
                yield
        finally:
            self._foretold = {}

    def _sent(self, select: exp.Expr, name: str) -> Pushed | None:
        """The statement as its source will run it, or runs it already."""
        text = select.sql("duckdb") if self._probing or self._foretold else ""
        if text in self._foretold and not self._probing:
            return self._foretold.pop(text)
        found = self.pushed(select, name)
        if self._probing:
            if found is not None:
                self._foretold[text] = found
            raise Probed
        return found

    @contextmanager
    def _side_by_side(self, errands: Mapping[Any, Errand]) -> Iterator[None]:
        """Nothing of it runs any more behind it, whatever happens inside."""
        cancel = {e.source: self.remotes[e.source].connector.cancel for e in errands.values()}
        self._beside = Beside(errands, cancel)
        try:
            yield
            self._beside.finish()
        finally:
            self._beside.close()
            self._beside = None

    def _free(self, source: str) -> None:
        """A connector is asked one thing at a time."""
        if self._beside is not None:
            self._beside.settle(source)

    def _answer(
        self, name: Hashable, source: str, ask: Callable[[], Stream]
    ) -> tuple[Stream, Callable[[], float] | None]:
        """An answer, and what tells how long its source took where that is not how long it takes to read it."""
        if self._beside is not None and name in self._beside:
            return self._beside.stream(name), partial(self._beside.seconds, name)
        self._free(source)
        return ask(), None

    def _answered(self, found: Pushed) -> tuple[Stream, Callable[[], float] | None]:
        return self._answer(found.key, found.remote.source, partial(found.remote.query, found.sql))

    def take(self, table: str, found: Pushed) -> bool:
        """A temporary table that holds a source's answer; False where the source refuses to give one."""
        self._note(table, found)
        source = found.remote.source
        try:
            with _of(found.remote):
                stream, spent = self._answered(found)
                self.session.receive(table, dict(found.columns), stream, source, spent)
        except SourceFailed as failed:
            self._refused(table, failed)
            return False
        return True

    def _refused(self, name: str, failed: SourceFailed) -> None:
        """A statement that a server does not take is computed here; any other failure stops the run."""
        if not isinstance(failed.error, QueryRefused):
            raise failed
        self.refusals.append((failed.source, failed.error.message))
        if not name:
            return
        self._not_again.add(name)  # another way to write it would cost as much before it is refused as well
        self.reasons[name] = f"{failed.source} refused it ({failed.error.message})"

    def pushed(self, select: exp.Expr, name: str = "") -> Pushed | None:
        """The statement as its source will run it; None where it has to run here."""
        sources = {t.db for t in tables_of(select)}
        if not sources & self.remotes.keys() or name in self._not_again:
            return None
        try:
            if len(sources) > 1:
                raise Unsupported(f"tables of several sources ({', '.join(sorted(sources))}) in one scan")
            remote = self.remotes[sources.pop()]
            self._free(remote.source)
            columns = tuple(self.session.described(select))
            used = columns_of(select, self.session.columns)
            types, functions = [t for _, t in columns], self.session.functions
            sql = remote.sql(select, types, lambda n: self._needed(n, select), used, functions)
            return Pushed(remote, sql, columns)
        except Unsupported as reason:
            if name:
                self.reasons[name] = reason.reason
            return None

    def _needed(self, name: str, select: exp.Expr) -> Small:
        """A small table with only the columns that a statement reads of it."""
        aliases = {t.alias_or_name for t in select.find_all(exp.Table) if t.db == SMALL and t.name == name}
        used = {c.name for c in select.find_all(exp.Column) if c.table in aliases}
        whole = self._small[name]
        kept = [i for i, c in enumerate(whole.types) if c in used]
        names = [list(whole.types)[i] for i in kept]
        return Small({n: whole.types[n] for n in names}, [[row[i] for i in kept] for row in whole.rows])

    def _note(self, name: str, found: Pushed) -> None:
        if name:
            self.session.note(name, f"-- runs at {found.remote.source}\n{found.sql}")

    # --- pulling ------------------------------------------------------------------------------------------------------------------

    def pull(self, wanted: Iterable[tuple[exp.Expr, tuple[Where, Reach] | None]]) -> None:
        """Has the rows here that statements read; each table is asked for once, with all columns of all statements."""
        needs: dict[Where, Pulled] = {}
        for select, reach in wanted:
            for where, columns in columns_of(select, self.session.columns).items():
                if where[0] in self.remotes:
                    need = Pulled(columns, reach[1] if reach is not None and reach[0] == where else None)
                    needs[where] = _merged(needs[where], need) if where in needs else need
        missing = []
        for where, need in needs.items():
            there = self._pulled.get(where)
            if there is None or not _covers(there, need):
                missing.append(self._planned(where, need if there is None else _merged(there, need)))
        if len({fetch.where[0] for fetch in missing}) < 2:
            self._fetch(missing)
            return
        errands = {fetch.where: Errand(fetch.where[0], partial(self._ask, fetch)) for fetch in missing}
        with self._side_by_side(errands):
            self._fetch(missing)

    def pull_whole(self, source: str, table: str) -> None:
        """All rows and columns of a table, where it lies elsewhere."""
        if source in self.remotes:
            where = (source, table)
            self._fetch([self._planned(where, Pulled(set(self.session.columns(source, table))))])

    def _planned(self, where: Where, need: Pulled) -> Fetch:
        source, table = where
        self._free(source)
        every = list(self.session.columns(source, table))
        condition = self._condition(self.remotes[source], table, need.reach) if need.reach is not None else ""
        return Fetch(where, need, [c for c in every if c in need.columns] or every[:1], condition)

    def _ask(self, fetch: Fetch) -> Stream:
        source, table = fetch.where
        return self.remotes[source].connector.pull(table, fetch.names, fetch.condition)

    def _fetch(self, missing: Iterable[Fetch]) -> None:
        for fetch in missing:
            source, table = fetch.where
            with _of(self.remotes[source]):
                stream, spent = self._answer(fetch.where, source, partial(self._ask, fetch))
                self.session.refill(source, table, fetch.names, stream, spent)
            reach = fetch.need.reach if fetch.condition else None
            self._pulled[fetch.where] = Pulled({*fetch.names, *fetch.need.columns}, reach)
            within = f" where {fetch.condition}" if fetch.condition else ""
            self.session.note(
                f"{source}.{table}", f"-- pulled from {source}: {', '.join(fetch.names)}{within}"
            )

    def _condition(self, remote: Remote, table: str, reach: Reach) -> str:
        kind = remote.types[table][reach.column]
        low, high = (cast(text(f"{day} 00:00:00+00:00" if "ZONE" in kind else f"{day}"), kind) for day in (reach.low, reach.high))  # fmt: skip
        kind_of(kind)
        return remote.condition(table, reach.column, low, high)


def _errands(wanted: Iterable[Pushed]) -> dict[tuple[str, str], Errand]:
    return {
        found.key: Errand(found.remote.source, partial(found.remote.query, found.sql)) for found in wanted
    }


def _merged(one: Pulled, other: Pulled) -> Pulled:
    reach = one.reach.hull(other.reach) if one.reach is not None else None
    return Pulled(one.columns | other.columns, reach)


def _covers(there: Pulled, need: Pulled) -> bool:
    return need.columns <= there.columns and (there.reach is None or there.reach.holds(need.reach))


class _of:
    """Says which source an error came from."""

    def __init__(self, remote: Remote) -> None:
        self.remote = remote

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ConnectorError):
            raise SourceFailed(self.remote.source, error) from error
