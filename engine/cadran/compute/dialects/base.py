"""What a dialect has and how it says it: facts and small pieces of SQL. A piece that is not here cannot be said.

Each method gets translated operands and their kinds, and gives SQL with DuckDB's meaning, or raises
:class:`Unsupported`; then the rows are pulled and the engine's own DuckDB computes. This class holds what standard
SQL says; a subclass is one family of servers, and is held to DuckDB's answers by the differential tests.
"""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from sqlglot import exp

from cadran.compute.dialects.kinds import Kind, Unsupported


def call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


def cast(node: exp.Expr, to: str, dialect: str) -> exp.Expr:
    return exp.Cast(this=node, to=exp.DataType.build(to, dialect=dialect, udt=True))


def text(value: str) -> exp.Expr:
    return exp.Literal.string(value)


def whole(value: int) -> exp.Expr:
    return exp.Literal.number(value)


def grouped(node: exp.Expr) -> exp.Expr:
    """In parentheses where it is more than a name, a literal or a call."""
    return exp.Paren(this=node) if isinstance(node, (exp.Binary, exp.Not, exp.Neg, exp.Unary)) and not isinstance(node, exp.Paren) else node  # fmt: skip


def none_of(node: exp.Expr, *values: int) -> exp.Expr:
    return exp.Not(this=exp.In(this=node, expressions=[whole(v) for v in values]))


class Dialect:
    """Standard SQL. ``name`` is sqlglot's; ``types`` are the casts that there are."""

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    instants: bool = True  # an instant's local time is the calendar's
    home: ClassVar[tuple[str, ...]] = ()  # the schema of tables that are named without one
    filters: ClassVar[bool] = False  # aggregates may have a FILTER (WHERE …)
    grouping_sets: ClassVar[bool] = True
    null_order: ClassVar[bool] = True  # NULLS LAST can be said
    values: ClassVar[bool] = True  # VALUES can stand for a query
    looks_up_in_copies: ClassVar[bool] = (
        False  # joins by a computed column are slow unless the table is copied first
    )
    straight: ClassVar[bool] = (
        False  # joins are made in another order than they are written in, unless told otherwise
    )
    searches_sums: ClassVar[bool] = (
        True  # EXISTS may look into a step that has aggregates, inside of an aggregate
    )
    decimals: ClassVar[bool] = True  # exact decimals are computed exactly
    skips_nulls: ClassVar[bool] = False  # greatest and least pass NULLs over
    interval_frames: ClassVar[bool] = False
    scalars: ClassVar[bool] = True  # a subquery can stand for a value wherever an expression can
    types: ClassVar[dict[Kind, str]] = {
        Kind.INT: "BIGINT", Kind.DOUBLE: "DOUBLE", Kind.TEXT: "VARCHAR", Kind.DATE: "DATE", Kind.TIME: "TIMESTAMP",
        Kind.INSTANT: "TIMESTAMPTZ", Kind.BOOL: "BOOLEAN",
    }  # fmt: skip

    def no(self, what: str) -> Unsupported:
        return Unsupported(f"{self.title} has no {what} of the same meaning")

    def to(self, node: exp.Expr, kind: Kind) -> exp.Expr:
        """A cast between kinds that are alike."""
        return cast(node, self.types[kind], self.name)

    def result(self, node: exp.Expr, kind: Kind, duckdb_type: str) -> exp.Expr:
        """A column of the answer in the type that the engine expects."""
        if duckdb_type == "HUGEINT" or duckdb_type.startswith("DECIMAL"):
            return cast(node, "DECIMAL(38, 0)" if duckdb_type == "HUGEINT" else duckdb_type, self.name)
        return self.to(node, kind) if kind in (Kind.INT, Kind.DOUBLE) else node

    def writing(self, value: str, kind: Kind) -> str:
        """How a moment of the engine's own tables is written into a statement, as text."""
        return value

    def written(self, node: exp.Expr, kind: Kind) -> exp.Expr:
        """Such a text read again."""
        return self.to(node, kind)

    # --- rows of the source -------------------------------------------------------------------------------------------

    def leaf(self, column: exp.Expr, kind: Kind) -> exp.Expr:
        """A stored column, such that texts compare byte by byte from here on."""
        return column

    misfits: ClassVar[str] = ""  # what a column holds that has such values, for ``explain``

    def misfit(self, column: exp.Expr, kind: Kind) -> exp.Expr | None:
        """Whether a stored value is none of its column's type, which is an error to whoever pulls it; None where the
        server lets no such value in. Tables that hold one are pulled, before anything is computed of them."""
        return None

    def operand(self, node: exp.Expr) -> exp.Expr:
        """A whole number that is added, subtracted, multiplied or turned round: in eight bytes."""
        return node

    # --- comparing ------------------------------------------------------------------------------------------------------

    def ordered(self, node: exp.Expr, kind: Kind) -> exp.Expr:
        """An operand of ``<`` or an ORDER BY."""
        return node

    def same(self, left: exp.Expr, right: exp.Expr) -> exp.Expr:
        """Equal, NULL being a value like others."""
        return exp.NullSafeEQ(this=left, expression=right)

    def like(self, value: exp.Expr, pattern: exp.Expr) -> exp.Expr:
        return exp.Like(this=value, expression=pattern)

    # --- times ------------------------------------------------------------------------------------------------------------

    def day(self, value: dt.date) -> exp.Expr:
        return self.to(text(value.isoformat()), Kind.DATE)

    def moment(self, value: dt.datetime, kind: Kind) -> exp.Expr:
        """A literal; an instant has its offset."""
        return self.to(text(value.isoformat(sep=" ")), kind)

    def date_of(self, node: exp.Expr, kind: Kind) -> exp.Expr:
        """The local date of a moment."""
        return node if kind is Kind.DATE else self.to(node, Kind.DATE)

    def time_of(self, node: exp.Expr, kind: Kind) -> exp.Expr:
        """A date's midnight, an instant's local time."""
        return node if kind is Kind.TIME else self.to(node, Kind.TIME)

    def later(self, node: exp.Expr, kind: Kind, count: int, unit: str) -> exp.Expr:
        """A moment moved by an interval: a date becomes a timestamp."""
        raise self.no("interval")

    def days_later(self, node: exp.Expr, days: exp.Expr) -> exp.Expr:
        """A date some days later, a date."""
        raise self.no("date + number")

    def days_between(self, start: exp.Expr, end: exp.Expr) -> exp.Expr:
        """Days from one date to another, a whole number."""
        raise self.no("date_diff")

    def seconds_between(self, start: exp.Expr, end: exp.Expr, each: int) -> exp.Expr:
        """Boundaries of a unit of so many seconds between two local times."""
        raise self.no("date_diff in hours, minutes or seconds")

    def part(self, part: str, node: exp.Expr, kind: Kind) -> exp.Expr:
        """A part of a moment, a whole number."""
        raise self.no(f"extract({part})")

    def truncated(self, unit: str, node: exp.Expr, kind: Kind) -> exp.Expr:
        """A timestamp: the unit's first instant."""
        raise self.no(f"date_trunc('{unit}')")

    # --- texts ------------------------------------------------------------------------------------------------------------

    def as_text(self, node: exp.Expr, kind: Kind) -> exp.Expr:
        """As DuckDB writes it."""
        if kind is Kind.TEXT:
            return node
        if kind is Kind.BOOL:
            ifs = [exp.If(this=node, true=text("true")), exp.If(this=exp.Not(this=grouped(node.copy())), true=text("false"))]  # fmt: skip
            return exp.Case(ifs=ifs)
        if kind in (Kind.INT, Kind.DATE):
            return self.to(node, Kind.TEXT)
        raise self.no(f"text for {kind}")

    def joined(self, parts: list[exp.Expr]) -> exp.Expr:
        """Texts one behind the other; NULL if one is NULL."""
        out = parts[0]
        for part in parts[1:]:
            out = exp.DPipe(this=out, expression=part, safe=True)
        return out

    def length(self, node: exp.Expr) -> exp.Expr:
        return call("CHAR_LENGTH", node)

    def substring(self, node: exp.Expr, start: int, length: exp.Expr | None) -> exp.Expr:
        return call("SUBSTRING", node, whole(start), *([length] if length is not None else []))

    def right(self, node: exp.Expr, count: int) -> exp.Expr:
        return call("RIGHT", node, whole(count))

    def position(self, node: exp.Expr, part: exp.Expr) -> exp.Expr:
        raise self.no("strpos")

    # --- aggregates ---------------------------------------------------------------------------------------------------------

    def any_true(self, condition: exp.Expr) -> exp.Expr:
        """An aggregate: whether the condition holds for a row; NULL where it is never known."""
        return call("BOOL_OR", condition)

    def quantile(self, argument: exp.Expr, share: str, where: exp.Expr | None) -> exp.Expr:
        """Interpolated, over doubles."""
        raise self.no("median or quantile")

    def stddev(self, argument: exp.Expr) -> exp.Expr:
        """The sample's, over doubles."""
        raise self.no("stddev")
