"""``converted`` without a subquery for each row: the match is joined, at most one to a row.

Where the other dataset's key is unique there is only one row that can match. Elsewhere it is the first one at or after
the row's own date: if that lies beyond the window, so do all others.
"""

from __future__ import annotations

from sqlglot import exp

from cadran.compute.lower import Lowering, both, cast, column, text
from cadran.compute.scanning.rows import Joined
from cadran.compute.scanning.scan import Frame
from cadran.compute.scanning.timing import Meeting
from cadran.formula.measures import Converted, Measure, ref_of

_KEY, _MOMENT = "key", "moment"


def matched(frame: Frame, measure: Measure) -> exp.Expr:
    """Whether a row found its match, which is joined to the frame's rows."""
    other, argument = measure.other, measure.argument
    assert other is not None
    assert argument is not None
    joined = frame.joined
    after = f"{other.dataset}_after_{len(joined.joins)}"
    inner = Joined(frame.rows, other.dataset, frame.tables.final[other.dataset], frame.tables.final)
    here, there = frame.meeting.moment("date"), Meeting(frame.rows, other.dataset, inner).moment("date")
    moment, then = here.sql, there.sql
    if "DATE" in (here.kind, there.kind):
        moment, then = cast(moment, "DATE"), cast(then, "DATE")
    key = frame.lower(argument)
    on = both(
        exp.EQ(this=column(_KEY, after), expression=key),
        exp.GTE(this=column(_MOMENT, after), expression=moment),
    )
    rows = _rows(Lowering(frame.clock, inner.alias)(other.key), then, inner)
    join = exp.Join(
        this=exp.alias_(exp.Subquery(this=rows), after, table=True, quoted=True), side="LEFT", on=on
    )
    if not _unique(frame, other):
        join.set("method", "ASOF")
    joined.joins.append(join)
    end = exp.Add(this=moment.copy(), expression=window_of(other))
    return exp.LTE(this=column(_MOMENT, after), expression=end)


def window_of(other: Converted) -> exp.Expr:
    days, seconds = other.window.days, other.window.seconds
    unit = "DAY" if days or not seconds else "SECOND"
    return exp.Interval(this=text(str(days or seconds)), unit=exp.var(unit))


def _rows(key: exp.Expr, then: exp.Expr, inner: Joined) -> exp.Select:
    """The other dataset's keys and dates; a row without one of them matches nothing."""
    names = {_KEY: key, _MOMENT: then}
    select = inner.select(*(exp.alias_(node.copy(), name, quoted=True) for name, node in names.items()))
    for node in names.values():
        select = select.where(exp.Not(this=exp.Is(this=node.copy(), expression=exp.null())), copy=False)
    return select


def _unique(frame: Frame, other: Converted) -> bool:
    if not isinstance(other.key, exp.Column):
        return False
    path, name = ref_of(other.key)
    return not path and frame.rows.model.datasets[other.dataset].key == (name,)
