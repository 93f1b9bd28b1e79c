"""The ``spark`` connector's settings: their JSON Schema, and the same as checked values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cadran.plugins import parse_duration


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
            "description": "Where the Spark Connect server is: sc://host:15002/;token=…, with further parameters "
            'behind semicolons. Keep it out of the file: "${SPARK_URL}".',
        },
        "catalog": _text("The catalog in which tables are looked for: the server's own unless said."),
        "schema": _text("The schema in which tables are looked for: the server's own unless said."),
        "tables": {
            "type": "object",
            "description": "Tables under names of your own; all others go by their own names.",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "minProperties": 1,
                "properties": {
                    "table": _text("The table or view: name, schema.name or catalog.schema.name."),
                    "sql": _text("Instead of a table, one SELECT in Spark SQL."),
                    "path": _text(
                        "Instead of a table, files that the cluster reads, such as s3://lake/orders."
                    ),
                    "format": {
                        "type": "string",
                        "pattern": "^[A-Za-z][A-Za-z0-9_]*$",
                        "errorMessage": "must be the name of a format, such as parquet, delta, iceberg or orc",
                        "description": "What the files of 'path' are: parquet unless said.",
                    },
                },
            },
        },
        "statement_timeout": {
            "type": "string",
            "pattern": r"^\s*[0-9]+\s*(d|days?|h|hours?|m|min|minutes?|s|seconds?)\s*$",
            "errorMessage": "must be a duration such as '5 minutes', '30s' or '2h'",
            "description": "How long one query may take: 30 minutes unless said.",
        },
        "pushdown": {
            "type": "string",
            "enum": ["auto", "off"],
            "description": "Where scans are computed. auto (unless said): on the cluster; off: the rows are fetched "
            "and computed here.",
        },
    },
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Declared:
    """One entry of ``tables:``."""

    table: str = ""
    sql: str = ""
    path: str = ""
    format: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """What is said about a source; ``timeout`` in seconds."""

    catalog: str = ""
    schema: str = ""
    tables: Mapping[str, Declared] = field(default_factory=dict)
    timeout: float = 1800


def settings(config: Mapping[str, Any]) -> Settings:
    """``config`` has been checked against :data:`SCHEMA`."""
    length = parse_duration(config.get("statement_timeout", "30 minutes"))
    return Settings(
        catalog=config.get("catalog", ""),
        schema=config.get("schema", ""),
        tables={name: Declared(**entry) for name, entry in config.get("tables", {}).items()},
        timeout=length.days * 86400 + length.seconds,
    )
