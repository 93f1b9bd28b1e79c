"""Rows that are written unless they are there already: what makes a claim, a delivery, a lease happen once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def unless_there(connection: Connection, table: Table) -> Any:
    """An INSERT that leaves out each row of which a key or a unique combination exists: ``rowcount`` says how many were new."""
    if connection.dialect.name == "postgresql":
        made: Any = postgresql.insert(table).on_conflict_do_nothing()
    else:
        made = sqlite.insert(table).on_conflict_do_nothing()
    # Without this, SQLAlchemy gives -1 where the driver has not been asked for the count of an INSERT.
    return made.execution_options(preserve_rowcount=True)
