"""Data of a growing shop: orders, leads, sessions, customers, costs, quotas, as Parquet files.

Every value is a hash of its row's number, so the same call writes the same rows on every machine. Facts are laid out as
one file a month (``orders/2023-01.parquet``), as data that grows is kept; ``add_day`` puts one more day beside them.

``python -m benchmarks.scale.generate --orders 1000000`` writes where the benchmarks look for it (see ``folder_for``).
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb

from benchmarks.scale.shares import CHANNEL, DEVICE, MEDIUM, RANGE, REGION, STATUS, Shares

VERSION = 1  # raised whenever the same call writes other rows
FIRST, MONTHS = dt.date(2023, 1, 1), 36
NEXT_DAY = dt.date(2026, 1, 1)
FACTS = ("orders", "leads", "sessions")
BEFORE = "customers.before"  # the customers as they were before the day; no name of a table


def folder_for(orders: int) -> Path:
    """``$CADRAN_BENCH_DATA`` or the system's folder for temporary files, and in it one folder for each size."""
    root = os.environ.get("CADRAN_BENCH_DATA") or Path(tempfile.gettempdir()) / "cadran-bench"
    return Path(root) / f"orders-{orders}-v{VERSION}"


def generate(folder: Path, orders: int) -> Path:
    """Writes everything into ``folder``, unless it is there already; returns the folder."""
    done = folder / "complete"
    if done.exists():
        return folder
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    with duckdb.connect() as con:
        _small_tables(con, folder)
        _customers(con, folder, orders // 10)
        for month in range(MONTHS):
            _facts(con, folder, orders, month)
    done.write_text(f"{orders} orders, version {VERSION}\n", encoding="utf-8")
    return folder


def add_day(folder: Path, orders: int, *, customers: bool = False) -> None:
    """One more day of orders, leads and sessions, as files of their own.

    ``customers``: the list of customers is written anew as well, as a nightly export does: some are new, some have left,
    some belong to another range now. Remember that the last shows in all periods.
    """
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE customers AS FROM '{folder}/customers.parquet'")
        _facts(con, folder, orders, MONTHS)
        if customers:
            _changed_customers(con, folder, orders // 10)


def remove_day(folder: Path) -> None:
    """Takes away what :func:`add_day` wrote."""
    for name in FACTS:
        (folder / name / f"{NEXT_DAY}.parquet").unlink(missing_ok=True)
    if (folder / BEFORE).exists():
        (folder / BEFORE).replace(folder / "customers.parquet")


# --- how much of what lies where ----------------------------------------------------------------------------------------


def bounds(total: int) -> list[int]:
    """Where each month's rows begin: the last month has about twice as many as the first. One more day at the end."""
    weights = [MONTHS + month for month in range(MONTHS)]
    at = [0]
    for weight in weights:
        at.append(at[-1] + weight)
    found = [total * a // at[-1] for a in at]
    return [*found, found[-1] + (found[-1] - found[-2]) // 31]


def starts() -> list[dt.date]:
    """The first day of each month, of the day behind them, and of the one behind that."""
    days = [dt.date(FIRST.year + m // 12, m % 12 + 1, 1) for m in range(MONTHS)]
    return [*days, NEXT_DAY, NEXT_DAY + dt.timedelta(days=1)]


def h(seed: int, of: str = "i") -> str:
    """A number from the row's number, different for each seed."""
    return f"hash({of} * 64 + {seed})"


def unit(seed: int) -> str:
    """At least 0, below 1."""
    return f"(CAST({h(seed)} % 1000003 AS DOUBLE) / 1000003)"


def one_of(shares: Shares, number: str) -> str:
    """A value by its share in percent."""
    limit, cases = 0, []
    for value, share in shares:
        limit += share
        quoted = "NULL" if value is None else "'" + value.replace("'", "''") + "'"
        cases.append(f"WHEN {number} % 100 < {limit} THEN {quoted}")
    assert limit == 100, shares
    return f"CASE {' '.join(cases)} END"


def _copy(con: duckdb.DuckDBPyConnection, select: str, file: Path) -> Path:
    file.parent.mkdir(exist_ok=True)
    con.execute(f"COPY ({select}) TO '{file}' (FORMAT parquet)")
    return file


# --- tables ---------------------------------------------------------------------------------------------------------------


def _small_tables(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    channels = ", ".join(f"('{name}', {share})" for name, share in CHANNEL)
    ranges = ", ".join(f"('{name}', {100 - share})" for name, share in RANGE)
    costs = f"""
        SELECT CAST(DATE '{FIRST}' + CAST(i AS INTEGER) AS DATE) AS day, channel,
            CAST((share * 900 + {h(1, "(i * 100 + share)")} % 40000) * 0.01 AS DECIMAL(12, 2)) AS amount
        FROM range(1097) AS days(i), (VALUES {channels}) AS channels(channel, share)
        ORDER BY day, channel
    """
    quotas = f"""
        SELECT CAST(DATE '{FIRST}' + to_months(CAST(i AS INTEGER)) AS DATE) AS month, range,
            CAST(share * (1000 + i * 30) AS DECIMAL(12, 2)) AS amount
        FROM range({MONTHS + 12}) AS months(i), (VALUES {ranges}) AS ranges(range, share)
        ORDER BY month, range
    """
    _copy(con, costs, folder / "costs.parquet")
    _copy(con, quotas, folder / "quotas.parquet")


def _customers(con: duckdb.DuckDBPyConnection, folder: Path, total: int) -> None:
    """Three tenths were customers before the first month. Ids rise with the day of creation."""
    con.execute("CREATE TABLE customers AS " + " UNION ALL ".join(_customer_months(total)) + " ORDER BY id")
    _copy(con, "FROM customers", folder / "customers.parquet")


def customer_bounds(total: int) -> list[int]:
    """Where each month's new customers begin."""
    before = total * 3 // 10
    return [before + b for b in bounds(total - before)]


def _customer_months(total: int) -> Iterator[str]:
    begins = customer_bounds(total)
    yield _customer_rows(0, begins[0], dt.date(2020, 1, 1), FIRST)
    days = starts()
    for month in range(MONTHS):
        yield _customer_rows(begins[month], begins[month + 1], days[month], days[month + 1])


def _customer_rows(low: int, high: int, start: dt.date, end: dt.date) -> str:
    return f"""
        SELECT i AS id, created_at, CASE WHEN left_at < DATE '{NEXT_DAY}' THEN left_at END AS churned_at,
            {one_of(RANGE, h(2))} AS segment, {one_of(CHANNEL, h(3))} AS channel, {one_of(REGION, h(4))} AS region,
            'Customer ' || i AS name
        FROM (
            SELECT CAST(i AS INTEGER) AS i, CAST(DATE '{start}' + CAST({_through(low, high, start, end)} AS INTEGER) AS DATE) AS created_at,
                CASE WHEN {h(0)} % 100 < 40 THEN CAST(created_at + 30 + CAST({h(1)} % 900 AS INTEGER) AS DATE) END AS left_at
            FROM range({low}, {high}) AS t(i)
        )"""


def _changed_customers(con: duckdb.DuckDBPyConnection, folder: Path, total: int) -> None:
    new = total // 1000 + 1
    if not (folder / BEFORE).exists():
        (folder / "customers.parquet").replace(folder / BEFORE)
    select = f"""
        SELECT id, created_at, CASE WHEN {h(5, "id")} % 1000 = 0 AND churned_at IS NULL THEN DATE '{NEXT_DAY}' ELSE churned_at END AS churned_at,
            CASE WHEN {h(6, "id")} % 500 = 0 THEN 'large' ELSE segment END AS segment, channel, region, name
        FROM customers
        UNION ALL {_customer_rows(total, total + new, NEXT_DAY, NEXT_DAY + dt.timedelta(days=1))}
        ORDER BY id
    """
    _copy(con, select, folder / "customers.parquet")


def _through(low: int, high: int, start: dt.date, end: dt.date, unit_: int = 1) -> str:
    """How far into a stretch of time a row lies: whole days (or seconds), rising with its number."""
    return f"((i - {low}) * {(end - start).days * unit_} // {max(high - low, 1)})"


def _facts(con: duckdb.DuckDBPyConnection, folder: Path, orders: int, month: int) -> list[Path]:
    """The three facts of one month, or of the day behind the last."""
    start, end = starts()[month], starts()[month + 1]
    stem = f"{start}" if month == MONTHS else f"{start:%Y-%m}"
    customers = customer_bounds(orders // 10)
    there = customers[min(month, MONTHS)], customers[min(month + 1, MONTHS)]
    soon = customers[min(month + 4, MONTHS)]
    statements = {
        "orders": _orders(bounds(orders)[month : month + 2], start, end, there),
        "leads": _leads(bounds(orders // 2)[month : month + 2], start, end, (there[0], soon)),
        "sessions": _sessions(bounds(orders * 2), bounds(orders // 2), month, start, end, there[1]),
    }
    return [_copy(con, statements[name], folder / name / f"{stem}.parquet") for name in FACTS]


def _orders(rows: list[int], start: dt.date, end: dt.date, customers: tuple[int, int]) -> str:
    """Some guests, a tenth or so by the month's new customers, the rest by older ones, newer ones more often."""
    low, high = rows
    old, new = customers
    older = "CAST(floor({old} * (1 - {u} * {u})) AS INTEGER)"
    fresh = f"CAST({old} + {h(1)} % {max(new - old, 1)} AS INTEGER)" if new > old else "NULL"
    return f"""
        WITH drawn AS (
            SELECT i, CAST(DATE '{start}' + CAST({_through(low, high, start, end)} AS INTEGER) AS DATE) AS day,
                CASE WHEN {h(0)} % 100 < 3 THEN NULL WHEN {h(0)} % 100 < 15 THEN {fresh}
                    ELSE {older.format(old=old, u=unit(2))} END AS first_choice,
                {older.format(old=old, u=unit(3))} AS second_choice
            FROM range({low}, {high}) AS t(i)
        ), chosen AS (
            SELECT i, day, CASE WHEN a.churned_at <= day THEN b.id ELSE a.id END AS customer_id,
                CASE WHEN a.churned_at <= day THEN b.created_at ELSE a.created_at END AS created_at
            FROM drawn LEFT JOIN customers AS a ON a.id = first_choice LEFT JOIN customers AS b ON b.id = second_choice
        )
        SELECT CAST(i AS BIGINT) AS id, customer_id, greatest(day, created_at) AS ordered_at,
            CAST((500 + {h(4)} % 8000 + {h(5)} % 1000 * ({h(6)} % 1000) * ({h(7)} % 1000) // 20000) * 0.01 AS DECIMAL(12, 2)) AS amount,
            CAST({h(8)} % 4 * 2.5 AS DECIMAL(8, 2)) AS shipping, {one_of(STATUS, h(9))} AS status,
            {one_of(DEVICE, h(10))} AS device, {one_of(REGION, h(11))} AS region,
            CAST(1 + {h(12)} % 6 AS INTEGER) AS items, 'A-' || lpad(CAST(i AS VARCHAR), 9, '0') AS reference
        FROM chosen ORDER BY id"""


def _leads(rows: list[int], start: dt.date, end: dt.date, customers: tuple[int, int]) -> str:
    """Three in ten belong to somebody who became a customer in this month or the three behind it."""
    low, high = rows
    old, soon = customers
    found = f"CAST({old} + {h(1)} % {soon - old} AS INTEGER)" if soon > old else "CAST(NULL AS INTEGER)"
    seconds = _through(low, high, start, end, 86400)
    return f"""
        SELECT CAST(i AS BIGINT) AS id, TIMESTAMP '{start}' + to_seconds({seconds}) AS created_at,
            CASE WHEN {h(16)} % 100 < 30 THEN {found} END AS customer_id,
            {one_of(CHANNEL, h(17))} AS channel, {one_of(REGION, h(18))} AS region,
            CAST({h(19)} % 101 AS INTEGER) AS score, 'Owner ' || lpad(CAST({h(20)} % 40 AS VARCHAR), 2, '0') AS owner,
            'lead' || i || '@example.com' AS email
        FROM range({low}, {high}) AS t(i) ORDER BY id"""


def _sessions(
    rows: list[int], visitors: list[int], month: int, start: dt.date, end: dt.date, customers: int
) -> str:
    """Visitors come back for some four months, nearly always on the device that they came with first."""
    low, high = rows[month : month + 2]
    first, last = visitors[max(month - 3, 0)], visitors[month + 1]
    device = f"CASE WHEN {h(33)} % 100 < 90 THEN {h(34, 'visitor')} ELSE {h(35)} END"
    seconds = _through(low, high, start, end, 86400)
    return f"""
        SELECT CAST(i AS BIGINT) AS id, CAST(visitor AS BIGINT) AS visitor_id,
            CASE WHEN {h(36)} % 100 < 20 THEN CAST({h(37)} % {customers} AS INTEGER) END AS customer_id,
            TIMESTAMP '{start}' + to_seconds({seconds}) AS started_at,
            CAST(CASE WHEN pages = 1 THEN {h(38)} % 30 ELSE 20 + {h(39)} % 60 * ({h(40)} % 60) END AS INTEGER) AS seconds,
            CAST(pages AS INTEGER) AS pages, {one_of(DEVICE, f"({device})")} AS device, {one_of(MEDIUM, h(41))} AS medium,
            '/page/' || {h(42)} % 500 AS landing_page
        FROM (
            SELECT i, CAST({first} + {h(32)} % {max(last - first, 1)} AS BIGINT) AS visitor,
                CASE WHEN {h(43)} % 100 < 42 THEN 1 ELSE 2 + {h(44)} % 5 * ({h(45)} % 5) END AS pages
            FROM range({low}, {high}) AS t(i)
        ) ORDER BY id"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes the benchmark's data.")
    parser.add_argument(
        "--orders", type=int, default=1_000_000, help="1000000 unless said; all else in proportion"
    )
    parser.add_argument("--folder", type=Path, help="where to; unless said, where the benchmarks look for it")
    parser.add_argument("--day", action="store_true", help="add one more day of rows")
    parser.add_argument("--customers", action="store_true", help="with --day: the customers changed, too")
    parser.add_argument("--no-day", action="store_true", help="take that day away again")
    asked = parser.parse_args()
    folder = generate(asked.folder or folder_for(asked.orders), asked.orders)
    if asked.day:
        add_day(folder, asked.orders, customers=asked.customers)
    if asked.no_day:
        remove_day(folder)
    print(folder)


if __name__ == "__main__":
    main()
