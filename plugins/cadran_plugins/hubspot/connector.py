"""The ``hubspot`` connector: the tables of one account, and their changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from cadran.plugins import (
    WHOLE,
    ConfigError,
    Context,
    DataError,
    Deletes,
    End,
    Page,
    Rejected,
    SyncedConnector,
    Table,
    Window,
    listed,
    suggest,
)
from cadran_plugins.hubspot.activities import Activities
from cadran_plugins.hubspot.api import Api
from cadran_plugins.hubspot.config import OBJECTS, SCHEMA, settings
from cadran_plugins.hubspot.history import StageHistory
from cadran_plugins.hubspot.objects import Objects
from cadran_plugins.hubspot.small import LINKS, Links, OrderStages, Owners, Pipelines, Stages
from cadran_plugins.hubspot.tables import Kind
from cadran_plugins.hubspot.trouble import NotAllowed


class HubSpotConnector(SyncedConnector):
    """One account. A table that the token may not read has a problem; the others are read."""

    config_schema: ClassVar[Mapping[str, Any]] = SCHEMA
    starter = Path(__file__).parent / "starter"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.settings = settings(context.config)
        self._api = Api(context, self.settings)
        self._kinds = {kind.name: kind for kind in self._all()}
        self._tables: dict[str, Table] = {}

    @property
    def hosts(self) -> Sequence[str]:
        return [self.settings.host]

    def close(self) -> None:
        self._api.close()

    def ping(self) -> str:
        try:
            account = self._api.account()
        except NotAllowed:  # the token is accepted, and may not ask this
            return f"HubSpot account ({self.settings.host})"
        return f"HubSpot account {account.get('portalId')} ({account.get('uiDomain') or self.settings.host})"

    def discover(self) -> Sequence[Table]:
        self.ping()  # a token that is not accepted at all is no problem of one table
        return [self._described(name) for name in self._kinds]

    def names(self) -> Sequence[str]:
        return list(self._kinds)

    def table(self, name: str) -> Table | None:
        return self._described(name) if name in self._kinds else None

    def check(self, table: str) -> None:
        if table not in self._kinds:
            hint = suggest(table, self._kinds) or f"there are: {listed(list(self._kinds))}"
            raise ConfigError(f"there is no table '{table}'", hint=hint)

    def changes(
        self, table: str, window: Window = WHOLE, resume: Mapping[str, Any] | None = None
    ) -> Iterator[Page | Deletes | Rejected | End]:
        self.check(table)
        described = self._described(table)
        if described.problem is not None:
            raise described.problem
        rows = 0
        for given in self._kinds[table].changes(described, window, resume):
            rows += _count(given)
            yield given
        yield End(rows)

    def _all(self) -> Iterator[Kind]:
        for name in OBJECTS:
            yield Objects(self._api, name, self.settings.properties.get(name, ()))
        yield StageHistory(self._api, "deal_stage_history")
        yield Activities(self._api, "activities", self.settings.activities)
        yield Owners(self._api, "owners")
        yield Pipelines(self._api, "pipelines")
        yield Stages(self._api, "stages")
        yield OrderStages(self._api, "order_stages")
        for name in LINKS:
            yield Links(self._api, name)

    def _described(self, name: str) -> Table:
        if name not in self._tables:
            try:
                self._tables[name] = self._kinds[name].table()
            except (NotAllowed, DataError, ConfigError) as error:
                return Table(name, problem=error)
        return self._tables[name]


def _count(given: Page | Deletes | Rejected) -> int:
    if not isinstance(given, Page):
        return 0
    rows: int = given.data.num_rows  # type: ignore[attr-defined]  # pages of this connector are pyarrow's tables
    return rows
