"""What a run tells the listeners of the project's plugins: that it begins, and what came of it."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cadran.declare.settings import mask
from cadran.plugins.listeners import KpiValue, RunFailed, RunFinished, RunStarted
from cadran.plugins.telling import Telling
from cadran.problems import Problem, ProblemsFound

if TYPE_CHECKING:
    from cadran.compute.results import Results, Row
    from cadran.compute.spans import Clock
    from cadran.declare.model import Declaration


def telling_of(declaration: Declaration) -> Telling:
    """The listeners of a project, with what they say kept free of its secrets."""
    return Telling(declaration.added.listeners, lambda text: mask(text, declaration.unsaid))


@dataclass(slots=True)
class RunTold:
    """One run. Nothing is told before :meth:`begin`, which is when it is known who listens."""

    _telling: Telling | None = None
    _declaration: Declaration | None = None
    _as_of: dt.datetime | None = None
    _began: float = field(default_factory=time.monotonic)
    _warnings: list[Problem] = field(default_factory=list)

    def begin(self, declaration: Declaration, asked: Callable[[], tuple[Clock, Sequence[str]]]) -> None:
        """Once, however often parts of the run are tried again. ``asked`` says as of when which KPIs are computed."""
        if not declaration.added.listeners or self._telling is not None:
            return
        self._telling, self._declaration = telling_of(declaration), declaration
        with suppress(ProblemsFound):  # which the run meets itself
            clock, kpis = asked()
            self._as_of = clock.instant.astimezone(declaration.calendar.zone)
            self._warnings += self._telling.tell(RunStarted(self._project, self._as_of, tuple(kpis)))

    def finished(self, results: Results) -> Results:
        """The results with the warnings about listeners that failed."""
        if self._telling is None:
            return results
        failures = tuple(f"{p.subject}: {p.message}" if p.subject else p.message for p in results.warnings)
        firing = sum(alert.state == "firing" for alert in results.alerts)
        event = RunFinished(
            self._project, results.as_of, self._seconds, _newest(results.rows), firing, failures
        )
        self._warnings += self._telling.tell(event)
        return replace(results, warnings=(*results.warnings, *self._warnings)) if self._warnings else results

    def failed(self, error: BaseException) -> None:
        if self._telling is None or self._declaration is None:
            return
        said = error.problems if isinstance(error, ProblemsFound) else ()
        failures = tuple(mask(p.message, self._declaration.unsaid) for p in said) or (type(error).__name__,)
        self._telling.log(RunFailed(self._project, self._as_of, self._seconds, failures))

    @property
    def _project(self) -> str:
        assert self._declaration is not None
        return str(self._declaration.file)

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._began


def _newest(rows: Sequence[Row]) -> tuple[KpiValue, ...]:
    """Of each KPI the newest final period of its total, whatever its grain."""
    found: dict[str, Row] = {}
    for row in rows:
        known = found.get(row.kpi)
        if row.segment or row.state != "final":
            continue
        if known is None or (row.period_end is not None and known.period_end is not None and row.period_end > known.period_end):  # fmt: skip
            found[row.kpi] = row
    return tuple(
        KpiValue(row.kpi, row.period, "" if row.value is None else str(row.value), row.status)
        for row in found.values()
    )
