"""The ``odoo`` connector: tables of a database, and what has changed in them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from cadran.plugins import (
    WHOLE,
    Column,
    ConfigError,
    Context,
    Deletes,
    End,
    Page,
    Rejected,
    ResumeExpired,
    SyncedConnector,
    Table,
    Window,
    suggest,
)
from cadran_plugins.odoo import history
from cadran_plugins.odoo.config import SCHEMA, Settings, settings
from cadran_plugins.odoo.fields import Field, columns, fields_of
from cadran_plugins.odoo.tables import HISTORY, LEADS, TABLES, Kind
from cadran_plugins.odoo.trouble import Forbidden, NotHere

if TYPE_CHECKING:
    from cadran_plugins.odoo.api import Api

#: A record bears the time at which its transaction began, and shows once that has ended.
_LOOKBACK = dt.timedelta(minutes=15)


class OdooConnector(SyncedConnector):
    """Leads, opportunities and their stages, partners, orders, activities, users, and whatever other model is named."""

    config_schema: ClassVar[Mapping[str, Any]] = SCHEMA
    starter: ClassVar[Path | None] = Path(__file__).parent / "starter"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._api: Api | None = None
        self._definitions: dict[str, Mapping[str, Any]] = {}

    @property
    def settings(self) -> Settings:
        return settings(self.context.config)

    @property
    def hosts(self) -> Sequence[str]:
        return (self.settings.host,)

    @property
    def api_(self) -> Api:
        if self._api is None:
            from cadran_plugins.odoo.api import Api

            self._api = Api(self.context, self.settings)
        return self._api

    def close(self) -> None:
        if self._api is not None:
            self._api.close()
            self._api = None

    def check(self, table: str) -> None:
        if table != HISTORY:
            self._kind(table)

    def ping(self) -> str:
        who = self.api_.who()
        return str(who["company_id"][1] if who.get("company_id") else who.get("name"))

    def names(self) -> Sequence[str]:
        return (*TABLES, HISTORY, *(name for name in self.settings.models if name not in TABLES))

    def discover(self) -> Sequence[Table]:
        self._definitions.clear()
        return [self._described(name) for name in self.names()]

    def table(self, name: str) -> Table | None:
        return self._described(name) if name in self.names() else None

    def changes(
        self, table: str, window: Window = WHOLE, resume: Mapping[str, Any] | None = None
    ) -> Iterator[Page | Deletes | Rejected | End]:
        after = (resume or {}).get("after", 0 if resume is None else None)
        if not isinstance(after, int):
            raise ResumeExpired("where reading stood cannot be told")
        fields = [] if table == HISTORY else self._fields(self._kind(table))
        held = {field.column.name: field.name for field in fields if field.column.name != field.name}
        if any(
            held.get(name, field) != field for name, field in (window.state or {}).get("fields", {}).items()
        ):
            raise ResumeExpired(f"columns of {table} are other fields than before")
        sent = 0
        for item in self._history(window, after) if table == HISTORY else self._records(table, window, after):
            sent += item.data.num_rows if isinstance(item, Page) else 0  # type: ignore[attr-defined]
            yield item
        yield End(sent, {"fields": held} if held else None)

    def _records(self, table: str, window: Window, after: int) -> Iterator[Page | Deletes | Rejected]:
        """Records by id, those that were written since. What has become another kind of record, such as a lead that is an opportunity
        now, is gone from its table."""
        kind = self._kind(table)
        fields = self._fields(kind)
        domain: list[Any] = [list(term) for term in kind.domain] + _since(window)
        if kind.only and window.since is None:
            domain.append([kind.only[0], "=", kind.only[1]])
        links = [f.name for f in fields if f.type == "many2one"]
        for values in self.api_.columns(kind.model, domain, [f.name for f in fields], after, links=links):
            ids = values["id"]
            after = int(ids[-1])
            if kind.only:
                live = [value == kind.only[1] for value in values[kind.only[0]]]
                gone = [id_ for id_, there in zip(ids, live, strict=True) if not there]
                if gone:
                    yield Deletes(_arrow([Column("id", "BIGINT")], [gone], table, ("id",))[0])
                    values = {name: list(compress(column, live)) for name, column in values.items()}
            data, rejected = _arrow([f.column for f in fields], columns(fields, values), table, ("id",))
            yield from rejected
            yield Page(data, resume={"after": after})

    def _history(self, window: Window, after: int) -> Iterator[Page | Rejected]:
        from cadran.plugins.typed.records import turned

        domain = [["type", "=", "opportunity"], *_since(window)]
        fields = history.fields_of(self._defined(LEADS))
        for records in self.api_.records(LEADS, domain, fields, after, history.OPPORTUNITIES):
            after = int(records[-1]["id"])
            stays = turned(history.stays(self.api_, records), [column.name for column in history.COLUMNS])
            data, rejected = _arrow(history.COLUMNS, stays, HISTORY, history.KEY)
            yield from rejected
            yield Page(data, resume={"after": after})

    def _described(self, name: str) -> Table:
        try:
            if name == HISTORY:
                for model in (history.TRACKING, history.MESSAGE, LEADS):
                    self._defined(model)
                self.api_.call(history.TRACKING, "search_read", {"domain": [], "fields": ["id"], "limit": 1})
                return Table(name, history.COLUMNS, key=history.KEY, cursor="write_date", lookback=_LOOKBACK)
            kind = self._kind(name)
            columns = tuple(field.column for field in self._fields(kind))
        except (Forbidden, NotHere) as e:
            return Table(name, problem=e)
        dated = not kind.short and any(column.name == "write_date" for column in columns)
        return Table(name, columns, key=("id",), cursor="write_date" if dated else "", lookback=_LOOKBACK if dated else dt.timedelta(0))  # fmt: skip

    def _kind(self, table: str) -> Kind:
        models = self.settings.models
        if table in models:
            return Kind(models[table])
        if table not in TABLES:
            hint = suggest(table, self.names()) or "name its model under 'models:'"
            raise ConfigError(f"Odoo has no table '{table}'", hint=hint)
        return TABLES[table]

    def _fields(self, kind: Kind) -> list[Field]:
        defined = self._defined(kind.model)
        if kind.fields:
            defined = {name: told for name, told in defined.items() if name in kind.fields}
        return fields_of(defined, kind.more)

    def _defined(self, model: str) -> Mapping[str, Any]:
        """A model's fields, asked for once."""
        if model not in self._definitions:
            asked = {"attributes": ["type", "string", "store", "manual", "digits"]}
            self._definitions[model] = self.api_.call(model, "fields_get", asked)
        return self._definitions[model]


def _since(window: Window) -> list[Any]:
    """Odoo compares the microseconds that it does not show: at or after the second is all that can be asked for."""
    if window.since is None:
        return []
    return [["write_date", ">=", window.since.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S")]]


def _arrow(columns: Sequence[Column], found: Sequence[Sequence[Any]], place: str, key: Sequence[str]) -> tuple[Any, list[Rejected]]:  # fmt: skip
    import pyarrow as pa

    from cadran.plugins.typed.records import Records

    batch, rejected = Records(columns, utc=True, key=key).columns_batch(found, place)
    return pa.Table.from_batches([batch]), rejected
