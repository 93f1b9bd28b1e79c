"""The bundled ``slack`` notifier: messages to one channel of Slack, by an incoming webhook."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from cadran.plugins import Message, Notifier, NotifierContext, NotifierEntry, NotifierError, hookimpl
from cadran_plugins import web

_MOST_BLOCKS, _MOST_TEXT, _MOST_HEADER = 50, 3000, 150  # Slack's own limits


class SlackNotifier(Notifier):
    """Posts blocks. The webhook's address is the secret, so it is in no message."""

    config_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {
            "webhook": {"type": "string", "minLength": 1, "description": "The incoming webhook's address."},
            **web.COMMON,
        },
        "required": ["webhook"],
        "additionalProperties": False,
    }
    documents = "none"
    sealed_suffix = "json"
    parts: ClassVar[Mapping[str, str]] = {"blocks": "json"}

    def __init__(self, context: NotifierContext) -> None:
        super().__init__(context)
        self._target = web.target(context, "webhook")

    @staticmethod
    def literal(text: str) -> str:
        """Slack's own escaping: without it, ``<!channel>`` in the data would ring everybody."""
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    def seal(self, message: Message) -> bytes:
        try:
            blocks = json.loads(message.parts["blocks"])
        except ValueError as error:
            raise NotifierError(
                f"the template slack/{message.kind}.json.jinja gives no JSON: {error}"
            ) from None
        if not isinstance(blocks, list):
            raise NotifierError(f"the template slack/{message.kind}.json.jinja must give a list of blocks")
        body = {"text": self.literal(message.subject), "blocks": [_short(b) for b in blocks[:_MOST_BLOCKS]]}
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()

    def send(self, sealed: bytes, recipient: str, begin: Callable[[], None]) -> str:  # noqa: ARG002
        from cadran_plugins import posting  # loads TLS and sockets, which checking a file needs not

        return posting.post(self._target, sealed, {}, begin)


def _short(part: Any, inside: str = "") -> Any:
    """A block whose texts are as long as Slack takes them."""
    if isinstance(part, list):
        return [_short(item, inside) for item in part]
    if isinstance(part, dict):
        kind = str(part.get("type", inside))
        return {
            name: _cut(value, _MOST_HEADER if inside == "header" else _MOST_TEXT)
            if name == "text" and isinstance(value, str)
            else _short(value, kind)
            for name, value in part.items()
        }
    return part


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


@hookimpl
def cadran_notifiers() -> list[NotifierEntry]:
    return [NotifierEntry("slack", lambda: SlackNotifier, "Messages to a channel of Slack")]
