"""Bringing a store's tables to where this version of cadran has them: Alembic's migrations, run when a store is opened."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, delete, insert, inspect, select, text
from sqlalchemy.schema import CreateSchema

from cadran.state.store import engines
from cadran.state.store.tables import about, metadata
from cadran.state.store.trouble import StoreError

MIGRATIONS = Path(__file__).parent / "migrations"
#: All versions of the tables, the newest last. Stands here so that a store that is up to date is opened without Alembic.
VERSIONS = ("0001", "0002", "0003", "0004")
_VERSION = "alembic_version"


def current(engine: Engine, place: str) -> bool:
    """Whether the tables are those of this cadran. Raises StoreError for those of a newer one."""
    with engines.reading(engine).begin() as connection:
        return version(connection, place) == VERSIONS[-1]


def check(connection: Connection, place: str) -> None:
    """Raises StoreError where a newer cadran has changed the tables since they were looked at: this one must not write to them."""
    if connection.execute(text(f"SELECT version_num FROM {_VERSION}")).scalar() != VERSIONS[-1]:
        version(connection, place)
        raise StoreError(f"{place} is no longer what it was when it was opened", "start this process again")


def version(connection: Connection, place: str) -> str:
    """Which version the tables are of; "" where there are none. Raises StoreError where they are not known here."""
    tables = set(inspect(connection).get_table_names())
    if _VERSION not in tables:
        if taken := tables & metadata.tables.keys():
            hint = "name a schema in state.schema that belongs to this project's state alone"
            raise StoreError(
                f"{place} already holds tables of something else: {', '.join(sorted(taken))}", hint
            )
        return ""
    found = connection.execute(text(f"SELECT version_num FROM {_VERSION}")).scalar() or ""
    if found and found not in VERSIONS:
        needed = connection.execute(select(about.c.value).where(about.c.name == "cadran")).scalar()
        message = f"{place} was written by a newer cadran: its tables are of version {found}, and this one knows {VERSIONS[-1]}"
        hint = f"install cadran {needed or ''} or newer".replace("  ", " ")
        raise StoreError(message, f"{hint} (pip install -U cadran); nothing was changed")
    return found


def upgrade(engine: Engine, place: str, schema: str = "", to: str = VERSIONS[-1]) -> None:
    """Makes the tables, or changes them step by step up to ``to``, in one transaction. Raises StoreError.

    Of several processes that come at once, one does it and the others find it done.
    """
    with engines.writing(engine).begin() as connection:
        if schema:
            _make_schema(connection, schema)
        if version(connection, place) == to:
            return
        _run(connection, to)
        _sign(connection)


def _make_schema(connection: Connection, schema: str) -> None:
    """Asked first, since one that may not make schemas can have been given this one."""
    known = connection.execute(text("SELECT 1 FROM pg_namespace WHERE nspname = :name"), {"name": schema})
    if known.scalar() is None:
        connection.execute(CreateSchema(schema))


def _run(connection: Connection, to: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    command.upgrade(config, to)


def _sign(connection: Connection) -> None:
    from cadran import __version__

    connection.execute(delete(about).where(about.c.name == "cadran"))
    connection.execute(insert(about).values(name="cadran", value=__version__))
