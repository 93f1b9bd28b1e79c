"""MariaDB: no FILTER, no grouping sets, no medians; texts compare without regard to case unless told otherwise.

The connection is expected to stand in UTC, and to give text literals the collation that compares bytes: then a TIMESTAMP
is an instant written in UTC. What needs such an instant's local day is not said here, as servers often know no zones.
"""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from sqlglot import exp

from cadran.compute.dialects.base import Dialect, call, cast, grouped, none_of, text, whole
from cadran.compute.dialects.kinds import Kind

_FUNCTIONS = {
    "year": "YEAR", "quarter": "QUARTER", "month": "MONTH", "day": "DAYOFMONTH", "doy": "DAYOFYEAR", "hour": "HOUR",
    "minute": "MINUTE", "second": "SECOND",
}  # fmt: skip


def _plus(node: exp.Expr, count: exp.Expr, unit: str) -> exp.Expr:
    return exp.Paren(this=exp.Add(this=node, expression=exp.Interval(this=count, unit=exp.var(unit.upper()))))


class MariaDB(Dialect):
    name = "mysql"
    title = "MariaDB"
    collation: ClassVar[str] = "utf8mb4_nopad_bin"
    grouping_sets = False
    null_order = False
    values = False
    looks_up_in_copies = True
    straight = True
    searches_sums = False  # "Invalid use of group function", once such a query stands in another
    misfits = "values other than 0 and 1"
    types: ClassVar[dict[Kind, str]] = {
        **Dialect.types, Kind.TEXT: "CHAR", Kind.TIME: "DATETIME(6)", Kind.INSTANT: "DATETIME(6)",
    }  # fmt: skip

    def leaf(self, column: exp.Expr, kind: Kind) -> exp.Expr:
        if kind is Kind.BOOL:
            return exp.Paren(this=exp.NEQ(this=column, expression=whole(0)))
        if kind is not Kind.TEXT:
            return column
        as_utf8 = exp.DataType(this=exp.DType.CHARACTER_SET, kind=exp.var("utf8mb4"))
        return exp.Collate(this=exp.Cast(this=column, to=as_utf8), expression=exp.var(self.collation))

    def misfit(self, column: exp.Expr, kind: Kind) -> exp.Expr | None:
        # A boolean is a TINYINT: a 5 in it is an error to whoever reads it, and would be true here.
        return none_of(column, 0, 1) if kind is Kind.BOOL else None

    def moment(self, value: dt.datetime, kind: Kind) -> exp.Expr:
        return self.to(text(self.writing(value.isoformat(sep=" "), kind)), kind)

    def writing(self, value: str, kind: Kind) -> str:
        if kind is not Kind.INSTANT:
            return value
        return dt.datetime.fromisoformat(value).astimezone(dt.UTC).replace(tzinfo=None).isoformat(sep=" ")

    def _local(self, kind: Kind) -> None:
        if kind is Kind.INSTANT:
            raise self.no("local time of a TIMESTAMP")

    def date_of(self, node: exp.Expr, kind: Kind) -> exp.Expr:
        self._local(kind)
        return super().date_of(node, kind)

    def time_of(self, node: exp.Expr, kind: Kind) -> exp.Expr:
        self._local(kind)
        return super().time_of(node, kind)

    def later(self, node: exp.Expr, kind: Kind, count: int, unit: str) -> exp.Expr:
        if unit not in ("hour", "minute", "second"):
            self._local(kind)
        return _plus(self.to(node, kind) if kind is Kind.INSTANT else self.time_of(node, kind), whole(count) if count >= 0 else exp.Neg(this=whole(-count)), unit)  # fmt: skip

    def days_later(self, node: exp.Expr, days: exp.Expr) -> exp.Expr:
        return _plus(node, exp.Paren(this=days), "day")

    def days_between(self, start: exp.Expr, end: exp.Expr) -> exp.Expr:
        return call("DATEDIFF", end, start)

    def seconds_between(self, start: exp.Expr, end: exp.Expr, each: int) -> exp.Expr:
        def units(node: exp.Expr) -> exp.Expr:  # counted from so early that none is negative
            seconds = call("TIMESTAMPDIFF", exp.var("SECOND"), text("0001-01-01"), node)
            return exp.Paren(this=exp.IntDiv(this=seconds, expression=whole(each)))

        return exp.Paren(this=exp.Sub(this=units(end), expression=units(start)))

    def part(self, part: str, node: exp.Expr, kind: Kind) -> exp.Expr:
        self._local(kind)
        if part in _FUNCTIONS:
            return call(_FUNCTIONS[part], node)
        if part == "week":
            return call("WEEK", node, whole(3))
        if part == "isoyear":
            return exp.Paren(this=exp.IntDiv(this=call("YEARWEEK", node, whole(3)), expression=whole(100)))
        if part == "isodow":
            return exp.Paren(this=exp.Add(this=call("WEEKDAY", node), expression=whole(1)))
        raise self.no(f"extract({part})")

    def truncated(self, unit: str, node: exp.Expr, kind: Kind) -> exp.Expr:
        self._local(kind)
        day = cast(node, "DATE", self.name)
        if unit == "day":
            return self.to(day, Kind.TIME)
        if unit == "week":
            return self.to(_plus(day, exp.Neg(this=call("WEEKDAY", node.copy())), "day"), Kind.TIME)
        if unit == "month":
            back = exp.Paren(this=exp.Sub(this=whole(1), expression=call("DAYOFMONTH", node.copy())))
            return self.to(_plus(day, back, "day"), Kind.TIME)
        first = call("MAKEDATE", call("YEAR", node), whole(1))
        if unit == "year":
            return self.to(first, Kind.TIME)
        if unit == "quarter":
            passed = exp.Paren(this=exp.Sub(this=call("QUARTER", node.copy()), expression=whole(1)))
            return self.to(_plus(first, passed, "quarter"), Kind.TIME)
        raise self.no(f"date_trunc('{unit}')")

    def as_text(self, node: exp.Expr, kind: Kind) -> exp.Expr:
        return self.to(node, Kind.TEXT) if kind is Kind.DECIMAL else super().as_text(node, kind)

    def joined(self, parts: list[exp.Expr]) -> exp.Expr:
        return call("CONCAT", *parts)

    def position(self, node: exp.Expr, part: exp.Expr) -> exp.Expr:
        return call("LOCATE", part, node)

    def any_true(self, condition: exp.Expr) -> exp.Expr:
        return exp.Max(this=grouped(condition))

    def stddev(self, argument: exp.Expr) -> exp.Expr:
        return call("STDDEV_SAMP", argument)
