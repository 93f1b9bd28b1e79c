"""An end to a connection that takes too long as a whole: a server that sends a letter a second times out never, and always."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress

WHOLE = 150.0  # seconds from when a connection stands; who sends counts on it that nothing takes five minutes


class Patience:
    """Watches one connection after the other, and cuts the one that is watched when its time is over."""

    def __init__(self) -> None:
        self._timer: threading.Timer | None = None
        self._handle: socket.socket | None = None

    def watch(self, connection: socket.socket) -> None:
        """From now on; the connection before is let go."""
        self.close()
        self._handle = socket.socket(fileno=os.dup(connection.fileno()))  # TLS takes the other one over
        self._timer = threading.Timer(WHOLE, _cut, (self._handle,))
        self._timer.daemon = True
        self._timer.start()

    def close(self) -> None:
        if self._timer is not None and self._handle is not None:
            self._timer.cancel()
            self._timer.join()
            self._handle.close()
            self._timer = self._handle = None


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
