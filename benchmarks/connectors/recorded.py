"""A connector at what its simulated account once answered: the time of the simulation is none of the connector's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
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
    """Gives the answers in the order in which they were given; ``/asked`` says what was asked, and begins anew."""

    def __init__(self, asked: list[tuple[Request, Response]], count: int, before: str) -> None:
        super().__init__()
        self.count, self.at, self.before = count, 0, before
        self.requests = [[each.method, each.path, dict(each.query), each.body.decode()] for each, _ in asked]
        self.responses = [answer for _, answer in asked]

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("GET", "/asked"): self.begin,
            **{(method, "/(?!asked).*"): self.next for method in ("GET", "POST")},
        }

    def begin(self, _: Request) -> Response:
        self.at = 0
        return Response({"rows": self.count, "requests": self.requests})

    def next(self, _: Request) -> Response:
        self.at += 1
        answer = self.responses[self.at - 1]
        if isinstance(answer.content, bytes):  # links in it lead back here
            return Response(
                answer.content.replace(self.before.encode(), self.url.encode()), answer.status, answer.headers
            )
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


def bare(url: str) -> int:
    """Asks the same, and reads JSON where it is some."""
    with httpx.Client(trust_env=False, timeout=60) as client:
        told = client.get(f"{url}/asked").json()
        for method, path, query, body in told["requests"]:
            answer = client.request(method, url + path, params=query, content=body)
            if answer.headers["content-type"].startswith("application/json"):
                answer.json()
    return int(told["rows"])


def ours(
    connector: Callable[[], type[SyncedConnector]], settings: Settings, table: str
) -> Callable[[str], int]:
    def read(url: str) -> int:
        httpx.get(f"{url}/asked", trust_env=False)
        return rows(connector(), settings, url, table)

    return read
