"""Projects that grow in one direction: more KPIs, more values of a segment, more segments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, product, zip_longest

from benchmarks.scale.children import HERE
from benchmarks.scale.shares import CHANNEL, MEDIUM, REGION, STATUS, Shares


def base() -> str:
    return (HERE / "kpis.yaml").read_text(encoding="utf-8")


# --- more KPIs --------------------------------------------------------------------------------------------------------


def many_kpis(count: int) -> str:
    """The 20 KPIs, and as many variations as it takes: one channel, one region, above so much, and their shares."""
    kpis = variations()
    lines = []
    for number in range(count - 20):
        segment, formula = next(kpis)
        lines.append(f'  variation_{number}: {{formula: "{formula}", period: month, segment: {segment}}}\n')
    return base() + "".join(lines)


def variations() -> Iterator[tuple[str, str]]:
    """Segment and formula: orders, leads and sessions in turn, so that any number of them is a mixture."""
    for several in zip_longest(_of_orders(), _of_leads(), _of_sessions()):
        yield from (one for one in several if one is not None)


def _of_orders() -> Iterator[tuple[str, str]]:
    regions, states, sizes = (
        _equal("region", REGION),
        _equal("status", STATUS),
        _least("amount", 20, 50, 100, 200),
    )
    for where in _filters(regions, states, sizes):
        yield "device", f"count(orders) filter (where {where}) / count(orders)"
        yield "device", f"sum(orders.amount) filter (where {where})"
        yield "device", f"avg(orders.amount) filter (where {where})"
        yield "device", f"sum(orders.items) filter (where {where}) / count(orders) filter (where {where})"
        yield (
            "device",
            f"sum(orders.shipping) filter (where {where}) / sum(orders.amount) filter (where {where})",
        )


def _of_leads() -> Iterator[tuple[str, str]]:
    channels, regions, scores = (
        _equal("channel", CHANNEL),
        _equal("region", REGION),
        _least("score", 20, 40, 60, 80),
    )
    for where in _filters(channels, regions, scores):
        yield "channel", f"count(leads) filter (where {where})"
        yield "channel", f"count(leads) filter (where {where}) / count(leads)"
        yield "channel", f"avg(leads.score) filter (where {where})"
        won = f"count(leads) filter (where {where} and customer_id is not null)"
        yield "channel", f"{won} / count(leads) filter (where {where})"


def _of_sessions() -> Iterator[tuple[str, str]]:
    media, pages, seconds = (
        _equal("medium", MEDIUM),
        _least("pages", 2, 3, 5, 10),
        _least("seconds", 30, 60, 300, 900),
    )
    for where in _filters(media, pages, seconds):
        yield "device", f"count(sessions) filter (where {where})"
        yield "device", f"count(sessions) filter (where {where}) / count(sessions)"
        yield "device", f"avg(sessions.pages) filter (where {where})"
        yield (
            "device",
            f"sum(sessions.seconds) filter (where {where}) / count(sessions) filter (where {where})",
        )


def _filters(*kinds: Sequence[str]) -> Iterator[str]:
    """One condition of a kind, then two, then three."""
    yield from chain.from_iterable(kinds)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        yield from (" and ".join(pair) for pair in product(kinds[one], kinds[other]))
    yield from (" and ".join(three) for three in product(*kinds))


def _equal(column: str, shares: Shares) -> list[str]:
    return [f"{column} = '{value.replace(chr(39), chr(39) * 2)}'" for value, _ in shares if value is not None]


def _least(column: str, *limits: int) -> list[str]:
    return [f"{column} >= {limit}" for limit in limits]


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
    divisors = (3 * n + 1 for n in range(count))
    columns = "".join(
        f"      {name}: concat('b', mod(cast(floor(id / {divisor}) as bigint), 10))\n"
        for name, divisor in zip(names, divisors, strict=True)
    )
    return _HEAD + columns + _KPIS.replace("SEGMENTS", ", ".join(names))
