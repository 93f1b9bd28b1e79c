"""Servers asked in a thread of their own, so that whoever waits for an answer can also stop waiting.

Drivers wait in C, some with a signal handler of their own, and for ever where a server falls silent. Here the asking thread
is a daemon that may be left behind: Ctrl-C is heard at once, and no answer is waited for longer than the settings say.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from cadran_plugins.sql.columns import Field
from cadran_plugins.sql.database import Chunk, Database
from cadran_plugins.sql.trouble import Kind

_LOOK = 0.1  # seconds between two looks at whether it is still worth waiting
_PATIENCE = 2.0  # seconds that a server has for ending what was cancelled
_FAREWELL = 5.0  # … and for closing
_MOMENT = 0.5  # … and for a thread whose connection was cut

T = TypeVar("T")
_Job = tuple["Future[Any]", Callable[[], Any]]


class Silent(Exception):
    """The server has not answered for as long as it is waited for."""


class Attended(Database):
    """Another database, opened, asked and closed in one thread.

    ``limited``: its server ends statements by itself after the timeout, so one that takes much longer has fallen silent.
    """

    def __init__(self, inner: Database, *, limited: bool) -> None:
        super().__init__(inner.address, inner.settings, inner.zone)
        self.interleaves = inner.interleaves
        self._inner, self._limited = inner, limited
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._connected = False
        self._ending = math.inf  # from when on nothing is waited for any more
        self._learn()

    def _learn(self) -> None:
        self.product, self.server_zone = self._inner.product, self._inner.server_zone
        self.connecting = self._inner.connecting

    # --- asking ------------------------------------------------------------------------------------------------------

    def _call(self, ask: Callable[[], T]) -> T:
        """Raises what asking raises, and Silent."""
        if self._thread is None:
            self._thread = Thread(target=_work, args=(self._jobs,), name="cadran asks", daemon=True)
            self._thread.start()
        job: Future[T] = Future()
        self._jobs.put((job, ask))
        try:
            self._wait(job)
        except Silent:
            job.cancel()
            raise
        except BaseException:  # Ctrl-C
            job.cancel()
            self.cancel()
            raise
        finally:
            self._learn()
        found = job.result()
        self._connected = True
        return found

    def _wait(self, job: Future[Any]) -> None:
        until = time.monotonic() + self._limit()
        while not job.done():
            now = time.monotonic()
            if now >= min(until, self._ending):
                self._ending = min(now, self._ending)  # nor is it asked anything else
                raise Silent
            wait([job], _LOOK)

    def _limit(self) -> float:
        if not self._limited:
            return math.inf
        hosts = 1 if self._connected else 4  # that may be tried one after the other
        return self.settings.timeout + self.settings.wait * hosts

    def cancel(self) -> None:
        """Returns within moments, also where the server does not answer."""
        self.cancelled = True
        self._ending = min(self._ending, time.monotonic() + _PATIENCE)
        thread = Thread(target=_quietly, args=(self._inner.cancel,), name="cadran cancels", daemon=True)
        thread.start()
        try:
            _join(thread, _PATIENCE)
        except BaseException:  # Ctrl-C once more
            self._ending = 0.0
            raise

    def close(self) -> None:
        if self._thread is None:
            return
        self._ending = min(self._ending, time.monotonic() + _FAREWELL)
        try:
            self._call(self._inner.close)
        except Silent:
            self._inner.sever()
            self._jobs.put((Future(), self._inner.close))
        finally:
            thread, self._thread = self._thread, None
            self._jobs.put(None)
            _join(thread, _MOMENT)  # a thread that ends while Python does may take the process with it
            self._ending = math.inf

    # --- what is asked -----------------------------------------------------------------------------------------------

    def connect(self) -> None:
        self._call(self._inner.connect)

    @property
    def default_schema(self) -> str:
        return self._call(lambda: self._inner.default_schema)

    def names(self, schema: str) -> list[str]:
        return self._call(lambda: self._inner.names(schema))

    def schemas(self) -> list[str]:
        return self._call(self._inner.schemas)

    def quoted(self, path: Sequence[str]) -> str:
        return self._inner.quoted(path)

    def describe(self, sql: str) -> list[Field]:
        return self._call(lambda: self._inner.describe(sql))

    def describe_table(self, path: Sequence[str]) -> list[Field]:
        return self._call(lambda: self._inner.describe_table(path))

    def settled(self, sql: str, fields: Sequence[Field]) -> list[Field]:
        return self._call(lambda: self._inner.settled(sql, fields))

    def chunks(self, sql: str, fields: Sequence[Field]) -> Generator[Chunk]:
        chunks = self._inner.chunks(sql, fields)
        try:
            while (chunk := self._call(lambda: next(chunks, None))) is not None:
                yield chunk
                del chunk  # nothing is held that was given on
        finally:
            with suppress(Silent):
                self._call(chunks.close)

    # --- errors ------------------------------------------------------------------------------------------------------

    @property
    def errors(self) -> tuple[type[Exception], ...]:  # type: ignore[override]
        return (Silent, *self._inner.errors)

    def classify(self, error: BaseException) -> Kind:
        if isinstance(error, Silent):
            return Kind.CANCELLED if self.cancelled else Kind.SILENT
        return self._inner.classify(error)


def _work(jobs: SimpleQueue[_Job | None]) -> None:
    while _one(jobs):
        pass


def _one(jobs: SimpleQueue[_Job | None]) -> bool:
    """Does the next job; holds nothing of it behind it."""
    found = jobs.get()
    if found is None:
        return False
    job, ask = found
    if job.set_running_or_notify_cancel():
        try:
            job.set_result(ask())
        except BaseException as error:
            job.set_exception(error)
    return True


def _join(thread: Thread, seconds: float) -> None:
    """In steps: a signal that another thread was given is heard only between them."""
    until = time.monotonic() + seconds
    while thread.is_alive() and time.monotonic() < until:
        thread.join(_LOOK)


def _quietly(ask: Callable[[], None]) -> None:
    with suppress(Exception):
        ask()
