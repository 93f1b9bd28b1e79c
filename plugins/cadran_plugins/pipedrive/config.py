"""The ``pipedrive`` connector's settings: their JSON Schema, and the same as checked values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cadran.plugins import ConfigError
from cadran.plugins.http import SETTINGS

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["token"],
    "properties": {
        "token": {
            "type": "string",
            "minLength": 1,
            "writeOnly": True,
            "description": "The API token of a user who sees all deals (Personal preferences > API). Keep it out of the file: "
            '"${PIPEDRIVE_TOKEN}".',
        },
        "company": {
            "type": "string",
            "minLength": 1,
            "description": "What stands before .pipedrive.com in the browser's address line: belvoir, for belvoir.pipedrive.com.",
        },
        "url": {
            "type": "string",
            "minLength": 1,
            "description": "Instead of company: the whole address, such as https://belvoir.pipedrive.com.",
        },
        "burst": {
            "type": "integer",
            "minimum": 1,
            "description": "The most requests in two seconds, where other programs need their share: unless said, as many as Pipedrive says are left.",
        },
        "timeout": {
            "type": "integer",
            "minimum": 1,
            "description": "Seconds that Pipedrive may say nothing: 60 unless said.",
        },
        **SETTINGS,
    },
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """``base`` is the address, ``host`` the one machine that is asked."""

    token: str
    base: str
    host: str
    burst: int = 0  # as many as Pipedrive says
    timeout: int = 60


def settings(config: Mapping[str, Any]) -> Settings:
    """``config`` has been checked against :data:`SCHEMA`."""
    company = str(config.get("company", "")).strip().removesuffix(".pipedrive.com")
    if not company and "url" not in config:
        raise ConfigError("'company' is missing", hint="write company: belvoir, for belvoir.pipedrive.com")
    if "url" not in config and not company.replace("-", "").isalnum():
        hint = "write what stands before .pipedrive.com in the browser's address line"
        raise ConfigError(f"'{company}' is no company of Pipedrive", hint=hint, setting=("company",))
    base = str(config.get("url") or f"https://{company}.pipedrive.com").rstrip("/")
    parts = urlsplit(base)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.path or parts.username:
        hint = "write https:// and the host, such as https://belvoir.pipedrive.com"
        raise ConfigError("the address of Pipedrive cannot be read", hint=hint, setting=("url",))
    return Settings(
        token=str(config["token"]),
        base=base,
        host=parts.netloc,
        burst=int(config.get("burst", 0)),
        timeout=int(config.get("timeout", 60)),
    )
