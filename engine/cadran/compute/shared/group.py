"""The scans on one dataset and date: the tables that they share, and each scan's own table from those."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlglot import exp

from cadran.compute.loading.embedded import QueryError
from cadran.compute.lower import cast, column, named
from cadran.compute.scanning.entities import needs_two_steps
from cadran.compute.scanning.scan import Scan, dim
from cadran.compute.shared import filters, having, masks, quantiles
from cadran.compute.shared.attributes import split
from cadran.compute.shared.days import STRETCH, Days
from cadran.compute.shared.parts import Whole, conditions
from cadran.compute.shared.people import People
from cadran.compute.shared.ranges import ranges
from cadran.compute.shared.reduce import Cells, Reduction
from cadran.compute.shared.rollup import PERIOD_COLUMNS, Sheet, period_rows, rolled_up
from cadran.compute.shared.run import Run
from cadran.compute.shared.statements import Piece, beside, some
from cadran.compute.shared.timeline import Timeline, Unshareable
from cadran.compute.spans import Span
from cadran.formula.measures import Measure

_DISTINCT = frozenset({"count_distinct", "active"})
_MOVES = frozenset({"new", "retained", "lost"})
_WIDE = 4  # stretches
_FEW = 8  # rows for each count, at the least


def _in_period(measure: Measure) -> bool:
    found = conditions(measure.condition)
    return found is not None and bool(found[1])


class Group:
    """Scans of one dataset and date, of any grain."""

    def __init__(self, run: Run, scans: Sequence[Scan]) -> None:
        self.run, self.scans, self.dataset, self.date = run, scans, scans[0].dataset, scans[0].date
        self.builder, self.session = run.builder, run.session
        self.days = self._days()
        self.wholes: dict[Measure, tuple[str, Whole]] = {}  # the table of cells that holds a measure, and how
        self.cells: Cells | None = None
        self.sheets: dict[str, Sheet] = {}
        self.with_rows = [s for s in scans if not any(needs_two_steps(m) for m in s.measures)]
        self.people = People(
            self.builder, self.session, self.dataset, self.timeline, run.name, self._reduction, self._groups,
            run.rows(self.dataset),
        )  # fmt: skip

    @property
    def timeline(self) -> Timeline | None:
        return self.days.timeline if self.days is not None else None

    def _days(self) -> Days | None:
        dataset = self.builder.rows.model.datasets[self.dataset]
        date = self.date if self.date is not None else dataset.date
        if date is None:
            return None
        pairs = [(span, {m.function for m in scan.measures}) for scan in self.scans for span in scan.spans]
        timeline = Timeline(
            self.builder.rows.time_kind(self.dataset, date),
            (span for span, _ in pairs),
            self.run.calendar,
            neighbours=[span for span, functions in pairs if functions & {"retained", "lost"}],
            history=any("new" in functions for _, functions in pairs),
        )
        first, last = self.run.extent(self.dataset, self.date)
        if first is None or last is None:
            first = last = dt.date(2000, 1, 1)  # no rows, so any day will do
        within = [span for scan in self.scans if any(map(_in_period, scan.measures)) for span in scan.spans]
        return Days(self.run.name(f"{self.dataset}_days"), timeline, first, last, within=within)

    def _reduction(self, name: str, measures: Iterable[Measure], segments: Sequence[str]) -> Reduction:
        return Reduction(self.builder, name, self.scans[0], list(measures), segments, self.days)

    # --- what is shared -----------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """The table of days, the cells of all measures that add up, and the tables of entities."""
        if self.days is not None:
            self.days.make(self.session)
        if self.with_rows:
            self._make_cells(self.with_rows)
        for scan in self.scans:
            if any(m.function in _DISTINCT | _MOVES for m in scan.measures):
                self.people.add(scan)
        try:
            self.people.prepare()
        except (Unshareable, QueryError):
            self.people.places.clear()

    def _make_cells(self, scans: Sequence[Scan]) -> None:
        """One table of cells; measures that ask whether another date is in the span have theirs if spans overlap much."""
        apart = self.days is not None and self.days.widest > _WIDE
        measures = list(dict.fromkeys(m for scan in scans for m in scan.measures))
        inside = [m for m in measures if apart and _in_period(m)]
        filtered = filters.families(scans, self.run.kind)
        placed = self._filtered(scans, filtered)
        self.cells = self._cells(
            scans, [m for m in measures if m not in placed and not (apart and _in_period(m))]
        )
        if inside:
            self._cells([scan for scan in scans if set(scan.measures) & set(inside)], inside)

    def _filtered(self, scans: Sequence[Scan], families: Sequence[filters.Family]) -> set[Measure]:
        """Tables of cells for measures with very many filters, where these cells are far fewer than rows."""
        placed: set[Measure] = set()
        for family in families:
            cells = self._cells(scans, family.measures, family.names, family.atoms)
            rows = exp.Select(expressions=[exp.Count(this=exp.Star(), big_int=True)])
            rows = rows.from_(exp.table_(cells.name, db="temp", quoted=True), copy=False)
            if self.session.rows(rows)[0][0] * _FEW <= self.run.rows(self.dataset):
                placed.update(family.measures)
            else:
                self.session.drop([cells.name])
                for measure in family.measures:
                    self.wholes.pop(measure, None)
        return placed

    def _cells(
        self, scans: Sequence[Scan], measures: Sequence[Measure], names: Sequence[str] | None = None, atoms: Sequence[exp.Expr] = ()
    ) -> Cells:  # fmt: skip
        """One pass over the rows. ``names`` are the segments of the cells, all of the scans' unless said."""
        segments = list(
            names if names is not None else dict.fromkeys(n for scan in scans for n in scan.names)
        )
        cells = Cells(self._reduction(self.run.name(f"{self.dataset}_cells"), measures, segments), atoms)
        for measure in measures:
            try:
                self.wholes[measure] = cells.name, cells.add(measure, self.run.kind(measure))
            except Unshareable:
                continue
        self.session.create(cells.name, cells.select())
        return cells

    def _groups(self, segments: Sequence[str]) -> int | None:
        """How many cells these segments alone would make."""
        if self.cells is None or not set(segments) <= self.cells.reduction.raw.keys():
            return self.timeline.count if not segments and self.timeline is not None else None
        heads = [column(STRETCH), *(column(dim(s)) for s in segments)]
        inner = exp.Select(expressions=heads, distinct=exp.Distinct())
        inner = inner.from_(exp.table_(self.cells.name, db="temp", quoted=True), copy=False)
        count = exp.Select(expressions=[exp.Count(this=exp.Star(), big_int=True)])
        count = count.from_(exp.alias_(exp.Subquery(this=inner), "c", table=True), copy=False)
        return int(self.session.rows(count)[0][0])

    # --- each scan ----------------------------------------------------------------------------------------------------

    def make(self, scan: Scan) -> None:
        """The table of one scan. Raises Unshareable where it cannot share."""
        functions = {m.function for m in scan.measures}
        entities = bool(functions & (_DISTINCT | _MOVES))
        self._fill_periods(scan, masked=entities and self.people.has_masks(scan))
        if functions & _MOVES:
            self.session.create(scan.name, some(scan, self.people.counted(scan)))
        elif functions & _DISTINCT:
            self._beside_rows(scan, self.people.counted(scan), zero=True)
        elif "count_having" in functions:
            self.session.create(scan.name, some(scan, self._having(scan)))
        else:
            self._roll_up(scan)

    def _roll_up(self, scan: Scan) -> None:
        """From cells; what another table of cells holds, or no cells at all, comes beside it."""
        found = {measure: self._whole(measure) for measure in scan.measures}
        if any(whole.value is None for _, whole in found.values()):
            self._beside_rows(scan, self._from_rows(scan), zero=False)
            return
        pieces: dict[str, dict[int, Whole]] = {}
        for number, (table, whole) in enumerate(found.values()):
            if table != self._cells_name():
                pieces.setdefault(table, {})[number] = whole
        select = self._base(scan)
        if pieces:
            select = beside(scan, select, [self._piece(scan, *piece) for piece in pieces.items()])
        self.session.create(scan.name, select)

    def _base(self, scan: Scan) -> exp.Select:
        """What the cells hold of a scan."""
        sheet = self._sheet(scan)
        if sheet is not None:
            return sheet.of(scan)
        own = {
            i: whole
            for i, m in enumerate(scan.measures)
            for table, whole in [self._whole(m)]
            if table == self._cells_name()
        }
        return rolled_up(scan, self._cells_name(), own)

    def _sheet(self, scan: Scan) -> Sheet | None:
        """All scans of its grain at once, made for the first of them; None where it is the only one."""
        alike = [s for s in self.with_rows if (s.grain, s.kept) == (scan.grain, scan.kept)]
        if len(alike) < 2:
            return None
        if scan.grain not in self.sheets:
            measures = list(dict.fromkeys(m for s in alike for m in s.measures))
            own = {
                m: self.wholes[m][1] for m in measures if self.wholes.get(m, ("",))[0] == self._cells_name()
            }
            sets = list(dict.fromkeys(segments for s in alike for segments in s.sets))
            name = self.run.name(f"{self.dataset}_by_{scan.grain}")
            whole = Scan(
                name,
                self.dataset,
                scan.timing,
                scan.grain,
                scan.date,
                list(own),
                sets,
                dict(self.spans(scan.grain)),
                scan.kept,
            )
            self.session.fill(whole.spans_table, PERIOD_COLUMNS, period_rows(whole, self.timeline, {}))
            self.session.create(name, rolled_up(whole, self._cells_name(), dict(enumerate(own.values()))))
            numbers = {measure: number for number, measure in enumerate(own)}
            self.sheets[scan.grain] = Sheet(
                whole, numbers, [m for m, found in own.items() if found.value is None]
            )
        return self.sheets[scan.grain]

    def spans(self, grain: str) -> dict[Span, int]:
        """All spans of the scans of a grain, numbered."""
        return {
            s: n
            for n, s in enumerate(
                dict.fromkeys(s for scan in self.scans if scan.grain == grain for s in scan.spans)
            )
        }

    def _piece(self, scan: Scan, cells: str, wholes: dict[int, Whole]) -> Piece:
        name = self.run.name(f"{scan.name}_values")
        asked = {s for number in wholes for s in scan.sets_of(scan.measures[number])}
        few = replace(scan, sets=[s for s in scan.sets if s in asked])
        missing = [named(cast(exp.null(), "VARCHAR"), dim(n)) for n in scan.names if n not in few.names]
        self.session.create(name, rolled_up(few, cells, wholes).select(*missing, copy=False))
        return Piece(name, [f"{letter}{number}" for number in wholes for letter in "mn"])

    def _whole(self, measure: Measure) -> tuple[str, Whole]:
        if measure not in self.wholes:
            raise Unshareable
        return self.wholes[measure]

    def _cells_name(self) -> str:
        if self.cells is None:
            raise Unshareable
        return self.cells.name

    def _fill_periods(self, scan: Scan, *, masked: bool) -> None:
        columns, rows = dict(PERIOD_COLUMNS), period_rows(scan, self.timeline, self.spans(scan.grain))
        if masked:
            assert self.timeline is not None
            columns |= dict.fromkeys(masks.MASKS, masks.mask_type(self.timeline))
            for row, span in zip(rows, scan.spans, strict=True):
                row += masks.mask_row(self.timeline.of(span), self.timeline.before(span))
        self.session.fill(scan.spans_table, columns, rows)

    def _beside_rows(self, scan: Scan, values: exp.Select, *, zero: bool) -> None:
        """The scan's rows and rows behind from cells, the value from elsewhere."""
        if len(scan.measures) != 1:
            raise Unshareable
        cells, _ = self._whole(scan.measures[0])
        if cells != self._cells_name():
            raise Unshareable
        name = f"{scan.name}_values"
        self.session.create(name, values)
        self.session.create(
            scan.name, beside(scan, self._base(scan), [Piece(name, ["m0"], ["m0"] if zero else [])])
        )

    def _stretches(self, scan: Scan) -> str:
        name = f"{scan.name}_stretches"
        self.session.create(name, having.stretches_of(scan))
        return name

    def _from_rows(self, scan: Scan) -> exp.Select:
        if len(scan.measures) != 1:
            raise Unshareable
        if self._has_few_values(scan):
            name = self.run.name(f"{self.dataset}_values")
            self.session.create(
                name, quantiles.counted(self._reduction(name, scan.measures, scan.names), scan)
            )
            return quantiles.middle(scan, name)
        reduction = self._reduction(scan.name, scan.measures, scan.names)
        return quantiles.values(reduction, scan, self._stretches(scan))

    def _has_few_values(self, scan: Scan) -> bool:
        """Whether a median is over whole numbers, and counting each of them in each cell makes far fewer rows."""
        (measure,) = scan.measures
        if measure.function != "median" or measure.convert or measure.argument is None:
            return False
        found = ranges(self.builder.rows, self.session, self.dataset, [measure.argument])
        groups = self._groups(scan.names) if found else None
        return groups is not None and found[measure.argument].width * groups * _FEW <= self.run.rows(
            self.dataset
        )

    def _having(self, scan: Scan) -> exp.Select:
        (measure,) = scan.measures
        assert measure.argument is not None
        assert measure.having is not None
        stretches = self._stretches(scan)
        made: dict[tuple[str, ...], str] = {}
        found = []
        for segments in scan.sets:
            of = split(self.builder, self.dataset, measure.argument, segments)
            if of.own not in made:
                name = made[of.own] = self.run.name(f"{self.dataset}_having")
                reduction = self._reduction(name, [measure], of.own)
                self.session.create(name, having.entities(reduction, scan, measure, stretches))
            behind = self.people.behind(measure.argument, tuple(sorted(of.behind)), None) if of.behind else ""
            found.append((segments, made[of.own], of, behind))
        return having.counted(scan, found)
