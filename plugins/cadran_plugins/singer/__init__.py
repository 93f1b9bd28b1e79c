"""The bundled ``singer`` connector: any tap that speaks Singer, as a process of its own."""

from __future__ import annotations

from cadran.plugins import Connector, ConnectorEntry, hookimpl


def _load() -> type[Connector]:
    from cadran_plugins.singer.connector import SingerConnector

    return SingerConnector


@hookimpl
def cadran_connectors() -> list[ConnectorEntry]:
    return [ConnectorEntry("singer", _load, "Any Singer tap, run as a process of its own")]
