"""What the simulators share: a server on 127.0.0.1 that hands requests to routes, remembers them, and fails on demand."""

from __future__ import annotations

import datetime as dt
import email.utils
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in small letters
    body: bytes
    repeated: Mapping[str, list[str]] = field(default_factory=dict)  # the query with all values of each name

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


@dataclass(frozen=True)
class Response:
    """``content`` is bytes as they are, or a value that becomes JSON."""

    content: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Fault:
    """``kind``: what goes wrong, the next ``times`` that a request's path matches ``path``, after ``skip`` that go well.

    ``limited`` (429; ``retry_after`` seconds, None: no header), ``quota`` (the day's requests are used up), ``error`` (500, or ``status``),
    ``hang`` (no answer at all), ``truncated`` (the body breaks off), ``drop`` (the connection is cut), ``html`` (a web page with status
    200), ``redirect`` (to ``location``), ``drip`` (a byte of the body every 50 ms), ``unended`` (a chunked body that
    breaks off). What ``limited`` and ``quota`` say is the API's own.
    """

    kind: str
    times: int = 1
    path: str = ""
    skip: int = 0
    status: int = 500
    retry_after: float | None = None
    location: str = ""


Handler = Callable[..., Response]


class Simulator:
    """Subclasses add :attr:`routes`: (method, pattern of the whole path) → a method that takes the request and the pattern's groups."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.faults: list[Fault] = []
        self.skew = dt.timedelta(0)  # how far the server's clock is ahead of ours
        self.now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)
        self.lock = threading.RLock()
        self.ended = threading.Event()
        self.port = 0
        self.scheme = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def clock(self) -> dt.datetime:
        """The server's own time."""
        return self.now() + self.skew

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        raise NotImplementedError

    def limited(self, fault: Fault) -> Response:
        """The API's own 429."""
        return Response({"message": "too many requests"}, 429)

    def quota(self, fault: Fault) -> Response:
        """The API's own word for a day's requests that are used up."""
        return Response({"message": "daily limit"}, 429)

    def error(self, fault: Fault) -> Response:
        return Response({"message": "internal error"}, fault.status)

    def answer(self, request: Request) -> Response:
        for (method, pattern), handler in self._routes.items():
            found = re.fullmatch(pattern, request.path)
            if found and method == request.method:
                with self.lock:
                    return handler(request, *found.groups())
        return Response({"message": f"there is no {request.method} {request.path}"}, 404)

    def check(self, request: Request, response: Response) -> None:
        """Called for each answer that is no fault: a place to hold both to the API's published description."""

    def fault_of(self, request: Request) -> Fault | None:
        with self.lock:
            for fault in self.faults:
                if fault.times > 0 and re.search(fault.path, request.path):
                    if fault.skip > 0:
                        fault.skip -= 1
                        continue
                    fault.times -= 1
                    return fault
        return None

    @contextmanager
    def serving(self, context: ssl.SSLContext | None = None, port: int = 0) -> Iterator[Simulator]:
        """Serves in threads of this process, until it is left."""
        self._routes = self.routes()
        server = _Server(("127.0.0.1", port), _handler(self))
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
            self.scheme = "https"
        self.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.ended.set()
            server.shutdown()
            server.server_close()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, *_: object) -> None: ...


def _plain(value: object) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dt.datetime):
        return value.isoformat()
    raise TypeError(type(value))


def _handler(simulator: Simulator) -> type[BaseHTTPRequestHandler]:
    class Handling(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60
        disable_nagle_algorithm = True
        wbufsize = -1

        def log_message(self, *_: object) -> None: ...

        def _go(self) -> None:
            parts = urlsplit(self.path)
            repeated = parse_qs(parts.query, keep_blank_values=True)
            query = {k: v[-1] for k, v in repeated.items()}
            length = int(self.headers.get("content-length") or 0)
            headers = {k.lower(): v for k, v in self.headers.items()}
            request = Request(self.command, parts.path, query, headers, self.rfile.read(length), repeated)
            simulator.asked.append(request)
            fault = simulator.fault_of(request)
            if fault is None:
                response = simulator.answer(request)
                simulator.check(request, response)
                self._send(response)
            elif fault.kind == "hang":
                simulator.ended.wait(60)
                self.close_connection = True
            elif fault.kind == "drop":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                self.close_connection = True
            elif fault.kind == "truncated":
                self._send(simulator.answer(request), cut=True)
            elif fault.kind in ("drip", "unended"):
                self._slowly(simulator.answer(request), fault.kind)
            else:
                self._send(self._faulty(fault))

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _go

        def _faulty(self, fault: Fault) -> Response:
            if fault.kind == "html":
                page = b"<!doctype html><html><body>Down for maintenance</body></html>"
                return Response(page, 200, {"content-type": "text/html"})
            if fault.kind == "redirect":
                return Response(b"", 302, {"location": fault.location})
            if fault.kind == "quota":
                return simulator.quota(fault)
            if fault.kind == "limited":
                told = simulator.limited(fault)
                more = {} if fault.retry_after is None else {"retry-after": f"{fault.retry_after:g}"}
                return Response(told.content, told.status, {**told.headers, **more})
            return simulator.error(fault)

        def _slowly(self, response: Response, kind: str) -> None:
            raw = (
                response.content
                if isinstance(response.content, bytes)
                else json.dumps(response.content, default=_plain).encode()
            )
            self.close_connection = True
            self.send_response_only(response.status)
            self.send_header("content-type", "application/json")
            self.send_header(
                *(
                    ("transfer-encoding", "chunked")
                    if kind == "unended"
                    else ("content-length", str(len(raw)))
                )
            )
            self.end_headers()
            with suppress(OSError):
                if kind == "unended":
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(raw), raw))
                    return
                for byte in raw:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    if simulator.ended.wait(0.05):
                        return

        def _send(self, response: Response, *, cut: bool = False) -> None:
            content = response.content
            raw = content if isinstance(content, bytes) else json.dumps(content, default=_plain).encode()
            headers = {"content-type": "application/json", **response.headers}
            self.send_response_only(response.status)
            self.send_header(
                "date", email.utils.format_datetime(simulator.clock.replace(microsecond=0), usegmt=True)
            )
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw[: len(raw) // 2] if cut else raw)
            if cut:
                self.close_connection = True

    return Handling
