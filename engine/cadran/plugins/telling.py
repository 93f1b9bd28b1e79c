"""Telling listeners what happens, so that none of them can do harm: each in a thread of its own, with an end to patience."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cadran.plugins.added import Added
from cadran.plugins.listeners import (
    Event,
    Listener,
    MessageSent,
    RunFailed,
    RunFinished,
    RunStarted,
    SourceSynced,
)
from cadran.problems import Problem

_METHODS: Mapping[type[Any], str] = {
    RunStarted: "run_started", RunFinished: "run_finished", RunFailed: "run_failed", SourceSynced: "source_synced",
    MessageSent: "message_sent",
}  # fmt: skip
_MOST = Listener.patience  # seconds that a run waits for one call, with what has to be loaded for it
_SLOW = 2.0  # seconds from which on it is said that a run has waited
_log = logging.getLogger("cadran.listeners")


@dataclass(slots=True)
class _Post:
    """One listener at its thread, which ends with the process. ``left``: it is told nothing more."""

    added: Added
    left: bool = False
    listener: Listener | None = None
    inbox: queue.SimpleQueue[tuple[Event, queue.SimpleQueue[BaseException | None]]] = field(default_factory=queue.SimpleQueue)  # fmt: skip

    def start(self) -> None:
        threading.Thread(target=self._work, name=f"listener {self.added.name}", daemon=True).start()

    def _work(self) -> None:
        while not self.left:
            event, answer = self.inbox.get()
            try:
                if self.listener is None:
                    self.listener = self.added.load()()
                getattr(self.listener, _METHODS[type(event)])(event)
                answer.put(None)
            except BaseException as error:
                answer.put(error)

    def tell(self, event: Event) -> str:
        """What went wrong, in words; empty where nothing did."""
        answer: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        patience = _MOST if self.listener is None else min(_MOST, self.listener.patience)
        began = time.monotonic()
        self.inbox.put((event, answer))
        try:
            error = answer.get(timeout=patience)
        except queue.Empty:
            self.left = True
            return f"took longer than {patience:g} seconds, and is told nothing more"
        waited = time.monotonic() - began
        if error is None and waited >= _SLOW:
            return f"took {waited:.1f} seconds, which the run has waited for"
        return "" if error is None else f"failed: {type(error).__name__}: {str(error).partition(chr(10))[0]}"


class Telling:
    """The listeners of a project, for one run, one sync or one sender. ``masked`` keeps secrets out of what is said of them."""

    def __init__(
        self, listeners: Mapping[str, Added], masked: Callable[[str], str] = lambda text: text
    ) -> None:
        self._posts = [_Post(added) for added in listeners.values()]
        self._masked, self._lock, self._started = masked, threading.Lock(), False

    def tell(self, event: Event) -> list[Problem]:
        """Tells all of them; gives a warning for each that failed or was slow. Raises nothing, and comes back after each one's patience."""
        out = []
        with self._lock:
            if not self._started:
                for post in self._posts:
                    post.start()
                self._started = True
            for post in self._posts:
                if not post.left and (wrong := post.tell(event)):
                    message = self._masked(
                        f"the listener '{post.added.name}' of {post.added.where_from} {wrong}"
                    )
                    hint = "nothing else is any different for it; ask its author"
                    out.append(Problem("listener", message, hint=hint, severity="warning"))
        return out

    def log(self, event: Event) -> None:
        """Tells them where nobody waits for warnings: these go to the log."""
        for problem in self.tell(event):
            _log.warning("%s", problem)
