"""Strategies for the rows: a small shop seen over fourteen months, with every awkward date that we know of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from naive.periods import Calendar
from naive.rows import Dataset, Link
from naive.tree import Agg, Column, IsNull, Literal, Not, Nth, Op, Value

Types = dict[str, dict[str, str]]

ZONES = ("UTC", "Europe/Paris", "America/New_York")
# Two stretches of fourteen months: one with 29 February and the end of a 53-week year, one with DST changes only.
ERAS = ((dt.date(2020, 1, 6), dt.date(2021, 3, 20)), (dt.date(2024, 12, 20), dt.date(2026, 2, 20)))
AWKWARD = [
    dt.date(2020, 2, 29), dt.date(2020, 3, 8), dt.date(2020, 3, 29), dt.date(2020, 10, 25), dt.date(2020, 11, 1),
    dt.date(2020, 12, 31), dt.date(2021, 1, 1), dt.date(2021, 1, 3), dt.date(2021, 1, 4), dt.date(2021, 3, 14),
    dt.date(2024, 12, 30), dt.date(2025, 1, 1), dt.date(2025, 3, 9), dt.date(2025, 3, 30), dt.date(2025, 3, 31),
    dt.date(2025, 4, 1), dt.date(2025, 10, 26), dt.date(2025, 11, 2), dt.date(2026, 1, 1), dt.date(2026, 2, 1),
]  # fmt: skip
TIMES = (dt.time(), dt.time(), dt.time(8, 30), dt.time(12), dt.time(23, 59, 59))
CUSTOMERS = ("c1", "c2", "c3", "c4")
CHANNELS = ("web", "shop", None)
AMOUNTS = [None, *(Decimal(t) for t in ("0.00", "0.10", "0.20", "9.99", "10.00", "-3.50", "1234.56"))]


@dataclass(frozen=True)
class Setting:
    """When an example plays, and with which kinds of timestamps."""

    calendar: Calendar
    first: dt.date
    last: dt.date
    stamp: str  # the type of the events' and contracts' timestamps

    def day(self) -> st.SearchStrategy[dt.date]:
        awkward = [day for day in AWKWARD if self.first <= day <= self.last]
        return st.sampled_from(awkward) | st.dates(self.first, self.last)

    def moment(self) -> st.SearchStrategy[dt.date]:
        """A value of the type ``stamp``: a date, a local timestamp, or one that says its zone."""
        if self.stamp == "date":
            return self.day()
        local = st.builds(dt.datetime.combine, self.day(), st.sampled_from(TIMES))
        if self.stamp == "timestamp":
            return local
        hours = st.sampled_from(
            (0, 0, 0, 1, 2, 5, 6, 7)
        )  # some fall into the hours that DST repeats or skips
        return st.builds(self.zoned, local, hours)

    def zoned(self, local: dt.datetime, hours: int) -> dt.datetime:
        return self.calendar.at(local.date(), local.time()) + dt.timedelta(hours=hours)


@st.composite
def settings(draw: st.DrawFn) -> Setting:
    first, last = draw(st.sampled_from(ERAS))
    zone = draw(st.sampled_from(ZONES))
    fiscal = draw(st.sampled_from((1, 4, 2)))
    calendar = Calendar(zone, fiscal, draw(st.sampled_from(("end", "start"))))
    return Setting(
        calendar, first, last, draw(st.sampled_from(("timestamp", "timestamp", "date", "timestamptz")))
    )


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """NULL about once in eight times."""
    return st.integers(0, 7).flatmap(lambda n: st.none() if n == 3 else strategy)


def table(draw: st.DrawFn, columns: dict[str, st.SearchStrategy[Any]], most: int) -> list[dict[str, Value]]:
    """Up to ``most`` rows with an ``id`` that counts."""
    least = draw(st.sampled_from((0, most // 2, most // 2)))
    rows = draw(st.lists(st.fixed_dictionaries(columns), min_size=least, max_size=most))
    return [{"id": number, **row} for number, row in enumerate(rows, start=1)]


def first_of(rows: Sequence[dict[str, Value]], *columns: str) -> list[dict[str, Value]]:
    """One row for each key."""
    unique = {tuple(row[c] for c in columns): row for row in reversed(rows)}
    return list(unique.values())


@st.composite
def datasets(draw: st.DrawFn, setting: Setting) -> tuple[list[Dataset], Types]:
    """Customers, events and contracts that link to them, snapshots, quotas that lie ahead, plans without a date."""
    channel = st.sampled_from(CHANNELS)
    customer = optional(st.sampled_from((*CUSTOMERS, "gone")))
    amount = st.sampled_from(AMOUNTS)
    customers = table(
        draw,
        {"code": st.sampled_from(CUSTOMERS), "joined": optional(setting.day()), "tier": optional(st.sampled_from(("a", "b"))),
         "channel": channel, "score": optional(st.integers(0, 99))},
        6,
    )  # fmt: skip
    events = table(
        draw,
        {"happened": optional(setting.moment()), "shipped": optional(setting.day()), "customer": customer,
         "channel": channel, "amount": amount, "qty": optional(st.integers(-2, 5)),
         "weight": st.sampled_from((None, 0.0, 0.25, 1.5, -2.0))},
        25,
    )  # fmt: skip
    contracts = table(
        draw,
        {"begins": setting.moment(), "length": optional(st.sampled_from((0, 0, 1, 5, 31, 90, 200))), "customer": customer,
         "channel": channel, "mrr": amount},
        16,
    )  # fmt: skip
    for row in contracts:
        begins, length = row["begins"], row.pop("length")
        assert isinstance(begins, dt.date)
        row["ends"] = None if length is None else begins + dt.timedelta(days=int(str(length)))
    balances = table(
        draw,
        {
            "account": st.sampled_from(("x", "y")),
            "taken": setting.day(),
            "channel": channel,
            "amount": amount,
        },
        12,
    )
    quotas = table(
        draw,
        {
            "due": setting.day().map(lambda d: d.replace(day=1)),
            "channel": channel,
            "amount": st.integers(0, 9),
        },
        10,
    )
    plans = table(draw, {"channel": channel, "amount": amount}, 5)
    kind = {"date": "date", "timestamp": "timestamp", "timestamptz": "timestamptz"}[setting.stamp]
    types: Types = {
        "customers": {"code": "text", "joined": "date", "tier": "text", "channel": "text", "score": "integer"},
        "events": {
            "id": "integer", "happened": kind, "shipped": "date", "customer": "text", "channel": "text",
            "amount": "decimal(12,2)", "qty": "integer", "weight": "double",
        },
        "contracts": {
            "id": "integer", "begins": kind, "ends": kind, "customer": "text", "channel": "text", "mrr": "decimal(12,2)",
        },
        "balances": {"account": "text", "taken": "date", "channel": "text", "amount": "decimal(12,2)"},
        "quotas": {"id": "integer", "due": "date", "channel": "text", "amount": "integer"},
        "plans": {"id": "integer", "channel": "text", "amount": "decimal(12,2)"},
    }  # fmt: skip
    link = {"customers": Link("customer", "customers")}
    far = {"channel": "channel", "tier": "customers.tier"}
    big = Op(">=", Column("score"), Literal(50))
    where = draw(
        st.sampled_from((None, None, Not(IsNull(Column("amount"))), Op("<>", Column("qty"), Literal(3))))
    )
    inclusive = setting.stamp == "date" and draw(st.booleans())
    return [
        Dataset(
            "customers", first_of(customers, "code"), ("code",), "joined",
            derived={"big": big, "first_event": Agg("min", "events", Column("happened"))},
            segments={"channel": "channel", "tier": "tier"},
        ),
        Dataset(
            "events", events, date="happened", settle=draw(st.sampled_from((0, 3))), where=where,
            derived={"nth": Nth("customer", "id")}, links=link, segments=far,
        ),
        Dataset(
            "contracts", contracts, date="ends", valid=("begins", "ends"), inclusive=inclusive,
            settle=draw(st.sampled_from((0, 10))), links=link, segments=far,
        ),
        Dataset(
            "balances", first_of(balances, "account", "taken"), ("account", "taken"), "taken", snapshot=True,
            segments={"channel": "channel"},
        ),
        Dataset("quotas", quotas, date="due", ahead=True, segments={"channel": "channel"}),
        Dataset("plans", plans, segments={"channel": "channel"}),
    ], types  # fmt: skip
