"""Which machines may be asked, and how."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Protocol

from cadran.plugins.connector import ConfigError, DataError

_PORTS = {"https": 443, "http": 80}


class Address(Protocol):
    """A URL as httpx takes it apart: what is looked at is what is connected to."""

    @property
    def scheme(self) -> str: ...
    @property
    def raw_host(self) -> bytes: ...
    @property
    def port(self) -> int | None: ...
    @property
    def userinfo(self) -> bytes: ...


class Hosts:
    """``host`` is that machine at the scheme's own port, ``host:port`` at that one, ``*.suffix`` any name that ends so.

    Without TLS only this machine itself is asked, or any that is declared where ``allow_http`` is set.
    """

    def __init__(self, declared: Sequence[str], *, allow_http: bool = False) -> None:
        self.declared, self.allow_http = tuple(map(_ascii, declared)), allow_http

    def check(self, url: Address, before: Address | None = None) -> None:
        """Raises where a URL must not be asked; ``before`` is the one that redirected to it."""
        host = name(url)
        if url.scheme not in _PORTS or not url.raw_host:
            raise ConfigError("this is no web address", hint="write https://…")
        if url.userinfo:
            raise DataError(f"an address at {host} holds a name or password; nothing was sent there")
        if not any(_covers(entry, url) for entry in self.declared):
            whence = f"{name(before)} sends on to {host}" if before is not None else f"{host} is to be asked"
            hint = f"declared are: {', '.join(self.declared) or 'none'}; nothing was sent there"
            raise DataError(f"{whence}, a host that the connector does not declare", hint=hint)
        if before is not None and before.scheme == "https" and url.scheme == "http":
            raise DataError(f"{name(before)} sends on to {host} without TLS; nothing was sent there")
        if url.scheme == "http" and not self.allow_http and not _is_here(url):
            hint = "write https://…, or say 'allow_http: true' for a machine in your own network"
            raise ConfigError(
                f"{host} would be asked without TLS, so that anybody could read along", hint=hint
            )


def name(url: Address) -> str:
    """The host, with its port where that is not the scheme's own."""
    host = url.raw_host.decode("ascii", "replace")
    return f"{host}:{url.port}" if url.port not in (None, _PORTS.get(url.scheme)) else host


def _ascii(entry: str) -> str:
    """A name as URLs have it: by the parser that they are sent with, as older rules make another machine of straße.example."""
    entry = entry.strip().lower()
    if entry.isascii():
        return entry
    import httpx

    star = "*." * entry.startswith("*.")
    try:
        return star + httpx.URL(f"https://{entry.removeprefix(star)}").netloc.decode("ascii")
    except httpx.InvalidURL:
        return entry  # which no URL is at


def _covers(entry: str, url: Address) -> bool:
    host, colon, port = entry.rpartition(":")
    if not colon or not port.isdigit():
        host, port = entry, ""
    wanted = int(port) if port else _PORTS[url.scheme]
    asked = url.raw_host.decode("ascii", "replace").lower()
    fits = asked.endswith(host[1:]) and len(asked) >= len(host) if host.startswith("*.") else asked == host.strip("[]")  # fmt: skip
    return fits and wanted == (url.port or _PORTS[url.scheme])


def _is_here(url: Address) -> bool:
    host = url.raw_host.decode("ascii", "replace")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
