"""Runs the ``tests:`` of a project: rows in, figures and alert states out, held against what is expected.

There is no second way to compute: a test's rows go through the engine of a run, with fewer KPIs.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from cadran.calendar import Grain
from cadran.compute.cells.computed import Request
from cadran.compute.examining.found import unmet
from cadran.compute.loading.embedded import QueryError
from cadran.compute.planning.plan import measures_of
from cadran.compute.results import Number
from cadran.compute.spans import Clock
from cadran.declare.document import Place
from cadran.declare.expectations import Expected, KpiTest
from cadran.declare.settings import mask
from cadran.formula.graph import Node
from cadran.formula.measures import Measure, Model
from cadran.problems import Problem, ProblemsFound, errors
from cadran.publish.explain import measure_named
from cadran.testing.bench import Bench
from cadran.testing.clock import clock_at, late_enough
from cadran.testing.compared import Cells, figures_missed, state_missed, states_missed
from cadran.testing.cut import Asked, asked, cut, measures_alone, with_kpis
from cadran.testing.elsewhere import at_their_rows
from cadran.testing.outcomes import Miss, Outcome
from cadran.testing.replayed import Replay
from cadran.testing.rows import texts


def run_test(bench: Bench, test: KpiTest, unsaid: Collection[str] = ()) -> Outcome:
    """Raises nothing: whatever goes wrong is missed. What is ``unsaid`` is in no message."""
    started = time.perf_counter()
    try:
        misses = _Run(bench, test).misses()
    except ProblemsFound as found:
        misses = [_unwanted(problem, test) for problem in _at_rows(found.problems, bench, test)]
    except QueryError as error:  # a figure that no type holds, for instance
        misses = [Miss(f"this cannot be computed: {error.message}", test.place.position())]
    seconds = time.perf_counter() - started
    if unsaid:
        misses = [replace(m, message=mask(m.message, unsaid), got=mask(m.got, unsaid)) for m in misses]
    where = Place(test.place.document, test.place.path, on_key=True).position()
    return Outcome(test.name, where, seconds, tuple(misses))


def _at_rows(problems: list[Problem], bench: Bench, test: KpiTest) -> list[Problem]:
    """The problems, at the given rows where these look like their cause."""
    try:
        given = {n: texts(g, bench.declaration.folder, bench.allowed) for n, g in test.given.items()}
    except ProblemsFound:  # no rows could be read, which the problems say
        return problems
    return at_their_rows(problems, given)


def _unwanted(problem: Problem, test: KpiTest) -> Miss:
    subject = f"{problem.subject}: " if problem.subject else ""
    hint = f"; {problem.hint}" if problem.hint else ""
    return Miss(f"{subject}{problem.message}{hint}", problem.where or test.place.position())


class _Run:
    """One test on the bench."""

    def __init__(self, bench: Bench, test: KpiTest) -> None:
        self.bench, self.test = bench, test
        self.calendar = bench.declaration.calendar

    def misses(self) -> list[Miss]:
        """Raises ProblemsFound where the rows cannot be computed, which the test did not ask for."""
        if self.test.values:
            return self._of_values()
        return self._of_problems() if self.test.problems else self._of_rows()

    def _of_values(self) -> list[Miss]:
        """Alerts over figures that are given."""
        try:
            found = Replay(self.bench.declaration, self.bench.model, self.bench.session, self.test).states()
        finally:
            self.bench.session.clear()
        pairs = [(expected, found[expected.rule, expected.period]) for expected in self.test.alerts]
        return [state_missed(self.test.kpi, one, state) for one, state in pairs if state != one.state]

    # --- figures, and alerts over them ---------------------------------------------------------------------------

    def _of_rows(self) -> list[Miss]:
        wanted = asked(self.test)
        model = cut(self.bench.model, wanted)
        with self.bench.filled(self.test, model, measures_of(model, list(model.kpis.values()))):
            return self._computed(model)

    def _computed(self, model: Model) -> list[Miss]:
        """Over rows that are there."""
        computed = self.bench.engine(model, self._clock()).compute(self._request(model))
        cells = Cells(computed.series, self.calendar)
        units = {name: kpi.kpi.unit for name, kpi in model.kpis.items()}
        missed = figures_missed(self.test.expected, cells, units, _Behind(self, model))
        return missed + states_missed(self.test.kpi, self.test.alerts, computed.alerts, self.calendar)

    def _clock(self) -> Clock:
        if self.test.as_of is not None:
            return clock_at(self.test.as_of, self.bench.declaration)
        wanted = [(e.kpi, e.period) for e in self.test.expected]
        wanted += [(self.test.kpi, e.period) for e in self.test.alerts]
        return late_enough(self.bench.declaration, self.bench.model, wanted)

    def _request(self, model: Model) -> Request:
        periods = [e.period for e in self.test.expected] + [e.period for e in self.test.alerts]
        days = [p for p in periods if p.grain is not Grain.ALL]
        if not days:
            return Request(list(model.kpis))
        return Request(list(model.kpis), min(p.start for p in days), max(p.last_day for p in days))

    def measures(self, model: Model, kpi: str) -> tuple[Mapping[str, str], Cells]:
        """Each measure of a KPI computed alone over the rows that are there; its text by the name that it has in the cells."""
        alone = measures_alone(model.kpis[kpi])
        cut_down = with_kpis(model, alone.values())
        series = self.bench.engine(cut_down, self._clock()).compute(self._request(cut_down)).series
        texts = {found.kpi.name: measure_named(model.leaves[n]) for n, found in alone.items()}
        return texts, Cells(series, self.calendar)

    # --- problems ------------------------------------------------------------------------------------------------

    def _of_problems(self) -> list[Miss]:
        """All that is wrong with the given rows has a name, and each name stands for something."""
        found: list[Problem] = []
        missed: list[Miss] = []
        try:
            missed = self._examined(found)
        except ProblemsFound as raised:
            found += raised.problems
            missed = [_nothing_came(expected) for expected in self.test.expected]
        return [*missed, *self._unnamed(found), *self._unfound(found)]

    def _examined(self, warnings: list[Problem]) -> list[Miss]:
        """The given datasets as ``check --data`` examines them, then what the test expects beside. Raises ProblemsFound."""
        wanted = asked(self.test)
        if self.test.kpi and self.test.kpi not in wanted:
            wanted[self.test.kpi] = Asked(self.bench.declaration.kpis[self.test.kpi].periods)
        model = cut(self.bench.model, wanted)
        given = sorted(n for n in self.test.given if n in model.datasets)
        on_them = self._measures_on(given)
        every = list(dict.fromkeys([*on_them, *measures_of(model, list(model.kpis.values()))]))
        with self.bench.filled(self.test, model, every, list(_all_of(model, given))):
            engine = self.bench.engine(model, self._clock())
            engine.examine(given, on_them)
            warnings += unmet(self.bench.declaration, engine.examiner.quality(given))
            return self._computed(model) if wanted else []

    def _measures_on(self, datasets: Sequence[str]) -> list[Measure]:
        """Of whatever KPI: their types and currencies are looked at. Those that walk elsewhere are not."""
        found = measures_of(self.bench.model, list(self.bench.model.kpis.values()))
        return [m for m in found if m.dataset in datasets]

    def _unnamed(self, found: Sequence[Problem]) -> Iterator[Miss]:
        for problem in errors(found):
            if not any(_names(text.value, problem) for text in self.test.problems):
                yield _unwanted(problem, self.test)

    def _unfound(self, found: Sequence[Problem]) -> Iterator[Miss]:
        for text in self.test.problems:
            if not any(_names(text.value, problem) for problem in found):
                said = "; ".join(p.message for p in found) or "nothing is wrong with the rows"
                yield Miss(f"expected a problem with '{text.value}', got: {said}", text.place.position(), expected=text.value, got=said)  # fmt: skip


def _names(text: str, problem: Problem) -> bool:
    return text.casefold() in problem.message.casefold() or text.casefold() in problem.code.casefold()


def _nothing_came(expected: Expected) -> Miss:
    message = f"{expected.kpi}, {expected.label}: expected {expected.figure.text.value}, but the rows cannot be computed"
    return Miss(message, expected.place.position(), expected.kpi, expected.label)


def _all_of(model: Model, datasets: Sequence[str]) -> Iterator[Node]:
    for name in datasets:
        dataset = model.datasets[name]
        yield from ((name, column) for column in ("", *dataset.key, *dataset.derived))


class _Behind:
    """The measures behind a figure, each KPI's computed once, and only where somebody asks."""

    def __init__(self, run: _Run, model: Model) -> None:
        self.run, self.model = run, model
        self._found: dict[str, tuple[Mapping[str, str], Cells]] = {}

    def __call__(self, one: Expected) -> tuple[tuple[str, Number | None], ...]:
        if one.kpi not in self._found:
            self._found[one.kpi] = self.run.measures(self.model, one.kpi)
        texts, cells = self._found[one.kpi]
        return tuple((text, cells.value(name, one.label, one.segment)) for name, text in texts.items())
