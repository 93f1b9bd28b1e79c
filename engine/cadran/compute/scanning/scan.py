"""One pass over a dataset: measures that share a timing, for all spans of a grain and all segment sets at once.

The result of every scan has the same shape: ``span, segment, <one column per segment>, rows, m0, n0, m1, n1 …``
where ``segment`` names the grouping set, ``mᵢ`` is a measure and ``nᵢ`` the non-NULL rows behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from cadran.compute.lower import Lowering, WithZone, both, cast, column, number, text
from cadran.compute.results import joined as joined_names
from cadran.compute.scanning import entities
from cadran.compute.scanning.currencies import join_rate
from cadran.compute.scanning.rows import RESERVED, Joined, RowsBuilder, Tables, aggregate, rows_behind
from cadran.compute.scanning.timing import PERIOD, Meeting
from cadran.compute.spans import Span
from cadran.formula.graph import Node
from cadran.formula.measures import Measure, Timing, ref_of

Segments = tuple[str, ...]
NONE, OTHER = "(none)", "(other)"


@dataclass(slots=True)
class Scan:
    """What one statement computes. ``spans`` are numbered in the order in which they were asked for."""

    name: str
    dataset: str
    timing: Timing
    grain: str
    date: exp.Column | None = None  # set by dated()
    measures: list[Measure] = field(default_factory=list)
    sets: list[Segments] = field(default_factory=lambda: [()])
    spans: dict[Span, int] = field(default_factory=dict)
    kept: Mapping[str, Sequence[str]] = field(default_factory=dict)  # segment → values not lumped as (other)
    asked: dict[Measure | None, set[Segments]] = field(
        default_factory=dict
    )  # of each measure; None: of the rows alone
    unit: str = ""  # where the spans' table has a row for each day, week or month that a span touches
    _numbers: dict[Measure, int] = field(default_factory=dict, init=False)

    @property
    def names(self) -> list[str]:
        """All segments, each once."""
        return list(dict.fromkeys(name for segments in self.sets for name in segments))

    @property
    def spans_table(self) -> str:
        return f"{self.name}_periods"

    def sets_of(self, measure: Measure | None) -> Collection[Segments]:
        """The segment sets that a measure is asked for; the first one also stands for the rows."""
        if measure is None or measure not in self.asked:
            return self.sets
        rows = self.asked.get(None, set()) if measure is self.measures[0] else set()
        return self.asked[measure] | rows

    def measure(self, measure: Measure) -> int:
        """The number of a measure, which is taken in if it is new."""
        if measure not in self._numbers:
            self._numbers[measure] = len(self.measures)
            self.measures.append(measure)
        return self._numbers[measure]

    def number(self, span: Span) -> int:
        return self.spans.setdefault(span, len(self.spans))


def dim(name: str) -> str:
    """The column that holds a segment's values; no name of the engine's own begins so."""
    return f"by_{name}"


def label_of(segments: Segments) -> str:
    """The name of a grouping set, the same in whatever order a KPI lists the segments of a cross."""
    return joined_names(sorted(segments))


def as_text(value: exp.Expr, kept: Sequence[str] | None = None) -> exp.Expr:
    """A segment's value as it is shown; with ``kept``, all others are one."""
    known: exp.Expr = exp.Coalesce(this=cast(value, "VARCHAR"), expressions=[text(NONE)])
    if kept is None:
        return known
    among = exp.In(this=known, expressions=[text(v) for v in kept])
    return exp.Case(ifs=[exp.If(this=among, true=known.copy())], default=text(OTHER))


class ScanBuilder:
    """Writes the SQL of scans. ``dimension`` gives the bound column of a segment in a dataset."""

    def __init__(
        self, rows: RowsBuilder, dimension: Callable[[str, str], exp.Column], rates: exp.Expr | None
    ) -> None:
        self.rows, self.dimension, self.rates = rows, dimension, rates
        self.clock = rows.clock

    def needs(self, scan: Scan) -> set[Node]:
        nodes = [part for m in scan.measures for part in m.expressions()]
        nodes += [self.dimension(name, scan.dataset) for name in scan.names]
        if scan.date is not None:
            nodes.append(scan.date)
        needs = self.rows.needs(scan.dataset, nodes)
        for measure in scan.measures:
            if measure.other is not None:
                needs |= self.rows.needs(measure.other.dataset, [measure.other.key])
        return needs

    def build(self, scan: Scan) -> exp.Select:
        joined, tables = self.joined(scan)
        frame = Frame(self, scan, joined, tables)
        first = scan.measures[0] if scan.measures else None
        if first is not None and entities.needs_two_steps(first):
            select = entities.statement(frame, first)
        else:
            select = self._one_step(frame)
        return tables.attach(select)

    def joined(self, scan: Scan) -> tuple[Joined, Tables]:
        """The FROM clause of a scan, and the CTEs that it rests on."""
        tables = self.rows.build(self.needs(scan))
        alias = f"{scan.dataset}_" if scan.dataset in RESERVED else ""
        return Joined(self.rows, scan.dataset, tables.final[scan.dataset], tables.final, alias), tables

    def _one_step(self, frame: Frame) -> exp.Select:
        values: list[exp.Expr] = [exp.alias_(exp.Count(this=exp.Star(), big_int=True), "rows", quoted=True)]
        for index, measure in enumerate(frame.scan.measures):
            value, behind = frame.value(measure)
            values.append(exp.alias_(value, f"m{index}", quoted=True))
            values.append(exp.alias_(behind, f"n{index}", quoted=True))
        on = frame.meeting.condition(frame.scan.timing)
        span = column("span", PERIOD)
        select = frame.joined.select(span, *frame.labels(), *values)
        select.append("joins", frame.spans_join(on))
        hull = frame.hull("count")
        select = select.where(hull, copy=False) if hull is not None else select
        return frame.group(select, [span])


class Grouping:
    """Rows grouped by segment sets: ``dims`` holds the SQL of each segment's value."""

    def __init__(self, sets: Sequence[Segments], dims: dict[str, exp.Expr]) -> None:
        self.sets, self.dims = sets, _apart(dims)

    def labels(self) -> list[exp.Expr]:
        """The name of the grouping set that a row belongs to, then the segments' values."""
        label: exp.Expr = text("")
        ifs = []
        for segments in sorted(self.sets, key=len, reverse=True):
            if segments:
                grouped = both(
                    *(
                        exp.EQ(
                            this=exp.Anonymous(this="GROUPING", expressions=[self.dims[n].copy()]),
                            expression=number(0),
                        )
                        for n in segments
                    )
                )
                ifs.append(exp.If(this=grouped, true=text(label_of(segments))))
        if ifs:
            label = exp.Case(ifs=ifs, default=label)
        values = [exp.alias_(node.copy(), dim(name), quoted=True) for name, node in self.dims.items()]
        return [exp.alias_(label, "segment", quoted=True), *values]

    def group(self, select: exp.Select, keys: list[exp.Expr]) -> exp.Select:
        """Groups by the keys, and by each segment set."""
        if not self.dims:
            return select.group_by(*(k.copy() for k in keys), copy=False)
        sets = [
            exp.Tuple(expressions=[*(k.copy() for k in keys), *(self.dims[n].copy() for n in segments)])
            for segments in self.sets
        ]
        select.set("group", exp.Group(grouping_sets=[exp.GroupingSets(expressions=sets)]))
        return select


def _apart(dims: dict[str, exp.Expr]) -> dict[str, exp.Expr]:
    """Segments over the same column in words of their own: SQL tells groupings apart by what they are written as."""
    seen: set[exp.Expr] = set()
    out = {}
    for name, node in dims.items():
        out[name] = node if node not in seen else _reworded(node.copy(), name)
        seen.add(node)
    return out


def _reworded(node: exp.Expr, name: str) -> exp.Expr:
    """The same value as :func:`as_text` gives, neither written like it nor holding it."""
    if isinstance(node, exp.Coalesce):
        node.append("expressions", text(name))
    elif isinstance(node, exp.Case):
        node.set("default", exp.Coalesce(this=node.args["default"], expressions=[text(name)]))
    return node


class Frame(Grouping):
    """The pieces that a scan's statement is put together from."""

    def __init__(self, builder: ScanBuilder, scan: Scan, joined: Joined, tables: Tables) -> None:
        self.builder, self.scan, self.joined, self.tables = builder, scan, joined, tables
        self.rows, self.clock = builder.rows, builder.clock
        self.meeting = Meeting(self.rows, scan.dataset, joined, scan.date, scan.unit)
        self.lower = Lowering(self.clock, joined.alias, in_period=self._in_period)
        super().__init__(scan.sets, self._dimensions())

    def _in_period(self, node: exp.Expr) -> exp.Expr:
        """Whether a timestamp lies in the same span as the row."""
        lowered, kind = self.other_time(node)
        start, stop = (column(f"{b}_at" if kind == WithZone else b, PERIOD) for b in ("start", "stop"))
        begun = exp.GTE(this=lowered, expression=start)
        return exp.Paren(this=exp.And(this=begun, expression=exp.LT(this=lowered.copy(), expression=stop)))

    def other_time(self, node: exp.Expr) -> tuple[exp.Expr, str]:
        """A timestamp other than the row's own, and its type."""
        lowered, kind = self.lower(node), "TIMESTAMP"
        if isinstance(node, exp.Column):
            kind = self.rows.time_kind(self.scan.dataset, node)
            lowered = self.rows.as_time(self.scan.dataset, node, lowered)
        elif any(self.rows.kind(self.scan.dataset, c) == WithZone for c in node.find_all(exp.Column)):
            kind = WithZone
        return lowered, kind

    def _dimensions(self) -> dict[str, exp.Expr]:
        """Each segment as text, NULL shown as ``(none)``."""
        out: dict[str, exp.Expr] = {}
        for name in self.scan.names:
            path, col = ref_of(self.builder.dimension(name, self.scan.dataset))
            out[name] = as_text(column(col, self.joined.alias(path)), self.scan.kept.get(name))
        return out

    def hull(self, function: str) -> exp.Expr | None:
        return self.meeting.hull(self.scan.timing, function, self.scan.spans)

    def spans_join(self, on: exp.Expr) -> exp.Join:
        # Of the schema "temp", so that no dataset can take its place.
        table = exp.table_(self.scan.spans_table, db="temp", quoted=True)
        return exp.Join(this=exp.alias_(table, PERIOD, table=True, quoted=True), on=on)

    # --- values -------------------------------------------------------------------------------------------------------

    def value(self, measure: Measure) -> tuple[exp.Expr, exp.Expr]:
        """The measure's aggregate, and the count of the rows behind it."""
        if measure.function == "converted":
            call = exp.Filter(
                this=exp.Count(this=exp.Star(), big_int=True),
                expression=exp.Where(this=self._matched(measure)),
            )
            return call, call.copy()
        argument = self.argument(measure)
        return aggregate(measure, self.lower, argument), rows_behind(measure, self.lower, argument)

    def argument(self, measure: Measure) -> exp.Expr | None:
        if measure.argument is None:
            return None
        argument = self.lower(measure.argument)
        if not measure.convert:
            return argument
        assert self.builder.rates is not None
        rate = join_rate(measure, self.meeting, self.builder.rates)
        return exp.Mul(this=exp.Paren(this=argument), expression=rate)

    def _matched(self, measure: Measure) -> exp.Expr:
        """EXISTS a row of the other dataset with the same key, within the window after this row."""
        other = measure.other
        assert other is not None
        assert measure.argument is not None
        after = f"{other.dataset}_after"
        inner = Joined(
            self.rows, other.dataset, self.tables.final[other.dataset], self.tables.final, alias=after
        )
        key = Lowering(self.clock, inner.alias)(other.key)
        here, there = self.meeting.moment("date"), Meeting(self.rows, other.dataset, inner).moment("date")
        moment, then = here.sql, there.sql
        if "DATE" in (here.kind, there.kind):
            moment, then = cast(moment, "DATE"), cast(then, "DATE")
        days, seconds = other.window.days, other.window.seconds
        window = exp.Interval(
            this=text(str(days or seconds)), unit=exp.var("DAY" if days or not seconds else "SECOND")
        )
        where = both(
            exp.EQ(this=key, expression=self.lower(measure.argument)),
            exp.GTE(this=then, expression=moment),
            exp.LTE(this=then.copy(), expression=exp.Add(this=moment.copy(), expression=window)),
        )
        matched: exp.Expr = exp.Exists(this=inner.select(number(1)).where(where, copy=False))
        condition = self.lower(measure.condition) if measure.condition is not None else None
        out = both(condition, matched)
        assert out is not None
        return out
