"""Row expressions and formulas as trees; the evaluator reads them, the strategies also write them as text."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

Value = int | Decimal | float | str | bool | dt.date | dt.datetime | None
Number = int | Decimal | float


# --- expressions over one row --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Column:
    """A column of the dataset, or a dotted path over its links."""

    path: str


@dataclass(frozen=True)
class Literal:
    value: Value


@dataclass(frozen=True)
class Op:
    """``= <> < <= > >= + - * and or`` with SQL's three-valued logic."""

    op: str
    left: RowExpr
    right: RowExpr


@dataclass(frozen=True)
class Not:
    of: RowExpr


@dataclass(frozen=True)
class IsNull:
    of: RowExpr


@dataclass(frozen=True)
class Now:
    """``now()``, or ``current_date``."""

    date: bool = False


@dataclass(frozen=True)
class DateDiff:
    """``date_diff('day', a, b)``: local midnights between."""

    start: RowExpr
    end: RowExpr


@dataclass(frozen=True)
class InPeriod:
    """``in_period(timestamp)``."""

    of: RowExpr


@dataclass(frozen=True)
class Nth:
    """A derived column: ``row_number() over (partition by … order by …)``."""

    partition: str
    order: str


RowExpr = Column | Literal | Op | Not | IsNull | Now | DateDiff | InPeriod


# --- measures ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Agg:
    """``func(dataset.arg) filter (where …)``; ``count`` without ``arg`` counts rows; ``date`` is ``dated``'s column."""

    func: str
    dataset: str
    arg: RowExpr | None = None
    where: RowExpr | None = None
    distinct: bool = False
    q: float = 0.5
    date: str | None = None


@dataclass(frozen=True)
class Entity:
    """``active new retained lost`` of a key."""

    kind: str
    dataset: str
    x: str
    where: RowExpr | None = None
    date: str | None = None


@dataclass(frozen=True)
class CountHaving:
    """``count_having(x, aggregate op number)``."""

    dataset: str
    x: str
    having: Agg
    op: str
    number: Number
    where: RowExpr | None = None
    date: str | None = None


@dataclass(frozen=True)
class Converted:
    """``converted(a.x, b.y, 'days')``; hours where ``hours`` is set."""

    dataset: str
    x: str
    other: str
    y: str
    days: int = 0
    hours: int = 0
    where: RowExpr | None = None


@dataclass(frozen=True)
class Timed:
    """``opening closing started ended during lost`` of an aggregate; on snapshots the first two."""

    kind: str
    of: Agg


@dataclass(frozen=True)
class Kept:
    of: Agg
    x: str


Measure = Agg | Entity | CountHaving | Converted | Timed | Kept


# --- arithmetic and spans ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Num:
    """A number as written; ``text`` may be a percentage, ``value`` is what it means."""

    value: Number
    text: str = ""


@dataclass(frozen=True)
class Arith:
    op: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Neg:
    of: Node


@dataclass(frozen=True)
class Coalesce:
    of: Node
    default: Node


@dataclass(frozen=True)
class Ref:
    name: str


@dataclass(frozen=True)
class Shift:
    """``previous next year_ago``."""

    kind: str
    of: Node


@dataclass(frozen=True)
class ValueAt:
    of: Node
    milestone: dt.date
    name: str = ""


@dataclass(frozen=True)
class Rolling:
    of: Node
    count: int


@dataclass(frozen=True)
class ToDate:
    """``mtd qtd ytd fytd``."""

    unit: str
    of: Node


@dataclass(frozen=True)
class Total:
    of: Node


Node = Measure | Num | Arith | Neg | Coalesce | Ref | Shift | ValueAt | Rolling | ToDate | Total


def children(node: Node) -> tuple[Node, ...]:
    """The formula's parts below ``node``; a measure has none."""
    match node:
        case Arith(_, left, right):
            return left, right
        case Coalesce(of, default):
            return of, default
        case Neg(of) | Shift(_, of) | ValueAt(of) | Rolling(of) | ToDate(_, of) | Total(of):
            return (of,)
        case _:
            return ()
