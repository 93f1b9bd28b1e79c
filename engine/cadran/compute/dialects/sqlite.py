"""SQLite: dates are texts in ISO's writing, numbers with a point are floats, texts of LIKE are compared without case.

Whether the stored values are of their column's type, and dates all written alike, is verified before anything is
computed there (``compute/placing/remote.py``): a column of SQLite may hold anything.
"""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from sqlglot import exp

from cadran.compute.dialects.base import Dialect, call, grouped, none_of, text, whole
from cadran.compute.dialects.kinds import TIMES, Kind

_FORMATS = {"year": "%Y", "month": "%m", "day": "%d", "hour": "%H", "minute": "%M", "second": "%S", "doy": "%j"}  # fmt: skip
_STARTS = {"year": "%Y-01-01 00:00:00", "month": "%Y-%m-01 00:00:00", "day": "%Y-%m-%d 00:00:00"}
_STORED = {Kind.INT: ("integer",), Kind.DOUBLE: ("real", "integer"), Kind.BOOL: ("integer",)}  # else text
_DAY = "[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]"
_WRITTEN = {Kind.DATE: _DAY, Kind.TIME: f"{_DAY} [0-2][0-9]:[0-5][0-9]:[0-5][0-9]"}
_SECONDS_BEFORE_1970 = 62_135_596_800  # since 0001-01-01, so that none is negative


def _minus(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    return exp.Paren(this=exp.Sub(this=left, expression=right))


class SQLite(Dialect):
    name = "sqlite"
    title = "SQLite"
    home = ("main",)
    filters = True
    grouping_sets = False
    decimals = False
    misfits = "values of another type, or written in several ways"
    types: ClassVar[dict[Kind, str]] = {
        Kind.INT: "INTEGER", Kind.DOUBLE: "REAL", Kind.TEXT: "TEXT", Kind.BOOL: "INTEGER", Kind.DECIMAL: "REAL",
    }  # fmt: skip

    def to(self, node: exp.Expr, kind: Kind) -> exp.Expr:
        if kind is Kind.INSTANT:
            raise self.no("instant")
        return node if kind in TIMES else super().to(node, kind)

    def result(self, node: exp.Expr, kind: Kind, duckdb_type: str) -> exp.Expr:
        return node

    def leaf(self, column: exp.Expr, kind: Kind) -> exp.Expr:
        if kind is Kind.TEXT:  # an expression has the collation that compares bytes, whatever the column's is
            return exp.Paren(this=exp.DPipe(this=column, expression=text("")))
        if kind is Kind.BOOL:
            return exp.Paren(this=exp.NEQ(this=column, expression=whole(0)))
        return self.to(column, Kind.DOUBLE) if kind is Kind.DOUBLE else column

    def misfit(self, column: exp.Expr, kind: Kind) -> exp.Expr | None:
        if kind is Kind.INSTANT:
            raise self.no("instant")
        kinds = [text(k) for k in (*_STORED.get(kind, ("text",)), "null")]
        wrong: exp.Expr = exp.Not(this=exp.In(this=call("TYPEOF", column), expressions=kinds))
        if kind is Kind.BOOL:
            return exp.Or(this=wrong, expression=none_of(column.copy(), 0, 1))
        if kind in _WRITTEN:
            written = exp.Glob(this=column.copy(), expression=text(_WRITTEN[kind]))
            return exp.Or(this=wrong, expression=exp.Not(this=exp.Paren(this=written)))
        return wrong

    def like(self, value: exp.Expr, pattern: exp.Expr) -> exp.Expr:
        kept = "".join(f"[{c}]" if c in "*?[" else c for c in pattern.name)
        return exp.Glob(this=value, expression=text(kept.replace("%", "*").replace("_", "?")))

    # --- times ------------------------------------------------------------------------------------------------------------

    def day(self, value: dt.date) -> exp.Expr:
        return text(value.isoformat())

    def moment(self, value: dt.datetime, kind: Kind) -> exp.Expr:
        return self.to(text(value.isoformat(sep=" ")), kind)

    def date_of(self, node: exp.Expr, kind: Kind) -> exp.Expr:
        return node if kind is Kind.DATE else call("SUBSTR", self.to(node, kind), whole(1), whole(10))

    def time_of(self, node: exp.Expr, kind: Kind) -> exp.Expr:
        if kind is Kind.DATE:
            return exp.Paren(this=exp.DPipe(this=grouped(node), expression=text(" 00:00:00")))
        return self.to(node, kind)

    def later(self, node: exp.Expr, kind: Kind, count: int, unit: str) -> exp.Expr:
        if unit in ("month", "quarter", "year"):
            raise self.no(f"interval of {unit}s")
        count, unit = (7 * count, "day") if unit == "week" else (count, unit)
        return call("DATETIME", self.time_of(node, kind), text(f"{count:+d} {unit}s"))

    def days_later(self, node: exp.Expr, days: exp.Expr) -> exp.Expr:
        return call("DATE", node, exp.DPipe(this=grouped(days), expression=text(" days")))

    def days_between(self, start: exp.Expr, end: exp.Expr) -> exp.Expr:
        return self.to(_minus(call("JULIANDAY", end), call("JULIANDAY", start)), Kind.INT)

    def seconds_between(self, start: exp.Expr, end: exp.Expr, each: int) -> exp.Expr:
        def units(node: exp.Expr) -> exp.Expr:
            seconds = self.to(call("STRFTIME", text("%s"), node), Kind.INT)
            since = exp.Paren(this=exp.Add(this=seconds, expression=whole(_SECONDS_BEFORE_1970)))
            return exp.Paren(this=exp.Div(this=since, expression=whole(each), typed=True, safe=True))

        return _minus(units(end), units(start))

    def part(self, part: str, node: exp.Expr, kind: Kind) -> exp.Expr:
        if part == "isodow":
            return exp.Paren(this=exp.Add(this=self._since_monday(node), expression=whole(1)))
        if part == "quarter":
            month = self.part("month", node, kind)
            later = exp.Paren(this=exp.Add(this=month, expression=whole(2)))
            return exp.Paren(this=exp.Div(this=later, expression=whole(3), typed=True, safe=True))
        if part not in _FORMATS:
            raise self.no(f"extract({part})")
        return self.to(call("STRFTIME", text(_FORMATS[part]), self.to(node, kind)), Kind.INT)

    def _since_monday(self, node: exp.Expr) -> exp.Expr:
        since_sunday = self.to(call("STRFTIME", text("%w"), node), Kind.INT)
        shifted = exp.Paren(this=exp.Add(this=since_sunday, expression=whole(6)))
        return exp.Paren(this=exp.Mod(this=shifted, expression=whole(7)))

    def truncated(self, unit: str, node: exp.Expr, kind: Kind) -> exp.Expr:
        node = self.to(node, kind)
        if unit in _STARTS:
            return call("STRFTIME", text(_STARTS[unit]), node)
        if unit == "week":
            back = exp.DPipe(this=exp.Paren(this=exp.Neg(this=self._since_monday(node))), expression=text(" days"))  # fmt: skip
            return call("DATETIME", call("DATE", node.copy()), back)
        raise self.no(f"date_trunc('{unit}')")

    # --- texts and aggregates -------------------------------------------------------------------------------------------------

    def length(self, node: exp.Expr) -> exp.Expr:
        return call("LENGTH", node)

    def substring(self, node: exp.Expr, start: int, length: exp.Expr | None) -> exp.Expr:
        return call("SUBSTR", node, whole(start), *([length] if length is not None else []))

    def right(self, node: exp.Expr, count: int) -> exp.Expr:
        return call("SUBSTR", node, exp.Neg(this=whole(count)))

    def position(self, node: exp.Expr, part: exp.Expr) -> exp.Expr:
        return call("INSTR", node, part)

    def any_true(self, condition: exp.Expr) -> exp.Expr:
        return exp.Max(this=grouped(condition))
