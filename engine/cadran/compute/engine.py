"""One run: tables loaded, datasets examined, scans planned and made, KPIs combined into cells."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

from sqlglot import exp

from cadran.calendar import Calendar, Grain, Period
from cadran.compute.bounds import SPAN_COLUMNS, span_rows
from cadran.compute.cells.combining import Combining
from cadran.compute.cells.computed import Cell, Computed, ComputedSeries, Request, finest
from cadran.compute.cells.listed import listed
from cadran.compute.cells.top import top_values
from cadran.compute.examining.examine import Examiner
from cadran.compute.examining.stale import stale
from cadran.compute.examining.typecheck import TypeChecker
from cadran.compute.hints import hint_for
from cadran.compute.keeping.changes import Changes
from cadran.compute.loading.embedded import OutOfRoom, QueryError
from cadran.compute.lower import column
from cadran.compute.placing.places import Places, Pushed, Reach
from cadran.compute.placing.reach import reach_of
from cadran.compute.placing.used import Where
from cadran.compute.planning.plan import Planner, Series, columns_behind, columns_of, measures_of
from cadran.compute.planning.settling import Settling
from cadran.compute.scanning.currencies import rates_table
from cadran.compute.scanning.rows import RowsBuilder
from cadran.compute.scanning.scan import Scan, ScanBuilder
from cadran.compute.scanning.timing import PERIOD
from cadran.compute.scanning.units import by_unit, unit_of
from cadran.compute.shared.run import Run
from cadran.compute.shared.share import share
from cadran.compute.spans import BEGINNING, EARLIEST, LATEST, Clock
from cadran.declare.model import Declaration
from cadran.formula.graph import Node
from cadran.formula.measures import Measure, Model, ResolvedKpi
from cadran.problems import Problem, ProblemsFound

if TYPE_CHECKING:
    from cadran.compute.keeping.memory import Memory

_DEFAULT_PERIODS = 13
_LONGEST_HISTORY = 1200  # periods that alert rules are replayed over at the most
_LATELY = 3  # the newest two final periods and the open one


class Engine:
    """Computes a request over a session whose tables are loaded."""

    sharing = True  # tests switch it off to have every scan by its own statement

    def __init__(
        self,
        declaration: Declaration,
        model: Model,
        session: Places,
        clock: Clock,
        rejected: Mapping[str, Sequence[tuple[str, str]]],
        progress: Callable[[str], None] = lambda _: None,
        memory: Memory | None = None,
    ) -> None:
        self.declaration, self.model, self.session, self.clock = declaration, model, session, clock
        self.memory = memory
        self.calendar: Calendar = clock.calendar
        self.rejected, self.progress = rejected, progress
        self._numbers = count(1)
        self._types: dict[str, dict[str, str]] = {}
        self._derived_types: dict[tuple[str, str], str] = {}
        self.rows = RowsBuilder(
            model, clock, {d: self._source(d) for d in model.datasets}, self.type_of, self._quarantining()
        )
        self.examiner = Examiner(declaration, model, session, self.rows, rejected)
        self.settling = Settling(declaration, model, clock)
        self.combining = Combining(model, session, self.examiner, self.settling)
        if memory is not None:
            memory.begin(model, session, self.rows, self._raw_types, rejected)
            self.examiner.known = memory.examined

    # --- tables ----------------------------------------------------------------------------------------------------------

    def _source(self, dataset: str) -> exp.Expr:
        """The dataset's table, or the union of its tables."""
        tables = [self.session.table(t.source, t.table) for t in self.declaration.datasets[dataset].tables]
        if len(tables) == 1:
            return tables[0]
        out: exp.Expr = _everything(tables[0])
        for table in tables[1:]:
            out = exp.Union(this=out, expression=_everything(table), distinct=False, by_name=True)
        return exp.Subquery(this=out)

    def _quarantining(self) -> set[str]:
        """Datasets whose sources set bad rows aside instead of failing."""
        out = set()
        for name, dataset in self.declaration.datasets.items():
            configs = [
                self.declaration.sources[t.source].config
                for t in dataset.tables
                if t.source in self.declaration.sources
            ]
            if any(c.get("on_bad_row") == "quarantine" for c in configs):
                out.add(name)
        return out

    def type_of(self, dataset: str, name: str) -> str:
        """The DuckDB type of a column, raw or derived."""
        derived = self.model.datasets[dataset].derived
        if name not in derived:
            return self._raw_types(dataset)[name]
        key = (dataset, name)
        if key not in self._derived_types:
            tables = self.rows.build({key}, visible=False)
            select = exp.Select(expressions=[column(name)]).from_(
                exp.to_identifier(tables.final[dataset], quoted=True), copy=False
            )
            self._derived_types[key] = self.session.types(tables.attach(select))[name]
        return self._derived_types[key]

    def types_of(self, dataset: str) -> dict[str, str]:
        """The DuckDB type of every column, the derived ones last."""
        derived = {name: self.type_of(dataset, name) for name in self.model.datasets[dataset].derived}
        return {**self._raw_types(dataset), **derived}

    def _raw_types(self, dataset: str) -> dict[str, str]:
        if dataset not in self._types:
            source = self._source(dataset)
            alias = exp.alias_(source, "t", table=True) if isinstance(source, exp.Subquery) else source
            self._types[dataset] = self.session.types(_everything(alias))
        return self._types[dataset]

    def examine_all(self) -> list[Problem]:
        """Types, keys and intervals of every dataset, used by a KPI or not; gives warnings. Raises ProblemsFound."""
        self.examine(sorted(self.model.datasets), measures_of(self.model, list(self.model.kpis.values())))
        return Changes(self.declaration, self.session, self.rows, self.clock.instant).check()

    def examine(self, datasets: Sequence[str], measures: Sequence[Measure]) -> None:
        """Types, keys and intervals of datasets, and of what measures on them rest on. Raises ProblemsFound."""
        columns = columns_behind(self.model, measures)
        for dataset in (self.model.datasets[name] for name in datasets):
            columns |= {(dataset.name, name) for name in ("", *dataset.key, *dataset.derived)}
        problems = TypeChecker(self.declaration, self.model, self.session, self.rows).check(measures, columns)
        if problems:
            raise ProblemsFound(problems)
        self.examiner.examine(datasets, measures)

    # --- the run ---------------------------------------------------------------------------------------------------------

    def compute(self, request: Request) -> Computed:
        """Raises ProblemsFound where the data breaks a promise or a number cannot be exact."""
        kpis = [self.model.kpis[name] for name in (*request.kpis, *request.behind)]
        measures = measures_of(self.model, kpis)
        columns = columns_of(self.model, request)
        datasets = sorted({dataset for dataset, _ in columns})
        self.progress("checking the data")
        problems = self._check_types(measures, columns)
        if problems:
            raise ProblemsFound(problems)
        self.examiner.examine(datasets, measures)
        planner = Planner(
            self.model, self.calendar, self.clock, self.examiner.coverage, self.settling.final_until
        )
        planned = [s for kpi in kpis for s in self._series(kpi, request)]
        for series in planned:
            planner.add(series)
        if self.memory is not None:
            self.memory.whose(planned)
        self._scan(planner.new_scans())
        out = Computed(tuple(request.kpis), quality=self.examiner.quality(datasets))
        for series, computed in zip(planned, self.combining.combine(planned, self.progress), strict=True):
            if series.for_alerts:
                out.alerts.append(computed)
            elif series.kpi.kpi.name in request.behind:
                out.behind.append(computed)
            else:
                out.series.append(self._with_top(series, computed, planner))
        rates = rates_table(self.declaration, self.session)
        out.listed = {
            name: listed(listing, self.rows, self.session, rates, self.declaration.datasets[listing.dataset])
            for name, listing in request.listings.items()
        }
        out.statements = dict(self.session.statements)
        out.measured, out.scanned = list(self.session.measured.values()), self.session.scanned
        out.warnings += self._unverified()
        newest = {quality.dataset: quality.last for quality in out.quality}
        out.warnings += stale(out.series, self.settling, newest, self.declaration)
        if self.memory is not None:
            out.notes, out.reuse = self.memory.notes(), self.memory.reuse()
        return out

    def _unverified(self) -> list[Problem]:
        """Every output says where figures come from a database that no test holds to the same numbers."""
        out = []
        for name, remote in self.session.remotes.items():
            if remote.dialect is not None and not remote.is_verified:
                message = f"figures are computed by {remote.dialect.title}, of which it is not verified that it gives the same numbers"
                place = self.declaration.sources[name].place.position()
                hint = "pushdown: auto has cadran compute them itself"
                out.append(Problem("unverified", message, place, f"sources.{name}", hint, "warning"))
        return out

    def _check_types(self, measures: Sequence[Measure], columns: Collection[Node]) -> Sequence[Problem]:
        checker = TypeChecker(self.declaration, self.model, self.session, self.rows)
        if self.memory is None:
            return checker.check(measures, columns)
        return self.memory.examined.types(measures, columns, lambda: checker.check(measures, columns))

    def _series(self, kpi: ResolvedKpi, request: Request) -> list[Series]:
        """What is output, and for each grain that alert rules look at, the history that they are replayed over."""
        out = []
        for grain in kpi.kpi.periods:
            asked = self._asked(kpi, grain, request)
            if asked:
                out.append(Series(kpi, grain, asked, 0))
            if any((r.rule.grain or finest(kpi.kpi.periods)) is grain for r in kpi.rules):
                history = self._history(kpi, grain)
                first = _first_judged(history, request.judged_since)
                out.append(Series(kpi, grain, history, first, for_alerts=True))
        return out

    def _asked(self, kpi: ResolvedKpi, grain: Grain, request: Request) -> list[Period]:
        if grain is Grain.ALL:
            return [self._all()]
        now = self.calendar.period(grain, self.clock.today)
        if kpi.kpi.name in request.behind:
            request = Request((), self.calendar.shift(now, 1 - request.behind[kpi.kpi.name]).start)
        until = self.calendar.period(grain, bounded(request.until)) if request.until else now
        since = (
            self.calendar.period(grain, bounded(request.since))
            if request.since
            else self.calendar.shift(until, 1 - _DEFAULT_PERIODS)
        )
        first, last = self._covered(kpi)
        if first is not None:
            since = max(since, self.calendar.period(grain, first), key=lambda p: p.start)
        until = min(until, self.calendar.period(grain, last), key=lambda p: p.start)
        return self.calendar.range(grain, since.start, until.start) if since.start <= until.start else []

    def _all(self) -> Period:
        return Period(Grain.ALL, BEGINNING, self.clock.today + dt.timedelta(days=1))

    def _covered(self, kpi: ResolvedKpi) -> tuple[dt.date | None, dt.date]:
        """The first day with a row behind the KPI, and the last that can have a value: today, or what lies ahead."""
        covered = [self.examiner.coverage(m) for m in self.settling.measures(kpi)]
        first = min((bounded(c.first) for c in covered if c.first is not None), default=None)
        return first, max([self.clock.today, *(bounded(c.last) for c in covered if c.ahead and c.last)])

    def _history(self, kpi: ResolvedKpi, grain: Grain) -> list[Period]:
        """All covered periods up to the clock: an alert may have stood for longer than any output shows."""
        if grain is Grain.ALL:
            return [self._all()]
        now = self.calendar.period(grain, self.clock.today)
        first, _ = self._covered(kpi)
        earliest = self.calendar.shift(now, 1 - _LONGEST_HISTORY)
        since = self.calendar.period(grain, first) if first is not None else now
        return self.calendar.range(grain, max(since.start, earliest.start), now.start) or [now]

    # --- scans -----------------------------------------------------------------------------------------------------------

    def _with_top(self, series: Series, computed: ComputedSeries, planner: Planner) -> ComputedSeries:
        """Segments with ``show: {top: n}``: the largest n values; the others computed again as one, or left out."""
        kept = top_values(series, computed.cells, self.declaration.segments)
        if not kept:
            return computed
        if any(self.declaration.segments[name].other for name in kept):
            again = Series(series.kpi, series.grain, series.periods, series.first, kept=kept)
            planner.add(again)
            if self.memory is not None:
                self.memory.whose([again])
            self._scan(planner.new_scans())
            (computed,) = self.combining.combine([again])
        hidden = {name for name in kept if not self.declaration.segments[name].other}
        computed.cells = [c for c in computed.cells if not _hidden(c, kept, hidden)]
        return computed

    def _scan(self, scans: Sequence[Scan]) -> None:
        """Makes the scans' tables, as far as possible of what earlier runs have kept."""
        keeper = self.memory.keeper if self.memory is not None else None
        if keeper is None:
            self._make_all(scans, self.rows)
            return
        for rows, some in keeper.missing(scans):
            self._make_all(some, rows)
        self._make_all(keeper.complete(scans), self.rows)

    def _make_all(self, scans: Sequence[Scan], rows: RowsBuilder) -> None:
        builder = ScanBuilder(
            rows,
            lambda name, dataset: self.model.dimensions[name, dataset],
            rates_table(self.declaration, self.session),
        )
        far = [s for s in scans if self._has_source(s.dataset)]
        near = [s for s in scans if not self._has_source(s.dataset)]
        pushed = self._pushed(far, builder) if self._several(far) or near else {}
        with self.session.asking({name: found for name, found in pushed.items() if found is not None}):
            here = self._laid_out(self._shared(near, builder) if self.sharing else near, builder)
            self._create([(s, select) for s, select in here if self.session.lies_here(select)], builder)
            left = [s for s in far if not self._at_its_source(s, builder, pushed)]
        here = [(s, select) for s, select in here if not self.session.lies_here(select)]
        here += self._laid_out(left, builder)
        if self.session.remotes:
            self.session.pull((select, self._reach(scan, select)) for scan, select in here)
        self._create(here, builder)

    def _create(self, here: Sequence[tuple[Scan, exp.Select]], builder: ScanBuilder) -> None:
        for index, (scan, select) in enumerate(here):
            self.progress(f"scanning {scan.dataset} ({index + 1} of {len(here)})")
            with self._blaming(scan, builder):
                self.session.create(scan.name, select)

    def _shared(self, near: Sequence[Scan], builder: ScanBuilder) -> list[Scan]:
        """Makes the scans that can share passes over rows that lie here; gives the others."""
        run = Run(
            builder, self.session, self.calendar, self.examiner.extent, self.examiner.rows_of, self._numbers
        )
        return share(run, near)

    def _laid_out(self, scans: Sequence[Scan], builder: ScanBuilder) -> list[tuple[Scan, exp.Select]]:
        """The scans' statements with their spans laid out, to be made here."""
        out = []
        for scan in scans:
            select = builder.build(scan)
            self._fill(scan, select)
            out.append((scan, select))
        return out

    def _units(self, scan: Scan) -> list[str]:
        """How spans may be cut at a source, the cheapest first."""
        return list(dict.fromkeys((unit_of(scan.grain, scan.timing, scan.spans, self.calendar), "")))

    def _several(self, far: Sequence[Scan]) -> bool:
        tables = (t for s in far for t in self.declaration.datasets[s.dataset].tables)
        return len({t.source for t in tables}) > 1

    def _pushed(self, far: Sequence[Scan], builder: ScanBuilder) -> dict[str, Pushed | None]:
        """By scan, what its source will be asked; None where it has to be made here."""
        return {
            scan.name: next(filter(None, (self._said(scan, builder, u) for u in self._units(scan))), None)
            for scan in far
        }

    def _said(self, scan: Scan, builder: ScanBuilder, unit: str) -> Pushed | None:
        """The scan's statement in its source's SQL, with spans cut in a unit."""
        scan.unit = unit
        with self._blaming(scan, builder):
            select = builder.build(scan)
            self._fill(scan, select)
            found = self.session.pushed(select, scan.name)
        if found is not None:
            self.progress(f"scanning {scan.dataset} at {found.remote.source}")
        return found

    def _at_its_source(self, scan: Scan, builder: ScanBuilder, pushed: Mapping[str, Pushed | None]) -> bool:
        """Whether the scan's source computes it. ``pushed`` is what sources are at already."""
        units = self._units(scan)
        if scan.name in pushed:
            found = pushed[scan.name]
            if found is None or self._taken(scan, found, builder):
                return found is not None
            units = units[units.index(scan.unit) + 1 :]
        said = (self._said(scan, builder, unit) for unit in units)
        return any(found is not None and self._taken(scan, found, builder) for found in said)

    def _taken(self, scan: Scan, found: Pushed, builder: ScanBuilder) -> bool:
        with self._blaming(scan, builder):
            return self.session.take(scan.name, found)

    @contextmanager
    def _blaming(self, scan: Scan, builder: ScanBuilder) -> Iterator[None]:
        try:
            yield
        except QueryError as error:
            raise ProblemsFound([self._blame(scan, builder, error)]) from error

    def _has_source(self, dataset: str) -> bool:
        return any(t.source in self.session.remotes for t in self.declaration.datasets[dataset].tables)

    def _fill(self, scan: Scan, select: exp.Expr) -> None:
        used = {c.name for c in select.find_all(exp.Column) if c.table == PERIOD} | {"span", "start", "stop"}
        rows, columns = span_rows(scan.spans, self.calendar), SPAN_COLUMNS
        if scan.unit:
            assert any(c.name == "unit" and c.table == PERIOD for c in select.find_all(exp.Column))
            rows, columns = (
                by_unit(rows, scan.spans, scan.unit, self.calendar),
                {**columns, "unit": "TIMESTAMP"},
            )
        self.session.fill(scan.spans_table, columns, rows, used)

    def _reach(self, scan: Scan, select: exp.Expr) -> tuple[Where, Reach] | None:
        return reach_of(scan, select, self.rows, self.declaration.datasets[scan.dataset].tables)

    def _blame(self, scan: Scan, builder: ScanBuilder, error: QueryError) -> Problem:
        """The measure that cannot be computed: each is tried alone. Raises OutOfRoom, which is no measure's fault."""
        if isinstance(error, OutOfRoom):
            raise error
        for measure in scan.measures:
            alone = Scan(
                scan.name, scan.dataset, scan.timing, scan.grain, scan.date, [measure], scan.sets, scan.spans
            )
            try:
                self.session.rows(builder.build(alone))
            except QueryError as found:
                origin = measure.origin
                return Problem(
                    "cannot-compute",
                    found.message,
                    origin.parsed.position(origin.node),
                    origin.subject,
                    hint_for(found.message),
                )
        place = self.declaration.datasets[scan.dataset].place.position()
        return Problem(
            "cannot-compute", error.message, place, f"datasets.{scan.dataset}", hint_for(error.message)
        )


def _hidden(cell: Cell, kept: Mapping[str, Sequence[str]], hidden: set[str]) -> bool:
    pairs = zip(cell.segment, cell.segment_value, strict=True)
    return any(name in hidden and value not in kept[name] for name, value in pairs)


def _first_judged(history: Sequence[Period], since: dt.date | None) -> int:
    """A segment value has an alert if it has rows from there on: as long as it has had some lately, if nothing else is asked."""
    if since is None:
        return max(len(history) - _LATELY, 0)
    return min(sum(period.start < since for period in history), len(history) - 1)


def bounded(day: dt.date) -> dt.date:
    """A day with room for a period on either side: placeholders such as 9999-12-31 stand for "ever"."""
    return min(max(day, EARLIEST), LATEST)


def _everything(table: exp.Expr) -> exp.Select:
    return exp.Select(expressions=[exp.Star()]).from_(table, copy=False)
