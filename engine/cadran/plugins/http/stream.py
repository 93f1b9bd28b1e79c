"""An answer that is too large to be held: its content piece by piece."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING

from cadran.plugins.connector import ConnectorError, Transient

if TYPE_CHECKING:
    from cadran.plugins.http.exchange import Opened

_SLOWEST = 1024  # bytes that come at least in the time of one wait: less is a server that never ends


class Pieces(Iterator[bytes]):
    """The content, of which no more than a piece is held. ``headers`` are those of the answer.

    One that breaks off raises :class:`Transient`; it is asked for again by whoever knows how much of it was used.
    """

    def __init__(self, opened: Opened, wrong: Callable[[Exception], ConnectorError], timeout: float) -> None:
        self.status: int = opened.status
        self.headers: Mapping[str, str] = opened.headers
        self._opened, self._wrong, self._timeout = opened, wrong, timeout
        self._pieces = opened.pieces()
        self._waited, self._came = 0.0, 0

    def __next__(self) -> bytes:
        started = time.monotonic()
        try:
            piece = next(self._pieces)
        except StopIteration:
            self.close()
            raise
        except Exception as error:
            failed = self._wrong(error)
        else:
            return self._in_time(piece, time.monotonic() - started)
        self.close()
        raise failed

    def _in_time(self, piece: bytes, waited: float) -> bytes:
        self._came, self._waited = self._came + len(piece), self._waited + waited
        if self._came >= _SLOWEST:
            self._came, self._waited = 0, 0.0
        elif self._waited > self._timeout:
            self.close()
            raise Transient(f"{self._opened.ask.host}: the answer comes too slowly to end")
        return piece

    def close(self) -> None:
        self._opened.close()

    def __enter__(self) -> Pieces:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()
