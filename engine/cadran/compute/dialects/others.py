"""Dialects that no test of ours runs against a server: what sqlglot writes for them, once a team has asked for it.

The functions are left to sqlglot's knowledge of each dialect. Nothing is known to be wrong, and nothing is proven:
``pushdown: unverified`` is what a source has to say, and every output shows it.
"""

from __future__ import annotations

from sqlglot import exp

from cadran.compute.dialects.base import Dialect, call, text
from cadran.compute.dialects.kinds import Kind

TITLES = {
    "athena": "Athena", "bigquery": "BigQuery", "clickhouse": "ClickHouse", "databricks": "Databricks", "mysql": "MySQL",
    "oracle": "Oracle", "postgres": "PostgreSQL's kin", "redshift": "Redshift", "snowflake": "Snowflake",
    "teradata": "Teradata", "trino": "Trino", "tsql": "SQL Server",
}  # fmt: skip


class Other(Dialect):
    """Any dialect of sqlglot's."""

    def __init__(self, name: str) -> None:
        self.name, self.title = name, TITLES.get(name, name)  # type: ignore[misc]

    def to(self, node: exp.Expr, kind: Kind) -> exp.Expr:
        return exp.Cast(this=node, to=exp.DataType.build(self.types[kind], dialect="duckdb"))

    def result(self, node: exp.Expr, kind: Kind, duckdb_type: str) -> exp.Expr:
        wanted = "DECIMAL(38, 0)" if duckdb_type == "HUGEINT" else duckdb_type
        exact = wanted.startswith("DECIMAL") or kind in (Kind.INT, Kind.DOUBLE)
        return exp.Cast(this=node, to=exp.DataType.build(wanted, dialect="duckdb")) if exact else node

    def later(self, node: exp.Expr, kind: Kind, count: int, unit: str) -> exp.Expr:
        interval = exp.Interval(this=text(str(count)), unit=exp.var(unit.upper()))
        return exp.Add(this=self.time_of(node, kind) if kind is Kind.DATE else node, expression=interval)

    def days_later(self, node: exp.Expr, days: exp.Expr) -> exp.Expr:
        return exp.DateAdd(this=node, expression=days, unit=exp.var("DAY"))

    def days_between(self, start: exp.Expr, end: exp.Expr) -> exp.Expr:
        return exp.DateDiff(this=end, expression=start, unit=exp.var("DAY"))

    def part(self, part: str, node: exp.Expr, kind: Kind) -> exp.Expr:
        return exp.Extract(this=exp.var(part.upper()), expression=node)

    def truncated(self, unit: str, node: exp.Expr, kind: Kind) -> exp.Expr:
        return exp.TimestampTrunc(this=self.time_of(node, kind), unit=exp.var(unit.upper()))

    def length(self, node: exp.Expr) -> exp.Expr:
        return exp.Length(this=node)

    def substring(self, node: exp.Expr, start: int, length: exp.Expr | None) -> exp.Expr:
        return exp.Substring(this=node, start=exp.Literal.number(start), length=length)

    def position(self, node: exp.Expr, part: exp.Expr) -> exp.Expr:
        return exp.StrPosition(this=node, substr=part)

    def any_true(self, condition: exp.Expr) -> exp.Expr:
        flag = exp.Case(
            ifs=[exp.If(this=condition, true=exp.Literal.number(1))], default=exp.Literal.number(0)
        )
        return exp.EQ(this=exp.Max(this=flag), expression=exp.Literal.number(1))

    def quantile(self, argument: exp.Expr, share: str, where: exp.Expr | None) -> exp.Expr:
        if where is not None:
            argument = exp.Case(ifs=[exp.If(this=where, true=argument)])
        order = exp.Order(expressions=[exp.Ordered(this=argument)])
        return exp.WithinGroup(this=exp.PercentileCont(this=exp.Literal.number(share)), expression=order)

    def stddev(self, argument: exp.Expr) -> exp.Expr:
        return call("STDDEV_SAMP", argument)
