"""A source that answers SQL itself: statements put into its dialect, and rows pulled where it cannot say them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from cadran.compute.dialects import unverified, verified
from cadran.compute.dialects.base import Dialect
from cadran.compute.dialects.duckdb import DuckDB, native
from cadran.compute.dialects.kinds import Unsupported, kind_of
from cadran.compute.dialects.others import Other
from cadran.compute.dialects.statements import Statement
from cadran.compute.dialects.tables import Small, Stored
from cadran.formula.functions import NONE, Functions
from cadran.plugins.connector import End, Page, QueryableConnector, Relation

_UTC = ("UTC", "Etc/UTC", "+00:00")


def remote(source: str, connector: QueryableConnector) -> Remote:
    """The source with the dialect that it computes in, or with the reason why it does not."""
    if connector.pushdown == "off":
        return Remote(source, connector, None, "the source says pushdown: off")
    known = verified(connector.product)
    if known is not None:
        # MariaDB's instants are compared as they are written in UTC, those of others in the calendar's zone.
        zone = connector.server_zone or connector.context.zone
        known.instants = zone in _UTC if known.name == "mysql" else not connector.server_zone
        return Remote(source, connector, known)
    if connector.pushdown == "unverified" and connector.dialect:
        return Remote(source, connector, unverified(connector.dialect))
    why = "no test holds this database to the same numbers; pushdown: unverified has it compute all the same"
    return Remote(source, connector, None, why)


@dataclass(slots=True)
class Remote:
    """``dialect`` is None where nothing is computed there, and ``why`` says why; ``types`` are DuckDB's by table."""

    source: str
    connector: QueryableConnector
    dialect: Dialect | None
    why: str = ""
    types: dict[str, Mapping[str, str]] = field(default_factory=dict)
    _relations: dict[str, Relation] = field(default_factory=dict)
    _doubted: dict[tuple[str, str], str] = field(default_factory=dict)

    def relation(self, table: str) -> Relation:
        if table not in self._relations:
            self._relations[table] = self.connector.relation(table)
        return self._relations[table]

    def sql(
        self, select: exp.Expr, types: Sequence[str], small: Callable[[str], Small],
        columns: Mapping[tuple[str, str], set[str]], functions: Functions = NONE,
    ) -> str:  # fmt: skip
        """The statement in the source's dialect. Raises :class:`Unsupported`."""
        if self.dialect is None:
            raise Unsupported(self.why)
        for (_, table), used in columns.items():
            self._verify(table, used)

        def found(schema: str, name: str) -> Stored | Small:
            return Stored(self.relation(name), self.types[name]) if schema == self.source else small(name)

        if isinstance(self.dialect, DuckDB):
            return native(functions.as_duckdb(select), found)
        return Statement(self.dialect, found, calls=functions).translate(select, types)

    @property
    def is_verified(self) -> bool:
        return self.dialect is not None and not isinstance(self.dialect, Other)

    def query(self, sql: str) -> Iterator[Page | End]:
        return self.connector.query(sql)

    # --- pulling ----------------------------------------------------------------------------------------------------------

    def condition(self, table: str, column: str, low: exp.Expr, high: exp.Expr) -> str:
        """``low <= column < high`` in the source's SQL, or nothing where it cannot be said."""
        if self.dialect is None:
            return ""
        node = exp.column(column, table=table, quoted=True)
        both = exp.And(
            this=exp.GTE(this=node, expression=low), expression=exp.LT(this=node.copy(), expression=high)
        )
        stored = Stored(self.relation(table), self.types[table])
        try:
            return Statement(self.dialect, lambda *_: stored, plain=True).condition(both, table, stored)
        except Unsupported:
            return ""

    # --- what a database promises nothing about ---------------------------------------------------------------------------

    def _verify(self, table: str, columns: set[str]) -> None:
        """Every stored value is one of its column's type, as whoever pulls it would see. Raises :class:`Unsupported`."""
        if self.dialect is None:
            return
        new = sorted(c for c in columns if (table, c) not in self._doubted)
        tests = {c: t for c in new if (t := self._misfit(table, c)) is not None}
        self._doubted |= {(table, c): "" for c in new}
        if tests:
            wrong = zip(tests, self._asked(table, list(tests.values())), strict=True)
            self._doubted |= {(table, c): self.dialect.misfits for c, is_wrong in wrong if is_wrong}
        for column in sorted(columns):
            if self._doubted[table, column]:
                raise Unsupported(f"'{column}' of '{table}', which holds {self._doubted[table, column]}")

    def _misfit(self, table: str, column: str) -> exp.Expr | None:
        assert self.dialect is not None
        kind = kind_of(self.types[table][column])
        return self.dialect.misfit(exp.column(column, table="t", quoted=True), kind)

    def _asked(self, table: str, tests: Sequence[exp.Expr]) -> list[object]:
        """For each test, how many rows of a table it holds for."""
        assert self.dialect is not None
        ifs = [exp.Case(ifs=[exp.If(this=t, true=exp.Literal.number(1))]) for t in tests]
        counts = [exp.alias_(exp.Count(this=i), f"c{n}") for n, i in enumerate(ifs)]
        names = [exp.to_identifier(p, quoted=True) for p in self.relation(table).path]
        stored: exp.Expr = exp.Table(**dict(zip(("this", "db", "catalog"), reversed(names), strict=False)))
        if self.relation(table).select:
            stored = exp.Subquery(
                this=exp.maybe_parse(self.relation(table).select, dialect=self.dialect.name)
            )
        select = exp.Select(expressions=counts).from_(exp.alias_(stored, "t", table=True), copy=False)
        row: list[object] = []
        for page in self.query(select.sql(self.dialect.name)):
            if isinstance(page, Page):
                row += _first_row(page)
        return row


def _first_row(page: Page) -> list[object]:
    import pyarrow as pa

    table = pa.table(page.data)
    return [column[0].as_py() for column in table.columns]
