"""Salesforce as a source that is asked for changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from cadran.plugins import ConfigError, ConnectorError, Context, DataError, Deletes, End, Page, Rejected, SyncedConnector, Table, Window
from cadran.plugins.synced import WHOLE
from cadran_plugins.salesforce.config import CONFIG_SCHEMA, config_of
from cadran_plugins.salesforce.fields import Field, fields_of, snake
from cadran_plugins.salesforce.objects import ACTIVITIES, ACTIVITY_COLUMNS, STAGE_HISTORY, STAMP, TABLES, Source, activity, plain
from cadran_plugins.salesforce.session import Session, hosts_of


class SalesforceConnector(SyncedConnector):
    config_schema: ClassVar[Mapping[str, Any]] = CONFIG_SCHEMA
    starter: ClassVar[Path | None] = Path(__file__).parent / "starter"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.config = config_of(context.config)
        self._session: Session | None = None
        self._objects: Mapping[str, Mapping[str, Any]] | None = None
        self._described: dict[str, Sequence[Mapping[str, Any]]] = {}

    @property
    def hosts(self) -> Sequence[str]:
        return hosts_of(self.config)

    @property
    def session(self) -> Session:
        if self._session is None:
            self._session = Session(self.context, self.config)
        return self._session

    def ping(self) -> str:
        answer = self.session.query("SELECT Name FROM Organization")
        self._sees_all()
        return str(answer["records"][0]["Name"]) if answer["records"] else self.config.host

    def discover(self) -> Sequence[Table]:
        wanted = [*TABLES, STAGE_HISTORY, ACTIVITIES, *map(self._own_name, self.config.objects)]
        return [table for name in wanted if (table := self.table(name)) is not None]

    def names(self) -> Sequence[str]:
        custom = [self._own_name(name) for name, o in self._all().items() if o.get("custom") and o.get("queryable")]
        mine = [name for name in (*TABLES, STAGE_HISTORY, ACTIVITIES) if self._objects_of(name)]
        return list(dict.fromkeys([*mine, *map(self._own_name, self.config.objects), *custom]))

    def table(self, name: str) -> Table | None:
        objects = self._objects_of(name)
        if not objects:
            return None
        if name == STAGE_HISTORY:
            from cadran_plugins.salesforce.stages import TABLE

            return TABLE
        deletes = "reported" if all(o.get("replicateable", True) for o in map(self._all().__getitem__, objects)) else "unseen"
        if name == ACTIVITIES:
            return self._table(name, ACTIVITY_COLUMNS, deletes, stamped=True)
        described = self._describe(objects[0])
        binned = any(f["name"] == "IsDeleted" for f in described)
        stamped = any(f["name"] == STAMP for f in described)
        return self._table(name, [f.as_column for f in fields_of(described)], "reported" if binned else "unseen", stamped=stamped)

    def changes(
        self, table: str, window: Window = WHOLE, resume: Mapping[str, Any] | None = None
    ) -> Iterator[Page | Deletes | Rejected | End]:
        found = self.table(table)
        if found is None:
            raise ConfigError(f"the org has no table {table}", hint="an object of the org is a table when objects: names it, by its API name")
        from cadran_plugins.salesforce.reading import Reading
        from cadran_plugins.salesforce.stages import StageReading

        if table == STAGE_HISTORY:
            yield from StageReading(self.session).changes(window, resume)
        else:
            yield from Reading(self.session, found, self._sources(table)).changes(window, resume)

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None
