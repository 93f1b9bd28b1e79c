"""How many requests an account may ask in how much time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from cadran.plugins.connector import Context

_SOON = 1e-6


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests in so many seconds, of one account."""

    requests: int
    seconds: float


class Bucket:
    """What one account has asked lately. All of its limits hold at once, over any stretch of time of their length."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: dict[Limit, deque[float]] = {}
        self._closed_until = float("-inf")

    def hold(self, limits: Iterable[Limit]) -> None:
        """From now on these limits hold too."""
        with self._lock:
            for limit in limits:
                self._asked.setdefault(limit, deque(maxlen=limit.requests))

    def take(self, now: float) -> float:
        """Zero, and a request is counted; or the seconds after which to ask again."""
        with self._lock:
            free = [self._closed_until]
            free += [asked[0] + limit.seconds for limit, asked in self._asked.items() if len(asked) == limit.requests]  # fmt: skip
            if (wait := max(free) - now) > _SOON:
                return wait
            for asked in self._asked.values():
                asked.append(now)
            return 0.0

    def close_until(self, moment: float) -> None:
        """No request of the account before then: the server said so to one of them."""
        with self._lock:
            self._closed_until = max(self._closed_until, moment)


def bucket(context: Context, account: str, limits: Iterable[Limit]) -> Bucket:
    """The account's, shared by all sources of a run; one of its own where no account is named."""
    found: Bucket = context.shared.setdefault((Bucket, account), Bucket()) if account else Bucket()
    found.hold(limits)
    return found
