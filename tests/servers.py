"""Real database servers for tests: each test gets an empty PostgreSQL schema or MariaDB database with a random name.

Where no server answers, the tests are skipped; with CADRAN_REQUIRE_SERVERS=1, as in CI, they fail instead. Another
server is named by CADRAN_TEST_POSTGRES or CADRAN_TEST_MARIADB (URLs of a user who may create databases).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

POSTGRES = os.environ.get("CADRAN_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
MARIADB = os.environ.get("CADRAN_TEST_MARIADB", "mysql://root@127.0.0.1:3306/")


_CONNECTIONS = {
    "postgresql": "SELECT pid FROM pg_stat_activity WHERE application_name = 'cadran' AND datname = current_database()",
    "mysql": "SELECT id FROM information_schema.processlist WHERE id <> connection_id() AND db = database()",
}


@dataclass(frozen=True)
class Server:
    """``url`` is what a project writes; ``name`` is the test's own schema (PostgreSQL) or database (MariaDB)."""

    url: str
    name: str
    engine: Any

    def run(self, *statements: str) -> None:
        """Statements, each committed."""
        with self.engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement, execution_options={"no_parameters": True})

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            found = connection.exec_driver_sql(query, execution_options={"no_parameters": True})
            return [tuple(row) for row in found]

    def connections(self) -> int:
        """How many connections of cadran are open to the test's database."""
        return len(self.rows(_CONNECTIONS[self.engine.dialect.name]))


def _engine(url: str, driver: str) -> Any:
    import sqlalchemy

    made = sqlalchemy.make_url(url).set(drivername=driver)
    return sqlalchemy.create_engine(made, poolclass=sqlalchemy.NullPool, isolation_level="AUTOCOMMIT")


def _reached(url: str, driver: str) -> Any:
    """An engine to a server that answers."""
    import sqlalchemy

    engine = _engine(url, driver)
    try:
        with engine.connect():
            return engine
    except sqlalchemy.exc.SQLAlchemyError as error:
        reason = f"no {driver.split('+')[0]} server answers: {str(error).splitlines()[0]}"
        if os.environ.get("CADRAN_REQUIRE_SERVERS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)


def _random() -> str:
    return f"cadran_{secrets.token_hex(6)}"


@pytest.fixture(scope="session")
def postgres_database() -> Iterator[Any]:
    """A database of this session's own, for schemas come and go faster."""
    import sqlalchemy

    server, name = _reached(POSTGRES, "postgresql+psycopg"), _random()
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    yield sqlalchemy.make_url(POSTGRES).set(database=name)
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres(postgres_database: Any) -> Iterator[Server]:
    """An empty schema, in which names are looked for first by every new connection to the URL."""
    name = _random()
    url = postgres_database.render_as_string(hide_password=False)
    database, server = postgres_database.database, _engine(url, "postgresql+psycopg")
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {name}")
        connection.exec_driver_sql(f"ALTER DATABASE {database} SET search_path = {name}")
    yield Server(url, name, server)
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA {name} CASCADE")


@pytest.fixture
def mariadb() -> Iterator[Server]:
    """An empty database."""
    import sqlalchemy

    server, name = _reached(MARIADB, "mysql+pymysql"), _random()
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    url = sqlalchemy.make_url(MARIADB).set(database=name).render_as_string(hide_password=False)
    yield Server(url, name, _engine(url, "mysql+pymysql"))
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name}")
