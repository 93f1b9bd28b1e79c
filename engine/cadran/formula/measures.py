"""What a formula comes down to: measures on one dataset each, seen over shifted or longer spans of time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from sqlglot import exp

from cadran.calendar import Duration
from cadran.declare.model import AlertRule, Kpi, TargetCase
from cadran.formula.functions import NONE, Functions, is_added
from cadran.formula.parse import Parsed

Timing = Literal["flow", "opening", "closing", "started", "ended", "during", "gone", "kept"]
INTERVAL_TIMINGS = ("opening", "closing", "started", "ended", "during", "gone", "kept")

# Over no rows of a covered period these are 0; every other aggregate is no data.
COUNTS = frozenset(
    {"count", "count_distinct", "active", "new", "retained", "lost", "count_having", "converted"}
)
ZERO = COUNTS | {"sum"}

_JOINT = "\x1f"  # between the link names of a path, inside one quoted identifier


def ref_node(path: tuple[str, ...], column: str) -> exp.Column:
    """A bound column: ``path`` names the links walked from the measure's dataset, empty for its own columns."""
    return exp.column(column, table=_JOINT.join(path) or None, quoted=True)


def ref_of(node: exp.Column) -> tuple[tuple[str, ...], str]:
    """The inverse of :func:`ref_node`."""
    return (tuple(node.table.split(_JOINT)) if node.table else ()), node.name


@dataclass(frozen=True, slots=True)
class Conversion:
    """The currency that a money argument is in: a fixed code, or the bound column that holds it.

    ``mixed`` where one row's amount is itself a sum over rows of several currencies, which no rate can convert.
    """

    code: str = ""
    column: exp.Column | None = None
    mixed: bool = False


@dataclass(frozen=True, slots=True)
class Converted:
    """The second half of ``converted``: rows of ``dataset`` whose ``key`` matches within ``window``."""

    dataset: str
    key: exp.Expr
    window: Duration


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a measure was written, for problems that only the data shows."""

    parsed: Parsed
    node: exp.Expr
    subject: str


@dataclass(frozen=True, slots=True)
class Measure:
    """One aggregate on one dataset. Expressions are bound: their columns are made by :func:`ref_node`.

    ``date`` is set by ``dated``; ``entity`` by ``kept``; ``having`` by ``count_having``; ``other`` by ``converted``;
    ``convert`` where a money argument has to be turned into the project's currency.
    """

    dataset: str
    function: str
    origin: Origin = field(compare=False, repr=False)
    timing: Timing = "flow"
    argument: exp.Expr | None = None
    condition: exp.Expr | None = None
    date: exp.Expr | None = None
    fraction: str = ""
    having: exp.Expr | None = None
    entity: exp.Expr | None = None
    other: Converted | None = None
    money: Conversion | None = None
    convert: bool = False

    @property
    def zero(self) -> bool:
        """Whether no rows mean 0."""
        return self.function in ZERO

    def expressions(self) -> Iterator[exp.Expr]:
        """All bound expressions on the measure's own dataset."""
        for part in (self.argument, self.condition, self.date, self.having, self.entity):
            if part is not None:
                yield part
        if self.money is not None and self.money.column is not None and self.convert:
            yield self.money.column


@dataclass(frozen=True, slots=True)
class Shift:
    """``previous`` (-1) and ``next`` (+1)."""

    count: int


@dataclass(frozen=True, slots=True)
class YearAgo:
    pass


@dataclass(frozen=True, slots=True)
class Rolling:
    count: int


@dataclass(frozen=True, slots=True)
class ToDate:
    unit: Literal["mtd", "qtd", "ytd", "fytd"]


@dataclass(frozen=True, slots=True)
class At:
    """``value_at``: the last final period that ends at or before ``day``."""

    day: dt.date
    name: str


@dataclass(frozen=True, slots=True)
class SoFar:
    """As much of each period as has elapsed of the running one; not written in formulas, but derived."""


@dataclass(frozen=True, slots=True)
class Whole:
    """The period whole: what it is compared with is not cut to its elapsed part; derived, as ``SoFar`` is."""


Transform = Shift | YearAgo | Rolling | ToDate | At | SoFar | Whole


@dataclass(frozen=True, slots=True)
class Leaf:
    """A measure over a span; ``transforms`` apply to the period from first to last (the outermost call first)."""

    measure: Measure
    transforms: tuple[Transform, ...] = ()
    total: bool = False

    def under(self, transform: Transform) -> Leaf:
        return replace(self, transforms=(transform, *self.transforms))


def leaf_node(index: int) -> exp.Placeholder:
    """Stands in a formula's tree for leaf number ``index`` of the project."""
    return exp.Placeholder(this=str(index))


COUNTERPART = "counterpart"
TURN_NO_DATA_INTO_SOMETHING = (
    exp.Coalesce, exp.Case, exp.Is, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Greatest, exp.Least, exp.Concat, exp.If,
)  # fmt: skip


def turns_no_data_into_something(tree: exp.Expr) -> bool:
    """Whether a tree might; of plugins' functions nobody knows."""
    if tree.find(*TURN_NO_DATA_INTO_SOMETHING):
        return True
    return any(is_added(node) for node in tree.find_all(exp.Anonymous))


def counterpart_node(index: int) -> exp.Anonymous:
    """Whether the calendar has the period that a shift asks for (there is no W53 in most years).

    It guards a shifted expression that would turn no data into something, such as ``coalesce(k, 0)``.
    """
    return exp.Anonymous(this=COUNTERPART, expressions=[exp.Literal.number(index)])


def leaves_in(tree: exp.Expr | None) -> list[int]:
    """The leaf numbers in a tree, each once, in order."""
    if tree is None:
        return []
    return list(dict.fromkeys(int(node.this) for node in tree.find_all(exp.Placeholder)))


@dataclass(frozen=True, slots=True)
class ResolvedTarget:
    case: TargetCase
    value: exp.Expr | None = None
    low: exp.Expr | None = None
    high: exp.Expr | None = None


@dataclass(frozen=True, slots=True)
class ResolvedRule:
    rule: AlertRule
    when: exp.Expr
    clear: exp.Expr | None = None
    lookback: int = 0  # how many periods before the judged one its windows need


@dataclass(frozen=True, slots=True)
class ResolvedKpi:
    """A KPI as trees over leaves. ``base`` is None where it is the number of rows behind the value.

    ``of`` names the KPI that a derived one is computed for: what people are told by."""

    kpi: Kpi
    parsed: Parsed
    value: exp.Expr
    base: exp.Expr | None
    previous: exp.Expr
    year_ago: exp.Expr
    targets: tuple[ResolvedTarget, ...] = ()
    rules: tuple[ResolvedRule, ...] = ()
    of: str = ""

    @property
    def said(self) -> str:
        """Its name in whatever people read."""
        return self.of or self.kpi.name


@dataclass(frozen=True, slots=True)
class ResolvedDataset:
    """A dataset with every name bound. ``links`` maps a link's name to (bound columns, target)."""

    name: str
    raw: tuple[str, ...] | None  # None: the source's columns are not known
    derived: Mapping[str, exp.Expr]
    where: exp.Expr | None
    key: tuple[str, ...]
    date: exp.Column | None
    valid: tuple[exp.Column, exp.Column] | None
    inclusive: bool
    links: Mapping[str, tuple[tuple[exp.Column, ...], str]]
    snapshot: bool = False
    ahead: bool = False
    changed: str | None = None  # the raw column that says when a row was last changed


@dataclass(frozen=True, slots=True)
class Lookup:
    """An aggregate of a dataset that links here; in a derived column a placeholder of its name stands for it."""

    measure: Measure
    link: str


@dataclass(frozen=True, slots=True)
class Model:
    """The whole project, resolved: what the compute room works from."""

    datasets: Mapping[str, ResolvedDataset]
    kpis: Mapping[str, ResolvedKpi]
    leaves: tuple[Leaf, ...]
    shifts: tuple[tuple[Transform, ...], ...]  # what the counterpart nodes in trees ask about
    dimensions: Mapping[tuple[str, str], exp.Column]  # (segment, dataset) -> where it lives
    lookups: Mapping[str, Lookup]
    functions: Functions = NONE  # of its plugins
