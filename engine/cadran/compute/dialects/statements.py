"""A whole DuckDB statement in another dialect: tables of the source, CTEs, joins, grouping sets, the spans' table.

The shape stays what the engine wrote, so that what ran at a server reads like what would have run here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from cadran.compute.dialects import aggregates, functions, lookups  # noqa: F401 - two register their handlers
from cadran.compute.dialects.base import Dialect, text
from cadran.compute.dialects.expressions import Columns, Expressions, Scope, Typed
from cadran.compute.dialects.kinds import Kind, Unsupported, kind_of
from cadran.compute.dialects.tables import Small, Stored
from cadran.formula import functions as added
from cadran.plugins.connector import Relation

_NO_LIMIT = 2**64 - 1  # has MariaDB make a copy, which it gives an index for what is looked up in it
SPANS = "temp"  # the schema under which the engine's statements name their tables of spans


Tables = Callable[[str, str], Stored | Small]


class Statement:
    """Translates one statement. ``tables`` finds ``source.table``, and ``temp.x`` for the engine's small tables.

    ``plain`` leaves stored columns just as they are: for rows that are pulled, not computed with. ``calls`` are the functions of the
    project's plugins.
    """

    def __init__(
        self, dialect: Dialect, tables: Tables, *, plain: bool = False, calls: added.Functions = added.NONE
    ) -> None:
        self.dialect, self.tables, self.plain, self.calls = dialect, tables, plain, calls
        self._ctes: dict[str, Mapping[str, Kind]] = {}
        self._small: dict[str, exp.CTE] = {}

    def translate(self, select: exp.Expr, types: Sequence[str]) -> str:
        """The statement's text; its columns come in the DuckDB ``types`` that the engine expects of them.

        Raises :class:`Unsupported`.
        """
        made, _ = self._query(select, {}, types)
        if not self.dialect.searches_sums and lookups.searches_sums(made):
            raise self.dialect.no("search in computed sums within another sum")
        for cte in reversed(self._small.values()):
            _prepend(made, cte)
        return made.sql(self.dialect.name, pretty=True, max_text_width=100)

    def condition(self, node: exp.Expr, alias: str, stored: Stored) -> str:
        """A condition on one table, with its columns unqualified."""
        x = Expressions(self.dialect, {alias: Columns(_Kinds(stored.types))}, self._query)
        made = x.condition(node)
        for column in made.find_all(exp.Column):
            column.set("table", None)
        return made.sql(self.dialect.name)

    # --- queries -------------------------------------------------------------------------------------------------------------

    def _query(
        self, node: exp.Expr, outer: Scope, types: Sequence[str] | None = None
    ) -> tuple[exp.Query, dict[str, Kind]]:
        if isinstance(node, exp.Subquery):
            return self._query(node.this, outer, types)
        if isinstance(node, exp.Union):
            return self._union(node, outer, types)
        if not isinstance(node, exp.Select):
            raise self.dialect.no(f"'{type(node).__name__.lower()}'")
        ctes = self._with(node, outer)
        made, kinds = self._select(node, outer, types)
        if ctes:
            made.set("with_", exp.With(expressions=ctes))
        return made, kinds

    def _with(self, node: exp.Expr, outer: Scope) -> list[exp.CTE]:
        out = []
        with_ = node.args.get("with_")
        looked_up = set(lookups.looked_up(node))
        for cte in with_.expressions if with_ is not None else ():
            inner, kinds = self._query(cte.this, outer)
            self._ctes[cte.alias] = kinds
            if cte.alias in looked_up and self.dialect.looks_up_in_copies and isinstance(inner, exp.Select):
                inner.limit(_NO_LIMIT, copy=False)
            out.append(exp.CTE(this=inner, alias=exp.TableAlias(this=exp.to_identifier(cte.alias, quoted=True))))  # fmt: skip
        return out

    def _union(
        self, node: exp.Union, outer: Scope, types: Sequence[str] | None
    ) -> tuple[exp.Query, dict[str, Kind]]:
        left, kinds = self._query(node.this, outer, types)
        right, others = self._query(node.expression, outer, types)
        if node.args.get("by_name"):
            right = _in_order(right, list(kinds), list(others))
        return exp.Union(this=left, expression=right, distinct=bool(node.args.get("distinct"))), kinds

    def _select(
        self, node: exp.Select, outer: Scope, types: Sequence[str] | None
    ) -> tuple[exp.Query, dict[str, Kind]]:
        scope: dict[str, Columns] = {}
        from_ = node.args.get("from_")
        tables = [self._relation(from_.this, scope, outer)] if from_ is not None else []
        pending = [(j, self._relation(j.this, scope, outer)) for j in node.args.get("joins") or ()]
        x = Expressions(self.dialect, {**outer, **scope}, self._query, self.calls)
        joins = [self._join(x, join, table) for join, table in pending]
        group = node.args.get("group")
        sets = group.args.get("grouping_sets") if group is not None else None
        parts = _Parts(self, x, node, tables, joins, types)
        if sets and not self.dialect.grouping_sets:
            return parts.one_by_one(sets[0].expressions)
        return parts.whole()

    def _join(self, x: Expressions, join: exp.Join, table: exp.Expr) -> exp.Join:
        on = join.args.get("on")
        return exp.Join(this=table, side=join.side or None, on=x.condition(on) if on is not None else None, kind=join.kind or None)  # fmt: skip

    # --- tables --------------------------------------------------------------------------------------------------------------

    def _relation(self, node: exp.Expr, scope: dict[str, Columns], outer: Scope) -> exp.Expr:
        alias = node.alias_or_name
        if isinstance(node, exp.Subquery):
            inner, kinds = self._query(node.this, outer)
            scope[alias] = Columns(kinds)
            return exp.alias_(exp.Subquery(this=inner), alias, table=True, quoted=True)
        assert isinstance(node, exp.Table), node
        if not node.db:
            scope[alias] = Columns(self._ctes[node.name])
            return _aliased(exp.Table(this=exp.to_identifier(node.name, quoted=True)), alias, node.name)
        found = self.tables(node.db, node.name)
        columns: Mapping[str, Kind] = _Kinds(found.types)
        if isinstance(found, Small):
            scope[alias] = Columns(columns)
            return self._inlined(node.name, found, alias)
        scope[alias] = Columns(columns, stored=not self.plain)
        return exp.alias_(self._stored(found.relation), alias, table=True, quoted=True)

    def _stored(self, relation: Relation) -> exp.Expr:
        if relation.select:
            return exp.Subquery(this=sqlglot.parse_one(relation.select, read=self.dialect.name))
        # With its schema, since a table of that name is also one of the statement's own steps.
        path = relation.path if len(relation.path) > 1 else (*self.dialect.home, *relation.path)
        if len(path) == 1:
            raise Unsupported(f"a table '{path[0]}' without its schema")
        names = [exp.to_identifier(part, quoted=True) for part in path]
        return exp.Table(**dict(zip(("this", "db", "catalog"), reversed(names), strict=False)))

    def _inlined(self, name: str, small: Small, alias: str) -> exp.Expr:
        """The spans as rows written out, typed in a second step."""
        if name not in self._small:
            self._inline(name, small)
        return _aliased(exp.Table(this=exp.to_identifier(name, quoted=True)), alias, name)

    def _inline(self, name: str, small: Small) -> None:
        kinds = {c: kind_of(t) for c, t in small.types.items()}
        if not small.rows:  # a table without rows cannot be written as a list of them
            nothing = [exp.alias_(self._read(exp.null(), k), c, quoted=True) for c, k in kinds.items()]
            never = exp.EQ(this=exp.Literal.number(0), expression=exp.Literal.number(1))
            self._small[name] = _cte(name, exp.Select(expressions=nothing).where(never, copy=False))
            return
        if self.dialect.values:
            raw = f"{name}_written"
            rows = [exp.Tuple(expressions=[self._cell(v, k) for v, k in zip(row, kinds.values(), strict=True)]) for row in small.rows]  # fmt: skip
            self._small[raw] = _cte(raw, exp.Values(expressions=rows), small.types)
            typed = [
                exp.alias_(self._read(exp.column(c, quoted=True), k), c, quoted=True)
                for c, k in kinds.items()
            ]
            select = exp.Select(expressions=typed).from_(exp.to_identifier(raw, quoted=True), copy=False)
            self._small[name] = _cte(name, select)
            return
        # Typed at once: a server can then look rows up by a column of this table.
        out: exp.Query | None = None
        for row in small.rows:
            cells = [self._read(self._cell(v, k), k) for v, k in zip(row, kinds.values(), strict=True)]
            one = exp.Select(expressions=cells)
            out = one if out is None else exp.Union(this=out, expression=one, distinct=False)
        assert out is not None
        self._small[name] = _cte(name, out, small.types)

    def _read(self, node: exp.Expr, kind: Kind) -> exp.Expr:
        return self.dialect.to(node, kind) if kind is Kind.INT else self.dialect.written(node, kind)

    def _cell(self, value: object, kind: Kind) -> exp.Expr:
        if kind is Kind.INT:
            return exp.Literal.number(str(value))
        return text(self.dialect.writing(str(value), kind))


def _cte(name: str, query: exp.Expr, columns: Iterable[str] = ()) -> exp.CTE:
    named = [exp.to_identifier(c, quoted=True) for c in columns]
    return exp.CTE(this=query, alias=exp.TableAlias(this=exp.to_identifier(name, quoted=True), columns=named))


class _Kinds(Mapping[str, Kind]):
    """Column → kind, found when it is asked for: a column of a strange type matters only to who uses it."""

    def __init__(self, types: Mapping[str, str]) -> None:
        self._types = types

    def __getitem__(self, name: str) -> Kind:
        return kind_of(self._types[name])

    def __contains__(self, name: object) -> bool:
        return name in self._types

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)


@dataclass(slots=True)
class _Parts:
    """One SELECT whose tables are translated already."""

    statement: Statement
    x: Expressions
    node: exp.Select
    tables: list[exp.Expr]
    joins: list[exp.Join]
    types: Sequence[str] | None

    def whole(self) -> tuple[exp.Query, dict[str, Kind]]:
        group = self.node.args.get("group")
        made, kinds = self._made(lambda e: e)
        if group is not None:
            made.set("group", self._group(group))
        return made, kinds

    def one_by_one(self, sets: Sequence[exp.Expr]) -> tuple[exp.Query, dict[str, Kind]]:
        """A SELECT for each grouping set, one behind the other."""
        out: exp.Query | None = None
        kinds: dict[str, Kind] = {}
        everything = list(dict.fromkeys(key for one in sets for key in _keys(one)))
        for one in sets:
            keys = _keys(one)
            absent = [key for key in everything if key not in keys]
            made, kinds = self._made(lambda e, absent=absent: _without(e, absent))  # type: ignore[misc]
            made.set("group", exp.Group(expressions=[self.x(key).sql for key in keys]))
            out = made if out is None else exp.Union(this=out, expression=made, distinct=False)
        assert out is not None
        return out, kinds

    def _group(self, group: exp.Expr) -> exp.Group:
        sets = group.args.get("grouping_sets")
        if not sets:
            return exp.Group(expressions=[self.x(key).sql for key in group.expressions])
        tuples = [exp.Tuple(expressions=[self.x(key).sql for key in _keys(one)]) for one in sets[0].expressions]  # fmt: skip
        return exp.Group(grouping_sets=[exp.GroupingSets(expressions=tuples)])

    def _made(self, prepared: Callable[[exp.Expr], exp.Expr]) -> tuple[exp.Select, dict[str, Kind]]:
        node, x = self.node, self.x
        columns = [self._column(prepared(e), i) for i, e in enumerate(_expanded(node.expressions, x.scope))]
        made = exp.Select(expressions=[sql for _, (sql, _) in columns])
        if node.args.get("distinct"):
            made.set("distinct", exp.Distinct())
        if self.tables:
            made.set("from_", exp.From(this=self.tables[0].copy()))
        made.set("joins", [join.copy() for join in self.joins])
        if self.joins and x.dialect.straight:
            # Each row's spans come last, after what is looked up for it: else that is looked up once for each span.
            made.set("operation_modifiers", [exp.var("STRAIGHT_JOIN")])
        for clause, kind in (("where", exp.Where), ("having", exp.Having)):
            found = node.args.get(clause)
            if found is not None:
                made.set(clause, kind(this=x.condition(prepared(found.this))))
        if node.args.get("limit") is not None:
            made.set("limit", node.args["limit"].copy())
        if node.args.get("order") is not None:
            raise x.dialect.no("order of a whole answer")
        return made, {name: typed.kind for name, typed in columns}

    def _column(self, node: exp.Expr, position: int) -> tuple[str, Typed]:
        inner = node.this if isinstance(node, exp.Alias) else node
        name = node.alias_or_name or f"column_{position + 1}"
        found = self.x(inner)
        sql = found.sql
        if self.types is not None:
            sql = self.x.dialect.result(sql, found.kind, self.types[position])
        if not (isinstance(sql, exp.Column) and sql.name == name):
            sql = exp.alias_(sql, name, quoted=True)
        return name, Typed(sql, found.kind)


def _keys(one: exp.Expr) -> list[exp.Expr]:
    return list(one.expressions) if isinstance(one, exp.Tuple) else [one.this if isinstance(one, exp.Paren) else one]  # fmt: skip


def _without(node: exp.Expr, absent: Sequence[exp.Expr]) -> exp.Expr:
    """The same where some grouping keys are absent: NULL, and ``GROUPING(key)`` is 1."""

    def replace(part: exp.Expr) -> exp.Expr:
        if isinstance(part, exp.Anonymous) and str(part.this).upper() == "GROUPING":
            return exp.Literal.number(int(part.expressions[0] in absent))
        return exp.null() if part in absent else part

    return node.copy().transform(replace)


def _expanded(expressions: Sequence[exp.Expr], scope: Scope) -> list[exp.Expr]:
    """``*`` written out."""
    out: list[exp.Expr] = []
    for node in expressions:
        if isinstance(node, exp.Star):
            out += [exp.column(name, table=alias, quoted=True) for alias, columns in scope.items() for name in columns.kinds]  # fmt: skip
        else:
            out.append(node)
    return out


def _in_order(query: exp.Query, names: Sequence[str], others: Sequence[str]) -> exp.Query:
    """A SELECT with its columns in the order of another table's, whose capitals may differ."""
    by_name = {name.casefold(): e for name, e in zip(others, query.expressions, strict=True)}
    query.set("expressions", [by_name[name.casefold()] for name in names])
    return query


def _aliased(table: exp.Expr, alias: str, name: str) -> exp.Expr:
    return exp.alias_(table, alias, table=True, quoted=True) if alias != name else table


def _prepend(query: exp.Query, cte: exp.CTE) -> None:
    with_ = query.args.get("with_")
    query.set("with_", exp.With(expressions=[cte, *(with_.expressions if with_ is not None else ())]))
