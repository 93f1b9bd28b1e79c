"""The whole flow, and the Python API: ``cadran.open("kpis.yaml").run(as_of=…)``.

Declare → formula → compute → judge; publishing is done with the :class:`Results` that a run returns.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cadran.declare.load import collector_off, load
from cadran.declare.model import Declaration
from cadran.declare.settings import mask
from cadran.plugins.manager import PluginManager
from cadran.problems import Problem, ProblemsFound, errors, in_order

if TYPE_CHECKING:
    from cadran.compute.engine import Computed, Request
    from cadran.compute.results import Results
    from cadran.compute.spans import Clock
    from cadran.formula.measures import Model

AsOf = dt.datetime | dt.date | str | None
Progress = Callable[[str], None]


def open(  # noqa: A001 - the name is the API: cadran.open(…)
    file: str | Path = "kpis.yaml",
    *,
    environ: Mapping[str, str] | None = None,
    allow_paths: Sequence[str | Path] = (),
) -> Project:
    """The project declared in ``file`` (or in the ``kpis.yaml`` of a folder). Nothing is read yet."""
    path = Path(file)
    path = path / "kpis.yaml" if path.is_dir() else path
    return Project(path, os.environ if environ is None else environ, tuple(Path(p) for p in allow_paths))


@dataclass(slots=True)
class Project:
    """One ``kpis.yaml``. ``environ`` is what ``${NAME}`` looks in."""

    file: Path
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    allow_paths: tuple[Path, ...] = ()
    _plugins: PluginManager | None = None

    @property
    def plugins(self) -> PluginManager:
        if self._plugins is None:
            self._plugins = PluginManager(self.environ)
        return self._plugins

    # --- checking ----------------------------------------------------------------------------------------------------

    def declaration(self) -> tuple[Declaration | None, list[Problem]]:
        """What the file says, and what is wrong with it before any formula is read."""
        return load(self.file, environ=self.environ, plugins=self.plugins, allow_paths=self.allow_paths)

    def check(self) -> list[Problem]:
        """Everything that is wrong and that can be known without reading rows, sorted by place."""
        return self._resolved(comparisons=False)[2]

    def check_data(self) -> list[Problem]:
        """What :meth:`check` finds, then what loading the data and examining all of it shows."""
        problems = self.check()
        if errors(problems):
            return problems
        try:
            self._examined()
        except ProblemsFound as found:
            return in_order([*problems, *found.problems])
        return problems

    def _examined(self) -> None:
        """Loads every dataset, used by a KPI or not, and examines it; then computes every KPI. Raises ProblemsFound."""
        from cadran.compute.embedded import Session
        from cadran.compute.engine import Engine, Request
        from cadran.compute.selection import choose
        from cadran.compute.sources import Sources

        declaration, model, _ = self.model()
        clock = clock_of(declaration, None)
        session = Session(str(declaration.calendar.zone))
        try:
            rejected = Sources(declaration, self.plugins).load(session, declaration.datasets, lambda _: None)
            session.lock()
            engine = Engine(declaration, model, session, clock, rejected)
            engine.examine_all()
            engine.compute(Request(choose(declaration, ())))
        except ProblemsFound as found:
            raise ProblemsFound(_masked(found.problems, declaration)) from found.__cause__
        finally:
            session.close()

    def model(self) -> tuple[Declaration, Model, list[Problem]]:
        """The checked project, with its warnings. Raises ProblemsFound."""
        declaration, model, problems = self._resolved()
        if declaration is None or model is None:
            raise ProblemsFound(problems)
        return declaration, model, problems

    def _resolved(
        self, *, comparisons: bool = True
    ) -> tuple[Declaration | None, Model | None, list[Problem]]:
        from cadran.compute.sources import Sources, all_columns
        from cadran.formula.resolve import resolve

        declaration, problems = self.declaration()
        if declaration is None:
            return None, None, in_order(problems)
        sources = Sources(declaration, self.plugins)
        with collector_off():
            model, found = resolve(declaration, all_columns(sources), comparisons=comparisons)
        sources.check_rates()
        problems = in_order(_masked([*problems, *sources.problems, *found], declaration))
        return declaration, None if errors(problems) else model, problems

    # --- running -----------------------------------------------------------------------------------------------------

    def run(
        self, kpis: Sequence[str] = (), *, as_of: AsOf = None, since: dt.date | None = None, until: dt.date | None = None,
        segment: Sequence[str] = (), full: bool = False, progress: Progress = lambda _: None,
    ) -> Results:  # fmt: skip
        """Computes and judges. ``as_of`` is the run's logical time (a date, a datetime or ISO text); a bare date means its first instant.

        ``kpis`` names KPIs, or tags as ``tag:NAME`` (default: all that are reported); ``segment`` keeps one segment
        (``channel``) or one of its values (``channel=paid``). ``full`` takes nothing from what earlier runs have kept.
        Raises ProblemsFound.
        """
        from cadran.compute.engine import Request
        from cadran.compute.selection import choose, with_segments

        declaration, model, warnings = self.model()
        names = with_segments(declaration, choose(declaration, kpis), segment)
        clock = clock_of(declaration, as_of)
        request = Request(names, since, until)
        computed = self._compute(declaration, model, clock, request, progress, full=full)
        return _judged(declaration, computed, clock, [*warnings, *computed.warnings], segment)

    def explain(self, kpi: str, *, as_of: AsOf = None) -> str:
        """How a KPI is computed: formula, measures, datasets, links, periods, and the SQL as it ran."""
        from cadran.compute.engine import Request
        from cadran.compute.selection import choose
        from cadran.publish.explain import explain

        declaration, model, warnings = self.model()
        names, clock = choose(declaration, [kpi]), clock_of(declaration, as_of)
        computed = self._compute(declaration, model, clock, Request(names), lambda _: None, record=True)
        return explain(declaration, model, names[0], _judged(declaration, computed, clock, warnings))

    def _compute(
        self, declaration: Declaration, model: Model, clock: Clock, request: Request, progress: Progress,
        *, record: bool = False, full: bool = False,
    ) -> Computed:  # fmt: skip
        from cadran.compute.embedded import Session
        from cadran.compute.engine import Engine
        from cadran.compute.keeping.memory import Memory
        from cadran.compute.plan import datasets_behind, measures_of
        from cadran.compute.sources import Sources

        behind = datasets_behind(model, measures_of(model, [model.kpis[n] for n in request.kpis]))
        session = Session(str(declaration.calendar.zone), record=record)
        sources = Sources(declaration, self.plugins)
        try:
            memory = Memory(declaration, session, sources, full=full)
            rejected = sources.load(session, behind, progress, memory.tables)
            session.lock(memory.folder)
            engine = Engine(declaration, model, session, clock, rejected, progress, memory)
            try:
                computed = engine.compute(request)
            finally:
                sources.check_unchanged(session)
            computed.warnings += memory.end(rejected)
            return computed
        except ProblemsFound as found:
            raise ProblemsFound(_masked(found.problems, declaration)) from found.__cause__
        finally:
            session.close()


def _judged(
    declaration: Declaration,
    computed: Computed,
    clock: Clock,
    warnings: Sequence[Problem],
    segment: Sequence[str] = (),
) -> Results:
    from cadran.compute.results import Results
    from cadran.compute.selection import check_values, kept
    from cadran.judge import compare

    calendar = declaration.calendar
    rows = [row for series in computed.series for row in compare.rows(series, calendar)]
    check_values(rows, segment)
    warnings = [*warnings, *(p for series in computed.series for p in compare.unseen_targets(series))]
    alerts = [alert for series in computed.alerts for alert in compare.alerts(series, calendar)]
    unmet = [
        Problem("expectation", finding, declaration.datasets[q.dataset].place.position(), f"datasets.{q.dataset}", "see whether the source is up to date", "warning")
        for q in computed.quality for finding in q.findings
    ]  # fmt: skip
    return Results(
        tuple(kept(rows, segment)), clock.instant.astimezone(calendar.zone), declaration, tuple(alerts),
        tuple(computed.quality), tuple(in_order([*warnings, *unmet])), computed.statements,
        tuple(computed.notes), tuple(computed.reuse),
    )  # fmt: skip


def clock_of(declaration: Declaration, as_of: AsOf) -> Clock:
    """The run's clock; a time without zone is in the calendar's."""
    from cadran.compute.spans import EARLIEST, LATEST, Clock

    calendar = declaration.calendar
    as_of = moment(as_of) if isinstance(as_of, str) else as_of
    day = as_of.date() if isinstance(as_of, dt.datetime) else as_of
    if day is not None and not EARLIEST <= day <= LATEST:
        hint = f"it lies between {EARLIEST} and {LATEST}"
        raise ProblemsFound([Problem("clock", f"a run cannot be of {day}", None, "", hint)])
    if as_of is None:
        instant = dt.datetime.now(calendar.zone)
    elif isinstance(as_of, dt.datetime):
        instant = as_of if as_of.tzinfo else as_of.replace(tzinfo=calendar.zone)
    else:
        instant = calendar.midnight(as_of)
    return Clock(instant, calendar)


def moment(text: str) -> dt.date | dt.datetime:
    """``2026-07-01``, or ``2026-07-01T09:30`` with or without an offset. Raises ProblemsFound."""
    try:
        return dt.date.fromisoformat(text) if len(text) == 10 else dt.datetime.fromisoformat(text)
    except ValueError:
        problem = Problem(
            "clock", f"'{text}' is not a date", None, "", "write 2026-07-01 or 2026-07-01T09:30"
        )
        raise ProblemsFound([problem]) from None


def _masked(problems: Sequence[Problem], declaration: Declaration) -> list[Problem]:
    """No value from the environment in a message."""
    if not declaration.secrets:
        return list(problems)
    hidden = declaration.secrets
    return [replace(p, message=mask(p.message, hidden), hint=mask(p.hint, hidden)) for p in problems]
