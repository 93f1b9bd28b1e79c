"""What cases over the simulators share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.simulators.base import Fault, Simulator

from cadran.testing import Case

ROWS = 250
LONG_AGO = dt.timedelta(days=30)  # behind every lookback, so that a read of what has changed is not one of everything


def utc() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Simulated(Case):
    """``make`` gives a simulator, ``fill`` puts in one row of a number; they were written long ago, a minute after each other."""

    def make(self) -> Simulator:
        raise NotImplementedError

    def fill(self, number: int) -> Any:
        raise NotImplementedError

    def start(self, folder: Path) -> str:
        self.stack = ExitStack()
        self.api: Any = self.make()
        begin = (utc() - LONG_AGO).replace(microsecond=0)
        for number in range(1, ROWS + 1):
            self.api.now = self._at(begin + dt.timedelta(minutes=number))
            self.fill(number)
        self.last = begin + dt.timedelta(minutes=ROWS)
        self.api.now = utc
        self.stack.enter_context(self.api.serving())
        return str(self.api.url)

    def _at(self, moment: dt.datetime) -> Callable[[], dt.datetime]:
        return lambda: moment

    def stop(self) -> None:
        self.stack.close()

    def exhaust(self) -> None:
        self.api.faults.append(Fault("quota", times=1_000_000))
