"""The sync of one source from end to end: read its tables one after the other, load what is finished, show it to runs."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

from cadran.declare.model import Syncing
from cadran.plugins.connector import (
    AuthError,
    Cancelled,
    ConfigError,
    ConnectorError,
    DataError,
    QuotaExhausted,
    RateLimited,
    Table,
)
from cadran.plugins.synced import SyncedConnector
from cadran.problems import listed, suggest
from cadran.sync import current, cursors, doubts, reading
from cadran.sync.current import Shown, Unreadable
from cadran.sync.load import Ready, load
from cadran.sync.outcome import Counts, Synced, reasons
from cadran.sync.places import Places, alone
from cadran.sync.publish import publish
from cadran.sync.reader import shown
from cadran.sync.reading import Read
from cadran.sync.shape import differing, plan
from cadran.sync.spool import Spool
from cadran.sync.stage import staged
from cadran.sync.store import Kept, Store

#: What other tables of the same source would meet as well.
_OF_ALL = (AuthError, QuotaExhausted, RateLimited, Cancelled)


@dataclass(frozen=True, slots=True)
class Job:
    """What is wanted of one source. ``tables`` None: all that it has. ``stale``: only those older than allowed."""

    source: str
    tables: Sequence[str] | None
    settings: Syncing
    places: Places
    full: bool = False
    stale: bool = False
    config: str = ""  # a digest of the source's settings, without secrets
    memory: str = ""
    threads: int | None = None


@dataclass(slots=True)
class Hands:
    """What a sync is handed: the time, where it says how it goes and what is done, and whether anybody still waits."""

    clock: Callable[[], dt.datetime]
    progress: Callable[[str], None] = lambda _: None
    cancelled: Callable[[], bool] = lambda: False
    done: Callable[[str], None] = lambda _: None  # with each table, as soon as it has been read


@dataclass(slots=True)
class SourceSync:
    """``connect`` makes the connector, once it is needed."""

    job: Job
    connect: Callable[[], SyncedConnector]
    hands: Hands
    _out: dict[str, Synced] = field(default_factory=dict)
    _read: list[Read] = field(default_factory=list)

    def run(self) -> list[Synced]:
        """One outcome a table. What the source cannot do at all is raised as a ConnectorError."""
        job = self.job
        if job.stale and job.tables is not None and self._fresh(job.tables):
            return [Synced(job.source, name, fresh=True) for name in job.tables]
        before = shown(job.places)
        try:
            with alone(job.places, self.hands.cancelled, self._waiting) as waited:
                return self._alone(before if waited else None)
        except OSError as error:
            message = f"{job.places.folder} cannot be written to: {error.strerror or error}"
            raise ConnectorError(message, hint="see whether there is room on the disk, and whose the folder is") from None  # fmt: skip

    def _fresh(self, tables: Sequence[str]) -> bool:
        """Whether runs may compute from what lies there without asking: it is young enough, and what the settings now ask for."""
        try:
            there = current.read(self.job.places).tables
        except Unreadable:
            return False
        return all(name in there and self._young(there[name]) for name in tables)

    def _young(self, shown: Shown) -> bool:
        job = self.job
        same = (shown.config, shown.with_deleted) == (job.config, job.settings.keep_deleted)
        return same and abs(self.hands.clock() - shown.synced_at) <= job.settings.max_age

    def _waiting(self) -> None:
        self.hands.progress(f"{self.job.source}: waiting for another process that syncs it")

    def _alone(self, before: Mapping[str, Shown] | None) -> list[Synced]:
        """Under the lock. What another process has done since ``before`` need not be done again; None where nobody was waited for."""
        job = self.job
        with closing(Store(job.places, job.memory, job.threads)) as store:
            self._show(store, look=True)
            if job.tables is not None and (job.stale or before is not None) and not job.full:
                now, was = shown(job.places), before or {}
                done = [n for n in job.tables if self._fresh([n]) and (job.stale or _is_later(now[n], was.get(n)))]  # fmt: skip
                self._out = {name: Synced(job.source, name, fresh=True) for name in done}
                if len(done) == len(job.tables):
                    return list(self._out.values())
            with closing(self.connect()) as connector:
                found = _discovered(connector)
                names = list(found) if job.tables is None else [n for n in job.tables if n not in self._out]
                self._round(store, connector, found, names, full=job.full)
                late = [name for name in names if self._went_on_late(name)]
                self._round(store, connector, found, late, full=False)
        order = list(found) if job.tables is None else job.tables
        return [self._out[name] for name in order]

    def _went_on_late(self, name: str) -> bool:
        """Whether what an earlier sync had begun is done, and has become old over it."""
        done = self._out.get(name)
        return done is not None and done.resumed and done.error is None and not self._fresh([name])

    # --- one round: read, load, show ----------------------------------------------------------------------------------------

    def _round(self, store: Store, connector: SyncedConnector, found: dict[str, Table], names: Sequence[str], *, full: bool) -> None:  # fmt: skip
        self._read, began = [], self.hands.clock()
        kept = store.kept()
        failed: ConnectorError | None = None
        for name in names:
            started = time.monotonic()
            try:
                if failed is not None:
                    raise failed
                self._read.append(self._one(connector, found, name, kept.get(name), full=full))
            except ConnectorError as error:
                failed = error if self._of_all(connector, found.get(name), error, failed) else None
                self._out[name] = self._failed(name, error)
                self.hands.done(f"{self.job.source}.{name}: failed")
            else:
                self._out[name] = self._outcome(name, seconds := time.monotonic() - started)
                rows = self._read[-1].spool.rows
                self.hands.done(
                    f"{self.job.source}.{name}: {rows:,} row{'s' * (rows != 1)} read, {seconds:.1f} seconds"
                )
        if self._read:
            self._load(store, kept, began)

    def _of_all(self, connector: SyncedConnector, table: Table | None, error: ConnectorError, before: ConnectorError | None) -> bool:  # fmt: skip
        """Whether the tables that follow would meet the same. Where rights may lack for one table alone, whoever asks is still known."""
        if not isinstance(error, AuthError) or error is before:
            return isinstance(error, _OF_ALL)
        if table is not None and table.problem is error:
            return False
        try:
            connector.ping()
        except ConnectorError:
            return True
        return False

    def _one(self, connector: SyncedConnector, found: dict[str, Table], name: str, kept: Kept | None, *, full: bool) -> Read:  # fmt: skip
        """One table's pages, all of them. Raises ConnectorError."""
        job, table = (
            self.job,
            found.get(name) or connector.table(name),
        )  # which may be one that is only told of when asked
        if table is None:
            hint = suggest(name, found) or f"its tables are {listed(list(found)) or 'none'}"
            raise ConfigError(f"source '{job.source}' has no table '{name}'", hint=hint)
        if table.problem is not None:
            raise table.problem
        self._hold()
        # What the settings of sync: say about columns is about changes that the source makes, and not about those of the file.
        as_now = full or (kept is not None and kept.config != job.config)
        made = plan(kept.shape if kept is not None else None, table, job.settings, full=as_now)
        wanted = reading.asked(table, made, kept, job.settings, self.hands.clock(), job.config, full=full)
        folder = job.places.spool(name)
        before = reading.usable(Spool.found(folder), wanted, kept, self.hands.clock())
        rows, said = 0, time.monotonic()

        def hold() -> None:
            nonlocal rows, said
            self._hold()
            rows += 1
            if time.monotonic() - said > 1:
                said = time.monotonic()
                self.hands.progress(f"{job.source}.{name}: {rows} pages")

        self.hands.progress(f"{job.source}.{name}: {'going on' if before else 'reading'}")
        try:
            return reading.read(connector, wanted, before, lambda about: Spool.begun(folder, about), hold)
        except (ConnectorError, OSError):
            raise
        except Exception as error:
            message = f"the connector failed over table '{name}': {type(error).__name__}: {error}"
            raise ConnectorError(message, hint="tell its author") from error

    def _hold(self) -> None:
        if self.hands.cancelled():
            raise reading.cancelled()

    def _load(self, store: Store, kept: dict[str, Kept], began: dt.datetime) -> None:
        """Everything that has been read whole, at once; then runs see it, and the spools go."""
        ready = [
            one for number, read in enumerate(self._read) if (one := self._staged(store, number, read, kept))
        ]
        try:
            counts = load(store, ready, began, self.hands.clock()) if ready else {}
        except DataError as error:
            for one in ready:
                self._out[one.staged.table] = self._failed(one.staged.table, error)
            return
        finally:
            for one in ready:
                one.staged.drop(store)
        self._show(store)
        for one in ready:
            one.staged.spool.drop()
            self._tell(one, counts[one.staged.table], store.aside(one.staged.table))

    def _staged(self, store: Store, number: int, read: Read, kept: dict[str, Kept]) -> Ready | None:
        """None where that table cannot be loaded."""
        asked, name = read.asked, read.asked.table.name
        self.hands.progress(f"{self.job.source}.{name}: loading")
        try:
            made = staged(store, number, name, asked.plan.shape, read.spool, read.until, asked.table.key_said)
            as_it_is = f"cadran sync {self.job.source}.{name} --full"
            doubts.check(store, made, read, kept.get(name), "" if self.job.full else as_it_is)
        except DataError as error:
            read.spool.drop()  # the same pages would fail in the same way
            self._out[name] = self._failed(name, error)
            return None
        way_out = (
            f"(type_change: quarantine); '{as_it_is}' takes it as it is now, type_change: evolve always does"
        )
        notes = [f"{what} {way_out}" for what in differing(asked.table, made.shape)]
        self._out[name] = replace(self._out[name], notes=(*notes, *_of_changes(read, self.job.settings)))
        unseen = read.whole and asked.table.deletes != "never"
        return Ready(
            made, kept.get(name), read.whole, read.went_on, asked.plan.anew, unseen, asked.since, read.until, asked.config
        )  # fmt: skip

    def _show(self, store: Store, *, look: bool = False) -> None:
        publish(store, self.job.places, self.hands.clock(), keep_deleted=self.job.settings.keep_deleted, look=look)  # fmt: skip

    # --- outcomes ---------------------------------------------------------------------------------------------------------

    def _failed(self, name: str, error: ConnectorError) -> Synced:
        return replace(self._out.get(name) or Synced(self.job.source, name), error=error)

    def _outcome(self, name: str, seconds: float) -> Synced:
        before = self._out.get(name) or Synced(self.job.source, name)
        return replace(before, seconds=before.seconds + seconds)

    def _tell(self, one: Ready, counts: Counts, aside: Sequence[tuple[str, str]]) -> None:
        before = self._out[one.staged.table]
        had = before.counts
        summed = Counts(had.new + counts.new, had.changed + counts.changed, had.deleted + counts.deleted, counts.aside, counts.rows)  # fmt: skip
        self._out[one.staged.table] = replace(
            before, counts=summed, resumed=before.resumed or one.resumed, whole=before.whole or one.whole,
            aside=reasons(aside, {f.name: f.type for f in one.staged.shape.fields}),
        )  # fmt: skip


def _is_later(now: Shown, before: Shown | None) -> bool:
    return before is None or now.synced_at > before.synced_at


def _of_changes(read: Read, settings: Syncing) -> Iterator[str]:
    """What a read of changes cannot do, or not as the settings have it."""
    table = read.asked.table
    if read.whole:
        return
    if table.deletes == "unseen" and settings.full_every is None:
        yield "rows that go at the source stay here, as only a read of all rows tells; say how often with sync: {full_every: 7 days}"
    kind = next((c.type for c in table.columns if c.name == table.cursor), "")
    if settings.lookback and kind and not cursors.is_temporal(kind):
        yield f"sync: {{lookback}} does nothing, as changes are told by '{table.cursor}', which is {kind.lower()} and no time; full_every reads all rows again"


def _discovered(connector: SyncedConnector) -> dict[str, Table]:
    try:
        return {table.name: table for table in connector.discover()}
    except OSError as error:
        raise reading.unanswered(error) from error
