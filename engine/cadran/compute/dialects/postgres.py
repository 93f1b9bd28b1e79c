"""PostgreSQL."""

from __future__ import annotations

from typing import ClassVar

from sqlglot import exp

from cadran.compute.dialects.base import Dialect, call, cast, grouped, text, whole
from cadran.compute.dialects.kinds import Kind


class Postgres(Dialect):
    name = "postgres"
    title = "PostgreSQL"
    filters = True
    skips_nulls = True
    interval_frames = True
    types: ClassVar[dict[Kind, str]] = {
        **Dialect.types, Kind.TEXT: "TEXT", Kind.DOUBLE: "DOUBLE PRECISION",
    }  # fmt: skip

    def leaf(self, column: exp.Expr, kind: Kind) -> exp.Expr:
        # As text, since char(n) and citext compare otherwise; in the collation that compares bytes.
        if kind is not Kind.TEXT:
            return column
        return exp.Collate(this=self.to(column, Kind.TEXT), expression=exp.to_identifier("C", quoted=True))

    def as_text(self, node: exp.Expr, kind: Kind) -> exp.Expr:
        return self.to(node, Kind.TEXT) if kind is Kind.DECIMAL else super().as_text(node, kind)

    def later(self, node: exp.Expr, kind: Kind, count: int, unit: str) -> exp.Expr:
        return exp.Paren(this=exp.Add(this=grouped(node), expression=exp.Interval(this=text(str(count)), unit=exp.var(unit))))  # fmt: skip

    def days_later(self, node: exp.Expr, days: exp.Expr) -> exp.Expr:
        return exp.Paren(this=exp.Add(this=grouped(node), expression=cast(days, "INTEGER", self.name)))

    def days_between(self, start: exp.Expr, end: exp.Expr) -> exp.Expr:
        return exp.Paren(this=exp.Sub(this=grouped(end), expression=grouped(start)))

    def seconds_between(self, start: exp.Expr, end: exp.Expr, each: int) -> exp.Expr:
        def units(node: exp.Expr) -> exp.Expr:
            epoch = exp.Extract(this=exp.var("EPOCH"), expression=node)
            return exp.Floor(this=exp.Div(this=epoch, expression=whole(each), typed=True, safe=False))

        return self.to(exp.Sub(this=units(end), expression=units(start)), Kind.INT)

    def part(self, part: str, node: exp.Expr, kind: Kind) -> exp.Expr:
        found: exp.Expr = exp.Extract(this=exp.var(part.upper()), expression=node)
        return self.to(exp.Floor(this=found) if part == "second" else found, Kind.INT)

    def truncated(self, unit: str, node: exp.Expr, kind: Kind) -> exp.Expr:
        return call("DATE_TRUNC", text(unit), self.time_of(node, kind))

    def position(self, node: exp.Expr, part: exp.Expr) -> exp.Expr:
        return call("STRPOS", node, part)

    def quantile(self, argument: exp.Expr, share: str, where: exp.Expr | None) -> exp.Expr:
        order = exp.Order(expressions=[exp.Ordered(this=argument)])
        within: exp.Expr = exp.WithinGroup(
            this=call("PERCENTILE_CONT", exp.Literal.number(share)), expression=order
        )
        return exp.Filter(this=within, expression=exp.Where(this=where)) if where is not None else within

    def stddev(self, argument: exp.Expr) -> exp.Expr:
        return call("STDDEV_SAMP", argument)
