"""The connector: its tables are those of the settings, and each is read as it says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

from cadran.plugins import (
    WHOLE,
    Column,
    ConfigError,
    Context,
    DataError,
    Deletes,
    End,
    Page,
    Rejected,
    SyncedConnector,
    Table,
    Transient,
    Window,
    listed,
    suggest,
)
from cadran.plugins.http import Http, Limit
from cadran_plugins.http_json import auth, columns
from cadran_plugins.http_json.config import SCHEMA
from cadran_plugins.http_json.read import Reading, check_names
from cadran_plugins.http_json.settings import Cursor, Declared, Field, declared, host, seconds

_BEHIND = dt.timedelta(seconds=1)  # for servers that give what comes after a time, and not what is of it
_SAMPLE = 1000  # rows that columns are told from, of the first pages


class HttpJsonConnector(SyncedConnector):
    """Reads whatever answers with lists of JSON objects."""

    config_schema: ClassVar[Mapping[str, Any]] = SCHEMA
    number_hint = 'declare its type under \'columns:\' of the source\'s table, such as "decimal(12,2)", or {type: "decimal(12,2)", format: comma} for 1.234,56'
    date_hint = "declare its type under 'columns:' of the source's table, such as date, or {type: date, format: \"%d/%m/%Y\"} for 31/12/2026"

    _http: Http | None = None

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._auth = auth.Auth()
        self._told: dict[str, tuple[Field, ...]] = {}

    @property
    def hosts(self) -> Sequence[str]:
        config = self.context.config
        found = [host(config["url"]), *config.get("hosts", [])]
        if "oauth" in (said := config.get("auth", {})):
            found.append(host(said["oauth"]["token_url"], ("auth", "oauth", "token_url")))
        return list(dict.fromkeys(found))

    def names(self) -> Sequence[str]:
        return list(self.context.config["tables"])

    def check(self, table: str) -> None:
        self._declared(table)

    def ping(self) -> str:
        """The first table's first page is asked for: there is no request that every API has."""
        table = self._declared(self.names()[0])
        self._reading(table, (), WHOLE).first()
        return urlsplit(self.context.config["url"]).hostname or ""

    def discover(self) -> Sequence[Table]:
        return [self._table(name) for name in self.names()]

    def table(self, name: str) -> Table | None:
        return self._table(name) if name in self.context.config["tables"] else None

    def changes(
        self, table: str, window: Window = WHOLE, resume: Mapping[str, Any] | None = None
    ) -> Iterator[Page | Deletes | Rejected | End]:
        said = self._declared(table)
        yield from self._reading(said, self._fields(said), window).items(resume)

    def close(self) -> None:
        if self._http is not None:
            self._http.close()
            self._http = None

    def _declared(self, name: str) -> Declared:
        config = self.context.config
        host(config["url"])
        if "auth" in config:
            auth.check(config["auth"])
        if name not in config["tables"]:
            hint = suggest(name, self.names()) or f"there are: {listed(list(self.names()))}"
            raise ConfigError(f"there is no table '{name}'", hint=hint, setting=("tables",))
        return declared(config, name)

    def _table(self, name: str) -> Table:
        """What is wrong with one table alone keeps nobody from the others."""
        try:
            table = self._declared(name)
            fields = self._fields(table)
        except (ConfigError, DataError, Transient) as error:
            return Table(name, problem=error)
        cursor = table.cursor or Cursor("", "")
        columns = tuple(Column(f.name, f.type) for f in fields)
        time = any(f.name == cursor.column and f.type.startswith(("DATE", "TIMESTAMP")) for f in fields)
        lookback = cursor.lookback or _BEHIND * time
        return Table(name, columns, None, table.key, cursor.column, lookback, table.deletes, (*table.where, "key"))  # fmt: skip

    def _fields(self, table: Declared) -> tuple[Field, ...]:
        if table.columns:
            return table.columns
        if table.name not in self._told:
            found = columns.told(self._reading(table, (), WHOLE).sample(_SAMPLE))
            if not found:
                hint = "say under 'columns' what a row holds and of which type it is"
                raise DataError(
                    f"'{table.name}' has no rows yet that its columns could be told from",
                    hint=hint,
                    setting=table.where,
                )
            check_names(table, found)
            self._told[table.name] = found
        return self._told[table.name]

    def _reading(self, table: Declared, fields: tuple[Field, ...], window: Window) -> Reading:
        client = self._client()
        return Reading(table, fields, client, self._auth, window)

    def _client(self) -> Http:
        """Made when it is first needed, as a token may have to be fetched for it."""
        if self._http is None:
            config, said = self.context.config, auth.of(self.context)
            rate = config.get("rate")
            limits = [Limit(int(rate["requests"]), float(rate.get("seconds", 1)))] if rate else []
            headers = {"accept": "application/json", **said.headers, **(said.token() if said.token else {})}
            hosts = [
                host(config["url"]),
                *config.get("hosts", []),
            ]  # not that of tokens: it is asked by a client of its own
            self._auth = said
            self._http = Http(
                self.context, hosts, headers=headers, limits=limits, account=self.context.source, renew=said.token,
                credential=("auth",), timeout=seconds(config.get("timeout", "30 seconds")),
            )  # fmt: skip
        return self._http
