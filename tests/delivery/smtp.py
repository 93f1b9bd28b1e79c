"""A notifier over SMTP, as small as the contract allows."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from pathlib import Path

from cadran.plugins.notifier import Deferred, Message, Notifier, NotifierContext, NotifierError, Unknown

SENDER = "reports@example.com"


class Smtp(Notifier):
    """One connection a message."""

    addressed = True

    def __init__(self, host: str, port: int, timeout: float = 10) -> None:
        super().__init__(NotifierContext("mail", {}, Path()))
        self.host, self.port, self.timeout = host, port, timeout

    def seal(self, message: Message) -> bytes:
        text = f"Message-ID: <{message.key}@test>\r\nSubject: {message.subject}\r\n\r\n{message.kind}\r\n"
        return text.encode()

    def send(self, sealed: bytes, recipient: str, begin: Callable[[], None]) -> str:
        try:
            server = smtplib.SMTP(self.host, self.port, "client.test", self.timeout)
        except (OSError, smtplib.SMTPException) as error:
            raise Deferred(f"cannot connect: {error}") from error
        try:
            self._envelope(server, recipient)
            begin()
            self._data(server, sealed)
        except smtplib.SMTPServerDisconnected as error:
            raise Deferred(str(error)) from error
        finally:
            server.close()
        return recipient

    def _envelope(self, server: smtplib.SMTP, recipient: str) -> None:
        server.ehlo()
        for answer in (server.mail(SENDER), server.rcpt(recipient)):
            _accepted(answer)

    def _data(self, server: smtplib.SMTP, sealed: bytes) -> None:
        _accepted(server.docmd("DATA"), 354)
        try:
            server.send(sealed)
            server.send(b".\r\n")
            answer = server.getreply()
        except (OSError, smtplib.SMTPServerDisconnected) as error:
            raise Unknown(f"lost after the text: {error}") from error
        _accepted(answer)


def _accepted(answer: tuple[int, bytes], code: int = 250) -> None:
    if answer[0] == code:
        return
    text = f"{answer[0]} {answer[1].decode()}"
    if 400 <= answer[0] < 500:
        raise Deferred(text)
    raise NotifierError(text)
