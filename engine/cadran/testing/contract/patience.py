"""Waiting in a hurry: a connector that waits a minute, as servers ask, waits a moment, and the clock says that the minute is over."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

_MOMENT = 0.0005  # what is waited instead, at most
_sleep, _monotonic = time.sleep, time.monotonic


class Patience:
    """``hurry`` is off for checks that measure how long something really takes."""

    def __init__(self) -> None:
        self.hurry = True
        self.waited = 0.0  # seconds that were asked for and not waited
        self._lock = threading.Lock()

    def sleep(self, seconds: float) -> None:
        really = min(seconds, _MOMENT) if self.hurry else seconds
        with self._lock:
            self.waited += max(seconds - really, 0.0)
        _sleep(really)

    def monotonic(self) -> float:
        """The time as it would be, had everybody waited."""
        return _monotonic() + self.waited


@contextmanager
def patient() -> Iterator[Patience]:
    made = Patience()
    with mock.patch("time.sleep", made.sleep), mock.patch("time.monotonic", made.monotonic):
        yield made
