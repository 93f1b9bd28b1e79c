"""All that a run of the sample project computes, as somebody who knows DuckDB well would write it: the yardstick.

Each fact table is read once and reduced once, by all periods and segments at a time (grouping sets); the reductions
stand side by side in one wide table, and every KPI is an expression over that. Nothing of cadran is used here. It knows
what its author knew: the clock is the first instant of a month, the sample data has no row behind it, and no ids are missing.

    python by_hand.py DATA OUT
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

CLOCK = "TIMESTAMP '2026-07-01'"

# --- the files ----------------------------------------------------------------------------------------------------------

# Columns of the CSV files; saying them is cheaper than having them guessed.
MONEY = "DECIMAL(18,2)"
CRM = {
    "customers": "id VARCHAR, created_at TIMESTAMP, churned_at TIMESTAMP, segment VARCHAR, channel VARCHAR, campaign VARCHAR, country VARCHAR",
    "deals": f"id VARCHAR, lead_id VARCHAR, customer_id VARCHAR, owner_id VARCHAR, created_at TIMESTAMP, closed_at TIMESTAMP, stage VARCHAR, amount {MONEY}, sales_channel VARCHAR",
    "leads": "id VARCHAR, created_at TIMESTAMP, channel VARCHAR, campaign VARCHAR, range VARCHAR, score INTEGER, employees INTEGER, visited_pricing BOOLEAN, last_touch_at TIMESTAMP, is_test BOOLEAN, owner_id VARCHAR, customer_id VARCHAR, qualified_at TIMESTAMP",
    "order_lines": f"order_id VARCHAR, line_no INTEGER, product_id VARCHAR, quantity INTEGER, unit_price {MONEY}",
    "orders": f"id VARCHAR, customer_id VARCHAR, ordered_at TIMESTAMP, channel VARCHAR, currency VARCHAR, amount {MONEY}",
    "pipeline": f"day DATE, owner_id VARCHAR, deals INTEGER, amount {MONEY}",
    "products": f"id VARCHAR, name VARCHAR, category VARCHAR, tier VARCHAR, price {MONEY}",
    "quotas": f"month VARCHAR, range VARCHAR, amount {MONEY}",
    "sessions": "id VARCHAR, started_at TIMESTAMP, customer_id VARCHAR, minutes INTEGER, logins INTEGER, comments INTEGER",
    "stage_history": "deal_id VARCHAR, stage VARCHAR, entered_at TIMESTAMP, left_at TIMESTAMP",
    "surveys": "id VARCHAR, answered_at TIMESTAMP, customer_id VARCHAR, kind VARCHAR, score INTEGER",
    "tickets": "id VARCHAR, opened_at TIMESTAMP, customer_id VARCHAR, closed_at TIMESTAMP, priority VARCHAR",
    "users": "id VARCHAR, name VARCHAR, team VARCHAR",
    "visits": "id VARCHAR, visited_at TIMESTAMP, customer_id VARCHAR, order_id VARCHAR",
}
FINANCE = {
    "costs": f"id VARCHAR, day DATE, channel VARCHAR, campaign VARCHAR, kind VARCHAR, supplier VARCHAR, amount {MONEY}",
    "rates": "day DATE, currency VARCHAR, rate DECIMAL(9,4)",
}
FRENCH = ", delim = ';', decimal_separator = ',', dateformat = '%d/%m/%Y'"


def crm(table: str) -> str:
    return f"read_csv('{{data}}/crm/{table}.csv', auto_detect = false, header = true, columns = {_columns(CRM[table])})"


def finance(table: str) -> str:
    columns = _columns(FINANCE[table])
    return f"read_csv('{{out}}/{table}.utf8.csv', auto_detect = false, header = true, columns = {columns}{FRENCH})"


def _columns(said: str) -> str:
    parts = (column.rpartition(" ") for column in said.split(", "))
    return "{" + ", ".join(f"'{name}': '{kind}'" for name, _, kind in parts) + "}"


# --- what the facts share -------------------------------------------------------------------------------------------------

# The last 13 of each kind up to the clock, and as many before them as 'a year ago' and 'this fiscal year' look at.
PERIODS = f"""
CREATE TABLE periods AS
WITH months AS (SELECT CAST(m AS TIMESTAMP) AS m FROM generate_series(TIMESTAMP '2017-01-01', {CLOCK}, INTERVAL 1 MONTH) AS t(m)),
every AS (
    SELECT 'month' AS kind, strftime(m, '%Y-%m') AS period, year(m) * 12 + month(m) AS i, m AS start, m + INTERVAL 1 MONTH AS stop, 28 AS needed, 12 AS year FROM months
    UNION ALL SELECT 'quarter', year(m) || '-Q' || quarter(m), year(m) * 4 + quarter(m), m, m + INTERVAL 3 MONTH, 17, 4 FROM months WHERE month(m) % 3 = 1
    UNION ALL SELECT 'year', CAST(year(m) AS VARCHAR), year(m), m, m + INTERVAL 1 YEAR, 14, 1 FROM months WHERE month(m) = 1
    UNION ALL SELECT 'fiscal_year', 'FY' || (year(m) + 1), year(m), m, m + INTERVAL 1 YEAR, 14, 1 FROM months WHERE month(m) = 4
)
SELECT kind, period, i, start, stop, year, stop > {CLOCK} AS open,
    row_number() OVER latest <= 13 AND stop > DATE '2021-01-12' AS shown  -- the first customer came that day
FROM every WINDOW latest AS (PARTITION BY kind ORDER BY i DESC) QUALIFY row_number() OVER latest <= needed
"""

CUSTOMERS = f"""
CREATE TABLE orders AS
SELECT o.*, CASE o.currency WHEN 'EUR' THEN 1 ELSE r.rate END AS euros, amount * euros AS eur
FROM {crm("orders")} AS o ASOF LEFT JOIN {finance("rates")} AS r ON o.currency = r.currency AND CAST(o.ordered_at AS DATE) >= r.day;

CREATE TABLE surveys AS FROM {crm("surveys")};
CREATE TABLE sessions AS FROM {crm("sessions")};
CREATE TABLE tickets AS FROM {crm("tickets")};

CREATE TABLE customers AS
SELECT c.* EXCLUDE (segment), c.segment AS range, order_count, orders_12_months, sessions_90_days, urgent_tickets_90_days, csat,
    CASE WHEN csat >= 4 THEN 'satisfied' WHEN csat >= 3 THEN 'neutral' WHEN csat < 3 THEN 'dissatisfied' ELSE 'not asked' END AS satisfaction
FROM {crm("customers")} AS c
LEFT JOIN (
    SELECT customer_id AS id, count(*) AS order_count, count(*) FILTER (ordered_at >= {CLOCK} - INTERVAL 365 DAY) AS orders_12_months
    FROM orders GROUP BY ALL
) USING (id)
LEFT JOIN (
    SELECT customer_id AS id, count(*) FILTER (started_at >= {CLOCK} - INTERVAL 90 DAY) AS sessions_90_days FROM sessions GROUP BY ALL
) USING (id)
LEFT JOIN (
    SELECT customer_id AS id, count(*) FILTER (priority = 'high' AND opened_at >= {CLOCK} - INTERVAL 90 DAY) AS urgent_tickets_90_days
    FROM tickets GROUP BY ALL
) USING (id)
LEFT JOIN (SELECT customer_id AS id, avg(score) FILTER (kind = 'csat') AS csat FROM surveys GROUP BY ALL) USING (id);

CREATE TABLE users AS FROM {crm("users")};
CREATE TABLE raw_deals AS FROM {crm("deals")};

CREATE TABLE leads AS
SELECT l.*, u.name AS owner, d.first_deal_at, c.created_at AS won_at
FROM {crm("leads")} AS l
LEFT JOIN users AS u ON u.id = l.owner_id
LEFT JOIN customers AS c ON c.id = l.customer_id
LEFT JOIN (SELECT lead_id, min(created_at) AS first_deal_at FROM raw_deals GROUP BY ALL) AS d ON d.lead_id = l.id
WHERE NOT is_test;

CREATE TABLE deals AS
SELECT d.*, u.name AS owner, coalesce(l.range, c.range) AS range,
    date_diff('day', coalesce(l.created_at, d.created_at), d.closed_at) AS cycle
FROM raw_deals AS d
LEFT JOIN users AS u ON u.id = d.owner_id
LEFT JOIN leads AS l ON l.id = d.lead_id
LEFT JOIN customers AS c ON c.id = d.customer_id
"""

# --- one reduction for each fact table ------------------------------------------------------------------------------------

DATED = "JOIN periods ON moment >= start AND moment < stop"
FOUND = "kind, i, segment, member"


def reduced(table: str, rows: str, sums: str, segments: tuple[str, ...] = ()) -> str:
    """A table (kind, i, segment, member, sums …) of rows joined to periods: all, and by segment; ``a / b`` is a cross."""
    parts = sorted((s.split(" / ") for s in segments), key=len, reverse=True)
    names = "".join(f"WHEN {_by(p)} THEN '{' / '.join(p)}' " for p in parts)
    values = "".join(f"WHEN {_by(p)} THEN concat_ws(' / ', {_known(p)}) " for p in parts)
    sets = ", ".join(f"(kind, i, {', '.join(p)})" for p in parts)
    return f"""
        CREATE TABLE {table} AS
        SELECT kind, i, CASE {names} WHEN true THEN '' END AS segment, CASE {values} WHEN true THEN '' END AS member, {sums}
        FROM {rows} GROUP BY GROUPING SETS ((kind, i){", " * bool(sets)}{sets})
    """


NONE = "'(none)'"


def _by(parts: list[str]) -> str:
    return f"grouping({', '.join(parts)}) = 0"


def _known(parts: list[str]) -> str:
    return ", ".join(f"coalesce({part}, {NONE})" for part in parts)


LEADS = reduced(
    "by_lead",
    f"(SELECT *, created_at AS moment FROM leads) {DATED}",
    "count(*) AS leads, count(*) FILTER (score >= 50) AS qualified, count(first_deal_at) AS prospects,"
    " count(*) FILTER (won_at BETWEEN created_at AND created_at + INTERVAL 60 DAY) AS converted",
    ("channel", "range", "owner"),
)

# Whoever was a customer at any time of a period, and what became of them in it.
VALID = reduced(
    "by_customer",
    "customers JOIN periods ON created_at < stop AND (churned_at IS NULL OR churned_at >= start)",
    "count(*) AS valid, count(*) FILTER (created_at >= start) AS born, count(*) FILTER (created_at < start) AS opening,"
    " count(*) FILTER (churned_at IS NULL OR churned_at > start) AS during,"
    " count(*) FILTER (churned_at IS NULL OR churned_at >= stop) AS closing,"
    " count(*) FILTER (created_at < start AND churned_at < stop) AS lost,"
    " count(*) FILTER (churned_at < stop AND order_count = 1) AS lost_after_first",
    ("channel", "campaign", "range", "satisfaction", "channel / campaign"),
)

DEALS = reduced(
    "by_deal",
    f"(SELECT *, closed_at AS moment FROM deals) {DATED}",
    "count(*) AS deals, count(*) FILTER (stage = 'won') AS won, count(*) FILTER (stage IN ('won', 'lost')) AS decided,"
    " avg(amount) FILTER (stage = 'won') AS deal_size, avg(cycle) FILTER (stage = 'won') AS cycle,"
    " median(cycle) FILTER (stage = 'won') AS cycle_median",
    ("owner", "range", "sales_channel"),
)
OPEN_DEALS = reduced(
    "by_open_deal",
    "deals JOIN periods ON created_at < stop AND (closed_at IS NULL OR closed_at > start)",
    "count(*) AS open_deals",
    ("owner", "range"),
)
STAGES = reduced(
    "by_stage",
    f"(SELECT stage, left_at AS moment, date_diff('day', entered_at, left_at) AS days FROM {crm('stage_history')}) {DATED}",
    "count(*) AS stages, avg(days) AS stage_days",
    ("stage",),
)
COSTS = reduced(
    "by_cost",
    f"(SELECT day AS moment, channel, campaign, kind AS what, amount FROM {finance('costs')}) {DATED}",
    "count(*) AS costs, sum(amount) AS cost, sum(amount) FILTER (what = 'marketing') AS marketing",
    ("channel", "campaign", "channel / campaign"),
)

# Orders are reduced to customers first: who buys in a period is then one row, and need not be counted distinct.
BUYERS = """
CREATE TABLE buyers AS
SELECT kind, i, customer_id, channel AS sales_channel, grouping(channel) = 0 AS by_channel, any_value(start) AS start, any_value(stop) AS stop,
    count(*) AS n, count(*) FILTER (channel = 'web') AS web, sum(eur) AS eur
FROM orders JOIN periods ON ordered_at >= start AND ordered_at < stop
GROUP BY GROUPING SETS ((kind, i, customer_id), (kind, i, channel))
"""
ORDERS = reduced(
    "by_order",
    """(
        SELECT b.*, c.* EXCLUDE (id), lag(i) OVER (PARTITION BY customer_id, kind ORDER BY i) = i - 1 AS again
        FROM buyers AS b LEFT JOIN customers AS c ON c.id = customer_id WHERE NOT by_channel
    )""",
    "sum(n) AS orders, sum(web) AS web_orders, sum(eur) AS revenue, sum(eur) FILTER (created_at >= start AND created_at < stop) AS new_revenue,"
    " count(customer_id) AS buyers, count(customer_id) FILTER (n >= 2) AS repeat_buyers, count(customer_id) FILTER (again) AS retained",
    ("range", "channel", "campaign", "channel / campaign", "satisfaction"),
)
SALES_CHANNELS = f"""
INSERT INTO by_order BY NAME
SELECT kind, i, 'sales_channel' AS segment, coalesce(sales_channel, {NONE}) AS member, n AS orders, eur AS revenue FROM buyers WHERE by_channel
"""

# Every line of an order, and whether it is a sale in a category new to the customer, of a higher tier, or again.
LINES = reduced(
    "by_line",
    f"""(
        SELECT moment, order_id, quantity * unit_price * euros AS eur,
            CASE WHEN day(moment) <= 7 THEN '01-07' WHEN day(moment) <= 14 THEN '08-14' WHEN day(moment) <= 21 THEN '15-21' ELSE '22-31' END AS days_of_month,
            CASE WHEN moment = min(moment) OVER (PARTITION BY customer_id) THEN 'first'
                WHEN moment = min(moment) OVER (PARTITION BY customer_id, category) THEN 'cross-sell'
                WHEN tier > max(tier) OVER (PARTITION BY customer_id, category ORDER BY moment
                    RANGE BETWEEN UNBOUNDED PRECEDING AND INTERVAL 1 SECOND PRECEDING) THEN 'up-sell'
                ELSE 'repeat' END AS sale
        FROM {crm("order_lines")}
        JOIN (SELECT id AS order_id, ordered_at AS moment, customer_id, euros FROM orders) USING (order_id)
        JOIN (
            SELECT id AS product_id, category, CASE tier WHEN 'basic' THEN 1 WHEN 'plus' THEN 2 WHEN 'pro' THEN 3 END AS tier
            FROM {crm("products")}
        ) USING (product_id)
    ) {DATED}""",
    "count(*) AS lines, sum(eur) AS sold, sum(eur) FILTER (sale = 'cross-sell') AS cross_sold, sum(eur) FILTER (sale = 'up-sell') AS up_sold,"
    " count(DISTINCT order_id) AS sold_orders, count(DISTINCT order_id) FILTER (sale = 'cross-sell') AS cross_orders,"
    " count(DISTINCT order_id) FILTER (sale = 'up-sell') AS up_orders",
    ("days_of_month",),
)
SURVEYS = reduced(
    "by_survey",
    "(SELECT answered_at AS moment, s.kind AS asked, score, range FROM surveys AS s LEFT JOIN customers AS c ON c.id = customer_id)"
    f" {DATED}",
    "count(*) AS surveys, count(score) FILTER (asked = 'csat') AS csat_answers,"
    " count(*) FILTER (asked = 'csat' AND score >= 4) AS satisfied, count(score) FILTER (asked = 'nps') AS nps_answers,"
    " count(*) FILTER (asked = 'nps' AND score >= 9) AS promoters, count(*) FILTER (asked = 'nps' AND score <= 6) AS detractors",
    ("range",),
)
SESSIONS = reduced(
    "by_session",
    f"(SELECT *, started_at AS moment FROM sessions) {DATED}",
    "count(*) AS sessions, count(DISTINCT customer_id) AS visitors, sum(logins) AS logins, sum(minutes) AS minutes, sum(comments) AS comments",
)
TICKETS = reduced(
    "by_ticket",
    f"(SELECT priority, opened_at AS moment, date_diff('hour', opened_at, closed_at) AS hours FROM tickets) {DATED}",
    "count(*) AS tickets, median(hours) AS resolution",
    ("priority",),
)
VISITS = reduced(
    "by_visit",
    f"(SELECT order_id, visited_at AS moment FROM {crm('visits')}) {DATED}",
    "count(*) AS visits, count(order_id) AS visits_with_order",
)
PIPELINE = reduced(
    "by_pipeline",
    f"(SELECT day AS moment, sum(amount) AS total FROM {crm('pipeline')} GROUP BY ALL) {DATED}",
    "count(*) AS snapshots, arg_max(total, moment) AS pipeline",
)
QUOTAS = reduced(
    "by_quota",
    f"(SELECT CAST(month || '-01' AS TIMESTAMP) AS moment, range, amount FROM {crm('quotas')}) {DATED}",
    "count(*) AS quotas, sum(amount) AS quota",
    ("range",),
)
NEXT_QUOTAS = reduced(
    "by_next_quota",
    f"(SELECT CAST(month || '-01' AS TIMESTAMP) - INTERVAL 1 MONTH AS moment, amount FROM {crm('quotas')}) {DATED}",
    "count(*) AS next_quotas, sum(amount) AS next_quota",
)

# --- all reductions side by side ------------------------------------------------------------------------------------------

# Of each reduction: the number of its rows, what is 0 where there are none, and what is no data there.
SIDES = {
    "by_lead": ("leads", "qualified prospects converted", ""),
    "by_customer": ("valid", "born opening during closing lost lost_after_first", ""),
    "by_deal": ("deals", "won decided", "deal_size cycle cycle_median"),
    "by_open_deal": ("open_deals", "", ""),
    "by_stage": ("stages", "", "stage_days"),
    "by_cost": ("costs", "cost marketing", ""),
    "by_order": ("orders", "web_orders revenue new_revenue buyers repeat_buyers retained", ""),
    "by_line": ("lines", "sold cross_sold up_sold sold_orders cross_orders up_orders", ""),
    "by_survey": ("surveys", "csat_answers satisfied nps_answers promoters detractors", ""),
    "by_session": ("sessions", "visitors logins minutes comments", ""),
    "by_ticket": ("tickets", "", "resolution"),
    "by_visit": ("visits", "visits_with_order", ""),
    "by_pipeline": ("snapshots", "", "pipeline"),
    "by_quota": ("quotas", "", "quota"),
    "by_next_quota": ("next_quotas", "", "next_quota"),
}


def cells() -> str:
    """Every member of a segment in every period. Before the first row of a fact there is no data, and 0 only from there on."""
    columns = []
    for rows, zero, other in SIDES.values():
        covered = f"max({rows}) OVER upto IS NOT NULL"
        columns += [f"CASE WHEN {covered} THEN coalesce({c}, 0) END AS {c}" for c in (rows, *zero.split())]
        columns += other.split()
    members = " UNION ".join(f"SELECT segment, member FROM {table}" for table in SIDES)
    joins = " ".join(f"LEFT JOIN {table} USING ({FOUND})" for table in SIDES)
    return f"""
        CREATE TABLE cells AS
        SELECT periods.*, segment, member, {", ".join(columns)}, lag(coalesce(buyers, 0)) OVER lane AS buyers_before,
            sum(revenue) OVER fiscal AS revenue_to_date, sum(quota) OVER fiscal AS quota_to_date
        FROM ({members}) CROSS JOIN periods {joins}
        WINDOW upto AS (PARTITION BY kind ORDER BY i), lane AS (PARTITION BY kind, segment, member ORDER BY i),
            fiscal AS (PARTITION BY kind, segment, member, year(start - INTERVAL 3 MONTH) ORDER BY i)
    """


# --- KPIs -----------------------------------------------------------------------------------------------------------------

CHURN = "lost / nullif(opening, 0)"
CAC = "cost / nullif(born, 0)"
CLV = f"revenue / nullif(orders, 0) * (orders / nullif(buyers, 0)) / nullif({CHURN}, 0)"
NEW_CRM = "kind = 'quarter' AND period = '2025-Q2'"  # the last quarter before it
AGO = "CASE WHEN rows_ago > 0 THEN year_ago END"  # a target looks at rows, not at none

# KPI: kinds of periods, segments beside the total, whose rows say which members there are, value, target.
M, Q, Y, FY = "month", "quarter", "year", "fiscal_year"
KPIS = [
    ("new_leads", (M, Q), ("channel", "range"), ("leads",), "leads", f"1.05 * {AGO}"),
    ("qualified_leads", (M,), ("channel", "owner"), ("leads",), "qualified", "1.10 * nullif(year_ago, 0)"),
    ("prospect_rate", (Q,), ("channel",), ("leads",), "prospects / nullif(leads, 0)", "0.5"),
    ("lead_conversion_rate", (M, Q), ("channel",), ("leads", "born"), "born / nullif(leads, 0)",
        "CASE WHEN member = 'paid' THEN 0.15 WHEN member = 'referral' THEN 0.4 WHEN start >= DATE '2025-09-01' THEN 0.25 ELSE 0.2 END"),
    ("lead_conversion_60d", (M,), ("channel", "owner"), ("leads",), "converted / nullif(leads, 0)", "0.22"),
    ("new_customers", (M, Q), ("channel", "campaign", "range"), ("born",), "born", f"1.10 * {AGO}"),
    ("acquisition_cost", (M,), ("channel", "campaign"), ("costs",), "cost", f"1.05 * {AGO}"),
    ("cac", (M, Q), ("channel",), ("costs", "born"), CAC,
        "CASE WHEN member = 'paid' THEN 1800 WHEN member IN ('event', 'cold_call') THEN 1500 ELSE 1000 END"),
    ("acquisition_roi", (Q,), ("channel",), ("orders", "costs"), "(new_revenue - cost) / nullif(cost, 0)", "0.4"),
    ("campaign_roi", (Q,), ("campaign", "channel / campaign"), ("orders", "costs"), "(new_revenue - marketing) / nullif(marketing, 0)", "1"),
    ("churn_rate", (M, Q), ("satisfaction", "range", "channel"), ("valid",), CHURN, "CASE kind WHEN 'quarter' THEN 0.06 ELSE 0.022 END"),
    ("net_churn", (Q,), ("range",), ("valid",), "1 - closing / nullif(opening, 0)", "0"),
    ("lost_after_first_order", (Q,), (), ("valid",), "lost_after_first / nullif(opening, 0)", "0.01"),
    ("retention", (Q, Y), ("satisfaction", "range"), ("valid",), f"1 - {CHURN}", "CASE kind WHEN 'quarter' THEN 0.94 ELSE 0.8 END"),
    # A quarter that has only begun is compared with as much of the one before: nothing.
    ("repeat_retention", (Q,), ("satisfaction",), ("orders",), "CASE WHEN NOT open THEN retained / nullif(buyers_before, 0) END",
        f"1.10 * max(value) FILTER ({NEW_CRM}) OVER (PARTITION BY segment, member)"),
    ("clv", (FY,), ("range",), ("orders", "valid"), CLV, "8000"),
    ("clv_to_cac", (FY,), (), ("orders", "valid"), f"{CLV} / ({CAC})", "3"),
    ("close_rate", (M, Q), ("owner", "range"), ("deals", "open_deals"), "won / nullif(open_deals, 0)", "CASE kind WHEN 'quarter' THEN 0.45 ELSE 0.28 END"),
    ("transformation_rate", (Q,), ("sales_channel",), ("deals",), "won / nullif(decided, 0)", "0.55"),
    ("transformation_web", (M,), (), ("orders",), "web_orders / nullif(sessions, 0)", "0.25"),
    ("transformation_shop", (M,), (), ("visits",), "visits_with_order / nullif(visits, 0)", "0.43"),
    ("sales_cycle", (M, Q), ("range", "owner"), ("deals",), "cycle", "0.85 * year_ago"),
    ("sales_cycle_median", (Q,), ("range",), ("deals",), "cycle_median", "35"),
    ("stage_days", (Q,), ("stage",), ("stages",), "stage_days", "CASE member WHEN 'negotiation' THEN 18 WHEN '' THEN 9 ELSE 6 END"),
    ("average_deal_size", (M, Q), ("range",), ("deals",), "deal_size", "1800"),
    ("pipeline_coverage", (M,), (), ("snapshots",), "pipeline / nullif(next_quota, 0)", "1"),
    ("revenue", (M, Q), ("range", "channel", "sales_channel", "satisfaction"), ("orders",), "revenue", "quota"),
    ("revenue_to_date", (M,), (), ("orders",), "revenue_to_date", "quota_to_date"),
    ("new_revenue", (M, Q), ("channel", "campaign"), ("orders",), "new_revenue", "CASE WHEN segment <> '' THEN NULL WHEN kind = 'quarter' THEN 100000 ELSE 30000 END"),
    ("revenue_per_customer", (Q,), ("range", "satisfaction"), ("orders",), "revenue / nullif(buyers, 0)", "year_ago"),
    ("cross_selling", (M, Q), ("days_of_month",), ("lines",), "cross_sold / nullif(sold, 0)", "0.08"),
    ("cross_selling_orders", (Q,), ("days_of_month",), ("lines",), "cross_orders / nullif(sold_orders, 0)", "0.16"),
    ("up_selling", (M, Q), ("days_of_month",), ("lines",), "up_sold / nullif(sold, 0)", "0.17"),
    ("up_selling_orders", (Q,), ("days_of_month",), ("lines",), "up_orders / nullif(sold_orders, 0)", "0.09"),
    ("upsell_rate", (M, Q), ("range",), ("orders", "valid"), "repeat_buyers / nullif(during, 0)", "1.10 * nullif(year_ago, 0)"),
    ("upsell_rate_buyers", (Q,), ("range", "satisfaction"), ("orders",), "repeat_buyers / nullif(buyers, 0)", "0.4"),
    ("csat", (M, Q), ("range",), ("surveys",), "satisfied / nullif(csat_answers, 0)", "0.75"),
    ("nps", (Q,), ("range",), ("surveys",), "100 * (promoters - detractors) / nullif(nps_answers, 0)", "20"),
    ("logins_per_customer", (M,), (), ("sessions",), "logins / nullif(visitors, 0)", "3"),
    ("minutes_per_customer", (M,), (), ("sessions",), "minutes / nullif(visitors, 0)", "25"),
    ("comments_per_customer", (M,), (), ("sessions",), "comments / nullif(visitors, 0)", "0.6"),
    ("active_share", (M,), (), ("sessions",), "visitors / nullif(during, 0)", "0.65"),
    ("resolution_time", (M,), ("priority",), ("tickets",), "resolution", "CASE member WHEN 'high' THEN 6 WHEN 'low' THEN 40 ELSE 20 END"),
]  # fmt: skip


def kpis() -> str:
    """All series below each other, numbers as text, so that each keeps its kind."""
    return " UNION ALL ".join(_series(*said) for said in KPIS)


def _series(
    kpi: str, kinds: tuple[str, ...], segments: tuple[str, ...], rows: tuple[str, ...], value: str, target: str
) -> str:  # fmt: skip
    there = " OR ".join(f"{column} > 0" for column in rows)
    return f"""
        SELECT '{kpi}' AS kpi, period, segment, member AS segment_value, CAST(value AS VARCHAR) AS value,
            CAST(previous AS VARCHAR) AS previous, CAST(year_ago AS VARCHAR) AS year_ago, CAST(target AS VARCHAR) AS target
        FROM (
            SELECT *, {target} AS target
            FROM (
                SELECT *, {value} AS value, lag({value}) OVER lane AS previous, lag({value}, year) OVER lane AS year_ago,
                    lag({rows[0]}, year) OVER lane AS rows_ago, bool_or(shown AND ({there})) OVER (PARTITION BY segment, member) AS known
                FROM cells WHERE kind IN {_listed(kinds)} AND segment IN {_listed(("", *segments))}
                WINDOW lane AS (PARTITION BY kind, segment, member ORDER BY i)
            )
        ) WHERE shown AND known
    """


def _listed(texts: tuple[str, ...]) -> str:
    return "(" + ", ".join(f"'{text}'" for text in texts) + ")"


# --- funnel, cohorts, scores ----------------------------------------------------------------------------------------------

FUNNEL = reduced(
    "by_funnel",
    f"""(
        SELECT *, CAST(created_at AS DATE) AS d1, CAST(qualified_at AS DATE) AS d2, CAST(first_deal_at AS DATE) AS d3, CAST(won_at AS DATE) AS d4,
            coalesce(d2 - d1 BETWEEN 0 AND 90, false) AS in2, coalesce(d3 - d1 BETWEEN 0 AND 90, false) AS in3,
            coalesce(d4 - d1 BETWEEN 0 AND 90, false) AS in4,
            in2 AS s2, s2 AND in3 AND d3 >= d2 AS s3, s3 AND in4 AND d4 >= d3 AS s4, created_at AS moment
        FROM leads
    ) {DATED}""",
    "count(*) AS n1, count(*) FILTER (s2) AS n2, count(*) FILTER (s3) AS n3, count(*) FILTER (s4) AS n4,"
    " median(d2 - d1) FILTER (s2) AS m2, median(d3 - d2) FILTER (s3) AS m3, median(d4 - d3) FILTER (s4) AS m4,"
    " count(*) FILTER (in2 AND NOT s2) AS k2, count(*) FILTER (in3 AND NOT s3) AS k3, count(*) FILTER (in4 AND NOT s4) AS k4",
    ("channel",),
)


def funnel() -> str:
    steps = [
        ("lead", "n1", "NULL", "0"),
        ("qualified", "n2", "m2", "k2"),
        ("opportunity", "n3", "m3", "k3"),
        ("customer", "n4", "m4", "k4"),
    ]
    return " UNION ALL ".join(
        f"SELECT 'lead_to_customer' AS funnel, period, segment, member AS segment_value, '{step}' AS step,"
        f" coalesce({n}, 0) AS count, {days} AS median_days, coalesce({skipped}, 0) AS skipped"
        f" FROM (SELECT DISTINCT segment, member FROM by_funnel) CROSS JOIN periods LEFT JOIN by_funnel USING ({FOUND})"
        " WHERE shown AND kind IN ('month', 'quarter')"
        for step, n, days, skipped in steps
    )


# Customers by the month in which they came, and how many of them order in that month and in each one after.
COHORTS = """
WITH months AS (
    SELECT period, i FROM periods WHERE kind = 'month' ORDER BY i DESC LIMIT 25  -- every age up to 12 rests on 13 of them
), began AS (
    SELECT CASE WHEN grouping(range) = 0 THEN 'range' ELSE '' END AS segment, CASE WHEN grouping(range) = 0 THEN range ELSE '' END AS member,
        year(created_at) * 12 + month(created_at) AS b, count(*) AS size
    FROM customers GROUP BY GROUPING SETS ((b), (b, range))
), bought AS (
    SELECT CASE WHEN grouping(range) = 0 THEN 'range' ELSE '' END AS segment, CASE WHEN grouping(range) = 0 THEN range ELSE '' END AS member,
        year(created_at) * 12 + month(created_at) AS b, i, count(*) AS n
    FROM buyers JOIN customers AS c ON c.id = customer_id WHERE kind = 'month' AND NOT by_channel GROUP BY GROUPING SETS ((b, i), (b, i, range))
)
SELECT 'customer_retention' AS cohorts, m.segment, m.member AS segment_value, p.period AS cohort, q.i - p.i AS age, coalesce(size, 0) AS size, coalesce(n, 0) AS value
FROM (SELECT DISTINCT segment, member FROM began JOIN months ON b = i) AS m
CROSS JOIN months AS p JOIN months AS q ON q.i - p.i BETWEEN 0 AND 12
LEFT JOIN began AS a ON a.b = p.i AND a.segment = m.segment AND a.member = m.member
LEFT JOIN bought AS o ON o.b = p.i AND o.i = q.i AND o.segment = m.segment AND o.member = m.member
"""

SCORES = f"""
SELECT 'lead_score' AS score, id, if(first_deal_at IS NOT NULL, 25, 0) + if(visited_pricing, 20, 0)
    + CASE WHEN employees > 50 THEN 20 WHEN employees > 9 THEN 10 ELSE 0 END
    + CASE WHEN last_touch_at >= {CLOCK} - INTERVAL 30 DAY THEN 25 WHEN last_touch_at < {CLOCK} - INTERVAL 180 DAY THEN -30 ELSE 0 END
    + if(channel = 'referral', 10, 0) AS points,
    CASE WHEN points >= 60 THEN 'hot' WHEN points >= 30 THEN 'warm' WHEN points >= -30 THEN 'cold' END AS band
FROM leads WHERE customer_id IS NULL
UNION ALL
SELECT 'customer_score', id,
    CASE WHEN orders_12_months >= 8 THEN 40 WHEN orders_12_months >= 4 THEN 25 WHEN orders_12_months >= 1 THEN 10 ELSE 0 END
    + if(urgent_tickets_90_days > 0, -10, 0)
    + CASE WHEN sessions_90_days >= 5 THEN 20 WHEN coalesce(sessions_90_days, 0) = 0 THEN -15 ELSE 0 END
    + CASE WHEN csat >= 4 THEN 15 WHEN csat < 3 THEN -20 ELSE 0 END + if(range = 'large', 10, 0) AS points,
    CASE WHEN points >= 60 THEN 'champion' WHEN points >= 30 THEN 'loyal' WHEN points >= 0 THEN 'fragile' WHEN points >= -45 THEN 'at_risk' END AS band
FROM customers WHERE churned_at IS NULL
"""

# --- the run --------------------------------------------------------------------------------------------------------------

STEPS = [
    PERIODS, CUSTOMERS, LEADS, VALID, DEALS, OPEN_DEALS, STAGES, COSTS, BUYERS, ORDERS, SALES_CHANNELS, LINES, SURVEYS, SESSIONS,
    TICKETS, VISITS, PIPELINE, QUOTAS, NEXT_QUOTAS, cells(), FUNNEL,
]  # fmt: skip
ANSWERS = {"kpis": kpis(), "funnels": funnel(), "cohorts": COHORTS, "scores": SCORES}


def run(data: Path, out: Path) -> None:
    """Writes ``kpis.csv``, ``funnels.csv``, ``cohorts.csv`` and ``scores.csv`` into a folder."""
    for table in FINANCE:  # DuckDB alone reads no cp1252
        text = (data / "finance" / f"{table}.csv").read_text("cp1252")
        (out / f"{table}.utf8.csv").write_text(text, encoding="utf-8")
    con = duckdb.connect()
    for sql in STEPS:
        con.execute(sql.replace("{data}", str(data)).replace("{out}", str(out)))
    for name, sql in ANSWERS.items():
        con.execute(f"COPY ({sql}) TO '{out / name}.csv' (FORMAT csv, HEADER)")


if __name__ == "__main__":
    run(*map(Path, sys.argv[1:]))
