"""The ``sql`` connector: tables of a database or a warehouse, SELECTs under names of one's own, and any query of the engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from cadran.plugins import (
    Column,
    ConfigError,
    ConnectorError,
    Context,
    DataError,
    End,
    Page,
    QueryableConnector,
    QueryRefused,
    Relation,
    Table,
    listed,
    suggest,
)
from cadran_plugins.sql.address import address
from cadran_plugins.sql.config import SCHEMA, settings
from cadran_plugins.sql.names import match, no_schema, parts_of
from cadran_plugins.sql.one_select import only_reads
from cadran_plugins.sql.trouble import Kind, NotComputed, translated

if TYPE_CHECKING:
    from cadran_plugins.sql.columns import Field
    from cadran_plugins.sql.database import Database

_Setting = tuple[str, ...]


class SqlConnector(QueryableConnector):
    """One connection, one snapshot; opened by the first question and closed by :meth:`close`."""

    config_schema: ClassVar[Mapping[str, Any]] = SCHEMA

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.settings = settings(context.config)
        self._database: Database | None = None
        self._relations: dict[str, tuple[Relation, _Setting]] = {}
        self._names: dict[str, list[str]] = {}  # schema → names
        try:
            self.remote = not address(context.config["url"]).is_file
        except ConfigError:
            self.remote = False  # then the first question says what is wrong, in a check as well

    @property
    def dialect(self) -> str:
        return address(self.context.config["url"]).dialect

    @property
    def product(self) -> str:
        return self._asked().product

    @property
    def server_zone(self) -> str:
        """Not empty where the server does not know the calendar's zone, as MariaDB and MySQL often do not."""
        with self._said():
            self._asked().connect()
        return self._asked().server_zone

    # --- tables ------------------------------------------------------------------------------------------------------

    def discover(self) -> Sequence[Table]:
        """Declared tables and those of the default schema."""
        return [found for name in self.names() if (found := self.table(name)) is not None]

    def names(self) -> Sequence[str]:
        with self._said():
            return sorted({*self.settings.tables, *self._in_schema("")})

    def table(self, name: str) -> Table | None:
        try:
            with self._said():
                relation, setting = self._relation(name)
            with self._said(setting):
                fields = self._fields(relation, name)
        except _Unknown:
            return None
        except ConnectorError as error:
            if error.setting == ("url",):
                raise  # then no table can be asked for
            return Table(name, problem=error)
        return Table(name, tuple(Column(f.name, f.type) for f in fields))

    def check(self, table: str) -> None:
        """A SELECT under ``sql:`` is read without a server."""
        folded = {name.casefold(): name for name in self.settings.tables}
        name = table if table in self.settings.tables else folded.get(table.casefold(), "")
        if name and self.settings.tables[name].sql:
            self._declared(name)

    def relation(self, table: str) -> Relation:
        """Raises ConfigError where there is no such table."""
        try:
            with self._said():
                return self._relation(table)[0]
        except _Unknown:
            names = self.names()
            hint = suggest(table, names) or f"there are: {listed(names)}"
            raise ConfigError(f"there is no table '{table}'", hint=hint) from None

    def read(self, table: str) -> Iterator[Page | End]:
        relation = self.relation(table)
        setting = self._relations[table][1]
        with self._said(setting):
            fields = self._fields(relation, table)
        yield from self._stream(self._select(relation), fields, f"table '{table}'", setting, relation.path)

    def pull(self, table: str, columns: Sequence[str], where: str = "") -> Iterator[Page | End]:
        relation = self.relation(table)
        setting = self._relations[table][1]
        with self._said(setting):
            by_name = {f.name: f for f in self._fields(relation, table)}
            names = ", ".join(self._asked().quoted([c]) for c in columns)
            rows = f"({relation.select}\n) AS q" if relation.select else self._asked().quoted(relation.path)
        sql = f"SELECT {names} FROM {rows}" + (f" WHERE {where}" if where else "")
        yield from self._stream(
            sql, [by_name[c] for c in columns], f"table '{table}'", setting, relation.path
        )

    # --- queries -----------------------------------------------------------------------------------------------------

    def query(self, sql: str) -> Iterator[Page | End]:
        with self._said():
            fields = self._asked().describe(sql)
        try:
            yield from self._stream(sql, fields, "the answer of a query", ())
        except DataError as error:  # the rows it was computed from say which table, column and value it is
            if isinstance(error, QueryRefused):
                raise
            raise NotComputed(error.message, hint=error.hint) from None

    def cancel(self) -> None:
        if self._database is not None:
            self._database.cancel()

    def close(self) -> None:
        opened, self._database = self._database, None
        if opened is not None:
            opened.close()

    def _stream(
        self, sql: str, fields: Sequence[Field], subject: str, setting: _Setting, path: Sequence[str] = ()
    ) -> Iterator[Page | End]:
        rows = 0
        pages = self._asked().pages(sql, fields, subject, path)
        try:
            while True:
                with self._said(setting):
                    page = next(pages, None)
                if page is None:
                    break
                rows += page.num_rows
                yield Page(page)
        finally:
            with self._said(setting):
                pages.close()
        yield End(rows)

    # --- names -------------------------------------------------------------------------------------------------------

    def _relation(self, name: str) -> tuple[Relation, _Setting]:
        """Where a table stands, and the setting that says so. Raises _Unknown."""
        if name not in self._relations:
            declared = self._own_name(name)
            self._relations[name] = (
                self._declared(declared) if declared else (Relation(self._path(name, "")), ())
            )
        return self._relations[name]

    def _own_name(self, name: str) -> str | None:
        """The entry of ``tables:`` that is meant, unless a table of the database has exactly this name."""
        own = self.settings.tables
        if name in own or not any(n.casefold() == name.casefold() for n in own):
            return name if name in own else None
        found = match(name, [*own, *self._in_schema("")], "table")
        return found if found in own else None

    def _declared(self, name: str) -> tuple[Relation, _Setting]:
        entry = self.settings.tables[name]
        setting: _Setting = ("tables", name)
        if entry.sql and (entry.table or entry.schema):
            raise ConfigError(
                "'sql' stands for a table of its own", hint="drop 'table' and 'schema'", setting=setting
            )
        if entry.sql:
            setting = (*setting, "sql")
            return Relation(select=only_reads(entry.sql, self.dialect, setting)), setting
        written = entry.table or name
        try:
            return Relation(self._path(written, entry.schema)), setting
        except ConfigError as error:
            error.setting = error.setting or (*setting, *(("schema",) if entry.schema else ()))
            raise
        except _Unknown:
            names = self._in_schema(entry.schema)
            hint = suggest(written, names) or f"there are: {listed(names)}"
            message = f"there is no table '{written}'" + (
                f" in schema '{entry.schema}'" if entry.schema else ""
            )
            raise ConfigError(message, hint=hint, setting=setting) from None

    def _path(self, name: str, schema: str) -> tuple[str, ...]:
        """Path of names in the database: exactly the name, else ``schema.table``; the only one that fits."""
        parts = parts_of(name)
        plain = parts[0] if len(parts) == 1 else name
        found = match(plain, self._in_schema(schema), "table")
        if found is not None:
            home = schema or self._asked().default_schema
            return (home, found) if home else (found,)
        if len(parts) < 2 or schema:
            raise _Unknown
        *above, table = parts
        if len(above) == 1:
            place = match(above[0], self._asked().schemas(), "schema")
            above = [place] if place else []
        found = match(table, self._in_schema(".".join(above)), "table") if above else None
        if found is None:
            raise _Unknown
        return (*above, found)

    def _in_schema(self, schema: str) -> list[str]:
        schema = schema or self.settings.schema
        if schema not in self._names:
            database = self._asked()
            self._names[schema] = database.names(schema)
            if schema and not self._names[schema] and "." not in schema and database.product:
                there = database.schemas()
                if schema not in there:
                    del self._names[schema]
                    raise no_schema(schema, there, ("schema",) if schema == self.settings.schema else ())
        return self._names[schema]

    def _fields(self, relation: Relation, table: str) -> list[Field]:
        database = self._asked()
        if not relation.select:
            return database.describe_table(relation.path)
        from cadran_plugins.sql.database import check_names

        fields = database.describe(relation.select)
        try:
            check_names(fields, f"table '{table}'")
        except DataError as error:
            error.setting = self._relations[table][1]
            raise
        return fields

    def _select(self, relation: Relation) -> str:
        return relation.select or f"SELECT * FROM {self._asked().quoted(relation.path)}"

    # --- the database ------------------------------------------------------------------------------------------------

    def _asked(self) -> Database:
        if self._database is None:
            from cadran_plugins.sql.opening import opened

            self._database = opened(address(self.context.config["url"]), self.settings, self.context)
        return self._database

    @contextmanager
    def _said(self, setting: _Setting = ()) -> Iterator[None]:
        """A driver's errors in cadran's words."""
        try:
            yield
        except (ConnectorError, _Unknown, GeneratorExit):
            raise
        except Exception as error:
            database = self._database
            if database is None or not isinstance(error, database.errors):
                raise  # a mistake of the program, not of the database
            cause = getattr(error, "orig", None) or error  # SQLAlchemy wraps the driver's
            kind = database.classify(cause)
            if database.connecting and kind in (Kind.OTHER, Kind.TIMEOUT, Kind.LOST):
                kind = Kind.NO_CONNECTION
            raise translated(cause, kind, database.address, self.settings, setting) from None


class _Unknown(Exception):
    """There is no such table."""
