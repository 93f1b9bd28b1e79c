"""Generated projects and data, the same in every run."""

from __future__ import annotations

from pathlib import Path

CHANNELS = ("web", "shop", "phone", "partner", "field")

_HEAD = """\
version: 1
calendar: {timezone: Europe/Paris}
sources: {shop: {connector: files, path: .}}
datasets:
  orders: {from: shop.orders, key: id, date: day, links: {customer_id: customers}}
  customers: {from: shop.customers, key: id}
segments: {range: {orders: customers.range}}
kpis:
"""
_KPI = """\
  kpi_{n}:
    label: {{fr: Indicateur {n}, en: Indicator {n}}}
    description: The share of orders above {n} in the revenue of its period.
    formula: sum(orders.amount) filter (where amount > {n} and channel = 'web') / nullif(sum(orders.amount), 0)
    period: [month, quarter]
    segment: [channel, range]
    unit: percent
    owner: team{team}@example.com
    tags: [group_{team}]
"""
_JUDGED = """\
    target:
      - {{segment: {{channel: web}}, value: {share}%}}
      - {{value: 105% * year_ago(kpi_{n})}}
    alert: {{name: low, when: value < 90% * target and base >= 30, for: 2, grain: month}}
"""


def many_kpis(folder: Path, count: int, *, judged: bool = False) -> Path:
    """A project with that many KPIs, over two files that hold a header and a row.

    Each has a formula; ``judged`` gives it two targets and an alert, so that there are four expressions in it.
    """
    (folder / "orders.csv").write_text("id,day,customer_id,channel,amount\n1,2026-01-01,1,web,1.00\n")
    (folder / "customers.csv").write_text("id,range\n1,small\n")
    text = _KPI + _JUDGED * judged
    kpis = (text.format(n=n, share=n % 50, team=n % 40) for n in range(count))
    (folder / "kpis.yaml").write_text(_HEAD + "".join(kpis), encoding="utf-8")
    return folder / "kpis.yaml"


def many_orders(folder: Path, count: int) -> Path:
    """A Parquet file of orders over three years, and a project with five KPIs on it."""
    import duckdb

    channels = ", ".join(f"'{c}'" for c in CHANNELS)
    duckdb.connect().execute(f"""
        COPY (
            SELECT i AS id, DATE '2023-01-01' + CAST(hash(i) % 1095 AS INTEGER) AS day, hash(i + 1) % 50000 AS customer_id,
                [{channels}][1 + CAST(hash(i + 2) % 5 AS INTEGER)] AS channel, CAST(hash(i + 3) % 100000 / 100 AS DECIMAL(12, 2)) AS amount
            FROM range({count}) AS t(i)
        ) TO '{folder / "orders.parquet"}' (FORMAT parquet)
    """)
    (folder / "kpis.yaml").write_text(_SHOP, encoding="utf-8")
    return folder / "kpis.yaml"


_SHOP = """\
version: 1
sources: {shop: {connector: files, path: .}}
datasets: {orders: {from: shop.orders, date: day}}
kpis:
  revenue: {formula: sum(orders.amount), period: month, segment: channel}
  orders: {formula: count(orders), period: month, segment: channel}
  average: {formula: avg(orders.amount), period: month, segment: channel}
  buyers: {formula: active(orders.customer_id), period: month, segment: channel}
  large: {formula: "count(orders) filter (where amount > 500) / count(orders)", period: month, segment: channel}
"""

# What somebody would write by hand for the same figures.
BY_HAND = """
    SELECT date_trunc('month', day) AS month, channel, sum(amount), count(*), avg(amount), count(DISTINCT customer_id),
        count(*) FILTER (WHERE amount > 500) / count(*)
    FROM read_parquet('{file}')
    WHERE day <= DATE '2026-01-01'
    GROUP BY GROUPING SETS ((month), (month, channel))
    ORDER BY ALL
"""
