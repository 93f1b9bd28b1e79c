"""The syncs of a project: which sources and tables, side by side, and what went wrong where."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cadran.declare.model import Declaration, Source, TableRef
from cadran.declare.settings import mask
from cadran.plugins.connector import ConfigError, ConnectorError, Context, Table
from cadran.plugins.manager import PluginManager
from cadran.plugins.synced import SyncedConnector
from cadran.problems import Problem, ProblemsFound, listed, suggest
from cadran.sync import attempts
from cadran.sync.outcome import Synced
from cadran.sync.places import Places
from cadran.sync.reader import known, shown
from cadran.sync.source import Hands, Job, SourceSync
from cadran.sync.telling import tell

_PATIENCE = 5.0  # seconds that a sync that was stopped is waited for
_LOOK = 0.05
_COPY = "'cadran --no-sync run'"


def _utc() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _quiet(_: str) -> None: ...


@dataclass(slots=True)
class Syncs:
    """Of one declared project. ``every``: all tables that a source has, not only those that datasets use."""

    declaration: Declaration
    plugins: PluginManager
    clock: Callable[[], dt.datetime] = _utc
    progress: Callable[[str], None] = _quiet
    log: Callable[[str], None] = _quiet
    done: Callable[[str], None] = _quiet
    full: bool = False
    stale: bool = False
    every: bool = False
    hidden: set[str] = field(default_factory=set, repr=False)  # secrets that are no settings
    _stopped: threading.Event = field(default_factory=threading.Event, repr=False)
    _shared: dict[Any, Any] = field(default_factory=dict, repr=False)

    # --- what is wanted -----------------------------------------------------------------------------------------------------

    def synced(self) -> list[str]:
        """The declared sources that are asked for changes."""
        sources = self.declaration.sources.values()
        return [s.name for s in sources if self.plugins.synced(s.connector)]

    def wanted(self, names: Sequence[str] = ()) -> dict[str, list[str] | None]:
        """Source → its tables, None for all. Raises ProblemsFound for names that mean nothing."""
        used = self._used()
        if not names:
            return {source: None if self.every else used.get(source, []) for source in self.synced()}
        out: dict[str, list[str] | None] = {}
        for name in names:
            source, _, table = name.partition(".")
            self._check(source)
            if table:
                tables = out.setdefault(source, [])
                if tables is not None and table not in tables:
                    tables.append(table)
            elif self.every:
                out[source] = None
            else:
                out[source] = list(dict.fromkeys([*(out.get(source) or []), *used.get(source, [])]))
        return out

    def _used(self) -> dict[str, list[str]]:
        out: dict[str, list[str]] = {}
        for ref in self._refs():
            tables = out.setdefault(ref.source, [])
            if ref.table not in tables:
                tables.append(ref.table)
        return out

    def _refs(self) -> Iterable[TableRef]:
        for _, dataset in sorted(self.declaration.datasets.items()):
            yield from dataset.tables
        if self.declaration.rates is not None:
            yield self.declaration.rates.table

    def _check(self, source: str) -> None:
        known = self.synced()
        if source in known:
            return
        hint = suggest(source, known) or (
            f"there are: {listed(known)}" if known else "the project has no such source"
        )
        what = f"there is no source '{source}'"
        if source in self.declaration.sources:
            what = f"source '{source}' is read anew by each run, and has nothing to sync"
        raise ProblemsFound([Problem("unknown-source", what, None, "", hint)])

    # --- doing it -----------------------------------------------------------------------------------------------------------

    def run(self, names: Sequence[str] = ()) -> list[Synced]:
        """What became of each table, in the order of the sources. An interrupt stops all within seconds, and is raised again."""
        wanted = {source: tables for source, tables in self.wanted(names).items() if tables is None or tables}
        out: dict[str, list[Synced]] = {}
        threads = [
            threading.Thread(
                target=self._into, args=(out, source, tables), name=f"sync {source}", daemon=True
            )
            for source, tables in wanted.items()
        ]
        try:
            for thread in threads:
                thread.start()
            _join(threads)
        except BaseException:
            self._stopped.set()
            _join([t for t in threads if t.ident is not None], time.monotonic() + _PATIENCE)
            raise
        outcomes = [self._masked(one) for source in wanted for one in out.get(source, ())]
        self._keep_failures(outcomes)
        tell(self.declaration, outcomes)
        return outcomes

    def _keep_failures(self, outcomes: Sequence[Synced]) -> None:
        for source in dict.fromkeys(one.source for one in outcomes if one.error is not None and one.there):
            failed = [
                (o.table, o.error.message) for o in outcomes if o.source == source and o.error is not None
            ]
            places = Places.of(self.declaration.folder.resolve(), source)
            attempts.write(places, attempts.of(self.clock(), failed))

    def _into(self, out: dict[str, list[Synced]], source: str, tables: list[str] | None) -> None:
        try:
            out[source] = self.source(source, tables).run()
        except ConnectorError as error:
            out[source] = [Synced(source, name, error=error) for name in tables or ("",)]
        except (
            Exception
        ) as error:  # a fault of cadran's own, or of a connector where nothing is expected of it
            said = ConnectorError(
                f"the sync failed: {type(error).__name__}: {error}", hint="this is a bug: tell its author"
            )
            said.__cause__ = error
            out[source] = [Synced(source, name, error=said) for name in tables or ("",)]

    def source(self, source: str, tables: list[str] | None) -> SourceSync:
        declared = self.declaration.sources[source]
        compute = self.declaration.compute
        job = Job(
            source,
            tables,
            declared.sync,
            Places.of(self.declaration.folder.resolve(), source),
            self.full,
            self.stale,
            self._config(declared),
            compute.memory,
            compute.threads,
        )
        return SourceSync(
            job,
            lambda: self._connect(source),
            Hands(self.clock, self._said, self._stopped.is_set, self._done),
        )

    def _connect(self, source: str) -> SyncedConnector:
        declared, compute = self.declaration.sources[source], self.declaration.compute
        found = self.plugins.connector(declared.connector)
        if isinstance(found, Problem):
            raise ConnectorError(found.message, hint=found.hint)
        allowed = (self.declaration.folder.resolve(), *self.declaration.allow_paths)
        context = Context(
            source, declared.config, declared.base.resolve(), allowed, str(self.declaration.calendar.zone), compute.memory,
            compute.threads, self.clock, self._logged(source), self._stopped.is_set, self.hidden.add, self._shared,
        )  # fmt: skip
        made = found(context)
        assert isinstance(made, SyncedConnector), "only such are synced"
        return made

    def _config(self, declared: Source) -> str:
        """A digest of the settings, which must not let anybody try passwords against it: secrets are left out."""
        said = json.dumps(
            [declared.connector, declared.config, declared.sync.since], sort_keys=True, default=str
        )
        return hashlib.sha256(mask(said, self.declaration.unsaid).encode()).hexdigest()

    # --- secrets ------------------------------------------------------------------------------------------------------------

    @property
    def secrets(self) -> set[str]:
        return {*self.declaration.unsaid, *list(self.hidden)}

    def _said(self, text: str) -> None:
        self.progress(mask(text, self.secrets))

    def _done(self, text: str) -> None:
        self.done(mask(text, self.secrets))

    def _logged(self, source: str) -> Callable[[str], None]:
        return lambda text: self.log(mask(f"{source}: {text}", self.secrets))

    def _masked(self, one: Synced) -> Synced:
        said = [replace(a, place=mask(a.place, self.secrets), reason=mask(a.reason, self.secrets)) for a in one.aside]  # fmt: skip
        one = replace(one, aside=tuple(said), notes=tuple(mask(note, self.secrets) for note in one.notes))
        if one.error is None:
            return one
        one.error.message = mask(one.error.message, self.secrets)
        one.error.hint = mask(one.error.hint, self.secrets)
        one.error.more = tuple(mask(line, self.secrets) for line in one.error.more)
        one.error.args = (one.error.message,)
        lying = shown(Places.of(self.declaration.folder.resolve(), one.source))
        there = one.table in lying if one.table else bool(lying)
        if there and not isinstance(one.error, ConfigError):
            one.error.hint = _with_copy(one.error.hint, min(shown.synced_at for shown in lying.values()))
        return replace(one, problems=tuple(self._problems(one, one.error)), there=there)

    def columns(self) -> dict[str, dict[str, Table]]:
        """Source → its tables as they lie here."""
        folder = self.declaration.folder.resolve()
        found = {source: known(Places.of(folder, source)) for source in self.synced()}
        return {source: tables for source, tables in found.items() if tables}

    def ages(self) -> list[Problem]:
        """A warning for each source whose copy is older than it may be: how old it is."""
        folder, now, out = self.declaration.folder.resolve(), self.clock(), []
        for source, tables in self.wanted().items():
            declared = self.declaration.sources[source]
            lying = shown(Places.of(folder, source))
            times = [lying[table].synced_at for table in tables or () if table in lying]
            if times and abs(now - min(times)) > declared.sync.max_age:
                message = f"its rows are of {min(times):%Y-%m-%d %H:%M} UTC, {ago(now - min(times))} ago"
                hint = f"'cadran sync {source}' asks for what has changed since"
                out.append(Problem("not-synced", message, declared.place.position(), f"sources.{source}", hint, "warning"))  # fmt: skip
        return out

    def failed_before(self, apart: Collection[str] = (), failing: Collection[str] = ()) -> list[Problem]:
        """A warning for each source whose last sync failed, so that its rows are those of before: for datasets that do not stand
        ``apart``, and not for sources that are ``failing`` now, which is said itself."""
        folder, out = self.declaration.folder.resolve(), []
        for source in self.synced():
            places = Places.of(folder, source)
            failure = attempts.read(places) if source not in failing else None
            if failure is None:
                continue
            used = {
                t.table
                for n, d in self.declaration.datasets.items()
                if n not in apart
                for t in d.tables
                if t.source == source
            }
            lying = shown(places)
            times = [lying[table].synced_at for table in used.intersection(failure.tables, lying)]
            if times and min(times) < failure.at:
                message = f"its last sync failed at {failure.at:%Y-%m-%d %H:%M} UTC: {failure.message}; these are the rows of {min(times):%Y-%m-%d %H:%M} UTC"
                where, hint = (
                    self.declaration.sources[source].place.position(),
                    f"'cadran sync {source}' tries again",
                )
                out.append(
                    Problem(
                        "sync-failed",
                        mask(message, self.secrets),
                        where,
                        f"sources.{source}",
                        hint,
                        "warning",
                    )
                )
        return out

    # --- what went wrong ----------------------------------------------------------------------------------------------------

    def _problems(self, one: Synced, error: ConnectorError) -> Iterable[Problem]:
        place = self.declaration.sources[one.source].place
        where = place.at_setting(error.setting)
        ref = next((r for r in self._refs() if (r.source, r.table) == (one.source, one.table)), None)
        if not error.setting and ref is not None and f"'{one.table}'" in error.message:
            where = ref.place.position()
        subject = f"sources.{one.source}"
        # One problem: lines of a log mean something in their order, and problems are sorted.
        more = [f"it said: {' | '.join(line.strip() for line in error.more)}"] if error.more else []
        yield Problem("sync", error.message, where, subject, "; ".join(filter(None, [error.hint, *more])))


def _with_copy(hint: str, when: dt.datetime) -> str:
    """That runs can be had of what lies here; said once, where several tables share an error."""
    if _COPY in hint:
        return hint
    return "; ".join(filter(None, [hint, f"{_COPY} computes with its rows of {when:%Y-%m-%d %H:%M} UTC"]))


def ago(age: dt.timedelta) -> str:
    """A length of time as people say it."""
    seconds = max(0, int(age.total_seconds()))
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'s' * (count != 1)}"
    return "less than a minute"


def _join(threads: Iterable[threading.Thread], until: float | None = None) -> None:
    for thread in threads:
        while thread.is_alive() and (until is None or time.monotonic() < until):
            thread.join(_LOOK)
