"""An alert with all that is known of it: what ``cadran alerts`` shows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cadran.judge.notices import Withheld
from cadran.state.alerting import Instance, Silence, Told


@dataclass(frozen=True, slots=True)
class Event:
    """A change of an alert as it was written down: at which logical time, and at which period."""

    at: dt.datetime
    period: str
    before: str
    after: str
    reason: str = ""
    correction: bool = False
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Stand:
    """``told`` are those whom a message about its newest episode goes to, ``fates`` what has become of that message, by its
    key: its state in the outbox, where that is still known. ``withheld`` why somebody is not told; ``silence`` the
    one it lies under."""

    instance: Instance
    severity: str = ""
    owners: Sequence[str] = ()
    condition: str = ""
    told: Sequence[Told] = ()
    fates: Mapping[str, str] = field(default_factory=dict)
    withheld: Sequence[Withheld] = ()
    silence: Silence | None = None
    history: Sequence[Event] = ()
    kept: str = ""  # the period as which it stands, where those after it have no data
