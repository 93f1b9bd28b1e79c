"""Seeing which machines this process speaks to, and the forms in which a secret may show."""

from __future__ import annotations

import base64
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import quote, quote_plus

_watchers: list[list[tuple[str, int]]] = []
_installed = False


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if not _watchers or event != "socket.getaddrinfo":
        return
    host, port = arguments[0], arguments[1]
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    for watcher in _watchers:
        watcher.append((str(host), int(port) if isinstance(port, int | str) and str(port).isdigit() else 0))


@contextmanager
def connections() -> Iterator[list[tuple[str, int]]]:
    """The hosts and ports that this process looks up for a connection, in the meantime; the kit's own do not count."""
    global _installed
    if not _installed:
        sys.addaudithook(_hook)  # there is no way to take it away again; without watchers it does nothing
        _installed = True
    made: list[tuple[str, int]] = []
    _watchers.append(made)
    try:
        yield made
    finally:
        _watchers.remove(made)


def declared(host: str, port: int, hosts: Sequence[str]) -> bool:
    """Whether ``hosts`` names a machine, with its port or without."""
    for pattern in hosts:
        name, _, wanted = pattern.rpartition(":") if ":" in pattern else (pattern, "", "")
        ports = (wanted,) if wanted else ("80", "443")
        if str(port) in ports and (host == name or (name.startswith("*.") and host.endswith(name[1:]))):
            return True
    return False


def forms(secret: str) -> Iterator[str]:
    """A secret as it is, in an address, and in base64 at each of the three places that it may begin at."""
    yield secret
    yield from {quote(secret, safe=""), quote_plus(secret)} - {secret}
    for shift in range(3):
        coded = base64.b64encode(b"x" * shift + secret.encode()).decode()
        inner = coded[4 * (shift > 0) : -4]
        if len(inner) >= 8:
            yield inner


def logging_to(lines: list[str]) -> logging.Handler:
    """A handler that writes down everything that any library says."""

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    return Lines(level=logging.DEBUG)
