"""A web server for tests, on 127.0.0.1: it answers as it is told, and keeps what it was sent."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    fault: str = ""  # drop: closes after it has read all; early: closes before; hang: says nothing; drip: never ends; slow: in its head already


@dataclass
class Site:
    """Answers by path; what was asked, as (path, headers, body)."""

    answers: Mapping[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)


@contextmanager
def web_server(site: Site, context: ssl.SSLContext | None = None) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def log_message(self, *_: object) -> None: ...

        def do_POST(self) -> None:
            answer = site.answers.get(self.path, Answer())
            self.close_connection = True
            if answer.fault == "early":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                return
            body = self.rfile.read(int(self.headers["content-length"]))
            site.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            if answer.fault == "drop":
                return
            if answer.fault == "hang":
                site.ended.wait(10)
                return
            while answer.fault == "slow" and not site.ended.wait(0.02):
                try:
                    self.connection.sendall(b"H")
                except OSError:
                    return
            self.send_response_only(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.fault != "drip":
                self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            try:
                self.wfile.write(answer.body)
                while answer.fault == "drip" and not site.ended.wait(0.05):
                    self.wfile.write(b"x" * 1000)
            except OSError:
                pass

    class Server(ThreadingHTTPServer):
        daemon_threads = False

        def handle_error(self, *_: object) -> None: ...

    server = Server(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        site.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def proxy(asked: list[str], *, breaks: bool = False) -> Iterator[int]:
    """A proxy that makes tunnels to 127.0.0.1, whatever name it is asked for; or one that breaks each once it stands."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.05)
    ended = threading.Event()

    def pass_on(here: socket.socket, there: socket.socket) -> None:
        with suppress(OSError):
            while part := here.recv(65536):
                there.sendall(part)
        with suppress(OSError):
            there.shutdown(socket.SHUT_WR)

    def serve() -> None:
        while not ended.is_set():
            try:
                client, _ = listening.accept()
            except TimeoutError:
                continue
            with client:
                client.settimeout(10)
                head = b""
                while b"\r\n\r\n" not in head:
                    head += client.recv(4096)
                target = head.split()[1].decode()
                asked.append(target)
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                if breaks:
                    continue
                with socket.create_connection(("127.0.0.1", int(target.rpartition(":")[2])), 10) as server:
                    back = threading.Thread(target=pass_on, args=(server, client))
                    back.start()
                    pass_on(client, server)
                    back.join()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        ended.set()
        thread.join(15)
        listening.close()
