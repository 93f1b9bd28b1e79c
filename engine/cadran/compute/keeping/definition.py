"""Digests of what is computed: all that a result rests on but the rows themselves.

A changed formula, derived column, link, type or setting of a source gives another digest, and what was kept under the old
one is not found any more. What a change does not touch keeps its digest: a measure's covers nothing of other measures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlglot import exp

from cadran.compute.keeping.behind import Behind, Reader
from cadran.compute.keeping.settings import Settings
from cadran.compute.scanning.rows import RowsBuilder
from cadran.declare.model import Declaration
from cadran.formula.measures import Measure, Model
from cadran.state.index import digest

TypesOf = Callable[[str], Mapping[str, str]]  # dataset → raw column → DuckDB type


class Definitions:
    """Digests over one model, each worked out once."""

    def __init__(
        self, declaration: Declaration, model: Model, rows: RowsBuilder, types: TypesOf, settings: Settings
    ) -> None:
        self.declaration, self.model, self.rows, self.types = declaration, model, rows, types
        self.settings = settings
        self.reader = Reader(model)
        self._datasets: dict[str, str] = {}
        self._columns: dict[tuple[str, str], str] = {}
        self._measures: dict[tuple[Measure | None, str], tuple[str, Behind, Behind | None]] = {}

    # --- parts --------------------------------------------------------------------------------------------------------

    def dataset(self, name: str) -> str:
        """Which rows a dataset holds and which of them exist; not its columns."""
        if name not in self._datasets:
            found, declared = self.model.datasets[name], self.declaration.datasets[name]
            tables = [self.settings.table(t.source, t.table) for t in declared.tables]
            shape = [found.key, found.inclusive, found.snapshot, found.ahead, name in self.rows.quarantined]
            existence = [_sql(n) for n in (found.where, found.date, *(found.valid or ()))]
            kinds = [
                self.rows.time_kind(name, n) for n in (found.date, *(found.valid or ())) if n is not None
            ]
            self._datasets[name] = digest("dataset", name, tables, shape, existence, kinds)
        return self._datasets[name]

    def column(self, dataset: str, name: str) -> str:
        """A derived column's expression, a raw one's type."""
        key = (dataset, name)
        if key not in self._columns:
            derived = self.model.datasets[dataset].derived.get(name)
            said = self.types(dataset).get(name, "") if derived is None else _sql(derived)
            self._columns[key] = digest("column", dataset, name, derived is None, said)
        return self._columns[key]

    def behind(self, found: Behind) -> str:
        """All that is behind an expression."""
        links = [
            (dataset, link, [_sql(c) for c in self.model.datasets[dataset].links[link][0]], self.model.datasets[dataset].links[link][1])
            for dataset, link in sorted(found.links)
        ]  # fmt: skip
        lookups = [
            (key, self.model.lookups[key].link, _parts(self.model.lookups[key].measure))
            for key in sorted(found.lookups)
        ]
        columns = [self.column(*node) for node in sorted(found.columns | found.times)]
        return digest("behind", [self.dataset(d) for d in sorted(found.datasets)], columns, links, lookups, str(self.declaration.calendar.zone))  # fmt: skip

    # --- measures -----------------------------------------------------------------------------------------------------

    def measure(
        self, dataset: str, measure: Measure | None, timing: str, date: exp.Expr | None
    ) -> tuple[str, Behind, Behind | None]:
        """A measure within a scan of that timing and date, None for the mere count of rows: its digest and what is behind it."""
        key = (measure, f"{dataset} {timing} {_sql(date)}")
        if key not in self._measures:
            found = self.reader.rows(dataset) if measure is None else self.reader.measure(measure)
            other = None if measure is None else self.reader.other(measure)
            if date is not None:
                self.reader.date(found, date)
            parts = [] if measure is None else _parts(measure)
            said = digest(
                "measure", dataset, timing, _sql(date), parts, self.behind(found),
                self.behind(other) if other is not None else "", self._money(measure),
            )  # fmt: skip
            self._measures[key] = said, found, other
        return self._measures[key]

    def _money(self, measure: Measure | None) -> object:
        rates = self.declaration.rates
        if measure is None or not measure.convert or measure.money is None or rates is None:
            return None
        table = self.settings.table(rates.table.source, rates.table.table)
        return (
            measure.money.code,
            _sql(measure.money.column),
            self.declaration.currency,
            table,
            rates.date,
            rates.currency,
            rates.rate,
        )

    def segments(
        self, dataset: str, names: Sequence[str], kept: Mapping[str, Sequence[str]]
    ) -> tuple[str, Behind]:
        """A set of segments: where each lives, and which of its values are not lumped together."""
        found = Behind(dataset, datasets={dataset})
        said = []
        for name in names:
            node = self.model.dimensions[name, dataset]
            self.reader.add(found, node)
            said.append((name, _sql(node), list(kept[name]) if name in kept else None))
        return digest("segments", said, self.behind(found)), found


def _parts(measure: Measure) -> list[object]:
    """What a measure says itself."""
    nodes = (measure.argument, measure.condition, measure.date, measure.having, measure.entity)
    other = measure.other
    return [
        measure.dataset, measure.function, measure.timing, measure.fraction, measure.convert, *(_sql(n) for n in nodes),
        [other.dataset, _sql(other.key), other.window.days, other.window.seconds] if other is not None else None,
    ]  # fmt: skip


def _sql(node: exp.Expr | None) -> str | None:
    return None if node is None else node.sql("duckdb", comments=False)
