"""The bundled ``pipedrive`` connector: deals, people and what became of them, from Pipedrive."""

from __future__ import annotations

from cadran.plugins import Connector, ConnectorEntry, hookimpl


def _load() -> type[Connector]:
    from cadran_plugins.pipedrive.connector import PipedriveConnector

    return PipedriveConnector


@hookimpl
def cadran_connectors() -> list[ConnectorEntry]:
    return [ConnectorEntry("pipedrive", _load, "Deals, persons, organizations and activities of Pipedrive")]
