"""The ``singer`` connector's settings: their JSON Schema, and the same as checked values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from cadran.plugins import ConfigError, parse_duration
from cadran_plugins.singer.types import declared

METHODS = {"full": "FULL_TABLE", "incremental": "INCREMENTAL", "log": "LOG_BASED"}
_SECRET = re.compile(
    r"(?i)(password|passwd|pwd|passphrase|secret|token|(api|access|private|secret|account)_?key|credentials?|dsn|connection_?string|sqlalchemy_url|pem)$"
)
#: Names of settings that are secrets in most taps.
_USUAL = (
    "password", "token", "secret", "api_key", "api_token", "api_secret", "access_token", "auth_token", "refresh_token", "bearer_token",
    "client_secret", "consumer_secret", "secret_key", "aws_secret_access_key", "private_key",
)  # fmt: skip
_WITHIN = 8  # letters of a text under credentials: what is shorter is the kind of it, or a flag
_NAMES = {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}}
_DURATION = {
    "type": "string",
    "pattern": r"^\s*[0-9]+\s*(h|hours?|m|min|minutes?|s|seconds?)\s*$",
    "errorMessage": "must be a duration such as '10 minutes' or '90s'",
}


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "description": description, **more}


_TABLE = {
    "type": "object",
    "additionalProperties": False,
    "description": "One table.",
    "properties": {
        "stream": _text("The stream's id in the tap's catalog, such as public-orders: the table's name unless said."),
        "key": {
            "description": "The columns that tell a row from all others, where the tap does not say them.",
            "anyOf": [{"type": "string", "minLength": 1}, _NAMES],
        },
        "cursor": _text("The column that grows whenever a row changes: then only changes are read (the tap's replication key)."),
        "method": {
            "type": "string",
            "enum": list(METHODS),
            "description": "How the tap reads: full, incremental (with 'cursor') or log (the database's own log). As the tap says unless said.",
        },
        "columns": {
            "type": "object",
            "additionalProperties": {"type": "string", "minLength": 1},
            "description": "Types by column, over what the tap says: text, bigint, decimal(12,2), double, boolean, date, timestamp, "
            "timestamptz or json.",
        },
        "deletes": {
            "type": "string",
            "enum": ["unseen", "never"],
            "description": "Rows that a read of the whole table does not hold any more are gone (unless said), or never are.",
        },
    },
}  # fmt: skip

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "command": {
            "description": "The tap: a program, relative to this file or found in the PATH, with what is written behind it.",
            "anyOf": [{"type": "string", "minLength": 1}, _NAMES],
        },
        "package": {
            "description": "Or the tap's package with its version, name==1.2.3, perhaps with others that it needs. 'cadran sync' installs it "
            "once, apart from everything else.",
            "anyOf": [{"type": "string", "minLength": 1}, _NAMES],
        },
        "executable": _text("With 'package': the program's name, where the package has several."),
        "python": _text("With 'package': the Python to install it with, such as python3.12: cadran's own unless said."),
        "config": {
            "type": "object",
            "properties": {name: {"writeOnly": True, "description": "A secret."} for name in _USUAL},
            "description": "The tap's own settings, as its documentation names them. Keep secrets out of the file: ${NAME}.",
        },
        "catalog": _text("A file with the tap's catalog, for a tap that cannot make one itself."),
        "catalog_option": {
            "type": "string",
            "enum": ["--catalog", "--properties"],
            "description": "How the tap takes its catalog: --catalog unless said; old ones want --properties.",
        },
        "env": {
            "type": "object",
            "additionalProperties": {"type": "string", "writeOnly": True},
            "description": "Environment variables for the tap. Of those of cadran it sees only what programs need to run.",
        },
        "numbers": _text(
            "The type of columns that the tap calls numbers without saying more, such as decimal(18,4): double unless said."
        ),
        "silence": {**_DURATION, "description": "How long the tap may say nothing before it is ended: 10 minutes unless said."},
        "final_state": {
            "type": "boolean",
            "description": "false for a tap that writes no state at its end: then one that breaks off without an error is taken to be done.",
        },
        "tables": {
            "type": "object",
            "minProperties": 1,
            "description": "The tables, each under its name. Without it: all that the tap offers, by the names that it gives them.",
            "additionalProperties": _TABLE,
        },
    },
    "additionalProperties": False,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Declared:
    """One entry of ``tables:``. ``where`` is its place in the settings."""

    stream: str
    key: tuple[str, ...] = ()
    cursor: str = ""
    method: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    deletes: Literal["unseen", "never"] = "unseen"
    where: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """``tables`` None: all that there are. ``silence`` in seconds."""

    command: tuple[str, ...]
    packages: tuple[str, ...]
    executable: str
    python: str
    config: Mapping[str, Any] = field(repr=False)
    catalog: str
    catalog_option: str
    numbers: str
    env: Mapping[str, str] = field(repr=False)
    silence: float
    final_state: bool
    tables: Mapping[str, Declared] | None


def settings(config: Mapping[str, Any]) -> Settings:
    """``config`` has been checked against :data:`SCHEMA`. Raises :class:`ConfigError`."""
    if ("command" in config) == ("package" in config):
        message = (
            "'command' and 'package' are two taps" if "command" in config else "nothing says which tap is run"
        )
        hint = "say 'command', a program that is there, or 'package', one to install: name==version"
        raise ConfigError(message, hint=hint, setting=("package",) if "command" in config else ())
    for word in ("executable", "python"):
        if word in config and "package" not in config:
            raise ConfigError(f"'{word}' means nothing without 'package'", hint="remove it", setting=(word,))
    packages = _list(config.get("package", ()))
    for package in packages:
        if package.startswith("-"):
            raise ConfigError(f"'{package}' is no package", hint="write name==1.2.3", setting=("package",))
    if packages and not re.search(r"==\s*[^\s*]+$|\s@\s", packages[0]):
        hint = f"write {re.split('[<>=~! ]', packages[0])[0]}==1.2.3, so that everybody runs the same"
        raise ConfigError("the package has no version", hint=hint, setting=("package",))
    length = parse_duration(config.get("silence", "10 minutes"))
    tables = config.get("tables")
    return Settings(
        _list(config.get("command", ())), packages, config.get("executable", ""), config.get("python", ""), config.get("config", {}),
        config.get("catalog", ""), config.get("catalog_option", "--catalog"), _numbers(config), config.get("env", {}), length.days * 86400.0 + length.seconds,
        bool(config.get("final_state", True)), None if tables is None else {n: _declared(n, t) for n, t in tables.items()},
    )  # fmt: skip


def _numbers(config: Mapping[str, Any]) -> str:
    if "numbers" not in config:
        return "DOUBLE"
    found = declared(config["numbers"], ("numbers",))
    if not found.startswith(("DECIMAL", "DOUBLE")):
        hint = "say double, or a decimal such as decimal(18,4)"
        raise ConfigError(
            f"'{config['numbers']}' holds no numbers with a point", hint=hint, setting=("numbers",)
        )
    return found


def _declared(name: str, entry: Mapping[str, Any]) -> Declared:
    where, method = ("tables", name), entry.get("method", "")
    if method == "incremental" and "cursor" not in entry:
        raise ConfigError("'method: incremental' needs 'cursor'", hint="the column that grows whenever a row changes", setting=(*where, "method"))  # fmt: skip
    if method == "full" and "cursor" in entry:
        raise ConfigError("'cursor' means nothing with 'method: full'", hint="remove one of the two", setting=(*where, "cursor"))  # fmt: skip
    return Declared(
        entry.get("stream", name), _list(entry.get("key", ())), entry.get("cursor", ""), method, entry.get("columns", {}),
        entry.get("deletes", "unseen"), where,
    )  # fmt: skip


def _list(said: str | Sequence[str]) -> tuple[str, ...]:
    return (said,) if isinstance(said, str) else tuple(said)


def secrets(value: Any, key: str = "", within: bool = False) -> Iterator[str]:
    """What of a tap's own settings nobody else may read: cadran knows no tap's schema, so it goes by the names of the keys."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from secrets(inner, str(name), within or bool(_SECRET.search(key)))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from secrets(inner, key, within)
    elif isinstance(value, str) and len(value) > 1:
        if _SECRET.search(key) or (within and len(value) >= _WITHIN):
            yield value
        if "://" in value and (password := _password(value)):
            yield password


def _password(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:
        return ""
