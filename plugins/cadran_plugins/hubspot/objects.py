"""Contacts, companies, deals and orders: a row a record, a column a property, and the record that each mainly belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cadran.plugins import Column, ConfigError, Table, Window, suggest
from cadran_plugins.hubspot.api import Api, first
from cadran_plugins.hubspot.block import Asked, Block
from cadran_plugins.hubspot.columns import Field, fields, values
from cadran_plugins.hubspot.tables import Given, Kind
from cadran_plugins.hubspot.walk import MERGED, cursor, lookback, merged, walk

#: Which other objects a row names one record of, and in which column.
PRIMARY = {
    "contacts": {"companies": "company_id"},
    "companies": {},
    "deals": {"contacts": "contact_id", "companies": "company_id"},
    "orders": {"contacts": "contact_id", "companies": "company_id"},
}


class Objects(Kind):
    """``more`` names properties that are read although they would not be by themselves."""

    def __init__(self, api: Api, name: str, more: Sequence[str] = ()) -> None:
        super().__init__(api, name)
        self._more, self._fields = more, list[Field]()

    def table(self) -> Table:
        self.api.peek(self.name)
        linked = PRIMARY[self.name].values()
        properties = self.api.properties(self.name)
        self._check(properties)
        self._fields = fields(properties, self._more, ("id", *linked))
        columns = (
            Column("id", "VARCHAR"),
            *(each.column for each in self._fields),
            *(Column(name, "VARCHAR") for name in linked),
        )
        return Table(
            self.name, columns, key=("id",), cursor=cursor(self.name), lookback=lookback(self.api), deletes="reported",
        )  # fmt: skip

    def _check(self, properties: Sequence[Mapping[str, Any]]) -> None:
        """Raises where the settings name a property that is not there: HubSpot itself would say nothing."""
        names = [str(each["name"]) for each in properties]
        for number, name in enumerate(self._more):
            if name not in names:
                hint = (
                    suggest(name, names) or "its internal name stands in HubSpot under Settings → Properties"
                )
                setting = ("properties", self.name, number)
                raise ConfigError(
                    f"HubSpot's {self.name} have no property '{name}'", hint=hint, setting=setting
                )

    def changes(self, table: Table, window: Window, resume: Mapping[str, Any] | None) -> Iterator[Given]:
        read, linked = values(self._fields), PRIMARY[self.name]
        asked = Asked((*(each.property for each in self._fields), MERGED), linked=tuple(linked))

        def columns(records: Block) -> list[Sequence[Any]]:
            of_others = ([first(links) for links in records.links[other]] for other in linked)
            return [records.ids, *read(records.values), *of_others]

        for step in walk(self.api, self.name, asked, window, resume):
            lost = [{"id": each} for each in merged(self.name, step.records)]
            if step.gone:
                yield from self.gone(
                    table, [*lost, *({"id": each} for each in step.records.ids)], step.resume
                )
            else:
                yield from self.gone(table, lost)
                yield from self.page(table, columns(step.records), step.resume)
