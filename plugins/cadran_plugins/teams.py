"""The bundled ``teams`` notifier: adaptive cards to one channel or chat of Microsoft Teams, by a workflow's webhook."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from cadran.plugins import Message, Notifier, NotifierContext, NotifierEntry, NotifierError, hookimpl
from cadran_plugins import web

_MOST_BYTES = 27_000  # Teams takes 28 kB
_LINE_ENDS = re.compile(r"\s*[\r\n\v\f\x85\u2028\u2029]+\s*")
_MARKDOWN = re.compile(r"([\\`*_\[\]])")


class TeamsNotifier(Notifier):
    """Posts a card. The webhook's address is the secret, so it is in no message."""

    config_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {
            "webhook": {
                "type": "string",
                "minLength": 1,
                "description": "The address of a workflow that posts what it is sent.",
            },
            **web.COMMON,
        },
        "required": ["webhook"],
        "additionalProperties": False,
    }
    documents = "none"
    sealed_suffix = "json"
    parts: ClassVar[Mapping[str, str]] = {"card": "json"}

    def __init__(self, context: NotifierContext) -> None:
        super().__init__(context)
        self._target = web.target(context, "webhook")

    @staticmethod
    def literal(text: str) -> str:
        """A card's texts are Markdown: no name in the data becomes a link."""
        return _MARKDOWN.sub(r"\\\1", _LINE_ENDS.sub(" ", text))

    def seal(self, message: Message) -> bytes:
        try:
            card = json.loads(message.parts["card"])
        except ValueError as error:
            raise NotifierError(
                f"the template teams/{message.kind}.json.jinja gives no JSON: {error}"
            ) from None
        if not isinstance(card, dict) or not isinstance(card.get("body"), list):
            raise NotifierError(f"the template teams/{message.kind}.json.jinja must give a card with a body")
        sealed = _body(card)
        while len(sealed) > _MOST_BYTES and len(card["body"]) > 1:
            card = {**card, "body": [*card["body"][:-2], {"type": "TextBlock", "text": "…"}]}
            sealed = _body(card)
        if len(sealed) > _MOST_BYTES:
            raise NotifierError(f"the card has {len(sealed)} bytes, and Teams takes {_MOST_BYTES}")
        return sealed

    def send(self, sealed: bytes, recipient: str, begin: Callable[[], None]) -> str:  # noqa: ARG002
        from cadran_plugins import posting  # loads TLS and sockets, which checking a file needs not

        return posting.post(self._target, sealed, {}, begin)


def _body(card: Mapping[str, Any]) -> bytes:
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    whole = {"type": "message", "attachments": [attachment]}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


@hookimpl
def cadran_notifiers() -> list[NotifierEntry]:
    return [NotifierEntry("teams", lambda: TeamsNotifier, "Cards to a channel of Microsoft Teams")]
