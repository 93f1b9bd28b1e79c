"""What the tests of the HTTP client share: an API that fails on demand, and a clock by which waiting takes no time."""

from __future__ import annotations

import datetime as dt
import gzip
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.simulators.base import Handler, Request, Response, Simulator

from cadran.plugins import Context
from cadran.plugins.http import Http, Wait

NOW = dt.datetime(2026, 3, 9, 7, 0, tzinfo=dt.UTC)
CANARY = "canary/s3cr3t+value"


class Api(Simulator):
    """``/x`` answers ``{"amount": 12.50}``; a test may put answers of its own into ``said``, by path."""

    def __init__(self) -> None:
        super().__init__()
        self.now = lambda: NOW
        self.said: dict[str, Response | Callable[[Request], Response]] = {
            "/x": Response(b'{"amount": 12.50}')
        }

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {(method, "(/.*)"): self.any for method in ("GET", "POST")}

    def any(self, request: Request, path: str) -> Response:
        said = self.said.get(path, Response({"message": "there is nothing"}, 404))
        return said if isinstance(said, Response) else said(request)

    def packed(self, path: str, content: bytes) -> None:
        self.said[path] = Response(gzip.compress(content), headers={"content-encoding": "gzip"})


@pytest.fixture
def api() -> Iterator[Api]:
    simulator = Api()
    with simulator.serving():
        yield simulator


class NoTime(Wait):
    """Passes the time that is waited, at once, and remembers it."""

    def __init__(self) -> None:
        self.time, self.slept = 0.0, 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        assert 0 < seconds <= 0.2, "whoever is cancelled would not be heard"
        self.time += seconds
        self.slept += seconds


def context(wait: Wait | None = None, **changes: Any) -> Context:
    whole: dict[str, Any] = {
        "config": {},
        "clock": lambda: NOW,
        "shared": {Wait: wait or NoTime()},
        **changes,
    }
    return Context("crm", base=Path(), **whole)


@contextmanager
def asking(api: Api, told: Context | None = None, **settings: Any) -> Iterator[Http]:
    """A client of an API that is served."""
    host = f"127.0.0.1:{api.port}"
    http = Http(told or context(), **{"hosts": [host], "base": api.url, "timeout": 2.0, **settings})
    try:
        yield http
    finally:
        http.close()
