"""Calls of functions that plugins add: said in another dialect where the plugin says how, over arguments of the kinds that it takes.

Where it does not say, the rows are pulled and the function is computed here. That what it says means the same in each dialect is the
plugin's own promise; arguments and results have the same types everywhere.
"""

from __future__ import annotations

from sqlglot import exp

from cadran.compute.dialects.expressions import Expressions, Typed
from cadran.compute.dialects.kinds import NUMBERS, TIMES, Kind, Unsupported
from cadran.formula.functions import Called

_GIVES = {
    "text": Kind.TEXT, "integer": Kind.INT, "double": Kind.DOUBLE, "date": Kind.DATE, "timestamp": Kind.TIME, "boolean": Kind.BOOL,
}  # fmt: skip


def call_of(x: Expressions, called: Called, node: exp.Anonymous) -> Typed:
    """Raises :class:`Unsupported`."""
    template = called.template(x.dialect.title.lower(), x.dialect.name)
    if template is None:
        raise Unsupported(f"{called.where_from} does not say {called.name}() for {x.dialect.title}")
    arguments = [_handed(x, n, kind) for n, kind in zip(node.expressions, called.function.takes, strict=True)]
    kind = _GIVES.get(called.function.gives)
    if kind is None:  # a number: a float as soon as an argument is one
        kind = Kind.DOUBLE if any(a.kind is Kind.DOUBLE for a in arguments) else Kind.DECIMAL
        if kind is Kind.DECIMAL and not x.dialect.decimals:
            raise x.dialect.no("decimal")
    return Typed(_given(x, template.filled([a.sql for a in arguments]), kind), kind)


def _handed(x: Expressions, node: exp.Expr, wanted: str) -> Typed:
    """An argument as what the function takes, as DuckDB's casts would hand it over."""
    found = x(node)
    return Typed(_turned(x, found, node, wanted), found.kind)


def _turned(x: Expressions, found: Typed, node: exp.Expr, wanted: str) -> exp.Expr:
    if wanted in ("date", "timestamp"):
        if found.kind not in (*TIMES, Kind.NULL):
            raise Unsupported(f"{found.kind} where a {wanted} belongs")
        if found.kind is Kind.INSTANT and not x.dialect.instants:
            raise x.dialect.no("instant")
        if found.kind is Kind.NULL:
            return found.sql
        turned = x.dialect.date_of if wanted == "date" else x.dialect.time_of
        return turned(found.sql, found.kind)
    match wanted:
        case "text":
            return x.of(node, Kind.TEXT)
        case "integer":
            return x.dialect.operand(x.of(node, Kind.INT))
        case "double":
            return x.dialect.to(x.of(node, *NUMBERS), Kind.DOUBLE)
        case "boolean":
            return x.condition(node)
        case "number":
            return x.of(node, *NUMBERS)
    if found.kind is Kind.INSTANT:
        raise x.dialect.no("function of an instant")
    return found.sql


def _given(x: Expressions, node: exp.Expr, kind: Kind) -> exp.Expr:
    if kind in (Kind.INT, Kind.DOUBLE):
        return x.dialect.to(node, kind)
    # Texts compare byte by byte from here on, whatever the function made them of.
    return x.dialect.leaf(node, kind) if kind is Kind.TEXT else node
