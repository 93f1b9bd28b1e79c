"""One scan as it stands with what is kept: its definitions, the token of each result, and what was found of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from cadran.calendar import Grain
from cadran.compute.bounds import span_rows
from cadran.compute.keeping.definition import Definitions
from cadran.compute.keeping.reaching import Ground
from cadran.compute.keeping.tokens import LENIENT, Tokens
from cadran.compute.scanning.scan import Scan, Segments
from cadran.compute.spans import Clock, Span
from cadran.declare.model import Declaration
from cadran.formula.measures import Measure
from cadran.state.index import digest
from cadran.state.kept import Found, Kept

Result = tuple[int, Span]  # a measure, by its number in the scan, over a span


@dataclass(slots=True)
class Plan:
    """Measures are None where rows are merely counted."""

    scan: Scan
    measures: list[Measure | None]
    definitions: list[str]
    sets: list[tuple[Segments, str]]  # each with its definition
    keys: dict[Span, str]
    grounds: dict[tuple[int, int], Ground]  # by measure and set
    tokens: dict[tuple[int, int, Span], str | None] = field(default_factory=dict)
    found: dict[Result, list[Found]] = field(default_factory=dict)  # for all sets
    parts: list[Scan] = field(default_factory=list)  # what is made of it, where something was found
    numbers: dict[Measure | None, int] = field(init=False)
    asked: list[list[int]] = field(
        init=False
    )  # of each measure, the numbers of the sets that it is asked for

    def __post_init__(self) -> None:
        self.numbers = {measure: number for number, measure in enumerate(self.measures)}
        wanted = [self.scan.sets_of(measure) for measure in self.measures]
        self.asked = [[i for i, (s, _) in enumerate(self.sets) if s in sets] for sets in wanted]

    @property
    def results(self) -> list[Result]:
        return [(at, span) for at in range(len(self.measures)) for span in self.scan.spans]

    def of_set(self, result: Result) -> list[str | None]:
        """The tokens of a result, one for each set that is asked for."""
        return [self.tokens[result[0], number, result[1]] for number in self.asked[result[0]]]


class Planning:
    """Plans scans and looks up what there is of them."""

    def __init__(
        self, declaration: Declaration, clock: Clock, kept: Kept, definitions: Definitions, tokens: Tokens
    ) -> None:
        self.declaration, self.clock, self.kept = declaration, clock, kept
        self.definitions, self.tokens = definitions, tokens
        self._keys: dict[Span, str] = {}
        self._over: dict[tuple[str, Measure | None, Span], bool] = {}

    def plan(self, scan: Scan) -> Plan:
        measures: list[Measure | None] = [*scan.measures] or [None]
        sets, behind_sets = [], []
        for segments in scan.sets:
            said, behind = self.definitions.segments(scan.dataset, segments, scan.kept)
            sets.append((segments, said))
            behind_sets.append(behind)
        definitions, grounds = [], {}
        for at, measure in enumerate(measures):
            said, behind, other = self.definitions.measure(scan.dataset, measure, scan.timing, scan.date)
            definitions.append(said)
            for number, more in enumerate(behind_sets):
                both = (behind, more)
                grounds[at, number] = Ground(scan.dataset, scan.timing, scan.date, measure, both, other)
        plan = Plan(scan, measures, definitions, sets, self._keys_of(scan), grounds)
        all_time = scan.grain == str(Grain.ALL)
        for (at, number), ground in grounds.items():
            if number not in plan.asked[at]:
                continue
            for span in scan.spans:
                over = all_time or self._is_over(scan.dataset, measures[at], span)
                token = self.tokens.token(ground, span, all_time=all_time) if over else None
                plan.tokens[at, number, span] = token
        self._find(plan)
        return plan

    def _keys_of(self, scan: Scan) -> dict[Span, str]:
        """What a span is in SQL: its bounds in local time and as instants. ``all`` ends at the clock, wherever that stands."""
        if scan.grain == str(Grain.ALL):
            return dict.fromkeys(scan.spans, digest("all"))
        for span in scan.spans:
            if span not in self._keys:
                self._keys[span] = digest(span_rows({span: 0}, self.clock.calendar))
        return {span: self._keys[span] for span in scan.spans}

    def _is_over(self, dataset: str, measure: Measure | None, span: Span) -> bool:
        """Whether a span is over for good: ended, settled, and its cohort matured."""
        cohort = measure if measure is not None and measure.other is not None else None
        key = (dataset, cohort, span)
        if key not in self._over:
            self._over[key] = self._has_passed(dataset, cohort, span)
        return self._over[key]

    def _has_passed(self, dataset: str, cohort: Measure | None, span: Span) -> bool:
        if span.elapsed is not None or not self.clock.passed(span.end):
            return False
        calendar, names = self.clock.calendar, [dataset]
        waits = []
        if cohort is not None and cohort.other is not None:
            names.append(cohort.other.dataset)
            waits.append(cohort.other.window)
        waits += [wait for n in names if (wait := self.declaration.datasets[n].settle) is not None]
        end = calendar.midnight(span.end)
        return all(self.clock.instant >= calendar.after(end, wait) for wait in waits)

    # --- looking up ---------------------------------------------------------------------------------------------------

    def _find(self, plan: Plan) -> None:
        for at, span in plan.results:
            found = self._found(plan, at, span)
            if found:
                plan.found[at, span] = found

    def _found(self, plan: Plan, at: int, span: Span) -> list[Found] | None:
        out = []
        for number in plan.asked[at]:
            said, token = plan.sets[number][1], plan.tokens[at, number, span]
            one = self.kept.find(plan.definitions[at], said, plan.keys[span], token) if token else None
            if one is not None and token is not None and self._of_later(token, one):
                plan.tokens[at, number, span] = one = None
            if one is None:
                return None
            out.append(one)
        return out

    def _of_later(self, token: str, found: Found) -> bool:
        """Whether a result that rests on rows as they were is of a later clock: it is neither taken nor replaced."""
        return token.startswith(LENIENT) and dt.datetime.fromisoformat(found.clock) > self.clock.instant
