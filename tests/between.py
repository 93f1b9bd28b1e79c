"""Between a client and a server: passes bytes on until it is told to keep them, or to cut every connection."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any


class Between:
    """While ``passing`` is not set nobody answers any more, and new connections are taken up in silence."""

    def __init__(self, server: int) -> None:
        self.server, self.passing = server, threading.Event()
        self.passing.set()
        self._open: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._run(self._accept)

    @staticmethod
    def _run(work: Any, *arguments: Any) -> None:
        threading.Thread(target=work, args=arguments, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self.server))
                self._open += [client, server]
                self._run(self._pass, client, server)
                self._run(self._pass, server, client)

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                self.passing.wait()
                other.sendall(data)
        _end(one, other)

    def cut(self) -> None:
        _end(*self._open)

    def close(self) -> None:
        self._listening.close()
        self.passing.set()
        self.cut()
        for one in self._open:
            one.close()


def _end(*connections: socket.socket) -> None:
    for one in connections:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


@contextmanager
def between(url: str) -> Iterator[tuple[Between, str]]:
    """Such a place before the server of a URL, and the URL that leads through it."""
    import sqlalchemy

    parsed = sqlalchemy.make_url(url)
    made = Between(parsed.port or (5432 if parsed.drivername.startswith("postgresql") else 3306))
    try:
        yield made, parsed.set(port=made.port).render_as_string(hide_password=False)
    finally:
        made.close()
