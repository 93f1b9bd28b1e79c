"""Where notifiers of the web post to: the settings that they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from cadran.plugins import NotifierContext, NotifierError

COMMON: Mapping[str, Any] = {
    "timeout": {"type": "number", "exclusiveMinimum": 0, "maximum": 60, "description": "Seconds to wait for each answer (30)."},
    "allow_private": {"type": "boolean", "description": "Whether it may lie in the own network, and be reached without TLS."},
    "ca_file": {"type": "string", "minLength": 1, "description": "Certificates to trust instead of the system's (PEM)."},
    "proxy": {"type": "string", "pattern": "^https?://", "description": "A proxy to go through; it then looks up names."},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """Where to post. ``setting`` is what holds the address, ``secret`` whether the address is one."""

    url: str = field(repr=False)
    setting: str
    secret: bool = True
    timeout: float = 30.0
    allow_private: bool = False
    ca_file: Path | None = None
    proxy: str = field(default="", repr=False)

    @property
    def parts(self) -> SplitResult:
        return urlsplit(self.url)

    @property
    def host(self) -> str:
        return self.parts.hostname or ""


def target(context: NotifierContext, setting: str, *, secret: bool = True) -> Target:
    """From a channel's settings. Raises NotifierError for an address that cannot be one."""
    config = context.config
    url, allow_private = str(config[setting]), bool(config.get("allow_private", False))
    try:
        parts = urlsplit(url)
        right = (
            parts.scheme in ("https", "http")
            and bool(parts.hostname)
            and parts.port != 0
            and url.isprintable()
        )
        named = bool(parts.username or parts.password)
    except ValueError:
        right = named = False
    if not right or named:
        raise NotifierError("this is no web address", hint="write https://…", setting=(setting,))
    if parts.scheme == "http" and not allow_private:
        hint = "write https://…, or say 'allow_private: true' for one in your own network"
        raise NotifierError("an address without TLS", hint=hint, setting=(setting,))
    _check_proxy(str(config.get("proxy", "")))
    ca_file = config.get("ca_file")
    return Target(
        url, setting, secret, float(config.get("timeout", 30)), allow_private,
        context.base / str(ca_file) if ca_file else None, str(config.get("proxy", "")),
    )  # fmt: skip


def _check_proxy(proxy: str) -> None:
    """Raises NotifierError, which does not quote it: it may hold a password."""
    try:
        right = not proxy or (bool(urlsplit(proxy).hostname) and urlsplit(proxy).port != 0)
    except ValueError:
        right = False
    if not right:
        raise NotifierError(
            "this is no address of a proxy", hint="write http://host:3128", setting=("proxy",)
        )
