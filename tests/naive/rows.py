"""Datasets as the run's clock shows them: what is visible, where links lead, what an expression means for a row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from naive.periods import Calendar
from naive.tree import (
    Agg,
    Column,
    DateDiff,
    InPeriod,
    IsNull,
    Literal,
    Not,
    Now,
    Nth,
    Op,
    RowExpr,
    Value,
)

MICROSECOND = dt.timedelta(microseconds=1)


@dataclass(frozen=True)
class Link:
    column: str
    to: str


@dataclass(frozen=True)
class Dataset:
    """Rows and what the project declares about them. ``segments``: name → column or dotted path."""

    name: str
    rows: Sequence[Mapping[str, Value]]
    key: tuple[str, ...] = ("id",)
    date: str | None = None
    valid: tuple[str, str] | None = None
    inclusive: bool = False
    snapshot: bool = False
    ahead: bool = False
    settle: int = 0  # days
    where: RowExpr | None = None
    derived: Mapping[str, RowExpr | Agg | Nth] = field(default_factory=dict)
    links: Mapping[str, Link] = field(default_factory=dict)
    segments: Mapping[str, str] = field(default_factory=dict)


class Window:
    """A span as instants: ``lo`` up to, and without, ``hi``."""

    def __init__(self, lo: dt.datetime, hi: dt.datetime) -> None:
        self.lo, self.hi = lo, hi

    def holds(self, instant: dt.datetime | None) -> bool:
        return instant is not None and self.lo <= instant < self.hi


class Row:
    """One visible row."""

    def __init__(self, world: World, dataset: Dataset, values: Mapping[str, Value]) -> None:
        self.world, self.dataset, self.values = world, dataset, dict(values)

    def get(self, path: str) -> Value:
        """A column's value, over links if the path is dotted; "a link without a match gives NULLs"."""
        head, _, rest = path.partition(".")
        if not rest:
            return self.column(head)
        if head == self.dataset.name:  # "the first part of a dotted name may also be the dataset itself"
            return self.get(rest)
        target = self.linked(head)
        return None if target is None else target.get(rest)

    def linked(self, link: str) -> Row | None:
        declared = self.dataset.links[link]
        return self.world.by_key(declared.to, self.column(declared.column))

    def column(self, name: str) -> Value:
        if name not in self.values:
            derived = self.dataset.derived[name]
            self.values[name] = self.derive(derived)
        return self.values[name]

    def derive(self, derived: RowExpr | Agg | Nth) -> Value:
        if isinstance(derived, Agg):
            return self.world.related(self, derived)
        if isinstance(derived, Nth):
            return self.world.nth(self, derived)
        return evaluate(derived, self)

    def instant(self, path: str) -> dt.datetime | None:
        return self.world.instant(self.get(path))

    def segment(self, name: str) -> str:
        value = self.get(self.dataset.segments.get(name, name))
        return "(none)" if value is None else str(value)  # "A missing segment value is reported as `(none)`"

    def start(self) -> dt.datetime | None:
        assert self.dataset.valid
        return self.instant(self.dataset.valid[0])

    def end(self) -> dt.datetime | None:
        """The first instant at which the interval no longer holds; None: "no end = still valid"."""
        assert self.dataset.valid
        return self.world.end(self.dataset, self.get(self.dataset.valid[1]))


class World:
    """All datasets at a clock."""

    def __init__(self, datasets: Sequence[Dataset], calendar: Calendar, clock: dt.datetime) -> None:
        self.datasets = {d.name: d for d in datasets}
        self.calendar, self.clock = calendar, clock
        self._visible: dict[str, list[Row]] = {}
        self._keys: dict[str, dict[Value, Row]] = {}

    def instant(self, value: Value) -> dt.datetime | None:
        """The text: "A timestamp without a zone is in that zone, a date is a local date"."""
        if value is None:
            return None
        if isinstance(value, dt.datetime):
            if value.tzinfo is None:
                return self.calendar.at(value.date(), value.time())
            return value.astimezone(dt.UTC)
        assert isinstance(value, dt.date)
        return self.calendar.midnight(value)

    def end(self, dataset: Dataset, value: Value) -> dt.datetime | None:
        """The text: "The end exclusive unless … inclusive": the last day counts, or the last instant does."""
        if value is None or not dataset.inclusive:
            return self.instant(value)
        if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            return self.calendar.midnight(value + dt.timedelta(days=1))
        instant = self.instant(value)
        return instant and instant + MICROSECOND

    def rows(self, name: str) -> list[Row]:
        """The rows that exist for this run, before any measure's filter."""
        if name not in self._visible:
            dataset = self.datasets[name]
            seen = [
                Row(self, dataset, self.at_clock(dataset, values))
                for values in dataset.rows
                if self.visible(dataset, values)
            ]
            self._visible[name] = seen
            if dataset.where is not None:  # "rows that exist at all"
                self._visible[name] = [row for row in seen if evaluate(dataset.where, row) is True]
        return self._visible[name]

    def visible(self, dataset: Dataset, values: Mapping[str, Value]) -> bool:
        """The text: "Rows dated after the clock are invisible everywhere … unless the dataset is `ahead: true`"."""
        if dataset.ahead:
            return True
        if dataset.valid:  # "a row is seen from its `from` on"
            start = self.instant(values[dataset.valid[0]])
            return start is not None and start <= self.clock
        when = self.instant(values[dataset.date]) if dataset.date else None
        return when is None or when <= self.clock  # "a row at the clock is visible"

    def at_clock(self, dataset: Dataset, values: Mapping[str, Value]) -> dict[str, Value]:
        """The text: "An end after the clock is no end yet"; nor is a closing date."""
        seen = dict(values)
        if dataset.valid and not dataset.ahead:
            end = self.end(dataset, seen[dataset.valid[1]])
            if end is not None and end > self.clock:
                seen[dataset.valid[1]] = None
            when = self.instant(seen[dataset.date]) if dataset.date else None
            if dataset.date and when is not None and when > self.clock:
                seen[dataset.date] = None
        return seen

    def by_key(self, name: str, key: Value) -> Row | None:
        if name not in self._keys:
            (column,) = self.datasets[name].key
            self._keys[name] = {row.column(column): row for row in self.rows(name)}
        return None if key is None else self._keys[name].get(key)

    def related(self, row: Row, derived: Agg) -> Value:
        """A derived column that aggregates a dataset that links here."""
        (link,) = [n for n, to in self.datasets[derived.dataset].links.items() if to.to == row.dataset.name]
        found = [r for r in self.rows(derived.dataset) if r.linked(link) is row]
        if derived.arg is None:
            return len(found)
        values = [v for v in (evaluate(derived.arg, r) for r in found) if v is not None]
        best: Any = {"min": min, "max": max}[derived.func]
        return best(values, key=self.comparable) if values else None

    def nth(self, row: Row, derived: Nth) -> int:
        """The row's place, from 1, among the visible rows of its partition."""
        group = [
            r for r in self.rows(row.dataset.name) if r.get(derived.partition) == row.get(derived.partition)
        ]
        return sum(
            self.comparable(r.get(derived.order)) <= self.comparable(row.get(derived.order)) for r in group
        )

    def comparable(self, value: Value) -> Any:
        return self.instant(value) if isinstance(value, dt.date) else value


def evaluate(expression: RowExpr, row: Row, window: Window | None = None) -> Value:
    """The expression's value for the row; NULL is None."""
    world = row.world
    match expression:
        case Column(path):
            return row.get(path)
        case Literal(value):
            return value
        case Now(date):
            return world.calendar.local_date(world.clock) if date else world.clock
        case Not(of):
            value = evaluate(of, row, window)
            return None if value is None else not value
        case IsNull(of):
            return evaluate(of, row, window) is None
        case DateDiff(start, end):
            first, last = (world.instant(evaluate(e, row, window)) for e in (start, end))
            if first is None or last is None:
                return None
            return (world.calendar.local_date(last) - world.calendar.local_date(first)).days
        case InPeriod(of):
            assert window is not None
            instant = world.instant(evaluate(of, row, window))
            return None if instant is None else window.holds(instant)
        case Op(op, left, right):
            return _operate(op, evaluate(left, row, window), evaluate(right, row, window), world)


def _operate(op: str, left: Any, right: Any, world: World) -> Value:
    if op == "and":
        return False if left is False or right is False else None if left is None or right is None else True
    if op == "or":
        return True if left is True or right is True else None if left is None or right is None else False
    if left is None or right is None:
        return None
    a, b = world.comparable(left), world.comparable(right)
    match op:
        case "=":
            return bool(a == b)
        case "<>":
            return bool(a != b)
        case "<":
            return bool(a < b)
        case "<=":
            return bool(a <= b)
        case ">":
            return bool(a > b)
        case ">=":
            return bool(a >= b)
        case "+":
            return _number(a + b)
        case "-":
            return _number(a - b)
        case _:
            return _number(a * b)


def _number(value: Any) -> int | Decimal | float:
    assert isinstance(value, int | Decimal | float)
    return value
