"""The ``spark`` connector: tables, views and files of a cluster, SELECTs under names of one's own, and any query of the engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from cadran.plugins import (
    Column,
    ConfigError,
    ConnectorError,
    Context,
    End,
    Page,
    QueryableConnector,
    Relation,
    Table,
    listed,
    suggest,
)
from cadran_plugins.spark.address import address
from cadran_plugins.spark.config import SCHEMA, Declared, settings
from cadran_plugins.sql.names import match, parts_of
from cadran_plugins.sql.one_select import only_reads

if TYPE_CHECKING:
    from cadran_plugins.spark.session import Session
    from cadran_plugins.spark.types import Field

_Setting = tuple[str, ...]
_MOST = 3  # names in a path that the engine writes; a longer one stands in a SELECT


@dataclass(frozen=True, slots=True)
class _Found:
    """A table: where it stands, its columns, and the setting that says so."""

    relation: Relation
    fields: tuple[Field, ...]
    setting: _Setting = ()

    @property
    def rows(self) -> str:
        """What stands behind FROM."""
        return f"({self.relation.select}\n) AS q" if self.relation.select else _path(self.relation.path)


class SparkConnector(QueryableConnector):
    """One session, opened by the first question and ended by :meth:`close`.

    Spark has no snapshot over several queries: each sees the tables as they are when it starts.
    """

    config_schema: ClassVar[Mapping[str, Any]] = SCHEMA

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.settings = settings(context.config)
        self._session: Session | None = None
        self._home: tuple[str, ...] = ()
        self._found: dict[str, _Found | ConnectorError] = {}

    @property
    def dialect(self) -> str:
        return "spark"

    @property
    def product(self) -> str:
        return "Spark"

    # --- tables ------------------------------------------------------------------------------------------------------

    def discover(self) -> Sequence[Table]:
        """Declared tables and those of the default schema."""
        return [found for name in self.names() if (found := self.table(name)) is not None]

    def names(self) -> Sequence[str]:
        return sorted({*self.settings.tables, *self._in_schema(self._at_home())})

    def table(self, name: str) -> Table | None:
        try:
            found = self._table(name)
        except _Unknown:
            return None
        except ConnectorError as error:
            if error.setting in (("url",), ("schema",), ("catalog",)):
                raise
            return Table(name, problem=error)
        return Table(name, tuple(Column(f.name, f.type) for f in found.fields))

    def relation(self, table: str) -> Relation:
        """Raises ConfigError where there is no such table."""
        return self._known(table).relation

    def read(self, table: str) -> Iterator[Page | End]:
        yield from self.pull(table, [f.name for f in self._known(table).fields])

    def pull(self, table: str, columns: Sequence[str], where: str = "") -> Iterator[Page | End]:
        from cadran_plugins.spark.types import quoted

        found = self._known(table)
        by_name = {f.name: f for f in found.fields}
        names = ", ".join(quoted(c) for c in columns)
        sql = f"SELECT {names} FROM {found.rows}" + (f" WHERE {where}" if where else "")
        yield from self._stream(sql, [by_name[c] for c in columns], f"table '{table}'", found.setting)

    # --- queries -----------------------------------------------------------------------------------------------------

    def query(self, sql: str) -> Iterator[Page | End]:
        inside = f"SELECT * FROM ({sql}\n) AS q"  # where nothing can stand but a query
        yield from self._stream(inside, self._described(inside), "the answer of a query", ())

    def cancel(self) -> None:
        if self._session is not None:
            self._session.cancel()

    def close(self) -> None:
        opened, self._session = self._session, None
        if opened is not None:
            opened.close()

    def _stream(
        self, sql: str, fields: Sequence[Field], subject: str, setting: _Setting
    ) -> Iterator[Page | End]:
        from cadran_plugins.spark.pages import empty, page, usable

        usable(fields, subject)
        session, rows, sent = self._asked(), 0, False
        with closing(session.batches(sql)) as batches:
            while True:
                with session.said(setting):
                    batch = next(batches, None)
                if batch is None:
                    break
                if batch.num_rows:
                    rows, sent = rows + batch.num_rows, True
                    yield Page(page(batch, fields, subject))
        if not sent:
            yield Page(empty(fields))
        yield End(rows)

    # --- names -------------------------------------------------------------------------------------------------------

    def _known(self, name: str) -> _Found:
        try:
            return self._table(name)
        except _Unknown:
            names = self.names()
            hint = suggest(name, names) or f"there are: {listed(names)}"
            raise ConfigError(f"there is no table '{name}'", hint=hint) from None

    def _table(self, name: str) -> _Found:
        """Raises _Unknown where there is no such table, and ConnectorError where it cannot be read."""
        if name not in self._found:
            try:
                self._found[name] = self._looked_up(name)
            except ConnectorError as error:
                self._found[name] = error
        found = self._found[name]
        if isinstance(found, ConnectorError):
            raise found
        return found

    def _looked_up(self, name: str) -> _Found:
        own = match(name, self.settings.tables, "table")
        if own is not None:
            return self._declared(own, self.settings.tables[own])
        return self._at(self._whole(name), ())

    def _declared(self, name: str, entry: Declared) -> _Found:
        setting: _Setting = ("tables", name)
        said = [key for key in ("table", "sql", "path") if getattr(entry, key)]
        if len(said) > 1 or (entry.format and not entry.path):
            both = " and ".join(f"'{key}'" for key in (said if len(said) > 1 else ["format", *said]))
            hint = "write one of 'table', 'sql' and 'path'; 'format' belongs to 'path'"
            raise ConfigError(f"{both} do not go together", hint=hint, setting=setting)
        if entry.sql:
            setting = (*setting, "sql")
            select = only_reads(entry.sql, self.dialect, setting)
            return self._selected(select, setting)
        if entry.path:
            return self._at((entry.format or "parquet", entry.path), (*setting, "path"))
        try:
            return self._at(self._whole(entry.table), setting)
        except _Unknown:
            *above, last = self._whole(entry.table)
            names = self._in_schema(tuple(above))
            hint = suggest(last, names) or f"there are: {listed(names)}"
            raise ConfigError(f"there is no table '{entry.table}'", hint=hint, setting=(*setting, "table")) from None  # fmt: skip

    def _at(self, path: tuple[str, ...], setting: _Setting) -> _Found:
        fields = self._described(f"SELECT * FROM {_path(path)}", setting)
        if len(path) > _MOST:
            return self._selected(f"SELECT * FROM {_path(path)}", setting, fields)
        return self._exact(Relation(path), fields, setting)

    def _selected(self, select: str, setting: _Setting, fields: Sequence[Field] = ()) -> _Found:
        fields = fields or self._described(f"SELECT * FROM ({select}\n) AS q", setting)
        return self._exact(Relation(select=select), fields, setting)

    @staticmethod
    def _exact(relation: Relation, fields: Sequence[Field], setting: _Setting) -> _Found:
        """Columns that compare or compute otherwise than they should are converted, for every query in the same way."""
        from cadran_plugins.spark.types import quoted

        found = _Found(relation, tuple(fields), setting)
        if not any(f.select for f in fields):
            return found
        columns = ", ".join(f"{f.select} AS {quoted(f.name)}" if f.select else quoted(f.name) for f in fields)
        return _Found(Relation(select=f"SELECT {columns} FROM {found.rows}"), tuple(fields), setting)

    def _described(self, sql: str, setting: _Setting = ()) -> list[Field]:
        """The columns of a SELECT. Raises _Unknown where its table is not there, if no setting's SELECT names it."""
        from cadran_plugins.spark.trouble import condition
        from cadran_plugins.spark.types import field_of

        session = self._asked()
        with session.said(setting):
            try:
                return [field_of(column) for column in session.schema(sql)]
            except Exception as error:
                if setting[-1:] not in (("sql",), ("path",)) and condition(error).startswith(_NOT_THERE):
                    raise _Unknown from None
                raise

    def _whole(self, name: str) -> tuple[str, ...]:
        """``orders`` and ``sales.orders`` with what stands above them."""
        parts = parts_of(name)
        if not parts:
            raise _Unknown
        home = self._at_home()
        return (*home[: max(len(home) - len(parts) + 1, 0)], *parts)

    def _at_home(self) -> tuple[str, ...]:
        """Catalog and schema in which names are looked for."""
        self._asked()
        return self._home

    def _in_schema(self, schema: Sequence[str]) -> list[str]:
        session = self._asked()
        with session.said():
            try:
                found = session.rows(f"SHOW TABLES IN {_path(schema)}")
            except Exception as error:
                from cadran_plugins.spark.trouble import condition

                if condition(error).startswith(_NOT_THERE):
                    return []
                raise
        return [name for _, name, temporary in found if not temporary]

    # --- the session -------------------------------------------------------------------------------------------------

    def _asked(self) -> Session:
        if self._session is None:
            where = address(self.context.config["url"])
            from cadran_plugins.spark.session import Session

            session = Session(where, self.context.zone, self.settings.timeout)
            try:
                session.open()
                self._home = self._chosen(session)
            except BaseException:
                session.close()
                raise
            self._session = session
        return self._session

    def _chosen(self, session: Session) -> tuple[str, ...]:
        """The default catalog and schema, which SELECTs of one's own find as well."""
        catalog, schema = (
            self.settings.catalog,
            parts_of(self.settings.schema) if self.settings.schema else (),
        )
        for key, path in (("catalog", (catalog,)), ("schema", schema)):
            if any(path):
                with session.said((key,)):
                    session.rows(f"{'SET CATALOG' if key == 'catalog' else 'USE'} {_path(path)}")
        with session.said():
            ((catalog, found),) = session.rows("SELECT current_catalog(), current_schema()")
        return (catalog, *(schema or (found,)))


class _Unknown(Exception):
    """There is no such table."""


_NOT_THERE = (
    "TABLE_OR_VIEW_NOT_FOUND",
    "SCHEMA_NOT_FOUND",
    "CATALOG_NOT_FOUND",
    "REQUIRES_SINGLE_PART_NAMESPACE",
)


def _path(parts: Sequence[str]) -> str:
    return ".".join(f"`{part.replace('`', '``')}`" for part in parts)
