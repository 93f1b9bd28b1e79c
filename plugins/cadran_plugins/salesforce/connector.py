"""Salesforce as a source that is asked for changes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from cadran.plugins import (
    WHOLE,
    Column,
    ConfigError,
    Context,
    Deletes,
    End,
    Page,
    Rejected,
    SyncedConnector,
    Table,
    Window,
)
from cadran_plugins.salesforce.config import CONFIG_SCHEMA, config_of
from cadran_plugins.salesforce.fields import fields_of, snake
from cadran_plugins.salesforce.objects import (
    ACTIVITIES,
    ACTIVITY_COLUMNS,
    DELETED,
    LOOKBACK,
    STAGE_COLUMNS,
    STAGE_HISTORY,
    STAMP,
    TABLES,
    Source,
    activity,
    plain,
)
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
        return str(answer["records"][0]["Name"]) if answer["records"] else self.config.host

    def discover(self) -> Sequence[Table]:
        wanted = [*TABLES, STAGE_HISTORY, ACTIVITIES, *map(self._own_name, self.config.objects)]
        return [table for name in wanted if (table := self.table(name)) is not None]

    def names(self) -> Sequence[str]:
        custom = [
            self._own_name(name) for name, o in self._all().items() if o.get("custom") and o.get("queryable")
        ]
        mine = [name for name in (*TABLES, STAGE_HISTORY, ACTIVITIES) if self._objects_of(name)]
        return list(dict.fromkeys([*mine, *map(self._own_name, self.config.objects), *custom]))

    def table(self, name: str) -> Table | None:
        objects = self._objects_of(name)
        if not objects:
            return None
        if name == STAGE_HISTORY:
            return self._table(name, STAGE_COLUMNS, "reported", stamped=True)
        if name == ACTIVITIES:
            return self._table(name, ACTIVITY_COLUMNS, "reported", stamped=True)
        described = self._describe(objects[0])
        names = {f["name"] for f in described}
        columns = [f.as_column for f in fields_of(described)]
        return self._table(
            name,
            columns,
            "reported" if DELETED in names else "unseen",
            stamped=STAMP in names and DELETED in names,
        )

    def changes(
        self, table: str, window: Window = WHOLE, resume: Mapping[str, Any] | None = None
    ) -> Iterator[Page | Deletes | Rejected | End]:
        found = self.table(table)
        if found is None:
            raise ConfigError(
                f"the org has no table '{table}'",
                hint="an object of the org is a table when objects: names it, by its API name",
            )
        from cadran_plugins.salesforce.reading import Reading
        from cadran_plugins.salesforce.stages import StageReading

        if table == STAGE_HISTORY:
            yield from StageReading(self.session, found).changes(window, resume)
        else:
            yield from Reading(self.session, found, self._sources(table)).changes(window, resume)

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    # --- which objects there are, and what they hold ---

    def _objects_of(self, table: str) -> Sequence[str]:
        """The objects that a table's rows come from; none where the org has them not, or does not show them to this user."""
        wanted = {STAGE_HISTORY: ["Opportunity", "OpportunityHistory"], ACTIVITIES: ["Task", "Event"]}.get(
            table
        )
        if wanted is None:
            wanted = (
                [TABLES[table]]
                if table in TABLES
                else [n for n in self._all() if n not in TABLES.values() and self._own_name(n) == table]
            )
        there = [name for name in wanted if self._all().get(name, {}).get("queryable")]
        return [] if table == STAGE_HISTORY and len(there) < len(wanted) else there[:2]

    def _own_name(self, name: str) -> str:
        """What an object's table is called that has no name of ours: ``Invoice__c`` is ``invoice``."""
        own = snake(name)
        return name.lower() if own in TABLES or own in (STAGE_HISTORY, ACTIVITIES) else own

    def _all(self) -> Mapping[str, Mapping[str, Any]]:
        if self._objects is None:
            self._objects = {o["name"]: o for o in self.session.get("/sobjects").json()["sobjects"]}
            for name in self.config.objects:
                if not self._objects.get(name, {}).get("queryable"):
                    raise ConfigError(
                        f"the org has no object {name} that this user may see",
                        hint="API names are in Setup, Object Manager; those of one's own objects end in __c",
                        setting=("objects", list(self.config.objects).index(name)),
                    )
        return self._objects

    def _describe(self, name: str) -> Sequence[Mapping[str, Any]]:
        if name not in self._described:
            self._described[name] = self.session.get(f"/sobjects/{name}/describe").json()["fields"]
        return self._described[name]

    def _sources(self, table: str) -> Sequence[Source]:
        objects = self._objects_of(table)
        if table == ACTIVITIES:
            return [activity(name, self._describe(name)) for name in objects]
        described = self._describe(objects[0])
        return [plain(objects[0], described, fields_of(described))]

    def _table(
        self, name: str, columns: Sequence[Column], deletes: Literal["reported", "unseen"], *, stamped: bool
    ) -> Table:
        cursor = snake(STAMP) if stamped else ""
        lookback = LOOKBACK if stamped else dt.timedelta(0)
        return Table(name, tuple(columns), key=("id",), cursor=cursor, lookback=lookback, deletes=deletes)
