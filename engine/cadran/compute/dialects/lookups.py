"""How a statement looks rows of one table up for those of another: what some servers are slow at, or refuse."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp


def looked_up(node: exp.Expr) -> Iterator[str]:
    """The tables of which rows are looked up for other rows: by a join, or by a subquery in an expression."""
    for join in node.find_all(exp.Join):
        yield join.this.name
    for query in node.find_all(exp.Exists, exp.Subquery):
        from_ = query.this.args.get("from_")
        if from_ is not None and not isinstance(query.parent, (exp.From, exp.Join)):
            yield from_.this.name


def searches_sums(query: exp.Expr) -> bool:
    """Whether an EXISTS within an aggregate looks into a step that has aggregates itself, or rests on one that has."""
    with_aggregates: set[str] = set()
    for cte in query.find_all(exp.CTE):
        rests_on = {table.name for table in cte.this.find_all(exp.Table) if not table.db}
        if cte.this.find(exp.AggFunc) or rests_on & with_aggregates:
            with_aggregates.add(cte.alias)
    return any(
        table.name in with_aggregates
        for exists in query.find_all(exp.Exists)
        if exists.find_ancestor(exp.AggFunc)
        for table in exists.find_all(exp.Table)
    )
