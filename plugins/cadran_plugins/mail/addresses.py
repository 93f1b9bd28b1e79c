"""Mail addresses: which are one, and how they are written on the wire. Nothing that is not one plain address gets through."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LOCAL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+)*"
)
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)
_LONGEST = 254  # RFC 5321 with RFC 3696's erratum
_NAMED = re.compile(r"\s*(?:\"([^\"\\]*)\"|([^<>\"]*?))\s*<([^<>]*)>\s*")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """``domain`` is as mail servers look it up: in ASCII."""

    local: str
    domain: str
    name: str = ""

    @property
    def address(self) -> str:
        return f"{self.local}@{self.domain}"

    @property
    def is_ascii(self) -> bool:
        return self.local.isascii()


def address(text: str) -> Mailbox:
    """One address without a name: a dot-atom before the ``@``, letters of any script among it, and a name of DNS behind it
    (RFC 5321, RFC 6531). Raises ValueError."""
    local, at, domain = text.rpartition("@")
    if not at or not text.isprintable() or not _LOCAL.fullmatch(local) or len(local.encode()) > 64:
        raise ValueError("is no mail address")
    try:
        ascii_domain = domain.encode("idna").decode() if not domain.isascii() else domain
    except UnicodeError:
        raise ValueError("is no mail address: its domain cannot be one") from None
    labels = ascii_domain.split(".")
    if not all(_LABEL.fullmatch(label) for label in labels) or len(ascii_domain) > 253:
        raise ValueError("is no mail address: its domain cannot be one")
    if len(f"{local}@{ascii_domain}".encode()) > _LONGEST:
        raise ValueError("is too long for a mail address")
    return Mailbox(local, ascii_domain)


def mailbox(text: str) -> Mailbox:
    """An address that may have a name: ``Sales <sales@example.com>``. Raises ValueError."""
    found = _NAMED.fullmatch(text)
    if found is None:
        return address(text.strip())
    name = found[1] if found[1] is not None else found[2]
    if not name.isprintable():
        raise ValueError("has a name that no header can hold")
    plain = address(found[3].strip())
    return Mailbox(plain.local, plain.domain, name)
