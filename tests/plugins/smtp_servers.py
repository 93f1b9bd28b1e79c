"""Mail servers for tests: a real one (aiosmtpd), and one that misbehaves at a given step. Both on 127.0.0.1."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP as Server
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "kpi", "correct horse/battery"


@dataclass
class Mailbox:
    """What arrived, and whose mail is refused or put off: address → answer."""

    answers: Mapping[str, str] = field(default_factory=dict)
    mails: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    tls: list[bool] = field(default_factory=list)
    options: list[list[str]] = field(default_factory=list)

    async def handle_RCPT(
        self, server: Server, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Server, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.mails.append((envelope.mail_from or "", list(envelope.rcpt_tos), envelope.content))
        self.tls.append(session.ssl is not None)
        self.options.append(list(envelope.mail_options))
        return "250 2.0.0 Ok: queued as 4ABC"


def authenticated(*of: Any) -> AuthResult:
    """``of`` ends in what somebody logs in with."""
    data = of[-1]
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (
        USER.encode(),
        PASSWORD.encode(),
    )
    return AuthResult(success=right, handled=False)


class _Controller(Controller):
    """``Controller`` finds its port only if it is told one; this one takes what is free."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        super()._trigger_server()


@contextmanager
def mail_server(
    mailbox: Mailbox, *, implicit: ssl.SSLContext | None = None, **settings: Any
) -> Iterator[int]:
    """A real server; gives its port."""
    controller = _Controller(mailbox, "127.0.0.1", 0, ssl_context=implicit, **settings)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop(no_assert=True)


# --- one that misbehaves ---------------------------------------------------------------------------------------------

RIGHT = {
    "connect": "220 ready", "EHLO": "250-here\r\n250 SIZE 100000000", "MAIL": "250 OK", "RCPT": "250 OK", "DATA": "354 go on",
    "end": "250 took it", "QUIT": "221 bye",
}  # fmt: skip


@dataclass
class Script:
    """What it answers at each step instead of what is right: a line, ``drop`` (closes at once), ``hang`` (says nothing), ``drip`` (never ends to
    answer),
    ``half`` (of the mail: closes in the middle of it)."""

    steps: Mapping[str, str]
    heard: list[str] = field(default_factory=list)
    mail: bytes = b""


@contextmanager
def bad_server(script: Script) -> Iterator[int]:
    """Serves one connection after the other until the block ends."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.05)
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            try:
                connection, _ = listening.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(10)
                with suppress(OSError):
                    _talk(connection, script, ended)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        ended.set()
        thread.join(15)
        listening.close()
        assert not thread.is_alive()


def _talk(connection: socket.socket, script: Script, ended: threading.Event) -> None:
    def said(step: str) -> bool:
        answer = script.steps.get(step, RIGHT.get(step, "502 what?"))
        if answer == "hang":
            ended.wait(10)
            return False
        while answer == "drip" and not ended.wait(0.02):
            connection.sendall(f"{RIGHT.get(step, '250')[:3]}-still here\r\n".encode())
        if answer == "drop":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")  # a reset
            return False
        connection.sendall(answer.encode() + b"\r\n")
        return True

    reader = connection.makefile("rb")
    if not said("connect"):
        return
    while line := reader.readline():
        step = line[:4].decode().strip().upper()
        script.heard.append(line.decode().strip())
        if not said(step) or step == "QUIT":
            return
        if step == "DATA" and script.steps.get(step, RIGHT[step]).startswith("354"):
            if script.steps.get("mail") == "half":
                reader.read(2000)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                return
            while (part := reader.readline()) != b".\r\n":
                if not part:
                    return
                script.mail += part
            if not said("end"):
                return
