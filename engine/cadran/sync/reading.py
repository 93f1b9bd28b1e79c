"""One table's stream into its spool: from where an earlier read stopped, to the end that the connector says."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from cadran.declare.model import Syncing
from cadran.plugins.connector import (
    Cancelled,
    ConnectorError,
    DataError,
    End,
    Page,
    Rejected,
    ResumeExpired,
    Table,
    Transient,
)
from cadran.plugins.synced import Deletes, SyncedConnector, Window
from cadran.sync import cursors
from cadran.sync.shape import Plan
from cadran.sync.spool import Spool
from cadran.sync.store import Kept

_FORMAT = 1  # of spools: those of another one are dropped
_OLD = dt.timedelta(days=7)  # what was read longer ago is not gone on with


@dataclass(frozen=True, slots=True)
class Asked:
    """What is read of a table: everything in which rows may have changed since the last time, or all of it."""

    table: Table
    plan: Plan
    window: Window
    whole: bool
    since: Any  # the cursor that rows begin with where all are asked for (``since:``)
    config: str

    def about(self) -> dict[str, Any]:
        window = {"since": cursors.packed(self.window.since), "state": self.window.state}
        until = self.window.until.isoformat() if self.window.until is not None else None
        return {
            "format": _FORMAT, "definition": self.definition, "whole": self.whole, "until": until, "window": window,
            "floor": cursors.packed(self.since), "table": self.table.name,
        }  # fmt: skip

    @property
    def definition(self) -> str:
        """A digest of all that makes pages of two reads different things."""
        table = self.table
        said = [[(c.name, c.type) for c in table.columns], table.key, table.cursor, self.config, cursors.packed(self.since)]  # fmt: skip
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Read:
    """A spool that is whole. ``went_on``: a part of it, or all, is of an earlier sync."""

    asked: Asked
    spool: Spool
    whole: bool
    went_on: bool

    @property
    def until(self) -> dt.datetime:
        return dt.datetime.fromisoformat(self.spool.about["until"])


def asked(table: Table, plan: Plan, kept: Kept | None, settings: Syncing, now: dt.datetime, config: str, *, full: bool) -> Asked:  # fmt: skip
    """What to read now."""
    kind = next((c.type for c in table.columns if c.name == table.cursor), "")
    floor = cursors.floor(settings.since, kind) if table.cursor else None
    every = settings.full_every
    # a time in the future is that of a clock that was wrong
    due = kept is not None and every is not None and abs(now - kept.whole_at) >= every
    basis = kept
    if full or plan.whole or due or kept is None or not table.key or kept.config != config:
        basis = None
    elif isinstance(kept.state, dt.date) and cursors.is_moment(kind) != isinstance(kept.state, dt.datetime):
        basis = None  # the cursor is of another type now, which this state says nothing to
    lookback = settings.lookback if settings.lookback is not None else table.lookback
    since = cursors.behind(basis.state, lookback) if basis is not None and table.cursor else None
    state = basis.source_state if basis is not None else None
    if since is None and state is None:
        return Asked(table, plan, Window(floor, now), True, floor, config)
    if since is not None and floor is not None:
        since = cursors.later(since, floor)
    return Asked(table, plan, Window(since, now, state), False, floor, config)


def read(connector: SyncedConnector, asked: Asked, spool: Spool | None, make: Callable[[dict[str, Any]], Spool], hold: Callable[[], None]) -> Read:  # fmt: skip
    """Reads to the end. ``spool`` is what an earlier read has left and is still good, ``hold`` is called between two pages, and raises
    where nobody waits any more.

    Raises ConnectorError; then the spool holds what has come. Raises OSError.
    """
    went_on = spool is not None
    current = spool or make(asked.about())
    while not current.ended:
        resumed = current.resume is not None
        try:
            _stream(connector, asked.table.name, current, hold)
        except ResumeExpired:
            whole = replace(asked, window=Window(asked.since, asked.window.until), whole=True)
            if not resumed and current.about["whole"]:
                current.drop()  # what has come is no good either
                raise
            again = asked if resumed and not current.about["whole"] else whole  # the window may still be good
            current, went_on = make(again.about()), False
    return Read(asked, current, bool(current.about["whole"]), went_on)


def _stream(connector: SyncedConnector, table: str, spool: Spool, hold: Callable[[], None]) -> None:
    """One call of the connector."""
    seen = {_token(line.resume) for line in spool.lines if line.resume is not None}
    rows, ended = 0, None
    last: Page | Deletes | None = None
    window = _window(spool.about)
    stream = _given(connector, table, window, spool.resume)
    with closing(stream):
        for item in stream:
            if ended is not None:
                raise DataError(f"table '{table}': something came behind the end", hint=_AUTHOR)
            if isinstance(item, Rejected):
                spool.set_aside(item)
            elif isinstance(item, End):
                ended = item
            elif isinstance(item, Page | Deletes):
                _last_alone(last, item, table)
                _not_twice(item.resume, seen, table)
                last = item
                spool.add(item)
                rows += spool.lines[-1].rows if isinstance(item, Page) else 0
                hold()
            else:
                raise DataError(f"table '{table}': the connector gave a {type(item).__name__}", hint=_AUTHOR)
    if ended is None:
        hint = "the next sync goes on there; if it stays so, tell the author of the connector"
        raise DataError(f"table '{table}' broke off after {rows} rows, without its end", hint=hint)
    spool.end(ended, rows, table)


_AUTHOR = "tell the author of the connector"


def _given(connector: SyncedConnector, table: str, window: Window, resume: Mapping[str, Any] | None) -> Generator[Any, None, None]:  # fmt: skip
    """What the connector gives. A connection that it lost without a word is no fault of the disk, as other OSErrors here are."""
    try:
        yield from connector.changes(table, window, resume)
    except OSError as error:
        raise unanswered(error) from error


def unanswered(error: OSError) -> Transient:
    hint = "sync again; if it stays so, tell the author of the connector"
    return Transient(f"the source cannot be read: {type(error).__name__}: {error}", hint=hint)


def _last_alone(last: Page | Deletes | None, item: Page | Deletes, table: str) -> None:
    """Rows and deletes of one answer: a read that broke off between them, and went on from there, would lose the second."""
    if last is None or item.resume is None or item.resume != last.resume:
        return
    if isinstance(last, Deletes) or isinstance(item, Deletes):
        hint = "only the last of them may carry it; tell the author of the connector"
        raise DataError(f"table '{table}': a page and its Deletes have the same place to go on from", hint=hint)  # fmt: skip


def _not_twice(resume: Mapping[str, Any] | None, seen: set[str], table: str) -> None:
    """A page that reading goes on with at a place where it has been already: without this, it would never end."""
    if resume is None:
        return
    token = _token(resume)
    if token in seen:
        hint = "the source sends the same pages again and again; if it stays so, tell the author of the connector"
        raise DataError(f"table '{table}' goes round in circles", hint=hint)
    seen.add(token)


def _token(resume: Mapping[str, Any]) -> str:
    return hashlib.blake2b(json.dumps(resume, sort_keys=True).encode(), digest_size=16).hexdigest()


def _window(about: Mapping[str, Any]) -> Window:
    window = about["window"]
    return Window(
        cursors.unpacked(window["since"]), dt.datetime.fromisoformat(about["until"]), window["state"]
    )


def usable(spool: Spool | None, asked: Asked, kept: Kept | None, now: dt.datetime) -> Spool | None:
    """What an earlier sync has left, where it is still of use: the same definition, not too old, and begun where the store stands."""
    if spool is None:
        return None
    about = spool.about
    try:
        begun = dt.datetime.fromisoformat(about["until"])
        same = about["format"] == _FORMAT and about["definition"] == asked.definition
        there = about["whole"] or (not asked.whole and about["window"] == asked.about()["window"])
        good = same and there and abs(now - begun) < _OLD
    except (KeyError, TypeError, ValueError):
        return None
    # What was loaded already, and only not taken away, is no news.
    return spool if good and (kept is None or begun > kept.synced_at) else None


def cancelled() -> ConnectorError:
    return Cancelled("stopped", hint="what has come is kept: the next sync goes on there")
