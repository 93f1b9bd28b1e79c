"""The ``pipedrive`` connector: tables of an account, and what has changed in them."""

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
    DataError,
    Deletes,
    End,
    Page,
    Rejected,
    ResumeExpired,
    SyncedConnector,
    Table,
    Transient,
    Window,
    suggest,
)
from cadran_plugins.pipedrive import history, walking
from cadran_plugins.pipedrive.config import SCHEMA, Settings, settings
from cadran_plugins.pipedrive.fields import Field, Values, columns, digest
from cadran_plugins.pipedrive.tables import HISTORY, KINDS, NAMES, SHORT, fields_of

if TYPE_CHECKING:
    from cadran.plugins.http import Http

#: Changes show at once; what the two clocks differ by is read again.
_LOOKBACK = dt.timedelta(minutes=10)
_DELETED = ("is_deleted",)


class PipedriveConnector(SyncedConnector):
    """Deals, persons, organizations, leads, activities, users, pipelines, stages and the history of stages."""

    config_schema: ClassVar[Mapping[str, Any]] = SCHEMA
    starter: ClassVar[Path | None] = Path(__file__).parent / "starter"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._http: Http | None = None
        self._definitions: dict[str, list[dict[str, Any]]] = {}

    @property
    def settings(self) -> Settings:
        return settings(self.context.config)

    @property
    def hosts(self) -> Sequence[str]:
        return (self.settings.host,)

    @property
    def http(self) -> Http:
        if self._http is None:
            from cadran_plugins.pipedrive.api import client

            self._http = client(self.context, self.settings)
        return self._http

    def close(self) -> None:
        if self._http is not None:
            self._http.close()
            self._http = None

    def check(self, table: str) -> None:
        _ = self.settings
        _known(table)

    def ping(self) -> str:
        from cadran_plugins.pipedrive.api import told

        me = told(self.http.get("/api/v1/users/me", tries=2))["data"]
        return str(me.get("company_name") or self.settings.host)

    def names(self) -> Sequence[str]:
        return NAMES

    def discover(self) -> Sequence[Table]:
        self._definitions.clear()
        return [self._described(name) for name in NAMES]

    def table(self, name: str) -> Table | None:
        return self._described(name) if name in NAMES else None

    def changes(
        self, table: str, window: Window = WHOLE, resume: Mapping[str, Any] | None = None
    ) -> Iterator[Page | Deletes | Rejected | End]:
        _known(table)
        if table in SHORT:
            yield from self._short(table)
            return
        if table in ("deals", HISTORY):
            walking.check_age(window, self.context.clock())
        fields = self._fields(table)
        labels = digest(self._defined(table)) if table in KINDS else ""
        told = (resume or {}).get("labels", (window.state or {}).get("labels", labels))
        if told != labels:
            raise ResumeExpired(f"choices of {table} have other labels than before")
        held = {field.column.name: field.key for field in fields if field.key}
        if any(held.get(name, key) != key for name, key in (window.state or {}).get("fields", {}).items()):
            raise ResumeExpired(f"columns of {table} are other fields than before")
        sent = 0
        for chunk in self._chunks(table, fields, window, resume):
            token = {**chunk.resume, "labels": labels}
            for item in self._pages(table, fields, chunk, token):
                sent += item.data.num_rows if isinstance(item, Page) else 0  # type: ignore[attr-defined]
                yield item
        until = window.until or self.context.clock()
        yield End(sent, {"read": until.isoformat(), "labels": labels, "fields": held})

    def _chunks(self, table: str, fields: Sequence[Field], window: Window, resume: Mapping[str, Any] | None) -> Iterator[walking.Chunk]:  # fmt: skip
        from cadran_plugins.pipedrive.api import listing

        own = [field.path for field in fields]
        if table == "leads":
            return walking.leads(self.http, KINDS[table], window, resume, listing([*own, _DELETED]))
        if table == HISTORY:
            todo, size = walking.steps(KINDS["deals"], window), history.DEALS
            return walking.walk(self.http, todo, resume, size, listing((name,) for name in history.FIELDS))
        todo = walking.steps(KINDS[table], window)
        return walking.walk(self.http, todo, resume, walking.PAGE, listing([*own, _DELETED]))

    def _pages(self, table: str, fields: Sequence[Field], chunk: walking.Chunk, token: Mapping[str, Any]) -> Iterator[Page | Deletes | Rejected]:  # fmt: skip
        """A chunk's rows, then what is gone; where there is nothing at all an empty page, so that reading goes on behind it."""
        values = chunk.records.values
        there = [not (chunk.gone or deleted) for deleted in values[_DELETED]]
        gone = [id_ for id_, is_there in zip(values[("id",)], there, strict=True) if not is_there]
        if gone:
            values = {path: list(compress(column, there)) for path, column in values.items()}
            keys = history.keys_of(gone) if table == HISTORY else [gone]
            key = [f.column for f in fields if f.column.name in _key(table)]
            yield Deletes(_arrow(key, keys, table)[0], None if any(there) else token)
        if any(there) or not gone:
            found = self._stays(fields, values) if table == HISTORY else columns(fields, values)
            data, rejected = _arrow([field.column for field in fields], found, table)
            yield from rejected
            yield Page(data, resume=token)

    def _stays(self, fields: Sequence[Field], values: Values) -> list[Sequence[Any]]:
        from cadran.plugins.typed.records import turned

        names = {int(s["id"]): str(s["name"]) for s in self._listed(SHORT["stages"])}
        keys = [name for (name,) in values]
        deals = (dict(zip(keys, deal, strict=True)) for deal in zip(*values.values(), strict=True))
        stays = [stay for deal in deals for stay in history.stages_of(self.http, deal, names)]
        return turned(stays, [field.column.name for field in fields])

    def _short(self, table: str) -> Iterator[Page | Rejected | End]:
        from cadran_plugins.pipedrive.api import listing, whole

        fields = self._fields(table)
        records = self._users() if table == "users" else whole(self.http, SHORT[table])
        wanted = listing(field.path for field in fields)
        found = wanted.plain({"data": records})
        if found is None:
            raise Transient("Pipedrive's answer is none of its API's")
        values = dict(zip(wanted.paths, found.columns, strict=True))
        data, rejected = _arrow([field.column for field in fields], columns(fields, values), table)
        yield from rejected
        yield Page(data)
        yield End(data.num_rows)

    def _users(self) -> list[dict[str, Any]]:
        """With the first of each one's teams, where the plan has teams."""
        from cadran_plugins.pipedrive.api import Forbidden, told

        users = told(self.http.get(SHORT["users"]))["data"] or []
        try:
            teams = told(self.http.get("/api/v1/legacyTeams"))["data"] or []
        except (Forbidden, DataError):
            teams = []
        team = {user: t["name"] for t in sorted(teams, key=lambda t: str(t["name"]), reverse=True) for user in t.get("users") or ()}  # fmt: skip
        return [{**user, "team": team.get(user["id"])} for user in users]

    def _described(self, name: str) -> Table:
        from cadran_plugins.pipedrive.api import Forbidden

        try:
            columns = tuple(field.column for field in self._fields(name))
        except (Forbidden, DataError) as e:
            return Table(name, problem=e)
        if name in SHORT:
            return Table(name, columns, key=("id",), deletes="unseen")
        cursor = "deal_update_time" if name == HISTORY else "update_time"
        deletes = "reported" if name in ("deals", HISTORY) else "unseen"
        return Table(name, columns, key=_key(name), cursor=cursor, lookback=_LOOKBACK, deletes=deletes)  # type: ignore[arg-type]

    def _fields(self, table: str) -> list[Field]:
        return fields_of(table, self._defined(table) if table in KINDS else ())

    def _defined(self, table: str) -> list[dict[str, Any]]:
        return self._listed(KINDS[table].definitions)

    def _listed(self, path: str) -> list[dict[str, Any]]:
        """A short list, asked for once."""
        if path not in self._definitions:
            from cadran_plugins.pipedrive.api import whole

            self._definitions[path] = whole(self.http, path)
        return self._definitions[path]


def _key(table: str) -> tuple[str, ...]:
    return ("deal_id", "number") if table == HISTORY else ("id",)


def _known(table: str) -> None:
    if table not in NAMES:
        raise ConfigError(f"Pipedrive has no table '{table}'", hint=suggest(table, NAMES))


def _arrow(
    columns: Sequence[Column], found: Sequence[Sequence[Any]], place: str
) -> tuple[Any, list[Rejected]]:
    import pyarrow as pa

    from cadran.plugins.typed.records import Records

    batch, rejected = Records(columns, utc=True, key=_key(place)).columns_batch(found, place)
    return pa.Table.from_batches([batch]), rejected
