"""The daemon: looks what is due, does it, sends, and waits for the next time. Whatever happens, it looks again.

It keeps nothing that the store does not have: ended at any moment and started again, or run twice, it goes on as if it had
not been. ``kpis.yaml`` is read again when it changes; while it has errors, the last one without them holds.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cadran.declare.settings import mask
from cadran.deliver.due import following
from cadran.deliver.jobs import Job, jobs
from cadran.deliver.sender import send_due, sender_of
from cadran.deliver.work import Work
from cadran.problems import Problem, ProblemsFound, errors
from cadran.state.store import retention
from cadran.state.store.trouble import StoreError
from cadran.state.store.watching import glance

if TYPE_CHECKING:
    from pathlib import Path

    from cadran.declare.model import Declaration
    from cadran.deliver.metrics import Metrics
    from cadran.deliver.work import Outcome
    from cadran.project import Project
    from cadran.state.store.store import Store

EVERY = 60.0  # seconds after which it looks at the latest: what is tried again, and files that changed, have no time of their own
LEAST = 1.0
_log = logging.getLogger("cadran.scheduler")


@dataclass(slots=True)
class Health:
    """What the scheduler says of itself. ``looked`` is when it last went through a look without an error."""

    looked: dt.datetime | None = None
    began: dt.datetime | None = None  # the look that is under way
    problem: str = ""  # of the last look, or of the file


@dataclass(slots=True)
class Scheduler:
    """``now`` is the clock; ``wait`` waits so many seconds, or less once ``stop`` is set."""

    project: Project
    metrics: Metrics
    now: Callable[[], dt.datetime]
    wait: Callable[[float], object]
    stop: threading.Event
    host: str = ""
    every: float = EVERY
    health: Health = field(default_factory=Health)
    _pinned: Project | None = None
    _seen: dict[Path, tuple[int, int] | None] = field(default_factory=dict)
    _store: Store | None = None
    _broken: str = ""  # what is wrong with the file as it is now

    def run(self) -> None:
        """Until ``stop`` is set. What was begun then comes to its end first. Raises ProblemsFound where the file has errors
        at the start, for then nothing was ever right."""
        self._reload()
        _log.info("started", extra={"jobs": [job.name for job in jobs(self.declaration)]})
        try:
            while not self.stop.is_set():
                seconds = self.look()
                if not self.stop.is_set():
                    self.wait(seconds)
        finally:
            self._close()
            _log.info("stopped")

    @property
    def declaration(self) -> Declaration:
        assert self._pinned is not None
        declaration, _ = self._pinned.declaration()
        assert declaration is not None
        return declaration

    def hidden(self) -> frozenset[str]:
        """What no line of the log may show."""
        return self.declaration.unsaid if self._pinned is not None else frozenset()

    def look(self) -> float:
        """Once: reloads, does what is due, sends. Gives for how many seconds there is nothing to do."""
        self.health.began, problem = self.now(), ""
        try:
            problem = self._reload()
            seconds = self._looked()
            self.health.looked = self.now()
        except StoreError as error:
            self.metrics.store_away()
            problem, seconds = self._told("the store cannot be used", error.problems), self.every
        except ProblemsFound as found:
            problem, seconds = self._told("nothing could be done", found.problems), self.every
        except Exception as error:
            _log.exception("a fault of cadran's own or of a plugin")
            problem, seconds = f"{type(error).__name__}: {error}", self.every
        self.health.began, self.health.problem = None, mask(problem, self.hidden())
        return seconds

    # --- one look ----------------------------------------------------------------------------------------------------

    def _looked(self) -> float:
        from cadran.deliver.messages import Composer
        from cadran.resources import template_folders

        assert self._pinned is not None
        project, declaration = self._pinned, self.declaration
        store = self._opened()
        composer = Composer(declaration, project.plugins.notifier, template_folders(declaration.folder))
        with closing(Work(project, declaration, store, composer, self.now, self.host).perform()) as outcomes:
            for outcome in outcomes:
                self._became(outcome)
                if self.stop.is_set():
                    return 0.0
        notifiers = project.plugins.notifier
        counts = send_due(sender_of(store, declaration, notifiers, composer, self.now, stop=self.stop))
        self.metrics.sent(counts)
        if counts:
            _log.info("sent", extra={"outcomes": dict(counts)})
        self._tidy(store)
        return self._until(store, jobs(declaration))

    def _became(self, outcome: Outcome) -> None:
        self.metrics.outcome(outcome)
        level = logging.WARNING if outcome.state in ("failed", "retry") else logging.INFO
        _log.log(level, "job", extra={
            "job": outcome.job, "logical_time": outcome.logical_time.isoformat(), "state": outcome.state, "late": outcome.late,
            "messages": outcome.messages, "seconds": round(outcome.seconds, 3), "reason": outcome.reason,
        })  # fmt: skip

    def _tidy(self, store: Store) -> None:
        """Once a day, whoever comes first."""
        done = retention.tidy(store, self.declaration.state.keep, self.now())
        if done is not None:
            _log.info("tidied", extra={"runs": done.runs, "observations": done.observations, "deliveries": done.deliveries})  # fmt: skip

    def _until(self, store: Store, planned: Sequence[Job]) -> float:
        """Seconds until something is due, or until it is looked again anyway. What is due already could not be done now."""
        now = self.now()
        with store.read() as c:
            seen = glance(c)
        self.metrics.looked(seen, {job.name for job in planned}, now.timestamp())
        times = [seen.due, *(following(job.schedule, now) for job in planned)]
        ahead = min((time - now for time in times if time is not None and time > now), default=dt.timedelta(days=1))  # fmt: skip
        return min(self.every, max(LEAST, ahead.total_seconds()))

    def _opened(self) -> Store:
        """The store, opened when it is first needed: it may be away when the scheduler starts."""
        if self._store is None:
            assert self._pinned is not None
            self._store = self._pinned.store(self.declaration)
        return self._store

    def _close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    # --- the file ----------------------------------------------------------------------------------------------------

    def _reload(self) -> str:
        """Reads the file where it has changed; gives what is wrong with it."""
        if self._pinned is not None and all(_stamp(path) == stamp for path, stamp in self._seen.items()):
            return self._broken
        first = self._pinned is None
        stamps = {path: _stamp(path) for path in self._seen or {self._file: None}}
        try:
            pinned = self.project.pinned()
        except ProblemsFound as found:
            if first:
                raise
            self._seen = stamps
            self.metrics.declared(False)
            self._broken = self._told(
                "kpis.yaml has errors, so the last one without them still holds", found.problems
            )
            return self._broken
        before = None if first else self.declaration.state
        self._pinned, self._broken = pinned, ""
        self._seen = {path: _stamp(path) for path in self._files()}
        self.metrics.declared(True)
        if not first:
            _log.info("kpis.yaml was read again")
            if self.declaration.state != before:
                self._close()
        return ""

    @property
    def _file(self) -> Path:
        return self.project.file.absolute()

    def _files(self) -> list[Path]:
        """The file and all that it includes."""
        folder = self._file.parent
        return list(
            dict.fromkeys(
                [self._file, *(folder / document.shown_as for document in self.declaration.documents)]
            )
        )

    def _told(self, message: str, problems: list[Problem]) -> str:
        texts = [mask(str(problem), self.hidden()) for problem in errors(problems)]
        _log.error(message, extra={"problems": texts})
        return f"{message}: {'; '.join(texts)}"


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size
