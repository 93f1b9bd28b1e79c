"""The ``hubspot`` connector's settings: their JSON Schema, and the same as checked values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from cadran.plugins import ConfigError, parse_duration
from cadran.plugins.http import SETTINGS

OBJECTS = ("contacts", "companies", "deals", "orders")
ACTIVITIES = ("calls", "emails", "meetings", "notes", "tasks")
_NAMES = {
    "type": "array",
    "items": {
        "type": "string",
        "pattern": "^[a-z0-9_]+$",
        "errorMessage": "must be the internal name of a property",
    },
}

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["token"],
    "properties": {
        "token": {
            "type": "string",
            "minLength": 1,
            "writeOnly": True,
            "description": 'The access token of a private app in HubSpot. Keep it out of the file: "${HUBSPOT_TOKEN}".',
        },
        "url": {
            "type": "string",
            "minLength": 1,
            "description": "Where the API is: https://api.hubapi.com unless said.",
        },
        "version": {
            "type": "string",
            "enum": ["v3", "2026-09"],
            "description": "Which version of the API gives the objects: v3 unless said.",
        },
        "activities": {
            "type": "array",
            "items": {"type": "string", "enum": list(ACTIVITIES)},
            "minItems": 1,
            "uniqueItems": True,
            "description": "Which activities the table of that name holds: all unless said.",
        },
        "properties": {
            "type": "object",
            "description": "Further properties to read, by their internal names: those whose names begin with hs_ and those that HubSpot hides.",
            "additionalProperties": False,
            "properties": dict.fromkeys(OBJECTS, _NAMES),
        },
        "timeout": {
            "type": "string",
            "pattern": r"^\s*[0-9]+\s*(m|min|minutes?|s|seconds?)\s*$",
            "errorMessage": "must be a duration such as '30s' or '2 minutes'",
            "description": "How long HubSpot may say nothing: 60 seconds unless said.",
        },
        **SETTINGS,
    },
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """``timeout`` in seconds."""

    token: str = field(repr=False)
    url: str = "https://api.hubapi.com"
    version: str = "v3"
    activities: tuple[str, ...] = ACTIVITIES
    properties: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    timeout: float = 60.0

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc


def settings(config: Mapping[str, Any]) -> Settings:
    """``config`` has been checked against :data:`SCHEMA`. Raises ConfigError."""
    url = str(config.get("url", "https://api.hubapi.com")).rstrip("/")
    length = parse_duration(config.get("timeout", "60s"))
    chosen = config.get("activities", ACTIVITIES)
    return Settings(
        token=_token(str(config["token"])),
        url=_address(url),
        version=config.get("version", "v3"),
        activities=tuple(kind for kind in ACTIVITIES if kind in chosen),
        properties={kind: tuple(names) for kind, names in config.get("properties", {}).items()},
        timeout=length.days * 86400 + length.seconds,
    )


def _token(token: str) -> str:
    """What cannot stand in a header is no token; the message does not quote it."""
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        hint = "copy the access token of the private app in HubSpot (it begins with pat-)"
        raise ConfigError("this is no access token", hint=hint, setting=("token",))
    return token


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        right = right and not (parts.username or parts.password or parts.query or parts.fragment)
    except ValueError:
        right = False
    if not right:
        raise ConfigError(
            "this is no web address", hint="leave 'url' out for HubSpot itself", setting=("url",)
        )
    return url
