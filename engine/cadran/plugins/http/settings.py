"""The settings that sources over HTTP share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: For a connector's ``config_schema``, among its ``properties``: the client takes them from there.
SETTINGS: Mapping[str, Any] = {
    "allow_http": {"type": "boolean", "description": "Whether machines of the own network may be asked without TLS."},
    "ca_file": {"type": "string", "minLength": 1, "description": "Certificates to trust instead of the system's (PEM)."},
    "proxy": {"type": "string", "pattern": "^https?://", "writeOnly": True, "description": "A proxy to go through; it then looks up names."},
}  # fmt: skip
