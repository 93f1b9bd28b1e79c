"""A project over its opened sources: what it declares, resolved against the columns that there are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cadran.compute.loading.sources import Sources, all_columns, opened_sources
from cadran.declare.load import collector_off
from cadran.declare.model import RATES, Declaration
from cadran.declare.settings import masked
from cadran.formula.measures import Model
from cadran.formula.resolve import resolve
from cadran.plugins.offered import with_offers
from cadran.problems import Problem, ProblemsFound, errors, in_order
from cadran.project.declared import Declared

if TYPE_CHECKING:
    from cadran.plugins.connector import ConnectorError
    from cadran.plugins.manager import PluginManager

Progress = Callable[[str], None]


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

    @property
    def model(self) -> Model:
        assert self._model is not None, "checked() comes first"
        return self._model

    @model.setter
    def model(self, model: Model) -> None:
        self._model = model


@contextmanager
def opened(
    project: Declared, *, asking: bool = True, comparisons: bool = True, files: bool = False, apart: Collection[str] = (),
    amend: Callable[[Declaration], Declaration] = lambda declaration: declaration,
    syncing: bool = True, progress: Progress = lambda _: None,
) -> Iterator[Opened]:  # fmt: skip
    """The project resolved over its sources, which are closed behind it, also where something fails.

    ``amend`` changes what is declared, before any formula is read. Datasets that stand ``apart`` are not asked, and their columns
    taken on trust. Without ``asking``, columns of remote sources are those last seen; else what is stale is synced first, unless
    ``syncing`` is off. With ``files``, what the project names beside data is looked at as well. Raises ProblemsFound where nothing
    could be read.
    """
    declaration, problems = project.declaration()
    if declaration is None:
        raise ProblemsFound(problems)
    declaration, plugins = amend(declaration), project.plugins
    failures: Mapping[str, ConnectorError] = {}
    if asking and not errors(problems) and _syncs(declaration, plugins):
        from cadran.sync.outcome import failures as failed
        from cadran.sync.work import Syncs

        syncing = syncing and project.syncing
        syncs = Syncs(declaration, plugins, progress=progress, stale=True)
        failures = failed(syncs.run()) if syncing and not apart else {}  # else a run before it has asked
        failing = {name.partition(".")[0] for name in failures}
        problems = [*problems, *(() if syncing else syncs.ages()), *syncs.failed_before(apart, failing)]
    with opened_sources(declaration, plugins, asking=asking, failures=failures) as sources:
        sources.apart = frozenset(apart)
        with collector_off():
            model, found = resolve(declaration, all_columns(sources, apart), comparisons=comparisons)
        sources.check_rates()
        sources.remember()
        if files:
            from cadran.project.named import with_named

            problems = with_named(problems, declaration, plugins)
        problems = [*problems, *sources.findings(found), *found]
        problems = with_offers(problems, plugins, naming=bool(declaration.plugin_places))
        problems = in_order(masked(problems, declaration.unsaid))
        yield Opened(declaration, None if errors(problems) else model, problems, sources)


@contextmanager
def resolved(project: Declared, *, trusting: bool = False) -> Iterator[tuple[Declaration, Model, Sources]]:
    """The project without its data: a table that is not there has whatever columns are named, and each if ``trusting``.
    Raises ProblemsFound."""
    declaration, problems = project.declaration()
    if declaration is None or errors(problems):
        raise ProblemsFound(problems)
    with opened_sources(declaration, project.plugins, asking=False) as sources:
        with collector_off():
            apart = declaration.datasets if trusting else ()
            model, found = resolve(declaration, all_columns(sources, apart))
        if model is None:
            naming = bool(declaration.plugin_places)
            found = with_offers([*problems, *found], project.plugins, naming=naming)
            raise ProblemsFound(masked(found, declaration.unsaid))
        yield declaration, model, sources


def dependencies(project: Declared, *, every: bool = False) -> dict[str, tuple[str, ...]]:
    """By KPI with alert rules, or by all, the datasets behind it, and RATES where amounts are converted. Raises ProblemsFound."""
    from cadran.compute.planning.plan import datasets_behind, measures_of

    try:
        with resolved(project) as (_, model, _):
            kpis = model.kpis
    except ProblemsFound:
        with resolved(project, trusting=True) as (_, model, _):
            kpis = model.kpis
    measures = {name: measures_of(model, [kpi]) for name, kpi in kpis.items() if kpi.rules or every}
    return {
        name: tuple(sorted({*datasets_behind(model, found), *(RATES for m in found if m.convert)}))
        for name, found in measures.items()
    }


def _syncs(declaration: Declaration, plugins: PluginManager) -> bool:
    """Whether the project has a source that is synced."""
    return any(plugins.synced(source.connector) for source in declaration.sources.values())
