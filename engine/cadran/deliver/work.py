"""What is due is done: computed, judged, rendered, and put into the outbox in one transaction with the claim of its time.

It may be called at any moment, by any number of machines. What cannot be done yet, as its data is not there, stays due.
"""

from __future__ import annotations

import datetime as dt
import itertools
import logging
import secrets
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from cadran.declare.settings import mask
from cadran.deliver import alerting
from cadran.deliver.computing import Computed, computed
from cadran.deliver.due import GRACE, Due
from cadran.deliver.jobs import jobs
from cadran.deliver.made import Made, failing, reported
from cadran.deliver.post import Alerts, Claim, post
from cadran.deliver.turns import Lost, Turn, behind, free, tried, turns
from cadran.problems import Problem, ProblemsFound
from cadran.state.store import runs
from cadran.state.store.trouble import StoreError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from cadran.compute.results import Results
    from cadran.declare.model import Declaration
    from cadran.deliver.broken import Broken
    from cadran.deliver.messages import Composer, Outgoing
    from cadran.judge.notices import Notice
    from cadran.project import Project
    from cadran.state.store.store import Store

#: Under this name go messages about alerts that were held back, or are said again, between two judgings.
NOTICES = "notices"
#: And under this one it is told that the clock cannot be right, or was not.
CLOCK = "clock"
#: Under this name alerts are judged of the KPIs that can be computed, while the rest of them is tried again.
IN_PART = "alerts, in part"
#: done, skipped, failed: it is accounted for. waiting for its data, retry after an error: it stays due. busy: somebody else
#: is at it, or was first.
State = Literal["done", "skipped", "failed", "waiting", "retry", "busy"]
_log = logging.getLogger("cadran.work")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job at one of its times; ``messages`` are those that it put into the outbox."""

    job: str
    logical_time: dt.datetime
    state: State
    reason: str = ""
    messages: int = 0
    late: bool = False
    skipped: str = ""  # why some of these are sent to nobody
    seconds: float = 0.0  # from when its computing began, which it may share with others


@dataclass(slots=True)
class Work:
    """One project at work on its store. ``now`` is the clock, ``host`` is how runs call this machine."""

    project: Project
    declaration: Declaration
    store: Store
    composer: Composer
    now: Callable[[], dt.datetime]
    host: str = ""
    trial: bool = False  # over a copy of the store: nothing is written elsewhere
    holder: str = field(default_factory=lambda: secrets.token_hex(16))
    _observed: Results | None = None  # those that the newest run has written down, which others may share

    def perform(self) -> Generator[Outcome, None, None]:
        """All that is due, one outcome after the other. Raises StoreError where the store cannot be used."""
        planned, began = jobs(self.declaration), self.now()
        with self.store.write() as c:
            wrong = behind(c, began)
            due, lost = turns(c, planned, began, self.holder)
        if wrong:
            yield Outcome(CLOCK, began, "retry", wrong)
        mine = [turn for turn in due if not turn.taken]
        yield from (Outcome(t.job.name, t.due.at, "busy", "another process is at it") for t in due if t.taken)
        try:
            for one in lost:
                yield self._missed(one)
            for at, group in itertools.groupby(sorted(mine, key=lambda t: t.due.at), key=lambda t: t.due.at):
                yield from self._at(at, list(group))
        finally:
            if mine:
                with self.store.write() as c:
                    free(c, [turn.job for turn in mine], self.holder)
        yield from self._held_back(began)

    def _at(self, at: dt.datetime, group: Sequence[Turn]) -> Iterator[Outcome]:
        """The jobs of one logical time, which share what is computed."""
        started = self.now()
        try:
            found = computed(self.project, self.declaration, [turn.job for turn in group], at)
        except (
            Exception
        ) as error:  # a fault of cadran's own, or of a plugin: it must not end what else is due
            found = {turn.job.name: Computed(None, (_fault(error),)) for turn in group}
        for turn in group:
            yield self._one(turn, found[turn.job.name], started)

    def _one(self, turn: Turn, found: Computed, started: dt.datetime) -> Outcome:
        if found.results is None and not found.broken:
            return self._in_vain(turn, found, started)
        try:
            if found.broken and turn.job.report is None:
                return self._judged_in_part(turn, found, started)
            if found.results is None:
                return self._in_vain(turn, found, started)
            if turn.job.report is None:
                return self._judged(turn, found.results, started)
            made = reported(self.composer, self.project, turn, found.results, self.now(), trial=self.trial)
        except StoreError:
            raise
        except ProblemsFound as problems:
            return self._in_vain(turn, Computed(None, tuple(problems.problems)), started)
        except Exception as error:
            return self._in_vain(turn, Computed(None, (_fault(error),)), started)
        if made.state == "waiting":
            return self._outcome(turn, "waiting", made.reason)
        messages = [*made.messages, *(self._telling(turn, made.reason) if made.state == "failed" else ())]
        return self._posted(turn, found.results, started, Made(made.state, messages, made.reason))

    # --- what goes into the store ------------------------------------------------------------------------------------

    def _posted(self, turn: Turn, results: Results | None, started: dt.datetime, made: Made, alerts: Alerts | None = None) -> Outcome:  # fmt: skip
        from cadran.deliver.observing import observe

        assert made.state != "waiting"
        now, reason = self.now(), mask(made.reason, self.declaration.unsaid)
        claim = Claim(turn.job.name, turn.due.at, started, now, made.state, reason, self.host)

        def record(c: Connection, run: int) -> None:
            if results is not None and results is not self._observed:
                observe(c, results, run, now)

        settings = self.declaration.deliveries
        posted = post(self.store, claim, made.messages, settings=settings, alerts=alerts, record=record)
        if posted.run is None:
            return self._outcome(turn, "busy", "another process was first")
        self._observed = results if results is not None else self._observed
        state = made.state
        if posted.wrong:
            state, reason = "failed", "; ".join(filter(None, (reason, posted.wrong)))
            self._tell(turn, reason)
        seconds = (now - started).total_seconds()
        left = dict.fromkeys(m.skipped for m in made.messages if m.skipped) if state == "done" else {}
        skipped = mask("; ".join(left), self.declaration.unsaid)
        return replace(
            self._outcome(turn, state, reason, posted.deliveries), seconds=seconds, skipped=skipped
        )

    def _outcome(self, turn: Turn, state: State, reason: str = "", messages: int = 0) -> Outcome:
        return Outcome(turn.job.name, turn.due.at, state, mask(reason, self.declaration.unsaid), messages, turn.due.late)  # fmt: skip

    def _judged(self, turn: Turn, results: Results, started: dt.datetime) -> Outcome:
        return self._posted(turn, results, started, Made("done"), self._alerts(turn.due.at, results))

    def _judged_in_part(self, turn: Turn, found: Computed, started: dt.datetime) -> Outcome:
        """Without the KPIs that rest on what is broken. That is tried again for an hour; then it is an alert of its own."""
        reason, at = failing(found.problems), turn.due.at
        with self.store.write() as c:
            patience, before = tried(c, turn, self.now()), runs.failing(c, turn.job.name)
        if before is not None:  # since an earlier time
            patience = min(patience, before[0].logical_time + GRACE)
        if self.now() >= patience:
            alerts = self._alerts(at, found.results, found.broken)
            return self._posted(turn, found.results, started, Made("failed", (), reason), alerts)
        messages = 0
        if found.results is not None:
            part = replace(turn, job=replace(turn.job, name=IN_PART))
            alerts = self._alerts(at, found.results, found.broken, raising=False)
            messages = self._posted(part, found.results, started, Made("done", (), reason), alerts).messages
        return self._outcome(turn, "retry", reason, messages)

    def _alerts(
        self, at: dt.datetime, results: Results | None, broken: Broken | None = None, *, raising: bool = True
    ) -> Alerts:
        from cadran.compute.results import Results

        declaration, now = self.declaration, self.now()
        shown = results or Results((), at.astimezone(declaration.calendar.zone), declaration)
        rests = results.rests if results is not None and not broken else self._rests
        return Alerts(
            lambda c, run: alerting.judge(
                c, declaration, results, logical_time=at, run=run, broken=broken, rests=rests, now=now, raising=raising
            ),
            lambda notice: self._notice(notice, shown, at, now),
            lambda c, notice, key: alerting.told(c, notice, key, now=at),
        )  # fmt: skip

    def _notice(self, notice: Notice, shown: Results, at: dt.datetime, now: dt.datetime) -> Outgoing:
        """A channel's plugin that has a fault is a problem of that channel alone. Raises ProblemsFound."""
        try:
            return self.composer.notice(notice, shown, job="alerts", logical_time=at, now=now)
        except ProblemsFound as found:
            problems = found.problems
        except Exception as error:
            problems = [_fault(error)]
        hidden = self.declaration.unsaid
        raise ProblemsFound([replace(one, message=mask(one.message, hidden)) for one in problems])

    @property
    def _rests(self) -> dict[str, tuple[str, ...]]:
        try:
            return self.project.dependencies()
        except ProblemsFound:  # a source that has to be asked for its columns, and does not answer
            return {}

    # --- what goes wrong ---------------------------------------------------------------------------------------------

    def _in_vain(self, turn: Turn, found: Computed, started: dt.datetime) -> Outcome:
        """Nothing could be made. It is tried again; its owner hears of it after an hour, or when it is given up."""
        reason, now = failing(found.problems), self.now()
        with self.store.write() as c:
            patience = tried(c, turn, now)
        judging = turn.job.report is None
        if now < (patience if judging else max(turn.due.until, patience)):
            if now >= patience:
                self._tell(turn, reason)
            return self._outcome(turn, "retry", reason)
        return self._posted(turn, None, started, Made("failed", self._telling(turn, reason), reason))

    def _missed(self, lost: Lost) -> Outcome:
        turn = Turn(lost.job, Due(lost.missed.at, lost.missed.at))
        state: Literal["failed", "skipped"] = "failed" if lost.tried else "skipped"
        messages = self._telling(turn, lost.missed.reason) if lost.tried else ()
        return self._posted(turn, None, self.now(), Made(state, messages, lost.missed.reason))

    def _telling(self, turn: Turn, reason: str) -> Sequence[Outgoing]:
        """The message to the owner; it has one key however often it is asked for, so it is told once."""
        try:
            return self.composer.not_made(
                turn.job.name,
                turn.due.at,
                turn.job.owner,
                mask(reason, self.declaration.unsaid),
                now=self.now(),
            )
        except ProblemsFound as found:
            _log.error("%s: its owner cannot be told: %s", turn.job.name, failing(found.problems))
            return ()

    def _tell(self, turn: Turn, reason: str) -> None:
        from cadran.deliver.post import delivery_of
        from cadran.state.store.outbox import enqueue

        now, settings = self.now(), self.declaration.deliveries
        rows = [
            delivery_of(m, turn.job.name, turn.due.at, now, settings) for m in self._telling(turn, reason)
        ]
        with self.store.write() as c:
            enqueue(c, rows)

    # --- between two judgings ----------------------------------------------------------------------------------------

    def _held_back(self, now: dt.datetime) -> Iterator[Outcome]:
        """Messages about alerts whose wait is over, and those that are said again; not where they are about to be judged, or
        just are by somebody else. ``now`` is when this look began, however long the rest of it took."""
        from cadran.state.store import alerts

        judging = [job for job in jobs(self.declaration) if job.report is None]
        if not judging:
            return
        with self.store.write() as c:
            if turns(c, judging, self.now())[0]:
                return
        with self.store.read() as c:
            known = alerts.load(c).values()
            about_data = any(i.state == "firing" and i.identity.subject != "kpi" for i in known)
            rests = self._rests if about_data else {}  # only then something is held back for what it rests on
            due = alerting.decided(c, self.declaration, known, rests, now).notices
        if not due:
            return
        claim = Claim(NOTICES, now, now, now, host=self.host)
        try:
            told = replace(self._alerts(now, None), alone=True)
            posted = post(self.store, claim, settings=self.declaration.deliveries, alerts=told)
        except StoreError:
            raise
        except ProblemsFound as found:
            yield Outcome(NOTICES, now, "retry", failing(found.problems))
            return
        except Exception as error:
            yield Outcome(NOTICES, now, "retry", mask(_fault(error).message, self.declaration.unsaid))
            return
        if posted.run is not None and posted.notices:
            state: State = "failed" if posted.wrong else "done"
            wrong = mask(posted.wrong, self.declaration.unsaid)
            yield Outcome(NOTICES, now, state, wrong, messages=posted.deliveries)


def _fault(error: Exception) -> Problem:
    _log.error("a fault of cadran's own or of a plugin", exc_info=error)
    return Problem(
        "fault", f"{type(error).__name__}: {error}", None, "", "this is a fault of cadran or of a plugin"
    )
