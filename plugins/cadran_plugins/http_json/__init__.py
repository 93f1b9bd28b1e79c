"""The bundled ``http_json`` connector: paged JSON over HTTP, declared in YAML, for whatever has no plugin of its own."""

from __future__ import annotations

from cadran.plugins import Connector, ConnectorEntry, hookimpl


def _load() -> type[Connector]:
    from cadran_plugins.http_json.connector import HttpJsonConnector

    return HttpJsonConnector


@hookimpl
def cadran_connectors() -> list[ConnectorEntry]:
    return [ConnectorEntry("http_json", _load, "Any paged REST or OData API, declared in YAML")]
