"""Whether a scheduler lives, whether it can work, and its metrics, over HTTP: for probes and for Prometheus."""

from __future__ import annotations

import datetime as dt
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cadran.deliver.scheduler import Scheduler

#: A look that takes longer hangs; until then, a long run is at work.
HANGS = dt.timedelta(hours=2)
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


def alive(scheduler: Scheduler, now: dt.datetime) -> bool:
    """Whether it goes on looking."""
    began = scheduler.health.began
    return began is None or now - began < HANGS


def ready(scheduler: Scheduler, now: dt.datetime) -> bool:
    """Whether its last looks could do their work. A file with errors does not hinder it, as an earlier one still holds."""
    looked, began = scheduler.health.looked, scheduler.health.began
    within = dt.timedelta(seconds=3 * scheduler.every)
    return looked is not None and (now - looked < within or (began is not None and began - looked < within))


@contextmanager
def listening(scheduler: Scheduler, host: str, port: int, now: Callable[[], dt.datetime]) -> Iterator[int]:
    """Answers until the end of the block, in threads of its own; gives the port. Raises OSError where that is taken."""

    class Handler(BaseHTTPRequestHandler):
        server_version, sys_version = "cadran", ""

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics":
                return self._answer(200, _TEXT, scheduler.metrics.text())
            if path in ("/healthz", "/readyz"):
                well = (alive if path == "/healthz" else ready)(scheduler, now())
                return self._answer(200 if well else 503, "application/json", _body(scheduler, well))
            return self._answer(404, "text/plain", b"there is /healthz, /readyz and /metrics\n")

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Probes come every few seconds; nobody wants to read of each."""

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    server = Server((host, port), Handler)
    thread = threading.Thread(target=server.serve_forever, name="health", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _body(scheduler: Scheduler, well: bool) -> bytes:
    health = scheduler.health
    told = {
        "status": "ok" if well else "failing",
        "looked": health.looked.isoformat() if health.looked is not None else None,
        "problem": health.problem or None,
    }
    return json.dumps(told, ensure_ascii=False).encode() + b"\n"
