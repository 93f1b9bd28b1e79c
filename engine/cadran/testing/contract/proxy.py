"""A proxy on 127.0.0.1 between a connector and the stand-in of its API: it writes down what is asked, and breaks things on demand.

Faults are made here, so that no author has to build them. Where an answer or a redirect names the stand-in, it names the proxy instead.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import urlsplit

Kind = Literal[
    "limited",
    "error",
    "hang",
    "truncated",
    "html",
    "odd",
    "shortened",
    "redirect",
    "drop",
    "elsewhere",
    "repeat",
]
PAGE = b"<!doctype html><html><body>Down for maintenance</body></html>"
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding"}


@dataclass
class Fault:
    """What goes wrong with the next ``times`` requests.

    ``limited``: 429, with ``Retry-After`` where ``retry_after`` is a number. ``error``: ``status``. ``hang``: no answer. ``truncated``: the
    connection breaks off in the body. ``shortened``: half of the body, and nothing says so. ``html``: a web page with status 200. ``odd``: ``body``, JSON that is no answer of the API, with status 200.
    ``redirect``: to ``location``. ``drop``: the connection is cut. ``elsewhere``: what
    leads to the next page leads to ``location``. ``repeat``: the answer before, once more, whatever was asked.
    """

    kind: Kind
    times: int = 1
    status: int = 500
    retry_after: int | None = None
    location: str = ""
    body: bytes = b"{}"
    echo: bool = False  # the error says once more what was asked, as some servers do


@dataclass(frozen=True)
class Asked:
    """One request. ``at`` is :func:`time.monotonic`'s."""

    method: str
    target: str
    at: float
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False, default=b"")
    fault: str = ""

    @property
    def same(self) -> tuple[str, str, bytes]:
        return self.method, self.target, self.body


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Proxy:
    """In front of ``upstream``; without one, a trap that answers everything and remembers who came."""

    def __init__(self, upstream: str = "", now: Callable[[], float] = time.monotonic, host: str = "127.0.0.1") -> None:  # fmt: skip
        self.upstream, self.now = upstream.rstrip("/"), now
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        self.most: int | None = (
            None  # requests that are answered; then it is known that this goes on for ever
        )
        self.ended = threading.Event()
        self._lock = threading.Lock()
        self._last: dict[str, _Answer] = {}
        self._local = threading.local()
        self._connections: list[http.client.HTTPConnection] = []  # to the stand-in, one of each thread
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.url = f"http://{host}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        for connection in self._connections:
            connection.close()

    def fault(self, kind: Kind, times: int = 1, **more: Any) -> Fault:
        made = Fault(kind, times, **more)
        self.faults.append(made)
        return made

    def fired(self, kind: Kind) -> int:
        """How often it went wrong in this way."""
        return sum(one.fault == kind for one in self.asked)

    # --- for the handler -------------------------------------------------------------------------------------------

    def note(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Fault | None:
        with self._lock:
            found = next((one for one in self.faults if one.times > 0), None)
            if found is not None:
                found.times -= 1
            self.asked.append(Asked(method, target, self.now(), headers, body, found.kind if found else ""))
            return found

    def overrun(self) -> bool:
        return self.most is not None and len(self.asked) > self.most

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes, fault: Fault | None) -> _Answer:  # fmt: skip
        path = target.partition("?")[0]
        if fault is not None and fault.kind == "repeat" and path in self._last:
            return self._last[path]
        got = self._forwarded(method, target, headers, body)
        self._last[path] = got
        return got

    def _forwarded(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> _Answer:
        if not self.upstream:
            return _Answer(200, {"content-type": "application/json"}, b"{}")
        parts = urlsplit(self.upstream)
        connection = getattr(self._local, "connection", None)
        for fresh in (connection is None, True):
            if fresh:
                connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
                self._connections.append(connection)
            assert connection is not None
            try:
                connection.request(method, target, body or None, {k: v for k, v in headers.items() if k not in _HOP and k != "accept-encoding"})  # fmt: skip
                response = connection.getresponse()
                raw = response.read()
                break
            except (OSError, http.client.HTTPException):
                connection.close()
                if fresh:
                    raise
        self._local.connection = connection
        kept = {k.lower(): v.replace(self.upstream, self.url) for k, v in response.getheaders() if k.lower() not in _HOP}  # fmt: skip
        return _Answer(response.status, kept, raw.replace(self.upstream.encode(), self.url.encode()))


def led_elsewhere(body: bytes, own: str, location: str) -> bytes:
    """A JSON answer whose addresses, whole or as paths, lead to ``location`` instead."""
    try:
        value = json.loads(body)
    except ValueError:
        return body
    return json.dumps(_elsewhere(value, own, location)).encode()


def _elsewhere(value: Any, own: str, location: str) -> Any:
    if isinstance(value, dict):
        return {k: _elsewhere(v, own, location) for k, v in value.items()}
    if isinstance(value, list):
        return [_elsewhere(v, own, location) for v in value]
    if isinstance(value, str) and value.startswith(own):
        return location + value[len(own) :]
    if isinstance(value, str) and value.startswith("/") and len(value) > 1 and " " not in value:
        return location + value
    return value


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, *_: object) -> None: ...


def _handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    class Handling(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60
        disable_nagle_algorithm = True
        wbufsize = -1

        def log_message(self, *_: object) -> None: ...

        def _go(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {k.lower(): v for k, v in self.headers.items()}
            fault = proxy.note(self.command, self.path, headers, body)
            if proxy.overrun():
                self._cut()
            elif fault is None or fault.kind in ("truncated", "shortened", "elsewhere", "repeat"):
                got = proxy.answer(self.command, self.path, headers, body, fault)
                if fault is not None and fault.kind == "elsewhere":
                    got = _Answer(got.status, got.headers, led_elsewhere(got.body, proxy.url, fault.location))
                if fault is not None and fault.kind == "shortened":
                    got = _Answer(got.status, got.headers, got.body[: len(got.body) // 2])
                self._send(got, cut=fault is not None and fault.kind == "truncated")
            elif fault.kind == "hang":
                proxy.ended.wait(120)
                self.close_connection = True
            elif fault.kind == "drop":
                self._cut()
            else:
                self._send(_faulty(fault, f"{self.path} {headers} {body!r}" if fault.echo else ""))

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = _go

        def _cut(self) -> None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            self.close_connection = True

        def _send(self, got: _Answer, *, cut: bool = False) -> None:
            self.send_response_only(got.status)
            for name, value in got.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(got.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(got.body[: len(got.body) // 2] if cut else got.body)
            if cut:
                self.close_connection = True

    return Handling


def _faulty(fault: Fault, asked: str) -> _Answer:
    if fault.kind == "html":
        return _Answer(200, {"content-type": "text/html"}, PAGE)
    if fault.kind == "odd":
        return _Answer(200, {"content-type": "application/json"}, fault.body)
    if fault.kind == "redirect":
        return _Answer(302, {"location": fault.location}, b"")
    status = 429 if fault.kind == "limited" else fault.status
    more = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
    body = json.dumps({"message": f"a fault of the kit: {fault.kind} {asked}".rstrip()}).encode()
    return _Answer(status, {"content-type": "application/json", **more}, body)
