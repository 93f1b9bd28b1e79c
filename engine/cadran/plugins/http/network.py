"""Connections that notice within moments that nobody waits for them any more, and that end when their time is over."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import httpcore

from cadran.plugins.connector import Cancelled
from cadran.plugins.http.waiting import SLICE

if TYPE_CHECKING:
    import ssl

_T = TypeVar("_T")
_WRITE = 4.0  # seconds in which a server takes nothing: no request fills what lies between
_BLOCK = 1 << 16


class Attention(threading.local):
    """Whether what a thread asks for is still wanted."""

    def __init__(self, cancelled: Callable[[], bool], whole: float) -> None:
        self._cancelled, self._whole = cancelled, whole
        self._deadline: float | None = None

    @contextmanager
    def in_time(self) -> Iterator[None]:
        """What is asked in here has to end in so many seconds, however steadily it comes."""
        before, self._deadline = self._deadline, time.monotonic() + self._whole
        try:
            yield
        finally:
            self._deadline = before

    def restart(self) -> None:
        """The seconds count from now: it was waited for a turn."""
        if self._deadline is not None:
            self._deadline = time.monotonic() + self._whole

    def check(self) -> None:
        if self._cancelled():
            raise Cancelled("nobody waits for the answer any more")
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise httpcore.ReadTimeout("the answer as a whole")


class Backend(httpcore.NetworkBackend):
    """Looking up a name, connecting and agreeing on TLS cannot be interrupted: they go on in a thread that is left alone."""

    def __init__(self, attention: Attention) -> None:
        self._inner, self._attention = httpcore.SyncBackend(), attention

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        def connect() -> httpcore.NetworkStream:
            return self._inner.connect_tcp(host, port, timeout, local_address, socket_options)

        return Stream(_beside(connect, self._attention, timeout), self._attention)

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


class Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, attention: Attention) -> None:
        self._inner, self._attention = inner, attention

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        end = time.monotonic() + timeout if timeout is not None else None
        while True:
            self._attention.check()
            try:
                return self._inner.read(max_bytes, SLICE)
            except httpcore.ReadTimeout:
                if end is not None and time.monotonic() >= end:
                    raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        limit = min(timeout, _WRITE) if timeout is not None else _WRITE
        for start in range(0, len(buffer), _BLOCK):
            self._attention.check()
            self._inner.write(buffer[start : start + _BLOCK], limit)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        def agree() -> httpcore.NetworkStream:
            return self._inner.start_tls(ssl_context, server_hostname, timeout)

        return Stream(_beside(agree, self._attention, timeout), self._attention)

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _beside(
    call: Callable[[], httpcore.NetworkStream], attention: Attention, timeout: float | None
) -> httpcore.NetworkStream:
    """What a call gives, which runs in a thread of its own; one that comes too late is closed."""
    made: list[httpcore.NetworkStream] = []
    failed: list[BaseException] = []
    done, lock, wanted = threading.Event(), threading.Lock(), [True]

    def run() -> None:
        try:
            stream = call()
        except BaseException as error:
            failed.append(error)
        else:
            with lock:
                made.append(stream)
                if not wanted[0]:
                    stream.close()
        done.set()

    threading.Thread(target=run, name="cadran-http-connect", daemon=True).start()
    end = (
        time.monotonic() + timeout + 1 if timeout is not None else None
    )  # a name is looked up without a limit
    try:
        while not done.wait(SLICE):
            attention.check()
            if end is not None and time.monotonic() > end:
                raise httpcore.ConnectTimeout("the connection")
    except BaseException:
        with lock:
            wanted[0] = False
            for stream in made:
                stream.close()
        raise
    if failed:
        raise failed[0]
    return made[0]
