"""The rows of a dataset by the parts of its tables: in SQL, and the range of each date in each part."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from cadran.compute.keeping.changes import UNSURE, Changes, Told
from cadran.compute.keeping.definition import Definitions
from cadran.compute.keeping.microseconds import LOWEST, Range, extremes, since_epoch
from cadran.compute.keeping.tables import Tables
from cadran.compute.loading.embedded import parquet
from cadran.compute.loading.extents import Extent
from cadran.compute.lower import column, number
from cadran.compute.placing.places import Places
from cadran.compute.scanning.rows import Joined, RowsBuilder
from cadran.compute.spans import LATEST
from cadran.declare.model import Declaration, TableRef
from cadran.formula.measures import Model, ref_of
from cadran.plugins.connector import Part
from cadran.state.index import digest

PART = "_cadran_part"  # the column that holds the number of a row's part


@dataclass(frozen=True, slots=True)
class Chunk:
    """One part of one of a dataset's tables. ``label`` is what PART holds in its rows, its number among all, as text."""

    table: TableRef
    part: Part
    label: str

    @property
    def number(self) -> exp.Expr:
        return number(self.label)


class Parts:
    """Parts of datasets, and facts about them that are worked out once and then known."""

    def __init__(
        self, declaration: Declaration, model: Model, session: Places, rows: RowsBuilder, tables: Tables, definitions: Definitions, changes: Changes
    ) -> None:  # fmt: skip
        self.declaration, self.model, self.session, self.rows = declaration, model, session, rows
        self.tables, self.kept, self.definitions = tables, tables.kept, definitions
        self.changes = changes
        self._told: dict[str, Told] = {}
        self._chunks: dict[str, tuple[Chunk, ...] | None] = {}
        self._counted: dict[str, tuple[str, Mapping[exp.Column, int]]] = {}
        self._ranges: dict[tuple[str, exp.Column], list[Range] | None] = {}

    def of(self, dataset: str) -> tuple[Chunk, ...] | None:
        """All parts of all tables of a dataset, or None where they cannot be told."""
        if dataset not in self._chunks:
            self._chunks[dataset] = self._of(dataset)
        return self._chunks[dataset]

    def _of(self, dataset: str) -> tuple[Chunk, ...] | None:
        out: list[Chunk] = []
        for table in self.declaration.datasets[dataset].tables:
            parts = self.tables.parts(table.source, table.table)
            if parts is None:
                return self._declared(dataset)
            out += [Chunk(table, part, str(label)) for label, part in enumerate(parts, len(out))]
        return tuple(out)

    def _declared(self, dataset: str) -> tuple[Chunk, ...] | None:
        """Parts by what the dataset declares, where its source cannot tell."""
        told = self.changes.told(dataset)
        if told is None:
            return None
        self._told[dataset] = told
        table = self.declaration.datasets[dataset].tables[0]
        return tuple(Chunk(table, part, str(label)) for label, part in enumerate(told.parts))

    def content(self, dataset: str) -> str | None:
        """What tells all rows of a dataset."""
        chunks = self.of(dataset)
        if chunks is None or any(c.part.content == UNSURE for c in chunks):
            return None
        if dataset in self._told:
            return self._all_told(dataset)[0]
        tables = self.declaration.datasets[dataset].tables
        found = [self.tables.content(t.source, t.table) for t in tables]
        return None if None in found else digest(found)

    def _all_told(self, dataset: str) -> tuple[str, Mapping[exp.Column, int]]:
        """The same for what is declared, and the last of each date."""
        told = self._told[dataset]
        if not self.declaration.datasets[dataset].immutable:
            return digest([p.content for p in told.parts]), told.latest
        if dataset not in self._counted:
            self._counted[dataset] = self.changes.counted(dataset)
        return self._counted[dataset]

    # --- SQL ----------------------------------------------------------------------------------------------------------

    def source(self, dataset: str, wanted: Collection[Chunk] | None = None) -> exp.Expr | None:
        """The dataset's rows with PART, only those of the ``wanted`` parts; None where rows cannot be told apart by part."""
        chunks = self.of(dataset)
        if chunks is None or dataset in self._told:
            return None
        selects = []
        for table in self.declaration.datasets[dataset].tables:
            mine = [c for c in chunks if c.table is table]
            chosen = [c for c in mine if wanted is None or c in wanted]
            if chosen:
                select = self._table(table, mine, chosen)
                if select is None:
                    return None
                selects.append(select)
        if not selects:
            return None
        out: exp.Expr = selects[0]
        for select in selects[1:]:
            out = exp.Union(this=out, expression=select, distinct=False, by_name=True)
        return exp.Subquery(this=out)

    def _table(self, table: TableRef, mine: Sequence[Chunk], chosen: Sequence[Chunk]) -> exp.Select | None:
        key = (table.source, table.table)
        empty = self.session.empty_columns(*key)
        star = (
            exp.Star(replace=[exp.alias_(exp.null(), n, quoted=True) for n in empty]) if empty else exp.Star()
        )
        if self.session.files(*key):
            if any(c.casefold() == "file_index" for c in self.session.columns(*key)):
                return None
            files = [c.part.file for c in chosen if c.part.file is not None]
            return _selected(star, _label(column("file_index"), chosen)).from_(parquet(files), copy=False)
        loaded = exp.table_(table.table, db=table.source, quoted=True)
        if len(mine) == 1:
            return _selected(star, mine[0].number).from_(loaded, copy=False)
        begins = self.session.begins(*key)
        if any(c.part.name not in begins for c in mine):
            return None
        return self._by_number(star, loaded, mine, chosen, begins)

    def _by_number(
        self, star: exp.Expr, loaded: exp.Expr, mine: Sequence[Chunk], chosen: Sequence[Chunk], begins: Mapping[str, int]
    ) -> exp.Select:  # fmt: skip
        """Rows lie in the order in which they came, each part's together."""
        row = column("rowid")
        ifs = [
            exp.If(this=exp.GTE(this=row.copy(), expression=number(begins[c.part.name])), true=c.number)
            for c in sorted(mine, key=lambda c: (begins[c.part.name], mine.index(c)), reverse=True)
        ]
        select = _selected(star, exp.Case(ifs=ifs)).from_(loaded, copy=False)
        if len(chosen) == len(mine):
            return select
        inner = exp.alias_(exp.Subquery(this=select), "t", table=True)
        among = exp.In(this=column(PART), expressions=[c.number for c in chosen])
        return exp.Select(expressions=[exp.Star()]).from_(inner, copy=False).where(among, copy=False)

    # --- ranges -------------------------------------------------------------------------------------------------------

    def ranges(self, dataset: str, node: exp.Column) -> list[Range] | None:
        """The first and last value of a date in each part, of rows that exist or not; None where they cannot be told."""
        key = (dataset, node)
        if key not in self._ranges:
            self._ranges[key] = self._known(dataset, node)
        return self._ranges[key]

    def latest(self, dataset: str, node: exp.Column) -> int | None:
        """No row has a later value of a date, which may be reached over links; None where that cannot be told."""
        path, name = ref_of(node)
        owner, node = self.rows.walk(dataset, path), exp.column(name, quoted=True)
        if self.of(owner) is not None and owner in self._told:
            return self._all_told(owner)[1].get(node)
        ranges = self.ranges(owner, node)
        return None if ranges is None else max((r[1] for r in ranges if r), default=LOWEST)

    def _known(self, dataset: str, node: exp.Column) -> list[Range] | None:
        chunks, behind = self.of(dataset), self.definitions.reader.expression(dataset, node)
        if chunks is None or not behind.local or ref_of(node)[0]:
            return None
        if dataset in self._told:
            by_it = self.declaration.datasets[dataset].immutable or node == self.changes.bucket(dataset)
            return self._told[dataset].ranges if by_it else None
        said = digest("range", self.definitions.behind(behind), node.name, self.rows.time_kind(dataset, node))
        keys = [digest(said, self.settings_of(c), c.part.content) for c in chunks]
        missing = {c for c, key in zip(chunks, keys, strict=True) if self.kept.fact(key) is None}
        if missing:
            asked = self._stated(dataset, node, missing) or self._ask(dataset, node, missing)
            if asked is None:
                return None
            for chunk, key in zip(chunks, keys, strict=True):
                if chunk in missing:
                    self.kept.learn(key, list(asked.get(chunk.label) or ()))
        facts = [self.kept.fact(key) for key in keys]
        return [(f[0], f[1]) if f else None for f in facts]

    def extent(self, chunk: Chunk, name: str) -> Extent | None:
        """What the file that a part is states of a raw column, if it is one and does."""
        found = self.session.extents(chunk.table.source, chunk.table.table, name)
        return None if found is None or chunk.part.file is None else found.get(chunk.part.file)

    def settings_of(self, chunk: Chunk) -> str:
        return self.definitions.settings.table(chunk.table.source, chunk.table.table)

    def _stated(self, dataset: str, node: exp.Column, chunks: Collection[Chunk]) -> dict[str, Range] | None:
        """The ranges as files state them; None where one does not, or where a date stands for "never"."""
        _, name = ref_of(node)
        if name in self.model.datasets[dataset].derived:
            return None
        out: dict[str, Range] = {}
        for chunk in chunks:
            found = self.extent(chunk, name)
            if found is None or isinstance(found.last, int) or (found.filled and _day(found.last) >= LATEST):
                return None
            out[chunk.label] = (_since(found.first), _since(found.last)) if found.filled else None
        return out

    def _ask(self, dataset: str, node: exp.Column, chunks: Collection[Chunk]) -> dict[str, Range] | None:
        source = self.source(dataset, chunks)
        if source is None:
            return None
        rows = self.rows.over({dataset: source})
        tables = rows.build({*rows.needs(dataset, [node]), (dataset, PART)}, visible=False)
        joined = Joined(rows, dataset, tables.final[dataset], tables.final)
        part = column(PART, joined.root)
        select = joined.select(part, *extremes(rows.as_time(dataset, node, joined.column((), node))))
        select = select.group_by(part.copy(), copy=False)
        found = self.session.rows(tables.attach(select))
        return {str(label): None if low is None else (low, high) for label, low, high in found}


def _selected(star: exp.Expr, label: exp.Expr) -> exp.Select:
    return exp.Select(expressions=[star, exp.alias_(label, PART, quoted=True)])


def _label(index: exp.Expr, chosen: Sequence[Chunk]) -> exp.Expr:
    """The number of the part that a file is, by its place among those that are read."""
    first = int(chosen[0].label)
    if all(int(c.label) == first + at for at, c in enumerate(chosen)):
        return exp.Add(this=index, expression=number(str(first))) if first else index
    ifs = [exp.If(this=number(str(at)), true=c.number) for at, c in enumerate(chosen)]
    return exp.Case(this=index, ifs=ifs)


def _day(value: dt.date) -> dt.date:
    return value.date() if isinstance(value, dt.datetime) else value


def _since(value: dt.date) -> int:
    """Microseconds of a date or timestamp without a zone."""
    return since_epoch(value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time()))
