"""Where databases mean something else by the same SQL: each trap is set on purpose, and the figures stay the same.

Every project here is run over files first; its tables then lie in a database, prepared to give another answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import cadran
from differential.moving import Duckdb, MariaDB, Postgres, Spark, Sqlite, moved, watched

DATABASES = (
    "postgres",
    "mariadb",
    "sqlite",
    "duckdb",
    pytest.param("spark", marks=[pytest.mark.slow, pytest.mark.xdist_group("spark")]),
)
CLOCK = dt.datetime(2026, 12, 1)

# name → the files' texts, and what follows "sources:" in kpis.yaml (its first line may go on with the source's settings)
TRAPS: Mapping[str, tuple[Mapping[str, str], str]] = {
    "capitals and trailing blanks tell texts apart": (
        {
            "orders": "id,day,owner,amount\n1,2026-01-05,Ann,1.10\n2,2026-01-06,ann,2.20\n3,2026-01-07,'ann ',4.40\n4,2026-01-08,,8.80\n5,2026-01-09,Émile,16.00\n6,2026-01-09,émile,32.00\n".replace("'", '"'),
            "people": "id,team\nAnn,red\nann,blue\nÉmile,red\n",
        },
        """
datasets:
  orders: {from: files.orders, key: id, date: day, links: {owner: {column: owner, to: people}}}
  people: {from: files.people, key: id}
segments: {who: {orders: owner}, team: {orders: owner.team}}
kpis:
  revenue: {formula: sum(orders.amount), period: month, segment: [who, team]}
  anns: {formula: count(orders) filter (where owner = 'ann'), period: month}
  not_anns: {formula: count(orders) filter (where owner <> 'Ann'), period: month}
  listed: {formula: "count(orders) filter (where owner in ('ANN', 'ann', 'émile'))", period: month}
  like_a: {formula: count(orders) filter (where owner like 'A%'), period: month}
  before_b: {formula: count(orders) filter (where owner < 'a'), period: month}
  owners: {formula: count(distinct orders.owner), period: month}
  buyers: {formula: active(orders.owner), period: month, segment: team}
""",
    ),
    "nothing in keys, segments and numbers": (
        {
            "orders": "id,day,customer,channel,amount\n1,2026-01-05,c1,web,10\n2,2026-01-06,,,\n3,2026-01-07,c2,,5\n4,,c2,web,7\n5,2026-02-07,c9,shop,1\n",
            "customers": "code,tier\nc1,a\nc2,\n",
        },
        """
datasets:
  orders: {from: files.orders, key: id, date: day, links: {customer: {column: customer, to: customers}}}
  customers: {from: files.customers, key: code, columns: {spent: sum(orders.amount), seen: count(orders)}}
segments: {channel: {orders: channel}, tier: {orders: customer.tier}}
kpis:
  orders: {formula: count(orders), period: [month, all], segment: [channel, tier, [channel, tier]]}
  amount: {formula: sum(orders.amount), period: month, segment: channel}
  average: {formula: avg(orders.amount), period: month, segment: channel}
  least: {formula: min(orders.amount), period: month, segment: tier}
  buyers: {formula: active(orders.customer), period: month, segment: channel}
  back: {formula: retained(orders.customer), period: month}
  gone: {formula: lost(orders.customer), period: month}
  fresh: {formula: new(orders.customer), period: month, segment: tier}
  spenders: {formula: count(customers) filter (where spent > 5), period: all}
  unseen: {formula: count(customers) filter (where seen = 0), period: all}
""",
    ),
    "whole numbers are not divided as such": (
        {"orders": "id,day,qty,boxes\n1,2026-01-05,7,2\n2,2026-01-06,1,3\n3,2026-01-07,5,0\n4,2026-01-08,-7,2\n"},
        """
datasets: {orders: {from: files.orders, key: id, date: day, columns: {per_box: qty / boxes, cents: qty / 100, rest: "mod(qty, 3)"}}}
kpis:
  per_box: {formula: sum(orders.per_box), period: month}
  cents: {formula: sum(orders.cents), period: month}
  large: {formula: count(orders) filter (where qty / boxes > 0.3), period: month}
  ratio: {formula: sum(orders.qty) / sum(orders.boxes), period: month}
  rests: {formula: sum(orders.rest), period: month}
  average: {formula: avg(orders.qty), period: month}
""",
    ),
    "a table without rows": (
        {"orders": "id,day,customer,amount\n", "visits": "id,day\n1,2026-01-01\n"},
        """, types: {amount: "decimal(12,2)", day: date, customer: text}
datasets: {orders: {from: files.orders, key: id, date: day}, visits: {from: files.visits, key: id, date: day}}
kpis:
  revenue: {formula: sum(orders.amount), period: [month, all]}
  rate: {formula: count(orders) / count(visits), period: month}
  buyers: {formula: new(orders.customer), period: month}
""",
    ),
    "names that are keywords, have blanks or capitals": (
        {"Order Details": 'id,Order Date,select,group,Unit Price,"a ""b"""\n1,2026-01-05,x,g1,2.50,1\n2,2026-02-05,y,g1,3.50,2\n'},
        '''
datasets: {lines: {from: files.Order Details, key: id, date: Order Date, columns: {Twice As Much: '2 * "Unit Price"'}}}
segments: {group: {lines: group}, select: {lines: select}}
kpis:
  revenue: {formula: 'sum(lines."Unit Price")', period: month, segment: [group, select]}
  twice: {formula: 'sum(lines."Twice As Much") filter (where "select" = \'\'x\'\')', period: month}
  signs: {formula: 'sum(lines."a ""b""")', period: month}
''',
    ),
    "days begin at the calendar's midnight, summer and winter": (
        {
            "visits": "id,at,seen\n1,2026-03-28 23:30:00+00,2026-03-29 00:30\n2,2026-03-29 00:59:00+00,2026-03-29 01:59\n3,2026-03-29 22:30:00+00,2026-03-30 00:30\n4,2026-10-24 22:30:00+00,2026-10-25 00:30\n5,2026-10-25 00:30:00+00,2026-10-25 02:30\n6,2026-10-25 01:30:00+00,2026-10-25 02:30\n7,2026-10-25 23:30:00+00,2026-10-26 00:30\n"
        },
        """
datasets:
  visits: {from: files.visits, key: id, date: at, columns: {day_late: seen + interval '1' day}}
  seen: {from: files.visits, key: id, date: seen}
kpis:
  visits: {formula: count(visits), period: [day, week, month], alert: {when: value > 0}}
  seen: {formula: count(seen), period: [day, month]}
  first: {formula: count(visits) filter (where extract(hour from at) < 2), period: day}
  lag: {formula: "sum(date_diff('day', visits.at, visits.day_late))", period: month}
""",
    ),
    "medians, spreads and quantiles of decimals and of few rows": (
        {"orders": "id,day,channel,amount,days\n1,2026-01-05,web,1.10,1\n2,2026-01-06,web,2.25,2\n3,2026-01-07,shop,9.99,7\n4,2026-02-08,shop,4.00,\n"},
        """
datasets: {orders: {from: files.orders, key: id, date: day}}
kpis:
  middle: {formula: median(orders.amount), period: month, segment: channel}
  middle_web: {formula: median(orders.days) filter (where channel = 'web'), period: month}
  ninth: {formula: "quantile(orders.amount, 0.9)", period: month}
  spread: {formula: stddev(orders.amount), period: month, segment: channel}
""",
    ),
    "two segments over one column": (
        {"shops": "id,day,shop,amount\n1,2026-01-05,Lyon,20\n2,2026-01-06,Paris,9.90\n3,2026-02-07,Paris,4.10\n4,2026-02-08,,1\n"},
        """
datasets: {shops: {from: files.shops, key: id, date: day}}
segments: {shop: {shops: shop}, city: {shops: shop}, top: {shops: shop, show: {top: 1, other: true}}}
kpis:
  revenue: {formula: sum(shops.amount), period: month, segment: [shop, [shop, city]]}
  of_cities: {formula: sum(shops.amount), period: month, segment: city, target: 10}
  best: {formula: sum(shops.amount), period: month, segment: top}
  middle: {formula: median(shops.amount), period: month, segment: shop}
  middle_of_cities: {formula: median(shops.amount), period: month, segment: city}
  kinds: {formula: count(distinct shops.amount), period: month, segment: [shop, city]}
""",
    ),
    "a search in a dataset that has sums of another": (
        {
            "events": "id,day,customer\n1,2026-01-05,a\n2,2026-01-06,b\n3,2026-02-07,a\n4,2026-02-08,c\n",
            "customers": "code,joined\na,2026-01-07\nb,2026-03-01\nc,2026-02-08\n",
        },
        """
datasets:
  events: {from: files.events, key: id, date: day, links: {customer: {column: customer, to: customers}}}
  customers: {from: files.customers, key: code, date: joined, columns: {first_event: min(events.day)}}
kpis:
  won: {formula: "converted(events.customer, customers.code, '30 days') filter (where day = customer.first_event)", period: month}
  all_won: {formula: "converted(events.customer, customers.code, '30 days')", period: month}
""",
    ),
    "calendar arithmetic": (
        {"deals": "id,opened,closed\n1,2026-01-31,2026-03-01\n2,2026-02-28,2026-02-28\n3,2024-12-30,2026-01-04\n4,2026-03-29,\n"},
        """
datasets:
  deals:
    from: files.deals
    key: id
    date: opened
    columns:
      due: opened + interval '1' month
      later: opened + 30
      week: extract(week from opened)
      weekday: isodow(opened)
      monday: cast(date_trunc('week', opened) as date)
      quarter: cast(date_trunc('quarter', opened) as date)
kpis:
  days: {formula: "avg(date_diff('day', deals.opened, deals.closed))", period: all}
  months: {formula: "sum(date_diff('month', deals.opened, deals.closed))", period: all}
  years: {formula: "sum(date_diff('year', deals.opened, deals.closed))", period: all}
  late: {formula: count(deals) filter (where closed > due), period: month}
  later: {formula: count(deals) filter (where closed < later), period: month}
  weeks: {formula: sum(deals.week), period: year}
  weekdays: {formula: sum(deals.weekday), period: year}
  mondays: {formula: "sum(date_diff('day', deals.monday, deals.opened))", period: all}
  into_quarter: {formula: "sum(date_diff('day', deals.quarter, deals.opened))", period: all}
""",
    ),
}  # fmt: skip


# What a database cannot say: all other statements of the traps run there, and a reason that comes or goes is seen.
PULLED: Mapping[tuple[str, str], set[str]] = {
    ("days begin at the calendar's midnight, summer and winter", "MariaDB"): {
        "MariaDB has no local time of a TIMESTAMP of the same meaning"
    },
    ("medians, spreads and quantiles of decimals and of few rows", "MariaDB"): {
        "MariaDB has no median or quantile of the same meaning"
    },
    ("a search in a dataset that has sums of another", "MariaDB"): {
        "MariaDB has no search in computed sums within another sum of the same meaning"
    },
    ("whole numbers are not divided as such", "Sqlite"): {"SQLite has no decimal of the same meaning"},
    ("medians, spreads and quantiles of decimals and of few rows", "Sqlite"): {
        "SQLite has no median or quantile of the same meaning",
        "SQLite has no stddev of the same meaning",
    },
    ("two segments over one column", "MariaDB"): {"MariaDB has no median or quantile of the same meaning"},
    ("two segments over one column", "Sqlite"): {"SQLite has no median or quantile of the same meaning"},
    ("calendar arithmetic", "Sqlite"): {
        "SQLite has no date_trunc('quarter') of the same meaning",
        "SQLite has no extract(week) of the same meaning",
        "SQLite has no interval of months of the same meaning",
    },
}


@pytest.fixture(params=DATABASES)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    kinds: dict[str, Any] = {
        "postgres": lambda: Postgres(request.getfixturevalue("postgres")),
        "mariadb": lambda: MariaDB(request.getfixturevalue("mariadb")),
        "sqlite": lambda: Sqlite(tmp_path),
        "duckdb": lambda: Duckdb(tmp_path),
        "spark": lambda: Spark(*request.getfixturevalue("spark"), tmp_path),
    }
    made = kinds[request.param]()
    if request.param == "postgres":  # a server in another zone than the calendar's
        database = made.server.engine.url.database
        made.server.run(f"ALTER DATABASE \"{database}\" SET timezone = 'Pacific/Auckland'")
    yield made
    if hasattr(made, "drop"):
        made.drop()


@pytest.mark.parametrize("trap", TRAPS)
@pytest.mark.parametrize("zone", ["Europe/Paris"])
def test_the_figures_are_those_of_the_files(trap: str, zone: str, target: Any, tmp_path: Path) -> None:
    files, rest = TRAPS[trap]
    for name, text in files.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    settings, _, declared = rest.partition("\n")
    head = f"version: 1\ncalendar: {{timezone: {zone}}}\nsources:\n  files: {{connector: files, path: ."
    (tmp_path / "kpis.yaml").write_text(f"{head}{settings}}}\n{declared}", encoding="utf-8")
    project = cadran.open(tmp_path / "kpis.yaml")
    expected = _figures(project)
    assert any(value is not None for value in expected.values()) or "without" in trap
    for pushdown in ("auto", "off"):
        there = moved(project, target, tmp_path, pushdown=pushdown) if pushdown == "auto" else _off(tmp_path)
        with watched() as seen:
            found = _figures(cadran.open(there))
        assert seen.refused == []
        if pushdown == "auto":
            assert seen.here == PULLED.get((trap, type(target).__name__), set()), "all else is computed there"
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            exact = not isinstance(target, Sqlite) and not isinstance(value, float)
            same = found[key] == value if exact or value is None else float(found[key]) == pytest.approx(float(value), rel=1e-9)  # fmt: skip
            assert same, f"{pushdown} {key}: {found[key]!r}, over files {value!r}"


def _figures(project: Any) -> dict[tuple[object, ...], Any]:
    results = project.run(as_of=CLOCK, since=dt.date(2024, 1, 1))
    return {(r.kpi, r.grain, r.period, r.segment, r.segment_value): r.value for r in results}


def _off(folder: Path) -> Path:
    """The same over the tables that are there already."""
    text = (folder / "kpis-auto.yaml").read_text(encoding="utf-8")
    file = folder / "kpis-off.yaml"
    file.write_text(text.replace("pushdown: auto", "pushdown: off"), encoding="utf-8")
    return file
