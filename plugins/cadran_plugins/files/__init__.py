"""The bundled ``files`` connector: CSV, TSV, Parquet, JSON lines and Excel files as tables."""

from __future__ import annotations

from cadran.plugins import Connector, ConnectorEntry, hookimpl


def _load() -> type[Connector]:
    from cadran_plugins.files.connector import FilesConnector

    return FilesConnector


@hookimpl
def cadran_connectors() -> list[ConnectorEntry]:
    return [ConnectorEntry("files", _load, "CSV, TSV, Parquet, JSON lines and Excel files")]
