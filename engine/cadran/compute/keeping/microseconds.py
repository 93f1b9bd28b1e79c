"""Dates, timestamps and instants as one kind of number, in SQL and here, so that their ranges can be compared and kept."""

from __future__ import annotations

import datetime as dt

from sqlglot import exp

from cadran.compute.lower import cast, number, text
from cadran.compute.spans import LATEST

_EPOCH = dt.datetime(1970, 1, 1)
LOWEST = -(2**62)  # of a date before all others

Range = tuple[int, int] | None  # the first and the last of some rows' dates; None where there is none at all


def microseconds(node: exp.Expr) -> exp.Expr:
    """A date, timestamp or instant since 1970. One that no clock ever reaches is NULL: it stands for "never"."""
    return exp.Case(ifs=[exp.If(this=_reached(node), true=_counted(node))])


def extremes(node: exp.Expr) -> tuple[exp.Expr, exp.Expr]:
    """The least and the greatest of :func:`microseconds`, worked out of the least and the greatest date: these are cheap."""
    reached = exp.Where(this=_reached(node))
    least, greatest = (
        exp.Filter(this=which(this=node.copy()), expression=reached.copy()) for which in (exp.Min, exp.Max)
    )
    return microseconds(least), microseconds(greatest)


def _reached(node: exp.Expr) -> exp.Expr:
    return exp.LT(this=node.copy(), expression=cast(text(LATEST.isoformat()), "DATE"))


def _counted(node: exp.Expr) -> exp.Expr:
    finite = exp.Anonymous(this="isfinite", expressions=[node.copy()])
    counted = exp.Anonymous(this="epoch_us", expressions=[node.copy()])
    return exp.Case(ifs=[exp.If(this=finite, true=counted)], default=number(LOWEST))


def since_epoch(moment: dt.datetime) -> int:
    """The same of a Python time, local or with a zone."""
    naive = moment.astimezone(dt.UTC).replace(tzinfo=None) if moment.tzinfo else moment
    return (naive - _EPOCH) // dt.timedelta(microseconds=1)
