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
    finite = exp.Anonymous(this="isfinite", expressions=[node.copy()])
    counted = exp.Anonymous(this="epoch_us", expressions=[node.copy()])
    known = exp.Case(ifs=[exp.If(this=finite, true=counted)], default=number(LOWEST))
    reached = exp.LT(this=node, expression=cast(text(LATEST.isoformat()), "DATE"))
    return exp.Case(ifs=[exp.If(this=reached, true=known)])


def since_epoch(moment: dt.datetime) -> int:
    """The same of a Python time, local or with a zone."""
    naive = moment.astimezone(dt.UTC).replace(tzinfo=None) if moment.tzinfo else moment
    return (naive - _EPOCH) // dt.timedelta(microseconds=1)
