"""The settings of an ``email`` channel."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import SplitResult, unquote, urlsplit

from cadran.plugins import NotifierContext, NotifierError
from cadran_plugins.mail.addresses import Mailbox, mailbox

Tls = Literal["starttls", "if offered", "implicit", "none"]
_PORTS: Mapping[str, int] = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
_HERE = re.compile(r"localhost|127(\.\d{1,3}){3}|::1")
_FORM = "write smtp://user:password@mail.example.com:587, or smtps://…"

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "smtp": {
            "type": "string",
            "minLength": 1,
            "description": "The mail server: smtp://user:password@host:587 (STARTTLS), smtps://… (TLS at once), or smtp+plain://… (none).",
        },
        "from": {"type": "string", "minLength": 3, "description": "The sender: kpi@example.com, or KPIs <kpi@example.com>."},
        "reply_to": {"type": "string", "minLength": 3, "description": "Where answers go."},
        "tls": {
            "enum": ["starttls", "implicit", "none"],
            "description": "How the connection is encrypted, where the address does not say it.",
        },
        "ca_file": {"type": "string", "minLength": 1, "description": "Certificates to trust instead of the system's (PEM)."},
        "timeout": {"type": "number", "exclusiveMinimum": 0, "maximum": 60, "description": "Seconds to wait for each answer (30)."},
        "unsubscribe": {
            "type": "string",
            "pattern": "^(https://|mailto:)",
            "errorMessage": "must begin with https:// or mailto:",
            "description": "Where recipients can end it; {recipient} stands for who. An https one must end it by a POST alone.",
        },
    },
    "required": ["smtp", "from"],
    "additionalProperties": False,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Config:
    host: str
    port: int
    tls: Tls
    sender: Mailbox
    user: str = ""
    password: str = field(default="", repr=False)
    reply_to: Mailbox | None = None
    ca_file: Path | None = None
    timeout: float = 30.0
    unsubscribe: str = ""


def read(context: NotifierContext) -> Config:
    """Raises NotifierError for settings that cannot work. None of its messages holds the server's address, for that may
    hold a password."""
    config = context.config
    url = _url(str(config["smtp"]))
    reply_to, ca_file = config.get("reply_to"), config.get("ca_file")
    return Config(
        host=url.hostname or "",
        port=url.port or _PORTS[url.scheme],
        tls=_tls(url, config.get("tls")),
        sender=_mailbox(str(config["from"]), "from"),
        user=unquote(url.username or ""),
        password=unquote(url.password or ""),
        reply_to=_mailbox(str(reply_to), "reply_to") if reply_to else None,
        ca_file=context.base / str(ca_file) if ca_file else None,
        timeout=float(config.get("timeout", 30)),
        unsubscribe=str(config.get("unsubscribe", "")),
    )


def _url(text: str) -> SplitResult:
    wrong = NotifierError("this is no address of a mail server", hint=_FORM, setting=("smtp",))
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        raise wrong from None
    if (
        url.scheme not in _PORTS
        or not url.hostname
        or port == 0
        or url.path not in ("", "/")
        or url.query
        or url.fragment
    ):
        raise wrong
    if bool(url.username) != bool(url.password):
        raise NotifierError(
            "a mail server wants a user and a password, or neither", hint=_FORM, setting=("smtp",)
        )
    if any(
        not part.isprintable()
        for part in (url.hostname, unquote(url.username or ""), unquote(url.password or ""))
    ):
        raise wrong
    return url


def _tls(url: SplitResult, said: Tls | None) -> Tls:
    by_scheme: Mapping[str, Tls] = {"smtps": "implicit", "smtp+plain": "none"}
    implied = by_scheme.get(url.scheme)
    if said and implied and said != implied:
        hint = "leave 'tls' out, or write smtp://"
        raise NotifierError(
            f"{url.scheme}:// and 'tls: {said}' contradict each other", hint=hint, setting=("tls",)
        )
    if said or implied:
        return said or implied or "starttls"
    return "if offered" if _HERE.fullmatch(url.hostname or "") else "starttls"


def _mailbox(text: str, setting: str) -> Mailbox:
    try:
        return mailbox(text)
    except ValueError as error:
        hint = "write kpi@example.com, or KPIs <kpi@example.com>"
        raise NotifierError(f"'{text[:80]}' {error}", hint=hint, setting=(setting,)) from None
