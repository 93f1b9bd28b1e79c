"""The bundled ``hubspot`` connector: the objects of a HubSpot account, kept in a copy and asked for changes."""

from __future__ import annotations

from cadran.plugins import Connector, ConnectorEntry, hookimpl


def _load() -> type[Connector]:
    from cadran_plugins.hubspot.connector import HubSpotConnector

    return HubSpotConnector


@hookimpl
def cadran_connectors() -> list[ConnectorEntry]:
    return [
        ConnectorEntry(
            "hubspot", _load, "HubSpot: contacts, companies, deals and their history, orders, activities"
        )
    ]
