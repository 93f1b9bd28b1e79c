"""What a check has in its hands: a case that is running, the proxy before it, and connectors made as the engine makes them."""

from __future__ import annotations

import datetime as dt
import decimal
import os
import tempfile
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

from cadran.plugins.connector import Connector, Context, Rejected, Table
from cadran.plugins.synced import WHOLE, SyncedConnector, Window
from cadran.testing.contract.case import Case, can, unfit
from cadran.testing.contract.check import Check, NotKept, NotShown, NotStarted, keeps
from cadran.testing.contract.patience import Patience, patient
from cadran.testing.contract.proxy import Proxy
from cadran.testing.contract.reading import (
    Got,
    aside_told,
    differences,
    json_columns,
    json_value,
    key_of,
    noting,
    reading,
)

T = TypeVar("T")
FULL = "CADRAN_FULL"
_GIVE_KEYS = ("insert", "update", "tie", "delete", "archive")
_WIDE = decimal.Context(prec=100)  # in which 12.5 and 12.50 are written alike


class Rig:
    """Made for one check. ``patience`` waits in the place of the connector, in a hurry, and writes down how long it was asked to."""

    def __init__(self, case: Case, kind: type[Connector], folder: Path, patience: Patience) -> None:
        self.case, self.kind, self.folder, self.patience = case, kind, folder, patience
        self.full = bool(os.environ.get(FULL))
        self.logged: list[str] = []
        self.cancelled = threading.Event()
        self.proxy: Proxy | None = None
        self.aside: list[list[Rejected]] = []  # by each read
        self._made: list[Connector] = []
        self._known: dict[str, Table] = {}
        upstream: object = case.start(folder)
        if not isinstance(upstream, str):
            case.stop()
            raise NotStarted(f"start() gave {upstream!r}: it gives the address of the stand-in, and '' where there is no server")  # fmt: skip
        if upstream:
            self.proxy = Proxy(upstream, now=patience.monotonic)

    @property
    def url(self) -> str:
        return self.proxy.url if self.proxy else ""

    @property
    def http(self) -> Proxy:
        """The proxy, for checks of connectors that ask a server."""
        assert self.proxy is not None
        return self.proxy

    def close(self) -> None:
        """Ends everything; a connector that will not be closed says so by an error."""
        self.cancelled.set()
        try:
            for connector in self._made:
                connector.close()
        finally:
            if self.proxy is not None:
                self.proxy.close()
            self.case.stop()

    # --- connectors ------------------------------------------------------------------------------------------------

    def context(self, config: Mapping[str, Any] | None = None) -> Context:
        return Context(
            "conformance", self.case.config(self.url) if config is None else config, self.folder, (self.folder,),
            log=self.logged.append, cancelled=self.cancelled.is_set,
        )  # fmt: skip

    def make(self, config: Mapping[str, Any] | None = None) -> Connector:
        made = self.kind(self.context(config))
        how = "changes" if isinstance(made, SyncedConnector) else "read"
        setattr(made, how, noting(getattr(made, how), self.aside))
        self._made.append(made)
        return made

    def table(self, connector: Connector, name: str = "") -> Table:
        wanted = name or self.case.table
        found = next((one for one in connector.discover() if one.name == wanted), None)
        if found is None:
            raise NotKept(f"discover() knows no table '{wanted}': it is the case's, so the connector has to find it")  # fmt: skip
        self._known[wanted] = found
        return found

    def read(
        self, window: Window = WHOLE, resume: Mapping[str, Any] | None = None, *, name: str = "",
        connector: Connector | None = None, between: Callable[[Got], bool | None] | None = None,
    ) -> Got:  # fmt: skip
        """One read by a connector of its own, unless one is given."""
        connector = connector or self.make()
        return reading(connector, self.table(connector, name), window, resume, between=between)

    def change(self, what: str) -> Any:
        """Has the case change the stand-in. A connector that keeps nothing is closed before, as it is at the end of each run: a database
        may not let anybody write as long as it is read."""
        if not issubclass(self.kind, SyncedConnector):
            while self._made:
                self._made.pop().close()
        given = self._asked_of_the_case(what)
        if what in _GIVE_KEYS and issubclass(self.kind, SyncedConnector):
            self._is_key(what, given)
        return given

    def _is_key(self, what: str, given: object) -> None:
        """That a case gives the key of a row as the kit knows it."""
        wanted = tuple(given) if isinstance(given, list) else (given if given is not None else "…",)
        keeps(isinstance(given, tuple), f"{what}() gave {given!r}; give the key's values as a tuple: {wanted!r}; the mistake is in the case")  # fmt: skip
        table = self._known.get(self.case.table)
        if table is not None and table.key:
            assert isinstance(given, tuple)
            keeps(len(given) == len(table.key), f"{what}() gave {given!r}, and the key of '{table.name}' is {table.key}: give a value for each, in this order; the mistake is in the case")  # fmt: skip
            there = what not in ("insert", "update", "tie") or given in self.wanted(table)
            keeps(there, f"{what}() gave {given!r}, and rows() has no row of this key: are its values of the same types there? The mistake is in the case")  # fmt: skip

    def _asked_of_the_case(self, what: str, *arguments: Any) -> Any:
        try:
            return getattr(self.case, what)(*arguments)
        except Exception as error:
            raise NotKept(f"{what}({', '.join(map(repr, arguments))}) of the case raised {type(error).__name__}: {error}; the mistake is in the case, not in the connector") from error  # fmt: skip

    # --- what is wanted --------------------------------------------------------------------------------------------

    def rows(self, table: str) -> list[dict[str, Any]]:
        """What the stand-in holds now."""
        given = self._asked_of_the_case("rows", table)
        try:
            return [dict(row) for row in given]
        except (TypeError, ValueError):
            raise NotKept(f"rows({table!r}) of the case gave {given!r:.200}: give a list of mappings from columns' names to values") from None  # fmt: skip

    def wanted(self, table: Table) -> dict[tuple[Any, ...], Mapping[str, Any]]:
        return {key_of(row, table): row for row in self.rows(table.name)}

    def some(self, got: Got) -> Got:
        """A read of the case's table, once it is known that rows came: of none all can be said."""
        if got.table.name == self.case.table and not got.rows:
            held = len(self.rows(got.table.name))
            keeps(
                held,
                f"the stand-in's '{got.table.name}' has no rows, so that nothing can be seen: give it rows for three pages",
            )
            raise NotKept(f"no row of '{got.table.name}' came, and the stand-in holds {held}")
        return got

    def holds(self, got: Got, why: str, missing_only: bool = False) -> None:
        """That what was read is what the stand-in holds."""
        table = got.table
        if table.key:
            wrong = list(differences(got.by_key, self.wanted(table), table))
        else:
            held = self.rows(table.name)
            cut = [{name: row.get(name) for name in held[0]} for row in got.rows] if held else got.rows
            parsed = json_columns(table)
            mine, theirs = (sorted(repr(_ordered(row, parsed)) for row in rows) for rows in (cut, held))
            wrong = [] if mine == theirs else [f"{len(mine)} rows came, and the stand-in holds {len(theirs)}, or other values"]  # fmt: skip
        if missing_only:
            wrong = [one for one in wrong if one.endswith("missing")]
        keeps(not wrong, f"{why}: {'; '.join(wrong[:3])}{f' (and {len(wrong) - 3} more)' if len(wrong) > 3 else ''}")  # fmt: skip

    def still_holds(self, got: Got, why: str, missing_only: bool = False) -> None:
        """The same of a read that was disturbed. Where one that nobody disturbs differs as well, it is that which has to be put right."""
        try:
            self.holds(got, why, missing_only)
        except NotKept:
            if self.proxy is not None:
                self.proxy.faults.clear()
            self.holds(self.read().whole(), f"'{got.table.name}' does not come as the case's rows() has it, though nothing is disturbed; put that right first (the checks 'values are exact', 'all pages come')", missing_only)  # fmt: skip
            raise

    def key(self, table: Table) -> None:
        if not table.key:
            raise NotShown(f"'{table.name}' has no key: each read replaces it")

    def cursor(self, table: Table) -> None:
        if not table.cursor:
            raise NotShown(f"'{table.name}' has no cursor: everything is read each time")

    def synced(self, connector: Connector) -> SyncedConnector:
        assert isinstance(connector, SyncedConnector)
        return connector

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)

    def since(self, got: Got) -> Window:
        """The window of the read after this one, as the engine asks for it."""
        assert got.end is not None
        seen = [row[got.table.cursor] for row in got.rows if row.get(got.table.cursor) is not None] if got.table.cursor else []  # fmt: skip
        greatest = max(seen) if seen else None
        since = greatest - got.table.lookback if got.table.lookback and greatest is not None else greatest
        return Window(since, self.now() + dt.timedelta(hours=1), got.end.state)

    def within(self, seconds: float, what: Callable[[], T], message: str) -> T:
        """What a call gives or raises, unless it takes longer; then it is left behind in its thread."""
        out: list[T] = []
        error: list[BaseException] = []

        def run() -> None:
            try:
                out.append(what())
            except BaseException as caught:
                error.append(caught)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(seconds)
        if thread.is_alive():
            self.cancelled.set()
            if self.proxy is not None:
                self.proxy.ended.set()
            raise NotKept(message)
        if error:
            raise error[0]
        return out[0]


def _ordered(row: Mapping[str, Any], parsed: Collection[str]) -> list[tuple[str, Any]]:
    values = [(name, json_value(value) if name in parsed else value) for name, value in row.items()]
    return [
        (name, _WIDE.normalize(value) if isinstance(value, Decimal) else value)
        for name, value in sorted(values, key=itemgetter(0))
    ]


def run(check: Check, make: Callable[[], Case], kind: type[Connector]) -> None:
    """Runs one check on a fresh case. Raises :class:`NotKept` and :class:`NotShown`."""
    with running(make, kind, check) as rig:
        check.function(rig)


@contextmanager
def running(make: Callable[[], Case], kind: type[Connector], check: Check) -> Iterator[Rig]:
    _fits(check, kind)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cadran-", ignore_cleanup_errors=True)))  # fmt: skip
        patience = stack.enter_context(patient())
        rig = _started(make, kind, folder.resolve(), patience)
        stack.callback(rig.close)
        if "http" in check.of and rig.proxy is None:
            raise NotShown("it asks no server over HTTP")
        _able(check, rig.case)
        try:
            yield rig
        except NotKept as broken:
            if not (aside := aside_told(rig.aside)):
                raise
            raise NotKept(f"{aside}. {broken}") from broken.__cause__


def _started(make: Callable[[], Case], kind: type[Connector], folder: Path, patience: Patience) -> Rig:
    try:
        case = make()
        wrong = unfit(type(case))
        rig = None if wrong else Rig(case, kind, folder, patience)
    except NotStarted:
        raise
    except Exception as error:
        raise NotStarted(f"the case does not start: {type(error).__name__}: {error}; start() starts the stand-in and gives its address") from error  # fmt: skip
    if rig is None:
        raise NotStarted(wrong)
    return rig


def _fits(check: Check, kind: type[Connector]) -> None:
    from cadran.plugins.connector import QueryableConnector

    if "synced" in check.of and not issubclass(kind, SyncedConnector):
        raise NotShown("it is read anew each time, and keeps no place (no SyncedConnector)")
    if "queryable" in check.of and not issubclass(kind, QueryableConnector):
        raise NotShown("it answers no SQL (no QueryableConnector)")


def _able(check: Check, case: Case) -> None:
    for need in check.needs:
        if need in case.cannot:
            raise NotShown(case.cannot[need])
        if not can(case, need):
            raise NotKept(
                f"{type(case).__name__} has no {need}(): write it, or say in 'cannot' why it cannot be: cannot = {{'{need}': '…'}}"
            )
