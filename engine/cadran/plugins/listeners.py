"""The contract of a listener: a plugin that is told what happens, such as to keep count or to wake another system.

Listeners are told, never asked: what they give back does not matter, and one that raises or takes too long is warned of and left behind,
while the run goes on as if it were not there. Events are frozen, and hold no secret.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from cadran.plugins.connector import API


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run begins. ``project`` is the file that declares it, ``as_of`` the run's logical time with its zone, ``kpis`` the names of
    all that it computes."""

    project: str
    as_of: dt.datetime
    kpis: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KpiValue:
    """The newest value of a KPI that a run has computed: the period's label, the value as decimal text (empty: no data), and the status
    against the target; ``failed`` where a source that it needs did not answer."""

    name: str
    period: str
    value: str
    status: str


@dataclass(frozen=True, slots=True)
class RunFinished:
    """A run has computed. ``as_of`` is its logical time with its zone, ``failures`` are the warnings and
    errors that came of it, in words, ``alerts`` how many fire."""

    project: str
    as_of: dt.datetime
    seconds: float
    kpis: tuple[KpiValue, ...] = ()
    alerts: int = 0
    failures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunFailed:
    """A run has given no values; ``failures`` say why, in words. Where it cannot be told what was to be computed, and as of when,
    ``as_of`` is None, and no :class:`RunStarted` has come before."""

    project: str
    as_of: dt.datetime | None
    seconds: float
    failures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceSynced:
    """The copy of a source was brought up to date, or was not: then ``failure`` says why, in words.

    ``rows`` is how many rows were new or had changed, ``deleted`` how many were gone, ``tables`` which tables that was about.
    """

    project: str
    source: str
    seconds: float
    tables: tuple[str, ...] = ()
    rows: int = 0
    deleted: int = 0
    failure: str = ""


@dataclass(frozen=True, slots=True)
class MessageSent:
    """One try to send one message to one recipient has ended: ``sent``, ``retry``, ``failed`` or ``unknown``.

    ``said`` is what it is about: ``report``, ``alert`` or ``failure``. ``failure`` says in words what went wrong.
    """

    project: str
    channel: str
    said: str
    outcome: str
    failure: str = ""


Event = RunStarted | RunFinished | RunFailed | SourceSynced | MessageSent


class Listener:
    """Is told what happens. One is made for each run, sync or sender, when there is something to tell it first; override what you want to hear.

    The run waits for each call, five seconds at most (a smaller :attr:`patience` is less), of which the first has to load the class as well;
    then it is left behind, and told nothing more. One that takes two seconds is warned of. Calls come one after the other, but not in the thread
    that the run is in: what takes long is put into a thread of its own.
    """

    api: ClassVar[str] = API
    patience: ClassVar[float] = 5.0

    def run_started(self, event: RunStarted) -> None:
        """A run begins."""

    def run_finished(self, event: RunFinished) -> None:
        """A run has computed its values."""

    def run_failed(self, event: RunFailed) -> None:
        """A run has ended without values."""

    def source_synced(self, event: SourceSynced) -> None:
        """The copy of a source was brought up to date, or was not."""

    def message_sent(self, event: MessageSent) -> None:
        """A try to send a message has ended."""


@dataclass(frozen=True, slots=True)
class ListenerEntry:
    """What a plugin returns from ``cadran_listeners``: a name for messages, and where the class is found once it is needed."""

    name: str
    load: Callable[[], type[Listener]] = field(repr=False)
    summary: str = ""
