"""Sources asked side by side: each works in a thread of its own, and what they answer is taken up in the order of the plan.

Only the asking happens in the threads. All that is done with the answers is done by whoever takes them up, one after the
other, so a run gives the same results, statements and errors however long each source takes.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from cadran.plugins.connector import ConnectorError, Page, QueryRefused

_AHEAD = 16  # pages of an answer that wait to be taken up; beyond them, its source waits

_PATIENCE = 2.5  # seconds that sources have for ending what nobody needs any more
_LOOK = 0.2  # … between two looks: a signal that another thread was given is heard only then

Stream = Iterator[Any]  # what a connector sends: pages, an end, …


@dataclass(frozen=True, slots=True)
class Errand:
    """``ask`` is called in the thread of the source, and what it gives is read there."""

    source: str
    ask: Callable[[], Stream]


@dataclass(slots=True)
class _Answer:
    number: int
    errand: Errand
    items: deque[Any] = field(default_factory=deque)
    seconds: float = 0.0  # that the source took, without waiting for anybody here
    running: bool = False
    taken: bool = False  # somebody reads it
    dropped: bool = False  # nobody reads it to its end
    done: bool = False
    error: BaseException | None = None


class _Stop(ConnectorError):
    """An errand that is not needed any more."""

    def __init__(self) -> None:
        super().__init__("the query was cancelled")


class Beside:
    """Errands by name, in the order of the plan. Those of one source follow each other, as its contract wants.

    ``together``: one that fails ends all that stand behind it in the plan, those that run through ``cancel`` of their source;
    those before it go on, so that the first error of the plan is the one that is said. A refusal is no failure. Without
    ``together``, no errand minds what becomes of the others. Whoever makes this closes it.
    """

    def __init__(
        self, errands: Mapping[Any, Errand], cancel: Mapping[str, Callable[[], None]], *, together: bool = True
    ) -> None:  # fmt: skip
        self._cancel, self._together = cancel, together
        self._answers = {name: _Answer(n, errand) for n, (name, errand) in enumerate(errands.items())}
        self._changed = threading.Condition()
        self._until = len(self._answers)  # errands from this number on are not needed
        self._hurried: set[str] = set()  # sources that do not wait until their answers are taken up
        self._threads: dict[str, threading.Thread] = {}
        for source in dict.fromkeys(errand.source for errand in errands.values()):
            mine = [a for a in self._answers.values() if a.errand.source == source]
            thread = threading.Thread(target=self._work, args=(mine,), name=f"cadran {source}", daemon=True)
            self._threads[source] = thread
            thread.start()

    def __contains__(self, name: Hashable) -> bool:
        """Whether there is an answer that nobody has taken up yet."""
        return name in self._answers and not self._answers[name].taken

    def stream(self, name: Hashable) -> Stream:
        """What a source answers, as it comes; to be read once, in the order of the plan. Raises what the source has raised."""
        answer = self._answers[name]
        answer.taken = True
        self._drop_before(answer)
        return self._items(answer)

    def _items(self, answer: _Answer) -> Stream:
        while True:
            with self._changed:
                while not (answer.items or answer.done):
                    self._changed.wait(_LOOK)
                if not answer.items:
                    break
                item = answer.items.popleft()
                self._changed.notify_all()
            yield item
        if answer.error is not None:
            raise answer.error

    def _drop_before(self, answer: _Answer) -> None:
        """Whoever goes on to the next answer of a source will not come back to those before it."""
        with self._changed:
            for other in self._answers.values():
                if other.errand.source == answer.errand.source and other.number < answer.number:
                    other.dropped = True
            self._changed.notify_all()

    def seconds(self, name: Hashable) -> float:
        """That the source has taken for an answer so far."""
        return self._answers[name].seconds

    def settle(self, source: str) -> None:
        """Waits until a source is at nobody's errand, so that it can be asked by the one who calls."""
        if source in self._threads:
            with self._changed:
                self._hurried.add(source)
                self._changed.notify_all()
            _join([self._threads[source]])

    def finish(self) -> None:
        """Begins nothing more, and waits for what runs: the sources are as good as before."""
        self._stop(0, cancelling=False)
        _join(self._threads.values())

    def close(self) -> None:
        """Ends whatever still runs; a source that does not let itself be ended is left behind. Raises nothing."""
        until = time.monotonic() + _PATIENCE
        self._stop(0)
        _join(self._threads.values(), until)

    # --- in the threads -------------------------------------------------------------------------------------------------

    def _work(self, answers: list[_Answer]) -> None:
        for answer in answers:
            try:
                self._go(answer)
            except BaseException as error:
                answer.error = error
                if self._together and not isinstance(error, QueryRefused | _Stop):
                    self._stop(answer.number + 1)
            finally:
                with self._changed:
                    answer.running, answer.done = False, True
                    self._changed.notify_all()

    def _go(self, answer: _Answer) -> None:
        with self._changed:
            self._check(answer)
            answer.running = True
        started = time.perf_counter()
        stream = answer.errand.ask()
        try:
            for item in stream:
                whole = _whole(item)
                answer.seconds += time.perf_counter() - started
                self._put(answer, whole)
                started = time.perf_counter()
            answer.seconds += time.perf_counter() - started
        finally:
            if hasattr(stream, "close"):
                stream.close()

    def _put(self, answer: _Answer, item: object) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._goes_on(answer))
            self._check(answer)
            answer.items.append(item)
            self._changed.notify_all()

    def _goes_on(self, answer: _Answer) -> bool:
        wanted = answer.number < self._until and not answer.dropped
        return not wanted or len(answer.items) < _AHEAD or answer.errand.source in self._hurried

    def _check(self, answer: _Answer) -> None:
        if answer.number >= self._until or answer.dropped:
            raise _Stop

    def _stop(self, number: int, *, cancelling: bool = True) -> None:
        """No errand from this number on is needed."""
        with self._changed:
            self._until = min(self._until, number)
            running = [
                a.errand.source for a in self._answers.values() if a.running and a.number >= self._until
            ]
            self._changed.notify_all()
        if cancelling and running:
            _all_at_once([self._cancel[source] for source in running])


def _all_at_once(cancels: Iterable[Callable[[], None]]) -> None:
    """One that hangs holds up none of the others, nor for long whoever waits for them. Raises nothing."""
    threads = [threading.Thread(target=_quietly, args=(cancel,), daemon=True) for cancel in cancels]
    for thread in threads:
        thread.start()
    _join(threads, time.monotonic() + _PATIENCE)


def _quietly(cancel: Callable[[], None]) -> None:
    with suppress(Exception):
        cancel()


def _join(threads: Iterable[threading.Thread], until: float | None = None) -> None:
    for thread in threads:
        while thread.is_alive() and (until is None or time.monotonic() < until):
            thread.join(_LOOK)


def _whole(item: object) -> object:
    """A page that can be handed to another thread: its rows, not a stream that its connector still works on."""
    if not isinstance(item, Page):
        return item
    import pyarrow as pa

    return item if isinstance(item.data, pa.Table | pa.RecordBatch) else Page(pa.table(item.data), item.part)
