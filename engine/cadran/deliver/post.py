"""The one transaction in which a run becomes known, with all that it brought: figures, alerts, messages.

Either all of it is there or nothing. Who comes second finds the run claimed, and writes nothing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from cadran.deliver.made import failing
from cadran.problems import Problem, ProblemsFound
from cadran.state.store import runs
from cadran.state.store.outbox import Delivery, enqueue

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from cadran.declare.model import Deliveries
    from cadran.deliver.messages import Outgoing
    from cadran.judge.notices import Notice
    from cadran.state.store.store import Store

#: How often messages are rendered outside the transaction before they are rendered in it.
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Claim:
    """A job at one logical time, and how computing it went."""

    job: str
    logical_time: dt.datetime
    started: dt.datetime
    finished: dt.datetime
    state: Literal["done", "skipped", "failed"] = "done"
    reason: str = ""
    host: str = ""


@dataclass(frozen=True, slots=True)
class Alerts:
    """How alerts are judged and told. ``judge`` reads and writes their state within the transaction, for the run of that
    number; ``compose`` makes a message of a notice; ``told`` writes down that the delivery of that key tells it. ``alone`` says
    that the run is for its messages only."""

    judge: Callable[[Connection, int], Sequence[Notice]]
    compose: Callable[[Notice], Outgoing]
    told: Callable[[Connection, Notice, str], None]
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Posted:
    """``run`` is the run's number, None where it was there already; ``deliveries`` how many messages are new, and ``wrong``
    why some could not be made."""

    run: int | None
    deliveries: int = 0
    notices: int = 0
    wrong: str = ""


def post(
    store: Store, claim: Claim, messages: Sequence[Outgoing] = (), *, settings: Deliveries,
    record: Callable[[Connection, int], object] = lambda _, __: None, alerts: Alerts | None = None,
) -> Posted:  # fmt: skip
    """Claims the run, writes what ``record`` writes, judges alerts, and puts all messages into the outbox.

    Which notices there are depends on state that only the transaction can read, and rendering them takes too long to do
    it inside, where every other writer waits. So a first round finds out, and takes everything back; the messages are
    rendered; the next round judges again and uses those whose notice is still the same. Only if alerts keep moving in
    between are the rest rendered inside.

    A notice that cannot be rendered, or not for its channel, keeps no other from its reader: nobody was told by it, so the next
    run finds it again. The run has failed all the same. Raises ProblemsFound where it would have been for those alone.
    """
    ready: list[tuple[Notice, Outgoing | None]] = []
    wrong: list[Problem] = []
    for left in reversed(range(_ROUNDS)):
        try:
            with store.write() as c:
                posted = _posted(c, _told_of(claim, wrong), messages, settings, record, alerts, ready, last=not left)  # fmt: skip
                return replace(posted, wrong=failing(wrong))
        except _NotRendered as needed:
            assert alerts is not None
            ready += [(notice, _composed(alerts, notice, wrong)) for notice in needed.notices]
            if wrong and alerts.alone and not any(message for _, message in ready):
                raise ProblemsFound(wrong) from None
    raise AssertionError("the last round renders what it needs")


def _composed(alerts: Alerts, notice: Notice, wrong: list[Problem]) -> Outgoing | None:
    try:
        return alerts.compose(notice)
    except ProblemsFound as found:
        wrong += found.problems
        return None


def _told_of(claim: Claim, wrong: Sequence[Problem]) -> Claim:
    """The claim of a run of which not all messages could be made."""
    if not wrong:
        return claim
    return replace(claim, state="failed", reason="; ".join(filter(None, (claim.reason, failing(wrong)))))


class _NotRendered(Exception):
    """Takes the transaction back."""

    def __init__(self, notices: Sequence[Notice]) -> None:
        super().__init__()
        self.notices = notices


def _posted(
    c: Connection, claim: Claim, messages: Sequence[Outgoing], settings: Deliveries, record: Callable[[Connection, int], object],
    alerts: Alerts | None, ready: list[tuple[Notice, Outgoing | None]], *, last: bool,
) -> Posted:  # fmt: skip
    run = runs.claim(
        c, job=claim.job, logical_time=claim.logical_time, state=claim.state, reason=claim.reason,
        started=claim.started, finished=claim.finished, host=claim.host,
    )  # fmt: skip
    if run is None:
        return Posted(None)
    record(c, run)
    told = [] if alerts is None else _notices(c, run, alerts, ready, last=last)
    rows = [
        delivery_of(each, claim.job, claim.logical_time, claim.finished, settings, run)
        for each in [*messages, *(message for _, message in told)]
    ]
    new = enqueue(c, rows)
    if alerts is not None:
        for notice, message in told:
            alerts.told(c, notice, message.message.key)
    return Posted(run, new, len(told))


def _notices(
    c: Connection, run: int, alerts: Alerts, ready: list[tuple[Notice, Outgoing | None]], *, last: bool
) -> list[tuple[Notice, Outgoing]]:
    """Each notice with its message, in the order in which they were decided; without those that have none."""
    notices = alerts.judge(c, run)
    missing = [notice for notice in notices if not any(notice == known for known, _ in ready)]
    if missing and not last:
        raise _NotRendered(missing)
    have = [*ready, *((notice, alerts.compose(notice)) for notice in missing)]
    found = [(notice, next(message for known, message in have if known == notice)) for notice in notices]
    return [(notice, message) for notice, message in found if message is not None]


def delivery_of(
    outgoing: Outgoing, job: str, logical_time: dt.datetime, now: dt.datetime, settings: Deliveries, run: int | None = None
) -> Delivery:  # fmt: skip
    """The outbox row of a message: due at once, and to be given up after the project's deadline."""
    message, skipped = outgoing.message, bool(outgoing.skipped)
    report = message.kind == "report"
    content = None if skipped else outgoing.sealed
    return Delivery(
        message.key, job, message.kind, outgoing.channel, outgoing.notifier, message.recipient, message.subject, logical_time,
        created=now, due=now,
        deadline=now + dt.timedelta(days=settings.deadline.days, seconds=settings.deadline.seconds),
        on_unknown=settings.unknown_reports if report else settings.unknown_alerts,
        content=content, digest=hashlib.sha256(content).hexdigest() if content is not None else "",
        run=run, label=outgoing.label, owner=outgoing.owner,
        state="skipped" if skipped else "waiting", reason=outgoing.skipped, after=outgoing.after or None,
        finished=now if skipped else None,
    )  # fmt: skip
