"""Stub."""

from __future__ import annotations

from cadran.plugins import ConnectorEntry, hookimpl


@hookimpl
def cadran_connectors() -> list[ConnectorEntry]:
    return []
