"""The 49 series of kpis.yaml with one query for each KPI and segment: what a team's dashboards run, each for itself.

Every query reads the files that it needs, joins what it needs and groups by month. The queries are straightforward, not
clumsy; what they lack is that any of them knows of the others. A month without rows has no line in the answer.

    python per_kpi.py FOLDER OUT.csv [--as-of 2026-01-01]
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import duckdb

ORDERS = "read_parquet('{folder}/orders/*.parquet')"
LEADS = "read_parquet('{folder}/leads/*.parquet')"
SESSIONS = "read_parquet('{folder}/sessions/*.parquet')"
CUSTOMERS = "read_parquet('{folder}/customers.parquet')"
COSTS = "read_parquet('{folder}/costs.parquet')"

OWN = "SELECT date_trunc('month', {date}) AS month, {segment} AS value, {value} FROM {table} AS t WHERE {date} < {until} GROUP BY ALL"
OVER_LINK = """
    SELECT date_trunc('month', o.ordered_at) AS month, {segment} AS value, {value}
    FROM {table} AS o LEFT JOIN {customers} AS c ON c.id = o.customer_id
    WHERE o.ordered_at < {until} GROUP BY ALL
"""
FIRST = """
    SELECT date_trunc('month', day) AS month, value, count(*)
    FROM (
        SELECT o.customer_id, {segment} AS value, min(o.ordered_at) AS day
        FROM {table} AS o LEFT JOIN {customers} AS c ON c.id = o.customer_id WHERE o.customer_id IS NOT NULL GROUP BY ALL
    ) WHERE day < {until} GROUP BY ALL
"""
_SEEN = """
    WITH seen AS (
        SELECT DISTINCT date_trunc('month', o.ordered_at) AS month, {segment} AS value, o.customer_id
        FROM {table} AS o LEFT JOIN {customers} AS c ON c.id = o.customer_id WHERE o.customer_id IS NOT NULL AND o.ordered_at < {until}
    )
    SELECT a.month + INTERVAL 1 MONTH, a.value, {value}
    FROM seen AS a LEFT JOIN seen AS b ON b.customer_id = a.customer_id AND b.month = a.month + INTERVAL 1 MONTH
    WHERE a.month + INTERVAL 1 MONTH < {until} GROUP BY ALL
"""
RETAINED = _SEEN.replace("{value}", "count(b.customer_id) / count(*)")
LOST = _SEEN.replace("{value}", "count(*) - count(b.customer_id)")
REPEATED = """
    SELECT month, value, count(*) FILTER (n >= 2) / nullif(count(*), 0)
    FROM (
        SELECT date_trunc('month', o.ordered_at) AS month, {segment} AS value, o.customer_id, count(*) AS n
        FROM {table} AS o LEFT JOIN {customers} AS c ON c.id = o.customer_id
        WHERE o.customer_id IS NOT NULL AND o.ordered_at < {until} GROUP BY ALL
    ) GROUP BY ALL
"""
CONVERTED = """
    SELECT date_trunc('month', l.created_at) AS month, {segment} AS value,
        count(*) FILTER (CAST(c.created_at AS DATE) BETWEEN CAST(l.created_at AS DATE) AND CAST(l.created_at AS DATE) + 60) / count(*)
    FROM {table} AS l LEFT JOIN {customers} AS c ON c.id = l.customer_id AND c.created_at <= {as_of}
    WHERE l.created_at < {until} GROUP BY ALL
"""
COST = """
    WITH spent AS (
        SELECT date_trunc('month', day) AS month, {segment} AS value, sum(amount) AS amount FROM {table} WHERE day <= {as_of} GROUP BY ALL
    ), won AS (
        SELECT date_trunc('month', created_at) AS month, {segment} AS value, count(*) AS n FROM {customers} GROUP BY ALL
    )
    SELECT month, value, amount / n FROM spent JOIN won USING (month, value) WHERE month < {until}
"""
CHURNED = """
    SELECT month, {segment} AS value, count(*) FILTER (churned_at < month + INTERVAL 1 MONTH) / count(*)
    FROM generate_series({since}, {until} - INTERVAL 1 MONTH, INTERVAL 1 MONTH) AS months(month)
    JOIN {table} AS c ON created_at < month AND (churned_at IS NULL OR churned_at >= month)
    GROUP BY ALL
"""

NET = "status <> 'cancelled'"
RANGE, CHANNEL = {"range": "c.segment"}, {"channel": "c.channel"}
DEVICE, REGION, MEDIUM = {"device": "device"}, {"region": "region"}, {"medium": "medium"}

# KPI: the query, its table, its date, its segments (name → column), its value
QUERIES: list[tuple[str, str, str, str, dict[str, str], str]] = [
    ("orders", OWN, ORDERS, "ordered_at", DEVICE | REGION, "count(*)"),
    ("revenue", OVER_LINK, ORDERS, "", RANGE | CHANNEL, f"coalesce(sum(amount) FILTER ({NET}), 0)"),
    ("revenue", OWN, ORDERS, "ordered_at", DEVICE, f"coalesce(sum(amount) FILTER ({NET}), 0)"),
    ("new_revenue", OVER_LINK, ORDERS, "", CHANNEL,
     "coalesce(sum(amount) FILTER (date_trunc('month', c.created_at) = date_trunc('month', o.ordered_at)), 0)"),
    ("revenue_per_customer", OVER_LINK, ORDERS, "", RANGE,
     f"coalesce(sum(amount) FILTER ({NET}), 0) / nullif(count(DISTINCT o.customer_id), 0)"),
    ("average_order", OVER_LINK, ORDERS, "", RANGE, "avg(amount)"),
    ("median_order", OWN, ORDERS, "ordered_at", DEVICE, "median(CAST(amount AS DOUBLE))"),
    ("order_spread", OWN, ORDERS, "ordered_at", DEVICE, "stddev(amount)"),
    ("refund_rate", OWN, ORDERS, "ordered_at", REGION | DEVICE, "count(*) FILTER (status = 'refunded') / count(*)"),
    ("active_customers", OVER_LINK, ORDERS, "", RANGE | CHANNEL, "count(DISTINCT o.customer_id)"),
    ("first_buyers", FIRST, ORDERS, "", CHANNEL, ""),
    ("retention", RETAINED, ORDERS, "", RANGE, ""),
    ("lapsed", LOST, ORDERS, "", RANGE, ""),
    ("repeat_rate", REPEATED, ORDERS, "", RANGE, ""),
    ("lead_conversion", CONVERTED, LEADS, "", {"channel": "l.channel", "region": "l.region"}, ""),
    ("cac", COST, COSTS, "", {"channel": "channel"}, ""),
    ("churn_rate", CHURNED, CUSTOMERS, "", RANGE | CHANNEL, ""),
    ("sessions", OWN, SESSIONS, "started_at", DEVICE | MEDIUM, "count(*)"),
    ("visitors", OWN, SESSIONS, "started_at", DEVICE, "count(DISTINCT visitor_id)"),
    ("bounce_rate", OWN, SESSIONS, "started_at", DEVICE | MEDIUM, "count(*) FILTER (pages = 1) / count(*)"),
    ("session_seconds", OWN, SESSIONS, "started_at", DEVICE, "median(seconds)"),
]  # fmt: skip


def series() -> Iterator[tuple[str, str, str]]:
    """KPI, segment (empty for the total) and its query, of which the folder and the days are still to be filled in."""
    seen = set()
    for kpi, query, table, date, segments, value in QUERIES:
        for segment, column in {"": "''", **segments}.items():
            if (kpi, segment) in seen:
                continue
            seen.add((kpi, segment))
            by = f"coalesce({column}, '(none)')" if segment else column
            said = {"table": table, "customers": CUSTOMERS, "date": date, "segment": by, "value": value}
            yield kpi, segment, _filled(query, said)


def run(folder: str, file: str, as_of: dt.date) -> None:
    """Writes the CSV."""
    con = duckdb.connect()
    month = (as_of - dt.timedelta(days=1)).replace(day=1)
    until = (month + dt.timedelta(days=31)).replace(day=1)
    days = {"since": "TIMESTAMP '2023-01-01'", "until": f"TIMESTAMP '{until}'", "as_of": f"DATE '{as_of}'"}
    with Path(file).open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["kpi", "period", "segment", "segment_value", "value"])
        for kpi, segment, query in series():
            for day, value, found in con.execute(_filled(query, {**days, "folder": folder})).fetchall():
                writer.writerow([kpi, f"{day:%Y-%m}", segment, value, "" if found is None else found])


def _filled(query: str, said: dict[str, str]) -> str:
    for name, text in said.items():
        query = query.replace("{" + name + "}", text)
    return query


def main() -> None:
    parser = argparse.ArgumentParser(description="The 49 series, a query each.")
    parser.add_argument("folder")
    parser.add_argument("file")
    parser.add_argument("--as-of", type=dt.date.fromisoformat, default=dt.date(2026, 1, 1))
    asked = parser.parse_args()
    run(asked.folder, asked.file, asked.as_of)


if __name__ == "__main__":
    main()
