"""The bundled ``odoo`` connector: opportunities, customers and orders of Odoo."""

from __future__ import annotations

from cadran.plugins import Connector, ConnectorEntry, hookimpl


def _load() -> type[Connector]:
    from cadran_plugins.odoo.connector import OdooConnector

    return OdooConnector


@hookimpl
def cadran_connectors() -> list[ConnectorEntry]:
    return [ConnectorEntry("odoo", _load, "Leads, opportunities, customers and orders of Odoo")]
