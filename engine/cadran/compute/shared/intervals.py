"""Rows that hold from one time to another: reduced by the stretches that they begin and end in.

Whether such a row was valid when a span began or ended, or at any time in it, follows from those two numbers; only
``during`` has to know besides whether an end falls on a boundary, and whether the interval has any length.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlglot import exp

from cadran.compute.lower import WithZone, cast, column
from cadran.compute.scanning.entities import needs_two_steps
from cadran.compute.scanning.scan import Scan, dim
from cadran.compute.scanning.timing import PERIOD, Moment
from cadran.compute.shared.days import Days
from cadran.compute.shared.parts import additive
from cadran.compute.shared.reduce import Cells, Reduction
from cadran.compute.shared.rollup import PERIOD_COLUMNS, period_rows, rolled_up
from cadran.compute.shared.run import Run
from cadran.compute.shared.statements import named
from cadran.compute.shared.timeline import Timeline, Unshareable
from cadran.formula.measures import Measure, Timing

_BEGUN, _OVER, _ON_BOUND, _INSTANT = "begun", "over", "on_bound", "instant"
_MOST_STRETCHES = 150


def shares(run: Run, scan: Scan) -> bool:
    return all(not needs_two_steps(m) and additive(m, run.kind(m)) for m in scan.measures)


class Lives(Reduction):
    """The rows of a dataset, each with the stretches that it begins and ends in."""

    def __init__(
        self, run: Run, name: str, like: Scan, measures: Iterable[Measure], segments: Sequence[str]
    ) -> None:
        super().__init__(run.builder, name, like, list(measures), segments, None)
        self.start, self.end = self.meeting.moment("from"), self.meeting.moment("to")
        self.tables_of: dict[bool, Days] = {}
        self.during = False  # whether a scan asks for what ``during`` needs

    def _days(self, moment: Moment) -> Days:
        return self.tables_of[moment.kind == WithZone]

    def keys(self) -> list[exp.Expr]:
        start, end = self.start, self.end
        keys = {
            _BEGUN: self._days(start).stretch(start.sql, _BEGUN),
            _OVER: self._days(end).stretch(end.sql, _OVER),
        }
        if self.during:
            keys[_ON_BOUND] = exp.EQ(this=end.sql, expression=self._days(end).bound(end.sql, _OVER))
            keys[_INSTANT] = exp.EQ(this=end.sql, expression=start.sql)
        return [*named(keys), *named({dim(name): node.copy() for name, node in self.raw.items()})]

    def select(self, expressions: Iterable[exp.Expr], where: exp.Expr | None = None) -> exp.Select:
        select = self.joined.select(*expressions)
        for moment, alias in ((self.start, _BEGUN), (self.end, _OVER)):
            select.append("joins", self._days(moment).join(moment.sql, moment.kind, alias, side="LEFT"))
        return select.where(where, copy=False) if where is not None else select

    def firsts(self) -> exp.Select:
        """The first day of any beginning, and of any end."""
        days = [exp.Min(this=cast(moment.sql, "DATE")) for moment in (self.start, self.end)]
        return self.tables.attach(self.joined.select(*days))


class IntervalGroup:
    """Scans over the intervals of one dataset, of any timing and grain."""

    def __init__(self, run: Run, scans: Sequence[Scan]) -> None:
        self.run, self.scans, self.dataset = run, scans, scans[0].dataset
        spans = list(dict.fromkeys(span for scan in scans for span in scan.spans))
        self.local, self.zoned = (
            Timeline(kind, spans, run.calendar, history=True) for kind in ("TIMESTAMP", WithZone)
        )
        if len(self.local.bounds) != len(self.zoned.bounds) or self.local.count > _MOST_STRETCHES:
            raise Unshareable
        measures = list(dict.fromkeys(m for scan in scans for m in scan.measures))
        segments = list(dict.fromkeys(n for scan in scans for n in scan.names))
        self.lives = Lives(run, run.name(f"{self.dataset}_cells"), scans[0], measures, segments)
        self.lives.during = any(scan.timing == "during" for scan in scans)
        self.cells = Cells(self.lives)
        self.wholes = {measure: self.cells.add(measure, run.kind(measure)) for measure in measures}

    def prepare(self) -> None:
        session = self.run.session
        found = [day for day in session.rows(self.lives.firsts())[0] if day is not None]
        last = max(span.end for scan in self.scans for span in scan.spans)
        for zoned in {m.kind == WithZone for m in (self.lives.start, self.lives.end)}:
            timeline = self.zoned if zoned else self.local
            days = Days(
                self.run.name(f"{self.dataset}_days"),
                timeline,
                min([*found, last]),
                last,
                bounds=self.lives.during,
            )
            days.make(session)
            self.lives.tables_of[zoned] = days
        session.create(self.cells.name, self.cells.select())

    def make(self, scan: Scan) -> None:
        self.run.session.fill(scan.spans_table, PERIOD_COLUMNS, period_rows(scan, self.local, {}))
        found = {i: self.wholes[measure] for i, measure in enumerate(scan.measures)}
        self.run.session.create(scan.name, rolled_up(scan, self.cells.name, found, _belongs(scan.timing)))


def _belongs(timing: Timing) -> exp.Expr:
    """Which cells belong to a span, by the numbers of its first and last stretch."""
    begun, over = column(_BEGUN), column(_OVER)
    first, last = column("first", PERIOD), column("last", PERIOD)
    before = exp.LT(this=begun, expression=first)
    by_the_end = exp.LTE(this=begun, expression=last)
    match timing:
        case "opening":
            return exp.And(this=before, expression=_or_missing(over, exp.GTE(this=over, expression=first)))
        case "closing":
            return exp.And(this=by_the_end, expression=_or_missing(over, exp.GT(this=over, expression=last)))
        case "started":
            return exp.Between(this=begun, low=first, high=last)
        case "ended":
            return exp.Between(this=over, low=first, high=last)
        case "gone":
            return exp.And(this=before, expression=exp.Between(this=over, low=first.copy(), high=last))
        case _:
            outlasts = exp.And(
                this=exp.GTE(this=over, expression=first),
                expression=exp.Not(
                    this=exp.Paren(
                        this=exp.And(
                            this=exp.EQ(this=over.copy(), expression=first.copy()),
                            expression=column(_ON_BOUND),
                        )
                    )
                ),
            )
            there = exp.And(
                this=column(_INSTANT), expression=exp.GTE(this=begun.copy(), expression=first.copy())
            )
            either = exp.Or(this=exp.Paren(this=outlasts), expression=exp.Paren(this=there))
            return exp.And(this=by_the_end, expression=_or_missing(over, either))


def _or_missing(over: exp.Expr, condition: exp.Expr) -> exp.Expr:
    missing = exp.Is(this=over.copy(), expression=exp.null())
    return exp.Paren(this=exp.Or(this=missing, expression=condition))
