"""The sample data read with the standard library alone, for tests that check cadran's figures without cadran."""

from __future__ import annotations

import csv
import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data"
Row = dict[str, str]
FAR = dt.datetime.max


@cache
def crm(name: str) -> tuple[Row, ...]:
    with (DATA / "crm" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file, strict=True))


@cache
def finance(name: str) -> tuple[Row, ...]:
    with (DATA / "finance" / f"{name}.csv").open(encoding="cp1252", newline="") as file:
        return tuple(csv.DictReader(file, delimiter=";", strict=True))


def leads() -> list[Row]:
    return [row for row in crm("leads") if row["is_test"] == "false"]


def at(text: str) -> dt.datetime:
    """A timestamp; an empty one lies in the far future, as an end that has not come."""
    return dt.datetime.fromisoformat(text) if text else FAR


def french_day(text: str) -> dt.date:
    return dt.datetime.strptime(text, "%d/%m/%Y").date()


def french_number(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))


def span(label: str) -> tuple[dt.datetime, dt.datetime]:
    """``2026-06``, ``2026-Q2`` or ``FY2026`` (ends on 31 March 2026) → first moment, and the one after the last."""
    if label.startswith("FY"):
        return dt.datetime(int(label[2:]) - 1, 4, 1), dt.datetime(int(label[2:]), 4, 1)
    year, part = label.split("-")
    first, size = (int(part[1]) * 3 - 2, 3) if part.startswith("Q") else (int(part), 1)
    index = int(year) * 12 + first - 1 + size
    return dt.datetime(int(year), first, 1), dt.datetime(index // 12, index % 12 + 1, 1)


def within(rows: Iterable[Row], column: str, label: str) -> list[Row]:
    low, high = span(label)
    return [row for row in rows if row[column] and low <= at(row[column]) < high]


def by(rows: Iterable[Row], key: Callable[[Row], str]) -> dict[str, list[Row]]:
    out: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        out[key(row)].append(row)
    return dict(out)


@cache
def index(name: str) -> dict[str, Row]:
    return {row["id"]: row for row in crm(name)}


@cache
def _rates() -> tuple[tuple[dt.date, Decimal], ...]:
    return tuple(sorted((french_day(r["day"]), french_number(r["rate"])) for r in finance("rates")))


def euros(order: Row, amount: Decimal | None = None) -> Decimal:
    """An order's amount (or a part of it) in euros, at the newest rate on or before its day."""
    value = Decimal(order["amount"]) if amount is None else amount
    if order["currency"] == "EUR":
        return value
    day = at(order["ordered_at"]).date()
    return value * [rate for since, rate in _rates() if since <= day][-1]


def costs(label: str, channel: str = "") -> Decimal:
    low, high = (moment.date() for moment in span(label))
    rows = [
        r for r in finance("costs") if low <= french_day(r["day"]) < high and channel in ("", r["channel"])
    ]
    return sum((french_number(r["amount"]) for r in rows), Decimal(0))


def buyers(label: str) -> dict[str, int]:
    """Customers who ordered, with how many orders."""
    return {
        who: len(rows)
        for who, rows in by(within(crm("orders"), "ordered_at", label), lambda r: r["customer_id"]).items()
    }


def customers_during(label: str) -> list[Row]:
    low, high = span(label)
    return [c for c in crm("customers") if at(c["created_at"]) < high and at(c["churned_at"]) > low]


def customers_at(moment: dt.datetime) -> list[Row]:
    """Customers just before a moment."""
    return [c for c in crm("customers") if at(c["created_at"]) < moment <= at(c["churned_at"])]


def close_rate(label: str) -> float:
    low, high = span(label)
    won = [d for d in within(crm("deals"), "closed_at", label) if d["stage"] == "won"]
    return len(won) / len(
        [d for d in crm("deals") if at(d["created_at"]) < high and at(d["closed_at"]) > low]
    )


def upsell_rate(label: str) -> float:
    return sum(count >= 2 for count in buyers(label).values()) / len(customers_during(label))


def satisfaction() -> dict[str, float]:
    """Mean CSAT score of the customers who ever gave one."""
    given = [s for s in crm("surveys") if s["kind"] == "csat" and s["score"]]
    return {
        who: sum(int(s["score"]) for s in rows) / len(rows)
        for who, rows in by(given, lambda s: s["customer_id"]).items()
    }


def sales() -> list[tuple[str, Row, Decimal]]:
    """Each order line as (first, cross-sell, up-sell or repeat; its order; its amount in euros), by the definition."""
    orders, products = index("orders"), index("products")
    tiers = {"basic": 1, "plus": 2, "pro": 3}
    lines = sorted(crm("order_lines"), key=lambda line: at(orders[line["order_id"]]["ordered_at"]))
    seen: dict[tuple[str, str], list[tuple[dt.datetime, int]]] = defaultdict(list)
    first = {
        who: min(at(o["ordered_at"]) for o in rows)
        for who, rows in by(crm("orders"), lambda o: o["customer_id"]).items()
    }
    for line in lines:
        order, product = orders[line["order_id"]], products[line["product_id"]]
        seen[order["customer_id"], product["category"]].append(
            (at(order["ordered_at"]), tiers[product["tier"]])
        )
    out = []
    for line in lines:
        order, product = orders[line["order_id"]], products[line["product_id"]]
        when = at(order["ordered_at"])
        before = [tier for moment, tier in seen[order["customer_id"], product["category"]] if moment < when]
        kind = "repeat"
        if when == first[order["customer_id"]]:
            kind = "first"
        elif not before:
            kind = "cross-sell"
        elif tiers[product["tier"]] > max(before):
            kind = "up-sell"
        out.append((kind, order, euros(order, int(line["quantity"]) * Decimal(line["unit_price"]))))
    return out
