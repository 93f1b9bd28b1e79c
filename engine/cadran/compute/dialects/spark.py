"""Spark SQL, with its session in the calendar's zone and in ANSI mode."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from sqlglot import exp

from cadran.compute.dialects.base import Dialect, call, cast, text, whole
from cadran.compute.dialects.kinds import Kind

_PARTS = {
    "year": "YEAR", "quarter": "QUARTER", "month": "MONTH", "week": "WEEK", "day": "DAY", "doy": "DOY", "hour": "HOUR",
    "minute": "MINUTE", "second": "SECOND", "isoyear": "YEAROFWEEK", "isodow": "DAYOFWEEK_ISO", "dow": "DAYOFWEEK",
}  # fmt: skip
_FIRST = dt.date(1, 1, 1)
_SECONDS = {"hour": 3600, "minute": 60, "second": 1}


class Spark(Dialect):
    name = "spark"
    title = "Spark"
    filters = True
    skips_nulls = True
    scalars = (
        False  # one that rests on the row around it is refused outside of filters, aggregates and projections
    )
    types: ClassVar[dict[Kind, str]] = {
        **Dialect.types, Kind.TEXT: "STRING", Kind.TIME: "TIMESTAMP_NTZ", Kind.INSTANT: "TIMESTAMP",
    }  # fmt: skip

    def operand(self, node: exp.Expr) -> exp.Expr:
        # Spark multiplies integers of four bytes in four bytes, and fails where the product needs more.
        done = (exp.Literal, exp.Cast, exp.Add, exp.Sub, exp.Mul)
        return node if isinstance(node.unnest(), done) else self.to(node, Kind.INT)

    def as_text(self, node: exp.Expr, kind: Kind) -> exp.Expr:
        return self.to(node, Kind.TEXT) if kind is Kind.DECIMAL else super().as_text(node, kind)

    def later(self, node: exp.Expr, kind: Kind, count: int, unit: str) -> exp.Expr:
        if unit in ("week", "quarter"):
            count, unit = (7 * count, "day") if unit == "week" else (3 * count, "month")
        if kind is Kind.INSTANT and unit in _SECONDS:
            # Not as an interval: of 24 hours Spark makes a day of the calendar, which may have 23 or 25.
            micros = exp.Add(
                this=call("UNIX_MICROS", node), expression=whole(count * _SECONDS[unit] * 1_000_000)
            )
            return call("TIMESTAMP_MICROS", micros)
        moment = node if kind is Kind.INSTANT else self.time_of(node, kind)
        interval = exp.Interval(this=text(str(count)), unit=exp.var(unit.upper()))
        return exp.Paren(this=exp.Add(this=moment, expression=interval))

    def days_later(self, node: exp.Expr, days: exp.Expr) -> exp.Expr:
        return call("DATE_ADD", node, cast(days, "INT", self.name))

    def days_between(self, start: exp.Expr, end: exp.Expr) -> exp.Expr:
        return call("DATEDIFF", end, start)

    def seconds_between(self, start: exp.Expr, end: exp.Expr, each: int) -> exp.Expr:
        # TIMESTAMPDIFF would take local times for instants, and skip the hour that summer time skips.
        def units(node: exp.Expr) -> exp.Expr:
            days = call(
                "DATEDIFF", self.to(node, Kind.DATE), self.day(_FIRST)
            )  # from so early that none is negative
            total: exp.Expr = exp.Mul(this=self.to(days, Kind.INT), expression=whole(86400))
            for part, size in _SECONDS.items():
                seconds = exp.Mul(this=self.part(part, node.copy(), Kind.TIME), expression=whole(size))
                total = exp.Add(this=total, expression=seconds)
            return exp.Paren(this=exp.IntDiv(this=exp.Paren(this=total), expression=whole(each)))

        return exp.Paren(this=exp.Sub(this=units(end), expression=units(start)))

    def part(self, part: str, node: exp.Expr, kind: Kind) -> exp.Expr:
        if part not in _PARTS:
            raise self.no(f"extract({part})")
        found: exp.Expr = exp.Extract(this=exp.var(_PARTS[part]), expression=node)
        if part == "dow":  # Sunday is 0 in DuckDB and 1 here
            return exp.Paren(this=exp.Sub(this=self.to(found, Kind.INT), expression=whole(1)))
        return self.to(exp.Floor(this=found) if part == "second" else found, Kind.INT)

    def truncated(self, unit: str, node: exp.Expr, kind: Kind) -> exp.Expr:
        day = self.date_of(node, kind)
        if unit in ("year", "quarter", "month", "week"):
            day = call("TRUNC", day, text(unit.upper()))
        elif unit != "day":
            raise self.no(f"date_trunc('{unit}')")
        return self.to(day, Kind.TIME)

    def position(self, node: exp.Expr, part: exp.Expr) -> exp.Expr:
        return call("LOCATE", part, node)

    def quantile(self, argument: exp.Expr, share: str, where: exp.Expr | None) -> exp.Expr:
        found: exp.Expr = call("PERCENTILE", argument, exp.Literal.number(share))
        return exp.Filter(this=found, expression=exp.Where(this=where)) if where is not None else found

    def stddev(self, argument: exp.Expr) -> exp.Expr:
        return call("STDDEV_SAMP", argument)
