"""One KPI for each word of the vocabulary, over fixed rows that reach past every clock of the tests."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal

from naive.evaluator import Kpi
from naive.periods import Calendar
from naive.rows import Dataset, Link
from naive.tree import (
    Agg,
    Arith,
    Coalesce,
    Column,
    Converted,
    CountHaving,
    DateDiff,
    Entity,
    InPeriod,
    IsNull,
    Kept,
    Literal,
    Node,
    Not,
    Now,
    Nth,
    Num,
    Op,
    Rolling,
    Shift,
    Timed,
    ToDate,
    Total,
    Value,
    ValueAt,
)
from properties.render import Project

FIRST, DAYS = dt.date(2024, 11, 1), 480
MILESTONE = dt.date(2025, 7, 10)
TYPES = {
    "customers": {"code": "text", "joined": "date", "tier": "text", "channel": "text"},
    "events": {"id": "integer", "happened": "timestamp", "customer": "text", "channel": "text", "amount": "decimal(12,2)"},
    "contracts": {
        "id": "integer", "begins": "timestamp", "ends": "timestamp", "customer": "text", "channel": "text", "mrr": "decimal(12,2)",
    },
    "balances": {"account": "text", "taken": "date", "channel": "text", "amount": "decimal(12,2)"},
    "quotas": {"id": "integer", "due": "date", "channel": "text", "amount": "integer"},
}  # fmt: skip

AMOUNT = Column("amount")
EVENTS = Agg("count", "events")
REVENUE = Agg("sum", "events", AMOUNT)
MRR = Agg("sum", "contracts", Column("mrr"))
BUYERS = Agg("count", "contracts", Column("customer"), distinct=True)
BALANCE = Agg("sum", "balances", AMOUNT)
QUOTA = Agg("sum", "quotas", AMOUNT)
WEB = Op("=", Column("channel"), Literal("web"))

FORMULAS: dict[str, Node] = {
    "count": EVENTS,
    "count_distinct": Agg("count", "events", Column("customer"), distinct=True),
    "sum": REVENUE,
    "avg": Agg("avg", "events", AMOUNT),
    "min": Agg("min", "events", AMOUNT),
    "max": Agg("max", "events", AMOUNT),
    "median": Agg("median", "events", AMOUNT),
    "quantile": Agg("quantile", "events", AMOUNT, q=0.9),
    "stddev": Agg("stddev", "events", AMOUNT),
    "filter": Agg("count", "events", where=WEB),
    "linked": Agg("count", "events", where=Op("=", Column("customers.tier"), Literal("a"))),
    "link_from_ahead": Agg("sum", "events", AMOUNT, where=IsNull(Column("customers.joined"))),
    "window_function": Agg("count", "events", where=Op("=", Column("nth"), Literal(1))),
    "aggregated_column": Agg("count", "customers", where=Not(IsNull(Column("last_event")))),
    "aggregated_age": Agg(
        "avg", "customers", DateDiff(Column("customers.joined"), Column("customers.last_event"))
    ),
    "now": Agg("avg", "events", DateDiff(Column("events.happened"), Now(date=True))),
    "in_period": Agg("sum", "events", AMOUNT, where=InPeriod(Column("customers.joined"))),
    "by_end": Agg("count", "contracts"),
    "dated": Agg("count", "contracts", date="begins"),
    "still_open": Agg("count", "contracts", where=IsNull(Column("ends")), date="begins"),
    "length": Agg(
        "avg", "contracts", DateDiff(Column("contracts.begins"), Column("contracts.ends")), date="begins"
    ),
    "active": Entity("active", "events", "customer"),
    "new": Entity("new", "events", "customer"),
    "retained": Entity("retained", "events", "customer"),
    "lost": Entity("lost", "events", "customer"),
    "count_having": CountHaving("events", "customer", EVENTS, ">=", 2),
    "converted": Converted("events", "customer", "contracts", "customer", days=30),
    "converted_to_dates": Converted("events", "customer", "customers", "code", days=90),
    "opening": Timed("opening", MRR),
    "closing": Timed("closing", MRR),
    "started": Timed("started", MRR),
    "ended": Timed("ended", MRR),
    "during": Timed("during", Agg("count", "contracts")),
    "lost_rows": Timed("lost", MRR),
    "lost_keys": Timed("lost", BUYERS),
    "kept": Kept(MRR, "customer"),
    "snapshot_opening": Timed("opening", BALANCE),
    "snapshot_closing": Timed("closing", BALANCE),
    "ahead": QUOTA,
    "previous": Shift("previous", REVENUE),
    "next": Shift("next", REVENUE),
    "next_ahead": Shift("next", QUOTA),
    "year_ago": Shift("year_ago", REVENUE),
    "value_at": ValueAt(REVENUE, MILESTONE, "change"),
    "rolling": Rolling(Entity("new", "events", "customer"), 3),
    "qtd": ToDate("qtd", REVENUE),
    "ytd": ToDate("ytd", Timed("opening", MRR)),
    "fytd": ToDate("fytd", Agg("median", "events", AMOUNT)),
    "total": Arith("/", REVENUE, Total(REVENUE)),
    "coalesce": Coalesce(Shift("previous", Agg("avg", "events", AMOUNT)), Num(0)),
    "ratio": Arith("-", Num(1), Arith("/", Timed("closing", BUYERS), Timed("opening", BUYERS))),
}


def events(chance: random.Random) -> list[dict[str, Value]]:
    return [
        {
            "id": number,
            "happened": moment(chance),
            "customer": chance.choice(("c1", "c2", "c3", "c4", "c5", "c6", "c7", None)),
            "channel": chance.choice(("web", "shop", None)),
            "amount": chance.choice((None, *(Decimal(n) / 100 for n in (1, 999, 1000, 123456)))),
        }
        for number in range(1, 91)
    ]


def moment(chance: random.Random) -> dt.datetime:
    day = FIRST + dt.timedelta(days=chance.randrange(DAYS))
    return dt.datetime.combine(day, chance.choice((dt.time(), dt.time(9, 30), dt.time(18))))


def contracts(chance: random.Random) -> list[dict[str, Value]]:
    rows: list[dict[str, Value]] = []
    for number in range(1, 41):
        begins = moment(chance)
        length = chance.choice((None, 0, 3, 40, 200))
        rows.append(
            {
                "id": number,
                "begins": begins,
                "ends": None if length is None else begins + dt.timedelta(days=length),
                "customer": chance.choice(("c1", "c2", "c3", "c8", None)),
                "channel": chance.choice(("web", "shop")),
                "mrr": Decimal(chance.randrange(1, 50)) / 4,
            }
        )
    return rows


def datasets() -> list[Dataset]:
    chance = random.Random(11)
    joined = [FIRST + dt.timedelta(days=60 * number) for number in range(8)]
    people: list[dict[str, Value]] = [
        {"code": f"c{n}", "joined": day, "tier": "ab"[n % 2], "channel": ("web", "shop")[n % 2]}
        for n, day in enumerate(joined, start=1)
    ]
    balances: list[dict[str, Value]] = [
        {
            "account": account,
            "taken": FIRST + dt.timedelta(days=day),
            "channel": "web",
            "amount": Decimal(day) / 10,
        }
        for day in range(5, DAYS, 11)
        for account in chance.choice((["x"], ["x", "y"]))
    ]
    quotas: list[dict[str, Value]] = [
        {"id": number, "due": dt.date(2025, 1 + number % 12, 1), "channel": "web", "amount": number}
        for number in range(16)
    ]
    link = {"customers": Link("customer", "customers")}
    channel = {"channel": "channel"}
    return [
        Dataset(
            "customers", people, ("code",), "joined", derived={"last_event": Agg("max", "events", Column("happened"))},
            segments=channel,
        ),
        Dataset("events", events(chance), date="happened", settle=3, derived={"nth": Nth("customer", "id")}, links=link, segments=channel),
        Dataset("contracts", contracts(chance), date="ends", valid=("begins", "ends"), links=link, segments=channel),
        Dataset("balances", balances, ("account", "taken"), "taken", snapshot=True, segments=channel),
        Dataset("quotas", quotas, date="due", ahead=True, segments=channel),
    ]  # fmt: skip


def project(clock: dt.datetime, zone: str) -> Project:
    calendar = Calendar(zone, fiscal_starts=4)
    kpis = [Kpi(f"k_{name}", formula, ("month",), (("channel",),)) for name, formula in FORMULAS.items()]
    instant = calendar.at(clock.date(), clock.time())
    until = FIRST + dt.timedelta(days=DAYS)
    return Project(datasets(), TYPES, calendar, instant, FIRST, until, kpis, {"change": MILESTONE})
