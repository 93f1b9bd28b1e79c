"""The naive evaluator held to numbers worked by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from naive.evaluator import Evaluator, Kpi
from naive.measures import Span, span_of
from naive.output import Key, run
from naive.periods import ALL, Calendar, Period
from naive.rows import Dataset, Link, World
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
    Kept,
    Literal,
    Node,
    Now,
    Num,
    Op,
    Ref,
    Rolling,
    Shift,
    Timed,
    ToDate,
    Total,
    ValueAt,
)

PARIS = Calendar("Europe/Paris", fiscal_starts=4)
D = dt.date
T = dt.datetime
CLOCK = T(2026, 3, 15, 12)


def orders() -> Dataset:
    """Two customers in January, one of them again in February, a third in March, one order without a date."""
    rows: list[tuple[Any, ...]] = [
        (1, T(2026, 1, 1), "ann", "web", Decimal("10.50")),  # the first instant of January
        (2, T(2026, 1, 20, 9), "bob", "shop", Decimal("20.00")),
        (3, T(2026, 1, 31, 23, 59, 59), "bob", "web", None),
        (4, T(2026, 2, 1), "ann", "web", Decimal("5.25")),
        (5, T(2026, 2, 28, 12), None, None, Decimal("7.25")),
        (6, T(2026, 3, 10, 8), "cid", "shop", Decimal("100.00")),
        (7, None, "dan", "web", Decimal("1000.00")),
        (8, T(2026, 3, 20, 8), "ann", "web", Decimal("3.00")),
    ]
    names = ("id", "at", "customer", "channel", "amount")
    return Dataset(
        "orders",
        [dict(zip(names, row, strict=True)) for row in rows],
        date="at",
        settle=3,
        links={"customers": Link("customer", "customers")},
    )


def customers() -> Dataset:
    """The brief example of churn: 4 at the start of 2026, one leaves in January, one joins and leaves in March."""
    rows = [
        ("ann", D(2025, 5, 1), None, "gold"),
        ("bob", D(2025, 6, 1), D(2026, 1, 15), "basic"),
        ("cid", D(2025, 7, 1), D(2026, 4, 1), "gold"),
        ("dan", D(2025, 12, 31), None, None),
        ("eve", D(2026, 3, 5), D(2026, 3, 5), "basic"),
    ]
    names = ("id", "joined", "left", "tier")
    return Dataset(
        "customers", [dict(zip(names, r, strict=True)) for r in rows], date="joined", valid=("joined", "left")
    )


def balances() -> Dataset:
    rows = [(1, "a", D(2026, 1, 31), 10), (2, "a", D(2026, 2, 27), 20), (3, "b", D(2026, 2, 27), 5)]
    rows.append((4, "a", D(2026, 3, 15), 7))
    return Dataset(
        "balances",
        [dict(zip(("id", "who", "day", "amount"), r, strict=True)) for r in rows],
        date="day",
        snapshot=True,
    )


def quotas() -> Dataset:
    rows = [(m, D(2026, m, 1), 100 * m) for m in range(1, 7)]
    return Dataset(
        "quotas",
        [dict(zip(("id", "month", "amount"), r, strict=True)) for r in rows],
        date="month",
        ahead=True,
    )


def evaluator(clock: dt.datetime = CLOCK, *kpis: Kpi) -> Evaluator:
    instant = PARIS.at(clock.date(), clock.time())
    return Evaluator(World([orders(), customers(), balances(), quotas()], PARIS, instant), kpis)


COUNT = Agg("count", "orders")
REVENUE = Agg("sum", "orders", Column("amount"))
HEADS = Agg("count", "customers")
JANUARY, FEBRUARY, MARCH = (D(2026, m, 1) for m in (1, 2, 3))


def value(node: Node, day: dt.date, grain: str = "month", clock: dt.datetime = CLOCK) -> Any:
    period = PARIS.period(grain, day)
    return evaluator(clock).value(node, span_of(period), {})


def months(node: Node) -> list[Any]:
    return [value(node, day) for day in (JANUARY, FEBRUARY, MARCH)]


def agg(func: str, **more: Any) -> Agg:
    return Agg(func, "orders", Column("amount"), **more)


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (COUNT, [3, 2, 1]),  # 8 is after the clock, 7 has no date
        (REVENUE, [Decimal("30.50"), Decimal("12.50"), Decimal("100.00")]),
        (Agg("count", "orders", Column("customer"), distinct=True), [2, 1, 1]),
        (Agg("count", "orders", where=Op("=", Column("channel"), Literal("web"))), [2, 1, 0]),
        (agg("avg"), [15.25, 6.25, 100.0]),
        (agg("min"), [Decimal("10.50"), Decimal("5.25"), 100]),
        (agg("max"), [20, Decimal("7.25"), 100]),
        (agg("median"), [15.25, 6.25, 100.0]),
        (agg("quantile", q=0.25), [12.875, 5.75, 100.0]),
        (agg("stddev"), [pytest.approx(6.717514421), pytest.approx(1.414213562), None]),
        (agg("avg", where=Op("=", Column("customer"), Literal("zoe"))), [None, None, None]),
        (agg("sum", where=Op("=", Column("customer"), Literal("zoe"))), [0, 0, 0]),
        (agg("sum", where=Op("=", Column("id"), Literal(3))), [0, 0, 0]),  # NULLs alone
        (Entity("active", "orders", "customer"), [2, 1, 1]),
        (Entity("new", "orders", "customer"), [2, 0, 1]),
        (Entity("retained", "orders", "customer"), [None, 1, 0]),
        (Entity("lost", "orders", "customer"), [None, 1, 1]),
        (CountHaving("orders", "customer", COUNT, ">=", 2), [1, 0, 0]),
        (Agg("count", "orders", where=Op("=", Column("customers.tier"), Literal("gold"))), [1, 1, 1]),
        (Timed("opening", HEADS), [4, 3, 3]),
        (Timed("closing", HEADS), [3, 3, 3]),  # an end after the clock is no end yet
        (Timed("started", HEADS), [0, 0, 1]),
        (Timed("ended", HEADS), [1, 0, 1]),
        (Timed("during", HEADS), [4, 3, 4]),
        (Timed("lost", HEADS), [1, 0, 0]),
        (Timed("lost", Agg("count", "customers", Column("tier"), distinct=True)), [1, 0, 0]),
        (Kept(Agg("count", "customers"), "tier"), [2, 2, 2]),
        (Timed("opening", Agg("sum", "balances", Column("amount"))), [None, 10, 25]),
        (Timed("closing", Agg("sum", "balances", Column("amount"))), [10, 25, 7]),
        (Arith("/", REVENUE, COUNT), [pytest.approx(30.5 / 3), 6.25, 100.0]),
        (Arith("/", REVENUE, Num(100)), [Decimal("0.3050"), Decimal("0.1250"), 1]),
        (Arith("/", REVENUE, Num(0)), [None, None, None]),
        (Arith("*", REVENUE, Num(Decimal("0.15"), "15%")), [Decimal("4.575"), Decimal("1.875"), 15]),
        (Coalesce(Shift("previous", COUNT), Num(-1)), [-1, 3, 1]),  # February up to the 15th at noon
        (Shift("next", Agg("sum", "quotas", Column("amount"))), [200, 300, 400]),
        (Shift("next", COUNT), [2, 1, None]),
        (ValueAt(REVENUE, D(2026, 2, 20)), [Decimal("30.50")] * 3),
        (Rolling(COUNT, 2), [None, 5, 3]),
        (ToDate("ytd", COUNT), [3, 5, 6]),
        (ToDate("qtd", Entity("active", "orders", "customer")), [2, 2, 3]),
        (ToDate("fytd", COUNT), [None, None, None]),
        (Agg("count", "orders", where=InPeriod(Column("customers.joined"))), [0, 0, 0]),
        (Agg("count", "orders", where=Op("<", Column("at"), Now())), [3, 2, 1]),
        (Converted("orders", "customer", "customers", "id", days=60), [0, 0, 0]),  # they joined before
    ],
)  # fmt: skip
def test_months(node: Node, expected: list[Any]) -> None:
    assert months(node) == expected


def test_segments_are_filters_and_the_missing_value_has_a_name() -> None:
    e = evaluator(T(2026, 3, 31), Kpi("k", Arith("/", COUNT, Total(COUNT)), ("month",), (("channel",),)))
    rows = {(k.period, k.segment_value): a.value for k, a in run(e, FEBRUARY, MARCH).items()}
    assert rows == {
        ("2026-02", ()): 1.0, ("2026-03", ()): 1.0,
        ("2026-02", ("(none)",)): 0.5, ("2026-03", ("(none)",)): 0.0,
        ("2026-02", ("shop",)): 0.0, ("2026-03", ("shop",)): 0.5,
        ("2026-02", ("web",)): 0.5, ("2026-03", ("web",)): 0.5,
    }  # fmt: skip


def test_all_takes_dated_rows_up_to_the_clock() -> None:
    assert evaluator().value(COUNT, span_of(ALL), {}) == 6
    assert evaluator().value(Agg("count", "quotas"), span_of(ALL), {}) == 3
    assert evaluator().value(Shift("previous", COUNT), span_of(ALL), {}) is None
    assert evaluator().value(Timed("closing", HEADS), span_of(ALL), {}) == 3


def test_a_row_at_the_clock_is_seen_and_the_next_instant_is_not() -> None:
    assert value(COUNT, MARCH, clock=T(2026, 3, 10, 8)) == 1
    assert value(COUNT, MARCH, clock=T(2026, 3, 10, 7, 59, 59)) == 0


def test_an_open_period_is_compared_with_the_same_elapsed_part() -> None:
    # 28 days of April have passed at noon of the 29th; of March that leaves the orders up to the 29th at noon.
    assert value(Shift("previous", COUNT), D(2026, 4, 1), clock=T(2026, 4, 29, 12)) == 2
    assert (
        value(Shift("previous", COUNT), D(2026, 4, 1), clock=T(2026, 4, 20, 8)) == 2
    )  # that instant included
    assert value(Shift("previous", COUNT), D(2026, 4, 1), clock=T(2026, 4, 20, 7, 59)) == 1
    assert value(Shift("previous", COUNT), MARCH, clock=T(2026, 3, 1)) == 1  # order 4, at midnight
    assert value(Shift("previous", COUNT), D(2026, 4, 1), clock=T(2026, 3, 20)) is None  # not begun


def test_shifts_and_spans_compose_from_the_outside_in() -> None:
    e = evaluator(T(2026, 5, 1))
    march = span_of(PARIS.period("month", MARCH))
    assert e.span(ToDate("ytd", COUNT), march) == Span(JANUARY, march.last)
    shifted = e.span(Shift("previous", COUNT), Span(JANUARY, march.last))
    assert shifted == Span(D(2025, 12, 1), PARIS.period("month", FEBRUARY))
    assert e.value(Rolling(Shift("previous", COUNT), 2), march, {}) == 5
    assert e.value(Shift("previous", Rolling(COUNT, 2)), march, {}) == 5


def test_no_counterpart_a_year_ago() -> None:
    assert PARIS.year_ago(PARIS.period("day", D(2024, 2, 29))) is None
    assert PARIS.year_ago(PARIS.period("week", D(2026, 12, 31))) is None  # 2026-W53
    assert PARIS.year_ago(PARIS.period("week", D(2026, 1, 1))) == Period(
        "week", D(2024, 12, 30), D(2025, 1, 6)
    )


def test_converted_counts_each_row_once_within_its_window() -> None:
    days = [D(2026, 1, 1), D(2026, 1, 30), D(2026, 1, 31)]
    leads = Dataset(
        "leads", [{"id": i, "day": D(2026, 1, 1), "who": w} for i, w in enumerate("aabbc")], date="day"
    )
    buys = Dataset(
        "buys",
        [{"id": i, "day": d, "who": w} for i, (d, w) in enumerate(zip(days, "aab", strict=True))],
        date="day",
    )
    world = World([leads, buys], Calendar(), T(2026, 3, 1, tzinfo=dt.UTC))
    e = Evaluator(world, ())
    january = PARIS.period("month", JANUARY)
    for days_after, expected in ((0, 2), (29, 2), (30, 4)):
        assert (
            e.value(Converted("leads", "who", "buys", "who", days=days_after), span_of(january), {})
            == expected
        )
    node = Converted("leads", "who", "buys", "who", days=28)
    assert e.state(node, january) == "final"  # matures at the first instant of March
    assert e.state(replace_days(node, 29), january) == "maturing"


def replace_days(node: Converted, days: int) -> Converted:
    return Converted(node.dataset, node.x, node.other, node.y, days=days)


def test_states() -> None:
    january = PARIS.period("month", JANUARY)
    found = [
        evaluator(c).state(COUNT, january)
        for c in (T(2026, 1, 31, 23), T(2026, 2, 1), T(2026, 2, 3, 23), T(2026, 2, 4))
    ]
    assert found == ["open", "settling", "settling", "final"]


def test_base_is_the_divisor_or_the_rows_behind() -> None:
    january = span_of(PARIS.period("month", JANUARY))
    e = evaluator(T(2026, 5, 1), Kpi("rate", Arith("/", REVENUE, COUNT)))
    assert e.base(Arith("-", Num(1), Ref("rate")), january, {}) == 3
    assert e.base(REVENUE, january, {}) == 2
    assert e.base(Arith("/", Arith("+", REVENUE, COUNT), Num(2)), january, {}) == 2


def test_derived_columns_and_links_to_what_is_not_yet_there() -> None:
    a = Dataset(
        "a",
        [{"id": 1, "at": D(2026, 1, 1)}, {"id": 2, "at": D(2026, 6, 1)}],
        date="at",
        derived={"first": Agg("min", "b", Column("at")), "age": DateDiff(Column("at"), Column("first"))},
    )
    b = Dataset(
        "b",
        [{"id": 1, "a": 1, "at": T(2026, 1, 9, 1)}, {"id": 2, "a": 2, "at": D(2026, 1, 2)}],
        date="at",
        links={"a": Link("a", "a")},
    )
    world = World([a, b], PARIS, PARIS.midnight(D(2026, 2, 1)))
    assert [row.get("age") for row in world.rows("a")] == [8]
    assert [row.get("a.id") for row in world.rows("b")] == [1, None]


def test_keys_name_the_segment() -> None:
    e = evaluator(T(2026, 3, 31), Kpi("k", HEADS, ("year",), (("tier",),)))
    assert set(run(e, D(2026, 1, 1), D(2026, 3, 1))) == {
        Key("k", "year", "2026"), Key("k", "year", "2026", ("tier",), ("basic",)),
    }  # fmt: skip


def test_local_days_of_23_and_25_hours() -> None:
    for day, hours in ((D(2026, 3, 29), 23), (D(2026, 10, 25), 25), (D(2026, 10, 26), 24)):
        length = PARIS.midnight(day + dt.timedelta(days=1)) - PARIS.midnight(day)
        assert length == dt.timedelta(hours=hours)


@pytest.mark.parametrize(
    ("grain", "label"),
    [
        ("day", "2026-03-29"), ("week", "2026-W13"), ("month", "2026-03"), ("quarter", "2026-Q1"), ("year", "2026"),
        ("fiscal_quarter", "FY2026-Q4"), ("fiscal_year", "FY2026"), ("all", "all"),
    ],
)  # fmt: skip
def test_labels(grain: str, label: str) -> None:
    assert PARIS.label(PARIS.period(grain, D(2026, 3, 29))) == label
