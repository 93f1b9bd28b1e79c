"""What becomes of a message, whatever the server does."""

from __future__ import annotations

import datetime as dt
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cadran_acme.notifier import AcmeNotifier

from cadran.plugins import Deferred, Message, NotifierContext, NotifierError, Unknown

MESSAGE = Message(
    "0" * 64, "report", dt.datetime(2026, 3, 9, tzinfo=dt.UTC), "Le mois", link="https://example.com"
)


class Server(HTTPServer):
    """Answers with ``status``; 0 cuts the connection."""

    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.got: list[bytes] = []
        self.asked: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None: ...

    def do_POST(self) -> None:
        self.server.asked.append(self.path)
        self.server.got.append(self.rfile.read(int(self.headers["content-length"])))
        if self.server.status:
            self.send_response(self.server.status)
            self.send_header("content-length", "0")
            self.end_headers()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def notifier(port: int, scheme: str = "http") -> AcmeNotifier:
    url = f"{scheme}://127.0.0.1:{port}/in?room=7"
    return AcmeNotifier(NotifierContext("acme", {"url": url, "token": "secret"}, Path()))


def test_equal_messages_are_equal_bytes_without_a_secret() -> None:
    one = notifier(1).seal(MESSAGE)
    assert one == notifier(1).seal(MESSAGE)
    assert b"secret" not in one


def test_a_message_arrives(server: Server) -> None:
    begun = []
    to = notifier(server.server_address[1])
    assert to.send(to.seal(MESSAGE), "", lambda: begun.append(1)) == "posted to 127.0.0.1"
    assert server.got == [to.seal(MESSAGE)] and begun == [1]
    assert server.asked == ["/in?room=7"]


def test_a_server_without_tls_is_said_and_not_tried_again(server: Server) -> None:
    begun = []
    with pytest.raises(NotifierError, match="does not speak TLS") as raised:
        notifier(server.server_address[1], "https").send(b"{}", "", lambda: begun.append(1))
    assert type(raised.value) is NotifierError and begun == []


@pytest.mark.parametrize(
    ("status", "error"),
    [(500, Deferred), (429, Deferred), (401, NotifierError), (404, NotifierError), (0, Unknown)],
)
def test_every_way_to_fail_is_told_apart(server: Server, status: int, error: type[Exception]) -> None:
    server.status = status
    to = notifier(server.server_address[1])
    with pytest.raises(error) as raised:
        to.send(to.seal(MESSAGE), "", lambda: None)
    assert type(raised.value) is error
    assert "secret" not in str(raised.value)


def test_where_nobody_listens_nothing_has_begun() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
    begun = []
    with pytest.raises(Deferred):
        notifier(port).send(b"{}", "", lambda: begun.append(1))
    assert begun == []
