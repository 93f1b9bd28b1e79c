"""What an alert rule would have done over history, as values: when it would have fired, and what it would have sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from cadran.compute.results import Number
from cadran.declare.model import AlertRule

Kind = Literal["firing", "repeat", "resolved"]
KINDS: tuple[Kind, ...] = ("firing", "repeat", "resolved")


@dataclass(frozen=True, slots=True)
class Episode:
    """One time that a rule fires at one segment value. ``since``, ``fired`` and ``ended`` are labels of periods.

    ``since`` is where the breaches began, ``fired`` where ``for`` was reached, ``ended`` where it was over, empty where it
    stands at the end. ``periods`` are those of the asked range at whose end it fired. ``value`` is that of ``fired``.
    """

    segment: tuple[str, ...]
    segment_value: tuple[str, ...]
    since: str
    fired: str
    ended: str
    periods: int
    value: Number | None = None
    target: Number | None = None
    standing: bool = False  # it fired before the asked range begins


@dataclass(frozen=True, slots=True)
class Tried:
    """One rule over the asked range. ``given`` is what a sweep has put into it.

    ``messages`` counts, by kind, what the project's routes would have sent, one for each recipient; None where it has none.
    ``again`` counts episodes that began at most two periods after the one before had ended at the same segment value.
    """

    rule: AlertRule = field(repr=False)
    given: str = ""
    grain: str = ""
    alerts: int = 0  # segment values, the total among them, that were looked at
    judged: int = 0  # periods, all of these together
    episodes: tuple[Episode, ...] = ()
    messages: Mapping[Kind, int] | None = None
    again: int = 0
    known: int = 0  # of the judged periods, those in which the condition could be answered at all

    @property
    def fires(self) -> int:
        return sum(not episode.standing for episode in self.episodes)

    @property
    def firing(self) -> int:
        return sum(episode.periods for episode in self.episodes)

    @property
    def mails(self) -> int | None:
        return None if self.messages is None else sum(self.messages.values())


@dataclass(frozen=True, slots=True)
class Backtest:
    """``since`` and ``until`` are the labels of the first and last judged period, by grain; empty where none was."""

    kpi: str
    tried: tuple[Tried, ...] = ()
    ranges: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    name: str = ""  # of a sweep, what was put in
