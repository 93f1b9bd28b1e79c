"""A real SMTP server (aiosmtpd) that keeps what it has taken, and fails where a test says so.

``fault(step, recipient)`` gives what goes wrong: a line to answer with (``451 later``), ``drop`` or ``hang``. Steps are
``connect``, ``mail``, ``rcpt``, ``data`` (the command), ``during`` (some of the text has come), ``dot`` (all of it has come,
and is not taken) and ``reply`` (it is taken, and the answer gets lost).
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

Fault = Callable[[str, str], str]


def none(_: str, __: str) -> str:
    return ""


class MailServer:
    """What came to whom, in order. Addresses are asked for as ``host`` and ``port``."""

    def __init__(self, fault: Fault = none) -> None:
        self.fault = fault
        self.taken: list[tuple[str, bytes]] = []
        self.open = 0
        self._changed = threading.Condition()
        self.host, self.port = "127.0.0.1", 0

    def to(self, recipient: str) -> list[bytes]:
        with self._changed:
            return [content for name, content in self.taken if name == recipient]

    def by_recipient(self) -> dict[str, list[bytes]]:
        found = defaultdict(list)
        with self._changed:
            for name, content in self.taken:
                found[name].append(content)
        return dict(found)

    def take(self, recipient: str, content: bytes) -> None:
        with self._changed:
            self.taken.append((recipient, content))

    def connected(self, change: int) -> None:
        with self._changed:
            self.open += change
            self._changed.notify_all()

    def settled(self) -> None:
        """Waits until no client is there any more: what a killed one had sent is then taken or lost."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.open == 0, 20), "a connection stays open"


class _Session(SMTP):
    office: MailServer

    def connection_made(self, transport: Any) -> None:
        self.office.connected(1)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self.office.connected(-1)

    async def goes_wrong(self, step: str, recipient: str = "") -> str:
        """The line to answer with instead; "" where nothing goes wrong. Comes back after a drop with a line nobody reads."""
        found = self.office.fault(step, recipient)
        if found not in ("drop", "hang"):
            return found
        try:
            if found == "hang":  # until the client has had enough
                await asyncio.sleep(60)
        finally:
            assert self.transport is not None
            self.transport.abort()
        raise asyncio.CancelledError

    async def _handle_client(self) -> None:
        if said := await self.goes_wrong("connect"):
            await self.push(said)
            assert self.transport is not None
            self.transport.close()
            return
        await super()._handle_client()

    async def smtp_DATA(self, arg: str) -> None:
        recipient = self.envelope.rcpt_tos[0] if self.envelope and self.envelope.rcpt_tos else ""
        if said := await self.goes_wrong("data", recipient):
            await self.push(said)
            return
        if self.office.fault("during", recipient):
            await self.push("354 go on")
            await self._reader.readline()
            await self.goes_wrong("during", recipient)
        await super().smtp_DATA(arg)


class _Handler:
    def __init__(self, office: MailServer) -> None:
        self.office = office

    async def handle_MAIL(self, server: Any, _: Any, envelope: Any, address: str, options: list[str]) -> str:
        if said := await server.goes_wrong("mail"):
            return str(said)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server: Any, _: Any, envelope: Any, address: str, __: list[str]) -> str:
        if said := await server.goes_wrong("rcpt", address):
            return str(said)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _: Any, envelope: Any) -> str:
        for recipient in envelope.rcpt_tos:
            if said := await server.goes_wrong("dot", recipient):
                return str(said)
            self.office.take(recipient, envelope.content)
            await server.goes_wrong("reply", recipient)
        return "250 taken"


class _Controller(Controller):
    def factory(self) -> SMTP:
        made = type("Session", (_Session,), {"office": self.handler.office})
        found: SMTP = made(self.handler, hostname="mail.test", loop=self.loop)
        return found


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def serving(fault: Fault = none) -> Iterator[MailServer]:
    office = MailServer(fault)
    office.port = free_port()
    controller = _Controller(_Handler(office), hostname=office.host, port=office.port)
    controller.start()
    try:
        yield office
    finally:
        office.fault = none
        office.settled()
        controller.stop(no_assert=True)
