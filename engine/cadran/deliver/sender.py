"""Takes what is due out of the outbox to where it belongs, and writes down what came of it.

Every channel has threads of its own, so that a server which hangs holds up nobody else. A thread has one delivery at a
time: it leases it, writes down that bytes are about to go, sends, and writes down the outcome, each in a transaction.
"""

from __future__ import annotations

import datetime as dt
import os
import secrets
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cadran.declare.settings import mask
from cadran.deliver.backoff import next_try
from cadran.deliver.channels import Channels, Notifiers
from cadran.deliver.post import delivery_of
from cadran.deliver.telling import telling_of
from cadran.plugins.listeners import MessageSent
from cadran.plugins.notifier import Deferred, Notifier, NotifierError, Unknown
from cadran.problems import ProblemsFound
from cadran.state.store import outbox
from cadran.state.store.outbox import Came, Delivery
from cadran.state.store.trouble import StoreError

if TYPE_CHECKING:
    from cadran.declare.model import Declaration
    from cadran.deliver.messages import Composer
    from cadran.state.store.store import Store

LEASE = 300.0  # seconds: longer than any notifier waits for its server
WORKERS = 4  # threads of a channel
SLOW = 15.0  # seconds after which a try that did not arrive tells that its server hangs
_POLL = 1.0  # seconds after which channels are looked for that have got something to do


class LeaseLost(BaseException):
    """Raised by ``begin()``: somebody else has the delivery. Not an Exception, so that no notifier takes it for its server's."""


@dataclass(frozen=True, slots=True)
class Sender:
    """How to send. ``channel`` makes the notifier of a delivery's channel (it may raise NotifierError); ``failure`` gives the
    messages that tell of a delivery which was given up; ``hidden`` are texts that no outcome may show; ``now`` is the clock.
    ``told`` hears of each try. ``keys`` restricts it to some deliveries. Once ``stop`` is set, nothing more is begun."""

    store: Store
    channel: Callable[[Delivery], Notifier]
    now: Callable[[], dt.datetime]
    failure: Callable[[Delivery, dt.datetime], Sequence[Delivery]] = lambda _, __: ()
    hidden: frozenset[str] = frozenset()
    keys: tuple[str, ...] | None = None
    workers: int = WORKERS
    lease: float = LEASE
    stop: threading.Event = field(default_factory=threading.Event)
    told: Callable[[MessageSent], None] = lambda _: None
    project: str = ""


def sender_of(
    store: Store, declaration: Declaration, notifiers: Notifiers, composer: Composer, now: Callable[[], dt.datetime], *,
    keys: Sequence[str] | None = None, stop: threading.Event | None = None,
) -> Sender:  # fmt: skip
    """A project's sender: its channels, its secrets, and its owners, who hear of what fails."""

    def failure(row: Delivery, now: dt.datetime) -> list[Delivery]:
        told = composer.failure(row, now=now)
        return [delivery_of(each, row.job, row.logical_time, now, declaration.deliveries) for each in told]

    return Sender(
        store, Channels(declaration, notifiers).open, now, failure, declaration.unsaid,
        None if keys is None else tuple(keys), stop=stop or threading.Event(), told=telling_of(declaration).log,
        project=str(declaration.file),
    )  # fmt: skip


def send_due(sender: Sender) -> Counter[str]:
    """Sends all that is due, and gives how many tries ended how: sent, retry, failed, unknown, lost.

    It comes back when nothing is due any more and every thread is done; an interrupt lets the messages that are under
    way come to their end first. A channel whose server hangs is left alone until the next call, so that this one is over
    after one try's patience and not after that of all the messages that wait there.
    """
    call, counts = _Call(sender), Counter[str]()
    with ExitStack() as pools:
        pool: dict[str, ThreadPoolExecutor] = {}
        busy: dict[Future[Counter[str]], str] = {}
        try:
            while not call.ends:
                counts += _tidied(sender)
                for name in _channels(sender, call.resting.union(busy.values())):
                    if name not in pool:
                        pool[name] = pools.enter_context(ThreadPoolExecutor(sender.workers))
                    busy |= {pool[name].submit(_worked, call, name): name for _ in range(sender.workers)}
                if not busy:
                    break
                done, _ = wait(busy, timeout=_POLL, return_when=FIRST_COMPLETED)
                for future in done:
                    del busy[future]
                    counts += future.result()
        finally:
            call.over.set()
        for future in busy:
            counts += future.result()
    return counts


@dataclass(frozen=True, slots=True)
class _Call:
    """One call of :func:`send_due`. ``resting`` are channels whose server hangs; ``over`` is set where it is cut short."""

    sender: Sender
    resting: set[str] = field(default_factory=set)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def ends(self) -> bool:
        return self.over.is_set() or self.sender.stop.is_set()


def _channels(sender: Sender, but: set[str]) -> list[str]:
    with sender.store.read() as c:
        return [name for name in outbox.channels(c, sender.now(), sender.keys) if name not in but]


def _tidied(sender: Sender) -> Counter[str]:
    """What time brought: leases of senders that died, messages that wait in vain, deadlines."""
    now = sender.now()
    with sender.store.write() as c:
        outbox.expire(c, now)
        outbox.suppress(c, now)
    with sender.store.read() as c:
        late = outbox.overdue(c, now)
    given_up: Counter[str] = Counter()
    for row in late:
        reason = "not delivered by its deadline" + (f"; at last: {row.reason}" if row.reason else "")
        telling, reason = _telling(sender, row, reason, now)
        with sender.store.write() as c:
            given_up["failed"] += outbox.give_up(c, row, now, reason, telling)
    return given_up


def _telling(sender: Sender, row: Delivery, reason: str, now: dt.datetime) -> tuple[Sequence[Delivery], str]:
    """The messages to the owner, rendered before the transaction that needs them. A message about a failure that fails
    is told to nobody."""
    if row.kind == "failure" or row.told:
        return (), reason
    try:
        return sender.failure(replace(row, state="failed", reason=reason), now), reason
    except Exception as error:  # the owner is not told, but the outcome has to be written down
        return (), f"{reason}; its owner could not be told: {_shown(sender, error)}"


# --- one delivery --------------------------------------------------------------------------------------------------


def _worked(call: _Call, channel: str) -> Counter[str]:
    """What a thread does: one delivery of its channel after the other, until none is due or the server hangs."""
    sender, counts = call.sender, Counter[str]()
    while not call.ends and channel not in call.resting:
        holder = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(8)}"
        with sender.store.write() as c:
            rows = outbox.lease(c, sender.now(), holder, sender.lease, channel=channel, keys=sender.keys)
        if not rows:
            break
        started = sender.now()
        ended = _sent(sender, rows[0], started)
        counts[ended] += 1
        if ended != "sent" and (sender.now() - started).total_seconds() >= SLOW:
            call.resting.add(channel)
    return counts


@dataclass(slots=True)
class _Try:
    """One try. ``begun`` is set once the message may have arrived."""

    sender: Sender
    row: Delivery
    notifier: Notifier
    begun: bool = False

    def begin(self) -> None:
        doubtful = not self.notifier.repeatable
        with self.sender.store.write() as c:
            held = outbox.begin(c, self.row, self.sender.now(), self.sender.lease, doubtful=doubtful)
        if not held:
            raise LeaseLost
        self.begun = doubtful


@dataclass(frozen=True, slots=True)
class _Came:
    came: Came
    detail: str = ""
    where: str = ""
    asked: float | None = None  # after how many seconds the other side wants to be asked again


def _sent(sender: Sender, row: Delivery, started: dt.datetime) -> str:
    """Sends one delivery; the answer is how it ended."""
    try:
        outcome = _tried(sender, row)
    except LeaseLost:
        with sender.store.write() as c:
            outbox.note(c, row.key, sender.now(), "lost", "the lease had passed on; nothing was sent", host=outbox.host_of(row.holder))  # fmt: skip
        return "lost"
    now = sender.now()
    due = None
    if outcome.came == "retry" or (outcome.came == "unknown" and row.on_unknown == "send"):
        due = next_try(row.key, row.attempts, now, row.deadline, outcome.asked)
    telling: Iterable[Delivery] = ()
    detail = outcome.detail
    if outbox.gives_up(row, outcome.came, due):
        telling, detail = _telling(sender, row, detail, now)
    took = (now - started).total_seconds()
    with sender.store.write() as c:
        ours = outbox.finish(c, row, outcome.came, now, detail=detail, where=outcome.where, due=due, seconds=took, telling=telling)  # fmt: skip
    if not ours:
        return "lost"
    ended = "failed" if outcome.came == "retry" and due is None else outcome.came
    wrong = "" if ended == "sent" else outcome.detail
    sender.told(MessageSent(sender.project, row.channel, row.kind, ended, wrong))
    return ended


def _tried(sender: Sender, row: Delivery) -> _Came:
    """Every error becomes an outcome: what a notifier says on purpose, and what it raises by mistake."""
    if row.content is None:
        return _Came("failed", "its content is not kept any more")
    try:
        made = _Try(sender, row, sender.channel(row))
    except Exception as error:
        return _Came("retry", _shown(sender, error))
    repeatable = made.notifier.repeatable
    try:
        where = made.notifier.send(row.content, row.recipient, made.begin)
    except Deferred as error:
        return _Came("retry", _shown(sender, error), asked=error.seconds)
    except Unknown as error:
        return _Came("retry" if repeatable else "unknown", _shown(sender, error))
    except NotifierError as error:
        return _Came("failed", _shown(sender, error))
    except StoreError as error:  # from begin(): nothing has gone out
        return _Came("retry", error.message)
    except Exception as error:  # the plugin's own fault
        fault = f"{_shown(sender, error)}; the notifier '{row.notifier}' has a fault, tell its author"
        return _Came("unknown" if made.begun else "retry", fault)
    return _Came("sent", where=mask(str(where), sender.hidden))


def _shown(sender: Sender, error: Exception) -> str:
    if isinstance(error, ProblemsFound):
        text = "; ".join(dict.fromkeys(problem.message for problem in error.problems))
    elif isinstance(error, NotifierError):
        text = error.message + (f"; {error.hint}" if error.hint else "")
    else:
        text = f"{type(error).__name__}: {error}"
    return mask(text, sender.hidden)
