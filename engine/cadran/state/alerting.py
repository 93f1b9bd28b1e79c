"""Alerts as they outlive a run: who they are, where they stand, and what has changed about them."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Number = int | Decimal | float
Subject = Literal["kpi", "dataset", "source"]
AlertState = Literal["ok", "pending", "firing"]

# Why an alert came to its state, where the figures of new periods do not say it.
NO_DATA = "no data"  # and on_missing says what that counts as
GONE = "gone"  # its segment value has had no row for two periods
RESTATED = "restated"  # figures of a period changed after it had been judged
CHANGED = "the rule has changed"
REMOVED = "the rule is no longer there"
FAILED = "failed"  # the rule of a source that does not answer, and of a dataset whose rows cannot be used
REASONS = (NO_DATA, GONE, RESTATED, CHANGED, REMOVED)


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes an alert this one and no other: never the place of its rule in the file, nor the reason that it is raised."""

    subject: Subject
    name: str
    rule: (
        str  # its name, or its condition; of a dataset's expectation max_age or min_rows, of a source failed
    )
    grain: str = ""
    segment: tuple[str, ...] = ()
    segment_value: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """64 hexadecimal digits."""
        parts = [
            self.subject, self.name, self.rule, self.grain, list(self.segment), list(self.segment_value)
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Judged:
    """What a rule's condition and its ``clear`` said of one period, and where the alert stood after it."""

    period: str
    breach: bool | None
    clear: bool | None
    state: AlertState
    since: str = ""
    held: int = 0
    cleared: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Instance:
    """An alert after its newest judged period. ``since`` and ``period`` are labels of periods, or days.

    ``trail`` are the newest judged periods, the newest last: what one that was restated is noticed by.
    """

    identity: Identity
    condition: str  # digest of what its state rests on; another one starts anew
    state: AlertState = "ok"
    since: str = ""
    held: int = 0
    cleared: int = 0
    reason: str = ""  # why it came to this state: one of REASONS, or a failing source's words; "" where the figures say it
    period: str = ""
    value: Number | None = None
    target: Number | None = None
    episode: int = 0  # how often it has begun to fire
    fired: str = ""  # the first period of the stretch for which it fires, or last fired
    changed: dt.datetime | None = None
    seen: dt.datetime | None = None
    trail: tuple[Judged, ...] = ()
    previous: Number | None = None  # the value of the period before ``period``
    because: str = ""  # what the change since then comes from, in the project's language


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of an alert, at the period that brought it. Out of firing into ok is what people call resolved."""

    instance: Instance  # as it is afterwards
    before: AlertState
    period: str
    correction: bool = False  # it comes of a period that was restated
    silent: bool = False  # part of what the first run builds up

    @property
    def after(self) -> AlertState:
        return self.instance.state


@dataclass(frozen=True, slots=True)
class Silence:
    """Alerts that nobody hears of until a time. ``matchers``: what is compared (kpi, rule, owner, severity, tag, a segment)
    → the values that fit."""

    matchers: Mapping[str, tuple[str, ...]]
    starts: dt.datetime
    until: dt.datetime
    reason: str = ""
    author: str = ""
    number: int = 0
    created: dt.datetime | None = None
    expired: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """Who was told by which route that an alert fires (the ``episode``-th time), by which delivery, and when last.

    ``ended`` is when they were told that it is over, or when it was settled that they need not be.
    """

    identity: str  # the alert's key
    episode: int
    route: str
    channel: str
    recipient: str
    delivery: str
    at: dt.datetime
    ended: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Alerts of a route that are told together. ``waiting`` is since when its first message is held back."""

    route: str
    key: str
    waiting: dt.datetime | None = None
    sent: dt.datetime | None = None
