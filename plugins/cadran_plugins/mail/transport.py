"""One mail to one recipient over SMTP, with every way to fail told apart (RFC 5321).

| what happens | what it means |
|---|---|
| no connection, no TLS, a wrong password, or any refusal before ``MAIL`` | deferred: it is about the server or the settings, which can be put right before a message's deadline |
| 4xx at any later step | deferred |
| 5xx at ``MAIL``, ``RCPT``, ``DATA`` or after the mail | failed |
| lost before the final dot could be sent | deferred: a server must not take half a mail |
| lost afterwards, or an answer that is none | unknown |
"""

from __future__ import annotations

import base64
import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from cadran.plugins import Deferred, NotifierError, Unknown
from cadran_plugins.mail.config import Config
from cadran_plugins.patience import Patience

_LONGEST = 300  # characters of a server's answer
_LOST = (OSError, smtplib.SMTPServerDisconnected, smtplib.SMTPResponseException)


def transmit(config: Config, recipient: str, content: bytes, begin: Callable[[], None]) -> str:
    """Sends the mail and gives what the server said. Raises as the table says."""
    with _connected(config) as server:
        options = _options(server, recipient, content)
        _expect(
            config,
            "the sender was refused",
            _step(config, lambda: server.mail(config.sender.address, options)),
        )
        _expect(
            config,
            "the recipient was refused",
            _step(config, lambda: server.rcpt(recipient)),
            (250, 251, 252),
        )
        _expect(config, "the mail was refused", _step(config, lambda: server.docmd("DATA")), (354,))
        begin()
        _step(config, lambda: server.send(_stuffed(content)))
        said = _taken(config, *_finished(config, server))
    return f"{config.host} took it: {said}" if said else f"{config.host} took it"


@contextmanager
def _connected(config: Config) -> Iterator[smtplib.SMTP]:
    patience = Patience()
    try:
        server = _opened(config, patience)
    except BaseException:
        patience.close()
        raise
    try:
        _before(config, "EHLO was refused", server.ehlo)
        if config.tls in ("starttls", "if offered"):
            _encrypt(config, server)
        _log_in(config, server)
        yield server
        with suppress(*_LOST):
            server.quit()
    finally:
        patience.close()
        server.close()


def _trusted(config: Config) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(config.ca_file) if config.ca_file else None)
    except OSError as error:
        raise Deferred(
            f"'ca_file' cannot be read: {error.strerror or error}", setting=("ca_file",)
        ) from error


class _Watched:
    """Lets a connection's time run from its first byte: before a server has welcomed anybody."""

    def __init__(self, patience: Patience, *args: Any, **kwargs: Any) -> None:
        self._patience = patience
        super().__init__(*args, **kwargs)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        found: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        self._patience.watch(found)
        return found


class _Plain(_Watched, smtplib.SMTP): ...


class _Implicit(_Watched, smtplib.SMTP_SSL): ...


def _opened(config: Config, patience: Patience) -> smtplib.SMTP:
    """A connection that has been welcomed."""
    name = socket.gethostname() if "." in socket.gethostname() else config.sender.domain
    where = (patience, config.host, config.port, name)
    try:
        if config.tls == "implicit":
            return _Implicit(*where, timeout=config.timeout, context=_trusted(config))
        return _Plain(*where, timeout=config.timeout)
    except smtplib.SMTPConnectError as error:
        said = _said(config, error.smtp_error)
        raise Deferred(f"{config.host} turns everybody away: {error.smtp_code} {said}") from None
    except _LOST as error:
        raise _lost(config, error) from None


def _encrypt(config: Config, server: smtplib.SMTP) -> None:
    trust = _trusted(config)
    if not server.has_extn("starttls"):
        if config.tls == "if offered":
            return
        hint = "use smtps:// if it encrypts from the start, or 'tls: none' if it never does"
        raise Deferred(f"{config.host} offers no STARTTLS", hint=hint, setting=("smtp",))
    _before(config, "STARTTLS was refused", lambda: server.starttls(context=trust), (220,))
    _before(config, "EHLO was refused", server.ehlo)


def _log_in(config: Config, server: smtplib.SMTP) -> None:
    if not config.user:
        return
    if not server.has_extn("auth"):
        raise Deferred(f"{config.host} takes no passwords on this connection", setting=("smtp",))
    try:
        server.login(config.user, config.password)
    except smtplib.SMTPAuthenticationError as error:
        said = _said(config, error.smtp_error)
        raise Deferred(
            f"{config.host} refused user and password: {error.smtp_code} {said}", setting=("smtp",)
        ) from None
    except smtplib.SMTPNotSupportedError:
        raise Deferred(f"{config.host} knows no way to log in that cadran knows", setting=("smtp",)) from None
    except (*_LOST, UnicodeError) as error:
        raise _lost(config, error) from None


def _options(server: smtplib.SMTP, recipient: str, content: bytes) -> list[str]:
    """Of MAIL. Raises NotifierError for a mail that the server says it does not take."""
    options = []
    if server.has_extn("size"):
        options.append(f"size={len(content)}")
        most = server.esmtp_features["size"].split()
        if most and most[0].isdigit() and 0 < int(most[0]) < len(content):
            raise NotifierError(
                f"the mail has {len(content):,} bytes, and the server takes {int(most[0]):,}".replace(
                    ",", " "
                ),
                hint="attach less",
            )
    if not recipient.isascii() or not content.partition(b"\r\n\r\n")[0].isascii():
        if not server.has_extn("smtputf8"):
            raise NotifierError(
                "the server takes no addresses beyond ASCII", hint="use an address in plain letters"
            )
        options += ["SMTPUTF8", "BODY=8BITMIME"]
    return options


def _before(
    config: Config, what: str, step: Callable[[], tuple[int, bytes]], right: tuple[int, ...] = (250,)
) -> None:
    """A step before the mail itself, in which every refusal is about the server."""
    code, answer = _step(config, step)
    if code not in right:
        raise Deferred(f"{config.host}: {what}: {code} {_said(config, answer)}", setting=("smtp",))


def _step(config: Config, step: Callable[[], tuple[int, bytes] | None]) -> tuple[int, bytes]:
    """An answer; what keeps it from coming is raised as Deferred."""
    try:
        return step() or (0, b"")
    except _LOST as error:
        raise _lost(config, error) from None


def _expect(config: Config, what: str, got: tuple[int, bytes], right: tuple[int, ...] = (250,)) -> str:
    """What the server said with a code that is right."""
    code, answer = got
    said = _said(config, answer)
    if code in right:
        return said
    kind = NotifierError if 500 <= code < 600 else Deferred
    raise kind(f"{config.host}: {what}: {code} {said}")


def _taken(config: Config, code: int, answer: bytes) -> str:
    """What the server said of the whole mail: by its first digit, for any 2 is a yes (RFC 5321, 4.2), and what is no answer
    says nothing of the mail, which is there."""
    if 200 <= code < 300:
        return _said(config, answer)
    if 400 <= code < 600:
        return _expect(config, "the mail was refused", (code, answer))
    raise Unknown(f"{config.host}: an answer that means nothing, after all of the mail had gone out: {_said(config, answer)}")  # fmt: skip


def _finished(config: Config, server: smtplib.SMTP) -> tuple[int, bytes]:
    try:
        server.send(b".\r\n")
        return server.getreply()
    except _LOST as error:
        reason = _lost(config, error).message
        raise Unknown(f"{reason}, after all of the mail had gone out") from None


def _lost(config: Config, error: Exception) -> Deferred:
    hint = ""
    if isinstance(error.__context__, OSError):  # what smtplib has put into words of its own
        error = error.__context__
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = f"its certificate does not hold: {error.verify_message}"
        hint = "put the name that the certificate has into 'smtp', or name who signed it in 'ca_file'"
    elif isinstance(error, ssl.SSLError):
        reason = f"no TLS: {error.reason or 'the connection broke'}"
    elif isinstance(error, TimeoutError):
        reason = f"no answer within {config.timeout:g} s"
    elif isinstance(error, socket.gaierror):
        reason = "there is no host of that name"
    elif isinstance(error, OSError) and not isinstance(error, smtplib.SMTPException):
        reason = error.strerror or type(error).__name__
    else:
        reason = "the connection was lost"
    return Deferred(f"{config.host}: {reason}", hint=hint, setting=("smtp",))


def _said(config: Config, answer: bytes | str) -> str:
    """A server's answer on one line, without the password, which some repeat."""
    text = answer if isinstance(answer, str) else answer.decode("utf-8", "replace")
    text = " ".join(text.split())
    text = "".join(letter for letter in text if letter.isprintable())
    for secret in _forms(config):
        text = text.replace(secret, "***")
    return text[:_LONGEST]


def _forms(config: Config) -> list[str]:
    if not config.password:
        return []
    plain = f"\0{config.user}\0{config.password}".encode()
    coded = [base64.b64encode(part).decode() for part in (plain, config.password.encode())]
    return [*coded, config.password]


def _stuffed(content: bytes) -> bytes:
    """Lines end in CRLF, a dot at the start of one is doubled, and the last line is whole (RFC 5321, 4.5.2)."""
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", content)
    lines = re.sub(rb"(?m)^\.", b"..", lines)
    return lines if lines.endswith(b"\r\n") else lines + b"\r\n"
