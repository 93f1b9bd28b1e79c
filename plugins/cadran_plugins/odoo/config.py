"""The ``odoo`` connector's settings: their JSON Schema, and the same as checked values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from cadran.plugins import ConfigError
from cadran.plugins.http import SETTINGS


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "description": description, **more}


SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["url", "api_key"],
    "properties": {
        "url": _text("Where Odoo is, as in the browser's address line: https://belvoir.odoo.com."),
        "api_key": _text(
            "An API key of the user that reads (Preferences > Account security > New API key). Keep it out of the file: "
            '"${ODOO_API_KEY}".',
            writeOnly=True,
        ),
        "database": _text("The database's name: needed before Odoo 19, and where one server has several."),
        "login": _text("The user's login, such as an address: needed before Odoo 19."),
        "protocol": {
            "type": "string",
            "enum": ["auto", "json2", "jsonrpc"],
            "description": "How Odoo is asked: json2 from Odoo 19 on, jsonrpc before; auto (unless said) tries.",
        },
        "language": _text("The language whose labels name your own fields: en_US unless said."),
        "models": {
            "type": "object",
            "description": "More tables, by names of your own: the model that each is, such as repairs: repair.order.",
            "additionalProperties": {
                "type": "string",
                "pattern": r"^[a-z0-9_]+(\.[a-z0-9_]+)+$",
                "errorMessage": "must be the technical name of a model, such as repair.order",
            },
        },
        "page": {
            "type": "integer",
            "minimum": 1,
            "maximum": 10_000,
            "description": "Records in one request: 1000 unless said.",
        },
        "timeout": {
            "type": "integer",
            "minimum": 1,
            "description": "Seconds that Odoo may say nothing: 120 unless said.",
        },
        **SETTINGS,
    },
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """``base`` is the address, ``host`` the one machine that is asked."""

    base: str
    host: str
    key: str
    database: str = ""
    login: str = ""
    protocol: str = "auto"
    language: str = "en_US"
    models: Mapping[str, str] = field(default_factory=dict)
    page: int = 1000
    timeout: int = 120

    @property
    def names_database(self) -> bool:
        """Whether ``/json/2`` is told the database's name. Odoo Online finds it by the host, and where one is named it finds nothing."""
        return bool(self.database) and not self.host.endswith(".odoo.com")


def settings(config: Mapping[str, Any]) -> Settings:
    """``config`` has been checked against :data:`SCHEMA`."""
    base = str(config["url"]).strip().rstrip("/").removesuffix("/odoo").removesuffix("/web")
    parts = urlsplit(base)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.username:
        hint = "write https:// and the host, such as https://belvoir.odoo.com"
        raise ConfigError("the address of Odoo cannot be read", hint=hint, setting=("url",))
    return Settings(
        base=base,
        host=parts.netloc,
        key=str(config["api_key"]),
        database=str(config.get("database", "")),
        login=str(config.get("login", "")),
        protocol=str(config.get("protocol", "auto")),
        language=str(config.get("language", "en_US")),
        models=dict(config.get("models", {})),
        page=int(config.get("page", 1000)),
        timeout=int(config.get("timeout", 120)),
    )
