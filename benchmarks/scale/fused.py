"""The 49 series of kpis.yaml as somebody who knows DuckDB well would write them by hand: the yardstick.

Each fact table is reduced as few times as possible, by (customer, month) or by (month, attributes), before anything is
joined to it; totals and segments are rolled up from that. Who came back, who did not and who is new is read off one
bitmap of customers a month. Nothing of cadran is used here.

    python fused.py FOLDER OUT.csv [--as-of 2026-01-01]
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import time
from collections.abc import Iterator

import duckdb

# A month is year * 12 + month - 1: cheaper than date_trunc, and the month before is one less.
_MONTH = "CAST(year({0}) * 12 + month({0}) - 1 AS INTEGER)"
_ORDERED, _STARTED, _CREATED, _DAY = (
    _MONTH.format(d) for d in ("ordered_at", "started_at", "created_at", "day")
)
_ORDERS = "read_parquet('{folder}/orders/*.parquet') WHERE ordered_at <= DATE '{as_of}'"
_SESSIONS = "read_parquet('{folder}/sessions/*.parquet') WHERE started_at <= TIMESTAMP '{as_of}'"

# --- one reduction for each kind of question --------------------------------------------------------------------------

PREPARE = f"""
CREATE TABLE months AS
SELECT {_DAY} AS m, strftime(day, '%Y-%m') AS period, CAST(day AS DATE) AS start, CAST(day + INTERVAL 1 MONTH AS DATE) AS stop
FROM generate_series(TIMESTAMP '{{since}}', TIMESTAMP '{{as_of}}' - INTERVAL 1 DAY, INTERVAL 1 MONTH) AS t(day);

CREATE TYPE ranges AS ENUM (SELECT DISTINCT segment FROM read_parquet('{{folder}}/customers.parquet') WHERE segment IS NOT NULL);
CREATE TYPE channels AS ENUM (SELECT DISTINCT channel FROM read_parquet('{{folder}}/customers.parquet') WHERE channel IS NOT NULL);

CREATE TABLE customers AS
SELECT id, created_at, churned_at, CAST(segment AS ranges) AS range, CAST(channel AS channels) AS channel, {_CREATED} AS born
FROM read_parquet('{{folder}}/customers.parquet') WHERE created_at <= DATE '{{as_of}}';
"""

ORDER_CELLS = f"""
CREATE TABLE order_cells AS
SELECT {_ORDERED} AS m, device, region, status, count(*) AS n, sum(amount) AS amount, sum(amount * amount) AS squares
FROM {_ORDERS} GROUP BY ALL
"""

ORDER_MEDIANS = f"""
CREATE TABLE order_medians AS
SELECT {_ORDERED} AS m, device, grouping(device) AS total, quantile_cont(CAST(amount AS DOUBLE), 0.5) AS median
FROM {_ORDERS} GROUP BY GROUPING SETS ((m), (m, device))
"""

BUYERS = f"""
CREATE TABLE buyers AS
SELECT customer_id, {_ORDERED} AS m, count(*) AS n, sum(amount) AS amount, sum(amount) FILTER (status <> 'cancelled') AS valid
FROM {_ORDERS} GROUP BY ALL;

CREATE TABLE buyer_cells AS
SELECT m, range, channel, sum(n) AS n, sum(b.amount) AS amount, sum(valid) AS valid, sum(b.amount) FILTER (born = m) AS fresh,
    count(customer_id) AS active, count(customer_id) FILTER (n >= 2) AS repeated
FROM buyers AS b LEFT JOIN customers AS c ON c.id = b.customer_id GROUP BY ALL
"""

# Bit i of a bitmap is the customer with number low + i.
MOVES = """
CREATE TABLE moved AS
SELECT m, bits & ~ever AS first, bits & before AS retained, before & ~bits AS lost
FROM (
    SELECT m, bits, lag(bits) OVER (ORDER BY m) AS before,
        coalesce(bit_or(bits) OVER (ORDER BY m ROWS UNBOUNDED PRECEDING EXCLUDE CURRENT ROW), bits & ~bits) AS ever
    FROM (SELECT m, bitstring_agg(customer_id, {low}, {high}) AS bits FROM buyers WHERE customer_id IS NOT NULL GROUP BY m)
);

CREATE TABLE belong AS
WITH known AS (
    SELECT range, channel, bitstring_agg(id, {low}, {high}) AS bits FROM customers WHERE id BETWEEN {low} AND {high} GROUP BY ALL
), segments AS (
    SELECT CASE WHEN grouping(range) = 0 THEN 'range' WHEN grouping(channel) = 0 THEN 'channel' ELSE '' END AS segment,
        coalesce(CAST(range AS VARCHAR), CAST(channel AS VARCHAR)) AS value, bit_or(bits) AS bits
    FROM known GROUP BY GROUPING SETS ((), (range), (channel))
)
SELECT segment, value, bits FROM segments WHERE value IS NOT NULL
UNION ALL SELECT segment, '(none)', ~bit_or(bits) FROM segments WHERE value IS NOT NULL GROUP BY segment
UNION ALL SELECT '', '', bits | ~bits FROM segments WHERE segment = '';

CREATE TABLE moves AS
SELECT segment, value, m, bit_count(first & bits) AS first, bit_count(retained & bits) AS retained, bit_count(lost & bits) AS lost
FROM moved, belong
"""

LEAD_CELLS = f"""
CREATE TABLE lead_cells AS
SELECT {_MONTH.format("l.created_at")} AS m, l.channel, l.region, count(*) AS n,
    count(*) FILTER (c.created_at BETWEEN CAST(l.created_at AS DATE) AND CAST(l.created_at AS DATE) + 60) AS converted
FROM read_parquet('{{folder}}/leads/*.parquet') AS l LEFT JOIN customers AS c ON c.id = l.customer_id
WHERE l.created_at <= TIMESTAMP '{{as_of}}' GROUP BY ALL
"""

CUSTOMER_CELLS = f"""
CREATE TABLE customer_cells AS
SELECT m, range, channel, sum(n) FILTER (born = m) AS born, sum(n) FILTER (born < m) AS opening,
    sum(n) FILTER (born < m AND gone = m) AS lost
FROM (SELECT range, channel, born, {_MONTH.format("churned_at")} AS gone, count(*) AS n FROM customers GROUP BY ALL)
JOIN months ON born <= m AND (gone IS NULL OR gone >= m)
GROUP BY ALL;

CREATE TABLE cost_cells AS
SELECT {_DAY} AS m, channel, sum(amount) AS amount
FROM read_parquet('{{folder}}/costs.parquet') WHERE day <= DATE '{{as_of}}' GROUP BY ALL
"""

SESSION_CELLS = f"""
CREATE TABLE session_cells AS
SELECT {_STARTED} AS m, device, medium, count(*) AS n, count(*) FILTER (pages = 1) AS bounced FROM {_SESSIONS} GROUP BY ALL
"""

# Durations are whole seconds below an hour, so counting them comes before any sorting.
SESSION_MEDIANS = f"""
CREATE TABLE durations AS
SELECT {_STARTED} AS m, device, seconds, count(*) AS n FROM {_SESSIONS} AND seconds IS NOT NULL GROUP BY ALL;

CREATE TABLE session_medians AS
WITH counted AS (
    SELECT m, device, grouping(device) AS total, seconds, sum(n) AS n FROM durations GROUP BY GROUPING SETS ((m, seconds), (m, device, seconds))
), placed AS (
    SELECT m, device, total, seconds, sum(n) OVER (PARTITION BY m, device, total ORDER BY seconds) AS upto FROM counted
), ends AS (
    SELECT m, device, total, max(upto) AS n FROM placed GROUP BY ALL
)
SELECT p.m, p.device, p.total,
    (min(seconds) FILTER (upto >= (n + 1) // 2) + min(seconds) FILTER (upto >= n // 2 + 1)) / 2 AS median
FROM placed AS p JOIN ends AS e ON e.m = p.m AND e.total = p.total AND e.device IS NOT DISTINCT FROM p.device
GROUP BY ALL
"""

VISITORS = f"""
CREATE TABLE visited AS
SELECT {_STARTED} AS m, device, bitstring_agg(visitor_id, {{first}}, {{last}}) AS bits
FROM {_SESSIONS} AND visitor_id IS NOT NULL GROUP BY ALL;

CREATE TABLE visitors AS
SELECT m, device, 0 AS total, bit_count(bits) AS n FROM visited
UNION ALL SELECT m, NULL, 1, bit_count(bit_or(bits)) FROM visited GROUP BY m
"""

# --- totals and segments rolled up ------------------------------------------------------------------------------------


def rolled(cells: str, segments: tuple[str, ...], sums: str, more: str = "") -> str:
    """A table of cells as (segment, value, m, sums …): every value of a segment in every month."""
    names = " ".join(f"WHEN grouping({s}) = 0 THEN '{s}'" for s in segments)
    values = " ".join(
        f"WHEN grouping({s}) = 0 THEN coalesce(CAST({s} AS VARCHAR), '(none)')" for s in segments
    )
    sets = ", ".join(f"(m, {s})" for s in segments)
    return f"""
        CREATE TABLE {cells}_by AS
        WITH found AS (
            SELECT CASE {names} ELSE '' END AS segment, CASE {values} ELSE '' END AS value, m, {sums}
            FROM {cells} GROUP BY GROUPING SETS ((m), {sets})
        ), members AS (SELECT DISTINCT segment, value FROM found JOIN months USING (m))
        SELECT * FROM members CROSS JOIN (SELECT m, period FROM months) LEFT JOIN found USING (segment, value, m) {more}
    """


ROLLED = ";".join(
    [
        "CREATE TABLE order_middle AS SELECT CASE total WHEN 1 THEN '' ELSE 'device' END AS segment,"
        " CASE total WHEN 1 THEN '' ELSE coalesce(device, '(none)') END AS value, m, median FROM order_medians",
        "CREATE TABLE session_middle AS SELECT CASE s.total WHEN 1 THEN '' ELSE 'device' END AS segment,"
        " CASE s.total WHEN 1 THEN '' ELSE coalesce(s.device, '(none)') END AS value, s.m, median, v.n AS visitors"
        " FROM session_medians AS s JOIN visitors AS v ON v.m = s.m AND v.total = s.total AND v.device IS NOT DISTINCT FROM s.device",
        rolled(
            "order_cells",
            ("device", "region"),
            "sum(n) AS n, sum(amount) AS amount, sum(squares) AS squares, sum(amount) FILTER (status <> 'cancelled') AS valid,"
            " sum(n) FILTER (status = 'refunded') AS refunded",
            "LEFT JOIN order_middle USING (segment, value, m)",
        ),
        rolled(
            "buyer_cells",
            ("range", "channel"),
            "sum(n) AS n, sum(amount) AS amount, sum(valid) AS valid, sum(fresh) AS fresh, sum(active) AS active,"
            " sum(repeated) AS repeated",
            "LEFT JOIN moves USING (segment, value, m)",
        ),
        rolled("lead_cells", ("channel", "region"), "sum(n) AS n, sum(converted) AS converted"),
        rolled(
            "customer_cells",
            ("range", "channel"),
            "sum(opening) AS opening, sum(lost) AS lost, sum(born) AS born",
        ),
        rolled("cost_cells", ("channel",), "sum(amount) AS amount"),
        rolled(
            "session_cells",
            ("device", "medium"),
            "sum(n) AS n, sum(bounced) AS bounced",
            "LEFT JOIN session_middle USING (segment, value, m)",
        ),
    ]
)
ROLLED += """;
CREATE TABLE acquisition AS
SELECT segment, value, m, period, amount, born FROM cost_cells_by FULL JOIN (
    SELECT segment, value, m, period, born FROM customer_cells_by
    WHERE segment <> 'range' AND value IN (SELECT value FROM customer_cells_by WHERE segment <> 'range' AND born > 0)
) USING (segment, value, m, period);

-- A month that has only begun is compared with as many days of the month before.
CREATE TABLE active_before AS
SELECT segment, value, m, CASE WHEN m = {open_month} THEN coalesce(cut, 0)
    ELSE lag(coalesce(active, 0)) OVER (PARTITION BY segment, value ORDER BY m) END AS active_before
FROM buyer_cells_by LEFT JOIN (
    SELECT CASE grouping(c.range) WHEN 0 THEN 'range' ELSE '' END AS segment,
        CASE grouping(c.range) WHEN 0 THEN coalesce(CAST(c.range AS VARCHAR), '(none)') ELSE '' END AS value,
        {open_month} AS m, count(DISTINCT customer_id) AS cut
    FROM read_parquet('{folder}/orders/*.parquet') AS o LEFT JOIN customers AS c ON c.id = o.customer_id
    WHERE ordered_at BETWEEN {month_before} AND {month_before} + {elapsed} GROUP BY ROLLUP (c.range)
) USING (segment, value, m)
"""

# KPI: where from, which segments (the empty one is the total), and its value. A count or a sum over nothing is 0, all
# else is no data.
KPIS = [
    ("orders", "order_cells_by", ("", "device", "region"), "coalesce(n, 0)"),
    ("revenue", "buyer_cells_by", ("", "range", "channel"), "coalesce(valid, 0)"),
    ("revenue", "order_cells_by", ("device",), "coalesce(valid, 0)"),
    ("new_revenue", "buyer_cells_by", ("", "channel"), "coalesce(fresh, 0)"),
    ("revenue_per_customer", "buyer_cells_by", ("", "range"), "coalesce(valid, 0) / nullif(active, 0)"),
    ("average_order", "buyer_cells_by", ("", "range"), "amount / n"),
    ("median_order", "order_cells_by", ("", "device"), "median"),
    ("order_spread", "order_cells_by", ("", "device"), "sqrt((squares - CAST(amount AS DOUBLE) ** 2 / n) / nullif(n - 1, 0))"),
    ("refund_rate", "order_cells_by", ("", "region", "device"), "coalesce(refunded, 0) / n"),
    ("active_customers", "buyer_cells_by", ("", "range", "channel"), "coalesce(active, 0)"),
    ("first_buyers", "buyer_cells_by", ("", "channel"), "coalesce(first, 0)"),
    ("retention", "buyer_cells_by JOIN active_before USING (segment, value, m)", ("", "range"), "coalesce(retained, 0) / nullif(active_before, 0)"),
    ("lapsed", "buyer_cells_by JOIN active_before USING (segment, value, m)", ("", "range"), "coalesce(lost, 0 * active_before)"),
    ("repeat_rate", "buyer_cells_by", ("", "range"), "coalesce(repeated, 0) / nullif(active, 0)"),
    ("lead_conversion", "lead_cells_by", ("", "channel", "region"), "coalesce(converted, 0) / n"),
    ("cac", "acquisition", ("", "channel"), "coalesce(amount, 0) / nullif(born, 0)"),
    ("churn_rate", "customer_cells_by", ("", "range", "channel"), "coalesce(lost, 0) / nullif(opening, 0)"),
    ("sessions", "session_cells_by", ("", "device", "medium"), "coalesce(n, 0)"),
    ("visitors", "session_cells_by", ("", "device"), "coalesce(visitors, 0)"),
    ("bounce_rate", "session_cells_by", ("", "device", "medium"), "coalesce(bounced, 0) / n"),
    ("session_seconds", "session_cells_by", ("", "device"), "median"),
]  # fmt: skip


def output(file: str) -> str:
    """All series below each other, numbers as text, so that each keeps its kind."""
    selects = " UNION ALL ".join(
        f"SELECT '{kpi}' AS kpi, period, segment, value AS segment_value, CAST({value} AS VARCHAR) AS value"
        f" FROM {table} WHERE segment IN ({', '.join(map(repr, segments))})"
        for kpi, table, segments, value in KPIS
    )
    return f"COPY ({selects}) TO '{file}' (FORMAT csv, HEADER)"


# --- the run ----------------------------------------------------------------------------------------------------------


def run(folder: str, file: str, as_of: dt.date) -> dict[str, tuple[float, float]]:
    """Writes the CSV; returns wall-clock and processor seconds of each step."""
    con = duckdb.connect()
    month = (as_of - dt.timedelta(days=1)).replace(day=1)
    said: dict[str, object] = {
        "folder": folder,
        "as_of": as_of,
        "since": dt.date(2023, 1, 1),
        "month_before": f"DATE '{(month - dt.timedelta(days=1)).replace(day=1)}'",
        "open_month": month.year * 12 + month.month - 1 if as_of.day > 1 else 0,
        "elapsed": (as_of - month).days if as_of.day > 1 else -1,
    }
    times = {}
    for name, sql in _steps():
        started = time.perf_counter(), time.process_time()
        con.execute(sql.format(**said) if sql else output(file))
        if name == "buyers":
            low, high = con.execute("SELECT min(customer_id), max(customer_id) FROM buyers").fetchall()[0]
            sessions = f"read_parquet('{folder}/sessions/*.parquet')"
            first, last = con.execute(f"SELECT min(visitor_id), max(visitor_id) FROM {sessions}").fetchall()[
                0
            ]
            said |= {"low": low, "high": high, "first": first, "last": last}
        times[name] = time.perf_counter() - started[0], time.process_time() - started[1]
    return times


def _steps() -> Iterator[tuple[str, str]]:
    yield "prepare", PREPARE
    yield "order cells", ORDER_CELLS
    yield "order medians", ORDER_MEDIANS
    yield "buyers", BUYERS
    yield "moves", MOVES
    yield "lead cells", LEAD_CELLS
    yield "customer cells", CUSTOMER_CELLS
    yield "session cells", SESSION_CELLS
    yield "session medians", SESSION_MEDIANS
    yield "visitors", VISITORS
    yield "roll up", ROLLED
    yield "output", ""


def main() -> None:
    parser = argparse.ArgumentParser(description="The 49 series, written by hand.")
    parser.add_argument("folder")
    parser.add_argument("file")
    parser.add_argument("--as-of", type=dt.date.fromisoformat, default=dt.date(2026, 1, 1))
    parser.add_argument("--times", action="store_true", help="print the seconds of each step")
    asked = parser.parse_args()
    times = run(asked.folder, asked.file, asked.as_of)
    if asked.times:
        for name, (wall, cpu) in times.items():
            print(f"{name:<20} {wall:6.3f} s wall {cpu:6.3f} s CPU", file=sys.stderr)


if __name__ == "__main__":
    main()
