"""How rows meet spans: one join condition for each timing of the language.

In the SQL the spans' table is called ``period``; its bounds are ``start`` and ``stop`` (local time) and ``start_at``
and ``stop_at`` (instants, for columns with a zone).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from cadran.compute.lower import WithZone, clock_as, column
from cadran.compute.rows import Joined, RowsBuilder
from cadran.compute.units import unit_start
from cadran.formula.measures import Timing, ref_of

PERIOD = "period"


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
