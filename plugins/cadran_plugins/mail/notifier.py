"""The ``email`` notifier."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from cadran.plugins import Message, Notifier, NotifierContext, NotifierError
from cadran_plugins.mail.addresses import address
from cadran_plugins.mail.config import SCHEMA, read


class EmailNotifier(Notifier):
    """Sends mails over SMTP."""

    config_schema: ClassVar[Mapping[str, Any]] = SCHEMA
    addressed = True
    documents = "attached"
    sealed_suffix = "eml"
    parts: ClassVar[Mapping[str, str]] = {"text": "txt", "html": "html"}

    def __init__(self, context: NotifierContext) -> None:
        super().__init__(context)
        self._config = read(context)

    @classmethod
    def check_recipient(cls, recipient: str) -> str:
        try:
            address(recipient)
        except ValueError as error:
            return str(error)
        return ""

    def seal(self, message: Message) -> bytes:
        from cadran_plugins.mail.letter import letter  # loads all of email, which checking a file needs not

        try:
            return letter(message, self._config)
        except ValueError as error:
            raise NotifierError(f"'{message.recipient[:80]}' {error}") from None

    def send(self, sealed: bytes, recipient: str, begin: Callable[[], None]) -> str:
        from cadran_plugins.mail.transport import transmit

        try:
            to = address(recipient)
        except ValueError as error:
            raise NotifierError(f"'{recipient[:80]}' {error}") from None
        return transmit(self._config, to.address, sealed, begin)
