"""A connector at what its simulated account once answered: the time of the simulation is none of the connector's."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from tests.simulators.base import Handler, Request, Response, Simulator

from cadran.plugins import Context, Page, SyncedConnector
from cadran.plugins.http import Wait

Settings = Mapping[str, Any]


class NoTime(Wait):
    """An account's limits pass no time."""

    time = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def rows(connector: type[SyncedConnector], settings: Settings, url: str, table: str) -> int:
    """Reads a table whole, as typed batches."""
    source = connector(Context("benchmark", {"url": url, **settings}, Path(), shared={Wait: NoTime()}))
    try:
        return sum(item.data.num_rows for item in source.changes(table) if isinstance(item, Page))  # type: ignore[attr-defined]
    finally:
        source.close()


class Recorded(Simulator):
    """Gives the answers in the order in which they were given, and then begins anew; ``/asked`` says what was asked."""

    def __init__(self, asked: list[tuple[Request, Response]], count: int, before: str) -> None:
        super().__init__()
        self.count, self.at, self.before = count, 0, before
        self.requests = [[each.method, each.path, dict(each.query), each.body.decode()] for each, _ in asked]
        self.responses = [answer for _, answer in asked]

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("GET", "/asked"): self.told,
            **{(method, "/(?!asked).*"): self.next for method in ("GET", "POST", "DELETE")},
        }

    def told(self, _: Request) -> Response:
        """Also turns links in the answers, so that they lead here."""
        here, there = self.url.encode(), self.before.encode()
        self.responses = [
            Response(each.content.replace(there, here), each.status, each.headers)
            if isinstance(each.content, bytes)
            else each
            for each in self.responses
        ]
        return Response({"rows": self.count, "requests": self.requests})

    def next(self, _: Request) -> Response:
        answer = self.responses[self.at]
        self.at = (self.at + 1) % len(self.responses)
        return answer


def record(
    simulator: Simulator, connector: type[SyncedConnector], settings: Settings, table: str
) -> Recorded:
    asked: list[tuple[Request, Response]] = []

    def keep(request: Request, answer: Response) -> None:
        content = (
            answer.content
            if isinstance(answer.content, bytes)
            else json.dumps(answer.content, default=str).encode()
        )
        asked.append((request, Response(content, answer.status, answer.headers)))

    simulator.check = keep  # type: ignore[method-assign]
    with simulator.serving():
        count = rows(connector, settings, simulator.url, table)
        return Recorded(asked, count, simulator.url)


@cache
def _told(url: str) -> Mapping[str, Any]:
    """What is to be asked: known from the first round on, which is not counted."""
    found: Mapping[str, Any] = httpx.get(f"{url}/asked", trust_env=False).json()
    return found


def bare(url: str) -> int:
    """Asks the same, and reads all that comes: as JSON, or as CSV where it is some."""
    told = _told(url)
    with client() as http:
        for method, path, query, body in told["requests"]:
            answer = http.request(method, url + path, params=query, content=body)
            kind = answer.headers["content-type"]
            if answer.content and kind.startswith("application/json"):
                answer.json()
            elif kind.startswith("text/csv"):
                list(csv.reader(io.StringIO(answer.text, newline="")))
    return int(told["rows"])


def client(**headers: str) -> httpx.Client:
    """Without the certificates, which nobody needs here and which take as long to read as many pages."""
    return httpx.Client(headers=headers, trust_env=False, verify=False, timeout=60)


def ours(
    connector: Callable[[], type[SyncedConnector]], settings: Settings, table: str
) -> Callable[[str], int]:
    def read(url: str) -> int:
        _told(url)
        return rows(connector(), settings, url, table)

    return read
