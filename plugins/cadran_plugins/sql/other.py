"""Every other database that SQLAlchemy has a driver for: what is portable, and types as its values tell them.

Nothing here knows the server: there is no timeout but its own, and one connection sees what its default isolation
lets it see. Nothing is ever committed.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

import sqlalchemy
from sqlalchemy import exc

from cadran.plugins import ConfigError, suggest
from cadran_plugins.sql.address import KNOWN, PACKAGES
from cadran_plugins.sql.alchemy import AlchemyDatabase
from cadran_plugins.sql.columns import Field
from cadran_plugins.sql.database import Chunk
from cadran_plugins.sql.python_types import Seen, declared, field_of, undecided
from cadran_plugins.sql.trouble import Kind


class OtherDatabase(AlchemyDatabase):
    """``schema`` may be a path of several names, as warehouses have them."""

    errors = (exc.SQLAlchemyError,)

    def _make_engine(self) -> sqlalchemy.Engine:
        backend = self.address.backend
        package = PACKAGES.get(backend)
        hint = (
            f"pip install '{package}'"
            if package
            else f"install the package that makes SQLAlchemy know '{backend}'"
        )
        try:
            return sqlalchemy.create_engine(self.url(), poolclass=sqlalchemy.NullPool)
        except exc.NoSuchModuleError:
            message = f"there is no driver here for '{backend}' databases"
            meant = "" if package else suggest(backend, (*KNOWN, *PACKAGES))
            raise ConfigError(message, hint=meant or hint, setting=("url",)) from None
        except ImportError as missing:
            message = f"the driver for '{backend}' databases cannot be loaded: {missing}"
            raise ConfigError(message, hint=hint, setting=("url",)) from None

    # --- queries -----------------------------------------------------------------------------------------------------

    def describe(self, sql: str) -> list[Field]:
        """Names alone: what a driver says of types is not portable."""
        result = self.connection.exec_driver_sql(
            f"SELECT * FROM ({sql}\n) q WHERE 1 = 0", execution_options=_AS_IT_IS
        )
        with result:
            return [undecided(name) for name in result.keys()]  # noqa: SIM118 - no mapping

    def describe_table(self, path: Sequence[str]) -> list[Field]:
        *above, table = path
        columns = sqlalchemy.inspect(self.connection).get_columns(table, ".".join(above) or None)
        return [declared(column["name"], column["type"]) for column in columns]

    def settled(self, sql: str, fields: Sequence[Field]) -> list[Field]:
        """Reads all rows once more: only then is it known what they are."""
        seen = [Seen() for _ in fields]
        for chunk in self.chunks(sql, fields):
            for column, values in zip(seen, chunk, strict=True):
                column.add(values)
        return [f if f.type else field_of(f.name, s) for f, s in zip(fields, seen, strict=True)]

    def chunks(self, sql: str, fields: Sequence[Field]) -> Generator[Chunk]:  # noqa: ARG002 - nothing is cast
        options = {**_AS_IT_IS, "stream_results": True, "max_row_buffer": self.settings.rows_per_page}
        with self.connection.exec_driver_sql(sql, execution_options=options) as result:
            for rows in result.partitions(self.settings.rows_per_page):
                yield list(zip(*rows, strict=True))

    def cancel(self) -> None:
        """There is no portable way to stop a query; the next page is not asked for any more."""
        self.cancelled = True

    def classify(self, error: BaseException) -> Kind:  # noqa: ARG002 - codes are not portable
        return Kind.OTHER


_AS_IT_IS = {"no_parameters": True}  # a percent sign is a percent sign
