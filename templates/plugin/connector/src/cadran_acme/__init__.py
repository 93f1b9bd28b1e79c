"""The connector ``acme``."""

from __future__ import annotations

from cadran.plugins import Connector, ConnectorEntry, hookimpl


def _load() -> type[Connector]:
    from cadran_acme.connector import AcmeConnector

    return AcmeConnector


@hookimpl
def cadran_connectors() -> list[ConnectorEntry]:
    return [ConnectorEntry("acme", _load, "Acme's orders and customers")]
