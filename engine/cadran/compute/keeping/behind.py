"""What an expression rests on, and how far beyond its own row it looks: the ground on which a result may be kept.

An expression over a dataset is *local* as long as a row's value depends on that row alone. Links, lookups and windows
lead beyond it: then any row of the dataset that is reached may matter. Of windows that only look back in time
(``row_number() over (partition by customer_id order by ordered_at)``) rows with a later date cannot matter.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from cadran.formula.graph import Node
from cadran.formula.measures import Measure, Model, ref_of

_BACKWARD = (
    exp.RowNumber, exp.Rank, exp.DenseRank, exp.Lag, exp.FirstValue,
    exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Median, exp.Quantile, exp.Stddev,
)  # fmt: skip


@dataclass(slots=True)
class Behind:
    """Everything that expressions over the dataset ``own`` rest on, its rows' existence included."""

    own: str
    columns: set[Node] = field(default_factory=set)  # read as values, whether raw or derived
    times: set[Node] = field(default_factory=set)  # read only to tell when a row is there
    datasets: set[str] = field(default_factory=set)
    links: set[tuple[str, str]] = field(default_factory=set)
    lookups: set[str] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)  # datasets of which any row may matter
    backward: bool = False  # earlier rows of ``own`` matter
    clock: bool = False  # now() or current_date
    _seen: set[tuple[str, str, bool]] = field(default_factory=set)

    @property
    def local(self) -> bool:
        return not self.whole and not self.backward and not self.clock


class Reader:
    """Finds what is behind expressions of one model."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def measure(self, measure: Measure) -> Behind:
        """The measure on its own dataset, without the segments; see :meth:`other` for ``converted``."""
        found = self.rows(measure.dataset)
        for part in measure.expressions():
            if part is measure.date:
                self._time(found, measure.dataset, part, local=True)
            else:
                self._expression(found, measure.dataset, part, local=True)
        return found

    def other(self, measure: Measure) -> Behind | None:
        """The dataset in which ``converted`` looks for a match."""
        if measure.other is None:
            return None
        found = self.rows(measure.other.dataset)
        self._expression(found, measure.other.dataset, measure.other.key, local=True)
        return found

    def keys(self, dataset: str) -> Behind:
        """The same with the columns of the key."""
        found = self.rows(dataset)
        for key in self.model.datasets[dataset].key:
            self._value(found, dataset, key, local=True)
        return found

    def expression(self, dataset: str, node: exp.Expr) -> Behind:
        """One expression alone, without the existence of its row."""
        found = Behind(dataset, datasets={dataset})
        self.add(found, node)
        return found

    def add(self, found: Behind, node: exp.Expr) -> None:
        """What an expression over the same dataset rests on besides."""
        self._expression(found, found.own, node, local=True)

    def date(self, found: Behind, node: exp.Expr) -> None:
        """The same for a date by which rows are taken."""
        self._time(found, found.own, node, local=True)

    def rows(self, dataset: str) -> Behind:
        """Which rows of a dataset exist, and when."""
        found = Behind(dataset, datasets={dataset})
        self._exists(found, dataset, local=True)
        return found

    # --- walking ------------------------------------------------------------------------------------------------------

    def _exists(self, found: Behind, dataset: str, *, local: bool) -> None:
        resolved = self.model.datasets[dataset]
        if resolved.where is not None:
            self._expression(found, dataset, resolved.where, local=local)
        for node in (resolved.date, *(resolved.valid or ())):
            if node is not None:
                self._time(found, dataset, node, local=local)

    def _whole(self, found: Behind, dataset: str) -> None:
        """The dataset is reached from elsewhere: by its key, and any of its rows may be the one."""
        if dataset in found.whole:
            return
        found.whole.add(dataset)
        found.datasets.add(dataset)
        self._exists(found, dataset, local=False)
        for key in self.model.datasets[dataset].key:
            self._value(found, dataset, key, local=False)

    def _time(self, found: Behind, dataset: str, node: exp.Expr, *, local: bool) -> None:
        """A date that says when a row is there; a column of the row's own is not read as a value by that."""
        path, name = ref_of(node) if isinstance(node, exp.Column) else ((), "")
        if name and not path and name not in self.model.datasets[dataset].derived:
            found.times.add((dataset, name))
        else:
            self._expression(found, dataset, node, local=local)

    def _expression(self, found: Behind, dataset: str, node: exp.Expr, *, local: bool) -> None:
        for part in node.walk():
            if isinstance(part, exp.Column):
                self._column(found, dataset, part, local=local)
            elif isinstance(part, exp.Placeholder) and str(part.this) in self.model.lookups:
                self._lookup(found, dataset, str(part.this), local=local)
            elif isinstance(part, exp.Window):
                self._window(found, dataset, part, local=local)
            elif is_clock(part):
                found.clock = True

    def _column(self, found: Behind, dataset: str, node: exp.Column, *, local: bool) -> None:
        path, name = ref_of(node)
        for step in path:
            columns, target = self.model.datasets[dataset].links[step]
            found.links.add((dataset, step))
            for column in columns:
                self._column(found, dataset, column, local=local)
            if len(columns) < len(self.model.datasets[target].key):
                self._history(found, dataset, target, local=local)
            dataset, local = target, False
            self._whole(found, dataset)
        self._value(found, dataset, name, local=local)

    def _history(self, found: Behind, dataset: str, target: str, *, local: bool) -> None:
        """A history is joined by this row's date; one that the clock may hide, or one ahead of it, is read as a value."""
        here, there = self.model.datasets[dataset], self.model.datasets[target]
        if here.date is not None and here.valid is not None and here.date != here.valid[0]:
            self._column(found, dataset, here.date, local=local)
        elif here.date is not None:
            self._time(found, dataset, here.date, local=local)
        if here.ahead and there.valid is not None:
            self._column(found, target, there.valid[1], local=False)

    def _value(self, found: Behind, dataset: str, name: str, *, local: bool) -> None:
        if (dataset, name, local) in found._seen:
            return
        found._seen.add((dataset, name, local))
        found.columns.add((dataset, name))
        derived = self.model.datasets[dataset].derived.get(name)
        if derived is not None:
            self._expression(found, dataset, derived, local=local)

    def _lookup(self, found: Behind, dataset: str, key: str, *, local: bool) -> None:
        lookup = self.model.lookups[key]
        found.lookups.add(key)
        for name in self.model.datasets[dataset].key:
            self._value(found, dataset, name, local=local)
        other = lookup.measure.dataset
        self._whole(found, other)
        found.links.add((other, lookup.link))
        for column in self.model.datasets[other].links[lookup.link][0]:
            self._column(found, other, column, local=False)
        for part in lookup.measure.expressions():
            self._expression(found, other, part, local=False)

    def _window(self, found: Behind, dataset: str, window: exp.Window, *, local: bool) -> None:
        if not local:
            return  # the whole dataset is behind it already
        if self.looks_back(dataset, window):
            found.backward = True
        else:
            self._whole(found, dataset)

    def looks_back(self, dataset: str, window: exp.Window) -> bool:
        """Whether only rows matter whose date is not later: the order begins with the dataset's date, and the frame ends here."""
        date, order = self.model.datasets[dataset].date, window.args.get("order")
        first = order.expressions[0] if order is not None and order.expressions else None
        if date is None or not isinstance(first, exp.Ordered) or first.this != date:
            return False
        if first.args.get("desc") or first.args.get("nulls_first") or first.args.get("with_fill"):
            return False
        return _function(window) and _ends_here(window.args.get("spec"))


def _function(window: exp.Window) -> bool:
    """Whether the function sees nothing but the frame and the rows before it."""
    call = window.this.this if isinstance(window.this, exp.Filter) else window.this
    offset = call.args.get("offset")
    if isinstance(call, exp.Lag) and offset is not None:
        return isinstance(offset, exp.Literal) and not offset.is_string  # a negative one would look ahead
    return isinstance(call, _BACKWARD)


def _ends_here(spec: exp.Expr | None) -> bool:
    """A frame that reaches no further than the current row (or its equals), as it does unless said otherwise."""
    if spec is None:
        return True
    if spec.args.get("exclude"):
        return False
    start, end = (_bound(spec, which) for which in ("start", "end"))
    return start in ("preceding", "current row") and end in ("preceding", "current row", "")


def _bound(spec: exp.Expr, which: str) -> str:
    side = spec.args.get(f"{which}_side")
    return str(side or spec.args.get(which) or "").lower()


def is_clock(node: exp.Expr) -> bool:
    """now() and current_date, as :class:`~cadran.compute.lower.Lowering` knows them."""
    if isinstance(node, (exp.CurrentTimestamp, exp.CurrentDate)):
        return True
    return isinstance(node, exp.Anonymous) and str(node.this).lower() == "now"
