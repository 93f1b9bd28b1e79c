"""Messages to Acme: JSON, posted to an address."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

from cadran.plugins import Deferred, Message, Notifier, NotifierContext, NotifierError, Unknown


class AcmeNotifier(Notifier):
    """A message becomes bytes once (``seal``), which every try sends (``send``)."""

    config_schema = {
        "type": "object",
        "properties": {
            "url": {"type": "string", "pattern": "^https?://", "description": "Where messages are posted to"},
            "token": {"type": "string", "writeOnly": True, "description": "A token that may post"},
        },
        "required": ["url", "token"],
        "additionalProperties": False,
    }
    sealed_suffix = "json"
    documents = "none"

    def __init__(self, context: NotifierContext) -> None:
        super().__init__(context)
        self._url = urlsplit(str(context.config["url"]))

    def seal(self, message: Message) -> bytes:
        said = {"key": message.key, "kind": message.kind, "subject": message.subject, "link": message.link}
        return json.dumps(said, ensure_ascii=False, sort_keys=True).encode()

    def send(self, sealed: bytes, recipient: str, begin: Callable[[], None]) -> str:
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        host = self._url.hostname or ""
        connection = kind(host, self._url.port, timeout=30)
        headers = {
            "content-type": "application/json",
            "authorization": f"Bearer {self.context.config['token']}",
        }
        try:
            try:
                connection.connect()
            except ssl.SSLCertVerificationError as error:  # trying again changes nothing
                raise NotifierError(
                    f"the certificate of {host} is not trusted: {error.verify_message}",
                    hint="is the address right? A proxy of your network may stand in between: its certificate goes to SSL_CERT_FILE",
                    setting=["url"],
                ) from None
            except ssl.SSLError as error:
                raise NotifierError(
                    f"{host} does not speak TLS: {error.reason}",
                    hint="is it http://, or another port?",
                    setting=["url"],
                ) from None
            except OSError as error:  # nothing has gone out
                raise Deferred(
                    f"{host} cannot be reached: {error.strerror or error}", hint="it is tried again"
                ) from None
            begin()  # from here on it may arrive
            try:
                target = self._url._replace(
                    scheme="", netloc="", fragment=""
                ).geturl()  # the path and what follows ?
                connection.request("POST", target or "/", sealed, headers)
                status = connection.getresponse().status
            except (OSError, http.client.HTTPException):
                raise Unknown(f"{host} took the message and said nothing more") from None
        finally:
            connection.close()
        if status == 429 or status >= 500:
            raise Deferred(f"{host} answered {status}", hint="it is tried again")
        if status >= 300:
            raise NotifierError(
                f"{host} answered {status}", hint="see whether the token is good", setting=["token"]
            )
        return f"posted to {host}"
