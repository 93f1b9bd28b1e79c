"""The bundled ``sql`` connector: databases and warehouses, through SQLAlchemy."""

from __future__ import annotations

from cadran.plugins import Connector, ConnectorEntry, hookimpl


def _load() -> type[Connector]:
    from cadran_plugins.sql.connector import SqlConnector

    return SqlConnector


@hookimpl
def cadran_connectors() -> list[ConnectorEntry]:
    return [
        ConnectorEntry("sql", _load, "PostgreSQL, MariaDB, MySQL, SQLite, DuckDB files and other databases")
    ]
