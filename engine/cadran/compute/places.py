"""Where each statement of the engine runs: at the source that holds all its tables and can say it, else here.

To the engine it looks like the :class:`Session`: the tables of a remote source stand there as empty shadows, which
give statements their types. A statement that its source cannot answer with the same meaning finds its rows pulled,
only the columns that it reads and, where that is safe, only the rows in reach of its spans.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from cadran.compute.dialects.kinds import Unsupported, kind_of
from cadran.compute.dialects.tables import Small
from cadran.compute.embedded import Session
from cadran.compute.lower import cast, text
from cadran.compute.results import Measured
from cadran.compute.used import SMALL, Where, columns_of, tables_of
from cadran.plugins.connector import ConnectorError, QueryRefused

if TYPE_CHECKING:
    from cadran.compute.remote import Remote


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
class Pushed:
    """A statement that its source answers."""

    remote: Remote
    sql: str
    columns: tuple[tuple[str, str], ...]  # name, DuckDB type


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

    @property
    def statements(self) -> dict[str, str]:
        return self.session.statements

    @property
    def measured(self) -> dict[str, Measured]:
        return self.session.measured

    # --- what a session does ----------------------------------------------------------------------------------------------

    def columns(self, source: str, table: str) -> dict[str, str]:
        return self.session.columns(source, table)

    def empty_columns(self, source: str, table: str) -> list[str]:
        return self.session.empty_columns(source, table)

    def types(self, select: exp.Expr) -> dict[str, str]:
        return self.session.types(select)

    def files(self, source: str, table: str) -> tuple[Path, ...]:
        return self.session.files(source, table)

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
        found = self.pushed(select, name)
        if found is not None:
            self._note(name, found)
            try:
                with _of(found.remote):
                    return self.session.answer([t for _, t in found.columns], found.remote.query(found.sql))
            except SourceFailed as failed:
                self._refused(name, failed)
        self.pull([(select, None)])
        out = self.session.rows(select, name)
        self._say_why(name)
        return out

    def create(self, table: str, select: exp.Expr) -> None:
        found = self.pushed(select, table)
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

    def take(self, table: str, found: Pushed) -> bool:
        """A temporary table that holds a source's answer; False where the source refuses to give one."""
        self._note(table, found)
        try:
            with _of(found.remote):
                self.session.receive(
                    table, dict(found.columns), found.remote.query(found.sql), found.remote.source
                )
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
            columns = tuple(self.session.described(select))
            used = columns_of(select, self.session.columns)
            sql = remote.sql(select, [t for _, t in columns], lambda n: self._needed(n, select), used)
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
        for where, need in needs.items():
            there = self._pulled.get(where)
            if there is None or not _covers(there, need):
                self._fetch(where, need if there is None else _merged(there, need))

    def pull_whole(self, source: str, table: str) -> None:
        """All rows and columns of a table, where it lies elsewhere."""
        if source in self.remotes:
            self._fetch((source, table), Pulled(set(self.session.columns(source, table))))

    def _fetch(self, where: Where, need: Pulled) -> None:
        source, table = where
        remote = self.remotes[source]
        names = [c for c in self.session.columns(source, table) if c in need.columns] or list(self.session.columns(source, table))[:1]  # fmt: skip
        condition = self._condition(remote, table, need.reach) if need.reach is not None else ""
        with _of(remote):
            self.session.refill(source, table, names, remote.connector.pull(table, names, condition))
        self._pulled[where] = Pulled({*names, *need.columns}, need.reach if condition else None)
        within = f" where {condition}" if condition else ""
        self.session.note(f"{source}.{table}", f"-- pulled from {source}: {', '.join(names)}{within}")

    def _condition(self, remote: Remote, table: str, reach: Reach) -> str:
        kind = remote.types[table][reach.column]
        low, high = (cast(text(f"{day} 00:00:00+00:00" if "ZONE" in kind else f"{day}"), kind) for day in (reach.low, reach.high))  # fmt: skip
        kind_of(kind)
        return remote.condition(table, reach.column, low, high)


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
