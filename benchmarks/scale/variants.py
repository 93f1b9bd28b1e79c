"""Projects that grow in one direction: more KPIs, more values of a segment, more segments."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from benchmarks.scale.children import HERE
from benchmarks.scale.shares import MEDIUM, REGION, STATUS, Shares


def base() -> str:
    return (HERE / "kpis.yaml").read_text(encoding="utf-8")


# --- more KPIs --------------------------------------------------------------------------------------------------------


def many_kpis(count: int) -> str:
    """The 20 KPIs, and as many shares, sums and means under one filter or another as it takes; all by month and device."""
    kpis = _variations()
    lines = [
        f"  variation_{n}: {{formula: {next(kpis)!r}, period: month, segment: device}}"
        for n in range(count - 20)
    ]
    return base() + "\n".join([*lines, ""])


def _variations() -> Iterator[str]:
    """What teams ask for beside what they have: this channel only, that region only, above so much, and their shares."""
    for limit in range(10, 10_000, 7):
        for orders, sessions in zip(_order_filters(), _session_filters(), strict=False):
            yield f"count(orders) filter (where {orders} and amount >= {limit}) / count(orders)"
            yield f"sum(orders.amount) filter (where {orders} and items <= {limit % 6 + 1})"
            yield f"count(sessions) filter (where {sessions} and seconds >= {limit}) / count(sessions)"
            yield f"avg(sessions.pages) filter (where {sessions} and seconds < {limit})"
            yield f"sum(orders.shipping) filter (where {orders}) / sum(orders.amount) filter (where {orders} and amount < {limit})"


def _order_filters() -> Iterator[str]:
    for region, status in product(_values(REGION), _values(STATUS)):
        yield f"region = {region} and status = {status}"


def _session_filters() -> Iterator[str]:
    for medium, least in product(_values(MEDIUM), range(1, 6)):
        yield f"medium = {medium} and pages >= {least}"


def _values(shares: Shares) -> list[str]:
    return ["'" + value.replace("'", "''") + "'" for value, _ in shares if value is not None]


# --- more values, more segments ---------------------------------------------------------------------------------------

_HEAD = """\
version: 1
calendar: {timezone: UTC}
sources: {shop: {connector: files, tables: {orders: {path: "orders/*.parquet"}}}}
datasets:
  orders:
    from: shop.orders
    key: id
    date: ordered_at
    columns:
"""
_KPIS = """\
kpis:
  orders: {formula: count(orders), period: month, segment: [SEGMENTS]}
  revenue: {formula: sum(orders.amount), period: month, segment: [SEGMENTS]}
  active_customers: {formula: active(orders.customer_id), period: month, segment: [SEGMENTS]}
  refund_rate: {formula: "count(orders) filter (where status = 'refunded') / count(orders)", period: month, segment: [SEGMENTS]}
"""


def many_values(count: int) -> str:
    """Four KPIs by one segment that has so many values."""
    column = f"      bucket: concat('b', mod(id * 7919, {count}))\n"
    return _HEAD + column + _KPIS.replace("SEGMENTS", "bucket")


def many_segments(count: int) -> str:
    """Four KPIs by so many segments of ten values each."""
    names = [f"bucket_{n}" for n in range(count)]
    columns = "".join(
        f"      {name}: concat('b', mod(id * {7919 + 2 * n}, 10))\n" for n, name in enumerate(names)
    )
    return _HEAD + columns + _KPIS.replace("SEGMENTS", ", ".join(names))
