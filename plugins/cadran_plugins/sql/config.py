"""The ``sql`` connector's settings: their JSON Schema, and the same as checked values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cadran.plugins import parse_duration


def _duration(description: str) -> dict[str, Any]:
    return {
        "type": "string",
        "pattern": r"^\s*[0-9]+\s*(d|days?|h|hours?|m|min|minutes?|s|seconds?)\s*$",
        "errorMessage": "must be a duration such as '5 minutes', '30s' or '2h'",
        "description": description,
    }


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "description": description, **more}


SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["url"],
    "properties": {
        # Nothing here may be quoted by a message: so its form is checked by the connector, not by a pattern.
        "url": {
            "type": "string",
            "writeOnly": True,
            "description": "Where the database is, as SQLAlchemy writes it: postgresql://user:password@host/database, "
            "mysql://…, mariadb://…, sqlite:///data/shop.sqlite or duckdb:///data/shop.duckdb (relative to this file), "
            'or that of another driver that is installed. Keep it out of the file: "${WAREHOUSE_URL}".',
        },
        "schema": _text("The schema in which tables are looked for: the connection's own unless said."),
        "tables": {
            "type": "object",
            "description": "Tables under names of your own; all others go by their own names.",
            "additionalProperties": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": False,
                "properties": {
                    "table": _text("The table's name in the database."),
                    "schema": _text("The schema it lies in: the source's unless said."),
                    "sql": _text("Instead of a table, one SELECT in the database's own SQL."),
                },
            },
        },
        "statement_timeout": _duration("How long one query may take: 5 minutes unless said."),
        "pool": {
            "type": "object",
            "description": "How many connections a run opens, and how long it waits for one.",
            "additionalProperties": False,
            "properties": {
                "size": {
                    "type": "integer",
                    "minimum": 1,
                    "description": "Connections at the same time: 2 unless said. With 1, rows take the slower way.",
                },
                "wait": _duration("How long to wait for the server to answer: 30 seconds unless said."),
            },
        },
        "pushdown": {
            "type": "string",
            "enum": ["auto", "off", "unverified"],
            "description": "Where scans are computed. auto (unless said): by the database, where cadran's tests prove "
            "that it gives the same numbers; off: the rows are fetched and computed here; unverified: also by "
            "databases of which that is not proved.",
        },
        "fetch": {
            "type": "integer",
            "minimum": 1,
            "description": "Rows that are fetched at a time: 20000 unless said. Fewer need less memory.",
        },
    },
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Declared:
    """One entry of ``tables:``."""

    table: str = ""
    schema: str = ""
    sql: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """What is said about a source; lengths of time are seconds."""

    schema: str = ""
    tables: Mapping[str, Declared] = field(default_factory=dict)
    timeout: float = 300
    connections: int = 2
    wait: float = 30
    rows_per_page: int = 20_000


def settings(config: Mapping[str, Any]) -> Settings:
    """``config`` has been checked against :data:`SCHEMA`."""
    pool = config.get("pool", {})
    return Settings(
        schema=config.get("schema", ""),
        tables={name: Declared(**entry) for name, entry in config.get("tables", {}).items()},
        timeout=_seconds(config.get("statement_timeout", "5 minutes")),
        connections=int(pool.get("size", 2)),
        wait=_seconds(pool.get("wait", "30 seconds")),
        rows_per_page=int(config.get("fetch", 20_000)),
    )


def _seconds(text: str) -> float:
    length = parse_duration(text)
    return length.days * 86400 + length.seconds
