"""What a statement reads: which tables of which sources, and which of their columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlglot import exp

SMALL = "temp"  # the engine's own tables of spans stand in this schema
Where = tuple[str, str]  # source, table


def tables_of(select: exp.Expr) -> list[exp.Table]:
    """The tables of sources, each as often as it stands there."""
    return [t for t in select.find_all(exp.Table) if t.db and t.db != SMALL]


def columns_of(select: exp.Expr, known: Callable[[str, str], Iterable[str]]) -> dict[Where, set[str]]:
    """Table → the columns that are read of it; ``known`` gives all that a table has.

    A name that is used anywhere counts for every table with such an alias and such a column: rather one too many.
    """
    out: dict[Where, set[str]] = {}
    for table in tables_of(select):
        columns = set(known(table.db, table.name))
        used = out.setdefault((table.db, table.name), set())
        around = table.find_ancestor(exp.Select)
        assert around is not None
        if any(isinstance(e, exp.Star) for e in around.expressions):
            used |= columns
        alias = table.alias_or_name
        used |= {c.name for c in select.find_all(exp.Column) if c.table in (alias, "")} & columns
    return out
