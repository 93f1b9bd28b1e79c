"""The records of a HubSpot account in the simulator: what is stored, what it was before, and rows made on the fly."""

from __future__ import annotations

import bisect
import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from tests.simulators.hubspot_fields import created, cursor


def instant(at: dt.datetime) -> str:
    """As HubSpot writes it: milliseconds, UTC."""
    return at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def millis(at: dt.datetime) -> int:
    return round(at.timestamp() * 1000)


@dataclass
class Row:
    id: int
    created: dt.datetime
    updated: dt.datetime
    values: dict[str, str]
    archived: dt.datetime | None = None
    history: dict[str, list[tuple[dt.datetime, str]]] = field(default_factory=dict)  # the newest last

    def set(self, values: Mapping[str, str], at: dt.datetime) -> None:
        for name, value in values.items():
            if self.values.get(name, "") != value:
                self.values[name] = value
                self.history.setdefault(name, []).append((at, value))

    def value(self, kind: str, name: str) -> str | None:
        """HubSpot sets these by itself; all other properties are as they were given."""
        if name == "hs_object_id":
            return str(self.id)
        if name == cursor(kind):
            return instant(self.updated)
        if name == created(kind):
            return instant(self.created)
        return self.values.get(name)


class Rows:
    """The rows of one kind by their ids, and those that are only made when somebody asks: ``made`` ids from 1 on."""

    def __init__(self) -> None:
        self._rows: dict[int, Row] = {}
        self._ids: list[int] = []
        self._make: Callable[[int], Row] | None = None
        self._made = 0

    def make(self, count: int, row: Callable[[int], Row]) -> None:
        """``row`` gives the row of an id. A later row is never modified before an earlier one."""
        self._made, self._make = count, row

    def add(self, row: Row) -> None:
        assert row.id > self._made and row.id not in self._rows
        self._rows[row.id] = row
        bisect.insort(self._ids, row.id)

    def remove(self, id_: int) -> None:
        del self._rows[id_]
        self._ids.remove(id_)

    def get(self, id_: int) -> Row | None:
        if self._make is not None and 1 <= id_ <= self._made:
            return self._make(id_)
        return self._rows.get(id_)

    def __getitem__(self, id_: int) -> Row:
        row = self.get(id_)
        assert row is not None
        return row

    def above(self, id_: int) -> Iterator[Row]:
        """In the order of ids."""
        if self._make is not None:
            for number in range(max(id_, 0) + 1, self._made + 1):
                yield self._make(number)
        for number in list(self._ids[bisect.bisect_right(self._ids, id_) :]):
            if (row := self._rows.get(number)) is not None:
                yield row

    def made_since(self, at: dt.datetime) -> int:
        """How many of the rows made on the fly were modified before."""
        make = self._make
        if make is None:
            return 0
        return bisect.bisect_left(range(1, self._made + 1), at, key=lambda number: make(number).updated)

    def __len__(self) -> int:
        return self._made + len(self._ids)

    @property
    def made(self) -> int:
        return self._made


_SOURCES = ("web", "paid", "referral", "event", "cold_call")
_START = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def contact(number: int) -> Row:
    """A contact made of its number alone: no two processes differ."""
    mixed = number * 2654435761 % 4294967296
    at = _START + dt.timedelta(seconds=60 * number)
    values = {
        "email": f"person{number}@example.com", "firstname": f"First{mixed % 500}", "lastname": f"Last{mixed % 9000}",
        "city": f"City {mixed % 300}", "country": ("FR", "BE", "CH")[mixed % 3], "lifecyclestage": "lead",
        "hubspotscore": str(mixed % 100), "hs_analytics_source": _SOURCES[mixed % 5], "hubspot_owner_id": str(1 + mixed % 8),
        "notes_last_contacted": instant(at + dt.timedelta(hours=mixed % 99)),
    }  # fmt: skip
    return Row(number, at, at, values)


def deal(number: int) -> Row:
    mixed = number * 2654435761 % 4294967296
    at = _START + dt.timedelta(seconds=60 * number)
    stage = ("appointmentscheduled", "contractsent", "closedwon", "closedlost")[mixed % 4]
    values = {
        "dealname": f"Deal {number}", "amount": f"{mixed % 9000000 / 100:.2f}", "pipeline": "default", "dealstage": stage,
        "hubspot_owner_id": str(1 + mixed % 8), "closedate": instant(at + dt.timedelta(days=mixed % 90)),
        "deal_currency_code": "EUR", "hs_is_closed": "true" if mixed % 4 > 1 else "false",
    }  # fmt: skip
    history = {"dealstage": [(at, "appointmentscheduled"), *([(at + dt.timedelta(days=1), stage)] if mixed % 4 else [])],
               "pipeline": [(at, "default")]}  # fmt: skip
    return Row(number, at, at, values, history=history)
