"""Databases that SQLAlchemy connects to: one connection from the first question to the end, and names from its catalog."""

from __future__ import annotations

import os
import re
import socket
from abc import abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

import sqlalchemy
from sqlalchemy import exc

from cadran.plugins import ConfigError
from cadran_plugins.sql.database import Database

_UNKNOWN_PARAMETER = re.compile(r"unexpected keyword argument '(\w+)'")
PARAMETERS = "check what stands behind the question mark of the url, or leave it out"


def needed(module: str, package: str, extra: str) -> Any:
    """A driver's module; a ConfigError that says what to install where it is not there."""
    try:
        return import_module(module)
    except ImportError as missing:
        message = f"this database is read with {package}, which is not installed"
        raise ConfigError(message, hint=f"pip install 'cadran[{extra}]'", setting=("url",)) from missing


class AlchemyDatabase(Database):
    """Opens its connection when first asked."""

    _engine: sqlalchemy.Engine | None = None
    _open: sqlalchemy.Connection | None = None

    @abstractmethod
    def _make_engine(self) -> sqlalchemy.Engine: ...

    def url(self) -> sqlalchemy.URL:
        """Raises ConfigError, which never quotes it."""
        try:
            return sqlalchemy.make_url(self.address.url)
        except (exc.ArgumentError, ValueError):
            hint = "signs such as @ : / in a user or a password are written %40 %3A %2F; the port is a number"
            raise ConfigError("the url cannot be understood", hint=hint, setting=("url",)) from None

    def _named(self, url: sqlalchemy.URL, *, otherwise: str = "") -> sqlalchemy.URL:
        """The URL, which names a database. Raises ConfigError."""
        if url.database:
            return url
        hint = f"write {self.address.backend}://…/database{otherwise}"
        raise ConfigError("the url names no database", hint=hint, setting=("url",))

    def _begin(self, connection: sqlalchemy.Connection) -> None:
        """Makes the connection read-only, in one snapshot, with its timeout and its zone."""

    @property
    def connection(self) -> sqlalchemy.Connection:
        if self._open is None:
            self.connecting = True
            connection = self._connected()
            self.connecting = False
            try:
                self._begin(connection)
            except BaseException:
                connection.invalidate()
                connection.close()
                raise
            self._open = connection
        return self._open

    def _connected(self) -> sqlalchemy.Connection:
        try:
            self._engine = self._make_engine()
            return self._engine.connect()
        except TypeError as error:  # a driver's function that is called with what the url says
            if found := _UNKNOWN_PARAMETER.search(str(error)):
                message = f"the url holds a parameter that the driver does not know: '{found[1]}'"
                raise ConfigError(message, hint=PARAMETERS, setting=("url",)) from None
            raise
        except (OSError, ValueError) as error:  # a certificate that is not there, a time that is no number
            reason = getattr(error, "strerror", None) or self.address.masked(str(error))
            message = f"no connection to the server: {reason}"
            raise ConfigError(message, hint=PARAMETERS, setting=("url",)) from None

    def connect(self) -> None:
        assert self.connection is not None

    @property
    def driver(self) -> Any:
        """The driver's own connection."""
        return self.connection.connection.driver_connection

    def close(self) -> None:
        """Never fails: what is lost is closed as well."""
        if self._open is not None:
            opened, self._open = self._open, None
            with suppress(exc.SQLAlchemyError):
                opened.invalidate()  # a transaction that only reads need not be rolled back, nor can it be where all is lost
            with suppress(exc.SQLAlchemyError):
                opened.close()
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def sever(self) -> None:
        if self._open is not None:
            with suppress(Exception), socket.socket(fileno=os.dup(self._handle())) as same:
                same.shutdown(socket.SHUT_RDWR)

    def _handle(self) -> int:
        """Of the socket of the driver's connection. Raises anything where it has none."""
        return int(self.driver.fileno())

    @property
    def default_schema(self) -> str:
        return str(self.settings.schema or sqlalchemy.inspect(self.connection).default_schema_name or "")

    def names(self, schema: str) -> list[str]:
        found = sqlalchemy.inspect(self.connection)
        return [*found.get_table_names(schema or None), *found.get_view_names(schema or None)]

    def schemas(self) -> list[str]:
        return list(sqlalchemy.inspect(self.connection).get_schema_names())

    def quoted(self, path: Sequence[str]) -> str:
        return ".".join(self._preparer().quote_identifier(part) for part in path)

    def _preparer(self) -> Any:
        assert self._engine is not None, "names are quoted once it is known what they are"
        return self._engine.dialect.identifier_preparer
