"""The layer around making scans: what is kept and still right is taken out of what must be made, and put back behind it.

Results are kept by measure, segment set and span, so that a scan made of old and new ones is the same table that one pass
over all rows gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from cadran.calendar import Grain
from cadran.compute.bounds import span_rows
from cadran.compute.embedded import QueryError, parquet
from cadran.compute.keeping.definition import Definitions
from cadran.compute.keeping.tokens import Ground, Tokens
from cadran.compute.lower import cast, column, number, text
from cadran.compute.places import Places
from cadran.compute.results import Note, Reuse
from cadran.compute.rows import RowsBuilder
from cadran.compute.scan import Scan, Segments, dim, label_of
from cadran.compute.spans import Clock, Span
from cadran.declare.model import Declaration
from cadran.formula.measures import Measure
from cadran.state import durable
from cadran.state.kept import Found, Held, Kept, Piece, digest

_MANY = 6  # files that one scan may be put together from, before they are made into one
_PLAIN = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "FLOAT",
    "DOUBLE",
    "DECIMAL",
)  # come back from Parquet as they went


_Number = tuple[int, int]  # of a span, in a file and in a scan


@dataclass(slots=True)
class _Plan:
    """One scan: its definitions, the token of each result, and what was found of it."""

    scan: Scan
    measures: list[Measure | None]
    definitions: list[str]
    sets: list[tuple[Segments, str]]
    keys: dict[Span, str]
    grounds: dict[tuple[int, int], Ground]
    tokens: dict[tuple[int, int, Span], str | None] = field(default_factory=dict)
    found: dict[tuple[int, Span], list[Found]] = field(default_factory=dict)
    parts: list[Scan] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Nothing of it was found."""
        return not self.found


class Keeper:
    """Not for runs that keep nothing: see :class:`Engine`."""

    def __init__(
        self,
        declaration: Declaration,
        session: Places,
        clock: Clock,
        kept: Kept,
        definitions: Definitions,
        tokens: Tokens,
        *,
        taking: bool = True,
    ) -> None:
        """Without ``taking`` it only says what could be taken."""
        self.taking = taking
        self.declaration, self.session, self.clock, self.kept = declaration, session, clock, kept
        self.definitions, self.tokens = definitions, tokens
        self.kpis: dict[tuple[str, Measure | None], set[str]] = {}  # (scan, measure) → whose it is
        self._plans: dict[str, _Plan] = {}
        self._clocked: set[tuple[str, Measure | None]] = set()

    # --- before -------------------------------------------------------------------------------------------------------

    def missing(self, scans: Sequence[Scan]) -> list[Scan]:
        """What is still to be made: the scans, or parts of them under other names."""
        return [part for scan in scans for part in self._missing(scan)]

    def _missing(self, scan: Scan) -> list[Scan]:
        plan = self._plan(scan)
        self._plans[scan.name] = plan
        self._find(plan)
        if plan.whole or not self.taking:
            return [scan]
        plan.parts = list(self._parts(plan))
        return plan.parts

    def _plan(self, scan: Scan) -> _Plan:
        measures: list[Measure | None] = [*scan.measures] or [None]
        grounds: dict[tuple[int, int], Ground] = {}
        definitions, sets = [], []
        for at, measure in enumerate(measures):
            said, behind, other = self.definitions.measure(scan.dataset, measure, scan.timing, scan.date)
            definitions.append(said)
            for number_, segments in enumerate(scan.sets):
                known, more = self.definitions.segments(scan.dataset, segments, scan.kept)
                if at == 0:
                    sets.append((segments, known))
                grounds[at, number_] = Ground(
                    scan.dataset, scan.timing, scan.date, measure, (behind, more), other
                )
        self._clocked |= {(scan.name, measures[at]) for (at, _), ground in grounds.items() if ground.clock}
        plan = _Plan(scan, measures, definitions, sets, self._keys(scan), grounds)
        for (at, number_), ground in grounds.items():
            for span in scan.spans:
                final = self._final(scan, measures[at], span)
                token = self.tokens.token(ground, span, all_time=_all_time(scan)) if final else None
                plan.tokens[at, number_, span] = token
        return plan

    def _keys(self, scan: Scan) -> dict[Span, str]:
        """What a span is in SQL: its bounds in local time and as instants. ``all`` ends at the clock, wherever that stands."""
        if _all_time(scan):
            return dict.fromkeys(scan.spans, digest("all"))
        return {span: digest(span_rows({span: 0}, self.clock.calendar)) for span in scan.spans}

    def _final(self, scan: Scan, measure: Measure | None, span: Span) -> bool:
        """Whether a span is over for good: ended, settled, and its cohort matured."""
        if _all_time(scan):
            return True
        if span.elapsed is not None or not self.clock.passed(span.end):
            return False
        names, calendar = [scan.dataset], self.clock.calendar
        end = calendar.midnight(span.end)
        if measure is not None and measure.other is not None:
            names.append(measure.other.dataset)
            if self.clock.instant < calendar.after(end, measure.other.window):
                return False
        waits = [w for n in names if (w := self.declaration.datasets[n].settle) is not None]
        return all(self.clock.instant >= calendar.after(end, wait) for wait in waits)

    def _find(self, plan: _Plan) -> None:
        for at, definition in enumerate(plan.definitions):
            for span in plan.scan.spans:
                found = []
                for number_, (_, known) in enumerate(plan.sets):
                    token = plan.tokens[at, number_, span]
                    one = self.kept.find(definition, known, plan.keys[span], token) if token else None
                    if one is None:
                        break
                    found.append(one)
                else:
                    plan.found[at, span] = found

    def _parts(self, plan: _Plan) -> Iterator[Scan]:
        """The scan without what was found, as few passes as that takes."""
        scan = plan.scan
        by_spans: dict[tuple[Span, ...], list[int]] = {}
        for at in range(len(plan.measures)):
            spans = tuple(s for s in scan.spans if (at, s) not in plan.found)
            if spans:
                by_spans.setdefault(spans, []).append(at)
        for number_, (spans, which) in enumerate(by_spans.items(), 1):
            measures = [m for at in which if (m := plan.measures[at]) is not None]
            numbers = {s: scan.spans[s] for s in spans}
            yield replace(scan, name=f"{scan.name}_{number_}", measures=measures, spans=numbers)

    # --- only the files that matter -----------------------------------------------------------------------------------

    def batches(self, scans: Sequence[Scan]) -> Iterator[tuple[RowsBuilder, list[Scan]]]:
        """Scans by whether all that they see lies within few files, each batch with the rows that it has to look at."""
        narrow: list[Scan] = []
        wide: list[Scan] = []
        needed: dict[str, set[int]] = {}
        for scan in scans:
            found = self._narrow(scan)
            if found is None:
                wide.append(scan)
            else:
                narrow.append(scan)
                for dataset, chunks in found.items():
                    needed.setdefault(dataset, set()).update(chunks)
        rows = self.definitions.rows
        if narrow:
            whole = {d for scan in narrow for d in self._wholly(scan)}
            sources = {d: self._few(d, chunks) for d, chunks in needed.items() if d not in whole}
            yield rows.over({d: source for d, source in sources.items() if source is not None}), narrow
        if wide:
            yield rows, wide

    def _narrow(self, scan: Scan) -> dict[str, set[int]] | None:
        """The parts that a scan sees of its own dataset (and of the one it looks for matches in); None if it may see any."""
        needed: dict[str, set[int]] = {}
        for ground in self._grounds(scan):
            for span in scan.spans:
                whole, reaches = self.tokens.reaches(ground, span)
                if scan.dataset in whole or any(r.lower is None for r in reaches):
                    return None
                for reach in reaches:
                    needed.setdefault(reach.dataset, set()).update(self.tokens.within(reach))
        return needed

    def _wholly(self, scan: Scan) -> set[str]:
        return {d for g in self._grounds(scan) for s in scan.spans for d in self.tokens.reaches(g, s)[0]}

    def _grounds(self, scan: Scan) -> list[Ground]:
        plan = next(p for p in self._plans.values() if p.scan is scan or any(s is scan for s in p.parts))
        return [
            ground
            for (at, _), ground in plan.grounds.items()
            if plan.measures[at] is None or plan.measures[at] in scan.measures
        ]

    def _few(self, dataset: str, numbers: set[int]) -> exp.Expr | None:
        """A dataset's rows of some files alone; None where that is no gain."""
        chunks, declared = self.tokens.parts.of(dataset) or (), self.declaration.datasets[dataset]
        in_place = all(self.session.files(t.source, t.table) for t in declared.tables)
        if not in_place or len(numbers) == len(chunks):
            return None
        return self.tokens.parts.source(dataset, [chunks[i] for i in sorted(numbers or {0})])

    # --- behind -------------------------------------------------------------------------------------------------------

    def complete(self, scans: Sequence[Scan]) -> list[Scan]:
        """Puts scans together from what was kept and what was made. Returns those for which that failed: to be made whole."""
        failed = []
        for scan in scans:
            plan = self._plans.get(scan.name)
            if plan is None or plan.whole or not self.taking:
                continue
            try:
                self.session.create(scan.name, self._together(plan))
            except QueryError:
                plan.found, plan.parts = {}, []
                failed.append(scan)
        return failed

    def _together(self, plan: _Plan) -> exp.Expr:
        scan = plan.scan
        pieces = [*self._kept_pieces(plan), *(self._made_piece(plan, part) for part in plan.parts)]
        heads = ["span", "segment", *(dim(n) for n in scan.names)]
        values = [f"{letter}{i}" for i in range(len(scan.measures)) for letter in "mn"]
        union: exp.Expr = pieces[0]
        for piece in pieces[1:]:
            union = exp.Union(this=union, expression=piece, distinct=False, by_name=True)
        anyone = [
            exp.alias_(exp.Anonymous(this="any_value", expressions=[column(v)]), v, quoted=True)
            for v in ("rows", *values)
        ]
        select = exp.Select(expressions=[*(column(h) for h in heads), *anyone])
        select = select.from_(exp.alias_(exp.Subquery(this=union), "pieces", table=True), copy=False)
        return select.group_by(*(column(h) for h in heads), copy=False)

    def _made_piece(self, plan: _Plan, part: Scan) -> exp.Expr:
        names = [f"by_{n}" for n in part.names]
        selects: list[exp.Expr] = [column(n) for n in ("span", "segment", *names, "rows")]
        for here, measure in enumerate(part.measures):
            there = plan.measures.index(measure)
            selects += [exp.alias_(column(f"{x}{here}"), f"{x}{there}", quoted=True) for x in "mn"]
        return exp.Select(expressions=selects).from_(exp.to_identifier(part.name, quoted=True), copy=False)

    def _kept_pieces(self, plan: _Plan) -> Iterator[exp.Expr]:
        """One SELECT for each file and group of measures that were found in it for the same spans and sets."""
        places: dict[tuple[str, int, str], list[_Number]] = {}  # file, measure, set
        held: dict[tuple[str, int], Held] = {}
        for (at, span), found in plan.found.items():
            for one in found:
                places.setdefault((one.file, at, one.label), []).append((one.number, plan.scan.spans[span]))
                held[one.file, at] = one.held
        alike: dict[tuple[str, str, tuple[_Number, ...]], list[int]] = {}
        for (file, at, label), numbers in places.items():
            alike.setdefault((file, label, tuple(sorted(numbers))), []).append(at)
        groups: dict[tuple[str, tuple[_Number, ...], tuple[int, ...]], list[str]] = {}
        for (file, label, spans), measures in alike.items():
            groups.setdefault((file, spans, tuple(measures)), []).append(label)
        for (file, spans, which), labels in groups.items():
            yield self._kept_piece(plan, file, {at: held[file, at] for at in which}, spans, labels)

    def _kept_piece(
        self, plan: _Plan, file: str, held: Mapping[int, Held], spans: Sequence[_Number], labels: Sequence[str]
    ) -> exp.Expr:  # fmt: skip
        names = {n for segments, _ in plan.sets if label_of(segments) in labels for n in segments}
        selects: list[exp.Expr] = [exp.alias_(column("span", "numbers"), "span", quoted=True)]
        selects += [
            column(n, "kept") for n in ("segment", *(dim(n) for n in plan.scan.names if n in names), "rows")
        ]
        for at, where in held.items():
            if where.value:
                value: exp.Expr = column(where.value, "kept")
                value = value if _plain(where.type) else cast(value, where.type)
                selects.append(exp.alias_(value, f"m{at}", quoted=True))
                selects.append(exp.alias_(column(where.behind, "kept"), f"n{at}", quoted=True))
        rows = [exp.Tuple(expressions=[number(str(a)), number(str(b))]) for a, b in spans]
        numbers = exp.Values(
            expressions=rows,
            alias=exp.TableAlias(this=exp.to_identifier("numbers"), columns=[exp.to_identifier(n) for n in ("there", "span")]),
        )  # fmt: skip
        source = exp.alias_(parquet([self.kept.path(file)]), "kept", table=True)
        on = exp.EQ(this=column("span", "kept"), expression=column("there", "numbers"))
        select = exp.Select(expressions=selects).from_(source, copy=False)
        select.append("joins", exp.Join(this=numbers, on=on))
        among = exp.In(this=column("segment", "kept"), expressions=[text(label) for label in labels])
        return select.where(among, copy=False)

    # --- what was taken and what was made -----------------------------------------------------------------------------

    def reuse(self) -> list[Reuse]:
        return [self._reuse(plan, at) for plan in self._plans.values() for at in range(len(plan.measures))]

    def _reuse(self, plan: _Plan, at: int) -> Reuse:
        scan = plan.scan
        made = tuple(s for s in scan.spans if (at, s) not in plan.found)
        return Reuse(
            scan.name, scan.dataset, tuple(sorted(self.kpis.get((scan.name, plan.measures[at]), ()))),
            tuple(s for s in scan.spans if (at, s) in plan.found), made,
            tuple(s for s in made if any(plan.tokens[at, n, s] is None for n in range(len(plan.sets)))),
        )  # fmt: skip

    def notes(self) -> list[Note]:
        """Which KPIs rest on the clock, so that nothing of them is kept."""
        clocked = {kpi for key in self._clocked for kpi in self.kpis.get(key, ())}
        return [Note(kpi, "clock") for kpi in sorted(clocked)]

    # --- keeping ------------------------------------------------------------------------------------------------------

    def keep(self) -> None:
        """Writes what this run has made for good. Raises OSError or QueryError."""
        for plan in self._plans.values():
            fresh = self._fresh(plan)
            if fresh:
                self._write(plan, fresh)

    def _fresh(self, plan: _Plan) -> dict[tuple[int, Span], None]:
        """The final results that this run made; all of them where they would otherwise lie in too many files."""
        possible = {
            (at, span): None
            for at in range(len(plan.measures))
            for span in plan.scan.spans
            if any(plan.tokens[at, number_, span] is not None for number_ in range(len(plan.sets)))
        }
        fresh = {key: None for key in possible if key not in plan.found}
        files = {one.file for found in plan.found.values() for one in found}
        return possible if len(files) + bool(fresh) > _MANY else fresh

    def _write(self, plan: _Plan, fresh: Mapping[tuple[int, Span], None]) -> None:
        scan = plan.scan
        spans = [s for s in scan.spans if any((at, s) in fresh for at in range(len(plan.measures)))]
        types = self.session.columns("temp", scan.name)
        self.kept.folder.mkdir(parents=True, exist_ok=True)
        part = durable.unfinished(self.kept.path("results"))
        try:
            self.session.write(self._table(plan, spans, types), part)
            self.kept.add(part, self._piece(plan, spans, fresh, types))
        finally:
            part.unlink(missing_ok=True)

    def _table(self, plan: _Plan, spans: Sequence[Span], types: Mapping[str, str]) -> exp.Expr:
        selects: list[exp.Expr] = []
        for name, kind in types.items():
            as_it_is = _plain(kind) or kind == "VARCHAR"
            node = column(name) if as_it_is else exp.alias_(cast(column(name), "VARCHAR"), name, quoted=True)
            selects.append(node)
        numbers = [number(str(plan.scan.spans[s])) for s in spans]
        select = exp.Select(expressions=selects).from_(
            exp.to_identifier(plan.scan.name, quoted=True), copy=False
        )
        return select.where(exp.In(this=column("span"), expressions=numbers), copy=False)

    def _piece(
        self, plan: _Plan, spans: Sequence[Span], fresh: Mapping[tuple[int, Span], None], types: Mapping[str, str]
    ) -> Piece:  # fmt: skip
        scan = plan.scan
        numbers = {scan.spans[s]: s for s in spans}
        size = max(numbers, default=-1) + 1
        tokens: list[list[str | None]] = []
        held: dict[str, Held] = {}
        for at, measure in enumerate(plan.measures):
            value = f"m{at}" if measure is not None else ""
            sets = {}
            for number_, (_, known) in enumerate(plan.sets):
                sets[known] = len(tokens)
                tokens.append([
                    plan.tokens[at, number_, numbers[i]] if i in numbers and (at, numbers[i]) in fresh else None
                    for i in range(size)
                ])  # fmt: skip
            kpis = sorted(self.kpis.get((scan.name, measure), ()))
            held[plan.definitions[at]] = Held(
                value, f"n{at}", types.get(value, ""), kpis, sets, self.kept.today
            )
        return Piece(
            "", 0, scan.dataset, scan.grain, self.kept.today,
            [plan.keys[numbers[i]] if i in numbers else "" for i in range(size)], held,
            {known: label_of(segments) for segments, known in plan.sets}, tokens,
        )  # fmt: skip


def _all_time(scan: Scan) -> bool:
    return scan.grain == str(Grain.ALL)


def _plain(kind: str) -> bool:
    return kind.split("(")[0] in _PLAIN
