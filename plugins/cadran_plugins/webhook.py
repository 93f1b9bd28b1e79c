"""The bundled ``webhook`` notifier: what happened, as JSON to an address of your own, signed.

The signature is that of Standard Webhooks (https://www.standardwebhooks.com): HMAC-SHA256 over ``id.timestamp.body``, in
Base64, in the header ``webhook-signature`` as ``v1,…``; ``webhook-id`` is the delivery's key and the same on every try, so a receiver
knows what it has had; ``webhook-timestamp`` is the try's, so that nobody can play back an old one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from cadran.plugins import Message, Notifier, NotifierContext, NotifierEntry, NotifierError, hookimpl
from cadran_plugins import web

_PREFIX = "whsec_"


class WebhookNotifier(Notifier):
    """Posts a message's data."""

    config_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {
            "url": {"type": "string", "minLength": 1, "description": "Where to post to."},
            "secret": {
                "type": "string",
                "minLength": 16,
                "description": "What posts are signed with: whsec_ and Base64, or any text of 16 characters or more.",
            },
            **web.COMMON,
        },
        "required": ["url"],
        "additionalProperties": False,
    }
    documents = "none"
    sealed_suffix = "json"

    def __init__(self, context: NotifierContext) -> None:
        super().__init__(context)
        self._target = web.target(context, "url")
        self._secret = _key(str(context.config.get("secret", "")))

    def seal(self, message: Message) -> bytes:
        body = {
            "id": message.key,
            "type": f"cadran.{message.kind}",
            "time": message.moment.isoformat(),
            "subject": message.subject,
            "locale": message.locale,
            "link": message.link,
            "data": message.data,
        }
        try:
            return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        except (TypeError, ValueError) as error:
            raise NotifierError(f"the message cannot be said as JSON: {error}") from error

    def send(self, sealed: bytes, recipient: str, begin: Callable[[], None]) -> str:  # noqa: ARG002
        try:
            number = str(json.loads(sealed)["id"])
        except (ValueError, KeyError, TypeError):
            raise NotifierError("this is no message of a webhook") from None
        moment = str(int(time.time()))
        headers = {"webhook-id": number, "webhook-timestamp": moment}
        if self._secret:
            headers["webhook-signature"] = f"v1,{sign(self._secret, number, moment, sealed)}"
        from cadran_plugins import posting  # loads TLS and sockets, which checking a file needs not

        return posting.post(self._target, sealed, headers, begin)


def sign(secret: bytes, number: str, moment: str, body: bytes) -> str:
    """The signature in Base64."""
    signed = b".".join((number.encode(), moment.encode(), body))
    return base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()


def _key(secret: str) -> bytes:
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        hint = "what follows whsec_ has to be Base64"
        raise NotifierError("the secret cannot be read", hint=hint, setting=("secret",)) from None


@hookimpl
def cadran_notifiers() -> list[NotifierEntry]:
    return [NotifierEntry("webhook", lambda: WebhookNotifier, "Signed JSON to an address of your own")]
