"""When a message is tried again: exponential backoff with full jitter.

The formula is "Full Jitter" of Marc Brooker's "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015): a delay drawn
evenly from nought to the cap, or to ``base · 2ⁿ`` where that is less. Senders that failed together do not come back together.
"""

from __future__ import annotations

import datetime as dt
import random

BASE = 60.0  # seconds: what the first delay is at most
CAP = 3600.0
LEAST = 5.0  # nobody is asked again at once


def delay(key: str, attempts: int) -> float:
    """Seconds to wait after the try number ``attempts`` (from 1). The same for the same delivery and try."""
    most = min(CAP, BASE * 2.0 ** min(attempts - 1, 30))
    return random.Random(f"{key} {attempts}").uniform(LEAST, most)


def next_try(
    key: str, attempts: int, now: dt.datetime, deadline: dt.datetime, asked: float | None = None
) -> dt.datetime | None:
    """When to try again, or None where that would not be before the deadline.

    ``asked`` are the seconds that the other side wants to be left alone for (``Retry-After``): no try comes sooner.
    """
    seconds = max(delay(key, attempts), asked or 0.0)
    if seconds >= (deadline - now).total_seconds():
        return None
    return now + dt.timedelta(seconds=seconds)
