"""The layer around making scans: what is kept and still right is taken out of what must be made, and put back behind it.

Results are kept by measure, segment set and span, so that a scan made of old and new ones is the same table that one pass
over all rows gives.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from cadran.compute.keeping import pieces
from cadran.compute.keeping.narrow import Narrowing
from cadran.compute.keeping.planned import Plan, Planning, Result
from cadran.compute.keeping.tokens import LENIENT
from cadran.compute.loading.embedded import QueryError
from cadran.compute.placing.places import Places
from cadran.compute.results import Note, Reuse
from cadran.compute.scanning.rows import RowsBuilder
from cadran.compute.scanning.scan import Scan
from cadran.compute.spans import Span
from cadran.formula.measures import Measure
from cadran.state import durable

_MANY = 6  # files that one scan may be put together from, before they are made into one


class Keeper:
    """One run's. Without ``taking`` it only says what could be taken."""

    def __init__(
        self, session: Places, planning: Planning, narrowing: Narrowing, *, taking: bool = True
    ) -> None:
        self.session, self.planning, self.narrowing, self.taking = session, planning, narrowing, taking
        self.kept, self.tokens, self.clock = planning.kept, planning.tokens, planning.clock
        self.kpis: dict[tuple[str, Measure | None], set[str]] = {}  # (scan, measure) → whose it is
        self._plans: dict[str, Plan] = {}

    # --- before -------------------------------------------------------------------------------------------------------

    def missing(self, scans: Sequence[Scan]) -> Iterator[tuple[RowsBuilder, list[Scan]]]:
        """What is still to be made, and over which rows: the scans, or parts of them under other names."""
        found = []
        for scan in scans:
            plan = self._plans[scan.name] = self.planning.plan(scan)
            self._belong(plan)
            if plan.found and self.taking:
                plan.parts = list(self._parts(plan))
            for part in plan.parts if plan.found and self.taking else [scan]:
                own = {plan.numbers[measure] for measure in part.measures} or {0}
                grounds = [ground for (at, _), ground in plan.grounds.items() if at in own]
                found.append((part, grounds))
        return self.narrowing.batches(found)

    def _belong(self, plan: Plan) -> None:
        """Notes whose the results are that were found: a KPI may share those that another has left."""
        for (at, _), found in plan.found.items():
            for one in found:
                self.kept.belongs(one.held, self._whose(plan, at))

    def _parts(self, plan: Plan) -> Iterator[Scan]:
        """The scan without what was found, in as few passes as that takes."""
        scan = plan.scan
        by_spans: dict[tuple[Span, ...], list[int]] = {}
        for at in range(len(plan.measures)):
            spans = tuple(s for s in scan.spans if (at, s) not in plan.found)
            if spans:
                by_spans.setdefault(spans, []).append(at)
        for number, (spans, which) in enumerate(by_spans.items(), 1):
            measures = [m for at in which if (m := plan.measures[at]) is not None]
            numbers = {s: scan.spans[s] for s in spans}
            yield replace(scan, name=f"{scan.name}_{number}", measures=measures, spans=numbers)

    # --- behind -------------------------------------------------------------------------------------------------------

    def complete(self, scans: Sequence[Scan]) -> list[Scan]:
        """Puts scans together from what was kept and what was made. Returns those for which that failed: to be made whole."""
        failed = []
        for scan in scans:
            plan = self._plans[scan.name]
            if not plan.found or not self.taking:
                continue
            try:
                if not self._alike(plan):
                    raise QueryError("other types")
                self.session.create(scan.name, pieces.together(plan, self.kept))
            except QueryError:  # or a file has vanished since it was looked at
                plan.found, plan.parts = {}, []
                failed.append(scan)
        return failed

    def _alike(self, plan: Plan) -> bool:
        """Whether what was made has the types of what was kept; else one would be turned into the other."""
        types_of: dict[int, set[str]] = defaultdict(set)
        for (at, _), found in plan.found.items():
            types_of[at].update(one.held.type for one in found)
        for part in plan.parts:
            types = self.session.columns("temp", part.name)
            for here, measure in enumerate(part.measures):
                if types_of[plan.numbers[measure]] - {types[f"m{here}"]}:
                    return False
        return True

    # --- what was taken and what was made -----------------------------------------------------------------------------

    def reuse(self) -> list[Reuse]:
        return [self._reuse(plan, at) for plan in self._plans.values() for at in range(len(plan.measures))]

    def _reuse(self, plan: Plan, at: int) -> Reuse:
        made = tuple(s for s in plan.scan.spans if (at, s) not in plan.found)
        return Reuse(
            plan.scan.name, plan.scan.dataset, tuple(self._whose(plan, at)),
            tuple(s for s in plan.scan.spans if (at, s) in plan.found), made,
            tuple(s for s in made if None in plan.of_set((at, s))), self._untold(plan, at),
        )  # fmt: skip

    def _untold(self, plan: Plan, at: int) -> tuple[str, ...]:
        """The datasets behind a measure of which nothing tells whether rows have changed."""
        behind = {d for number in plan.asked[at] for d in plan.grounds[at, number].datasets}
        untold = (d for d in behind if self.tokens.parts.of(d) is None)
        return tuple(sorted(d for d in untold if self.tokens.restated_since(d) is None))

    def _whose(self, plan: Plan, at: int) -> list[str]:
        return sorted(self.kpis.get((plan.scan.name, plan.measures[at]), ()))

    def notes(self) -> list[Note]:
        """Which KPIs rest on the clock, so that nothing of them is kept, or have taken what rests on rows as they were."""
        notes: set[Note] = set()
        for plan in self._plans.values():
            for (at, number), ground in plan.grounds.items():
                if number not in plan.asked[at]:
                    continue
                for kpi in self._whose(plan, at):
                    notes |= {Note(kpi, "clock")} if ground.clock else set()
                    notes |= {
                        Note(kpi, "restate", dataset, since.date())
                        for dataset in ground.datasets
                        if (since := self.tokens.restated_since(dataset)) is not None
                        and self._has_old(plan, at)
                    }
        return sorted(notes, key=lambda n: (n.kpi, n.kind, n.dataset))

    def _has_old(self, plan: Plan, at: int) -> bool:
        """Whether a result was taken that may rest on rows which have changed since."""
        return any(
            (token := plan.tokens.get((at, number, span))) is not None and token.startswith(LENIENT)
            for measure, span in plan.found
            if measure == at
            for number in plan.asked[at]
        )

    # --- keeping ------------------------------------------------------------------------------------------------------

    def keep(self) -> None:
        """Writes what this run has made for good. Raises OSError or QueryError."""
        for plan in self._plans.values():
            fresh = self._fresh(plan)
            if fresh:
                self._write(plan, fresh)

    def _fresh(self, plan: Plan) -> Collection[Result]:
        """The results that this run made for good; all there are where they would otherwise lie in too many files."""
        possible = {r: None for r in plan.results if any(token is not None for token in plan.of_set(r))}
        fresh = {r: None for r in possible if r not in plan.found}
        files = {one.file for found in plan.found.values() for one in found}
        return possible if len(files) + bool(fresh) > _MANY else fresh

    def _write(self, plan: Plan, fresh: Collection[Result]) -> None:
        spans = list(dict.fromkeys(span for _, span in fresh))
        types = self.session.columns("temp", plan.scan.name)
        kpis = {at: self._whose(plan, at) for at in range(len(plan.measures))}
        said = pieces.piece(plan, fresh, types, kpis, self.kept.today, self.clock.instant.isoformat())
        self.kept.folder.mkdir(parents=True, exist_ok=True)
        part = durable.unfinished(self.kept.path("results"))
        try:
            self.session.write(pieces.table(plan, spans, types), part)
            self.kept.add(part, said)
        finally:
            part.unlink(missing_ok=True)
