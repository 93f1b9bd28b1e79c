"""How rows meet spans: one join condition for each timing of the language.

In the SQL the spans' table is called ``period``; its bounds are ``start`` and ``stop`` (local time) and ``start_at``
and ``stop_at`` (instants, for columns with a zone).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from cadran.compute.lower import WithZone, cast, clock_as, column, text
from cadran.compute.scanning.rows import Joined, RowsBuilder
from cadran.compute.scanning.units import unit_start
from cadran.compute.spans import BEGINNING, Span, midnight
from cadran.formula.measures import Timing, ref_of

PERIOD = "period"
_DAY = dt.timedelta(days=1)
_MANY = 8
Bounds = tuple[dt.datetime | None, dt.datetime]


def bounds(timing: Timing, function: str, snapshot: bool, span: Span) -> Bounds | None:
    """Rows whose moment lies outside ``[lower, upper)`` (local time) cannot matter to a span; None where any may.

    The moment is the date of the measure, for intervals their start.
    """
    start = midnight(span.start)
    if timing == "flow":
        if function == "new":
            return None, span.stop
        return (midnight(span.before) if function in ("retained", "lost") else start), span.stop
    if snapshot:
        opening = timing == "opening"
        return (midnight(span.before), start) if opening else (midnight(span.last), span.stop)
    if timing == "started":
        return start, span.stop
    return None if timing == "ended" else (None, span.stop)


def _merged(stretches: Sequence[Bounds]) -> list[Bounds]:
    """The same stretches of time, those that touch joined to one; one alone where there would be very many."""
    ever = BEGINNING + dt.timedelta(days=1)
    out: list[Bounds] = []
    for lower, upper in sorted({(lower or midnight(BEGINNING), upper) for lower, upper in stretches}):
        if out and out[-1][0] is not None and lower <= out[-1][1]:
            out[-1] = out[-1][0], max(upper, out[-1][1])
        else:
            out.append((lower, upper))
    out = out if len(out) <= _MANY else [(out[0][0], out[-1][1])]
    return [(None if lower is None or lower.date() <= ever else lower, upper) for lower, upper in out]


@dataclass(frozen=True, slots=True)
class Moment:
    """A date column as SQL, with its type. ``unit``: the spans' table has a row for each that a span touches."""

    node: exp.Expr
    kind: str
    unit: str = ""

    @property
    def sql(self) -> exp.Expr:
        return self.node.copy()

    def bound(self, name: str) -> exp.Column:
        """A span's bound, as an instant where this column has a zone."""
        return column(f"{name}_at" if self.kind == WithZone else name, PERIOD)

    def within(self, start: str = "start", stop: str = "stop") -> exp.Expr:
        begun: exp.Expr = exp.GTE(this=self.sql, expression=self.bound(start))
        if self.unit:
            same = exp.EQ(this=unit_start(self.unit, self.sql), expression=column("unit", PERIOD))
            begun = exp.And(this=same, expression=begun)
        return exp.And(this=begun, expression=exp.LT(this=self.sql, expression=self.bound(stop)))

    def before(self, name: str) -> exp.Expr:
        return exp.LT(this=self.sql, expression=self.bound(name))

    def near(self, local: dt.datetime, *, later: bool) -> exp.Expr:
        """A literal of this column's type that does not lie before (not ``later``: behind) a local time."""
        if self.kind == "DATE":
            return cast(text(local.date().isoformat()), "DATE")
        if self.kind == WithZone:  # a day is more than any zone is away from UTC
            instant = local + (_DAY if later else -_DAY)
            return cast(text(f"{instant.isoformat(sep=' ')}+00"), "TIMESTAMPTZ")
        return cast(text(local.isoformat(sep=" ")), "TIMESTAMP")

    @property
    def missing(self) -> exp.Expr:
        return exp.Is(this=self.sql, expression=exp.null())


@dataclass(frozen=True, slots=True)
class Meeting:
    """A dataset's rows in one FROM clause, and the conditions under which they belong to a span."""

    rows: RowsBuilder
    dataset: str
    joined: Joined
    date: exp.Column | None = None  # set by dated()
    unit: str = ""

    def moment(self, which: str) -> Moment:
        """The dataset's ``date``, ``from`` or ``to``."""
        found = self.rows.model.datasets[self.dataset]
        if which == "date" and self.date is not None:
            path, name = ref_of(self.date)
            node = self.rows.as_time(self.dataset, self.date, column(name, self.joined.alias(path)))
            return Moment(node, self.rows.time_kind(self.dataset, self.date), self.unit)
        bound = found.date if which == "date" else (found.valid or (None, None))[which == "to"]
        assert bound is not None
        return Moment(
            column(self.rows.time(self.dataset, which), self.joined.root),
            self.rows.time_kind(self.dataset, bound),
            self.unit,
        )

    def condition(self, timing: Timing) -> exp.Expr:
        found = self.rows.model.datasets[self.dataset]
        if timing == "flow":
            return self._flow(dated=found.date is not None or self.date is not None)
        if found.snapshot:
            return self._snapshot(timing)
        match timing:
            case "opening":
                return self.valid_before("start")
            case "closing":
                return self.valid_before("stop")
            case "started":
                return self.moment("from").within()
            case "ended":
                return self.moment("to").within()
            case "gone":
                return exp.And(this=self.valid_before("start"), expression=self.moment("to").before("stop"))
            case "kept":
                return self.at_either_end()
            case "during":
                return self._during()

    def _flow(self, *, dated: bool) -> exp.Expr:
        if not dated:
            return exp.true()
        moment = self.moment("date")
        if self.date is None or self.rows.model.datasets[self.dataset].ahead:
            return moment.within()
        visible = exp.LTE(this=moment.sql, expression=clock_as(moment.kind, self.rows.clock))
        return exp.And(this=moment.within(), expression=visible)

    def hull(self, timing: Timing, function: str, spans: Iterable[Span]) -> exp.Expr | None:
        """What every row that matters to one of the spans meets, in words that let whole files be passed over."""
        found = self.rows.model.datasets[self.dataset]
        dated = self.date is not None or found.date is not None
        if not dated or (timing != "flow" and not found.snapshot):
            return None
        reaches = [b for span in spans if (b := bounds(timing, function, found.snapshot, span)) is not None]
        if not reaches:
            return None
        moment = self.moment("date")
        out: exp.Expr | None = None
        for lower, upper in _merged(reaches):
            stretch: exp.Expr = exp.LTE(this=moment.sql, expression=moment.near(upper, later=True))
            if lower is not None:
                begun = exp.GTE(this=moment.sql, expression=moment.near(lower, later=False))
                stretch = exp.And(this=begun, expression=stretch)
            out = stretch if out is None else exp.Or(this=out, expression=stretch)
        return out if out is None or not isinstance(out, exp.Or) else exp.Paren(this=out)

    def valid_before(self, bound: str) -> exp.Expr:
        """Valid just before an instant: begun before it, and not ended before it."""
        end = self.moment("to")
        not_over = exp.GTE(this=end.sql, expression=end.bound(bound))
        still = exp.Paren(this=exp.Or(this=end.missing, expression=not_over))
        return exp.And(this=self.moment("from").before(bound), expression=still)

    def at_either_end(self) -> exp.Expr:
        opening, closing = (exp.Paren(this=self.valid_before(b)) for b in ("start", "stop"))
        return exp.Paren(this=exp.Or(this=opening, expression=closing))

    def _during(self) -> exp.Expr:
        """Valid at some time in the span; an interval of no length counts where it stands."""
        start, end = self.moment("from"), self.moment("to")
        outlasts = exp.GT(this=end.sql, expression=end.bound("start"))
        instant = exp.And(
            this=exp.EQ(this=end.sql, expression=start.sql),
            expression=exp.GTE(this=start.sql, expression=start.bound("start")),
        )
        either = exp.Or(
            this=exp.Or(this=end.missing, expression=outlasts), expression=exp.Paren(this=instant)
        )
        return exp.And(this=start.before("stop"), expression=exp.Paren(this=either))

    def _snapshot(self, timing: Timing) -> exp.Expr:
        """Rows of the last snapshot before the span begins (or ends), if it lies within one period of that."""
        moment = self.moment("date")
        bound, reach = ("start", "before") if timing == "opening" else ("stop", "last")
        taken = column(moment.node.name, "snapshots")
        table = exp.Table(this=exp.to_identifier(self.joined.table, quoted=True))
        newest = (
            exp.Select(expressions=[exp.Max(this=taken)])
            .from_(exp.alias_(table, "snapshots", table=True, quoted=True), copy=False)
            .where(exp.LT(this=taken.copy(), expression=moment.bound(bound)), copy=False)
        )
        return exp.And(
            this=exp.EQ(this=moment.sql, expression=exp.Subquery(this=newest)),
            expression=exp.GTE(this=moment.sql, expression=moment.bound(reach)),
        )
