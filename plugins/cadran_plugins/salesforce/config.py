"""What a source of Salesforce is told in ``kpis.yaml``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from cadran.plugins import ConfigError
from cadran.plugins.http import SETTINGS

CONFIG_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "domain": {"type": "string", "minLength": 1, "description": "The org's My Domain: belvoir.my.salesforce.com."},
        "url": {"type": "string", "minLength": 1, "description": "Instead of domain: the whole address, for a proxy."},
        "client_id": {"type": "string", "minLength": 1, "description": "The consumer key of the app that was made for cadran."},
        "client_secret": {"type": "string", "minLength": 1, "writeOnly": True, "description": "The app's consumer secret."},
        "private_key": {"type": "string", "minLength": 1, "writeOnly": True, "description": "Instead of client_secret: the PEM key whose certificate the app holds; it signs for username."},
        "username": {"type": "string", "minLength": 1, "description": "Whom private_key signs for."},
        "version": {"type": "string", "pattern": r"^[1-9][0-9]\.0$", "default": "66.0", "description": "The version of the API."},
        "bulk": {"enum": ["auto", "always", "never"], "default": "auto", "description": "Whether the Bulk API is asked: for much, always, never."},
        "objects": {"type": "array", "items": {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_]*$"}, "uniqueItems": True, "description": "Objects that are tables as well, by their API names: [Contract, Invoice__c]."},
        **SETTINGS,
    },
    "required": ["client_id"],
    "additionalProperties": False,
}  # fmt: skip

_LIGHTNING = (".lightning.force.com", ".my.salesforce-setup.com")


@dataclass(frozen=True, slots=True)
class Config:
    url: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    username: str = ""
    version: str = "66.0"
    bulk: Literal["auto", "always", "never"] = "auto"
    objects: Sequence[str] = ()

    @property
    def host(self) -> str:
        return self.url.split("://", 1)[1]

    @property
    def data(self) -> str:
        """The path that all of the API lies under."""
        return f"/services/data/v{self.version}"


def config_of(settings: Mapping[str, Any]) -> Config:
    """Raises :class:`ConfigError`."""
    known = {
        name: settings[name] for name in Config.__dataclass_fields__ if name in settings and name != "url"
    }
    config = Config(_address(settings), **known)
    if bool(config.client_secret) == bool(config.private_key):
        both = "are both given" if config.client_secret else "are both missing"
        raise ConfigError(
            f"client_secret and private_key {both}",
            hint="client_secret is for an app with the client credentials flow; private_key, with username, for one with a certificate",
            setting=("private_key",) if config.private_key else ("client_id",),
        )
    if config.private_key and not config.username:
        raise ConfigError("private_key needs username", hint="say whom it signs for: username: kpi@example.com", setting=("private_key",))  # fmt: skip
    return config


def _address(settings: Mapping[str, Any]) -> str:
    if ("domain" in settings) == ("url" in settings):
        raise ConfigError("say either domain or url", hint="domain: YOURS.my.salesforce.com", setting=("url",) if "url" in settings else ())  # fmt: skip
    if "url" in settings:
        url = settings["url"].rstrip("/")
        if not re.fullmatch(r"https?://[^/?#@\s]+", url):
            hint = "it is https://, a host and nothing more: https://belvoir.my.salesforce.com"
            raise ConfigError("url is no address of a machine", hint=hint, setting=("url",))
        return str(url)
    domain = re.sub(r"^https://|/.*$", "", settings["domain"].strip()).lower()
    for wrong in _LIGHTNING:
        if domain.endswith(wrong):
            hint = f"{domain.removesuffix(wrong)}.my.salesforce.com, as Setup says under My Domain"
            raise ConfigError(
                f"{domain} is where people work, and not where programs ask", hint=hint, setting=("domain",)
            )
    if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.salesforce\.com", domain):
        hint = "Setup says it under My Domain: belvoir.my.salesforce.com"
        raise ConfigError(f"{domain} is no domain of Salesforce", hint=hint, setting=("domain",))
    return f"https://{domain}"
