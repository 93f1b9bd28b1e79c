"""The engine's DuckDB trees in the dialects of databases and warehouses, or the reason why they cannot be said there."""

from __future__ import annotations

from cadran.compute.dialects.base import Dialect


def verified(product: str) -> Dialect | None:
    """The dialect of a product that the differential tests hold to the embedded engine's answers, by its name."""
    match product:
        case "PostgreSQL":
            from cadran.compute.dialects.postgres import Postgres

            return Postgres()
        case "MariaDB":
            from cadran.compute.dialects.mariadb import MariaDB

            return MariaDB()
        case "SQLite":
            from cadran.compute.dialects.sqlite import SQLite

            return SQLite()
        case "DuckDB":
            from cadran.compute.dialects.duckdb import DuckDB

            return DuckDB()
        case "Spark":
            from cadran.compute.dialects.spark import Spark

            return Spark()
    return None


def unverified(name: str) -> Dialect:
    """Any of sqlglot's dialects, as far as sqlglot knows it."""
    from cadran.compute.dialects.others import Other

    return Other(name)
