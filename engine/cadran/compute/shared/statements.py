"""Small pieces of SQL that the shared statements are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from cadran.compute.lower import both, cast, column
from cadran.compute.lower import number as number_
from cadran.compute.scanning.scan import Scan, dim

_BASE = "base"


def call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


def table(name: str, alias: str) -> exp.Expr:
    """A table of the run's own; of the schema "temp", so that no dataset can take its place."""
    return exp.alias_(exp.table_(name, db="temp", quoted=True), alias, table=True, quoted=True)


def named(nodes: Mapping[str, exp.Expr]) -> list[exp.Expr]:
    return [exp.alias_(node, name, quoted=True) for name, node in nodes.items()]


def grouped(select: exp.Select) -> exp.Select:
    """By everything that is no aggregate."""
    select.set("group", exp.Group(all=True))
    return select


def under_each_other(parts: Sequence[exp.Select]) -> exp.Select:
    """All rows of statements with the same columns."""
    if len(parts) == 1:
        return parts[0]
    out: exp.Expr = parts[0]
    for part in parts[1:]:
        out = exp.Union(this=out, expression=part, distinct=False)
    every = exp.Select(expressions=[exp.Star()])
    return every.from_(exp.alias_(exp.Subquery(this=out), "parts", table=True), copy=False)


@dataclass(frozen=True, slots=True)
class Piece:
    """A table with some of a scan's columns, found by span and segment values; ``zero`` are those that are 0 where it has no row."""

    table: str
    columns: Sequence[str]
    zero: Sequence[str] = ()


def beside(scan: Scan, base: exp.Select, pieces: Sequence[Piece]) -> exp.Select:
    """The base's rows with the columns of the pieces, in the order that scans' tables have."""
    heads = ["span", "segment", *(dim(name) for name in scan.names)]
    of: dict[str, exp.Expr] = {}
    joins = []
    for number, piece in enumerate(pieces):
        alias = f"values_{number}"
        for name in piece.columns:
            found: exp.Expr = column(name, alias)
            if name in piece.zero:
                found = exp.Coalesce(this=found, expressions=[number_(0)])
            of[name] = exp.alias_(found, name, quoted=True)
        on: list[exp.Expr] = [exp.EQ(this=column(h, alias), expression=column(h, _BASE)) for h in heads[:2]]
        on += [exp.NullSafeEQ(this=column(h, alias), expression=column(h, _BASE)) for h in heads[2:]]
        joins.append(exp.Join(this=table(piece.table, alias), side="LEFT", on=both(*on)))
    columns = [f"{letter}{i}" for i in range(len(scan.measures)) for letter in "mn"]
    select = exp.Select(
        expressions=[
            *(column(h, _BASE) for h in [*heads, "rows"]),
            *(of.get(c, column(c, _BASE)) for c in columns),
        ]
    )
    select = select.from_(exp.alias_(exp.Subquery(this=base), _BASE, table=True, quoted=True), copy=False)
    for join in joins:
        select.append("joins", join)
    return select


def some(scan: Scan, counted: exp.Select) -> exp.Select:
    """Counts as a scan's table: where there are any, each is a row behind the value."""
    heads = [column(name) for name in ("span", "segment", *(dim(name) for name in scan.names))]
    counts = [exp.alias_(column("m0"), name, quoted=True) for name in ("rows", "m0", "n0")]
    select = exp.Select(expressions=[*heads, *counts])
    select = select.from_(exp.alias_(exp.Subquery(this=counted), "counted", table=True), copy=False)
    return select.where(exp.GT(this=column("m0"), expression=number_(0)), copy=False)


def big(node: exp.Expr) -> exp.Expr:
    return cast(node, "BIGINT")
