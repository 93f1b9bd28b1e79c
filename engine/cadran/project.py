"""The whole flow, and the Python API: ``cadran.open("kpis.yaml").run(as_of=…)``.

Declare → formula → compute → judge; publishing is done with the :class:`Results` that a run returns.
"""

from __future__ import annotations

import datetime as dt
import functools
import os
import socket
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cadran.declare.load import collector_off, load
from cadran.declare.model import RATES, AlertRule, Declaration
from cadran.declare.settings import mask
from cadran.plugins.manager import PluginManager
from cadran.problems import Problem, ProblemsFound, errors, in_order

if TYPE_CHECKING:
    from threading import Event

    from cadran.analysis.analyse import Analyses, Wanted
    from cadran.compute.cells.computed import Computed, Request
    from cadran.compute.engine import Engine
    from cadran.compute.examining.found import Found
    from cadran.compute.keeping.account import Line
    from cadran.compute.keeping.memory import Memory
    from cadran.compute.loading.sources import Sources
    from cadran.compute.results import Results
    from cadran.compute.spans import Clock
    from cadran.deliver.history import History
    from cadran.deliver.messages import Composer
    from cadran.deliver.telling import RunTold
    from cadran.deliver.work import Outcome as Performed
    from cadran.formula.measures import Model
    from cadran.judge.backtested import Backtest
    from cadran.plugins.connector import ConnectorError
    from cadran.state.store.store import Store
    from cadran.sync.outcome import Synced
    from cadran.testing.outcomes import Outcome

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
    """One ``kpis.yaml``. ``environ`` is what ``${NAME}`` looks in. Without ``syncing``, sources are not asked for what has changed."""

    file: Path
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    allow_paths: tuple[Path, ...] = ()
    syncing: bool = True
    _plugins: PluginManager | None = None
    _pinned: tuple[Declaration, list[Problem]] | None = field(default=None, repr=False)

    @property
    def plugins(self) -> PluginManager:
        if self._plugins is None:
            self._plugins = PluginManager(self.environ)
        return self._plugins

    # --- checking ----------------------------------------------------------------------------------------------------

    def declaration(self) -> tuple[Declaration | None, list[Problem]]:
        """What the file says, and what is wrong with it before any formula is read."""
        if self._pinned is not None:
            return self._pinned
        declaration, problems = load(
            self.file, environ=self.environ, plugins=self.plugins, allow_paths=self.allow_paths
        )
        return declaration, self._with_offers(problems, declaration)

    def _with_offers(self, problems: Sequence[Problem], declaration: Declaration | None) -> list[Problem]:
        if not any(problem.severity == "error" for problem in problems):
            return list(problems)
        from cadran.plugins.offered import with_offers

        naming = declaration is not None and bool(declaration.plugin_places)
        return with_offers(problems, self.plugins, naming=naming)

    def pinned(self) -> Project:
        """The project as its file is now: what happens to the file later changes nothing. Raises ProblemsFound where the
        file has errors, those in formulas included; a source that does not answer is none."""
        declaration, problems = replace(self, _pinned=None).declaration()
        if declaration is None or errors(problems):
            raise ProblemsFound(problems)
        pinned = replace(self, _plugins=self.plugins, _pinned=(declaration, problems))
        try:
            pinned.model()
        except ProblemsFound as found:
            if any(problem.code != "source" for problem in errors(found.problems)):
                raise
        return pinned

    def check(self) -> list[Problem]:
        """Everything that is wrong and that can be known without reading rows or asking a server, sorted by place."""
        try:
            with self._opened(asking=False, comparisons=False, files=True) as opened:
                return opened.problems
        except ProblemsFound as found:
            return found.problems

    def check_data(self) -> list[Problem]:
        """What :meth:`check` finds, then what loading the data and examining all of it shows."""
        return self.examine()[0]

    def examine(self) -> tuple[list[Problem], list[Found]]:
        """The problems of :meth:`check_data`, and what was found in each dataset (nothing where there are errors)."""
        known: list[Problem] = []
        try:
            with self._opened(comparisons=False, files=True) as opened:
                known = opened.problems
                found, warnings = self._examined(opened.checked())
                unwritten = opened.sources.remember()
                return in_order([*known, *warnings, *unwritten]), found
        except ProblemsFound as raised:
            return in_order([*known, *raised.problems]), []

    def _examined(self, opened: Opened) -> tuple[list[Found], list[Problem]]:
        """Loads every dataset, used by a KPI or not, and examines it; then computes every KPI. Raises ProblemsFound."""
        from cadran.compute.cells.computed import Request
        from cadran.compute.examining.found import found, unmet
        from cadran.compute.planning.selection import choose

        declaration = opened.declaration
        with self._engine(opened, clock_of(declaration, None), declaration.datasets) as engine:
            warnings = engine.examine_all()
            computed = engine.compute(Request(choose(declaration, ())))
            quality = engine.examiner.quality(list(opened.model.datasets))
            warnings += unmet(declaration, quality)
            if any(report.per for report in declaration.reports.values()):
                from cadran.deliver.addresses import unaddressed

                results = _judged(declaration, computed, clock_of(declaration, None), ())
                warnings += unaddressed(declaration, results, self.plugins)
            return found(engine, quality), warnings

    def model(self, *, files: bool = False) -> tuple[Declaration, Model, list[Problem]]:
        """The checked project, with its warnings; no server is asked. Raises ProblemsFound.

        With ``files``, those that reports and tests name are looked at as well.
        """
        with self._opened(asking=False, files=files) as opened:
            return opened.declaration, opened.checked().model, opened.problems

    @contextmanager
    def _opened(
        self, *, asking: bool = True, comparisons: bool = True, files: bool = False, apart: Collection[str] = (),
        amend: Callable[[Declaration], Declaration] = lambda declaration: declaration,
        syncing: bool = True, progress: Progress = lambda _: None,
    ) -> Iterator[Opened]:  # fmt: skip
        """The project resolved over its sources, which are closed behind it, also where something fails.

        ``amend`` changes what is declared, before any formula is read. Datasets that stand ``apart`` are not asked, and their columns
        taken on trust. Without ``asking``, columns of remote sources are those last seen; else what is stale is synced first, unless
        ``syncing`` is off. Raises ProblemsFound where nothing could be read.
        """
        from cadran.compute.loading.sources import all_columns, opened_sources
        from cadran.formula.resolve import resolve

        declaration, problems = self.declaration()
        if declaration is None:
            raise ProblemsFound(problems)
        declaration, syncing = amend(declaration), syncing and self.syncing
        failures: Mapping[str, ConnectorError] = {}
        if asking and not errors(problems) and self._syncs(declaration):
            from cadran.sync.outcome import failures as failed
            from cadran.sync.work import Syncs

            syncs = Syncs(declaration, self.plugins, progress=progress, stale=True)
            failures = failed(syncs.run()) if syncing and not apart else {}  # else a run before it has asked
            problems = [*problems, *(() if syncing else syncs.ages())]
        with opened_sources(declaration, self.plugins, asking=asking, failures=failures) as sources:
            sources.apart = frozenset(apart)
            with collector_off():
                model, found = resolve(declaration, all_columns(sources, apart), comparisons=comparisons)
            sources.check_rates()
            sources.remember()
            if files:
                problems = [*problems, *_named_files(declaration), *self._channel_faults(declaration)]
                said = {(p.code, str(p.where)) for p in problems}
                problems += [p for p in self._clashes(declaration) if (p.code, str(p.where)) not in said]
            problems = [*problems, *sources.findings(found), *found]
            problems = in_order(_masked(self._with_offers(problems, declaration), declaration))
            yield Opened(declaration, None if errors(problems) else model, problems, sources)

    def _syncs(self, declaration: Declaration) -> bool:
        """Whether the project has a source that is synced."""
        return any(self.plugins.synced(source.connector) for source in declaration.sources.values())

    def _clashes(self, declaration: Declaration) -> Iterator[Problem]:
        """The names of connectors and notifiers here that several plugins give."""
        for source in declaration.sources.values():
            if (found := self.plugins.clashing("connector", source.connector)) is not None:
                yield replace(found, where=source.place.child("connector").position())
        for channel in declaration.channels.values():
            if (found := self.plugins.clashing("notifier", channel.notifier)) is not None:
                yield replace(found, where=channel.place.child("notifier").position())

    def _channel_faults(self, declaration: Declaration) -> Iterator[Problem]:
        if declaration.channels:
            from cadran.deliver.channels import Channels

            yield from Channels(declaration, self.plugins.notifier).faults()

    # --- running -----------------------------------------------------------------------------------------------------

    def run(
        self, kpis: Sequence[str] = (), *, as_of: AsOf = None, since: dt.date | None = None, until: dt.date | None = None,
        segment: Sequence[str] = (), full: bool = False, counting: bool = False, progress: Progress = lambda _: None,
        analyses: Wanted | Literal["reports", "all"] | None = None, apart: Collection[str] = (), partial: bool = False, sync: bool = True,
    ) -> Results:  # fmt: skip
        """Computes and judges, and tells the listeners of the project's plugins. ``as_of`` is the run's logical time (a date, a datetime
        or ISO text); a bare date means its first instant.

        ``kpis`` names KPIs, or tags as ``tag:NAME`` (default: all that are reported); ``segment`` keeps one segment
        (``channel``) or one of its values (``channel=paid``). ``full`` takes nothing from what earlier runs have kept.
        ``counting`` has the results' ``scanned`` hold what statements read as well, and not only what sources sent.
        ``analyses`` are answered beside the KPIs, those named, those that the declared reports show, or all. What is wrong
        with datasets that stand ``apart`` does not matter to KPIs that do not rest on them. With ``partial``, a source that does not answer
        fails only the KPIs that need it: the results' ``failed`` say which and why. Without ``sync`` no synced source is asked
        for what has changed: warnings say how old its rows are. Raises ProblemsFound.
        """
        from cadran.deliver.telling import RunTold

        told = RunTold()
        try:
            found = self._ran(
                told, kpis, as_of=as_of, since=since, until=until, segment=segment, full=full, counting=counting, progress=progress,
                analyses=analyses, apart=apart, partial=partial, sync=sync,
            )  # fmt: skip
        except BaseException as error:
            told.failed(error)
            raise
        return told.finished(found)

    def _ran(
        self, told: RunTold, kpis: Sequence[str], *, as_of: AsOf, since: dt.date | None, until: dt.date | None, segment: Sequence[str],
        full: bool, counting: bool, progress: Progress, analyses: Wanted | Literal["reports", "all"] | None, apart: Collection[str],
        partial: bool = False, sync: bool,
    ) -> Results:  # fmt: skip
        if partial:
            from cadran.deliver.partly import partly

            run = functools.partial(self._ran, told, as_of=as_of, since=since, until=until, segment=segment, full=full, counting=counting, progress=progress, sync=sync)  # fmt: skip
            return partly(
                self, kpis, analyses, lambda names, wanted, apart: run(names, analyses=wanted, apart=apart)
            )
        from cadran.compute.cells.computed import Request
        from cadran.compute.planning.selection import choose, with_segments

        def asked_of(found: Declaration) -> tuple[Clock, list[str]]:
            names = with_segments(found, choose(found, kpis), segment)
            return clock_of(found, as_of), names

        with self._opened(apart=apart, syncing=sync, progress=progress) as opened:
            told.begin(opened.declaration, lambda: asked_of(opened.declaration))
            declaration = opened.checked().declaration
            clock, names = asked_of(declaration)
            request = Request(names, since, until)
            asked = opened.analyses(analyses, clock, apart)
            if asked is not None:
                request = replace(request, behind=asked.asking.behind, listings=asked.asking.listings)
            computed = self._compute(opened, clock, request, progress, full=full, counting=counting)
            answers = asked.answers(computed) if asked is not None else None
        results = _judged(declaration, computed, clock, [*opened.problems, *computed.warnings], segment)
        return replace(results, answers=answers)

    def sync(
        self, sources: Sequence[str] = (), *, full: bool = False, stale: bool = False, every: bool = False,
        now: Callable[[], dt.datetime] | None = None, progress: Progress = lambda _: None, log: Progress = lambda _: None,
        done: Progress = lambda _: None,
    ) -> list[Synced]:  # fmt: skip
        """Asks the synced sources for what has changed, and puts it into the project's copy; what became of each table.

        ``sources`` names sources, or tables as ``source.table`` (default: all that datasets use); ``every`` is all tables that a source has.
        ``full`` asks for all rows, ``stale`` only where the copy is older than ``max_age``. ``now`` is the clock, ``done`` hears of each
        table as soon as it has been read. Raises ProblemsFound.
        """
        from cadran.compute.loading import columns_seen
        from cadran.sync.work import Syncs

        declaration = self._whole()
        syncs = Syncs(declaration, self.plugins, now or _utc, progress, log, done, full, stale, every)
        outcomes = syncs.run(sources)
        columns_seen.add(declaration.folder, syncs.columns(), declaration.secrets)
        return outcomes

    def analyse(
        self, wanted: Wanted | Callable[[Declaration], Wanted], *, as_of: AsOf = None, progress: Progress = lambda _: None
    ) -> Results:  # fmt: skip
        """Answers to analyses alone; the results' ``answers`` hold them. ``wanted`` may depend on what is declared. A source that does
        not answer matters where they need it. Raises ProblemsFound."""
        from cadran.deliver.partly import around

        return around(self, lambda apart: self._analysed(wanted, as_of, progress, apart))

    def _analysed(
        self, wanted: Wanted | Callable[[Declaration], Wanted], as_of: AsOf, progress: Progress, apart: Collection[str]
    ) -> Results:  # fmt: skip
        from cadran.compute.cells.computed import Computed, Request

        with self._opened(apart=apart) as opened:
            declaration, clock = opened.checked().declaration, clock_of(opened.declaration, as_of)
            asked = opened.analyses(
                wanted(declaration) if callable(wanted) else wanted, clock, apart, whole=True
            )
            if asked is None:
                return _judged(declaration, Computed(), clock, opened.problems)
            request = Request((), behind=asked.asking.behind, listings=asked.asking.listings)
            computed = self._compute(opened, clock, request, progress)
            answers = asked.answers(computed)
        results = _judged(declaration, computed, clock, [*opened.problems, *computed.warnings])
        return replace(results, answers=answers)

    def test(self, names: Sequence[str] = (), *, kpis: Sequence[str] = ()) -> Iterator[Outcome]:
        """Runs the project's ``tests:`` one after the other: those called ``names`` (``*`` stands for anything), those
        about ``kpis``, or all. No source is asked for rows, and nothing is kept. Raises ProblemsFound where the project
        has errors, and for names that there are not."""
        from cadran.testing.bench import bench
        from cadran.testing.chosen import chosen
        from cadran.testing.kpi_tests import run_test

        with self._resolved() as (declaration, model, sources):
            tests = chosen(declaration, names, kpis)
            with bench(declaration, model, sources) as made:
                for test in tests:
                    yield run_test(made, test, declaration.unsaid)

    def backtest(
        self, kpi: str, rules: Callable[[Declaration], Sequence[AlertRule]], *, since: dt.date | None = None,
        until: dt.date | None = None, as_of: AsOf = None, given: Sequence[str] = (), name: str = "",
        progress: Progress = lambda _: None,
    ) -> tuple[Backtest, Results]:  # fmt: skip
        """Replays alert rules, written in the file or not, over the history of a KPI: what they would have done in the periods
        that begin from ``since`` to ``until``, and the run that they were replayed in. ``given`` says what a sweep has put into which
        under the ``name`` of its variable. Raises ProblemsFound.
        """
        from cadran.compute.cells.computed import Request
        from cadran.compute.spans import BEGINNING
        from cadran.testing.backtest import backtested, with_rules

        with self._opened(amend=lambda found: with_rules(found, kpi, rules(found))) as opened:
            declaration, clock = opened.checked().declaration, clock_of(opened.declaration, as_of)
            request = Request((kpi,), since=clock.today, judged_since=since or BEGINNING)
            computed = self._compute(opened, clock, request, progress)
            found = backtested(
                declaration,
                opened.model,
                computed,
                clock,
                kpi,
                since=since,
                until=until,
                given=given,
                name=name,
            )
        return found, _judged(declaration, computed, clock, [*opened.problems, *computed.warnings])

    def dependencies(self, *, every: bool = False) -> dict[str, tuple[str, ...]]:
        """By KPI with alert rules, or by all, the datasets behind it, and ``(rates)`` where amounts are converted; whether sources
        can be read does not matter, nor which columns there are. Raises ProblemsFound."""
        from cadran.compute.planning.plan import datasets_behind, measures_of

        try:
            with self._resolved() as (_, model, _):
                kpis = model.kpis
        except ProblemsFound:
            with self._resolved(trusting=True) as (_, model, _):
                kpis = model.kpis
        measures = {name: measures_of(model, [kpi]) for name, kpi in kpis.items() if kpi.rules or every}
        return {
            name: tuple(sorted({*datasets_behind(model, found), *(RATES for m in found if m.convert)}))
            for name, found in measures.items()
        }

    @contextmanager
    def _resolved(self, *, trusting: bool = False) -> Iterator[tuple[Declaration, Model, Sources]]:
        """The project without its data: a table that is not there has whatever columns are named, and each if ``trusting``.
        Raises ProblemsFound."""
        from cadran.compute.loading.sources import all_columns, opened_sources
        from cadran.formula.resolve import resolve

        declaration, problems = self.declaration()
        if declaration is None or errors(problems):
            raise ProblemsFound(problems)
        with opened_sources(declaration, self.plugins, asking=False) as sources:
            with collector_off():
                apart = declaration.datasets if trusting else ()
                model, found = resolve(declaration, all_columns(sources, apart))
            if model is None:
                found = self._with_offers([*problems, *found], declaration)
                raise ProblemsFound(in_order(_masked(found, declaration)))
            yield declaration, model, sources

    def store(self, declaration: Declaration) -> Store:
        """The store of the project's state, made if it is not there; to be closed by the caller. Raises StoreError, a
        ProblemsFound."""
        from cadran.state.store.store import StoreError, open_store

        settings = declaration.state
        try:
            return open_store(self._folder, settings.url, settings.schema)
        except StoreError as error:
            (problem,) = _masked(error.problems, declaration)
            where = settings.place.position() if settings.place is not None else None
            raise StoreError(problem.message, problem.hint, where) from None

    def perform(
        self,
        *,
        now: Callable[[], dt.datetime] | None = None,
        store: Store | None = None,
        host: str | None = None,
        trial: bool = False,
    ) -> Iterator[Performed]:
        """Does what is due, one outcome after the other, and puts its messages into the outbox; :meth:`send` sends them.

        ``now`` is the clock, ``host`` what runs call this machine. Any number of machines may do this at any time, over one
        store: each time of a job is done once. A ``trial`` writes no report into a folder; it goes with the ``store`` of
        :meth:`trial_store`. Raises ProblemsFound where the file has errors, or the store cannot be used.
        """
        from cadran.deliver.work import Work

        declaration = self._whole()
        composer = self._composer(declaration)
        with self._opened_store(declaration, store) as opened:
            work = Work(self, declaration, opened, composer, now or _utc, socket.gethostname() if host is None else host, trial)  # fmt: skip
            yield from work.perform()

    @contextmanager
    def trial_store(self, declaration: Declaration) -> Iterator[Store]:
        """A copy of the project's store that may be written to, and is gone afterwards. Raises StoreError."""
        from cadran.state.store.trial import copied

        settings = declaration.state
        with copied(self._folder, settings.url, settings.schema) as store:
            yield store

    def due(self, *, now: dt.datetime | None = None) -> list[tuple[str, dt.datetime]]:
        """Jobs that are due, and since when: what :meth:`perform` would do. A schedule that is new is seen from now on."""
        from cadran.deliver.jobs import jobs
        from cadran.deliver.turns import turns

        declaration = self._whole()
        with self._opened_store(declaration) as store, store.write() as c:
            found, _ = turns(c, jobs(declaration), now or _utc())
        return [(turn.job.name, turn.due.at) for turn in found]

    def send(
        self,
        *,
        now: Callable[[], dt.datetime] | None = None,
        store: Store | None = None,
        stop: Event | None = None,
    ) -> Counter[str]:
        """Sends what is due in the outbox; gives how many tries ended how: sent, retry, failed, unknown, lost."""
        from cadran.deliver import sender

        declaration, notifiers = self._whole(), self.plugins.notifier
        with self._opened_store(declaration, store) as opened:
            made = sender.sender_of(
                opened, declaration, notifiers, self._composer(declaration), now or _utc, stop=stop
            )
            return sender.send_due(made)

    def _composer(self, declaration: Declaration) -> Composer:
        from cadran.deliver.messages import Composer
        from cadran.resources import template_folders

        return Composer(declaration, self.plugins.notifier, template_folders(declaration.folder))

    def _whole(self) -> Declaration:
        """Raises ProblemsFound where the file has errors."""
        declaration, problems = self.declaration()
        if declaration is None or errors(problems):
            raise ProblemsFound(problems)
        return declaration

    @contextmanager
    def _opened_store(self, declaration: Declaration, store: Store | None = None) -> Iterator[Store]:
        """The project's store, closed behind it, or the one that is given, which stays open. Raises StoreError."""
        if store is not None:
            yield store
            return
        with closing(self.store(declaration)) as opened:
            yield opened

    def history(
        self, kpi: str, *, period: str = "", segment: Sequence[str] = (), known_at: AsOf = None
    ) -> History:
        """A KPI's recorded values as they were known at a time (a date is all of that day; None is now), every revision.

        ``period`` is a label (``2026-06``) or a grain (``month``), ``segment`` are ``NAME`` or ``NAME=VALUE``, several for a
        cross, none for the total. Nothing is computed, no source is asked, and nothing is made. Raises ProblemsFound.
        """
        from cadran.compute.planning.selection import choose
        from cadran.deliver.history import history
        from cadran.state.store.store import exists

        declaration = self._whole()
        name, *others = choose(declaration, [kpi])
        if others:
            hint = f"name one of them, such as {name}"
            raise ProblemsFound([Problem("one-kpi", f"'{kpi}' are several KPIs", None, "", hint)])
        known = None if known_at is None else _end_of(declaration, known_at)
        asked = (declaration, declaration.kpis[name], known, period, segment)
        if not exists(self._folder, declaration.state.url):
            return history(None, *asked)
        with self._opened_store(declaration) as store:
            return history(store, *asked)

    def cache(self) -> list[Line]:
        """What is kept of which KPI, so that its final periods are not computed again."""
        from cadran.compute.keeping.account import lines

        return lines(self._folder)

    def unread_cache(self) -> int:
        """The bytes that another version of cadran or of DuckDB has kept; this one does not use them."""
        from cadran.compute.keeping.account import unread

        return unread(self._folder)

    def clear_cache(self, kpis: Sequence[str] = ()) -> int:
        """Forgets what is kept, of all KPIs or of these; gives how many results that were. Raises ProblemsFound."""
        from cadran.compute.keeping.account import clear

        return clear(self._folder, kpis)

    @property
    def _folder(self) -> Path:
        return self.file.absolute().parent

    def explain(self, kpi: str, *, as_of: AsOf = None, analyze: bool = False) -> str:
        """How a KPI is computed: formula, measures, datasets, links, periods, and the SQL as it ran.

        ``analyze`` adds what each statement took: where it ran, seconds, rows and bytes.
        """
        from cadran.deliver.partly import around

        return around(self, lambda apart: self._explained(kpi, as_of, analyze, apart))

    def _explained(self, kpi: str, as_of: AsOf, analyze: bool, apart: Collection[str]) -> str:
        from cadran.analysis.analyse import Needed
        from cadran.compute.cells.computed import Request
        from cadran.compute.planning.selection import choose
        from cadran.publish.explain import explain

        with self._opened(apart=apart) as opened:
            declaration = opened.checked().declaration
            names, clock = choose(declaration, [kpi]), clock_of(declaration, as_of)
            if apart and not {*apart}.isdisjoint(self.dependencies(every=True)[names[0]]):
                raise Needed
            computed = self._compute(opened, clock, Request(names), lambda _: None, explained=True)
        judged = _judged(declaration, computed, clock, opened.problems)
        return explain(declaration, opened.model, names[0], judged, analyze=analyze)

    def _compute(
        self, opened: Opened, clock: Clock, request: Request, progress: Progress, *, full: bool = False, explained: bool = False,
        counting: bool = False,
    ) -> Computed:  # fmt: skip
        """Computes with what earlier runs have kept (unless ``full``), and keeps what is final for later ones."""
        from cadran.compute.keeping.memory import Memory
        from cadran.compute.planning.plan import columns_of

        model, memory = (
            opened.model,
            Memory(opened.declaration, opened.sources, full=full, taking=not explained),
        )
        behind = {dataset for dataset, _ in columns_of(model, request)}
        with self._engine(opened, clock, behind, progress, record=explained, counting=counting, memory=memory) as engine:  # fmt: skip
            computed = engine.compute(request)
            computed.warnings += memory.end()
            return computed

    @contextmanager
    def _engine(
        self, opened: Opened, clock: Clock, datasets: Iterable[str], progress: Progress = lambda _: None,
        *, record: bool = False, counting: bool = False, memory: Memory | None = None,
    ) -> Iterator[Engine]:  # fmt: skip
        """An engine over the loaded tables of the datasets. What is raised inside shows no secret."""
        from cadran.compute.engine import Engine
        from cadran.compute.loading.embedded import Session
        from cadran.compute.loading.room import room
        from cadran.compute.placing.places import Places, SourceFailed

        declaration = opened.declaration
        zone = str(declaration.calendar.zone)
        try:
            with (
                room(declaration) as settings,
                closing(
                    Session(
                        zone,
                        record=record,
                        counting=counting,
                        settings=settings,
                        functions=opened.model.functions,
                    )
                ) as session,
            ):
                tables = memory.tables_in(session) if memory is not None else None
                rejected, remotes = opened.sources.load(session, datasets, progress, tables)
                session.lock(memory.folder if memory is not None else None)
                places = Places(session, remotes)
                try:
                    yield Engine(declaration, opened.model, places, clock, rejected, progress, memory)
                finally:
                    opened.sources.check_unchanged(session)
        except SourceFailed as failed:
            problems = opened.sources.problems_of(failed.source, failed.error)
            raise ProblemsFound(_masked(problems, declaration)) from failed
        except ProblemsFound as found:
            raise ProblemsFound(_masked(found.problems, declaration)) from found.__cause__


class Opened:
    """A declared project over its opened sources, resolved as far as its ``problems`` allow."""

    def __init__(
        self, declaration: Declaration, model: Model | None, problems: list[Problem], sources: Sources
    ) -> None:
        self.declaration, self.problems, self.sources = declaration, problems, sources
        self._model = model

    def checked(self) -> Opened:
        """Itself; from here on there is a model. Raises ProblemsFound where there are errors."""
        if self._model is None:
            raise ProblemsFound(self.problems)
        return self

    def analyses(
        self, wanted: Wanted | Literal["reports", "all"] | None, clock: Clock, apart: Collection[str] = (), *, whole: bool = False
    ) -> Analyses | None:  # fmt: skip
        """What is asked beside KPIs, without what rests on datasets that stand ``apart`` (``whole``: raises Needed where something does);
        the model then holds what that rests on as well."""
        from cadran.analysis.analyse import Analyses, Needed, of_report, of_reports, without

        if isinstance(wanted, str):
            wanted = (
                of_reports(self.declaration) if wanted == "reports" else of_report(None, self.declaration)
            )
        if wanted and apart:
            asked_for, wanted = wanted, without(wanted, self.declaration, self.model, clock, frozenset(apart))
            if whole and wanted.count != asked_for.count:
                raise Needed
        if not wanted:
            return None
        asked = Analyses(wanted, self.declaration, self.model, clock)
        self._model = asked.asking.model
        return asked

    @property
    def model(self) -> Model:
        assert self._model is not None, "checked() comes first"
        return self._model


def _judged(
    declaration: Declaration,
    computed: Computed,
    clock: Clock,
    warnings: Sequence[Problem],
    segment: Sequence[str] = (),
) -> Results:
    from cadran.compute.examining.found import unmet
    from cadran.compute.planning.selection import check_values, kept
    from cadran.compute.results import Results
    from cadran.judge import compare, histories

    calendar = declaration.calendar
    rows = [row for series in computed.series for row in compare.rows(series, calendar)]
    check_values(rows, segment)
    warnings = [*warnings, *(p for series in computed.series for p in compare.unseen_targets(series))]
    judging = tuple(one for series in computed.alerts for one in histories.judging(series, calendar))
    alerts = [alert for one in judging if (alert := histories.standing(one)) is not None]
    warnings += unmet(declaration, computed.quality)
    return Results(
        tuple(kept(rows, segment)), clock.instant.astimezone(calendar.zone), declaration, tuple(alerts),
        tuple(computed.quality), tuple(in_order(_masked(warnings, declaration))), computed.statements, computed.kpis,
        tuple(note for note in computed.notes if note.kpi in declaration.kpis), tuple(computed.reuse), tuple(computed.measured), tuple(computed.scanned),
        judging=judging, judged={(s.kpi.kpi.name, str(s.grain)): histories.newest(s, calendar) for s in computed.alerts},
        rests={s.kpi.kpi.name: s.datasets for s in computed.alerts}, measured_on={s.kpi.kpi.name: s.measured for s in computed.series},
    )  # fmt: skip


def _named_files(declaration: Declaration) -> list[Problem]:
    """What is wrong with the files that reports and tests name; a filter that nobody knows may be that of a plugin that is broken."""
    lacking = any(section == "plugins" for section, _ in declaration.broken)
    return [p for p in _in_files(declaration) if not (lacking and p.message.startswith("No filter named "))]


def _in_files(declaration: Declaration) -> Iterator[Problem]:
    """Nothing is imported for a project that names none."""
    if declaration.added.filters or declaration.added.blocks:
        from cadran.publish.added import check

        yield from check(declaration)
    if any(report.template for report in declaration.reports.values()):
        from cadran.publish.report import check_templates
        from cadran.resources import template_folders

        yield from check_templates(declaration, template_folders(declaration.folder))
    if declaration.channels:
        from cadran.publish.letters.checking import check_letters, own_templates
        from cadran.resources import template_folders

        if own_templates(declaration):
            yield from check_letters(declaration, template_folders(declaration.folder))
    if any(given.file for test in declaration.tests.values() for given in test.given.values()):
        from cadran.testing.rows import check_files

        yield from check_files(declaration)


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


def _utc() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _end_of(declaration: Declaration, time: AsOf) -> dt.datetime:
    """An instant as it is; of a day the last one. Raises ProblemsFound."""
    time = moment(time) if isinstance(time, str) else time
    if time is None or isinstance(time, dt.datetime):
        return clock_of(declaration, time).instant
    following = clock_of(declaration, time + dt.timedelta(days=1)).instant
    return following - dt.timedelta(microseconds=1)


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
    """No value from the environment in a message, and no password from the file."""
    hidden = declaration.unsaid
    if not hidden:
        return list(problems)
    return [replace(p, message=mask(p.message, hidden), hint=mask(p.hint, hidden)) for p in problems]
