"""Spark SQL, with its session in the calendar's zone and in ANSI mode."""

from __future__ import annotations

from typing import ClassVar

from sqlglot import exp

from cadran.compute.dialects.base import Dialect, call, cast, text, whole
from cadran.compute.dialects.kinds import Kind

_PARTS = {"isoyear": "YEAROFWEEK", "isodow": "DAYOFWEEK_ISO"}


class Spark(Dialect):
    name = "spark"
    title = "Spark"
    filters = True
    skips_nulls = True
    types: ClassVar[dict[Kind, str]] = {
        **Dialect.types, Kind.TEXT: "STRING", Kind.TIME: "TIMESTAMP_NTZ", Kind.INSTANT: "TIMESTAMP",
    }  # fmt: skip

    def as_text(self, node: exp.Expr, kind: Kind) -> exp.Expr:
        return self.to(node, Kind.TEXT) if kind is Kind.DECIMAL else super().as_text(node, kind)

    def later(self, node: exp.Expr, kind: Kind, count: int, unit: str) -> exp.Expr:
        if unit in ("week", "quarter"):
            count, unit = (7 * count, "day") if unit == "week" else (3 * count, "month")
        moment = node if kind is Kind.INSTANT else self.time_of(node, kind)
        interval = exp.Interval(this=text(str(count)), unit=exp.var(unit.upper()))
        return exp.Paren(this=exp.Add(this=moment, expression=interval))

    def days_later(self, node: exp.Expr, days: exp.Expr) -> exp.Expr:
        return call("DATE_ADD", node, cast(days, "INT", self.name))

    def days_between(self, start: exp.Expr, end: exp.Expr) -> exp.Expr:
        return call("DATEDIFF", end, start)

    def seconds_between(self, start: exp.Expr, end: exp.Expr, each: int) -> exp.Expr:
        def units(node: exp.Expr) -> exp.Expr:  # counted from so early that none is negative
            first = self.to(text("0001-01-01 00:00:00"), Kind.TIME)
            seconds = call("TIMESTAMPDIFF", exp.var("SECOND"), first, node)
            return exp.Paren(this=exp.IntDiv(this=seconds, expression=whole(each)))

        return exp.Paren(this=exp.Sub(this=units(end), expression=units(start)))

    def part(self, part: str, node: exp.Expr, kind: Kind) -> exp.Expr:
        found: exp.Expr = exp.Extract(this=exp.var(_PARTS.get(part, part.upper())), expression=node)
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
