"""Where messages go, and when: channels, recipients, schedules, routes of alerts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from cadran.calendar import Duration
from cadran.declare.document import Place
from cadran.declare.model.texts import Text


@dataclass(frozen=True, slots=True)
class Channel:
    """A notifier with its settings, ``${…}`` already replaced."""

    name: str
    notifier: str
    config: Mapping[str, Any]
    place: Place
    base: Path = Path()  # the folder of the file that declares it: what its relative paths start from


@dataclass(frozen=True, slots=True)
class Destination:
    """A channel, and the recipients there: each a text in which ``{{ owner }}`` and its like stand for who is meant.

    A channel that is itself the address (a chat, a folder) has none.
    """

    channel: Text
    to: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Schedule:
    """When something is due, by the local clock of ``zone``; ``catch_up`` says what becomes of times that were missed."""

    cron: Text
    zone: ZoneInfo
    catch_up: Literal["latest", "all", "none"] = "latest"


@dataclass(frozen=True, slots=True)
class Mute:
    """When a route is quiet: on some days of the week (1 is Monday), between two local times, between two days.

    All that is given has to hold. ``start`` after ``end`` goes over midnight.
    """

    days: frozenset[int] = frozenset()
    start: dt.time | None = None
    end: dt.time | None = None
    first: dt.date | None = None
    last: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """Where firing and resolved alerts go. ``match`` holds, by what is compared, the values that fit."""

    name: str  # by what state knows it: its own, else made of what it matches and where it goes
    place: Place
    to: tuple[Destination, ...] = ()
    # kpi rule severity owner tag segment value
    match: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    group_by: tuple[str, ...] = ()
    wait: Duration | None = None  # how long a group's first message is held back for others to join
    repeat: Duration | None = None  # after how long a group that is still firing is sent again
    mute: tuple[Mute, ...] = ()
    zone: ZoneInfo | None = None  # of ``mute``; the calendar's if None
    resolved: bool = True  # whether the end of an alert is told
    goes_on: bool = False  # YAML: continue


@dataclass(frozen=True, slots=True)
class Deliveries:
    """How long messages are tried again, what follows an unknown outcome, and who hears of what could not be delivered."""

    deadline: Duration = field(default_factory=lambda: Duration(days=1))
    unknown_reports: Literal["wait", "send"] = "wait"
    unknown_alerts: Literal["wait", "send"] = "send"
    failures: tuple[Destination, ...] = ()
