"""Strategies for formulas: the whole vocabulary, in every combination that the language allows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal

from hypothesis import strategies as st

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
    IsNull,
    Kept,
    Literal,
    Measure,
    Neg,
    Node,
    Not,
    Now,
    Num,
    Op,
    Ref,
    Rolling,
    RowExpr,
    Shift,
    Timed,
    ToDate,
    Total,
    ValueAt,
)

NUMBERS = {
    "events": ("amount", "qty", "weight"), "contracts": ("mrr",), "customers": ("score",), "balances": ("amount",),
    "quotas": ("amount",), "plans": ("amount",),
}  # fmt: skip
LINKED = ("events", "contracts")
TO_DATE_GRAINS = {
    "mtd": ("day", "week"), "qtd": ("day", "week", "month"), "ytd": ("day", "week", "month", "quarter"),
    "fytd": ("day", "week", "month", "fiscal_quarter"),
}  # fmt: skip
INTERVAL = ("opening", "closing", "started", "ended", "during", "lost")


@dataclass(frozen=True)
class Room:
    """What a formula may hold: where it stands, and what its KPI's grains and segments allow."""

    grains: tuple[str, ...]
    tier: bool  # segmented by what only some datasets reach
    first: dt.date
    last: dt.date
    blocks: tuple[str, ...] = ()
    milestone: dt.date | None = None
    still: bool = False  # under value_at: no shift
    span: bool = False  # under rolling or to-date: no retained, no lost, no longer span again
    depth: int = 3

    @property
    def all(self) -> bool:
        return "all" in self.grains


# --- conditions on rows --------------------------------------------------------------------------------------------


@st.composite
def conditions(draw: st.DrawFn, dataset: str, room: Room, in_period: bool = True, depth: int = 1) -> RowExpr:
    simple: list[st.SearchStrategy[RowExpr]] = [
        st.builds(lambda v: Op("=", Column("channel"), Literal(v)), st.sampled_from(("web", "shop"))),
        st.just(Not(IsNull(Column("channel")))),
        st.builds(
            lambda c, op, n: Op(op, Column(c), Literal(n)),
            st.sampled_from(NUMBERS[dataset]), st.sampled_from((">", "<=", "<>")), st.sampled_from((0, 3, Decimal("9.99"))),
        ),
    ]  # fmt: skip
    if dataset in LINKED:
        simple += [
            st.builds(lambda v: Op("<>", Column("customers.tier"), Literal(v)), st.sampled_from(("a", "b"))),
            st.just(Column("customers.big")),
            st.just(IsNull(Column("customers.joined"))),
        ]
        if in_period and not room.all:
            simple.append(st.just(InPeriod(Column("customers.joined"))))
    if dataset == "events":
        simple += [
            st.sampled_from((Op("<", Column("shipped"), Now(date=True)), Op("<=", Column("shipped"), Now()))),
            st.dates(room.first, room.last).map(lambda day: Op(">=", Column("happened"), Literal(day))),
            st.just(Op("=", Column("happened"), Column("customers.first_event"))),
            st.builds(lambda op: Op(op, Column("nth"), Literal(1)), st.sampled_from(("=", ">"))),
        ]
    if depth:
        deeper = conditions(dataset, room, in_period, depth - 1)
        simple.append(st.builds(Op, st.sampled_from(("and", "or")), deeper, deeper))
    return draw(st.one_of(simple))


def maybe(strategy: st.SearchStrategy[RowExpr]) -> st.SearchStrategy[RowExpr | None]:
    return st.none() | strategy


# --- measures --------------------------------------------------------------------------------------------------------


@st.composite
def aggregates(
    draw: st.DrawFn,
    dataset: str,
    room: Room,
    exact: bool = False,
    refuse: tuple[str, ...] = (),
    in_period: bool = True,
) -> Agg:
    """An aggregate of one dataset; ``exact`` ones are never floats."""
    where = draw(maybe(conditions(dataset, room, in_period)))
    exact_numbers = tuple(n for n in NUMBERS[dataset] if n != "weight")
    kinds = ["count", "distinct", "sum", "min", "max", *(["product"] if dataset == "events" else [])] + (
        [] if exact else ["avg", "median", "quantile", "stddev", "days"]
    )
    kind = draw(st.sampled_from([k for k in kinds if k not in refuse]))
    if kind == "count":
        return Agg("count", dataset, where=where)
    if kind == "distinct":
        key = {"events": "customer", "contracts": "customer", "balances": "account"}.get(dataset, "channel")
        return Agg("count", dataset, Column(key), where, distinct=True)
    if kind == "product":
        product = Op("*", Column("events.amount"), Column("events.qty"))
        return Agg("sum", dataset, product, where)
    if kind == "days":
        pair = {
            "events": ("customers.joined", "happened"),
            "contracts": ("begins", "ends"),
            "customers": ("first_event", "joined"),
        }
        start, end = pair.get(dataset, ("", ""))
        if start:
            return Agg(
                "avg", dataset, DateDiff(Column(f"{dataset}.{start}"), Column(f"{dataset}.{end}")), where
            )
        kind = "avg"
    column = Column(draw(st.sampled_from(exact_numbers if exact else NUMBERS[dataset])))
    return Agg(
        kind, dataset, column, where, q=draw(st.sampled_from((0.1, 0.5, 0.9))) if kind == "quantile" else 0.5
    )


@st.composite
def measures(draw: st.DrawFn, room: Room, exact: bool = False) -> Measure:
    kinds = ["events", "events", "entity", "having", "converted", "contracts", "interval", "kept", "dated"]
    kinds += ["customers"] + ([] if room.tier else ["quotas", "snapshot", "balances"])
    if room.grains == ("all",) and not room.tier and not room.span:
        kinds += ["plans", "plans"]
    kind = draw(st.sampled_from(kinds))
    if kind in ("events", "contracts", "customers", "quotas", "plans"):
        return draw(aggregates(kind, room, exact))
    if kind == "balances":
        return draw(aggregates("balances", room, exact, refuse=("count", "sum")))
    if kind == "dated":
        return replace(draw(aggregates("events", room, exact)), date="shipped")
    if kind == "snapshot":
        return Timed(draw(st.sampled_from(("opening", "closing"))), draw(aggregates("balances", room, exact)))
    if kind == "interval":
        names = [k for k in INTERVAL if not (k == "lost" and room.span)]
        kind = draw(st.sampled_from(names))
        return Timed(kind, draw(aggregates("contracts", room, exact, in_period=kind != "lost")))
    if kind == "kept":
        return Kept(draw(aggregates("contracts", room, exact, in_period=False)), "customer")
    return draw(entities(room, kind))


@st.composite
def entities(draw: st.DrawFn, room: Room, kind: str) -> Measure:
    dataset = draw(st.sampled_from(LINKED))
    where = draw(maybe(conditions(dataset, room, in_period=False)))
    date = draw(st.sampled_from((None, None, "shipped"))) if dataset == "events" else None
    if kind == "entity":
        names = ("active", "new") if room.span else ("active", "new", "retained", "lost")
        return Entity(draw(st.sampled_from(names)), dataset, "customer", where, date)
    if kind == "having":
        having = draw(aggregates(dataset, replace(room, grains=("all",)), exact=True))
        return CountHaving(
            dataset,
            "customer",
            replace(having, where=None),
            draw(st.sampled_from((">=", "<"))),
            draw(st.integers(0, 3)),
            where,
            date,
        )
    other, key = draw(st.sampled_from((("events", "customer"), ("customers", "code"))))
    days, hours = draw(st.sampled_from(((0, 0), (1, 0), (30, 0), (60, 0), (0, 36))))
    return Converted(dataset, "customer", other, key, days, hours, where)


# --- formulas ----------------------------------------------------------------------------------------------------------


@st.composite
def formulas(draw: st.DrawFn, room: Room) -> Node:
    kinds = ["measure", "measure"]
    if room.depth:
        kinds += ["ratio", "ratio", "arith", "times", "cents", "percent", "coalesce", "neg", "total"]
        kinds += [] if room.still else ["shift", "shift", *["block"] * bool(room.blocks)]
        if not room.all and not room.span:
            kinds += ["rolling", "to_date"]
        if not room.all and room.milestone and not room.still:
            kinds += ["value_at"]
    kind = draw(st.sampled_from(kinds))
    below = replace(room, depth=room.depth - 1)
    match kind:
        case "measure":
            return draw(measures(room))
        case "block":
            return Ref(draw(st.sampled_from(room.blocks)))
        case "ratio":
            return Arith("/", draw(formulas(below)), draw(divisors(room)))
        case "arith":
            return Arith(
                draw(st.sampled_from("+-")), draw(formulas(below)), draw(formulas(replace(below, depth=0)))
            )
        case "times":
            return Arith("*", draw(formulas(below)), draw(measures(room, exact=True)))
        case "cents":
            return Arith("/", draw(formulas(below)), Num(100))
        case "percent":
            return Arith("*", draw(formulas(below)), Num(Decimal("0.15"), "15%"))
        case "coalesce":
            return Coalesce(draw(formulas(below)), Num(draw(st.sampled_from((0, 7)))))
        case "neg":
            return Neg(draw(formulas(below)))
        case "shift":
            return Shift(draw(st.sampled_from(("previous", "next", "year_ago"))), draw(formulas(below)))
        case "total":
            return Total(draw(formulas(below)))
        case "value_at":
            assert room.milestone
            return ValueAt(draw(formulas(replace(below, still=True))), room.milestone, "change")
        case "rolling":
            return Rolling(draw(formulas(replace(below, span=True))), draw(st.integers(1, 4)))
    units = [unit for unit, grains in TO_DATE_GRAINS.items() if set(room.grains) <= set(grains)]
    inner = draw(formulas(replace(below, span=True)))
    return ToDate(draw(st.sampled_from(units)), inner) if units else inner


@st.composite
def divisors(draw: st.DrawFn, room: Room) -> Node:
    """Exact ones: whether a float is zero depends on the order of additions."""
    measure: Node = draw(measures(room, exact=True))
    kind = draw(st.sampled_from(("plain", "plain", "plus", "total", "plain" if room.still else "shift")))
    if kind == "plus":
        return Arith("+", measure, draw(measures(room, exact=True)))
    if kind == "shift":
        return Shift(draw(st.sampled_from(("previous", "next", "year_ago"))), measure)
    return Total(measure) if kind == "total" else measure
