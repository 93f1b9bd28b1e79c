"""MariaDB and MySQL: one read-only transaction that sees one state, asked through PyMySQL."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from contextlib import closing, suppress
from typing import Any

import sqlalchemy

from cadran.plugins import ConfigError
from cadran_plugins.sql.alchemy import AlchemyDatabase, needed
from cadran_plugins.sql.columns import Field
from cadran_plugins.sql.database import Chunk
from cadran_plugins.sql.decimals import sized
from cadran_plugins.sql.names import no_schema
from cadran_plugins.sql.trouble import Kind

pymysql = needed("pymysql", "PyMySQL", "mysql")

from pymysql.cursors import SSCursor  # noqa: E402 - only where it is installed

from cadran_plugins.sql.mysql_types import CONVERSIONS, field_of, guarded  # noqa: E402

_NAMES = {"passwd": "password", "db": "database"}  # as PyMySQL called them once
_UNKNOWN_VARIABLE, _UNKNOWN_ZONE, _UNKNOWN_DATABASE = 1193, 1298, 1049
# Nothing that changes what a SELECT means against the SQL that sqlglot writes (ANSI_QUOTES, PIPES_AS_CONCAT,
# NO_BACKSLASH_ESCAPES …), and no NO_ZERO_DATE: a cast would make NULL of a zero date, silently.
_MODE = ("STRICT_ALL_TABLES", "ERROR_FOR_DIVISION_BY_ZERO")
# Joins by a computed column go through a hash table, and not by trying every pair. All joins of a query share 2 MB of
# buffers by default: each then holds a few hundred rows, and the other table is read again for every fill.
_JOINS = ("join_cache_level = 4", "join_buffer_size = 16777216", "join_buffer_space_limit = 268435456")
_BRIEFLY = 2  # seconds to wait for a second connection, which only stops what the first one does
_EXTREMES = re.compile(r"\b(max|min)\s*\(", re.IGNORECASE)
_GROUPS = "ONLY_FULL_GROUP_BY"  # kept where the server has it: then it refuses what would be arbitrary


class MysqlDatabase(AlchemyDatabase):
    """Tables of engines without transactions (MyISAM, Aria) are read as they are at the moment."""

    errors = (pymysql.err.Error, sqlalchemy.exc.SQLAlchemyError)
    interleaves = False
    _zone_is_named = False

    def _make_engine(self) -> sqlalchemy.Engine:
        if self.address.driver not in ("", "pymysql"):
            hint = f"write {self.address.backend}:// without another driver"
            raise ConfigError("MariaDB and MySQL are read with PyMySQL", hint=hint, setting=("url",))
        return self._engine_for(max(1, round(self.settings.wait)))

    def _engine_for(self, wait: int) -> sqlalchemy.Engine:
        url = self.url().set(drivername="mysql+pymysql")
        url = url.set(query={_NAMES.get(key, key): value for key, value in url.query.items()})
        if "database" not in url.query and not self.settings.schema:
            url = self._named(url, otherwise=", or say 'schema:'")
        return sqlalchemy.create_engine(
            url if "charset" in url.query else url.update_query_dict({"charset": "utf8mb4"}),
            poolclass=sqlalchemy.NullPool,
            pool_reset_on_return=None,  # nothing is given back to be used again
            isolation_level="AUTOCOMMIT",  # the transaction is begun here, not by the driver
            connect_args={
                "conv": CONVERSIONS,
                "connect_timeout": wait,
                "read_timeout": wait,  # until there is a connection
                "program_name": "cadran",
            },
        )

    def _begin(self, connection: sqlalchemy.Connection) -> None:
        driver: Any = connection.connection.driver_connection
        wait = max(1, round(self.settings.wait))
        driver._read_timeout = round(self.settings.timeout) + wait  # where the server does not keep its own
        maria = bool(getattr(connection.dialect, "is_mariadb", False))
        self.product = "MariaDB" if maria else ""
        mode = str(self._one(driver, "SELECT @@SESSION.sql_mode"))
        kept = [*_MODE, *([_GROUPS] if _GROUPS in mode else [])]
        timeout = (
            f"max_statement_time = {self.settings.timeout}"
            if maria
            else f"max_execution_time = {round(self.settings.timeout * 1000)}"
        )
        for setting in (
            f"sql_mode = '{','.join(kept)}'",
            timeout,
            "net_write_timeout = 3600",  # rows are worked on while the server waits
            "sql_select_limit = 18446744073709551615",
            # Literals compare byte by byte, as columns do in what the engine asks.
            *(["collation_connection = utf8mb4_nopad_bin"] if maria else []),
            *(_JOINS if maria else []),
            "group_concat_max_len = 16777216",  # else long lists are cut off silently
        ):
            self._set(driver, setting)
        self._set_zone(driver)
        if self.settings.schema:
            self._use(driver, self.settings.schema)
        self._run(driver, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        self._run(driver, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")

    def _use(self, driver: Any, schema: str) -> None:
        try:
            self._run(driver, f"USE {self._preparer().quote_identifier(schema)}")
        except pymysql.err.Error as error:
            if error.args[0] != _UNKNOWN_DATABASE:
                raise
            with driver.cursor() as cursor:
                cursor.execute("SHOW DATABASES")
                raise no_schema(schema, [str(row[0]) for row in cursor.fetchall()], ("schema",)) from None

    def _set_zone(self, driver: Any) -> None:
        """Named zones are known to a server only once somebody has loaded them (mysql_tzinfo_to_sql)."""
        self._zone_is_named = self.zone not in ("UTC", "Etc/UTC")
        zone = self.zone if self._zone_is_named else "+00:00"
        try:
            self._run(driver, f"SET SESSION time_zone = {driver.escape(zone)}")
        except pymysql.err.Error as error:
            if error.args[0] != _UNKNOWN_ZONE:
                raise
            self.server_zone, self._zone_is_named = "+00:00", False
            self._run(driver, "SET SESSION time_zone = '+00:00'")

    def _set(self, driver: Any, setting: str) -> None:
        try:
            self._run(driver, f"SET SESSION {setting}")
        except pymysql.err.Error as error:
            if error.args[0] != _UNKNOWN_VARIABLE:  # older servers, and others that speak the protocol
                raise

    @staticmethod
    def _run(driver: Any, statement: str) -> None:
        with driver.cursor() as cursor:
            cursor.execute(statement)

    @staticmethod
    def _one(driver: Any, query: str) -> Any:
        with driver.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchone()[0]

    # --- queries -----------------------------------------------------------------------------------------------------

    def describe(self, sql: str) -> list[Field]:
        with self.driver.cursor() as cursor:
            cursor.execute(f"SELECT * FROM ({sql}\n) AS q LIMIT 0")
            fields = [field_of(column) for column in cursor._result.fields]  # cursor.description tells less
        if self._zone_is_named and _EXTREMES.search(sql):
            return [guarded(f, self.zone) if f.type == "TIMESTAMP WITH TIME ZONE" else f for f in fields]
        return fields

    def settled(self, sql: str, fields: Sequence[Field]) -> list[Field]:
        open_ = [f for f in fields if not f.type]
        asked = []
        for name in (self.quoted([f.name]) for f in open_):
            behind = f"SUBSTRING_INDEX({name}, '.', -1)"
            asked += [
                f"MAX(CHAR_LENGTH(TRUNCATE(ABS({name}), 0)))",
                f"MAX(CHAR_LENGTH({behind}))",
                f"MAX(CHAR_LENGTH(TRIM(TRAILING '0' FROM {behind})))",
            ]
        with self.driver.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(asked)} FROM ({sql}\n) AS q")
            row = cursor.fetchone()
        found = {f.name: sized(f.name, row[3 * n : 3 * n + 3], f.select) for n, f in enumerate(open_)}
        return [found.get(f.name, f) for f in fields]

    def chunks(self, sql: str, fields: Sequence[Field]) -> Generator[Chunk]:
        if any(f.select != "{}" for f in fields):
            names = [(f, self.quoted([f.name])) for f in fields]
            selected = ", ".join(f"{f.select.format(name)} AS {name}" for f, name in names)
            sql = f"SELECT {selected} FROM ({sql}\n) AS q"
        cursor = self.driver.cursor(SSCursor)  # rows come as they are asked for, not all at once
        whole = False
        try:
            cursor.execute(sql)
            while rows := cursor.fetchmany(self.settings.rows_per_page):
                yield list(zip(*rows, strict=True))
            whole = True
        finally:
            if not whole:
                self._kill()  # else closing would read all that is still to come
            with suppress(pymysql.err.Error):
                cursor.close()

    def cancel(self) -> None:
        self.cancelled = True
        self._kill()

    def _kill(self) -> None:
        """Stops what the connection does, from another one; the transaction goes on."""
        if self._engine is None or self._open is None:
            return
        thread = self.driver.thread_id()
        with suppress(*self.errors), closing(self._engine_for(_BRIEFLY).raw_connection()) as other:
            other.cursor().execute(f"KILL QUERY {thread}")

    def _handle(self) -> int:
        return int(self.driver._sock.fileno())

    # --- errors ------------------------------------------------------------------------------------------------------

    def classify(self, error: BaseException) -> Kind:
        code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        if code == 1317:
            return Kind.CANCELLED if self.cancelled else Kind.STOPPED
        if code == 2003:
            text = str(error)
            return (
                Kind.UNKNOWN_HOST if "Name or service" in text or "getaddrinfo" in text else Kind.UNREACHABLE
            )
        if code == 2013 and "timed out" in str(error):
            return Kind.TIMEOUT
        return _CODES.get(code, Kind.OTHER)


_CODES = {
    1130: Kind.NOT_FROM_HERE, 3159: Kind.NOT_FROM_HERE, 1044: Kind.NO_DATABASE, 1045: Kind.PASSWORD, 1698: Kind.PASSWORD, 1049: Kind.NO_DATABASE, 1040: Kind.FULL,
    1203: Kind.FULL, 1226: Kind.FULL, 1969: Kind.TIMEOUT, 3024: Kind.TIMEOUT, 1205: Kind.TIMEOUT,
    1142: Kind.DENIED, 1143: Kind.DENIED, 1227: Kind.DENIED, 1370: Kind.DENIED, 1792: Kind.WRITING,
    1290: Kind.WRITING, 1146: Kind.GONE, 1054: Kind.GONE, 1064: Kind.SYNTAX, 1060: Kind.SYNTAX,
    2006: Kind.LOST, 2013: Kind.LOST, 2005: Kind.UNKNOWN_HOST, 2002: Kind.UNREACHABLE,
}  # fmt: skip
