"""The Python API: ``cadran.open("kpis.yaml").run(as_of=…)``. What a method needs is imported where it is called."""

from __future__ import annotations

import datetime as dt
import os
import socket
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cadran.problems import Problem, ProblemsFound, errors
from cadran.project.clock import AsOf, utc
from cadran.project.declared import Declared

if TYPE_CHECKING:
    from threading import Event

    from cadran.analysis.analyse import Wanted
    from cadran.compute.examining.found import Found
    from cadran.compute.keeping.account import Line
    from cadran.compute.results import Results
    from cadran.declare.model import AlertRule, Declaration
    from cadran.deliver.history import History
    from cadran.deliver.messages import Composer
    from cadran.deliver.work import Outcome as Performed
    from cadran.formula.measures import Model
    from cadran.judge.backtested import Backtest
    from cadran.project.opened import Progress
    from cadran.state.store.store import Store
    from cadran.sync.outcome import Synced
    from cadran.testing.outcomes import Outcome


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
class Project(Declared):
    """One ``kpis.yaml``. ``environ`` is what ``${NAME}`` looks in. Without ``syncing``, sources are not asked for what has changed."""

    # --- checking ----------------------------------------------------------------------------------------------------

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
        from cadran.project.opened import opened

        try:
            with opened(self, asking=False, comparisons=False, files=True) as found:
                return found.problems
        except ProblemsFound as raised:
            return raised.problems

    def check_data(self) -> list[Problem]:
        """What :meth:`check` finds, then what loading the data and examining all of it shows."""
        return self.examine()[0]

    def examine(self) -> tuple[list[Problem], list[Found]]:
        """The problems of :meth:`check_data`, and what was found in each dataset (nothing where there are errors)."""
        from cadran.project.examining import examined

        return examined(self)

    def model(self, *, files: bool = False) -> tuple[Declaration, Model, list[Problem]]:
        """The checked project, with its warnings; no server is asked. Raises ProblemsFound.

        With ``files``, those that reports and tests name are looked at as well.
        """
        from cadran.project.opened import opened

        with opened(self, asking=False, files=files) as found:
            return found.declaration, found.checked().model, found.problems

    def dependencies(self, *, every: bool = False) -> dict[str, tuple[str, ...]]:
        """By KPI with alert rules, or by all, the datasets behind it, and ``(rates)`` where amounts are converted; whether sources
        can be read does not matter, nor which columns there are. Raises ProblemsFound."""
        from cadran.project.opened import dependencies

        return dependencies(self, every=every)

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
            from cadran.project.partly import partly
            from cadran.project.running import Run, ran

            run = Run(kpis, as_of, since, until, segment, full, counting, analyses, apart, sync, progress)
            results = partly(self, run, told) if partial else ran(self, run, told)
        except BaseException as error:
            told.failed(error)
            raise
        return told.finished(results)

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
        syncs = Syncs(declaration, self.plugins, now or utc, progress, log, done, full, stale, every)
        outcomes = syncs.run(sources)
        columns_seen.add(declaration.folder, syncs.columns(), declaration.secrets)
        return outcomes

    def analyse(
        self, wanted: Wanted | Callable[[Declaration], Wanted], *, as_of: AsOf = None, progress: Progress = lambda _: None
    ) -> Results:  # fmt: skip
        """Answers to analyses alone; the results' ``answers`` hold them. ``wanted`` may depend on what is declared. A source that does
        not answer matters where they need it. Raises ProblemsFound."""
        from cadran.project.partly import around
        from cadran.project.running import analysed

        return around(self, lambda apart: analysed(self, wanted, as_of, apart, progress))

    def explain(self, kpi: str, *, as_of: AsOf = None, analyze: bool = False) -> str:
        """How a KPI is computed: formula, measures, datasets, links, periods, and the SQL as it ran.

        ``analyze`` adds what each statement took: where it ran, seconds, rows and bytes.
        """
        from cadran.project.partly import around
        from cadran.project.questions import explained

        return around(self, lambda apart: explained(self, kpi, as_of, apart, analyze=analyze))

    def test(self, names: Sequence[str] = (), *, kpis: Sequence[str] = ()) -> Iterator[Outcome]:
        """Runs the project's ``tests:`` one after the other: those called ``names`` (``*`` stands for anything), those
        about ``kpis``, or all. No source is asked for rows, and nothing is kept. Raises ProblemsFound where the project
        has errors, and for names that there are not."""
        from cadran.project.opened import resolved
        from cadran.testing.bench import bench
        from cadran.testing.chosen import chosen
        from cadran.testing.kpi_tests import run_test

        with resolved(self) as (declaration, model, sources):
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
        from cadran.project.questions import replayed

        return replayed(self, kpi, rules, since, until, as_of, given, name, progress)

    # --- what lasts --------------------------------------------------------------------------------------------------

    def store(self, declaration: Declaration) -> Store:
        """The store of the project's state, made if it is not there; to be closed by the caller. Raises StoreError, a
        ProblemsFound."""
        from cadran.project.remembered import store_of

        return store_of(self._folder, declaration)

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
        from cadran.project.remembered import opened_store

        declaration = self._whole()
        with opened_store(self._folder, declaration) as store, store.write() as c:
            found, _ = turns(c, jobs(declaration), now or utc())
        return [(turn.job.name, turn.due.at) for turn in found]

    def perform(
        self, *, now: Callable[[], dt.datetime] | None = None, store: Store | None = None, host: str | None = None, trial: bool = False
    ) -> Iterator[Performed]:  # fmt: skip
        """Does what is due, one outcome after the other, and puts its messages into the outbox; :meth:`send` sends them.

        ``now`` is the clock, ``host`` what runs call this machine. Any number of machines may do this at any time, over one
        store: each time of a job is done once. A ``trial`` writes no report into a folder; it goes with the ``store`` of
        :meth:`trial_store`. Raises ProblemsFound where the file has errors, or the store cannot be used.
        """
        from cadran.deliver.work import Work
        from cadran.project.remembered import opened_store

        declaration = self._whole()
        composer, host = self._composer(declaration), socket.gethostname() if host is None else host
        with opened_store(self._folder, declaration, store) as opened:
            yield from Work(self, declaration, opened, composer, now or utc, host, trial).perform()

    def send(
        self, *, now: Callable[[], dt.datetime] | None = None, store: Store | None = None, stop: Event | None = None
    ) -> Counter[str]:  # fmt: skip
        """Sends what is due in the outbox; gives how many tries ended how: sent, retry, failed, unknown, lost."""
        from cadran.deliver.sender import send_due, sender_of
        from cadran.project.remembered import opened_store

        declaration, notifiers = self._whole(), self.plugins.notifier
        with opened_store(self._folder, declaration, store) as opened:
            composer = self._composer(declaration)
            return send_due(sender_of(opened, declaration, notifiers, composer, now or utc, stop=stop))

    def _composer(self, declaration: Declaration) -> Composer:
        from cadran.deliver.messages import Composer
        from cadran.resources import template_folders

        return Composer(declaration, self.plugins.notifier, template_folders(declaration.folder))

    def history(
        self, kpi: str, *, period: str = "", segment: Sequence[str] = (), known_at: AsOf = None
    ) -> History:
        """A KPI's recorded values as they were known at a time (a date is all of that day; None is now), every revision.

        ``period`` is a label (``2026-06``) or a grain (``month``), ``segment`` are ``NAME`` or ``NAME=VALUE``, several for a
        cross, none for the total. Nothing is computed, no source is asked, and nothing is made. Raises ProblemsFound.
        """
        from cadran.project.remembered import recorded

        return recorded(self._folder, self._whole(), kpi, period, segment, known_at)

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
