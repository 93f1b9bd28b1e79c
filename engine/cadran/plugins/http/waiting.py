"""How long to wait: what a server asks for, and what is tried without its word."""

from __future__ import annotations

import datetime as dt
import email.utils
import random
import time
from collections.abc import Callable, Mapping

SLICE = 0.2  # seconds that pass at most until it shows that nobody waits any more
LONGEST = 300.0  # seconds: whoever is asked to wait longer stops, and says until when
_MOST = 60.0
_ENOUGH = 1e-6  # what is left of a wait when floats are added up


class Wait:
    """The clock that requests are paced by. A test hands in one that passes no time, as ``shared={Wait: …}`` of its context."""

    def now(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def pause(self, seconds: float, check: Callable[[], None]) -> None:
        """Sleeps in slices; ``check`` is called before each, and raises to end it."""
        until = self.now() + seconds
        check()
        while (left := until - self.now()) > _ENOUGH:
            self.sleep(min(left, SLICE))
            check()


def backoff(tried: int, *, limited: bool) -> float:
    """Seconds after the ``tried``-th failure in a row: at random in a span that doubles, so that clients do not come back all at once.

    Where the server had too much already, never less than half of it.
    """
    span = min(_MOST, (1.0 if limited else 0.5) * 2 ** (tried - 1))
    return random.uniform(span / 2 if limited else 0.0, span)


def retry_after(headers: Mapping[str, str], now: dt.datetime) -> float | None:
    """Seconds that ``Retry-After`` asks for: a number, or a date, which is counted from the answer's own (RFC 9110)."""
    text = headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        until = date(text)
        if until is None:
            return None
        seconds = (until - (date(headers.get("date", "")) or now)).total_seconds()
    return max(seconds, 0.0) if seconds == seconds else None


def date(text: str) -> dt.datetime | None:
    """A date as HTTP writes it."""
    try:
        found = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=dt.UTC)
