"""What Odoo's refusals mean: it names a Python exception, and says what its users would read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cadran.plugins import AuthError, ConfigError, ConnectorError, DataError, Transient
from cadran.plugins.http import Answer

_KEY = (
    "in Odoo, Preferences > Account security makes a new key; keys end after three months at the latest, and the external API "
    "needs a Custom plan on Odoo Online"
)
_ADDRESS = "check 'url', and 'database' where one is written; before Odoo 19 set protocol: jsonrpc"
_LANGUAGE = "write the code of a language that is installed in Odoo, such as fr_FR"
_RIGHTS = "give the key's user the rights to read it (Settings > Users), or leave the table out"


class NotHere(DataError):
    """There is no such address or model."""


class Forbidden(AuthError):
    """The key is good, but its user may not read this."""


def judge(answer: Answer) -> ConnectorError | None:
    """What an answer means; None: as its status says."""
    if answer.status in (200, 408, 425, 429) or answer.status >= 500:
        failed = answer.status == 200 and answer.url.endswith("/jsonrpc") and b'"error"' in answer.content
        told = answer.json() if failed else {}
        error = told.get("error") if isinstance(told, Mapping) else None
        return _meant(error.get("data") or error, 422) if isinstance(error, Mapping) else None
    told = answer.json() if answer.status != 404 or "json" in answer.headers.get("content-type", "") else {}
    if answer.status == 404 and not (
        isinstance(told, Mapping) and told.get("name")
    ):  # 14 and 15 say it in JSON-RPC's words
        return NotHere("there is no Odoo API at this address", hint=_ADDRESS, setting=("url",))
    return _meant(told, answer.status) if isinstance(told, Mapping) and 400 <= answer.status < 500 else None


def _meant(told: Mapping[str, Any], status: int) -> ConnectorError:
    name, message = str(told.get("name", "")).rpartition(".")[2], str(told.get("message", "")).strip()
    if name in ("Unauthorized", "AccessDenied") or status == 401:
        return AuthError("Odoo does not accept the API key", hint=_KEY, setting=("api_key",))
    if name == "AccessError" or status == 403:
        return Forbidden(f"Odoo does not let the key's user read this: {message}", hint=_RIGHTS)
    if name == "OperationalError" or ("database" in message and ("not exist" in message or "not found" in message)):  # fmt: skip
        return ConfigError(f"Odoo has no such database: {message}", hint="the database's name stands in the database manager, or is the first part of the address", setting=("database",))  # fmt: skip
    if message.startswith("Invalid language code"):
        return ConfigError(
            f"Odoo does not have this language: {message}", hint=_LANGUAGE, setting=("language",)
        )
    if name in ("NotFound", "KeyError") or status == 404:
        return NotHere(f"Odoo has no such model: {message}", hint="its module may not be installed")
    if name in ("SerializationFailure", "LockNotAvailable", "DeadlockDetected", "QueryCanceled"):
        return Transient(f"Odoo is busy: {message}")
    return DataError(f"Odoo refuses the request: {message}")
