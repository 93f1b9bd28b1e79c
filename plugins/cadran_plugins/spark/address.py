"""A source's URL (``sc://host:port/;token=…``): whether it can be one, and what of it no message may hold."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from cadran.plugins import ConfigError

_FORM = re.compile(
    r"sc://(?P<host>\[[0-9A-Fa-f:]+\]|[^\s/:;?#@\[\]]+)(?::(?P<port>\d{1,5}))?(?:/(?:;(?P<parameters>[^?#]*))?)?"
)
_HINT = "write sc://host:15002, or with a token sc://host:443/;token=…"
_ENVIRONMENT = "SPARK_CONNECT_AUTHENTICATE_TOKEN"  # where Spark's client finds a token that no URL names
_OPEN = ("use_ssl", "user_agent")  # parameters that are no secrets
_MASK = "***"


@dataclass(frozen=True, slots=True)
class Address:
    """A URL that Spark's client understands."""

    url: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False, default=())
    token: bool = False

    def masked(self, text: str) -> str:
        """A text, such as a server's message, without the URL and what is behind its semicolons."""
        for secret in (self.url, *self.secrets):
            text = text.replace(secret, _MASK)
        return text


def address(url: str) -> Address:
    """Raises ConfigError, which never quotes the URL."""
    url = url.strip()
    found = _FORM.fullmatch(url)
    if found is None or int(found["port"] or 1) not in range(1, 65536):
        raise ConfigError("the url does not name a Spark Connect server", hint=_HINT, setting=("url",))
    pairs = [pair.split("=") for pair in (found["parameters"] or "").split(";") if pair]
    if any(len(pair) != 2 or not pair[0] for pair in pairs):
        hint = "behind the slash stand name=value pairs with semicolons before them; = and ; in a value are written %3D %3B"
        raise ConfigError("the parameters of the url cannot be understood", hint=hint, setting=("url",))
    hidden = [value for name, value in pairs if name not in _OPEN]
    if os.environ.get(_ENVIRONMENT):
        hidden.append(os.environ[_ENVIRONMENT])
    forms = {form for value in hidden for form in (value, unquote(value)) if len(form) > 2}
    token = any(name == "token" for name, _ in pairs) or bool(os.environ.get(_ENVIRONMENT))
    parameters = ";".join("=".join(pair) for pair in pairs)
    plain = url.partition("/;")[0].rstrip("/") + (f"/;{parameters}" if parameters else "")
    return Address(plain, tuple(sorted(forms, key=len, reverse=True)), token)
