"""DuckDB files: the engine's own dialect, so that only the tables' names change."""

from __future__ import annotations

from collections.abc import Callable

import sqlglot
from sqlglot import exp

from cadran.compute.dialects.base import Dialect
from cadran.compute.dialects.tables import Small, Stored


class DuckDB(Dialect):
    name = "duckdb"
    title = "DuckDB"


def native(select: exp.Expr, tables: Callable[[str, str], Stored | Small]) -> str:
    """The statement with the source's tables in place of the engine's names."""
    small: dict[str, exp.CTE] = {}

    def replaced(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Table) or not node.db:
            return node
        found, alias = tables(node.db, node.name), node.alias_or_name
        if isinstance(found, Small):
            small[node.name] = _written(node.name, found)
            return exp.alias_(
                exp.Table(this=exp.to_identifier(node.name, quoted=True)), alias, table=True, quoted=True
            )
        return exp.alias_(_stored(found), alias, table=True, quoted=True)

    made = select.copy().transform(replaced)
    with_ = made.args.get("with_")
    if small:
        made.set("with_", exp.With(expressions=[*small.values(), *(with_.expressions if with_ is not None else ())]))  # fmt: skip
    return made.sql("duckdb", pretty=True, max_text_width=100)


def _stored(found: Stored) -> exp.Expr:
    if found.relation.select:
        return exp.Subquery(this=sqlglot.parse_one(found.relation.select, read="duckdb"))
    names = [exp.to_identifier(part, quoted=True) for part in found.relation.path]
    return exp.Table(**dict(zip(("this", "db", "catalog"), reversed(names), strict=False)))


def _written(name: str, small: Small) -> exp.CTE:
    columns = [exp.to_identifier(c, quoted=True) for c in small.types]
    rows = [
        exp.Tuple(expressions=[
            exp.Cast(this=exp.Literal.string(str(v)), to=exp.DataType.build(t, dialect="duckdb"))
            for v, t in zip(row, small.types.values(), strict=True)
        ])
        for row in small.rows
    ]  # fmt: skip
    alias = exp.TableAlias(this=exp.to_identifier(name, quoted=True), columns=columns)
    query: exp.Expr = exp.Values(expressions=rows)
    if not rows:
        nothing = [
            exp.Cast(this=exp.null(), to=exp.DataType.build(t, dialect="duckdb"))
            for t in small.types.values()
        ]
        query = exp.Select(expressions=nothing).where(exp.false(), copy=False)
    return exp.CTE(this=query, alias=alias)
