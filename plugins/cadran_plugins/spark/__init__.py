"""The bundled ``spark`` connector: tables of a Spark cluster, over Spark Connect."""

from __future__ import annotations

from cadran.plugins import Connector, ConnectorEntry, hookimpl


def _load() -> type[Connector]:
    from cadran_plugins.spark.connector import SparkConnector

    return SparkConnector


@hookimpl
def cadran_connectors() -> list[ConnectorEntry]:
    return [ConnectorEntry("spark", _load, "Tables, views and files of a Spark cluster (Spark Connect)")]
