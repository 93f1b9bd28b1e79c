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

from cadran.calendar import Grain
from cadran.declare.load import load
from cadran.declare.model import Dataset, Declaration
from cadran.declare.settings import mask
from cadran.plugins.connector import Column, Connector, ConnectorError, Context
from cadran.plugins.manager import PluginManager
from cadran.problems import Problem, ProblemsFound, errors, in_order, suggest

if TYPE_CHECKING:
    from cadran.compute.embedded import Session
    from cadran.compute.engine import Computed, Request
    from cadran.compute.results import Results, Row
    from cadran.compute.spans import Clock
    from cadran.formula.measures import Model

AsOf = dt.datetime | dt.date | None


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
        return load(
            self.file, environ=self.environ, connectors=self.plugins.config_schema,
            connector_names=self.plugins.names, allow_paths=self.allow_paths,
        )  # fmt: skip

    def check(self) -> list[Problem]:
        """Everything that is wrong and that can be known without reading rows, sorted by place."""
        return self._resolved()[2]

    def model(self) -> tuple[Declaration, Model, list[Problem]]:
        """The checked project, with its warnings. Raises ProblemsFound."""
        declaration, model, problems = self._resolved()
        if declaration is None or model is None:
            raise ProblemsFound(problems)
        return declaration, model, problems

    def _resolved(self) -> tuple[Declaration | None, Model | None, list[Problem]]:
        from cadran.formula.resolve import resolve

        declaration, problems = self.declaration()
        if declaration is None:
            return None, None, in_order(problems)
        catalogue = _Catalogue(declaration, self.plugins)
        columns = {name: catalogue.columns(dataset) for name, dataset in declaration.datasets.items()}
        model, found = resolve(declaration, columns)
        problems = in_order(_masked([*problems, *catalogue.problems, *found], declaration))
        return declaration, None if errors(problems) else model, problems

    # --- running -----------------------------------------------------------------------------------------------------

    def run(
        self, kpis: Sequence[str] = (), *, as_of: AsOf = None, since: dt.date | None = None, until: dt.date | None = None,
        segment: Sequence[str] = (), progress: Callable[[str], None] = lambda _: None,
    ) -> Results:  # fmt: skip
        """Computes and judges. ``as_of`` is the run's logical time; a bare date means its first instant.

        ``kpis`` names KPIs, or tags as ``tag:NAME`` (default: all that are reported); ``segment`` keeps one segment
        (``channel``) or one of its values (``channel=paid``). Raises ProblemsFound.
        """
        return self._run(kpis, as_of, since, until, segment, progress, record=False)

    def _run(
        self, kpis: Sequence[str], as_of: AsOf, since: dt.date | None, until: dt.date | None, segment: Sequence[str],
        progress: Callable[[str], None], *, record: bool,
    ) -> Results:  # fmt: skip
        from cadran.compute.engine import Request
        from cadran.compute.results import Results
        from cadran.judge import compare

        declaration, model, warnings = self.model()
        chosen = _with_segments(model, choose(declaration, kpis), segment)
        clock = clock_of(declaration, as_of)
        computed = self._compute(
            declaration, chosen[0], clock, Request(chosen[1], since, until), progress, record
        )
        rows = [row for series in computed.series for row in compare.rows(series, declaration.calendar)]
        alerts = [
            alert for series in computed.series for alert in compare.alerts(series, declaration.calendar)
        ]
        return Results(
            tuple(_kept(rows, segment)), clock.instant.astimezone(declaration.calendar.zone), tuple(alerts),
            tuple(computed.quality), tuple(warnings), computed.statements,
        )  # fmt: skip

    def check_data(self) -> list[Problem]:
        """What :meth:`check` finds, then what loading the data and examining all of it shows."""
        problems = self.check()
        if errors(problems):
            return problems
        try:
            self.run(as_of=None)
        except ProblemsFound as found:
            return in_order([*problems, *found.problems])
        return problems

    def explain(self, kpi: str, *, as_of: AsOf = None) -> str:
        """How a KPI is computed: formula, measures, datasets, links, periods, and the SQL as it ran."""
        from cadran.publish.explain import explain

        declaration, model, _ = self.model()
        names = choose(declaration, [kpi])
        results = self._run(names, as_of, None, None, (), lambda _: None, record=True)
        return explain(declaration, model, names[0], results)

    def _compute(
        self, declaration: Declaration, model: Model, clock: Clock, request: Request,
        progress: Callable[[str], None], record: bool,
    ) -> Computed:  # fmt: skip
        from cadran.compute.embedded import Session
        from cadran.compute.engine import Engine

        session = Session(str(declaration.calendar.zone), record=record)
        try:
            rejected = self._load(declaration, model, request.kpis, session, progress)
            session.lock()
            engine = Engine(declaration, model, session, clock, rejected, progress)
            return engine.compute(request)
        except ProblemsFound as found:
            raise ProblemsFound(_masked(found.problems, declaration)) from found.__cause__
        finally:
            session.close()

    def _load(
        self,
        declaration: Declaration,
        model: Model,
        names: Sequence[str],
        session: Session,
        progress: Callable[[str], None],
    ) -> dict[str, list[tuple[str, str]]]:
        """Loads every table that the KPIs rest on; all sources' problems at once."""
        from cadran.compute.plan import datasets_behind, measures_of

        behind = datasets_behind(model, measures_of(model, [model.kpis[n] for n in names]))
        tables = {
            (t.source, t.table): t.place for d in sorted(behind) for t in declaration.datasets[d].tables
        }
        if declaration.rates is not None:
            tables[declaration.rates.table.source, declaration.rates.table.table] = (
                declaration.rates.table.place
            )
        catalogue = _Catalogue(declaration, self.plugins)
        rejected: dict[str, list[tuple[str, str]]] = {}
        problems: list[Problem] = []
        for source, table in tables:
            progress(f"loading {source}.{table}")
            try:
                connector = catalogue.connector(source)
                columns = catalogue.table(source, table)
                aside = session.load(source, table, connector.read(table), columns)
                rejected[f"{source}.{table}"] = [(r.place, r.reason) for r in aside]
            except ConnectorError as error:
                problems += catalogue.problems_of(source, error)
        if problems:
            raise ProblemsFound(problems)
        return rejected


class _Catalogue:
    """The tables and columns of the sources, each asked once."""

    def __init__(self, declaration: Declaration, plugins: PluginManager) -> None:
        self.declaration, self.plugins = declaration, plugins
        self.problems: list[Problem] = []
        self._connectors: dict[str, Connector] = {}
        self._tables: dict[str, dict[str, tuple[Column, ...]] | None] = {}
        self._unknown: set[tuple[str, str]] = set()

    def connector(self, source: str) -> Connector:
        if source not in self._connectors:
            declared = self.declaration.sources[source]
            found = self.plugins.connector(declared.connector)
            if isinstance(found, Problem):
                raise ConnectorError(found.message, hint=found.hint)
            config = {k: v for k, v in declared.config.items() if k != "connector"}
            context = Context(source, config, self.declaration.folder.resolve(), self.declaration.allow_paths)
            self._connectors[source] = found(context)
        return self._connectors[source]

    def table(self, source: str, name: str) -> Sequence[Column]:
        """The columns of one table. Raises ConnectorError."""
        tables = self.tables(source)
        assert tables is not None
        return tables[name]

    def tables(self, source: str) -> dict[str, tuple[Column, ...]] | None:
        """Table → columns of a source; None (and a problem, once) where it cannot say."""
        if source not in self._tables:
            try:
                self._tables[source] = {t.name: t.columns for t in self.connector(source).discover()}
            except ConnectorError as error:
                self._tables[source] = None
                self.problems += self.problems_of(source, error)
        return self._tables[source]

    def columns(self, dataset: Dataset) -> list[str] | None:
        """The columns of a dataset's tables, or None where they cannot be known; unknown tables are problems."""
        out: dict[str, None] = {}
        for ref in dataset.tables:
            if ref.source not in self.declaration.sources:
                return None
            tables = self.tables(ref.source)
            if tables is None:
                return None
            if ref.table not in tables:
                hint = suggest(ref.table, tables) or f"its tables are {', '.join(list(tables)[:8]) or 'none'}"
                self.problems.append(
                    Problem(
                        "unknown-table",
                        f"source '{ref.source}' has no table '{ref.table}'",
                        ref.place.position(),
                        f"datasets.{dataset.name}",
                        hint,
                    )
                )
                return None
            out.update(dict.fromkeys(c.name for c in tables[ref.table]))
        return list(out)

    def problems_of(self, source: str, error: ConnectorError) -> list[Problem]:
        """A connector's error as problems that point at the setting which is at fault."""
        place = self.declaration.sources[source].place
        for step in error.setting:
            place = place.child(step)
        try:
            where = place.position()
        except (KeyError, IndexError, TypeError):
            where = self.declaration.sources[source].place.position()
        head = Problem("source", error.message, where, f"sources.{source}", error.hint)
        return [head, *(Problem("source", line, where, f"sources.{source}") for line in error.more)]


def clock_of(declaration: Declaration, as_of: AsOf) -> Clock:
    """The run's clock; a time without zone is in the calendar's."""
    from cadran.compute.spans import Clock

    calendar = declaration.calendar
    if as_of is None:
        instant = dt.datetime.now(calendar.zone)
    elif isinstance(as_of, dt.datetime):
        instant = as_of if as_of.tzinfo else as_of.replace(tzinfo=calendar.zone)
    else:
        instant = calendar.midnight(as_of)
    return Clock(instant, calendar)


def choose(declaration: Declaration, asked: Sequence[str]) -> list[str]:
    """KPI names from names and ``tag:NAME``; all reported ones by default. Raises ProblemsFound."""
    reported = [k.name for k in declaration.kpis.values() if k.reported and k.periods]
    if not asked:
        return reported
    out: dict[str, None] = {}
    problems = []
    for name in asked:
        tagged = [
            k for k in reported if name == f"tag:{k}" or name.removeprefix("tag:") in declaration.kpis[k].tags
        ]
        if name.startswith("tag:") and tagged:
            out.update(dict.fromkeys(tagged))
        elif name in reported:
            out[name] = None
        else:
            problems.append(_not_reported(declaration, name, reported))
    if problems:
        raise ProblemsFound(problems)
    return list(out)


def _not_reported(declaration: Declaration, name: str, reported: Sequence[str]) -> Problem:
    if name.startswith("tag:"):
        tags = sorted({t for k in declaration.kpis.values() for t in k.tags})
        hint = suggest(name[4:], tags) or f"tags are {', '.join(tags) or 'none'}"
        return Problem("unknown-tag", f"no KPI has the tag '{name[4:]}'", None, "", hint)
    if name in declaration.kpis:
        return Problem(
            "not-reported",
            f"'{name}' is a building block without a period",
            None,
            "",
            "give it 'formula:' and 'period:' to report it",
        )
    return Problem(
        "unknown-kpi",
        f"unknown KPI '{name}'",
        None,
        "",
        suggest(name, reported) or f"KPIs are {', '.join(reported[:8])}",
    )


def _with_segments(model: Model, names: list[str], asked: Sequence[str]) -> tuple[Model, list[str]]:
    """The model, limited to the asked segments. A segment that no chosen KPI has is a problem."""
    if not asked:
        return model, names
    wanted = {text.partition("=")[0].strip() for text in asked}
    known = {s for n in names for segments in model.kpis[n].kpi.segments for s in segments}
    problems = [
        Problem(
            "unknown-segment",
            f"no chosen KPI has the segment '{s}'",
            None,
            "",
            suggest(s, known) or f"segments are {', '.join(sorted(known)) or 'none'}",
        )
        for s in sorted(wanted - known)
    ]
    if problems:
        raise ProblemsFound(problems)
    kept = [n for n in names if any(set(s) & wanted for s in model.kpis[n].kpi.segments)]
    return model, kept


def _kept(rows: list[Row], asked: Sequence[str]) -> list[Row]:
    """Rows of the asked segments: the total, and values that match."""
    if not asked:
        return rows
    wanted: dict[str, set[str]] = {}
    for text in asked:
        name, _, value = text.partition("=")
        wanted.setdefault(name.strip(), set()).update([value.strip()] if value else [])
    return [row for row in rows if not row.segment or _matches(row, wanted)]


def _matches(row: Row, wanted: Mapping[str, set[str]]) -> bool:
    values = dict(zip(row.segment, row.segment_value, strict=True))
    return set(values) <= set(wanted) and all(not wanted[n] or v in wanted[n] for n, v in values.items())


def _masked(problems: Sequence[Problem], declaration: Declaration) -> list[Problem]:
    """No value from the environment in a message."""
    if not declaration.secrets:
        return list(problems)
    return [
        replace(p, message=mask(p.message, declaration.secrets), hint=mask(p.hint, declaration.secrets))
        for p in problems
    ]


__all__ = ["Grain", "Project", "Request", "choose", "clock_of", "open"]
